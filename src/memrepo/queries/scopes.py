"""Statements that list the scopes of a database, and what each has."""

from __future__ import annotations

from functools import cache
from typing import Final

from pypika import Table
from pypika.functions import Count, Max, Min
from pypika.terms import Term

from memrepo.queries.builder import Query, Scalar, param
from memrepo.queries.facts import MEMORIES, proposal
from memrepo.queries.statement import Statement

__all__ = ["page"]

_found = Table("found")
#: The tables that have scopes, and the instant that stands beside the scope in an index.
_INSTANTS: Final = {
    MEMORIES: "created_at",
    Table("sessions"): "started_at",
    Table("daily_logs"): "timestamp",
}


@cache
def page(*, after: bool) -> Statement:
    """
    Read a page of scopes, in the order of their texts.

    Each is found by one look into each table's index on (scope, instant), so that the rows in between
    are not read: https://sqlite.org/lang_with.html. Only counting goes through a scope's index entries.

    Returns:
        Of each scope its name, the numbers of its facts, sessions and events, and the latest instants
        of these.
    """
    first = _lowest(after=param("after") if after else None)
    then = _lowest(after=_found.scope)
    entries = Query.from_(_found).select(_found.scope, *_counts(), *_latest())
    return Statement(
        "scopes.page",
        " ".join(
            (
                f"WITH RECURSIVE `found`(`scope`) AS (SELECT {first} UNION ALL SELECT {then}",
                "FROM `found` WHERE `found`.`scope` IS NOT NULL LIMIT :limit)",
                entries.where(_found.scope.notnull()).get_sql(),
            )
        ),
        is_long=True,
    )


def _lowest(*, after: Term | None) -> str:
    """Return a term for the lowest scope of all tables, or for the next one *after* another."""
    queries = [Query.from_(table).select(Min(table.scope).as_("lowest")) for table in _INSTANTS]
    if after is not None:
        queries = [
            query.where(table.scope > after)
            for query, table in zip(queries, _INSTANTS, strict=True)
        ]
    each = " UNION ALL ".join(query.get_sql() for query in queries)
    return " ".join(("(SELECT min(`lowest`)", "FROM", f"({each}))"))


def _counts() -> list[Term]:
    facts, *others = (_of_scope(table, Count("*")) for table in _INSTANTS)
    # Proposals are no facts yet. To tell them apart in the first count, it would have to read every row.
    return [facts - _n_proposals(), *others]


def _n_proposals() -> Term:
    query = Query.from_(MEMORIES).select(Count("*")).where(proposal())
    return Scalar(query.where(MEMORIES.scope == _found.scope))


def _latest() -> list[Scalar]:
    return [_of_scope(table, Max(table[instant])) for table, instant in _INSTANTS.items()]


def _of_scope(table: Table, value: Term) -> Scalar:
    return Scalar(Query.from_(table).select(value).where(table.scope == _found.scope))
