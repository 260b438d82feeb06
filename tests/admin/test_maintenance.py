"""Looking after a database: info, backup, verify."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

import memrepo
from memrepo.connection.sqlite.health import has_wal_reset_bug
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio


async def test_info_is_what_the_database_says(tmp_path: Path) -> None:
    """Engine, pragmas and sizes are read back, not repeated from the arguments."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, durability="normal") as store:
        await store.memories.remember("a fact")
        info = await store.info()
        assert (info.engine, info.engine_version) == ("sqlite", sqlite3.sqlite_version)
        assert (info.path, info.durability) == (path, "normal")
        assert (info.journal_mode, info.synchronous) == ("wal", 1)
        assert info.size_bytes == path.stat().st_size
        assert info.wal_size_bytes == Path(f"{path}-wal").stat().st_size > 0


async def test_info_of_memory_has_no_file() -> None:
    """A database in memory has no path, no size and no durability."""
    async with memrepo.connect(":memory:") as store:
        info = await store.info()
        assert (info.path, info.durability, info.journal_mode) == (None, "none", "memory")
        assert info.size_bytes == info.wal_size_bytes == 0


@pytest.mark.parametrize(
    ("version", "has_bug"),
    [
        ((3, 6, 23), False),
        ((3, 7, 0), True),
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 0), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 52, 0), False),
    ],
)
async def test_wal_reset_bug_is_told_by_version(version: tuple[int, ...], has_bug: bool) -> None:
    """The bug is there until 3.51.3, and not in the two lines that it was fixed in before."""
    assert has_wal_reset_bug(version) is has_bug


async def test_backup_is_a_whole_database(store: memrepo.Store, tmp_path: Path) -> None:
    """The copy opens as a store of its own and has every row of every scope, with its id."""
    mine = await store.memories.remember("mine", metadata={"n": 1})
    theirs = await store.scoped("user:1").memories.remember("theirs")
    session = await store.sessions.start()
    event = await store.daily_logs.append(session.id, "event", {"n": 1}, key="k")
    await store.backup(tmp_path / "copy.db")
    async with memrepo.connect(tmp_path / "copy.db") as copy:
        assert await copy.memories.get(mine.id) == mine.entry
        assert await copy.scoped("user:1").memories.get(theirs.id) == theirs.entry
        assert await copy.daily_logs.get(event.id) == event
        assert await copy.verify() == []


async def test_backup_while_others_write_is_consistent(tmp_path: Path) -> None:
    """Units that are committed while it runs are in the copy whole or not at all, in their order."""
    async with memrepo.connect(tmp_path / "agent.db") as store:
        is_done = asyncio.Event()

        async def write(name: str) -> None:
            n = 0
            while not is_done.is_set():
                events = [memrepo.DailyLogNew(event_type=name, event_data=n)] * 3
                await store.daily_logs.append_many(events)
                n += 1

        async with asyncio.TaskGroup() as tasks:
            for name in "abcd":
                tasks.create_task(write(name))
            for n in range(5):
                await store.backup(tmp_path / f"copy{n}.db")
            is_done.set()
    for n in range(5):
        async with memrepo.connect(tmp_path / f"copy{n}.db") as copy:
            assert await copy.verify() == []
            for name in "abcd":
                where = memrepo.DailyLogFilter(event_type=name)
                found = [event.event_data async for event in copy.daily_logs.iterate(where)]
                assert found == [n // 3 for n in range(len(found))]
                assert len(found) % 3 == 0


async def test_backup_leaves_an_existing_file_alone(store: memrepo.Store, tmp_path: Path) -> None:
    """A file that is there is never written over, and no part of a copy is left beside it."""
    target = tmp_path / "copy.db"
    target.write_text("precious")
    with pytest.raises(memrepo.InvalidInputError, match="path: exists already"):
        await store.backup(target)
    assert target.read_text() == "precious"
    assert not target.with_name("copy.db.partial").exists()


async def test_cancelled_backup_leaves_nothing(tmp_path: Path) -> None:
    """A backup that is cancelled is stopped, removes its part, and the store goes on."""
    async with memrepo.connect(tmp_path / "agent.db") as store:
        await store.memories.remember_many(
            [memrepo.MemoryNew(content=f"fact {n} " + "x" * 2_000) for n in range(5_000)]
        )
        task = asyncio.create_task(store.backup(tmp_path / "copy.db"))
        while not (tmp_path / "copy.db.partial").exists():
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert [path.name for path in tmp_path.glob("copy*")] == []
        assert await store.memories.count() == 5_000


async def test_verify_finds_what_another_program_broke(tmp_path: Path, clock: Clock) -> None:
    """A changed text, a reference to nothing and a damaged index are each named, without the text."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, clock=clock) as store:
        changed = await store.memories.remember("secret")
        await store.memories.remember("sound")
    raw = sqlite3.connect(path)
    raw.execute("UPDATE memory_entries SET content = 'secrets' WHERE id = ?", (changed.id,))
    raw.execute(
        "INSERT INTO daily_logs (session_id, event_type, timestamp) VALUES (9, 'x', '2026')"
    )
    # Two indexes of one table change places: neither holds its rows any more.
    first, second = "ix_daily_logs__scope_timestamp", "ix_daily_logs__session_id_timestamp"
    roots = dict(raw.execute("SELECT name, rootpage FROM sqlite_master"))
    raw.execute("PRAGMA writable_schema = ON")
    for name, other in ((first, second), (second, first)):
        raw.execute("UPDATE sqlite_master SET rootpage = ? WHERE name = ?", (roots[other], name))
    raw.commit()
    raw.close()
    async with memrepo.connect(path, clock=clock) as store:
        problems = await store.verify()
    kinds = {problem.kind for problem in problems}
    assert kinds == {"integrity", "foreign key", "content hash"}
    (wrong_hash,) = (problem for problem in problems if problem.kind == "content hash")
    assert (wrong_hash.table, wrong_hash.id) == ("memory_entries", changed.id)
    assert "secret" not in repr(problems)
