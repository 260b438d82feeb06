"""Statements about the items of a thread: the data of its events of one type."""

from __future__ import annotations

from functools import cache
from typing import Final

from pypika import Criterion, Order, Table

from memrepo.queries import builder
from memrepo.queries.builder import JsonEach, Query, Scalar, Unindexed, param, statement
from memrepo.queries.daily_logs import CONDITIONS
from memrepo.queries.statement import Statement

_d = Table("daily_logs")
_s = Table("sessions").as_("session")
_items = JsonEach("batch")

_open = (
    Query.from_(_s)
    .select(_s.id)
    .where(_s.scope == param("scope"))
    .where(_s.thread == param("thread"))
    .where(_s.ended_at.isnull())
    .orderby(_s.started_at, order=Order.desc)
    .orderby(_s.id, order=Order.desc)
    .limit(1)
)
#: Appends an event for each text in a JSON array, to the thread's open session; to be run after `sessions.START`.
ADD: Final = statement(
    "thread_items.add",
    Query.into(_d)
    .columns(_d.scope, _d.session_id, _d.event_type, _d.event_data, _d.timestamp)
    .from_(_items)
    .select(param("scope"), Scalar(_open), param("event_type"), _items.value, param("timestamp"))
    # So that ids grow in the order of the array.
    .orderby(_items.key),
)


def _are_its() -> list[Criterion]:
    # As in `daily_logs.find_many`.
    in_scope = Unindexed(_d.scope) == param("scope")
    return [in_scope, CONDITIONS["thread"](), CONDITIONS["event_type"]()]


_next = Query.from_(_d).select(_d.id).where(CONDITIONS["thread"]()).limit(1).offset(param("most"))
#: Reads all items in their order, of each its data and its time; none if the thread has more than ``:most`` events. With
#: a LIMIT instead, SQLite would sort them in twice the time, for it could not know that there are fewer.
ALL: Final = statement(
    "thread_items.all",
    Query.from_(_d)
    .select(_d.event_data, _d.timestamp)
    .where(Criterion.all([*_are_its(), Scalar(_next).isnull()]))
    .orderby(_d.timestamp)
    .orderby(_d.id),
    is_long=True,
)


@cache
def latest(*, after: bool, is_large: bool) -> Statement:
    """Read a page of items, the latest first: of each the event's id, its data and its time."""
    return builder.page(
        "thread_items.latest",
        Query.from_(_d).select(_d.id, _d.event_data, _d.timestamp),
        _are_its(),
        by=_d.timestamp,
        after=after,
        newest_first=True,
        is_long=is_large,
    )
