"""A file that somebody else has made: what its triggers and views can do to us."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Final

import pytest

import memrepo
from memrepo import Statement
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio

_ENDLESS: Final = (
    "BEGIN INSERT INTO sink WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
    " SELECT max(i) FROM n; END"
)


async def make(path: Path, clock: Clock) -> None:
    """Make a file with a fact whose hash is still to be checked."""
    async with memrepo.connect(path, clock=clock) as store:
        await store.memories.remember("Tea")
    run(path, "UPDATE memory_entries SET hash_version = 0", "CREATE TABLE sink (n)")


def run(path: Path, *statements: str) -> None:
    """Change the file as another program would."""
    with closing(sqlite3.connect(path)) as raw, raw:
        for sql in statements:
            raw.execute(sql)


def make_old(path: Path, n_migrations: int) -> None:
    """Make a file of our first migrations only, with a table for the triggers."""
    schema = Path(memrepo.__file__).parents[2] / "schema"
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute(
            "CREATE TABLE memrepo_migrations (number INTEGER PRIMARY KEY NOT NULL,"
            " name TEXT NOT NULL, checksum TEXT NOT NULL, applied_at TEXT NOT NULL)"
        )
        for number, file in enumerate(sorted(schema.glob("*.sql"))[:n_migrations], start=1):
            raw.executescript(file.read_text())
            digest = sha256(file.read_bytes()).hexdigest()
            raw.execute(
                "INSERT INTO memrepo_migrations VALUES (?, ?, ?, '')", (number, file.stem, digest)
            )
        raw.execute("CREATE TABLE sink (n)")


async def test_an_endless_trigger_in_adoption(tmp_path: Path, clock: Clock) -> None:
    """It ends after lock_timeout_s, in an error that says what to look for; the next one ends as well."""
    path = tmp_path / "agent.db"
    await make(path, clock)
    run(path, f"CREATE TRIGGER tr AFTER UPDATE ON memory_entries {_ENDLESS}")
    for _ in range(2):
        with pytest.raises(memrepo.DatabaseError, match="is a trigger endless"):
            await memrepo.connect(path, clock=clock, lock_timeout_s=0.2)
    run(path, "DROP TRIGGER tr")
    async with memrepo.connect(path, clock=clock) as store:
        assert (await store.memories.find_by_content("tea")) is not None


async def test_an_endless_trigger_in_a_migration(tmp_path: Path, clock: Clock) -> None:
    """It ends after lock_timeout_s, and the migration is not applied; the error says why, and of which file."""
    path = tmp_path / "agent.db"
    make_old(path, 1)
    run(path, f"CREATE TRIGGER tr AFTER INSERT ON memrepo_migrations {_ENDLESS}")
    with pytest.raises(memrepo.MigrationError) as caught:
        await memrepo.connect(path, clock=clock, lock_timeout_s=0.2)
    said = str(caught.value)
    assert said.startswith(f"{path}: while the store was opened, a statement took longer")
    assert said.endswith("; 0002_add_scopes_and_lifecycle was not applied")


@pytest.mark.parametrize(
    "trigger",
    [
        "AFTER UPDATE ON memory_entries BEGIN UPDATE memory_entries SET hash_version = 0; END",
        "AFTER INSERT ON memrepo_migrations BEGIN DELETE FROM memrepo_migrations; END",
    ],
    ids=["unchecked again", "not applied"],
)
async def test_a_trigger_that_undoes_our_work(tmp_path: Path, clock: Clock, trigger: str) -> None:
    """What is done again and again would never end either: a fact is checked once, a migration refused."""
    path = tmp_path / "agent.db"
    if "migrations" in trigger:
        make_old(path, 1)
        run(path, f"CREATE TRIGGER tr {trigger}")
        with pytest.raises(memrepo.MigrationError, match="0002_"):
            await memrepo.connect(path, clock=clock)
    else:
        await make(path, clock)
        run(path, f"CREATE TRIGGER tr {trigger}")
        async with memrepo.connect(path, clock=clock) as store:
            assert await store.memories.count() == 1


async def test_an_open_store_lets_statements_take_their_time(tmp_path: Path, clock: Clock) -> None:
    """The limit holds while a store is opened only: its own slow statements are the program's business."""
    count = (
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000)"
        " SELECT max(i) FROM n"
    )
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, clock=clock, lock_timeout_s=0.05) as store:
        assert await store.connection.read(Statement("a.b", count).bind()) == [(3_000_000,)]


async def test_a_view_cannot_look_around(tmp_path: Path, clock: Clock) -> None:
    """Views and triggers get at nothing that is not data of the file: trusted_schema is off everywhere."""
    path = tmp_path / "agent.db"
    await make(path, clock)
    run(path, "CREATE VIEW sight AS SELECT * FROM pragma_database_list")
    look = Statement("a.b", "SELECT * FROM sight").bind()
    for url in (str(path), f"file:{path}?mode=ro"):
        async with memrepo.connect(url, clock=clock) as store:
            with pytest.raises(memrepo.DatabaseError):
                await store.connection.read(look)
            if url == str(path):
                with pytest.raises(memrepo.DatabaseError):
                    await store.connection.write((look,))


async def test_triggers_do_not_go_deep(tmp_path: Path, clock: Clock) -> None:
    """A chain of triggers ends at 20, as an error: SQLite's own limit is 1,000."""
    path = tmp_path / "agent.db"
    await make(path, clock)
    chain = [f"CREATE TABLE t{n} (x)" for n in range(31)]
    chain += [
        f"CREATE TRIGGER tr{n} AFTER INSERT ON t{n} BEGIN INSERT INTO t{n + 1} VALUES (1); END"
        for n in range(30)
    ]
    run(path, *chain)
    async with memrepo.connect(path, clock=clock) as store:
        near = Statement("a.b", "INSERT INTO t15 VALUES (1)").bind()
        far = Statement("a.b", "INSERT INTO t0 VALUES (1)").bind()
        await store.connection.write((near,))
        with pytest.raises(memrepo.DatabaseError):
            await store.connection.write((far,))


async def test_every_connection_has_limits(tmp_path: Path, clock: Clock) -> None:
    """The writer, the reader and the one for long statements take no statement that is far above any need."""
    async with memrepo.connect(tmp_path / "agent.db", clock=clock) as store:
        long = Statement("a.b", f"SELECT 1 /* {'x' * 10_000_000} */").bind()
        for call in (
            store.connection.write((long,)),
            store.connection.read(long),
            store.connection.read_aside(long),  # type: ignore[attr-defined]
        ):
            with pytest.raises(memrepo.DatabaseError, match=r"a\.b failed"):
                await call
        seen: list[int] = []
        for queue in (store.connection._writer, store.connection._reader):  # type: ignore[attr-defined]
            for limit in (sqlite3.SQLITE_LIMIT_VDBE_OP, sqlite3.SQLITE_LIMIT_ATTACHED):
                await queue.thread.run(lambda worker, its=limit: seen.append(worker.getlimit(its)))
    assert seen == [5_000_000, 1] * 2
