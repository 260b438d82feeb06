"""Statements that delete everything of one scope, some rows at a time."""

from __future__ import annotations

from typing import Final

from pypika import Table
from pypika.queries import QueryBuilder

from memrepo.queries.builder import Query, Unindexed, param, statement
from memrepo.queries.facts import MEMORIES
from memrepo.queries.statement import Statement

__all__ = ["EVENTS", "FACTS", "SESSIONS", "SESSIONS_EVENTS"]

_s = Table("sessions")
_d = Table("daily_logs")


def _some(table: Table) -> QueryBuilder:
    return (
        Query.from_(table)
        .select(table.id)
        .where(table.scope == param("scope"))
        .limit(param("limit"))
    )


def _delete_some(name: str, table: Table, by: str) -> Statement:
    # In the order of an index, so that several statements of a unit mean the same rows.
    some = _some(table).orderby(table[by]).orderby(table.id)
    return statement(name, Query.from_(table).delete().where(table.id.isin(some)))


EVENTS: Final = _delete_some("erasing.events", _d, "timestamp")
FACTS: Final = _delete_some("erasing.facts", MEMORIES, "created_at")
SESSIONS: Final = _delete_some("erasing.sessions", _s, "started_at")
#: The events of the sessions that `SESSIONS` deletes: what was appended since `EVENTS` found no more.
SESSIONS_EVENTS: Final = statement(
    "erasing.sessions_events",
    Query.from_(_d)
    .delete()
    .where(_d.session_id.isin(_some(_s).orderby(_s.started_at).orderby(_s.id)))
    .where(Unindexed(_d.scope) == param("scope")),
)
