"""`Store.backup`: a whole and consistent copy, or nothing."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import memrepo
from tests.sqlite.files import add_vector_index, umask

pytestmark = pytest.mark.asyncio


async def test_backup_is_a_whole_database(store: memrepo.Store, tmp_path: Path) -> None:
    """The copy opens as a store of its own and has every row of every scope, with its id."""
    mine = await store.memories.remember("mine", metadata={"n": 1})
    theirs = await store.scoped("user:1").memories.remember("theirs")
    session = await store.sessions.start()
    event = (await store.daily_logs.append(session.id, "event", {"n": 1}, key="k")).event
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
    assert list(tmp_path.glob("*.partial")) == []


async def test_cancelled_backup_leaves_nothing(tmp_path: Path) -> None:
    """A backup that is cancelled is stopped, removes its part, and the store goes on."""
    async with memrepo.connect(tmp_path / "agent.db") as store:
        await store.memories.remember_many(
            [memrepo.MemoryNew(content=f"fact {n} " + "x" * 2_000) for n in range(5_000)]
        )
        task = asyncio.create_task(store.backup(tmp_path / "copy.db"))
        while not list(tmp_path.glob("copy.db.*.partial")):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert [path.name for path in tmp_path.glob("copy*")] == []
        assert await store.memories.count() == 5_000


# --- the target --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [5, None, b"copy.db", "", "a\0b.db", "a\ud800b.db", "x.db-wal", "x.db-shm", "x.db-journal"],
)
async def test_backup_refuses_what_is_no_path(store: memrepo.Store, path: Any) -> None:
    """What is no path, or is a name that SQLite would take for a part of another file, is refused."""
    with pytest.raises(memrepo.InvalidInputError) as caught:
        await store.backup(path)
    assert caught.value.field == "path"


async def test_backup_takes_a_path_and_no_url(
    store: memrepo.Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What looks like SQLite's URI is the name of a file, as for every other program."""
    monkeypatch.chdir(tmp_path)
    await store.memories.remember("mine")
    await store.backup("file:y.db?mode=memory")
    assert not Path("y.db").exists()
    async with memrepo.connect(Path("file:y.db?mode=memory")) as copy:
        assert await copy.memories.count() == 1


async def test_failure_of_the_system_is_typed(store: memrepo.Store, tmp_path: Path) -> None:
    """A target that cannot be made is a DatabaseError that names it and the reason."""
    (tmp_path / "file").touch()
    for place, reason in {
        "none/copy.db": "there is no folder",
        "file/copy.db": "Not a directory",
        "n" * 250: "File name too long",
    }.items():
        with pytest.raises(memrepo.DatabaseError, match=f"{place} cannot be written: {reason}"):
            await store.backup(tmp_path / place)


@pytest.mark.parametrize("suffix", ["-wal", "-shm", "-journal"])
async def test_backup_is_not_made_beside_anothers_log(
    store: memrepo.Store, tmp_path: Path, suffix: str
) -> None:
    """SQLite would apply a log that lies beside the copy to it: that is refused, and left as it is."""
    log = tmp_path / f"copy.db{suffix}"
    log.write_text("precious")
    with pytest.raises(memrepo.InvalidInputError, match=f"path: has a {suffix} file"):
        await store.backup(tmp_path / "copy.db")
    assert [path.name for path in tmp_path.glob("copy*")] == [log.name]
    assert log.read_text() == "precious"


async def test_foreign_partial_is_left_alone(store: memrepo.Store, tmp_path: Path) -> None:
    """Files of somebody else whose names end in ``.partial`` are neither overwritten nor removed."""
    precious = tmp_path / "copy.db.partial"
    precious.write_text("precious")
    await store.backup(tmp_path / "copy.db")
    assert precious.read_text() == "precious"
    assert list(tmp_path.glob("*.partial")) == [precious]


async def test_of_two_backups_to_one_target_one_wins(tmp_path: Path) -> None:
    """Backups of two stores to one name at the same moment: one is there, whole; the other is told."""
    names = ("a", "b")
    async with (
        memrepo.connect(tmp_path / "a.db") as one,
        memrepo.connect(tmp_path / "b.db") as other,
    ):
        for store, name in zip((one, other), names, strict=True):
            await store.memories.remember_many(
                [memrepo.MemoryNew(content=f"{name} {n}") for n in range(500)]
            )
        for n in range(10):
            target = tmp_path / f"copy{n}.db"
            results = await asyncio.gather(
                one.backup(target), other.backup(target), return_exceptions=True
            )
            ((winner, _),) = [its for its in zip(names, results, strict=True) if its[1] is None]
            (error,) = [result for result in results if result is not None]
            assert isinstance(error, memrepo.InvalidInputError)
            async with memrepo.connect(target) as copy:
                assert await copy.verify() == []
                assert {fact.content[0] async for fact in copy.memories.iterate()} == {winner}
    assert list(tmp_path.glob("*.partial")) == []


@pytest.mark.slow
async def test_killed_backup_does_not_disturb_the_next(tmp_path: Path) -> None:
    """A process killed while it copies leaves a part under another name; the next backup is whole."""
    path, target = tmp_path / "agent.db", tmp_path / "copy.db"
    async with memrepo.connect(path) as store:
        await store.memories.remember_many(
            [memrepo.MemoryNew(content=f"fact {n} " + "x" * 2_000) for n in range(5_000)]
        )
        program = (
            "import asyncio, sys, memrepo\n"
            "async def main():\n"
            "    async with memrepo.connect(sys.argv[1]) as store:\n"
            "        await store.backup(sys.argv[2])\n"
            "asyncio.run(main())\n"
        )
        command = [sys.executable, "-W", "ignore", "-c", program, str(path), str(target)]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            while not list(tmp_path.glob("copy.db.*.partial")):
                assert process.poll() is None
                await asyncio.sleep(0)
            process.kill()
        assert not target.exists()
        await store.backup(target)
    async with memrepo.connect(target) as copy:
        assert await copy.memories.count() == 5_000
        assert await copy.verify() == []


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
async def test_backup_has_the_rights_of_its_source(tmp_path: Path, mode: int) -> None:
    """Whoever cannot read the database cannot read its backup, whatever the umask says."""
    path, target = tmp_path / "agent.db", tmp_path / "copy.db"
    async with memrepo.connect(path) as store:
        path.chmod(mode)
        with umask(0o000):
            await store.backup(target)
    assert stat.S_IMODE(target.stat().st_mode) == mode


async def test_backup_of_memory_is_private(tmp_path: Path) -> None:
    """A database in memory has no rights that its backup could have: it is for its owner only."""
    with umask(0o000):
        async with memrepo.connect(":memory:") as store:
            await store.backup(tmp_path / "copy.db")
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600


async def test_backup_of_another_group_is_not_for_the_group(tmp_path: Path) -> None:
    """Where the backup's folder gives it another group, that group gets no right to it."""
    if os.geteuid() != 0:
        pytest.skip("only root can give a file to another group")
    path, target = tmp_path / "agent.db", tmp_path / "copy.db"
    async with memrepo.connect(path) as store:
        path.chmod(0o660)
        os.chown(path, -1, 12_345)
        await store.backup(target)
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


# --- an index that this SQLite cannot rebuild -----------------------------------------------------


async def test_backup_with_a_vector_index(tmp_path: Path) -> None:
    """A database that VACUUM cannot copy, because of libSQL's vector index, is copied by its pages."""
    path, target = tmp_path / "agent.db", tmp_path / "copy.db"
    async with memrepo.connect(path) as store:
        await store.memories.remember("mine")
    add_vector_index(path)
    async with memrepo.connect(path) as store:
        await store.memories.remember("in the log")
        await store.backup(target)
        assert list(tmp_path.glob("*.partial*")) == []
    with closing(sqlite3.connect(target)) as raw:
        assert raw.execute("PRAGMA quick_check").fetchall() == [("ok",)]
        assert raw.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert raw.execute("SELECT count(*) FROM memory_embeddings").fetchone() == (1,)
        names = raw.execute("SELECT content FROM memory_entries ORDER BY id").fetchall()
        assert names == [("mine",), ("in the log",)]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


async def test_cancelled_copy_of_pages_leaves_nothing(tmp_path: Path) -> None:
    """It is stopped between two thousand pages, removes its part, and the store goes on."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path) as store:
        await store.memories.remember_many(
            [memrepo.MemoryNew(content=f"fact {n} " + "x" * 2_000) for n in range(10_000)]
        )
    add_vector_index(path)
    async with memrepo.connect(path) as store:
        task = asyncio.create_task(store.backup(tmp_path / "copy.db"))
        while not any(part.stat().st_size for part in tmp_path.glob("copy.db.*.partial")):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert list(tmp_path.glob("copy*")) == []
        assert await store.memories.count() == 10_000
