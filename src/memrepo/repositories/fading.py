"""Find the facts that have faded, and forget them in units that others can come between."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from datetime import datetime, timedelta
from typing import Final

import attrs

from memrepo.connection.contract import Connection
from memrepo.domain.checks import check_duration, check_names, check_share
from memrepo.domain.codec import MEMORY_COLUMNS, Row, Value, to_number
from memrepo.domain.instants import encode_instant
from memrepo.domain.jsontext import to_compact_json
from memrepo.queries import chains, recalling as queries
from memrepo.ranking.scoring import faded_since

__all__ = ["Fading"]

#: Most facts that are forgotten as one unit, each with what it superseded.
_ROWS: Final = 500
_LAST_ACCESSED: Final = MEMORY_COLUMNS.index("last_accessed")
_CREATED_AT: Final = MEMORY_COLUMNS.index("created_at")
#: Sorts before every stored instant.
_NEVER: Final = ""


@attrs.frozen
class Fading:
    """The facts of one scope that have faded at one moment."""

    _connection: Connection
    _scope: str
    _now: str
    #: What is bound to find them.
    _place: dict[str, Value]

    @classmethod
    def of(
        cls,
        connection: Connection,
        scope: str,
        now: datetime,
        *,
        threshold: float,
        half_life: timedelta,
        sources: Collection[str],
    ) -> Fading:
        """Check what `MemoryRepo.fading` is given."""
        share = check_share("threshold", threshold)
        duration = check_duration("half_life", half_life)
        names = to_compact_json(sorted({*check_names("sources", sources)}))
        try:
            before = encode_instant(now - faded_since(share, duration))
        except OverflowError:
            before = _NEVER
        place: dict[str, Value] = {"scope": scope, "before": before, "sources": names}
        return cls(connection, scope, encode_instant(now), place)

    async def find(self, limit: int) -> list[Row]:
        """Return at most *limit* of them: those that were never accessed, then the longest ago first."""
        rows: list[Row] = []
        for is_accessed in (False, True):
            if len(rows) < limit:
                statement = queries.faded(is_accessed=is_accessed, after=False)
                bound = statement.bind(now=self._now, limit=limit - len(rows), **self._place)
                rows += await self._connection.read(bound)
        return rows

    async def count(self) -> int:
        """Return how many there are."""
        bound = queries.COUNT_FADED.bind(now=self._now, **self._place)
        return to_number(await self._connection.read(bound))

    async def forget(self) -> int:
        """Forget them, each with what it superseded; return how many there were."""
        n_forgotten = 0
        for is_accessed in (False, True):
            async for rows in self._slices(is_accessed=is_accessed):
                ids = to_compact_json([row[0] for row in rows])
                bound = chains.FORGET_FADED.bind(ids=ids, now=self._now, **self._place)
                (result,) = await self._connection.write((bound,))
                n_forgotten += sum(successor is None for (successor,) in result.rows)
        return n_forgotten

    async def _slices(self, *, is_accessed: bool) -> AsyncIterator[list[Row]]:
        since = _LAST_ACCESSED if is_accessed else _CREATED_AT
        position: dict[str, Value] = {}
        while True:
            statement = queries.faded(is_accessed=is_accessed, after=bool(position))
            bound = statement.bind(now=self._now, limit=_ROWS, **self._place, **position)
            rows = await self._connection.read(bound)
            if rows:
                yield rows
            if len(rows) < _ROWS:
                return
            position = {"after_instant": rows[-1][since], "after_id": rows[-1][0]}
