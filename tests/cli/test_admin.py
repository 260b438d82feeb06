"""``init``, ``export``, ``import``, ``backup``, ``restore-backup``, ``purge``, ``erase``, ``compact``."""

from __future__ import annotations

import json
import stat
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

from memrepo import DailyLogNew
from tests.cli.conftest import Command, on_store
from tests.cli.interrupting import interrupted_at
from tests.patience import PATIENCE_S


def test_init(command: Command, path: Path) -> None:
    """A database is made with its rule and its search index, for its owner only, and again nothing changes."""
    ran = command("init", "--same-fact", "exact", "--search", "trigram")
    assert (ran.status, ran.out) == (0, "schema 9, same fact exact\n")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert command("init", "--json").json == {"schema_version": 9, "same_fact": "exact"}
    assert command("status", "--json").json["search_index"]["tokenizer"] == "trigram"
    refused = command("init", "--same-fact", "folded")
    assert (refused.status, refused.err) == (
        2,
        'memrepo: --same-fact: is "exact" for this database, for good\n',
    )


def test_export_and_import(command: Command, path: Path) -> None:
    """What is exported to a file or a pipe is imported from one, and a second time nothing is stored."""
    command("remember", "Likes tea", "Has a dog")
    command("remember", "Likes rum", "--scope", "ada")
    assert command("export", "a.jsonl").out == "exported to a.jsonl\n"
    assert stat.S_IMODE(path.with_name("a.jsonl").stat().st_mode) == 0o600
    piped = command("export", "--scope", "ada").out
    assert [json.loads(line).get("content") for line in piped.splitlines()] == [
        *(None, "Likes rum", None),
    ]
    ran = command("import", "a.jsonl", "--db", "b.db")
    assert "memory_entries: 3 rows, 3 imported, 0 already there\n" in ran.out
    again = command("import", "--db", "b.db", "--json", stdin=path.with_name("a.jsonl").read_text())
    assert [its["n_present"] for its in again.json["tables"]] == [0, 3, 0]
    assert command("recall", "--scope", "ada", "--db", "b.db").out.count("\n") == 2
    refused = command("export", "a.jsonl")
    assert (refused.status, refused.err) == (2, "memrepo: FILE: already exists\n")
    assert command("import", "none.jsonl").err == (
        "memrepo: FILE: cannot be read: No such file or directory\n"
    )


def test_partial_file_of_another_program(command: Command, path: Path) -> None:
    """What is no part of an export is not touched, and what is not even a whole line is begun anew."""
    command("remember", "Likes tea")
    partial = path.with_name("a.jsonl.partial")
    partial.write_text("S3CRET\nS3CR")
    ran = command("export", "a.jsonl")
    assert (ran.status, ran.err) == (
        2,
        "memrepo: FILE: has a .partial file beside it that is no export\n",
    )
    assert partial.read_text() == "S3CRET\nS3CR"
    for begun in ("", '{"memrepo":"exp', '{"memrepo":"export","format":1,'):
        partial.write_text(begun)
        assert command("export", "a.jsonl").status == 0
        assert command("import", "a.jsonl", "--db", ":memory:").status == 0
        path.with_name("a.jsonl").unlink()


@pytest.fixture
def large(path: Path) -> Path:
    """A file with enough rows to be interrupted at."""
    events = [DailyLogNew(event_type="e", event_data={"n": n}) for n in range(40_000)]
    on_store(path, lambda store: store.daily_logs.append_many(events), durability="normal")
    return path


def _interrupt(arguments: Iterable[object], file: Path, size: int) -> str:
    """Run a command until a file is larger than *size*, and interrupt it; return its stderr."""
    done = subprocess.run(
        interrupted_at(file, size, *arguments),
        stderr=subprocess.PIPE,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    return done.stderr


@pytest.mark.slow
def test_interrupted_twice(large: Path, command: Command) -> None:
    """An export and an import that are interrupted twice go on with the same command, and all rows arrive."""
    exported, partial = large.with_name("a.jsonl"), large.with_name("a.jsonl.partial")
    sizes = []
    for size in (100_000, 2_000_000):
        said = _interrupt(("export", exported), partial, size)
        assert said == "memrepo: interrupted; run the command again to resume\n"
        sizes.append(partial.stat().st_size)
    assert sizes == sorted(sizes)
    assert command("export", exported).status == 0
    lines = exported.read_bytes().splitlines()
    assert len(lines) == 40_002
    log = large.with_name("b.db-wal")
    for _ in range(2):
        _interrupt(("import", exported, "--db", "b.db"), log, 500_000)
    ran = command("import", exported, "--db", "b.db", "--json").json["tables"][2]
    assert ran["n_rows"] == 40_000
    assert ran["n_present"] > 0
    copied = command("copy", large, large.with_name("b.db"))
    assert copied.out.endswith("daily_logs: 40,000 rows, 0 copied, 40,000 already there\n")


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [("erase", "--scope", "", "--yes"), ("purge", "--before", "2999-01-01", "--events", "--yes")],
)
def test_interrupted_while_it_deletes(
    arguments: tuple[str, ...], large: Path, command: Command
) -> None:
    """What deletes in parts says, when it is interrupted, that the same command goes on."""
    said = _interrupt(arguments, large.with_name("agent.db-wal"), 100_000)
    assert said == "memrepo: interrupted; run the command again to resume\n"
    assert command(*arguments).status == 0
    assert command("log").out == ""


def test_backup(command: Command, path: Path) -> None:
    """A backup takes the place of the database when that is confirmed."""
    command("remember", "Likes tea")
    assert command("backup", "b.db").out == "backed up to b.db\n"
    command("remember", "Has a dog")
    refused = command("restore-backup", "b.db")
    assert (refused.status, refused.out) == (2, "")
    assert refused.err.endswith("memrepo: this asks first: without a terminal, say --yes\n")
    assert len(command("recall", "--json").json["entries"]) == 2
    assert command("restore-backup", "b.db", "--yes").out == f"restored {path}\n"
    assert len(command("recall", "--json").json["entries"]) == 1
    assert command("restore-backup", "b.db", "--yes", "--db", "http://h").status == 2


def test_nothing_writes_where_the_url_only_reads(command: Command, path: Path) -> None:
    """Every command that would change or replace a database is refused for one of mode=ro, which stays as it is."""
    command("remember", "Likes tea")
    command("export", "a.jsonl")
    command("backup", "b.db")
    command("remember", "Has a dog", "--db", "b.db")
    before = path.read_bytes()
    for arguments in (
        ("restore-backup", "b.db", "--yes"),
        ("remember", "Has a cat"),
        ("forget", "1"),
        ("import", "a.jsonl"),
        ("erase", "--scope", "", "--yes"),
        ("compact",),
    ):
        ran = command(*arguments, "--db", f"file:{path}?mode=ro")
        assert (bool(ran.status), ran.out) == (True, ""), arguments
        assert "read" in ran.err, arguments
    assert command("copy", "b.db", f"file:{path}?mode=ro").status == 1
    assert path.read_bytes() == before


def test_purge(command: Command, path: Path) -> None:
    """What was forgotten is counted, and deleted once it is confirmed; events too, if that is said."""
    command("remember", "Likes tea")
    command("forget", 1)
    on_store(path, lambda store: store.daily_logs.append(None, "e"))
    arguments = ("purge", "--before", "2999-01-01", "--events")
    assert command(*arguments, "--dry-run").out == "would delete 1 fact, 1 event\n"
    assert command(*arguments).status == 2
    assert command("purge", "--before", "1d", "--yes", "--json").json["facts"] == 0
    assert command(*arguments, "--yes").out == "deleted 1 fact, 1 event\n"
    assert command("restore").err == "nothing is forgotten\n"


def test_erase(command: Command) -> None:
    """Everything of a scope is deleted once it is confirmed, and nothing of another."""
    command("remember", "Likes tea")
    command("remember", "Likes rum", "--scope", "ada")
    assert command("erase", "--scope", "ada").status == 2
    assert command("erase", "--yes").status == 2
    ran = command("erase", "--scope", "ada", "--yes", "--json").json
    assert ran == {"n_facts": 1, "n_sessions": 0, "n_events": 0}
    assert [its["scope"] for its in command("stats", "--json").json["scopes"]] == [""]


def test_compact(command: Command, path: Path) -> None:
    """The file becomes smaller, and no byte of what was purged is left in it."""
    command("remember", "S3CRET " + "x" * 2_000_000)
    command("forget", 1)
    command("purge", "--before", "2999-01-01", "--yes")
    sizes = command("compact", "--json").json
    assert sizes["size_bytes"] < sizes["size_bytes_before"] - 2_000_000
    assert b"S3CRET" not in path.read_bytes()
    assert command("compact").out.endswith(" now\n")


def test_exports_to_one_file(path: Path, command: Command) -> None:
    """While an export writes a file, a second one to it is refused, and nothing of the first is lost."""
    fcntl = pytest.importorskip("fcntl")
    on_store(path, lambda store: store.memories.remember("Likes tea"))
    partial = path.with_name("memory.jsonl.partial")
    with partial.open("wb") as first:
        fcntl.flock(first, fcntl.LOCK_EX)
        first.write(b'{"memrepo":"export",')
        first.flush()
        ran = command("export", "memory.jsonl")
        assert (ran.status, ran.err.endswith("is being written by another export\n")) == (1, True)
        assert partial.read_bytes() == b'{"memrepo":"export",'
    assert command("export", "memory.jsonl").status == 0
    assert not partial.exists()


def test_export_of_another_database(path: Path, command: Command) -> None:
    """What is left of an export is not gone on with from another database, and stays as it is."""
    on_store(path, lambda store: store.memories.remember("Likes tea"))
    command("export", "memory.jsonl")
    first, fact, _ = path.with_name("memory.jsonl").read_bytes().splitlines(keepends=True)
    partial = path.with_name("other.jsonl.partial")
    partial.write_bytes(first + fact)
    command("init", "--db", "other.db")
    ran = command("export", "other.jsonl", "--db", "other.db")
    said = "memrepo: FILE: has a .partial file beside it that is an export of another database\n"
    assert (ran.status, ran.err) == (2, said)
    assert partial.read_bytes() == first + fact
    assert command("export", "other.jsonl").status == 0


def test_purge_leaves_what_expires_later(path: Path, command: Command) -> None:
    """Of facts that have not expired yet none is purged, however late an instant is given."""
    command("remember", "Likes tea", "--expires", "365d")
    ran = command("purge", "--before", "2999-01-01", "--yes", "--json")
    assert ran.json == {"dry_run": False, "facts": 0, "events": 0}
    assert on_store(path, lambda store: store.memories.count()) == 1
