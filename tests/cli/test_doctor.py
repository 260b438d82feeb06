"""``memrepo doctor``: each planted problem is found, and cured by the command that it names."""

from __future__ import annotations

import asyncio
import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest

import memrepo
from memrepo import DailyLogNew, MemoryNew
from memrepo.admin import surroundings
from memrepo.admin.migrations import load_migrations
from memrepo.connection.sqlite import health
from tests.admin.original import AGES, on_file
from tests.admin.test_push import push
from tests.admin.test_repair import without_indexes
from tests.cli.conftest import Command, on_store
from tests.servers.fixtures import Cluster
from tests.servers.sqld import Sqld

#: What is true of the machine that the tests run on, and of no database.
_OF_THE_MACHINE: Final = {"sqlite", "file system", "disk space"}


async def _fill(store: memrepo.Store) -> None:
    session = await store.sessions.start()
    facts = [MemoryNew(content=f"Fact {n}", session_id=session.id) for n in range(9)]
    await store.memories.remember_many(facts)
    await store.memories.remember("Lives in Leeds", slot="home")
    await store.daily_logs.append_many(
        [
            DailyLogNew(event_type="topic", event_data=f"{n}", session_id=session.id)
            for n in range(9)
        ]
    )
    await store.sessions.end(session.id)
    await store.catch_up()


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with rows of every kind, which nobody has open."""
    path = tmp_path_factory.mktemp("healthy") / "agent.db"
    on_store(path, _fill)
    return path


@pytest.fixture
def patient(path: Path, healthy: Path) -> Path:
    """A copy of it, which is the database of the commands, with a backup beside it."""
    shutil.copy2(healthy, path)
    shutil.copy2(healthy, path.with_name("BACKUP"))
    return path


def found(command: Command) -> list[dict[str, str]]:
    """What doctor finds, but for what is true of this machine."""
    ran = command("doctor", "--json")
    findings: list[dict[str, str]] = ran.json["findings"]
    assert ran.status == any(its["severity"] == "problem" for its in findings)
    return [its for its in findings if its["check"] not in _OF_THE_MACHINE]


def cure(command: Command, line: str) -> None:
    """Do what a cure says: a command of memrepo in this process, another one in a shell."""
    first, *others = line.split(" && ")
    if first.startswith("memrepo "):
        confirmed = ["--yes"] if "restore-backup" in first else []
        ran = command(*shlex.split(first)[1:], *confirmed)
        assert ran.status == 0, ran.err
    else:
        subprocess.run(["sh", "-c", first], check=True, timeout=60)
    if others:
        cure(command, " && ".join(others))


# --- what is planted ---------------------------------------------------------------------------


def _sql(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as raw, raw:
        for sql in statements:
            raw.execute(sql)


def _edited_fact(path: Path) -> None:
    _sql(path, "UPDATE memory_entries SET content='S3CRET' WHERE id=2")


def _fact_without_session(path: Path) -> None:
    _sql(path, "UPDATE memory_entries SET session_id=99 WHERE id=2")


def _event_without_session(path: Path) -> None:
    _sql(path, "UPDATE daily_logs SET session_id=99 WHERE id=2")


def _slot_filled_twice(path: Path) -> None:
    _sql(path, "UPDATE memory_entries SET slot='home' WHERE id=2")


def _drifted_search_index(path: Path) -> None:
    with closing(sqlite3.connect(path)) as raw, raw:
        (trigger,) = raw.execute(
            "SELECT name,sql FROM sqlite_master WHERE type='trigger' AND tbl_name='daily_logs'"
            " AND sql LIKE '%AFTER DELETE%'"
        ).fetchall()
        raw.execute(f"DROP TRIGGER `{trigger[0]}`")
        raw.execute("DELETE FROM daily_logs WHERE id=2")
        raw.execute(trigger[1])


def _damaged_index(path: Path) -> None:
    with without_indexes(path, "ix_memory_entries__scope_created_at") as raw:
        raw.execute("DELETE FROM memory_entries WHERE id=3")


def _damaged_index_of_another_program(path: Path) -> None:
    _sql(path, "CREATE TABLE people (name TEXT)", "CREATE INDEX their_index ON people (name)")
    with without_indexes(path, "their_index") as raw:
        raw.execute("INSERT INTO people VALUES ('S3CRET')")


def _damaged_page(path: Path) -> None:
    with closing(sqlite3.connect(path)) as raw:
        ((root,),) = raw.execute("SELECT rootpage FROM sqlite_master WHERE name='daily_logs'")
    with path.open("r+b") as file:
        file.seek((root - 1) * 4096 + 8)
        file.write(b"\xff" * 32)


def _no_database(path: Path) -> None:
    path.write_bytes(b"garbage" * 1_000)


def _emptied(path: Path) -> None:
    path.write_bytes(b"")
    path.with_name("agent.db-wal").write_bytes(b"log")


def _old_schema(path: Path) -> None:
    path.unlink()
    statements = [
        statement.sql for each in load_migrations()[:4] for statement in each.statements()
    ]
    rows = [(each.number, each.name, each.checksum) for each in load_migrations()[:4]]
    with closing(sqlite3.connect(path)) as raw, raw:
        for sql in statements:
            raw.execute(sql)
        raw.execute(
            "CREATE TABLE memrepo_migrations (number INTEGER PRIMARY KEY NOT NULL, name TEXT NOT NULL,"
            " checksum TEXT NOT NULL, applied_at TEXT NOT NULL)"
        )
        raw.executemany("INSERT INTO memrepo_migrations VALUES (?,?,?,'')", rows)
    path.chmod(0o600)


def _original_database(path: Path) -> None:
    path.unlink()
    _sql(path, *AGES["phase 7, migrated"])
    path.chmod(0o600)


def _pushed(path: Path) -> None:
    push(on_file(path))


def _fact_of_another_program(path: Path) -> None:
    _sql(
        path,
        "INSERT INTO memory_entries (content,category,source,created_at) VALUES "
        "('S3CRET','a','b','2026-02-02T14:16:24.123Z')",
    )


def _lost_index(path: Path) -> None:
    _sql(path, "DROP INDEX ix_sessions__open")


def _readable_by_all(path: Path) -> None:
    path.chmod(0o644)


def _writable_log(path: Path) -> None:
    path.chmod(0o602)


def _left_over(path: Path) -> None:
    left = path.with_name("agent.db.0123abcd.partial")
    left.write_bytes(b"")
    os.utime(left, (1_000_000_000, 1_000_000_000))


def _forgotten_session(path: Path) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=30)
    on_store(
        path, lambda store: store.scoped("user:ada's").sessions.start(), clock=lambda: long_ago
    )


def _gone(path: Path) -> None:
    path.unlink()


@contextmanager
def _grown_log(path: Path) -> Iterator[None]:
    """A program keeps the file open, and has read for a long time while another wrote."""
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as reader,
        closing(sqlite3.connect(path, isolation_level=None)) as writer,
    ):
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM sessions").fetchall()
        writer.execute("CREATE TABLE other (value BLOB)")
        for _ in range(3):
            writer.execute("INSERT INTO other VALUES (zeroblob(12000000))")
        writer.execute("DELETE FROM other")
        reader.execute("ROLLBACK")
        yield


_Plant = Callable[[Path], AbstractContextManager[None] | None]


@pytest.mark.parametrize(
    ("plant", "check", "says"),
    [
        (_edited_fact, "facts", "memory_entries 2: the content is not the text that was hashed"),
        (_slot_filled_twice, "facts", "fills its slot"),
        (_fact_of_another_program, "facts", "1 facts of another program have no hash yet"),
        (_fact_without_session, "references", "memory_entries 2: refers to a row of sessions"),
        (_event_without_session, "references", "daily_logs 2: refers to a row of sessions"),
        (
            _drifted_search_index,
            "search index",
            "daily_logs: the search index has 1 rows that it should",
        ),
        (_damaged_index, "integrity", "ix_memory_entries__scope_created_at"),
        (_damaged_index_of_another_program, "integrity", "their_index"),
        (_damaged_page, "integrity", "page"),
        (_no_database, "integrity", "the file is not a database"),
        (_emptied, "integrity", "something has emptied the database"),
        (_old_schema, "schema", "has 4 of 9 migrations"),
        (_original_database, "schema", "has 0 of 9 migrations"),
        (_pushed, "schema", "as drizzle-kit push does it"),
        (_lost_index, "schema", "the schema is not as migration 9 left it"),
        (_readable_by_all, "permissions", "every user of this machine can read or write agent.db"),
        (_writable_log, "permissions", "every user of this machine can read or write agent.db"),
        (_left_over, "left over", "agent.db.0123abcd.partial is of a backup that was interrupted"),
        (_forgotten_session, "sessions", "1 open sessions were not active for 7 days"),
        (_grown_log, "write-ahead log", "bytes: a program reads for a long time"),
        (_gone, "opening", "there is no such file"),
    ],
)
def test_found_and_cured(
    plant: _Plant, check: str, says: str, patient: Path, command: Command
) -> None:
    """The problem is named, without stored text; its cure is one command, and then nothing is wrong."""
    with plant(patient) or nullcontext():
        first, *others = found(command)
        assert first["check"] == check
        assert says in first["detail"]
        assert "S3CRET" not in str([first, *others])
        cure(command, first["cure"])
        # One problem may stand behind another: a fact that was edited is not in the search index as it is.
        for _ in others:
            for each in found(command):
                cure(command, each["cure"])
        assert found(command) == []


def test_nothing_wrong_with_a_file(patient: Path, command: Command) -> None:
    """Of a healthy file nothing is said, not even with another process at work, and it stays as it is."""
    before = patient.read_bytes()
    assert found(command) == []
    with closing(sqlite3.connect(patient)) as other:
        other.execute("SELECT count(*) FROM sessions").fetchall()
        assert found(command) == []
    assert patient.read_bytes() == before
    assert command("doctor", "--repair").err == "nothing had to be repaired\n"


def test_what_others_keep_beside_it(patient: Path, command: Command) -> None:
    """What goes on later, as an export or another program's download, is not told to be removed, however old."""
    for name in ("agent.db.jsonl.partial", "agent.db.partial", "agent.db.0123abcd.jsonl.partial"):
        kept = patient.with_name(name)
        kept.write_bytes(b"")
        os.utime(kept, (1_000_000_000, 1_000_000_000))
    assert found(command) == []


def test_nothing_wrong_with_a_server(
    sqld: Sqld, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a healthy server nothing is said, and its name stands in a cure without a token."""
    url = sqld.new_url()
    monkeypatch.setenv("MEMREPO_URL", f"{url}&authToken=S3CRET")
    first, *rest = found(command)
    assert rest == []
    assert first["detail"] == "has 0 of 9 migrations"
    assert url in first["cure"]
    assert "S3CRET" not in str(first)
    on_store(url, _fill)
    assert command("doctor").out == ""
    assert command("doctor").err == "nothing is wrong\n"


def test_replica(cluster: Cluster) -> None:
    """Of a healthy replica nothing is said; one whose primary is gone takes no writes."""
    url = cluster.replicas[0].url(cluster.primary.new_namespace())
    on_store(url, _fill)

    assert asyncio.run(memrepo.diagnose(url)) == []
    cluster.primary.kill()
    (only,) = asyncio.run(memrepo.diagnose(url, lock_timeout_s=1, request_timeout_s=10))
    assert (only.check, only.severity) == ("server", "problem")
    assert only.detail.startswith("it takes no writes: ")


def test_clock_of_a_server(sqld: Sqld) -> None:
    """A server whose clock differs from this machine's by more than a few seconds is found."""
    url = sqld.new_url()
    on_store(url, _fill)
    for skew in (-3_600, 3_600):
        clock = partial(_ahead, timedelta(seconds=skew))
        findings = on_store(url, lambda store: store.examine(), clock=clock)
        said = [its.detail for its in findings if "server's clock" in its.detail]
        assert len(said) == 1
        assert said[0].startswith("the server's clock and this machine's differ by ")
        # The server is asked a moment later, which may be long on a busy machine.
        assert re.search(r" (0:5|1:0)\d:\d\d$", said[0])


def test_busy_machine_is_no_wrong_clock(sqld: Sqld, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has to be read before a server is asked may take long, and its clock is right all the same."""

    def load_slowly() -> object:
        time.sleep(3)
        return load_migrations()

    url = sqld.new_url()
    on_store(url, _fill)
    monkeypatch.setattr(surroundings, "_MOST_SKEW_S", 1.5)
    monkeypatch.setattr("memrepo.store.load_migrations", load_slowly)
    found_of = on_store(url, lambda store: store.examine(), clock=partial(_ahead, timedelta()))
    assert [its.detail for its in found_of if its.check == "clock"] == []


def _ahead(skew: timedelta) -> datetime:
    return datetime.now(UTC) + skew


def test_server_that_does_not_answer(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is not there is found, with the command that asks it."""
    monkeypatch.setenv("MEMREPO_URL", "http://127.0.0.1:9?authToken=S3CRET")
    (only,) = found(command)
    assert (only["check"], only["cure"]) == ("server", "curl http://127.0.0.1:9")


def test_clock_behind_the_newest_row(patient: Path, command: Command) -> None:
    """Rows later than the clock are counted; once the clock is right, nothing is said."""
    later = datetime.now(UTC) + timedelta(days=2)
    on_store(patient, lambda store: store.daily_logs.append(None, "e"), clock=lambda: later)
    (only,) = found(command)
    assert (only["check"], only["cure"]) == ("clock", "timedatectl set-ntp true")
    assert "1 rows are later than this machine's clock, the latest by " in only["detail"]
    findings = on_store(patient, lambda store: store.examine(), clock=lambda: later)
    assert {its.check for its in findings} <= _OF_THE_MACHINE


def test_other_journal_mode(
    patient: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file in another journal mode is found where opening it does not change that."""
    _sql(patient, "PRAGMA journal_mode=DELETE")
    monkeypatch.setenv("MEMREPO_URL", f"file:{patient}?mode=ro")
    (only,) = found(command)
    assert (only["check"], only["cure"]) == ("pragmas", f"memrepo init --db {patient}")
    cure(command, only["cure"])
    assert found(command) == []


def test_newer_schema(patient: Path, command: Command) -> None:
    """A database of a newer memrepo is cured by a newer memrepo."""
    _sql(patient, "INSERT INTO memrepo_migrations VALUES (10,'0010_new','x','')")
    (only,) = found(command)
    assert (only["check"], only["cure"]) == ("schema", "pip install --upgrade memrepo")


def test_no_folder(patient: Path, command: Command) -> None:
    """A folder that is missing is named; with it, the file is what is missing."""
    folder = patient.parent / "no folder"
    (only,) = command("doctor", "--json", "--db", folder / "a.db").json["findings"]
    assert only["cure"] == f"mkdir -p '{folder}'"
    cure(command, only["cure"])
    (only,) = command("doctor", "--json", "--db", folder / "a.db").json["findings"]
    cure(command, only["cure"])
    assert command("doctor", "--db", folder / "a.db").status == 0
    assert not patient.with_name("a.db").exists()


def test_volatile_file_system(command: Command) -> None:
    """A file in memory is noted, which is no problem."""
    with memory_folder() as folder:
        on_store(folder / "a.db", _fill)
        ran = command("doctor", "--json", "--db", folder / "a.db")
    assert ran.status == 0
    noted = [its["detail"] for its in ran.json["findings"] if its["check"] == "file system"]
    assert noted == ["the file is on tmpfs, which a power loss empties"]


def test_file_system_of_several_machines(
    patient: Path, command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A file on a file system that several machines may share is found, as Linux says that it is mounted."""
    mounts = tmp_path / "mountinfo"
    mounts.write_text("36 35 98:0 / / rw,noatime - nfs4 server:/home rw\n")
    monkeypatch.setattr(health, "_MOUNTS", mounts)
    ran = command("doctor", "--json")
    (only,) = [its for its in ran.json["findings"] if its["check"] == "file system"]
    assert (ran.status, only["cure"]) == (1, f"memrepo copy {patient} LOCAL_FILE")
    assert only["detail"].startswith("the file is on nfs4, which several machines may share")


@pytest.mark.parametrize(
    ("free", "severity"), [(1_000, "problem"), (150_000_000, "note"), (250_000_000, None)]
)
def test_disk_space(
    patient: Path,
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    free: int,
    severity: str | None,
) -> None:
    """A disk that is nearly full is a problem; one without room for another copy is to be known."""
    os.truncate(patient, 200_000_000)  # what follows the last page does not count
    usage = shutil.disk_usage(patient)._replace(free=free)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)
    findings = command("doctor", "--json").json["findings"]
    said = [its["severity"] for its in findings if its["check"] == "disk space"]
    assert said == ([severity] if severity else [])


@contextmanager
def memory_folder() -> Iterator[Path]:
    """A folder that is in memory."""
    folder = Path(f"/dev/shm/memrepo-{os.getpid()}")
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def test_repairs_are_shown(patient: Path, command: Command) -> None:
    """What was repaired is said, and another tokenizer builds the search index anew."""
    _edited_fact(patient)
    ran = command("doctor", "--repair", "--nl")
    assert ("content hash", 2) in {(its["kind"], its["id"]) for its in ran.nl}
    assert command("doctor", "--search", "unicode").status == 2
    (only,) = command("doctor", "--repair", "--search", "unicode", "--json").json["repairs"]
    assert only["kind"] == "search index"
    assert command("status", "--json").json["search_index"]["tokenizer"] == "unicode"


_WITHOUT_RIGHTS = """
import asyncio, json, os, subprocess, sys
import memrepo
from memrepo.admin import surroundings
path, file_mode, folder_mode = sys.argv[1], int(sys.argv[2], 8), int(sys.argv[3], 8)
folder = os.path.dirname(path)
if os.geteuid() == 0:
    os.chown(path, 65534, 65534), os.chown(folder, 65534, 65534)
    # What is imported later could not be read any more.
    asyncio.run(memrepo.diagnose(path))
os.chmod(path, file_mode), os.chmod(folder, folder_mode)
if os.geteuid() == 0:
    os.setgroups([]), os.setgid(65534), os.setuid(65534)
for _ in range(3):
    found = [its for its in asyncio.run(memrepo.diagnose(path)) if its.severity == "problem"]
    if not found:
        break
    print(found[0].check, found[0].cure)
    subprocess.run(["sh", "-c", found[0].cure], check=True)
assert not found, found
"""


@pytest.mark.skipif(os.name != "posix", reason="rights as on Linux and macOS")
@pytest.mark.parametrize(
    ("file_mode", "folder_mode"),
    [("400", "700"), ("000", "700"), ("600", "500"), ("600", "000"), ("400", "500")],
)
def test_missing_rights(file_mode: str, folder_mode: str) -> None:
    """The cure of missing rights is about what lacks them, the file, its log or the folder, and cures that."""
    with TemporaryDirectory() as above:
        os.chmod(above, 0o755)
        file = Path(above, "its folder", "agent.db")
        file.parent.mkdir()
        on_store(file, _fill)
        done = subprocess.run(
            [sys.executable, "-c", _WITHOUT_RIGHTS, str(file), file_mode, folder_mode],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        said = [line.split()[:3] for line in done.stdout.splitlines()]
        first = "u+rwx" if folder_mode != "700" else "u+rw"
        assert said[0] == ["permissions", "chmod", first]
