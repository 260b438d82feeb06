"""Statements that recall facts, and find those that have faded."""

from __future__ import annotations

from functools import cache
from typing import Final

from pypika import Criterion, Order
from pypika.functions import Count
from pypika.terms import Tuple

from memrepo.queries.builder import JsonEach, Query, Unindexed, param, statement
from memrepo.queries.facts import COLUMNS, MEMORIES, also_in_scope, current, in_scope, may_fade
from memrepo.queries.statement import Statement

__all__ = ["CANDIDATES", "COUNT_FADED", "TOUCH_MANY", "faded"]

_ids = JsonEach("ids")
_sources = JsonEach("sources")

#: The current facts that were accessed last, by the index on (scope, last_accessed); those without an access come
#: last, as in the original.
CANDIDATES: Final = statement(
    "memories.candidates",
    Query.from_(MEMORIES)
    .select(*COLUMNS)
    .where(in_scope())
    .where(current())
    .orderby(MEMORIES.last_accessed, order=Order.desc)
    .orderby(MEMORIES.id, order=Order.desc)
    .limit(param("limit")),
)
TOUCH_MANY: Final = statement(
    "memories.touch_many",
    Query.update(MEMORIES)
    .set(MEMORIES.last_accessed, param("now"))
    .where(MEMORIES.id.isin(Query.from_(_ids).select(_ids.value)))
    .where(also_in_scope())
    .where(current()),
)


def _may_fade() -> list[Criterion]:
    is_of_sources = MEMORIES.source.isin(Query.from_(_sources).select(_sources.value))
    return [in_scope(), current(), may_fade(), is_of_sources]


@cache
def faded(*, is_accessed: bool, after: bool) -> Statement:
    """
    Read the next ``:limit`` facts of ``:sources`` without an access since ``:before``, the longest ago first.

    Those that were accessed, or those that never were, by their creation; by the index on (scope, last_accessed),
    *after* a position or from the start.
    """
    # Not by the index on created_at: nearly all that it leads to has been accessed.
    since = MEMORIES.last_accessed if is_accessed else Unindexed(MEMORIES.created_at)
    query = Query.from_(MEMORIES).select(*COLUMNS).where(Criterion.all(_may_fade()))
    if not is_accessed:
        query = query.where(MEMORIES.last_accessed.isnull())
    query = query.where(since <= param("before"))
    if after:
        bound = Tuple(param("after_instant"), param("after_id"))
        query = query.where(Tuple(since, MEMORIES.id) > bound)
    query = query.orderby(since).orderby(MEMORIES.id).limit(param("limit"))
    return statement("memories.faded", query, is_long=True)


COUNT_FADED: Final = statement(
    "memories.count_faded",
    Query.from_(MEMORIES)
    .select(Count("*"))
    .where(Criterion.all(_may_fade()))
    .where(
        (MEMORIES.last_accessed <= param("before"))
        | (MEMORIES.last_accessed.isnull() & (MEMORIES.created_at <= param("before")))
    ),
    is_long=True,
)
