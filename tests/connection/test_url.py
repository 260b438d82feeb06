"""Database URLs: every form that is accepted, every form that is refused, and no secret in a message."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given, strategies as st

import memrepo
from memrepo import InvalidInputError, UnsupportedURLError, UsageError
from memrepo.connection.server_url import ServerLocation
from memrepo.connection.url import Location, parse_url

HERE = Path.cwd()
SECRET = "S3CR3T"


@pytest.mark.parametrize(
    ("url", "path", "mode"),
    [
        ("agent.db", HERE / "agent.db", "rwc"),
        ("./data/agent.db", HERE / "data/agent.db", "rwc"),
        ("/var/agent.db", Path("/var/agent.db"), "rwc"),
        ("a b%20c?d#e.db", HERE / "a b%20c?d#e.db", "rwc"),
        ("é.db", HERE / "é.db", "rwc"),
        (Path("agent.db"), HERE / "agent.db", "rwc"),
        (Path("/var/agent.db"), Path("/var/agent.db"), "rwc"),
        (Path("agent.db?mode=ro"), HERE / "agent.db?mode=ro", "rwc"),
        ("C:agent.db", HERE / "C:agent.db", "rwc"),
        (" agent.db", HERE / " agent.db", "rwc"),
        ("/var//ada@example.org.db", Path("/var/ada@example.org.db"), "rwc"),
        (":memory:", None, "rwc"),
        (Path(":memory:"), None, "rwc"),
        ("file:agent.db", HERE / "agent.db", "rwc"),
        ("FILE:agent.db", HERE / "agent.db", "rwc"),
        ("file:/var/agent.db", Path("/var/agent.db"), "rwc"),
        ("file:///var/agent.db", Path("/var/agent.db"), "rwc"),
        ("file://localhost/var/agent.db", Path("/var/agent.db"), "rwc"),
        ("file:a%20b%3F.db", HERE / "a b?.db", "rwc"),
        ("file:caf%E9.db", HERE / "caf\udce9.db", "rwc"),
        ("file:caf\udce9%20%C3%A9.db", HERE / "caf\udce9 é.db", "rwc"),
        ("sqlite:///caf%E9.db", HERE / "caf\udce9.db", "rwc"),
        ("file:agent.db?mode=ro", HERE / "agent.db", "ro"),
        ("file:agent.db?mode=rw", HERE / "agent.db", "rw"),
        ("file:agent.db?mode=rwc", HERE / "agent.db", "rwc"),
        ("file:agent.db?mode=memory", None, "rwc"),
        ("file::memory:", None, "rwc"),
        ("sqlite:///agent.db", HERE / "agent.db", "rwc"),
        ("sqlite:///data/a%20b.db", HERE / "data/a b.db", "rwc"),
        ("sqlite:////var/agent.db", Path("/var/agent.db"), "rwc"),
        ("sqlite:////var/agent.db?mode=ro", Path("/var/agent.db"), "ro"),
        ("sqlite:///:memory:", None, "rwc"),
        ("sqlite://", None, "rwc"),
        ("sqlite+aiosqlite:///agent.db", HERE / "agent.db", "rwc"),
        ("sqlite+aiosqlite:////var/agent.db", Path("/var/agent.db"), "rwc"),
        ("sqlite+aiosqlite:///:memory:", None, "rwc"),
    ],
)
def test_forms_that_are_accepted(url: str | Path, path: Path | None, mode: str) -> None:
    """Each documented form names the file it says, absolute from the start."""
    assert parse_url(url) == Location(path, mode)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://localhost/agent",
        "mysql+aiomysql://localhost/agent",
        "s3://bucket/agent.db",
        "sqlite://agent.db",
        "sqlite://host/agent.db",
        "sqlite:agent.db",
        "sqlite:/agent.db",
        "sqlite+pysqlite:///agent.db",
        "sqlite:///agent.db#part",
        "file://host/agent.db",
        "file:agent.db#part",
        "file:agent.db?mode=rx",
        "file:agent.db?mode=",
        "file:agent.db?cache=shared",
        "file:agent.db?vfs=unix-none",
        "file:agent.db?immutable=1",
        "file:agent.db?nolock=1",
        "sqlite:///agent.db?check_same_thread=false",
        "file://[::1/agent.db",
        "sqlite://[/agent.db",
        "file://\u2100/agent.db",
        ":memory:?cache=shared",
        "agent.db?mode=ro",
        "/var/agent.db?mode=rw&cache=shared",
        "file::memory:2",
    ],
)
def test_forms_that_are_refused(url: str) -> None:
    """A URL of another kind, or with an option that would be ignored, is refused at once."""
    with pytest.raises(UnsupportedURLError):
        memrepo.connect(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a\0b.db",
        "file:a%00b.db",
        "file:",
        "a\ud800b.db",
        "file:a\ud800b.db",
        "agent.db-wal",
        Path("agent.db-shm"),
        "sqlite:///agent.db-journal",
        None,
        5,
        True,
        b"agent.db",
        ["agent.db"],
        object(),
    ],
)
def test_what_is_no_path_is_refused(url: Any) -> None:
    """What cannot name a file is InvalidInputError for ``url``, before anything is opened."""
    with pytest.raises(InvalidInputError) as caught:
        memrepo.connect(url)
    assert caught.value.field == "url"


def test_a_path_of_bytes_is_refused() -> None:
    """A path object that stands for bytes is InvalidInputError, not a TypeError from within."""

    class BytesPath:
        def __fspath__(self) -> bytes:
            return b"agent.db"

    with pytest.raises(InvalidInputError):
        memrepo.connect(BytesPath())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "url",
    [
        f"libsql://db.example.org?authToken={SECRET}&other=1",
        f"libsql://db.example.org?authToken={SECRET}&authToken={SECRET}",
        f"libsql://db.example.org:{SECRET}",
        f"libsql://db.example.org?{SECRET}",
        f"libsql://db.example.org?namespace=%2F{SECRET}",
        f"libsql:{SECRET}",
        f"http://db.example.org#{SECRET}",
        f"https://user:{SECRET}@db.example.org",
        f"postgresql://user:{SECRET}@localhost/agent",
        f"sqlite://user:{SECRET}@host/agent.db",
        f"sqlite://{SECRET}/agent.db",
        f"file://user:{SECRET}@host/agent.db",
        f"file:agent.db?authToken={SECRET}",
        f"file:agent.db?{SECRET}",
        f"file:agent.db?mode={SECRET}",
        f"file:agent.db?mode=ro&key={SECRET}",
        f"sqlite:///agent.db#{SECRET}",
        f"file://[{SECRET}/agent.db",
        f"file://{SECRET}\u2100/agent.db",
        f" https://user:{SECRET}@db.example.org",
        f"\n\tlibsql://db.example.org/{SECRET}",
        f" libsql://db.example.org?authToken={SECRET}",
        f'"https://user:{SECRET}@db.example.org"',
        f"\ufeffhttps://user:{SECRET}@db.example.org",
        f"\x00https://user:{SECRET}@db.example.org",
        Path(f"https://user:{SECRET}@db.example.org"),
        f"turso_db://user:{SECRET}@db.example.org",
    ],
)
def test_no_secret_in_a_message(url: str | Path) -> None:
    """Neither a password, a token nor an option's value is ever in the error, its cause or its repr."""
    with pytest.raises(UsageError) as caught:
        memrepo.connect(url)
    error: BaseException | None = caught.value
    while error is not None:
        assert SECRET not in f"{error!s}{error!r}"
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


@given(st.text())
def test_any_text_is_a_location_or_a_usage_error(url: str) -> None:
    """No text makes anything but one of the two documented errors escape."""
    try:
        location = parse_url(url)
    except UsageError:
        return
    if isinstance(location, ServerLocation):
        assert urlsplit(location.root).netloc
        return
    assert location.uri == ":memory:" or location.uri.startswith("file:///")


@given(
    st.sampled_from(
        [
            "file:",
            "file://",
            "sqlite:",
            "sqlite://",
            "sqlite:///",
            "libsql://",
            "ws://h",
            "http://h?",
        ]
    ),
    st.text(),
)
def test_any_url_is_a_location_or_a_usage_error(start: str, rest: str) -> None:
    """The same for texts that begin like one of our URLs."""
    test_any_text_is_a_location_or_a_usage_error.hypothesis.inner_test(start + rest)  # type: ignore[attr-defined]


def test_characters_that_mean_something_in_a_uri_are_quoted() -> None:
    """A file may be called anything: what SQLite gets as a URI names that very file."""
    location = parse_url("a?b#c%d e.db")
    assert isinstance(location, Location)
    assert location.uri.endswith("/a%3Fb%23c%25d%20e.db?mode=rwc")


def test_each_form_opens_the_same_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was remembered through one form of the URL is found through every other."""
    monkeypatch.chdir(tmp_path)
    name = "the agent's #1 100%.db"
    quoted = "the%20agent's%20%231%20100%25.db"

    async def remember(opening: memrepo.OpeningStore) -> str:
        async with opening as store:
            return (await store.memories.remember("tea")).outcome

    urls: list[str | Path] = [
        name,
        Path(name),
        tmp_path / name,
        f"file:{quoted}",
        f"file://{tmp_path}/{quoted}",
        f"sqlite:///{quoted}",
        f"sqlite:////{tmp_path}/{quoted}",
        f"sqlite+aiosqlite:///{quoted}",
        f"file:{quoted}?mode=rw",
    ]
    outcomes = [asyncio.run(remember(memrepo.connect(url))) for url in urls]
    assert outcomes == ["created"] + ["duplicate"] * (len(urls) - 1)
    assert [path.name for path in tmp_path.glob("*.db")] == [name]


@pytest.mark.asyncio
async def test_a_relative_path_is_opened_without_blocking_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shortest form of all works inside the event loop under the guard against blocking calls."""
    monkeypatch.chdir(tmp_path)
    async with memrepo.connect("agent.db") as store:
        assert (await store.memories.remember("tea")).outcome == "created"


def test_from_env_reads_the_environment_when_called(monkeypatch: pytest.MonkeyPatch) -> None:
    """TURSO_DATABASE_URL comes before DATABASE_URL, an empty one counts as unset, none is an error."""
    monkeypatch.setenv("TURSO_DATABASE_URL", "")
    monkeypatch.setenv("DATABASE_URL", "first:nothing")
    with pytest.raises(UnsupportedURLError, match="first"):
        memrepo.from_env()
    monkeypatch.setenv("TURSO_DATABASE_URL", "second:nothing")
    with pytest.raises(UnsupportedURLError, match="second"):
        memrepo.from_env()
    monkeypatch.delenv("TURSO_DATABASE_URL")
    monkeypatch.delenv("DATABASE_URL")
    with pytest.raises(InvalidInputError):
        memrepo.from_env()
