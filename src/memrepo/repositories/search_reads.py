"""What a search reads of the database."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence, Set as AbstractSet
from functools import lru_cache
from typing import Any

from memrepo.connection.contract import Connection
from memrepo.domain.codec import Row, Value
from memrepo.domain.conditions import Conditions
from memrepo.domain.jsontext import to_compact_json
from memrepo.queries import search as queries
from memrepo.queries.fulltext import scope_query
from memrepo.ranking.matching import subjects_of
from memrepo.repositories.sources import Source

__all__ = ["SearchReads", "subjects"]


class SearchReads:
    """The reads of one search."""

    def __init__(
        self, connection: Connection, source: Source[Any], conditions: Conditions, scope: str
    ) -> None:
        self._connection = connection
        self._table = source.table
        self._names = conditions.names
        self._of_filter: dict[str, Value] = conditions.parameters
        self._of_scope: dict[str, Value] = {"scope": scope}
        self._of_query = self._of_scope | {"in_scope": scope_query(scope)}
        self._of_columns = source.parameters

    async def postings(
        self, names: frozenset[str] | None, asked: Sequence[str], most: int, n_beginnings: int = 0
    ) -> list[Row]:
        """Return what `queries.search.postings` reads, with the conditions *names*."""
        bound = queries.postings(self._table, names).bind(
            words=to_compact_json(asked),
            most=most,
            n_beginnings=n_beginnings,
            **(self._of_query if names is None else self._of_query | self._of_filter),
        )
        return await self._connection.read(bound)

    async def latest(self, query: str, most: int) -> list[int]:
        """Return the ids of the latest rows that a query finds."""
        statement = queries.latest(self._table, self._names)
        bound = statement.bind(query=query, most=most, **self._of_query | self._of_filter)
        return [row[0] for row in await self._connection.read(bound)]

    async def around(self, near: Mapping[int, int]) -> list[Row]:
        """Return the rows with these ids, and so many told before and after each: one number of them, or two."""
        most, least = max(near.values(), default=0), min(near.values(), default=0)
        bound = queries.around(self._table, self._names).bind(
            ids=to_compact_json([each for each, its in near.items() if its == most]),
            n_near=most,
            other_ids=to_compact_json([each for each, its in near.items() if its < most]),
            n_near_others=least,
            **self._of_scope | self._of_filter | self._of_columns,
        )
        return await self._connection.read(bound)

    async def newest(self, most: int) -> list[Row]:
        """Return the newest rows of the scope."""
        bound = queries.newest(self._table, self._names).bind(
            most=most, **self._of_scope | self._of_filter | self._of_columns
        )
        return await self._connection.read(bound)


@lru_cache(maxsize=32)
def subjects(beginnings: str, stop_words: AbstractSet[str]) -> frozenset[str]:
    """Return the subjects of a scope, whose *beginnings* `queries.search.postings` reads: the same while nobody writes."""
    texts = Counter[str]()
    for digits, n_rows in json.loads(beginnings).items():
        # What another program has stored may be no UTF-8.
        texts[bytes.fromhex(digits).decode(errors="replace")] += n_rows
    return subjects_of(texts, stop_words)
