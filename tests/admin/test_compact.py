"""`Store.compact`: deleted means gone, and the space comes back."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

import memrepo
from tests.conftest import Clock
from tests.sqlite.files import add_vector_index
from tests.sqlite.test_processes import foreign_lock
from tests.sqlite.test_wal import foreign_reader

pytestmark = pytest.mark.asyncio

_SECRET = "Xylophone"


def files_with_secret(folder: Path) -> set[str]:
    """The names of the files that have the secret's bytes; another process looks, as ours has them open."""
    command = ["grep", "-rlaF", _SECRET, str(folder)]
    found = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    return {Path(line).name for line in found.splitlines()}


async def remember_secrets(store: memrepo.Store) -> None:
    """Fill three hundred rows of each table with the secret, long ones and short ones, and some without."""
    secret = _SECRET
    for size in (1, 40, 700):
        facts = [
            memrepo.MemoryNew(content=f"{n} " + secret * size, metadata={"n": secret})
            for n in range(100)
        ]
        await store.memories.remember_many(facts)
        events = [memrepo.DailyLogNew(event_type=secret, event_data=secret * size)] * 100
        await store.daily_logs.append_many(events)
    await store.scoped("user:1").memories.remember("kept")


async def purge_all(store: memrepo.Store, clock: Clock) -> None:
    """Delete every fact but one, and every event."""
    await store.memories.forget_all(confirm=True)
    later = clock.advance(days=1)
    await store.memories.purge(before=later)
    await store.daily_logs.purge(before=later + timedelta(days=1))
    assert await store.memories.count() == 0


@pytest.mark.parametrize("has_index", [False, True], ids=["usual", "vector index"])
async def test_deleted_bytes_are_gone(tmp_path: Path, clock: Clock, *, has_index: bool) -> None:
    """
    After purge and compact no file has a byte of what was deleted, nor has a backup made later.

    The controls: before it, the log has; and in a file from which a connection without `secure_delete`
    deleted the same rows, they stay, although its log is empty.
    """
    folder, control = tmp_path / "folder", tmp_path / "control"
    folder.mkdir()
    control.mkdir()
    path = folder / "agent.db"
    async with memrepo.connect(path, clock=clock) as store:
        await remember_secrets(store)
        await store.backup(control / "agent.db")
    assert files_with_secret(control) == {"agent.db"}
    with closing(sqlite3.connect(control / "agent.db", isolation_level=None)) as raw:
        raw.execute("PRAGMA secure_delete=OFF")
        raw.execute("DELETE FROM memory_entries WHERE content <> 'kept'")
        raw.execute("DELETE FROM daily_logs")
    assert files_with_secret(control) == {"agent.db"}
    if has_index:
        add_vector_index(path)

    async with memrepo.connect(path, clock=clock) as store:
        await purge_all(store, clock)
        assert files_with_secret(folder) != set()
        if has_index:
            with pytest.raises(memrepo.DatabaseError, match=r"keeps its size.*log was emptied"):
                await store.compact()
        else:
            await store.compact()
        assert files_with_secret(folder) == set()
        assert (await store.info()).wal_size_bytes == 0
        await store.backup(folder / "copy.db")
        assert files_with_secret(folder) == set()
        assert await store.scoped("user:1").memories.count() == 1
    assert files_with_secret(folder) == set()


async def test_deleted_rows_are_overwritten_when_the_store_is_closed(
    tmp_path: Path, clock: Clock
) -> None:
    """Even without `compact`: once the last store is closed, the file alone is left, without the rows."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, clock=clock) as store:
        await remember_secrets(store)
        await purge_all(store, clock)
        assert "agent.db-wal" in files_with_secret(tmp_path)
    assert files_with_secret(tmp_path) == set()


async def test_secure_delete_is_on_in_every_build(tmp_path: Path) -> None:
    """It is set where a build of SQLite has it off, and read back."""
    async with memrepo.connect(tmp_path / "agent.db") as store:
        writer = store.connection._writer.thread  # type: ignore[attr-defined]
        assert await writer.pragma("secure_delete") == 1


async def test_space_comes_back(tmp_path: Path, clock: Clock) -> None:
    """The file shrinks to what its rows need, and the rows are what they were."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, clock=clock) as store:
        await remember_secrets(store)
        await store.compact()
        before = path.stat().st_size
        kept = await store.scoped("user:1").memories.find_by_content("kept")
        await purge_all(store, clock)
        await store.compact()
        assert path.stat().st_size < before / 10
        assert await store.scoped("user:1").memories.find_by_content("kept") == kept
        assert await store.verify() == []


async def test_compact_in_memory(clock: Clock) -> None:
    """A database in memory has no log, and can be compacted all the same."""
    async with memrepo.connect(":memory:", clock=clock) as store:
        await remember_secrets(store)
        await purge_all(store, clock)
        await store.compact()
        assert await store.scoped("user:1").memories.count() == 1


async def test_other_reader_keeps_the_log(tmp_path: Path) -> None:
    """While another program reads, the log cannot be emptied: a BusyError, which can be repeated."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, lock_timeout_s=0.5) as store:
        await store.memories.remember("before")
        with foreign_reader(path):
            await store.memories.remember("meanwhile")
            with pytest.raises(
                memrepo.BusyError, match="another program is reading the file"
            ) as caught:
                await store.compact()
            assert caught.value.retryable
            assert (await store.memories.remember("goes on")).outcome == "created"
        await store.compact()
        assert (await store.info()).wal_size_bytes == 0
        assert await store.memories.count() == 3


async def test_compact_beside_an_idle_store(tmp_path: Path) -> None:
    """A store that only has the file open does not keep it, and reads on afterwards."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path) as store, memrepo.connect(path) as idle:
        await store.memories.remember("kept")
        assert await idle.memories.count() == 1
        await store.compact()
        assert (await store.info()).wal_size_bytes == 0
        assert await idle.memories.count() == 1


async def test_other_writer_is_waited_for(tmp_path: Path) -> None:
    """Another program's write lock is waited for until the deadline, as by every write."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, lock_timeout_s=0.5) as store:
        with foreign_lock(path), pytest.raises(memrepo.BusyError):
            await store.compact()
        await store.compact()


async def test_others_wait_and_go_on(tmp_path: Path) -> None:
    """Writes and reads that come meanwhile are answered, and none is lost."""
    async with memrepo.connect(tmp_path / "agent.db") as store:
        await remember_secrets(store)
        is_done = asyncio.Event()

        async def work(name: str) -> int:
            n = 0
            while not is_done.is_set():
                await store.memories.remember(f"{name} {n}")
                await store.memories.find_many()
                n += 1
            return n

        tasks = [asyncio.create_task(work(name)) for name in "abc"]
        for _ in range(5):
            await store.compact()
        is_done.set()
        n_made = sum(await asyncio.gather(*tasks))
        assert await store.memories.count() == 300 + n_made
        assert await store.verify() == []


@pytest.mark.slow
async def test_cancelled_compact(tmp_path: Path) -> None:
    """It is stopped, and the file is as large as it was and sound; the store goes on at once."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path) as store:
        facts = [memrepo.MemoryNew(content=f"{n} " + "x" * 2_000) for n in range(10_000)]
        await store.memories.remember_many(facts)
        n_cancelled = 0
        for pause_s in (0.0, 0.001, 0.02):
            task = asyncio.create_task(store.compact())
            await asyncio.sleep(pause_s)
            # On a busy machine it may be done by now.
            task.cancel()
            await asyncio.wait([task])
            n_cancelled += task.cancelled()
            await store.memories.remember(f"after {pause_s}")
        assert n_cancelled
        assert await store.verify() == []
        await store.compact()


async def test_compact_is_refused(tmp_path: Path) -> None:
    """Inside a transaction it would wait for itself; a store that only reads cannot do it."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path) as store:
        with pytest.raises(memrepo.TransactionError):
            async with store.transaction():
                await store.compact()
    async with memrepo.connect(f"file:{path}?mode=ro") as store:
        with pytest.raises(memrepo.ReadOnlyError):
            await store.compact()
