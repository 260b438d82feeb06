"""Hold a database that nobody else has open, so that its file can be replaced."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from memrepo.connection.sqlite.busy import until_free
from memrepo.connection.sqlite.inode import FileIdentity
from memrepo.connection.sqlite.setup import open_thread, set_pragmas
from memrepo.connection.sqlite.thread import WorkerThread
from memrepo.connection.sqlite.worker import WorkerConnection
from memrepo.connection.url import Location
from memrepo.errors import BusyError, CorruptDatabaseError, ReadOnlyError

__all__ = ["hold_alone"]

#: Seconds to wait for those who use the file; one that is just being closed is free by then.
_WAIT_S: Final = 1.0


@asynccontextmanager
async def hold_alone(path: Path) -> AsyncGenerator[None, None]:
    """
    Hold a database for a block, as one file with nothing beside it.

    A database's log belongs to it alone: beside another file of its name, SQLite would write its pages
    into that. So it leaves WAL mode first, which fails while somebody has it open, and removes the log.
    Whoever comes during the block waits for the lock; if the file was replaced by then, SQLite tells him
    before he writes (SQLITE_READONLY_DBMOVED).

    Raises:
        BusyError: Somebody has it open.
        CorruptDatabaseError: It is so damaged that nobody can tell.
        ReadOnlyError: Its owner has taken the right to write it.
    """
    if not await asyncio.to_thread(os.access, path, os.W_OK):
        raise ReadOnlyError(f"{path} cannot be replaced: there is no permission to write it")
    thread = await open_thread(Location(path, "rw"), FileIdentity(None))
    try:
        await _lock(thread, path)
        yield
        await thread.run(WorkerConnection.undo)
    finally:
        await thread.close()


async def _lock(thread: WorkerThread, path: Path) -> None:
    deadline = asyncio.get_running_loop().time() + _WAIT_S
    try:
        await until_free(lambda: thread.run(_begin), deadline, thread.location)
    except BusyError as error:
        raise BusyError(f"{path} is in use: close it in every program first") from error.__cause__
    except CorruptDatabaseError as error:
        raise CorruptDatabaseError(
            f"{path} is so damaged that nobody can tell whether it is in use: move it and its"
            " -wal, -shm and -journal files away first"
        ) from error.__cause__


def _begin(worker: WorkerConnection) -> None:
    # It keeps its lock while the mode changes: whoever came in between would begin a new log.
    set_pragmas(worker, {"locking_mode": "exclusive", "journal_mode": "delete"})
    worker.execute("BEGIN EXCLUSIVE")
