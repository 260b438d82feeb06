"""Wait for a lock that another process holds, without blocking the event loop."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Final

from memrepo.connection.backoff import retry
from memrepo.connection.sqlite.errors import is_busy, translate
from memrepo.connection.sqlite.reasons import name_file
from memrepo.connection.url import Location
from memrepo.errors import DatabaseError

__all__ = ["BUSY_SLICE_S", "until_free"]

_logger = logging.getLogger(__name__)

#: Seconds that SQLite's own busy handler waits at a time, on the worker thread. One long wait would
#: starve some processes (1 commit against 15,770); slices with a pause between them are fair.
BUSY_SLICE_S: Final = 0.2
#: Longest pause between two slices, in seconds.
_PAUSE_S: Final = 0.02
#: Seconds of waiting from which on it is logged.
_LONG_WAIT_S: Final = 1.0


async def until_free(
    attempt: Callable[[], Awaitable[None]], deadline: float, location: Location
) -> None:
    """
    Repeat *attempt* while another process holds the lock, until the loop's time reaches *deadline*.

    *location* is what is locked, for the error and the log.

    Raises:
        BusyError: The lock was not free in time.
        DatabaseError: The attempt ended in another error of SQLite.
    """
    loop = asyncio.get_running_loop()
    began_s, waited_s = loop.time(), 0.0

    def is_locked(error: Exception) -> bool:
        nonlocal waited_s
        waited_s = loop.time() - began_s
        return is_busy(error)

    try:
        await retry(attempt, deadline, is_temporary=is_locked, longest_pause_s=_PAUSE_S)
    except sqlite3.Error as error:
        failure = translate(error)
        if isinstance(failure, DatabaseError):
            await asyncio.to_thread(name_file, failure, location)
        raise failure from error
    finally:
        if waited_s >= _LONG_WAIT_S:
            _logger.warning("waited %.1f s for another process's lock on %s", waited_s, location)
