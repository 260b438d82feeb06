"""An error of an open store names its file: a program with many databases must know which has failed."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
import pytest_asyncio

import memrepo
from tests.sqlite.test_processes import foreign_lock

pytestmark = pytest.mark.asyncio

#: Overwrites a file, in a process of its own: to open and close it here would drop our locks on it.
_DAMAGE = "import os, sys; os.pwrite(os.open(sys.argv[1], os.O_WRONLY), b'\\xff' * 4096, 0)"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The store's file."""
    return tmp_path / "agent.db"


@pytest_asyncio.fixture
async def store(path: Path) -> AsyncIterator[memrepo.Store]:
    """A store that does not wait long for locks."""
    async with memrepo.connect(path, lock_timeout_s=0.2) as store:
        yield store


async def test_lock_is_named(store: memrepo.Store, path: Path) -> None:
    """A write and a transaction that another program kept from beginning say which file it has locked."""
    with foreign_lock(path):
        with pytest.raises(memrepo.BusyError) as write:
            await store.memories.remember("Therapy on Thursdays")
        with pytest.raises(memrepo.BusyError) as transaction:
            async with store.transaction():
                pass
    for caught in (write, transaction):
        assert str(caught.value).startswith(f"{path}: the database is locked by another writer (")


async def test_lost_file_is_named(store: memrepo.Store, path: Path) -> None:
    """A store whose file was removed says which, in each of its calls."""
    path.unlink()
    said = f"{path}: the database file was removed or replaced: close this store, open it anew"
    for call in (store.memories.remember("x"), store.ping(), store.verify(), store.info()):
        with pytest.raises(memrepo.ConnectionLostError) as caught:
            await call
        assert str(caught.value) == said


async def test_damaged_file_is_named(store: memrepo.Store, path: Path) -> None:
    """What is no database any more is named by the call that finds it so."""
    await store.memories.remember("Therapy on Thursdays")
    await store.compact()
    subprocess.run([sys.executable, "-c", _DAMAGE, str(path)], check=True)
    with pytest.raises(memrepo.CorruptDatabaseError) as caught:
        await store.memories.count()
    assert str(caught.value) == f"{path}: the file is not a database (SQLITE_NOTADB)"


async def test_file_whose_log_is_read_is_named(store: memrepo.Store, path: Path) -> None:
    """``compact`` says which file another program reads."""
    await store.memories.remember("Therapy on Thursdays")
    with closing(sqlite3.connect(path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM memory_entries").fetchall()
        await store.memories.remember("Therapy on Fridays")
        with pytest.raises(memrepo.BusyError) as caught:
            await store.compact()
    assert str(caught.value).startswith(f"{path}: another program is reading the file")
