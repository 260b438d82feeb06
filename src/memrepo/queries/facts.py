"""The table of facts, and conditions that its statements share."""

from __future__ import annotations

from typing import Final

from pypika import Criterion, Table

from memrepo.domain.codec import MEMORY_COLUMNS
from memrepo.queries.builder import Unindexed, ValueOf, columns_of, param

MEMORIES: Final = Table("memory_entries")
COLUMNS: Final = columns_of(MEMORIES, MEMORY_COLUMNS)


def unexpired(table: Table = MEMORIES, value: ValueOf = param) -> Criterion:
    """Never expires, or not yet at ``:now``."""
    return table.expires_at.isnull() | (table.expires_at > value("now"))


def current(table: Table = MEMORIES, value: ValueOf = param) -> Criterion:
    """Neither forgotten, superseded nor expired."""
    return visible(table) & unexpired(table, value)


def visible(table: Table = MEMORIES) -> Criterion:
    """Neither forgotten nor superseded."""
    return table.deleted_at.isnull() & table.superseded_by.isnull()


def hidden(table: Table = MEMORIES) -> Criterion:
    """The opposite of `visible`."""
    return table.deleted_at.notnull() | table.superseded_by.notnull()


def gone() -> Criterion:
    """The opposite of `current`."""
    return hidden() | (MEMORIES.expires_at <= param("now"))


def in_scope(table: Table = MEMORIES, value: ValueOf = param) -> Criterion:
    """Is of ``:scope``."""
    return table.scope == value("scope")


def also_in_scope(table: Table = MEMORIES) -> Criterion:
    """Is of ``:scope``, for queries in which the planner must not choose the index on the scope."""
    return Unindexed(table.scope) == param("scope")


def by_id(table: Table = MEMORIES, value: ValueOf = param) -> Criterion:
    """Has ``:id``, in ``:scope``."""
    return (table.id == value("id")) & in_scope(table, value)


def by_hash(table: Table = MEMORIES) -> Criterion:
    """Has ``:content_hash``, in ``:scope``."""
    return (table.content_hash == param("content_hash")) & in_scope(table)
