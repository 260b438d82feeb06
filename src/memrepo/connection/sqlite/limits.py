"""Limits for a file that is not trusted, and for how long a statement may run."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable
from time import monotonic
from typing import Final

import attrs

from memrepo.connection.coalescing import CoalescedCall
from memrepo.connection.pending import PendingCall
from memrepo.queries.statement import Statement

__all__ = ["StatementLimit", "Watch", "distrust"]

#: What a file's views and triggers may ask of us, where SQLite's own limits are far above any need;
#: https://sqlite.org/security.html
_LIMITS: Final = {
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 10_000_000,
    sqlite3.SQLITE_LIMIT_VDBE_OP: 5_000_000,
    sqlite3.SQLITE_LIMIT_TRIGGER_DEPTH: 20,
    # VACUUM attaches one.
    sqlite3.SQLITE_LIMIT_ATTACHED: 1,
}

#: Steps of SQLite's virtual machine between two checks whether the call was cancelled: about a
#: millisecond, so that ordinary statements are never checked.
_STEPS_BETWEEN_CHECKS: Final = 20_000


def distrust(connection: sqlite3.Connection) -> None:
    """Keep what the file's schema does within bounds, and within the file."""
    connection.execute("PRAGMA trusted_schema = OFF")
    for category, most in _LIMITS.items():
        connection.setlimit(category, most)


@attrs.define
class StatementLimit:
    """How long one statement may run: while a file is opened, whose triggers may be endless."""

    #: ``None`` for as long as it takes.
    seconds: float | None = None


class Watch:
    """
    Tells SQLite to stop a call that is cancelled, or a statement that takes too long.

    Does not refer to the connection, to make no cycle.
    """

    def __init__(self, limit: StatementLimit) -> None:
        self.limit = limit
        #: The call that runs.
        self.call: PendingCall | CoalescedCall | None = None
        #: Its statement that SQLite refused, until that is told.
        self.failed: Statement | None = None
        #: When its statement has to end, by `monotonic`.
        self.stops_at = math.inf
        #: Tells whether a quick read runs on another thread, for which rows are fetched a few at a time; ``None``
        #: where quick reads run on this one.
        self.is_awaited: Callable[[], bool] | None = None

    def __call__(self) -> bool:
        """Tell whether to stop."""
        return self.call is not None and (self.call.is_cancelled or monotonic() > self.stops_at)

    def stand_over(self, connection: sqlite3.Connection) -> None:
        """Be asked from now on."""
        connection.set_progress_handler(self, _STEPS_BETWEEN_CHECKS)
