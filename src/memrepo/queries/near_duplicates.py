"""Statements that find facts which may be near-duplicates of others."""

from __future__ import annotations

from functools import cache
from typing import Final

from pypika import Field, JoinType, Order, Table
from pypika.queries import QueryBuilder
from pypika.terms import CustomFunction, Tuple

from memrepo.queries import builder
from memrepo.queries.builder import JsonEach, Query, Scalar, json_item, param, statement
from memrepo.queries.facts import COLUMNS, MEMORIES, also_in_scope, current, in_scope
from memrepo.queries.search import FACTS, InScope, Matches
from memrepo.queries.statement import Statement

__all__ = ["CURRENT", "EARLIER", "page"]

_json_group_array = CustomFunction("json_group_array", ["value"])


@cache
def page(*, after: bool) -> Statement:
    """Read the next ``:limit`` current facts in the order of (created_at, id), from a position on."""
    query = Query.from_(MEMORIES).select(*COLUMNS).where(in_scope()).where(current())
    if after:
        bound = Tuple(param("created_at"), param("second"))
        query = query.where(Tuple(MEMORIES.created_at, MEMORIES.id) >= bound)
    query = query.orderby(MEMORIES.created_at).orderby(MEMORIES.id).limit(param("limit"))
    return statement("near_duplicates.page", query, is_long=True)


#: Reads the current facts with the ids in a JSON array, in any order, each once.
CURRENT: Final = statement(
    "near_duplicates.current",
    builder.by_ids(MEMORIES).select(*COLUMNS).where(in_scope()).where(current()),
    is_long=True,
)


def _earlier() -> QueryBuilder:
    asked = JsonEach("asked", "word")
    match = Matches(FACTS.index, InScope(FACTS.name, json_item(asked, 0)))
    number = Field("rowid", table=Table("match"))
    found = Query.from_(match).join(MEMORIES, JoinType.cross).cross().select(match.rowid.as_("id"))
    found = found.where(number < json_item(asked, 1)).where(MEMORIES.id == match.rowid)
    found = found.where(also_in_scope()).where(current())
    found = found.orderby(number, order=Order.desc).limit(param("most")).as_("found")
    ids = Query.from_(found).select(_json_group_array(found.id))
    return Query.from_(asked).select(Scalar(ids)).orderby(asked.key)


#: Reads, for each of a JSON array of full-text queries and ids, which current facts the query finds below that id: at
#: most ``:most`` ids each, the highest.
EARLIER: Final = statement("near_duplicates.earlier", _earlier(), is_long=True)
