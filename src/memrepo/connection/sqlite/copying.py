"""Write a consistent copy of a whole database into an empty file."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Final, TypeAlias

from memrepo.connection.contract import Result
from memrepo.connection.pending import PendingCall
from memrepo.connection.sqlite.errors import is_busy, lacks_function, translate
from memrepo.connection.sqlite.job import Run
from memrepo.connection.sqlite.worker import WorkerConnection
from memrepo.errors import DatabaseError
from memrepo.queries import maintenance
from memrepo.queries.statement import Unit

__all__ = ["write_copy"]

#: Pages copied between two checks whether the call was cancelled: four megabytes, a few milliseconds.
_PAGES: Final = 1_000

#: Runs a unit beside other calls.
RunAside: TypeAlias = Callable[[Run, Unit], Awaitable[list[Result]]]


async def write_copy(run_aside: RunAside, target: Path) -> None:
    """Write the database as it is at one moment into *target*, which is empty."""
    try:
        # A URI, because SQL has no text for a name that is not UTF-8.
        statement = maintenance.BACKUP.bind(path=target.as_uri())
        await run_aside(WorkerConnection.run_reads, (statement,))
    except DatabaseError as error:
        if not lacks_function(error):
            raise
        await asyncio.to_thread(os.truncate, target, 0)
        await run_aside(partial(_copy_pages, target=target), ())


def _copy_pages(worker: WorkerConnection, calls: Sequence[PendingCall], *, target: Path) -> None:
    """
    Copy page by page, by SQLite's backup API (https://sqlite.org/backup.html).

    Unlike ``VACUUM INTO`` it needs none of the functions that indexes call, and copies free pages, too.

    Raises:
        sqlite3.OperationalError: The file was locked.
    """
    (call,) = calls

    def look(*_: int) -> None:
        if call.is_cancelled:
            raise InterruptedError

    try:
        with closing(sqlite3.connect(target, isolation_level=None)) as copy:
            copy.execute("PRAGMA journal_mode=OFF")
            copy.execute("PRAGMA synchronous=OFF")  # whoever asked for the copy syncs it
            # In one read transaction, or each commit of another process would begin the copy anew.
            worker.execute("BEGIN")
            worker.execute("SELECT 1 FROM sqlite_schema").fetchall()
            worker.backup(copy, pages=_PAGES, progress=look)
            copy.execute("PRAGMA journal_mode=DELETE")  # no WAL mode, which needs a writable folder
        call.outcome = []
    except sqlite3.Error as error:
        if is_busy(error):
            raise
        call.outcome = translate(error)
    finally:
        worker.undo()
