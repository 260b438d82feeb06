"""Configure a connection and verify each pragma."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from memrepo.connection.contract import Durability
from memrepo.connection.sqlite.busy import BUSY_SLICE_S, until_free
from memrepo.connection.sqlite.errors import translate
from memrepo.connection.sqlite.thread import WorkerThread
from memrepo.connection.sqlite.worker import WorkerConnection
from memrepo.connection.url import Location
from memrepo.connection.waiting import finish
from memrepo.errors import DatabaseError

__all__ = ["open_thread", "prepare_writer", "set_pragma"]

#: https://sqlite.org/pragma.html#pragma_synchronous
_SYNCHRONOUS: Final[Mapping[Durability, int]] = {"full": 2, "normal": 1}

#: Seconds between two looks whether the file is still there: with ``full`` after each commit. Looking
#: costs a tenth of what a commit without a sync does.
_LOOK_EVERY_S: Final[Mapping[Durability, float]] = {"full": 0.0, "normal": 0.01}

#: Bytes to which a write-ahead log is cut when SQLite starts it anew; it starts at about 4 MiB, so
#: only one that a long reader or a large unit has made grow. https://sqlite.org/pragma.html#pragma_journal_size_limit
_WAL_KEPT_BYTES: Final = 8 * 2**20


async def open_thread(location: Location) -> WorkerThread:
    """
    Open the database on a thread of its own; a cancelled call leaves none behind.

    Raises:
        CorruptDatabaseError: The file is not a database.
        DatabaseError: It cannot be opened, or the process has no descriptor left.
    """
    try:
        return await finish(
            WorkerThread.open(location.uri, busy_slice_s=BUSY_SLICE_S), undo=WorkerThread.close
        )
    except (sqlite3.Error, OSError) as error:
        raise translate(error) from error


async def prepare_writer(
    thread: WorkerThread, path: Path, durability: Durability, deadline: float
) -> None:
    """Set the pragmas of a file's writer, and verify them."""
    # Switching a new file to WAL ignores the busy timeout: of eight processes that open it at once,
    # one in eight fails. Trying again is the cure.
    await until_free(lambda: set_pragma(thread, "journal_mode", "wal"), deadline)
    await set_pragma(thread, "synchronous", _SYNCHRONOUS[durability])
    await set_pragma(thread, "journal_size_limit", _WAL_KEPT_BYTES)
    await set_pragma(thread, "foreign_keys", 1)
    await thread.run(WorkerConnection.require_writable)
    look_every_s = _LOOK_EVERY_S[durability]
    await thread.run(lambda worker: worker.watch_file(path, look_every_s=look_every_s))


async def set_pragma(thread: WorkerThread, name: str, value: str | int) -> None:
    """
    Set a pragma.

    Raises:
        DatabaseError: The database did not take it.
    """
    found = await thread.pragma(name, value)
    found = await thread.pragma(name) if found is None else found
    if found != value:
        raise DatabaseError(f"{name} is {found!r} and cannot be set to {value!r}")
