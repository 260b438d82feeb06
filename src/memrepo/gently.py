"""Long work on the event loop, in short pieces."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Final, TypeVar

__all__ = ["gently"]

T = TypeVar("T")

#: Items between two pauses: with a few microseconds of work for each, about half a millisecond.
_PIECE: Final = 100


async def gently(items: Iterable[T]) -> AsyncIterator[T]:
    """Yield *items*, letting other tasks run after every hundred of them."""
    for number, item in enumerate(items, 1):
        yield item
        if number % _PIECE == 0:
            await asyncio.sleep(0)
