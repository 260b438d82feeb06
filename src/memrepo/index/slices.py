"""How much of what is pending the search index takes in at a time, and the units that do so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs

from memrepo.domain.codec import Row
from memrepo.domain.jsontext import to_compact_json
from memrepo.queries import indexing as queries
from memrepo.queries.statement import Unit

__all__ = ["FILE_SLICE", "SERVER_SLICE", "Slice", "taking_new", "taking_noted"]

#: Pages that are merged with each slice: enough to keep their number low, and half a millisecond.
_MERGED_PAGES: Final = 16


@attrs.frozen
class Slice:
    """How much is done at a time: rows, the characters of text after which it ends, and pages when only merging."""

    n_rows: int
    n_chars: int
    n_pages: int

    def first(self, rows: Sequence[Row]) -> list[int]:
        """Return the ids of as many rows as make a slice."""
        ids: list[int] = []
        n_chars = 0
        for number, length in rows:
            ids.append(number)
            n_chars += length
            if n_chars >= self.n_chars:
                break
        return ids


#: On a file, less than two milliseconds of the writer.
FILE_SLICE: Final = Slice(100, 25_000, 32)
#: On a server, one request.
SERVER_SLICE: Final = Slice(500, 400_000, 1_000)


def taking_new(table: str, ids: Sequence[int]) -> Unit:
    """Return the unit that takes in rows that are new; the last id is how far it has come."""
    last = ids[-1]
    return (
        queries.take_rows(table).bind(last=last),
        queries.ADVANCE.bind(number=queries.PARTS[table].number, last=last),
        queries.merge(table).bind(pages=_MERGED_PAGES),
    )


def taking_noted(table: str, ids: Sequence[int]) -> Unit:
    """Return the unit that takes rows in anew that have changed, or are gone, and clears their notes."""
    listed = to_compact_json(ids)
    return (
        queries.remove(table).bind(ids=listed),
        queries.take_noted(table).bind(ids=listed),
        queries.CLEAR_NOTES.bind(number=queries.PARTS[table].number, ids=listed),
        queries.merge(table).bind(pages=_MERGED_PAGES),
    )
