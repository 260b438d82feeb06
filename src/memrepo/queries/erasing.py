"""Statements that delete everything of one scope, some rows at a time."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

from pypika import Criterion, Table
from pypika.functions import Coalesce, Length

from memrepo.queries.builder import JsonEach, Query, Unindexed, param, statement
from memrepo.queries.statement import Statement

__all__ = ["EVENTS_OF_SESSIONS", "TABLES", "delete", "some"]

#: The tables in an order in which nothing is changed by a foreign key before it is deleted itself; the instant beside the scope in an index, and the long texts.
TABLES: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    "daily_logs": ("timestamp", ("event_data",)),
    "memory_entries": ("created_at", ("content", "metadata")),
    "sessions": ("started_at", ("summary",)),
}

_events = Table("daily_logs")
_ids = JsonEach("ids")


@cache
def some(table: str) -> Statement:
    """Read ``:limit`` rows of a table: of each its id, and about how long its texts are."""
    rows = Table(table)
    instant, (first, *others) = TABLES[table]
    size = Coalesce(Length(rows[first]), 0)
    for text in others:
        size += Coalesce(Length(rows[text]), 0)
    return statement(
        "erasing.some",
        Query.from_(rows)
        .select(rows.id, size)
        .where(rows.scope == param("scope"))
        .orderby(rows[instant])
        .orderby(rows.id)
        .limit(param("limit")),
    )


@cache
def delete(table: str) -> Statement:
    """Delete the rows of a table with the ids in a JSON array."""
    rows = Table(table)
    are_these = rows.id.isin(Query.from_(_ids).select(_ids.value))
    query = Query.from_(rows).delete().where(are_these).where(_also_in_scope(rows))
    return statement("erasing.delete", query)


def _also_in_scope(table: Table) -> Criterion:
    return Unindexed(table.scope) == param("scope")


#: The events of the sessions with the ids in a JSON array.
EVENTS_OF_SESSIONS: Final = statement(
    "erasing.events_of_sessions",
    Query.from_(_events)
    .delete()
    .where(_events.session_id.isin(Query.from_(_ids).select(_ids.value)))
    .where(_also_in_scope(_events)),
)
