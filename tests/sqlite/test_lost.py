"""A file that was removed or replaced while a store has it open: once lost, it is lost for good."""

from __future__ import annotations

import asyncio
import gc
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import Literal, TypeAlias

import pytest

import memrepo
from memrepo import ConnectionLostError, Store, StorePool
from memrepo.connection.sqlite import inode, setup, worker
from tests import leaks
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.asyncio

#: What becomes of the store that has lost its file.
End: TypeAlias = Literal["told", "not told", "forgotten"]

_VISIT = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
connection.execute("SELECT count(*) FROM memory_entries").fetchall()
connection.close()
"""


def _visit(path: Path) -> None:
    """Drop this process's locks by closing a descriptor; another program then takes itself for the last."""
    path.open("rb").close()
    subprocess.run([sys.executable, "-c", _VISIT, str(path)], check=True)
    assert not Path(f"{path}-wal").exists()


async def _until_told(store: Store) -> None:
    while True:
        await store.memories.remember("into nothing")


def _contents(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return {content for (content,) in connection.execute("SELECT content FROM memory_entries")}


@pytest.mark.parametrize("durability", ["full", "normal"])
@pytest.mark.parametrize("end", ["told", "not told", "forgotten"])
@pytest.mark.filterwarnings("ignore::ResourceWarning")
async def test_end_of_a_store_that_lost_its_log(
    tmp_path: Path, end: End, durability: memrepo.Durability
) -> None:
    """Whether it was told or not, its end leaves the file and the log of the others alone."""
    path = tmp_path / "agent.db"
    threads = leaks.threads()
    first = await memrepo.connect(path, durability=durability)
    await first.memories.remember("before")
    _visit(path)
    async with memrepo.connect(path) as other:
        if end == "told":
            with pytest.raises(ConnectionLostError):
                await _until_told(first)
        for n in range(100):
            await other.memories.remember(f"after {n}")
        if end == "forgotten":
            del first
            gc.collect()
        else:
            await first.close()
        assert await other.memories.count() == 101
        await other.memories.remember("last")
    await leaks.settled(threads)
    assert _contents(path) >= {"before", "last", *(f"after {n}" for n in range(100))}


async def test_new_file_that_lost_its_log_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new file's log is known from the beginning, and not only from the first look after a write."""
    path = tmp_path / "agent.db"
    with monkeypatch.context() as patch:
        patch.setattr(inode, "monotonic", lambda: 0.0)  # all of it before the second look is due
        first = await memrepo.connect(path, durability="normal")
        await first.memories.remember("before")
    _visit(path)
    async with memrepo.connect(path) as other:
        with pytest.raises(ConnectionLostError):
            await first.memories.remember("into nothing")
        await other.memories.remember("after")
    await first.close()
    assert _contents(path) == {"before", "after"}


async def test_end_while_another_process_writes(tmp_path: Path) -> None:
    """The same where the others are another process, which goes on after the end."""
    path = tmp_path / "agent.db"
    first = await memrepo.connect(path)
    await first.memories.remember("before")
    _visit(path)
    program = (
        "import asyncio, memrepo, sys\n"
        "async def main():\n"
        "    async with memrepo.connect(sys.argv[1]) as store:\n"
        "        for n in range(100):\n"
        "            await store.memories.remember(f'after {n}')\n"
        "            if n == 50:\n"
        "                print('half', flush=True)\n"
        "                sys.stdin.readline()\n"
        "asyncio.run(main())\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert await asyncio.to_thread(process.stdout.readline) == "half\n"
        with pytest.raises(ConnectionLostError):
            await first.memories.remember("lost")
        await first.close()
        await asyncio.to_thread(process.communicate, "\n", PATIENCE_S)
        assert process.returncode == 0
    assert _contents(path) >= {"before", *(f"after {n}" for n in range(100))}


async def _transact(store: Store) -> None:
    async with store.transaction() as tx:
        await tx.memories.remember("in a block")


CALLS: dict[str, Callable[[Store, Path], Awaitable[object]]] = {
    "remember": lambda store, _: store.memories.remember("after"),
    "append": lambda store, _: store.daily_logs.append(None, "x"),
    "transaction": lambda store, _: _transact(store),
    "ping": lambda store, _: store.ping(),
    "get": lambda store, _: store.memories.get(1),
    "find_many": lambda store, _: store.memories.find_many(),
    "count": lambda store, _: store.memories.count(),
    "info": lambda store, _: store.info(),
    "verify": lambda store, _: store.verify(),
    "backup": lambda store, path: store.backup(path.with_name("backup.db")),
}


@pytest.mark.parametrize("durability", ["full", "normal"])
@pytest.mark.parametrize("way", ["unlinked", "replaced", "away and back"])
async def test_lost_for_good(tmp_path: Path, way: str, durability: memrepo.Durability) -> None:
    """After the first error every call of every kind fails, even if the path has its file again."""
    path = tmp_path / "agent.db"
    store = await memrepo.connect(path, durability=durability)
    await store.memories.remember("before")
    shutil.copy(path, tmp_path / "copy")
    os.replace(path, tmp_path / "away")
    if way == "replaced":
        os.replace(tmp_path / "copy", path)
    with pytest.raises(ConnectionLostError):
        await _until_told(store)
    assert store.is_lost
    if way == "away and back":
        os.replace(tmp_path / "away", path)
    for name, call in CALLS.items():
        for _ in range(3):
            with pytest.raises(ConnectionLostError) as caught:
                await call(store, path)
            assert not caught.value.outcome_unknown, name
    await store.close()
    assert not (tmp_path / "backup.db").exists()


async def _lose_in_a_block(store: Store, path: Path) -> None:
    async with store.transaction() as tx:
        await tx.memories.remember("in the block")
        os.replace(path, path.with_name("away"))


async def test_lost_inside_a_transaction(tmp_path: Path) -> None:
    """A block that had begun before ends with the error; another process's file has nothing of it."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path) as store:
        await store.memories.remember("before")
        with pytest.raises(ConnectionLostError):
            await _lose_in_a_block(store, path)
        with pytest.raises(ConnectionLostError):
            await store.memories.count()


async def test_transaction_of_a_store_that_was_told_is_rolled_back(tmp_path: Path) -> None:
    """If the loss is known before the end of a block, it is not committed, and the error says so."""
    path = tmp_path / "agent.db"
    has_begun, is_lost = asyncio.Event(), asyncio.Event()
    async with memrepo.connect(path) as store:

        async def transact() -> None:
            async with store.transaction() as tx:
                await tx.memories.remember("in the block")
                has_begun.set()
                await is_lost.wait()

        block = asyncio.create_task(transact())
        await has_begun.wait()
        path.unlink()
        with pytest.raises(ConnectionLostError):
            await store.info()
        is_lost.set()
        with pytest.raises(ConnectionLostError) as caught:
            await block
        assert not caught.value.outcome_unknown


async def _call_until(store: Store, path: Path, name: str, last_s: float) -> None:
    while True:
        asked_s = time.monotonic()
        await CALLS[name](store, path)
        assert asked_s < last_s
        path.with_name("backup.db").unlink(missing_ok=True)


@pytest.mark.parametrize("mode", ["", "?mode=ro"])
@pytest.mark.parametrize("name", ["count", "verify", "backup"])
async def test_store_that_only_reads(tmp_path: Path, name: str, mode: str) -> None:
    """A second after its file was replaced, a store that only reads is told, too."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path) as store:
        await store.memories.remember("before")
    async with memrepo.connect(tmp_path / "new.db") as store:
        await store.memories.remember("new")
    async with memrepo.connect(f"file:{path}{mode}") as store:
        assert await store.memories.count() == 1
        os.replace(tmp_path / "new.db", path)
        with pytest.raises(ConnectionLostError):
            await _call_until(store, path, name, time.monotonic() + 1)
        with pytest.raises(ConnectionLostError):
            await store.memories.count()
    assert _contents(path) == {"new"}


def _no_such_table() -> memrepo.BoundStatement:
    return memrepo.Statement("missing", "SELECT 1 FROM missing").bind()


async def _begin_while_locked(store: Store, path: Path) -> None:
    def lock_and_remove() -> sqlite3.Connection:
        other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN IMMEDIATE")
        path.unlink()
        return other

    with closing(await asyncio.to_thread(lock_and_remove)):
        async with store.transaction(timeout_s=0.1):
            pass


#: Calls that fail for another reason, as what is left of a file may look damaged, or locked.
_FAILING: dict[str, Callable[[Store, Path], Awaitable[object]]] = {
    "write": lambda store, _: store.connection.write((_no_such_table(),)),
    "read": lambda store, _: store.connection.read(_no_such_table()),
    "begin": _begin_while_locked,
}


@pytest.mark.parametrize("name", _FAILING)
async def test_error_is_that_of_the_loss(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """After an error of SQLite the file is looked at at once: its loss is told, and not what came of it."""
    path = tmp_path / "agent.db"
    monkeypatch.setattr(setup, "_LOOK_AFTER_WRITES_S", {"normal": 3600.0})
    monkeypatch.setattr(setup, "_LOOK_BEFORE_READS_S", 3600.0)
    async with memrepo.connect(path, durability="normal") as store:
        await store.memories.remember("before")
        if name != "begin":
            path.unlink()
            await store.memories.remember("nobody has looked")
        with pytest.raises(ConnectionLostError):
            await _FAILING[name](store, path)


async def test_pool_opens_a_lost_store_anew(tmp_path: Path) -> None:
    """A tenant's store that has lost its file is replaced, even where a block has caught the error."""
    path = tmp_path / "acme.db"
    async with StorePool(tmp_path / "{tenant}.db") as pool:
        async with pool.open("acme") as store:
            await store.memories.remember("before")
            os.replace(path, tmp_path / "away")
            with pytest.raises(ConnectionLostError):
                await store.memories.remember("into nothing")
        async with pool.open("acme") as store:
            assert await store.memories.count() == 0
            await store.memories.remember("after")
    assert _contents(path) == {"after"}


async def test_where_the_log_cannot_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where SQLite cannot be told to leave the log alone, the path is not opened beside the lost store."""
    path = tmp_path / "agent.db"
    monkeypatch.setattr(worker, "keep_log", lambda _: False)
    store = await memrepo.connect(path)
    await store.memories.remember("before")
    _visit(path)
    with pytest.raises(ConnectionLostError):
        await store.memories.remember("lost")
    with pytest.raises(ConnectionLostError, match="still has it open"):
        await memrepo.connect(path)
    await store.close()
    async with memrepo.connect(path) as other:
        assert await other.verify() == []
