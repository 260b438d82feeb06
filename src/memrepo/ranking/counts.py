"""How many rows have a word, where only the first of them were read."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["Counts"]


class Counts:
    """How many rows have a word of which only the first ids were read."""

    def __init__(self, everything: Sequence[int], highest: int, most: int) -> None:
        self._lowest = everything[0] if everything else 0
        self._highest = highest
        self._most = most

    def of(self, ids: Sequence[int]) -> int:
        """Return the number of ids, or, if more were not read, what it is if they go on as densely."""
        if len(ids) < self._most:
            return len(ids)
        span = max(self._highest, ids[-1]) - self._lowest + 1
        return round(len(ids) * span / (ids[-1] - self._lowest + 1))
