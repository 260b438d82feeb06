"""Retry with backoff: pauses with jitter between attempts, until a deadline."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final

__all__ = ["Backoff", "retry"]

#: Seconds of the first pause between two attempts, and of the longest.
_FIRST_PAUSE_S: Final = 0.01
_LONGEST_PAUSE_S: Final = 1.0


class Backoff:
    """Growing pauses, with jitter so that clients do not retry in step."""

    def __init__(self, *, longest_s: float = _LONGEST_PAUSE_S) -> None:
        self._pause_s = _FIRST_PAUSE_S
        self._longest_s = longest_s

    async def pause(self) -> None:
        """Wait for one pause; the next is up to twice as long."""
        await asyncio.sleep(random.uniform(self._pause_s / 2, self._pause_s))  # noqa: S311 - no secret
        self._pause_s = min(2 * self._pause_s, self._longest_s)


async def retry(
    attempt: Callable[[], Awaitable[None]],
    deadline: float,
    *,
    is_temporary: Callable[[Exception], bool],
    longest_pause_s: float = _LONGEST_PAUSE_S,
) -> None:
    """
    Repeat *attempt*, which must be repeatable, until it succeeds or the loop's time reaches *deadline*.

    Raises:
        Exception: That of the last attempt, or the first that is not temporary.
    """
    loop = asyncio.get_running_loop()
    backoff = Backoff(longest_s=longest_pause_s)
    while True:
        try:
            return await attempt()
        except Exception as error:
            if not is_temporary(error) or loop.time() >= deadline:
                raise
        await backoff.pause()
