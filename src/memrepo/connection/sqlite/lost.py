"""A file that was removed or replaced while it was open: nothing is read from it, stored or damaged."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Sequence
from typing import Final

from memrepo.connection.pending import PendingCall
from memrepo.connection.sqlite.errors import file_lost
from memrepo.errors import DatabaseError

__all__ = ["keep_log", "lose", "refuse"]

#: https://sqlite.org/c3ref/c_dbconfig_defensive.html#sqlitedbconfignockptonclose
_NO_CKPT_ON_CLOSE: Final = 1006


def refuse(calls: Sequence[PendingCall]) -> None:
    """Fail those of *calls* that have not run."""
    for call in calls:
        if call.outcome is None:
            call.outcome = file_lost()


def lose(calls: Sequence[PendingCall]) -> None:
    """Fail the calls that have run on a lost file: what they stored is stored for nobody."""
    for call in calls:
        if isinstance(call.outcome, list):
            call.outcome = file_lost(outcome_unknown=True)
        elif isinstance(call.outcome, DatabaseError):
            call.outcome = file_lost(outcome_unknown=call.outcome.outcome_unknown)


def keep_log(connection: sqlite3.Connection) -> bool:
    """
    Have SQLite neither checkpoint nor unlink the WAL when *connection* is closed.

    It would write what a lost log holds into a file that others have changed since, and unlink their log,
    which has the same name.

    Returns:
        ``False`` if it cannot be told: before Python 3.12, without ctypes.
    """
    if sys.version_info >= (3, 12):
        connection.setconfig(_NO_CKPT_ON_CLOSE, True)
        return True
    return _configure(connection)


def _configure(connection: sqlite3.Connection) -> bool:
    """Do what ``setconfig`` does, for Python 3.11: the handle is the first field of its connections."""
    try:
        import _sqlite3  # noqa: PLC0415 - only here
        import ctypes  # noqa: PLC0415 - only here

        library = ctypes.CDLL(getattr(_sqlite3, "__file__", None))
        handle = ctypes.c_void_p.from_address(id(connection) + object.__basicsize__)
        if not handle:
            return False  # it is closed
        is_set = ctypes.c_int()
        failed = library.sqlite3_db_config(
            handle, _NO_CKPT_ON_CLOSE, ctypes.c_int(1), ctypes.byref(is_set)
        )
    except (ImportError, OSError, AttributeError):
        return False
    return failed == 0 and is_set.value == 1
