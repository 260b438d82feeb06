"""A file without length: one that is being made, or one that something has emptied."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Final

from memrepo.connection.sqlite.busy import until_free
from memrepo.connection.sqlite.reasons import require_file
from memrepo.connection.sqlite.thread import WorkerThread
from memrepo.connection.sqlite.worker import WorkerConnection
from memrepo.errors import CorruptDatabaseError

__all__ = ["find_emptied", "tell_emptied"]

_logger = logging.getLogger(__name__)

#: Seconds that another process gets to fill a file that it is making.
_MAKING_S: Final = 0.1


async def find_emptied(path: Path) -> bool:
    """
    Tell whether there is a file without length. Before SQLite reads it, which would delete its log.

    Raises:
        CorruptDatabaseError: Beside it is a write-ahead log with data: it was not empty before.
        DatabaseError: There is something that is no file.
    """
    return await asyncio.to_thread(_is_emptied, path)


def _is_emptied(path: Path) -> bool:
    require_file(path)
    # The log first, because a database that is being made has a page before it has a log.
    log_bytes = _length(Path(f"{path.resolve()}-wal")) or 0
    is_emptied = _is_empty(path)
    if is_emptied and log_bytes:
        raise CorruptDatabaseError(
            f"{path} is empty, but there are {log_bytes} bytes in the -wal file beside it: something has"
            " emptied the database. Restore a backup; to begin anew, move both files away"
        )
    return is_emptied


def _is_empty(path: Path) -> bool:
    # SQLite takes a file of one byte for one of none.
    return (length := _length(path)) is not None and length <= 1


def _length(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


async def tell_emptied(thread: WorkerThread, path: Path, deadline: float) -> None:
    """
    Log that a file without length becomes a new database, unless another process has filled it.

    That is known once this process has the write lock: then nobody else is about to write.

    Raises:
        BusyError: The lock was not free in time.
    """
    await asyncio.sleep(_MAKING_S)
    looks: list[bool] = []

    def look(worker: WorkerConnection) -> None:
        worker.begin()
        try:
            looks.append(_is_empty(path))
        finally:
            worker.undo()

    await until_free(lambda: thread.run(look), deadline, thread.location)
    if looks[-1]:
        # A file for `mode=rw` has to be made beforehand, as `StorePool.create` does.
        level = logging.INFO if thread.location.mode == "rw" else logging.WARNING
        _logger.log(level, "%s was empty, and is opened as a new database", path)
