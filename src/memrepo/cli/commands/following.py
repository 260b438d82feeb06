"""Events as they are stored, for ``log --follow``."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Final

from memrepo.cli.streams import has_reader
from memrepo.domain.codec import to_daily_log
from memrepo.domain.conditions import daily_log_conditions
from memrepo.domain.daily_logs import DailyLog, DailyLogFilter
from memrepo.domain.paging import last_id
from memrepo.queries import following
from memrepo.repositories.scopes import ScopedStore

__all__ = ["newest_id", "stored_after"]

#: Seconds between two looks for new events.
_LOOK_EVERY_S: Final = 0.5
#: Events that are read together.
_PAGE: Final = 500


async def newest_id(store: ScopedStore) -> int:
    """Return the id of the event that was stored last, of all scopes; 0 if there is none."""
    rows = await store.connection.read(following.NEWEST.bind())
    return rows[0][0] or 0


async def stored_after(
    store: ScopedStore, where: DailyLogFilter, above: int
) -> AsyncIterator[DailyLog]:
    """Yield each event of a filter that is stored after that with the id *above*, whatever its time, until nobody reads stdout."""
    while has_reader():
        newest = await newest_id(store)
        async for event in _stored(store, where, above, newest):
            yield event
        above = max(above, newest)  # a replica may be behind another
        sys.stdout.flush()
        await asyncio.sleep(_LOOK_EVERY_S)


async def _stored(
    store: ScopedStore, where: DailyLogFilter, above: int, until: int
) -> AsyncIterator[DailyLog]:
    names, parameters = daily_log_conditions(where)
    statement = following.stored(names)
    while above < until:
        bound = statement.bind(
            scope=store.scope, above=above, until=until, limit=_PAGE, **parameters
        )
        rows = await store.connection.read(bound)
        for row in rows:
            yield to_daily_log(row)
        above = last_id(rows, above) if len(rows) == _PAGE else until
