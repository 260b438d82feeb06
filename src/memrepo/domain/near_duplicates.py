"""Pairs of facts that say nearly the same, and the cursors between pages of them."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Final, NamedTuple

import attrs

from memrepo.domain.checks import HIGHEST_ID, LOWEST_ID, check_cursor
from memrepo.domain.codec import Value
from memrepo.domain.memories import MemoryEntry
from memrepo.domain.paging import encode_cursor
from memrepo.domain.plain import PlainModel
from memrepo.errors import DecodeError, InvalidInputError

__all__ = ["SIMILAR", "NearDuplicates", "Place", "check_threshold"]

#: How similar near-duplicates are by default.
SIMILAR: Final = 0.8
#: Below this, most words of a pair are not the same.
_LEAST: Final = 0.5
_is_number: Final = re.compile(r"-?\d{1,19}").fullmatch


@attrs.frozen(kw_only=True, weakref_slot=False)
class NearDuplicates(PlainModel):
    """Two current facts that say nearly the same."""

    #: The fact that was stored first, by its id.
    first: MemoryEntry
    #: The other one.
    second: MemoryEntry
    #: The share of their words that both have, rare words counting more: at most 0.99, or 1 if `MemoryRepo.recall`
    #: would join them.
    similarity: float


class Place(NamedTuple):
    """Where a page ends: at the pair of a fact, in the order of (created_at, id), with an earlier one."""

    created_at: Value
    second: int
    #: The *second* itself after all of its pairs.
    first: int

    @classmethod
    def after(cls, cursor: str | None) -> Place:
        """Return the place of a page's ``next_cursor``; that before all pairs for ``None``."""
        if cursor is None:
            return cls("", LOWEST_ID, LOWEST_ID)
        text, second = check_cursor(cursor)
        created_at, mark, first = text.rpartition("~")
        if not (mark and created_at and _is_number(first)):
            raise InvalidInputError("after", "must be the next_cursor of a page")
        return cls(created_at, second, min(max(int(first), LOWEST_ID), HIGHEST_ID))

    def cursor(self) -> str:
        """
        Return the cursor of this place.

        Raises:
            DecodeError: *created_at* is another program's, and no text that a cursor can hold.
        """
        if isinstance(self.created_at, str):
            with suppress(InvalidInputError):
                cursor = encode_cursor(f"{self.created_at}~{self.first}", self.second)
                if Place.after(cursor) == self:
                    return cursor
        raise DecodeError(f"row {self.second} has an instant after which no page can begin")


def check_threshold(value: object) -> float:
    """Accept a number from 0.5 to 1."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidInputError("threshold", f"must be a number, not {type(value).__name__}")
    if not _LEAST <= value <= 1:
        raise InvalidInputError("threshold", f"must be from {_LEAST} to 1")
    return float(value)
