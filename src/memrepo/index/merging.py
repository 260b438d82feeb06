"""Merge the segments of the search index, small step by small step: a search looks into each of them for each word."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import Final

from memrepo.connection.contract import Connection
from memrepo.domain.codec import Row
from memrepo.errors import AuthenticationError, ReadOnlyError
from memrepo.queries import indexing as queries

__all__ = ["merges"]

#: All is merged once what is not in the largest segment has come to this share of it: so each row is merged again a
#: few times only, however many come.
_SHARE: Final = 0.25
#: Steps until it is looked whether all is merged.
_N_STEPS: Final = 16


async def merges(connection: Connection, n_pages: int) -> AsyncIterator[None]:
    """Merge all segments of each table's index to one, where that is worth it; yield after each *n_pages* pages."""
    with suppress(AuthenticationError, ReadOnlyError):  # it is as good as it was
        for table in queries.PARTS:
            merge = queries.merge(table).bind(pages=-n_pages)
            reading = queries.segments(table).bind()
            before: Sequence[Row] = ()
            while _is_scattered(segments := await connection.read(reading)) and segments != before:
                before = segments
                for _ in range(_N_STEPS):
                    await connection.write((merge,))
                    yield


def _is_scattered(segments: Sequence[Row]) -> bool:
    n_pages = [row[0] for row in segments]
    return bool(n_pages) and sum(n_pages[1:]) > _SHARE * n_pages[0]
