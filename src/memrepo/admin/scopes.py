"""List the scopes of a database."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime

from memrepo.connection.contract import Driver
from memrepo.domain.checks import check_limit
from memrepo.domain.codec import Row, Value
from memrepo.domain.instants import NO_INSTANT, parse_instant
from memrepo.domain.paging import Page, cursor_after_name, name_after
from memrepo.domain.scopes import ScopeInfo
from memrepo.errors import DecodeError
from memrepo.queries import scopes as queries

__all__ = ["read_scopes"]


async def read_scopes(connection: Driver, *, limit: int, after: str | None) -> Page[ScopeInfo]:
    """Return a page of scopes; see `Store.scopes`."""
    parameters: dict[str, Value] = {"limit": check_limit(limit) + 1}
    if after is not None:
        parameters["after"] = name_after(after)
    statement = queries.page(after=after is not None)
    rows = await connection.read(statement.bind(**parameters))
    shown = rows[:limit]
    cursor = _cursor_after(shown[-1][0]) if len(rows) > limit else None
    return Page(items=tuple(map(_to_scope_info, shown)), next_cursor=cursor)


def _cursor_after(scope: Value) -> str:
    # A text could stand for bytes, but has another place in the order.
    if not isinstance(scope, str):
        raise DecodeError("there is a scope after which no page can begin, because it is no text")
    return cursor_after_name(scope)


def _to_scope_info(row: Row) -> ScopeInfo:
    scope, n_facts, n_sessions, n_events, *latest = row
    return ScopeInfo(
        scope=scope.decode(errors="replace") if isinstance(scope, bytes) else scope,
        n_facts=n_facts,
        n_sessions=n_sessions,
        n_events=n_events,
        last_activity_at=max(_instants(latest), default=None),
    )


def _instants(stored: Iterable[Value]) -> Iterable[datetime]:
    for text in stored:
        with suppress(*NO_INSTANT):
            yield parse_instant(text)
