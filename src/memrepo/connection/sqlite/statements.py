"""Run the statements of a call, and fetch their rows."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable
from itertools import islice
from time import monotonic, perf_counter, sleep
from typing import Final

from memrepo.connection.coalescing import CoalescedCall
from memrepo.connection.contract import Result
from memrepo.connection.pending import PendingCall
from memrepo.connection.sqlite.errors import translate
from memrepo.connection.sqlite.limits import Watch
from memrepo.domain.codec import Row
from memrepo.errors import InvalidInputError, MemrepoError

__all__ = ["FAILURES", "explain", "run", "run_whole"]

#: Rows, about a tenth of a millisecond of them, after which another thread may have the interpreter's lock.
_ROWS_AT_ONCE: Final = 32
#: Seconds for which it is left to others: to release it for an instant, as SQLite does at each row, wakes no thread in
#: time to take it.
_NAP_S: Final = 20e-6

#: What a call's statement can end in; all else is of the worker.
FAILURES: Final = (sqlite3.Error, InvalidInputError)


def run(
    connection: sqlite3.Connection, call: PendingCall | CoalescedCall, watch: Watch
) -> list[Result]:
    """
    Run a call's statements one after the other, and return their results.

    Raises:
        sqlite3.Error: One failed, which *watch* has noted, or was stopped by it.
        InvalidInputError: A value is of no type that SQLite stores.
    """
    results: list[Result] = []
    record = call.record
    if record is not None:
        record.timings.clear()  # of an attempt that found the file locked
    watch.call = call
    limit_s = watch.limit.seconds
    try:
        for statement, parameters in call.unit:
            started = 0.0 if record is None else perf_counter()
            if limit_s is not None:
                watch.stops_at = monotonic() + limit_s
            try:
                cursor = connection.execute(statement.positional_sql, statement.values(parameters))
                rows: list[Row] = []
                try:
                    if watch.is_awaited is None:
                        rows.extend(cursor)
                    else:
                        _fetch_slowly(cursor, rows, watch.is_awaited)
                except sqlite3.OperationalError as error:
                    _fetch_rest(connection, cursor, rows, error)
                results.append(Result(rows, max(cursor.rowcount, 0)))
            except sqlite3.Error:
                # Of a value that it cannot bind, Python 3.11 says what the statement before has failed of.
                statement.check(parameters)
                watch.failed = statement
                raise
            except Exception:
                # Python's own, for a value that SQLite does not take: of this call only.
                statement.check(parameters)
                raise
            finally:
                if record is not None:
                    record.timings.append((started, perf_counter() - started))
        return results
    finally:
        watch.call = None
        watch.stops_at = math.inf


def run_whole(
    connection: sqlite3.Connection, call: PendingCall | CoalescedCall, watch: Watch
) -> list[Result]:
    """Run a call's statements inside the open transaction; if one fails, they alone are undone. Raises as `run`."""
    if len(call.unit) == 1 and isinstance(call, PendingCall):
        # It undoes itself: https://sqlite.org/lang_conflict.html. That of several calls need not, where another program's
        # trigger fails without: https://sqlite.org/lang_createtrigger.html#raise
        return run(connection, call, watch)
    connection.execute("SAVEPOINT unit")
    try:
        return run(connection, call, watch)
    except FAILURES:
        if connection.in_transaction:
            connection.execute("ROLLBACK TO unit")
        raise
    finally:
        if connection.in_transaction:
            connection.execute("RELEASE unit")


def explain(
    error: sqlite3.Error | InvalidInputError, watch: Watch, *, outcome_unknown: bool = False
) -> MemrepoError:
    """Return our error for one of a call's statements; `run` has noted which it was."""
    if isinstance(error, InvalidInputError):
        return error
    failed, watch.failed = watch.failed, None
    return translate(error, statement=failed, outcome_unknown=outcome_unknown)


def _fetch_slowly(cursor: sqlite3.Cursor, rows: list[Row], is_awaited: Callable[[], bool]) -> None:
    n_before = -1
    while len(rows) > n_before:
        n_before = len(rows)
        rows.extend(islice(cursor, _ROWS_AT_ONCE))
        if is_awaited():
            sleep(_NAP_S)


def _fetch_rest(
    connection: sqlite3.Connection,
    cursor: sqlite3.Cursor,
    rows: list[Row],
    error: sqlite3.OperationalError,
) -> None:
    """
    Add to *rows* what is left after *error*, if it says that a text is not UTF-8: that comes as bytes.

    The cursor still stands at the row in question. If we converted each text ourselves from the start,
    all reads would be slower.

    Raises:
        sqlite3.OperationalError: It is another error.
    """
    # This one is Python's own, without a code of SQLite's. Its message quotes the text.
    if hasattr(error, "sqlite_errorcode"):
        raise error
    n_before = len(rows)
    connection.text_factory = _to_text
    try:
        rows.extend(cursor)
    finally:
        connection.text_factory = str
    if len(rows) == n_before:
        raise error


def _to_text(stored: bytes) -> str | bytes:
    try:
        return stored.decode()
    except UnicodeDecodeError:
        return stored
