"""Statements that find and correct instants in another spelling than ours, across all scopes."""

from __future__ import annotations

from functools import cache
from typing import Final

from pypika import Criterion, Field, Table
from pypika.queries import QueryBuilder
from pypika.terms import CustomFunction, ExistsCriterion

from memrepo.queries.builder import JsonEach, Query, json_item, param, statement
from memrepo.queries.statement import Statement

__all__ = ["HAS_OTHER", "INSTANTS", "is_instant", "other", "respell"]

#: The columns that are instants, by table, in the order in which the partial indexes name them.
INSTANTS: Final = {
    "memory_entries": (
        *("created_at", "last_accessed", "expires_at", "deleted_at"),
        *("proposed_at", "pinned_at", "due_at", "surfaced_at"),
    ),
    "sessions": ("started_at", "ended_at", "active_at", "summarized_until"),
    "daily_logs": ("timestamp",),
}
#: ``2026-02-02T14:16:24.123Z``, as the indexes have it: their statements must say it in the same words.
_OURS: Final = "????-??-??T??:??:??.???Z"

_date = CustomFunction("date", ["instant", "modifier"])
_substr = CustomFunction("substr", ["text", "first", "length"])


def _is_ours(column: Field) -> Criterion:
    """Is spelt as ours, so that the order of texts is that of time."""
    return column.glob(_OURS)


def is_instant(column: Field) -> Criterion:
    """Is spelt as ours, and means something: not the 30th of February, nor hour 24, nor year 0."""
    # A modifier makes SQLite count on into the next month or day; what it cannot read is NULL.
    day = _date(column, "+0 days")
    return _is_ours(column) & (day == _substr(column, 1, len("2026-02-02"))) & (day >= "0001")


def _other(rows: Table, table: str) -> QueryBuilder:
    """Begin a query for the rows after ``:after`` with an instant in another spelling, by their partial index."""
    is_other = Criterion.any(_is_ours(rows[name]).negate() for name in INSTANTS[table])
    return Query.from_(rows).where(is_other).where(rows.id > param("after"))


@cache
def other(table: str) -> Statement:
    """
    Read the next ``:limit`` rows after ``:after`` with an instant in another spelling.

    Returns:
        Of each row its id and its instants, by the partial index of these rows.
    """
    rows = Table(table)
    return statement(
        "spelling.other",
        _other(rows, table)
        .select(rows.id, *(rows[name] for name in INSTANTS[table]))
        .orderby(rows.id)
        .limit(param("limit")),
    )


def _any_other(table: str) -> ExistsCriterion:
    rows = Table(table)
    return ExistsCriterion(_other(rows, table).select(1))


#: For each table of `INSTANTS`, whether `other` would read a row: 1 or 0.
HAS_OTHER: Final = statement("spelling.has_other", Query.select(*map(_any_other, INSTANTS)))


@cache
def respell(table: str, column: str) -> Statement:
    """Correct a column; ``:batch`` is a JSON array of [id, text that it had, text that it gets]."""
    rows, items = Table(table), JsonEach("batch")
    return statement(
        "spelling.respell",
        Query.update(rows)
        .set(rows[column], json_item(items, 2))
        .from_(items)
        .where(rows.id == json_item(items, 0))
        # Another program may have changed it since it was read.
        .where(rows[column] == json_item(items, 1)),
    )
