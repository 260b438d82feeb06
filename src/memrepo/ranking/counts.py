"""How many rows have a word, where only the first of them were read."""

from __future__ import annotations

import json

import attrs

__all__ = ["Counts", "Listed"]


@attrs.frozen
class Listed:
    """Ids as a JSON array, the lowest first: how many, and their ends, can be told without reading all of them."""

    text: str

    def __len__(self) -> int:
        return self.text.count(",") + 1 if self.text != "[]" else 0

    @property
    def lowest(self) -> int:
        """The first of them; there must be one."""
        return int(self.text[1:-1].partition(",")[0])

    @property
    def highest(self) -> int:
        """The last of them; there must be one."""
        return int(self.text[1:-1].rpartition(",")[2])

    def ids(self) -> frozenset[int]:
        """Read them."""
        return frozenset(json.loads(self.text))


class Counts:
    """How many rows have a word of which at most so many ids were read."""

    def __init__(self, everything: Listed, highest: int, most: int) -> None:
        """Know of all rows of the scope the first *most* ids and the highest one."""
        self._lowest = everything.lowest if everything else 0
        self._highest = highest
        self._most = most

    def are_all(self, listed: Listed) -> bool:
        """Tell whether all were read."""
        return len(listed) < self._most

    def of(self, listed: Listed) -> int:
        """Return how many there are, or, if more were not read, what it is if they go on as densely."""
        if self.are_all(listed):
            return len(listed)
        last = listed.highest
        span = max(self._highest, last) - self._lowest + 1
        return round(len(listed) * span / (last - self._lowest + 1))
