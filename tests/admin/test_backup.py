"""`Store.backup`: a whole and consistent copy, or nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

import memrepo

pytestmark = pytest.mark.asyncio


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
    with pytest.raises(memrepo.InvalidInputError, match="path: already exists"):
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
