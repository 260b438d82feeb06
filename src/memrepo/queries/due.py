"""Statements about when facts are due, and whether they were surfaced."""

from __future__ import annotations

from typing import Final

from pypika import Case, Criterion
from pypika.functions import Coalesce
from pypika.queries import QueryBuilder
from pypika.terms import Term

from memrepo.queries.builder import JsonEach, Query, json_item, param, statement
from memrepo.queries.facts import (
    COLUMNS,
    MEMORIES,
    also_in_scope,
    by_hash,
    current,
    has_another_slot,
    in_scope,
    keeps_what_the_user_said,
    proposal,
)

__all__ = ["DUE", "SET_DUE", "SET_DUE_MANY", "SURFACED", "set_due"]

_items = JsonEach("batch")
_ids = JsonEach("ids")


def set_due(query: QueryBuilder, due_at: Term) -> QueryBuilder:
    """Set when a fact is due; with another date, or none where it had one, it is surfaced anew."""
    is_same: Criterion = Coalesce(MEMORIES.due_at, "") == Coalesce(due_at, "")
    kept = Case().when(is_same, MEMORIES.surfaced_at)
    return query.set(MEMORIES.due_at, due_at).set(MEMORIES.surfaced_at, kept)


#: To be run after the statement that remembers the fact: most facts have no such date, and need no such statement.
#: Like that one, it leaves as it is what is gone, what only the user may bring back, and what fills another slot. A
#: proposal gets its date where the fact is ``:is_proposed``.
SET_DUE: Final = statement(
    "memories.set_due",
    set_due(Query.update(MEMORIES), param("due_at"))
    .where(by_hash())
    .where(current() | ((param("is_proposed") == 1) & proposal()))
    .where(Coalesce(has_another_slot(), 0) == 0)
    .where(keeps_what_the_user_said().negate())
    .returning(*COLUMNS),
)
#: The same for a JSON array of [content_hash, due_at], in which no hash is twice.
SET_DUE_MANY: Final = statement(
    "memories.set_due_many",
    set_due(Query.update(MEMORIES), json_item(_items, 1))
    .from_(_items)
    .where(MEMORIES.content_hash == json_item(_items, 0))
    .where(also_in_scope())
    .where(current())
    .returning(*COLUMNS),
)
#: The current facts that are due by ``:now`` and were not surfaced, the one that was due first before the others.
DUE: Final = statement(
    "memories.due",
    Query.from_(MEMORIES)
    .select(*COLUMNS)
    .where(in_scope())
    .where(MEMORIES.due_at <= param("now"))
    .where(MEMORIES.surfaced_at.isnull())
    .where(current())
    .orderby(MEMORIES.due_at)
    .orderby(MEMORIES.id)
    .limit(param("limit")),
)
#: Marks those of the facts in a JSON array of ids that are current and not marked yet.
SURFACED: Final = statement(
    "memories.surfaced",
    Query.update(MEMORIES)
    .set(MEMORIES.surfaced_at, param("now"))
    .where(MEMORIES.id.isin(Query.from_(_ids).select(_ids.value)))
    .where(also_in_scope())
    .where(MEMORIES.surfaced_at.isnull())
    .where(current())
    .returning(*COLUMNS),
)
