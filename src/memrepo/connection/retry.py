"""Waiting for a lock that another process holds, without holding up the event loop."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Final

from memrepo.connection.sqlite_errors import is_busy, translate

__all__ = ["BUSY_SLICE_S", "until_free"]

#: Seconds that SQLite's own busy handler waits, on the worker thread, before we look up again. One
#: long wait would starve some processes (1 commit against 15,770); slices with a pause are fair.
BUSY_SLICE_S: Final = 0.2
#: Seconds between two slices, at most; random, so that processes do not march in step.
_PAUSE_S: Final = 0.02


async def until_free(attempt: Callable[[], Awaitable[None]], deadline: float) -> None:
    """
    Make *attempt* until no other process holds the lock, or the loop's time reaches *deadline*.

    Raises:
        BusyError: The lock was never free.
    """
    while True:
        try:
            await attempt()
        except sqlite3.OperationalError as error:
            if not is_busy(error):
                raise
            if asyncio.get_running_loop().time() >= deadline:
                raise translate(error) from error
        else:
            return
        await asyncio.sleep(random.uniform(0, _PAUSE_S))  # noqa: S311 - not for secrets
