"""Try again later: pauses with jitter between attempts, until a deadline."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from memrepo.errors import DatabaseError

__all__ = ["Backoff", "again", "retry"]

T = TypeVar("T")

#: Seconds of the first pause between two attempts, and of the longest.
_FIRST_PAUSE_S: Final = 0.01
_LONGEST_PAUSE_S: Final = 1.0


class Backoff:
    """Pauses between attempts, each up to twice as long; random, so that clients do not march in step."""

    def __init__(self) -> None:
        self._pause_s = _FIRST_PAUSE_S

    async def pause(self) -> None:
        """Wait a little."""
        await asyncio.sleep(random.uniform(self._pause_s / 2, self._pause_s))  # noqa: S311 - no secret
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)


def again(error: DatabaseError, *, outcome_unknown: bool) -> DatabaseError:
    """Return the same error for another caller, so that each raises one of its own."""
    copy = type(error)(*error.args)
    copy.retryable = error.retryable
    copy.outcome_unknown = outcome_unknown
    copy.__cause__ = error.__cause__
    return copy


async def retry(attempt: Callable[[], Awaitable[None]], deadline: float) -> None:
    """
    Do what does no harm if it is done twice, as often as it takes, until the loop's time *deadline*.

    Raises:
        MemrepoError: That of the last attempt.
    """
    backoff = Backoff()
    while True:
        try:
            return await attempt()
        except DatabaseError as error:
            late = asyncio.get_running_loop().time() >= deadline
            if not error.retryable or late:
                raise again(error, outcome_unknown=False) from error.__cause__
        await backoff.pause()
