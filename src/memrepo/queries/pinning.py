"""Statements that pin facts, and read those that are pinned."""

from __future__ import annotations

from typing import Final

from pypika.functions import Coalesce
from pypika.terms import NullValue, ValueWrapper

from memrepo.queries.builder import Query, param, statement
from memrepo.queries.facts import COLUMNS, MEMORIES, by_id, current, in_scope, unexpired

__all__ = ["PIN", "PINNED", "UNPIN"]

#: A fact that is pinned already keeps its place.
PIN: Final = statement(
    "memories.pin",
    Query.update(MEMORIES)
    .set(MEMORIES.pinned_at, Coalesce(MEMORIES.pinned_at, param("now")))
    .where(by_id())
    .where(MEMORIES.deleted_at.isnull())
    .where(unexpired())
    .returning(*COLUMNS),
)
UNPIN: Final = statement(
    "memories.unpin",
    Query.update(MEMORIES)
    .set(MEMORIES.pinned_at, NullValue())
    .where(by_id())
    .where(MEMORIES.deleted_at.isnull())
    .where(unexpired())
    .returning(*COLUMNS),
)
#: The current facts that are pinned, the oldest pin first.
PINNED: Final = statement(
    "memories.pinned",
    Query.from_(MEMORIES)
    .select(*COLUMNS)
    .where(in_scope())
    # As pypika writes that it is not NULL, SQLite does not see that this is the condition of the index.
    .where(MEMORIES.pinned_at >= ValueWrapper(""))
    .where(current())
    .orderby(MEMORIES.pinned_at)
    .orderby(MEMORIES.id)
    .limit(param("limit")),
)
