"""Long work on the event loop, in short pieces."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from itertools import islice
from typing import Final, TypeVar

__all__ = ["gently"]

T = TypeVar("T")

#: Items between two pauses: with a few microseconds of work for each, about half a millisecond.
_PIECE: Final = 100


async def gently(items: Iterable[T]) -> list[T]:
    """Make a list of *items*, letting other tasks run after every hundred of them."""
    made: list[T] = []
    source = iter(items)
    while piece := list(islice(source, _PIECE)):
        made += piece
        await asyncio.sleep(0)
    return made
