"""``memrepo copy FROM TO``: what it prints where, and what it ends with."""

from __future__ import annotations

import asyncio
import os
import pty
import re
import signal
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import memrepo
from memrepo import DailyLogNew
from memrepo.cli.main import main
from tests.conftest import complaints
from tests.servers.keys import TokenMaker
from tests.servers.sqld import Sqld

SUMMARY = """\
sessions: 0 rows, 0 copied, 0 already there
memory_entries: 1 rows, 1 copied, 0 already there
daily_logs: 2,500 rows, 2,500 copied, 0 already there
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A file with a fact and some pages of events."""
    path = tmp_path / "source file.db"
    asyncio.run(_fill(path, 2_500))
    return path


async def _fill(path: Path, n_events: int) -> None:
    async with memrepo.connect(path) as store:
        await store.memories.remember("Likes tea")
        await store.daily_logs.append_many([DailyLogNew(event_type="e")] * n_events)


def memrepo_copy(
    *arguments: str | Path, env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command with pipes for a terminal."""
    done = subprocess.run(
        [sys.executable, "-m", "memrepo", "copy", *map(str, arguments)],
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    done.stderr = complaints(done.stderr)
    return done


def test_copy_without_a_terminal(source: Path, tmp_path: Path) -> None:
    """Progress is a line for each table and step on stderr, the result is on stdout, the status is 0."""
    done = memrepo_copy(source, tmp_path / "target.db")
    assert (done.returncode, done.stdout) == (0, SUMMARY)
    assert done.stderr.splitlines() == [
        f"{step} {line}"
        for step in ("copy", "compare")
        for line in ("memory_entries: 1 of 1 (100 %)", "daily_logs: 2,500 of 2,500 (100 %)")
    ]
    again = memrepo_copy(source, tmp_path / "target.db")
    assert again.stdout.splitlines()[1] == "memory_entries: 1 rows, 0 copied, 1 already there"


def test_copy_keeps_the_rule(source: Path, tmp_path: Path) -> None:
    """A new target gets the rule of the source; one that has the other rule is refused by name."""
    exact, target = tmp_path / "exact.db", tmp_path / "target.db"

    async def same_fact(path: Path, rule: memrepo.SameFact | None = None) -> str:
        async with memrepo.connect(path, same_fact=rule) as store:
            return store.same_fact

    assert asyncio.run(same_fact(exact, "exact")) == "exact"
    assert memrepo_copy(exact, target).returncode == 0
    assert asyncio.run(same_fact(target)) == "exact"
    refused = memrepo_copy(source, target)
    assert refused.returncode != 0
    assert 'same_fact: is "exact" for this database' in refused.stderr


def _read_all(terminal: int) -> str:
    shown = b""
    while True:
        try:
            part = os.read(terminal, 65_536)
        except OSError:  # how Linux says that the other end is closed
            part = b""
        if not part:
            return shown.decode()
        shown += part


def test_copy_on_a_terminal(source: Path, tmp_path: Path) -> None:
    """Progress is one line that is written again with every page, and is gone in the end."""
    mine, its = pty.openpty()
    program = [sys.executable, "-m", "memrepo", "copy", str(source), str(tmp_path / "target.db")]
    with subprocess.Popen(program, stderr=its, stdout=subprocess.PIPE, text=True) as process:
        os.close(its)
        shown = complaints(_read_all(mine))
        assert process.stdout is not None
        assert process.stdout.read() == SUMMARY
        assert process.wait() == 0
    os.close(mine)
    assert "\n" not in shown
    parts = shown.split("\r\x1b[K")
    assert parts[0] == parts[-1] == ""
    assert "copy daily_logs: 1,000 of 2,500 (40 %)" in parts
    assert len(parts) == 2 + 2 * 4


@pytest.mark.slow
def test_interrupted(tmp_path: Path) -> None:
    """Ctrl-C ends it with 1 and no traceback, and the same command goes on."""
    path = tmp_path / "source.db"

    async def fill() -> None:
        async with memrepo.connect(path) as store:
            await store.daily_logs.append_many([DailyLogNew(event_type="e")] * 60_000)

    asyncio.run(fill())
    mine, its = pty.openpty()
    program = [sys.executable, "-m", "memrepo", "copy", str(path), str(tmp_path / "target.db")]
    with subprocess.Popen(program, stderr=its, stdout=subprocess.PIPE) as process:
        os.close(its)
        shown = ""
        while "copy daily_logs" not in shown:
            shown += os.read(mine, 65_536).decode()
        process.send_signal(signal.SIGINT)
        shown += _read_all(mine)
        assert process.wait() == 1
    os.close(mine)
    assert shown.splitlines()[-1].endswith("memrepo: interrupted; run the command again to resume")
    assert "Traceback" not in shown
    again = memrepo_copy(path, tmp_path / "target.db")
    found = re.search(
        r"daily_logs: 60,000 rows, ([\d,]+) copied, ([\d,]+) already there", again.stdout
    )
    assert found is not None
    assert "0" not in (found[1], found[2])


def test_installed_command(source: Path, tmp_path: Path) -> None:
    """The command is installed under its name, and explains itself."""
    command = Path(sys.executable).with_name("memrepo")
    shown = subprocess.run([command, "copy", "--help"], capture_output=True, text=True, check=True)
    assert "memrepo copy [-h] FROM TO" in shown.stdout
    assert "MEMREPO_FROM_TOKEN" in shown.stdout


_SAID: dict[tuple[str, ...], str] = {
    (): "memrepo copy: the following arguments are required: FROM, TO",
    ("a.db",): "memrepo copy: the following arguments are required: TO",
    ("a.db", "b.db", "http://h?authToken=S3CRET"): "memrepo: unrecognized arguments: 1 too many",
    ("a.db", "b.db", "--force", "--token=S3CRET", "S3CRET"): (
        "memrepo: unrecognized arguments: --force, --token, 1 too many"
    ),
    ("ftp://S3CRET", "b.db"): "memrepo: ftp: is not a database that memrepo opens",
}


@pytest.mark.parametrize("arguments", _SAID)
def test_misuse(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """Wrong arguments end with 2, make no file, and are named but not repeated on the terminal."""
    before = set(tmp_path.iterdir())
    done = memrepo_copy(*arguments)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == _SAID[arguments]
    assert "S3CRET" not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert set(tmp_path.iterdir()) == before


def test_unknown_command(capsys: pytest.CaptureFixture[str]) -> None:
    """The commands that there are are named; what was typed is not repeated."""
    assert main(["S3CRET"]) == 2
    said = capsys.readouterr().err
    assert re.search(
        r"^memrepo: no such command; there are .*, copy, .*, mcp, ", said, re.MULTILINE
    )
    assert "S3CRET" not in said


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    """``--version`` and ``__version__`` say which memrepo this is, as the installed package does."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"memrepo {memrepo.__version__}\n"
    assert metadata.version("memrepo") == memrepo.__version__


def test_into_itself(source: Path) -> None:
    """A database is not copied into itself; that is misuse."""
    done = memrepo_copy(source, source)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "memrepo: TO: is the same database\n"


def test_source_that_is_not_there(tmp_path: Path) -> None:
    """A misspelled source is an error, with 1, and does not become an empty database."""
    done = memrepo_copy(tmp_path / "none.db", tmp_path / "target.db")
    assert done.returncode == 1
    assert done.stderr.startswith("memrepo: ")
    assert list(tmp_path.iterdir()) == []


def test_conflict(source: Path, tmp_path: Path) -> None:
    """A target that has other rows is an error, with 1, that says which row."""

    async def fill() -> None:
        async with memrepo.connect(tmp_path / "target.db") as store:
            await store.memories.remember("Likes coffee")

    asyncio.run(fill())
    done = memrepo_copy(source, tmp_path / "target.db")
    assert done.returncode == 1
    assert done.stderr.startswith("memrepo: memory_entries 1 was not copied: ")


def test_rows_of_the_target(source: Path, tmp_path: Path) -> None:
    """A target with rows of its own is not identical: said on stderr, and the status is 1."""
    assert memrepo_copy(source, tmp_path / "target.db").returncode == 0

    async def add() -> None:
        async with memrepo.connect(tmp_path / "target.db") as store:
            await store.memories.remember("Likes coffee")

    asyncio.run(add())
    done = memrepo_copy(source, tmp_path / "target.db")
    assert done.returncode == 1
    assert done.stderr.endswith(
        "memrepo: memory_entries: 0 rows differ, and the target has 1 of its own\n"
    )


@pytest.mark.slow
def test_tokens(locked_sqld: Sqld, tokens: TokenMaker, tmp_path: Path) -> None:
    """A server's token comes from the environment or the URL, and is shown nowhere, right or wrong."""
    source = tmp_path / "source.db"
    asyncio.run(_fill(source, 1))
    url, token = locked_sqld.new_url(), tokens.token()
    wrong = TokenMaker().token()
    for arguments, env, status in (
        ((source, url), {"MEMREPO_TO_TOKEN": token}, 0),
        ((source, f"{url}&authToken={token}"), {}, 0),
        ((url, tmp_path / "a.db"), {"MEMREPO_FROM_TOKEN": token}, 0),
        ((url, tmp_path / "b.db"), {"TURSO_AUTH_TOKEN": token}, 0),
        ((url, tmp_path / "c.db"), {"MEMREPO_TO_TOKEN": token}, 1),
        ((url, tmp_path / "c.db"), {"MEMREPO_FROM_TOKEN": wrong}, 1),
        ((f"{url}&authToken={wrong}", tmp_path / "c.db"), {}, 1),
        ((url, locked_sqld.new_url()), {"TURSO_AUTH_TOKEN": token}, 1),
    ):
        done = memrepo_copy(*arguments, env=env)
        assert done.returncode == status, done.stderr
        assert token not in done.stdout + done.stderr
        assert wrong not in done.stdout + done.stderr


def test_main_in_this_process(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`main` takes its arguments and returns the status, for programs that start it themselves."""
    assert main(["copy", str(source), str(tmp_path / "target.db")]) == 0
    shown = capsys.readouterr()
    assert shown.out == SUMMARY
    assert re.search(r"^compare daily_logs", shown.err, re.MULTILINE)
