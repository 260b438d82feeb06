"""What takes longer than a page may: worked out beside it, and kept for a minute."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from time import monotonic
from typing import Final, TypeVar, cast

__all__ = ["Background"]

T = TypeVar("T")

#: Seconds that a visitor waits for it, before a page says that it is being worked out.
_PATIENCE_S: Final = 0.03
#: Seconds for which a result is as good as new.
_FRESH_S: Final = 60.0
_MOST_KEPT: Final = 50


class Background:
    """Results by name: of several visitors who ask for one, the first has it made."""

    def __init__(self) -> None:
        self._made: dict[Hashable, tuple[float, object]] = {}
        self._making: dict[Hashable, asyncio.Task[object]] = {}

    async def get(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T | None:
        """
        Return the result of *make*, at once if it was made within a minute; ``None`` if it is not ready soon.

        Raises:
            Exception: What *make* has raised; the next one tries again.
        """
        made_at, result = self._made.get(key, (None, None))
        if made_at is not None and monotonic() - made_at < _FRESH_S:
            return cast("T", result)
        if key not in self._making:
            self._making[key] = asyncio.ensure_future(self._make(key, make))
        task = self._making[key]
        await asyncio.wait({task}, timeout=_PATIENCE_S)
        if not task.done():
            return None
        self._making.pop(key, None)
        return cast("T", task.result())

    async def _make(self, key: Hashable, make: Callable[[], Awaitable[object]]) -> object:
        result = await make()
        while len(self._made) >= _MOST_KEPT:
            del self._made[next(iter(self._made))]
        self._made.pop(key, None)
        self._made[key] = (monotonic(), result)
        self._making.pop(key, None)
        return result

    async def close(self) -> None:
        """Stop what is being worked out."""
        tasks = [*self._making.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
