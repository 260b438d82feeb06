"""`Store.repair`: what another program or a damaged disk did is put right, and said; then verify is clean."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

import memrepo
from memrepo import MemoryFilter, MemoryNew
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio

EVERYTHING = MemoryFilter(include_forgotten=True, include_superseded=True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "agent.db"


@contextmanager
def without_indexes(path: Path, *names: str) -> Iterator[sqlite3.Connection]:
    """Let another program write that does not know of some indexes, so that they do not fit any more."""
    marks = ", ".join("?" * len(names))
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute("PRAGMA writable_schema = ON")
        hidden = raw.execute(f"SELECT * FROM sqlite_master WHERE name IN ({marks})", names)
        rows = hidden.fetchall()
        assert len(rows) == len(names)
        raw.execute(f"DELETE FROM sqlite_master WHERE name IN ({marks})", names)
        raw.execute("PRAGMA writable_schema = RESET")
        yield raw
        raw.execute("PRAGMA writable_schema = ON")
        raw.executemany("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", rows)


def shown(repairs: Sequence[memrepo.Repair]) -> list[tuple[str, str, int | None]]:
    return [(its.kind, its.table, its.id) for its in repairs]


def run(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute(sql)


async def test_nothing_to_do(path: Path, clock: Clock) -> None:
    """A sound database stays as it is, byte for byte."""
    async with memrepo.connect(path, clock=clock) as store:
        await store.memories.remember_many(MemoryNew(content=f"Tea {n}") for n in range(9))
    before = path.read_bytes()
    async with memrepo.connect(path, clock=clock) as store:
        assert await store.repair() == []
        assert await store.verify() == []
    assert path.read_bytes() == before


async def test_facts_that_were_edited(path: Path, clock: Clock) -> None:
    """A fact is found by the text that it has now; one that is now the same as another is superseded by it."""
    async with memrepo.connect(path, clock=clock) as store:
        await store.memories.remember_many(
            MemoryNew(content=text)
            for text in ("Drinks tea", "Has a dog", "Plays chess", "Likes jam")
        )
        await store.memories.forget(4)
    run(path, "UPDATE memory_entries SET content = 'Drinks coffee' WHERE id = 1")
    run(path, "UPDATE memory_entries SET content = 'plays CHESS.' WHERE id = 2")
    run(path, "UPDATE memory_entries SET content = 'Plays chess!' WHERE id = 4")
    async with memrepo.connect(path, clock=clock) as store:
        assert len(await store.verify()) == 3
        repairs = await store.repair()
        assert [(its.kind, its.id, its.detail) for its in repairs] == [
            ("content hash", 1, "its text was hashed anew"),
            ("content hash", 2, "states what fact 3 states, and is superseded by it"),
            ("content hash", 4, "states what fact 3 states, and is superseded by it"),
        ]
        assert await store.verify() == []
        assert await store.repair() == []
        coffee = await store.memories.remember("drinks coffee")
        assert (coffee.outcome, coffee.id) == ("duplicate", 1)
        assert (await store.memories.remember("Drinks tea")).outcome == "created"
        assert [fact.id for fact in await store.memories.history(3)] == [2]
        assert [fact.id for fact in await store.memories.forgotten()] == [4]
        assert "coffee" not in repr(repairs)


async def test_two_texts_that_changed_places(path: Path, clock: Clock) -> None:
    """Each gets the hash that the other had."""
    async with memrepo.connect(path, clock=clock) as store:
        await store.memories.remember_many([MemoryNew(content="a"), MemoryNew(content="b")])
    run(path, "UPDATE memory_entries SET content = CASE id WHEN 1 THEN 'b' ELSE 'a' END")
    async with memrepo.connect(path, clock=clock) as store:
        assert shown(await store.repair()) == [
            ("content hash", "memory_entries", 1),
            ("content hash", "memory_entries", 2),
        ]
        assert await store.verify() == []
        assert (await store.memories.remember("a")).id == 2


async def test_indexes_that_drifted(path: Path, clock: Clock) -> None:
    """Indexes that lack rows, or have rows that are gone, are built anew: pages have every row again."""
    async with memrepo.connect(path, clock=clock) as store:
        await store.memories.remember_many(MemoryNew(content=f"Tea {n}") for n in range(20))
        await store.daily_logs.append_many(memrepo.DailyLogNew(event_type="x") for _ in range(5))
    names = ("ix_memory_entries__scope_created_at", "ix_daily_logs__scope_timestamp")
    with without_indexes(path, *names) as raw:
        raw.execute("DELETE FROM memory_entries WHERE id > 15")
        raw.execute(
            "INSERT INTO daily_logs (event_type, timestamp) VALUES ('y', '2026-02-02T14:16:24.123Z')"
        )
    async with memrepo.connect(path, clock=clock) as store:
        assert {problem.kind for problem in await store.verify()} == {"integrity"}
        assert len(await store.daily_logs.find_many()) == 5
        assert shown(await store.repair()) == [
            ("integrity", "memory_entries", None),
            ("integrity", "daily_logs", None),
        ]
        assert await store.verify() == []
        assert len(await store.daily_logs.find_many()) == 6
        assert len(await store.memories.find_many()) == 15


async def test_duplicates_behind_a_broken_unique_index(path: Path, clock: Clock) -> None:
    """Rows that were stored twice all stay; one keeps the hash, the activity or the key."""
    async with memrepo.connect(path, clock=clock) as store:
        await store.memories.remember("Drinks tea")
        await store.memories.remember("Has a dog")
        await store.sessions.start()
        phone = await store.sessions.start("phone")
        await store.daily_logs.append(None, "x", key="k")
    unique = (
        *("memory_entries_content_hash_unique", "ux_sessions__active"),
        "ux_daily_logs__idempotency_key",
    )
    with without_indexes(path, *unique) as raw:
        facts = "content, content_hash, category, source, created_at, hash_version"
        raw.execute(
            f"INSERT INTO memory_entries ({facts}) SELECT {facts} FROM memory_entries WHERE id = 1"
        )
        raw.execute("UPDATE memory_entries SET deleted_at = created_at WHERE id = 1")
        raw.execute(
            "INSERT INTO sessions (started_at, is_exclusive) VALUES ('2026-02-02T15:00:00.000Z', 1)"
        )
        raw.execute(
            "INSERT INTO daily_logs (event_type, timestamp, idempotency_key)"
            " VALUES ('y', '2026-02-02T15:00:00.000Z', 'k')"
        )
    async with memrepo.connect(path, clock=clock) as store:
        repairs = await store.repair()
        assert shown(repairs) == [
            ("integrity", "memory_entries", None),
            ("integrity", "sessions", None),
            ("integrity", "sessions", 1),
            ("integrity", "daily_logs", None),
            ("integrity", "daily_logs", 2),
            ("content hash", "memory_entries", 1),
        ]
        assert await store.verify() == []
        assert await store.repair() == []
        facts_now = await store.memories.find_many(EVERYTHING)
        assert len(facts_now) == 3
        again = await store.memories.remember("drinks tea")
        assert (again.outcome, again.id) == ("duplicate", 3)
        active = await store.sessions.active()
        assert active is not None
        assert active.id == 3
        assert await store.sessions.active("phone") == phone
        assert [event.key for event in await store.daily_logs.find_many()] == ["k", None]
        assert (await store.daily_logs.append(None, "z", key="k")).id == 1


async def test_a_file_that_adoption_cannot_open(path: Path, clock: Clock) -> None:
    """Where a broken index keeps adoption from its work, the file is opened without it, and repaired."""
    async with memrepo.connect(path, clock=clock) as store:
        await store.memories.remember("Drinks tea")
    with without_indexes(path, "memory_entries_content_hash_unique") as raw:
        raw.execute("UPDATE memory_entries SET content_hash = 'x', hash_version = 0")
    with pytest.raises(memrepo.CorruptDatabaseError):
        await memrepo.connect(path, clock=clock)
    async with memrepo.connect(path, clock=clock, migrate=False) as store:
        assert shown(await store.repair()) == [("integrity", "memory_entries", None)]
        await store.migrate()
        assert await store.verify() == []
        assert (await store.memories.remember("drinks tea")).id == 1


async def test_what_is_left(path: Path, clock: Clock) -> None:
    """A reference to nothing and a value that cannot be read stay, and stay named."""
    async with memrepo.connect(path, clock=clock) as store:
        await store.daily_logs.append(None, "x")
    run(path, "UPDATE daily_logs SET session_id = 9, timestamp = 'yesterday'")
    async with memrepo.connect(path, clock=clock) as store:
        assert await store.repair() == []
        assert {problem.kind for problem in await store.verify()} == {"foreign key", "value"}


async def test_facts_of_a_session_that_is_gone(path: Path, clock: Clock) -> None:
    """What the foreign key would have done when another program deleted the session, repair does."""
    async with memrepo.connect(path, clock=clock) as store:
        session = await store.sessions.start()
        facts = [memrepo.MemoryNew(content=text, session_id=session.id) for text in ("jam", "rye")]
        first, second = [its.id for its in await store.memories.remember_many(facts)]
        await store.memories.remember("cello")
        run(path, "UPDATE memory_entries SET session_id = 9 WHERE content IN ('jam', 'cello')")
        assert shown(await store.repair()) == [
            ("foreign key", "memory_entries", first),
            ("foreign key", "memory_entries", second + 1),
        ]
        assert await store.verify() == []
        assert [
            its.id
            async for its in store.memories.iterate(memrepo.MemoryFilter(session_id=session.id))
        ] == [second]
        assert await store.repair() == []


async def test_indexes_of_other_tables(path: Path, clock: Clock) -> None:
    """An index of another program's table in the file is built anew, too, whatever the table's name; no row changes."""
    async with memrepo.connect(path, clock=clock) as store:
        await store.memories.remember("Drinks tea")
    run(path, "CREATE TABLE `their ``table` (name TEXT UNIQUE, mail TEXT)")
    run(path, "CREATE INDEX their_index ON `their ``table` (mail)")
    run(path, "CREATE TABLE notes (text TEXT UNIQUE)")
    with without_indexes(path, "their_index") as raw:
        raw.execute("INSERT INTO `their ``table` VALUES ('Ada', 'ada@example.org')")
    async with memrepo.connect(path, clock=clock) as store:
        assert {problem.kind for problem in await store.verify()} == {"integrity"}
        (done,) = await store.repair()
        assert shown([done]) == [("integrity", "their `table", None)]
        assert done.detail == "its indexes were built anew"
        assert await store.verify() == []
        assert await store.repair() == []


async def test_rows_of_other_tables_that_must_differ(path: Path, clock: Clock) -> None:
    """Which one stays only their program knows: repair says what is in the way, after it has repaired our tables."""
    async with memrepo.connect(path, clock=clock) as store:
        await store.memories.remember("Drinks tea")
    run(path, "CREATE TABLE people (name TEXT)")
    run(path, "CREATE UNIQUE INDEX their_index ON people (name)")
    run(path, "UPDATE memory_entries SET content = 'Drinks coffee'")
    with without_indexes(path, "their_index") as raw:
        raw.execute("INSERT INTO people VALUES ('S3CRET'), ('S3CRET')")
    async with memrepo.connect(path, clock=clock) as store:
        with pytest.raises(
            memrepo.ConstraintError, match=r"unique constraint on people\.name"
        ) as caught:
            await store.repair()
        assert "S3CRET" not in str(caught.value)
        assert {problem.kind for problem in await store.verify()} == {"integrity"}


async def test_a_read_only_store(path: Path, clock: Clock) -> None:
    """It can look, but not repair."""
    async with memrepo.connect(path, clock=clock) as store:
        await store.memories.remember("Drinks tea")
    async with memrepo.connect(f"file:{path}?mode=ro", clock=clock) as store:
        assert await store.repair() == []
    run(path, "UPDATE memory_entries SET content = 'Drinks coffee'")
    async with memrepo.connect(f"file:{path}?mode=ro", clock=clock) as store:
        with pytest.raises(memrepo.ReadOnlyError):
            await store.repair()
