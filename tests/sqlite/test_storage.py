"""The file itself: read-only, not a database, damaged, removed or replaced while it is open."""

from __future__ import annotations

import asyncio
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import memrepo
from memrepo.connection.sqlite import inode
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm"])
@pytest.mark.parametrize("is_replaced", [False, True])
async def test_nothing_is_written_to_a_lost_file(
    tmp_path: Path, suffix: str, is_replaced: bool
) -> None:
    """SQLite goes on writing to an unlinked file; memrepo does not, and says that nothing is stored."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path) as store:
        await store.memories.remember("before")
        lost = Path(f"{path}{suffix}")
        if is_replaced:
            shutil.copy(lost, tmp_path / "other")
            os.replace(tmp_path / "other", lost)
        else:
            lost.unlink()
        with pytest.raises(memrepo.ConnectionLostError) as caught:
            await store.memories.remember("after")
        assert not caught.value.outcome_unknown
        with pytest.raises(memrepo.ConnectionLostError):
            async with store.transaction() as tx:
                await tx.memories.remember("in a transaction")


async def test_write_to_a_file_that_is_lost_meanwhile_is_not_acknowledged(tmp_path: Path) -> None:
    """If the file is removed while a statement runs, no await returns as if that were stored."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path) as store:
        await _removing_while_it_writes(store, path)
        with pytest.raises(memrepo.ConnectionLostError) as caught:
            await store.connection.write(
                (
                    memrepo.Statement("note", _REMOVE_AND_INSERT).bind(
                        now="2026-02-02T14:16:24.123Z"
                    ),
                )
            )
        assert caught.value.outcome_unknown


_REMOVE_AND_INSERT = (
    "INSERT INTO daily_logs (event_type, timestamp) SELECT 'note', :now WHERE remove() IS NULL"
)


async def _removing_while_it_writes(store: memrepo.Store, path: Path) -> None:
    """Give the writer a function that removes the file."""
    writer = store.connection._writer.thread  # type: ignore[attr-defined]
    await writer.run(lambda worker: worker.create_function("remove", 0, path.unlink))


@pytest.mark.parametrize("is_told", [True, False])
async def test_log_whose_index_was_removed_is_not_written_over(
    tmp_path: Path, *, is_told: bool
) -> None:
    """
    Without the ``-shm`` file that others share, a store would write over what they have committed.

    At the latest when it is closed, even if it was not told before.
    """
    path = tmp_path / "agent.db"
    program = (
        "import asyncio, memrepo, sys\n"
        "async def main():\n"
        "    async with memrepo.connect(sys.argv[1]) as store:\n"
        "        for n in range(20):\n"
        "            await store.memories.remember(f'theirs {n}')\n"
        "asyncio.run(main())\n"
    )
    async with memrepo.connect(path) as store:
        for n in range(20):
            await store.memories.remember(f"ours {n}")
        Path(f"{path}-shm").unlink()
        await asyncio.to_thread(
            subprocess.run, [sys.executable, "-c", program, str(path)], check=True
        )
        if is_told:
            with pytest.raises(memrepo.ConnectionLostError):
                await store.memories.remember("into nothing")
    async with memrepo.connect(path) as store:
        assert await store.memories.count() == 40
        assert await store.verify() == []


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm"])
async def test_lost_file_in_a_folder_whose_time_was_put_back(tmp_path: Path, suffix: str) -> None:
    """Programs that copy times, as rsync and tar, do not hide a loss: the folder's change has a time, too."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path) as store:
        long_ago = (0, time.time_ns() - 3_600_000_000_001)
        os.utime(tmp_path, ns=long_ago)
        for n in range(3):
            await store.memories.remember(f"before {n}")
        Path(f"{path}{suffix}").unlink()
        os.utime(tmp_path, ns=long_ago)
        with pytest.raises(memrepo.ConnectionLostError):
            await store.memories.remember("after")


def _keep_time(monkeypatch: pytest.MonkeyPatch, folder: Path, changed_ns: int) -> None:
    """Have *folder* seem to be on a file system whose clock does not go on."""
    stat = os.stat

    def tell(path: str | Path, **options: Any) -> os.stat_result:
        told = stat(path, **options)
        return os.stat_result(told, {"st_ctime_ns": changed_ns}) if path == str(folder) else told

    monkeypatch.setattr(os, "stat", tell)


@pytest.mark.parametrize("is_whole", [False, True], ids=["tick", "second"])
async def test_lost_file_in_a_folder_that_changed_in_the_same_tick(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_whole: bool
) -> None:
    """A loss that leaves the folder the time of the change before, as a coarse clock does, is noticed."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path) as store:
        now = time.time_ns()
        # Ten seconds ahead, so that it is not past before the calls are made.
        changed_ns = now // 10**9 * 10**9 if is_whole else now + 10**10 + 1
        _keep_time(monkeypatch, tmp_path, changed_ns)
        await store.memories.remember("before")
        Path(f"{path}-wal").unlink()
        with pytest.raises(memrepo.ConnectionLostError):
            await store.memories.remember("after")


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm"])
async def test_lost_file_behind_a_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    """A file that was opened by a symbolic link is looked at where it is, and not the link's folder."""
    folder, link = tmp_path / "folder", tmp_path / "link.db"
    folder.mkdir()
    link.symlink_to(folder / "agent.db")
    monkeypatch.setattr(inode, "_TICK_NS", 0)
    async with memrepo.connect(link) as store:
        for n in range(3):
            await store.memories.remember(f"before {n}")
        Path(f"{folder / 'agent.db'}{suffix}").unlink()
        with pytest.raises(memrepo.ConnectionLostError):
            await store.memories.remember("after")


async def test_lost_file_in_a_folder_that_keeps_no_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the folder's time never changes, at most the writes of a second go to an unlinked file."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path) as store:
        await store.memories.remember("first")
        _keep_time(monkeypatch, tmp_path, 1_000_000_001)
        for n in range(3):
            await store.memories.remember(f"before {n}")
        Path(f"{path}-wal").unlink()
        with pytest.raises(memrepo.ConnectionLostError):
            await _remember_until(store, time.monotonic() + 1.0)


async def test_lost_file_is_noticed_soon_where_durability_is_normal(tmp_path: Path) -> None:
    """With ``normal``, at most the writes of a hundredth of a second go to an unlinked file."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, durability="normal") as store:
        await store.memories.remember("before")
        path.unlink()
        with pytest.raises(memrepo.ConnectionLostError):
            await _remember_until(store, time.monotonic() + 0.01)


async def _remember_until(store: memrepo.Store, last_s: float) -> None:
    while True:
        asked_s = time.monotonic()
        await store.memories.remember("after")
        assert asked_s < last_s


async def test_read_only_store_reads_and_refuses_to_write(tmp_path: Path) -> None:
    """``mode=ro`` gives every read, and a typed error for every write; the file stays as it is."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path) as store:
        known = await store.memories.remember("known")
    before = path.read_bytes()
    async with memrepo.connect(f"file:{path}?mode=ro") as store:
        assert (await store.memories.get(known.id)).content == "known"
        with pytest.raises(memrepo.ReadOnlyError):
            await store.memories.remember("new")
        with pytest.raises(memrepo.ReadOnlyError):
            async with store.transaction():
                pass
    assert path.read_bytes() == before


async def test_read_only_store_leaves_nothing_behind(tmp_path: Path) -> None:
    """The log of a writer that ended while ``mode=ro`` had the file open is folded in by the last to close."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path) as writer:
        await writer.memories.remember("before")
    async with memrepo.connect(f"file:{path}?mode=ro") as reader:
        async with memrepo.connect(path) as writer:
            await writer.memories.remember("meanwhile")
        assert await reader.memories.count() == 2
    assert [its.name for its in tmp_path.iterdir()] == ["agent.db"]
    async with memrepo.connect(f"file:{path}?mode=ro") as reader:
        assert await reader.memories.count() == 2


async def test_missing_file_is_not_made_by_other_modes(tmp_path: Path) -> None:
    """``mode=rw`` and ``mode=ro`` need the file to be there, and leave nothing behind."""
    for mode in ("ro", "rw"):
        with pytest.raises(memrepo.DatabaseError):
            await memrepo.connect(f"file:{tmp_path}/missing.db?mode={mode}")
    assert list(tmp_path.iterdir()) == []


async def test_missing_folder_is_a_typed_error(tmp_path: Path) -> None:
    """A folder that is not there is an error when opening, and is not made."""
    with pytest.raises(memrepo.DatabaseError, match="cannot be opened"):
        await memrepo.connect(tmp_path / "missing" / "agent.db")


async def test_file_that_is_no_database_is_corrupt(tmp_path: Path) -> None:
    """A file of something else is refused when opening, and stays as it is."""
    path = tmp_path / "agent.db"
    path.write_bytes(b"not a database, but long enough to be looked at\n" * 100)
    before = path.read_bytes()
    with pytest.raises(memrepo.CorruptDatabaseError):
        await memrepo.connect(path)
    assert path.read_bytes() == before


async def test_damaged_page_is_corrupt_and_spares_the_rest(tmp_path: Path, clock: Clock) -> None:
    """A garbage page gives a typed error to what reads it; other tables still answer."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, clock=clock) as store:
        await store.memories.remember_many(
            [memrepo.MemoryNew(content=f"fact {n} " + "x" * 500) for n in range(200)]
        )
        session = await store.sessions.start()
    with sqlite3.connect(path) as raw:
        (root,) = raw.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'memory_entries'"
        ).fetchone()
        (size,) = raw.execute("PRAGMA page_size").fetchone()
    raw.close()
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(os.urandom(size))
    async with memrepo.connect(path, clock=clock, migrate=False) as store:
        with pytest.raises(memrepo.CorruptDatabaseError):
            await store.memories.get(1)
        assert await store.sessions.get(session.id) == session


async def test_pragmas_are_those_of_the_durability(tmp_path: Path) -> None:
    """What the durability promises is read back from the connection that writes."""
    for durability, synchronous in (("full", 2), ("normal", 1)):
        async with memrepo.connect(tmp_path / durability, durability=durability) as store:  # type: ignore[arg-type]
            assert await _pragmas(store) == ("wal", synchronous, 1)


async def _pragmas(store: memrepo.Store) -> tuple[object, ...]:
    writer = store.connection._writer.thread  # type: ignore[attr-defined]
    names = ("journal_mode", "synchronous", "foreign_keys")
    return tuple([await writer.pragma(name) for name in names])
