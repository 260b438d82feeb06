"""Copy a database into a new file on its worker thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from typing import Final

from memrepo.connection.contract import Result
from memrepo.connection.pending import PendingCall
from memrepo.connection.sqlite.errors import is_unknown, translate
from memrepo.connection.sqlite.worker import WorkerConnection
from memrepo.errors import DatabaseError, MemrepoError

__all__ = ["run_copy"]

#: Pages between two checks whether the call was cancelled: some milliseconds.
_PAGES_BETWEEN_CHECKS: Final = 1_000


def run_copy(worker: WorkerConnection, calls: Sequence[PendingCall]) -> None:
    """
    Run ``VACUUM INTO``; where it fails because of the schema, copy the file page by page.

    It executes the schema anew, and so it needs every function and collation that an index or a
    constraint of another program has, as libSQL's vector index. Pages can be copied without.
    """
    worker.run_reads(calls)
    for call in calls:
        error = call.outcome
        if isinstance(error, DatabaseError) and is_unknown(error.__cause__):
            call.outcome = _copy_pages(worker, call)


def _copy_pages(worker: WorkerConnection, call: PendingCall) -> list[Result] | MemrepoError:
    def stop_if_cancelled(*_: int) -> None:
        if call.is_cancelled:
            raise InterruptedError

    ((_, parameters),) = call.unit
    try:
        # In one read transaction; else each write of another connection would begin the copy anew.
        worker.execute("BEGIN")
        worker.execute("SELECT count(*) FROM `sqlite_master`").fetchall()
        with closing(sqlite3.connect(str(parameters["path"]))) as copy:
            worker.backup(copy, pages=_PAGES_BETWEEN_CHECKS, progress=stop_if_cancelled)
    except (sqlite3.Error, InterruptedError) as error:
        return translate(error)
    finally:
        worker.undo()
    return [Result([], 0)]
