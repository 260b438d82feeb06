"""Configure a connection and verify each pragma."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final
from weakref import WeakSet

from memrepo.connection.contract import Durability
from memrepo.connection.sqlite.busy import BUSY_SLICE_S, until_free
from memrepo.connection.sqlite.emptied import tell_emptied
from memrepo.connection.sqlite.errors import translate
from memrepo.connection.sqlite.inode import FileIdentity
from memrepo.connection.sqlite.limits import StatementLimit
from memrepo.connection.sqlite.reasons import name_file
from memrepo.connection.sqlite.thread import WorkerThread
from memrepo.connection.sqlite.worker import WorkerConnection
from memrepo.connection.url import Location
from memrepo.errors import DatabaseError

__all__ = ["open_first", "open_reader", "open_thread", "open_writer", "set_pragmas"]

#: https://sqlite.org/pragma.html#pragma_synchronous
_SYNCHRONOUS: Final[Mapping[Durability, int]] = {"full": 2, "normal": 1}

#: Seconds between two checks that the file is still there; ``full`` checks after each commit. A check
#: costs a tenth of a commit without a sync.
_LOOK_AFTER_WRITES_S: Final[Mapping[Durability, float]] = {"full": 0.0, "normal": 0.01}
#: The same before a read.
_LOOK_BEFORE_READS_S: Final = 0.5

#: Bytes to which SQLite truncates a write-ahead log when it restarts it. It does so at about 4 MiB, so
#: that a log is larger only after a long-running reader or a large unit.
#: https://sqlite.org/pragma.html#pragma_journal_size_limit
_WAL_KEPT_BYTES: Final = 8 * 2**20

_NONE: Final[Mapping[str, str | int]] = MappingProxyType({})
#: What is set for writing, beside ``synchronous``.
_OF_WRITER: Final[Mapping[str, str | int]] = MappingProxyType(
    {
        "journal_mode": "wal",
        "journal_size_limit": _WAL_KEPT_BYTES,
        "foreign_keys": 1,
        # Deleted rows are overwritten with zeros: https://sqlite.org/pragma.html#pragma_secure_delete
        "secure_delete": 1,
    }
)

#: The threads of this process that have files open.
_threads: Final[WeakSet[WorkerThread]] = WeakSet()


async def open_thread(
    location: Location,
    file: FileIdentity,
    *,
    pragmas: Mapping[str, str | int] = _NONE,
    look_every_s: float = _LOOK_BEFORE_READS_S,
    limit: StatementLimit | None = None,
) -> WorkerThread:
    """
    Open the database on a thread of its own; a cancelled call leaves no thread behind.

    Args:
        location: The database.
        file: The file.
        pragmas: What to set.
        look_every_s: Seconds between two checks that the file is still there.
        limit: How long one statement may run, which can be changed later; ``None`` for no limit.

    Raises:
        ConnectionLostError: *file* is not there any more.
        CorruptDatabaseError: The file is not a database.
        DatabaseError: It cannot be opened, or the process has no file descriptor left.
    """

    def begin(worker: WorkerConnection) -> None:
        worker.watch_file(file, look_every_s=look_every_s)
        set_pragmas(worker, pragmas)

    thread = WorkerThread(location, file)
    # Before it reads the file: whoever opens that anew must find it.
    _threads.add(thread)
    try:
        await thread.open(begin, busy_slice_s=BUSY_SLICE_S, limit=limit or StatementLimit())
    except (sqlite3.Error, OSError) as error:
        failure = translate(error)
        if isinstance(failure, DatabaseError):
            await asyncio.to_thread(name_file, failure, location)
        raise failure from error
    return thread


async def open_first(location: Location, file: FileIdentity, limit: StatementLimit) -> WorkerThread:
    """Open a file for reading, or a database in memory."""
    if location.path is not None:
        await _shut_lost(location.path)
        return await open_reader(location, file, limit)
    return await open_thread(location, file, pragmas={"foreign_keys": 1}, limit=limit)


async def open_reader(
    location: Location, file: FileIdentity, limit: StatementLimit
) -> WorkerThread:
    """Open a file for reading."""
    return await open_thread(location, file, pragmas={"query_only": 1}, limit=limit)


async def open_writer(
    location: Location,
    file: FileIdentity,
    limit: StatementLimit,
    durability: Durability,
    deadline: float,
    *,
    was_emptied: bool,
) -> WorkerThread:
    """Open a file for writing; *was_emptied* tells whether it was there without length."""
    look_every_s = _LOOK_AFTER_WRITES_S[durability]
    pragmas = {**_OF_WRITER, "synchronous": _SYNCHRONOUS[durability]}

    def set_up(worker: WorkerConnection) -> None:
        set_pragmas(worker, pragmas)
        worker.require_writable()
        # Only now does a new file have its log: one that is not noted can be replaced unnoticed.
        worker.require_file()

    thread = await open_thread(location, file, look_every_s=look_every_s, limit=limit)
    try:
        if was_emptied and location.path is not None:
            await tell_emptied(thread, location.path, deadline)
        # SQLite ignores the busy timeout when it switches a new file to WAL, so this has to be retried:
        # if eight processes open a file at once, one of them fails.
        await until_free(lambda: thread.run(set_up), deadline, location)
    except BaseException:
        await thread.close()
        raise
    return thread


async def _shut_lost(path: Path) -> None:
    """
    Close what stores of this process have open of *path*, and have lost.

    All connections of a process to a file share the index of its log. So a new one would look up in its own
    log what is in the lost one.

    Raises:
        ConnectionLostError: It cannot be closed without harm.
    """
    if others := [thread for thread in list(_threads) if thread.is_open]:
        real_path = await asyncio.to_thread(path.resolve)
        for thread in others:
            if thread.file.real_path == real_path:
                await thread.shut_if_lost()


def set_pragmas(worker: WorkerConnection, pragmas: Mapping[str, str | int]) -> None:
    """
    Set each pragma and verify it.

    Raises:
        DatabaseError: The database has another value.
        sqlite3.Error: SQLite refused.
    """
    for name, value in pragmas.items():
        # Some return what they were set to; others return nothing.
        rows = worker.execute(f"PRAGMA {name}={value}").fetchall()
        ((found,),) = rows or worker.execute(f"PRAGMA {name}").fetchall()
        if found != value:
            raise DatabaseError(f"{name} is {found!r} and cannot be set to {value!r}")
