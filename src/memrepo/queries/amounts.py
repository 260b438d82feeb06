"""Statements of the page to look at a memory that count: at most so many rows, or those of a range of an index."""

from __future__ import annotations

from functools import cache
from typing import Final

from pypika import Order, Table
from pypika.functions import Count
from pypika.queries import QueryBuilder
from pypika.terms import Term

from memrepo.queries.builder import JsonEach, Query, Scalar, by_ids, json_item, param, statement
from memrepo.queries.facts import MEMORIES, in_scope
from memrepo.queries.statement import Statement

__all__ = [
    "CATEGORIES",
    "COUNTS_BY_SESSION",
    "FIRST_AND_LAST",
    "IN_RANGES",
    "OF_CATEGORY",
    "ROWS",
    "SOURCES",
    "bounded",
    "one_line",
    "scopes",
]

_log: Final = Table("daily_logs")
_sessions: Final = Table("sessions")


def one_line(name: str, sql: str) -> Statement:
    """Return a statement whose text was laid out for its reader."""
    return Statement(name, " ".join(sql.split()))


def bounded(rows: QueryBuilder) -> Scalar:
    """Return how many rows there are, at most ``:most``."""
    return Scalar(Query.from_(rows.limit(param("most")).as_("part")).select(Count("*")))


#: The categories of a scope, each by one look into the index on (scope, category, created_at).
CATEGORIES: Final = one_line(
    "amounts.categories",
    """
    WITH RECURSIVE `found`(`name`) AS (
        SELECT min(`category`) FROM `memory_entries` WHERE `scope`=:scope
        UNION ALL
        SELECT (SELECT min(`category`) FROM `memory_entries` WHERE `scope`=:scope AND `category`>`name`)
        FROM `found` WHERE `name` IS NOT NULL
        LIMIT :limit
    )
    SELECT `name` FROM `found` WHERE `name` IS NOT NULL
    """,
)
#: The sources of the latest ``:window`` facts of a scope.
SOURCES: Final = one_line(
    "amounts.sources",
    """
    SELECT DISTINCT `source` FROM (
        SELECT `source` FROM `memory_entries` WHERE `scope`=:scope
        ORDER BY `created_at` DESC, `id` DESC LIMIT :window
    ) AS `newest` ORDER BY `source` LIMIT :limit
    """,
)
OF_CATEGORY: Final = statement(
    "amounts.of_category",
    Query.from_(MEMORIES)
    .select(Count("*"))
    .where(in_scope())
    .where(MEMORIES.category == param("category")),
    is_long=True,
)


def _of_session(table: Table) -> Scalar:
    return bounded(Query.from_(table).select(1).where(table.session_id == _sessions.id))


#: Of each session in a JSON array of ids: how many events and facts it has, each at most ``:most``.
COUNTS_BY_SESSION: Final = statement(
    "amounts.counts_by_session",
    by_ids(_sessions)
    .select(_sessions.id, _of_session(_log), _of_session(MEMORIES))
    .where(in_scope(_sessions)),
)


_SCOPES: Final = """
WITH RECURSIVE `found`(`scope`) AS (
    SELECT (SELECT min(`lowest`) FROM ({first}) AS `part`)
    UNION ALL
    SELECT (SELECT min(`lowest`) FROM ({then}) AS `part`) FROM `found` WHERE `found`.`scope` IS NOT NULL
    LIMIT :limit
)
SELECT `scope`, {counts} FROM `found` WHERE `scope` IS NOT NULL
"""
_LOWEST: Final = "SELECT min(`scope`) AS `lowest` FROM `{table}`{where}"
_COUNT: Final = "(SELECT count(*) FROM (SELECT 1 FROM `{table}` WHERE `scope`=`found`.`scope` LIMIT :most) AS `part`)"
_TABLES: Final = ("memory_entries", "sessions", "daily_logs")


@cache
def scopes(*, after: bool) -> Statement:
    """Read a page of scopes, in the order of their texts, and how much each has, at most ``:most`` of each table."""

    def lowest(where: str) -> str:
        return " UNION ALL ".join(_LOWEST.format(table=table, where=where) for table in _TABLES)

    return one_line(
        "amounts.scopes",
        _SCOPES.format(
            first=lowest(" WHERE `scope` > :after" if after else ""),
            then=lowest(" WHERE `scope` > `found`.`scope`"),
            counts=", ".join(_COUNT.format(table=table) for table in _TABLES),
        ),
    )


# --- how it grew --------------------------------------------------------------------------------

#: A table, and the instant by which its rows are counted.
_GROWING: Final = {"facts": (MEMORIES, MEMORIES.created_at), "events": (_log, _log.timestamp)}
_ranges: Final = JsonEach("ranges")


def _in_ranges(what: str) -> Statement:
    table, instant = _GROWING[what]
    found = Query.from_(table).select(Count("*")).where(in_scope(table))
    found = found.where(instant >= json_item(_ranges, 0)).where(instant < json_item(_ranges, 1))
    query = Query.from_(_ranges).select(_ranges.key, Scalar(found))
    return statement(f"amounts.{what}_in_ranges", query, is_long=True)


def _first_and_last(what: str) -> Statement:
    table, instant = _GROWING[what]

    def end(order: Order) -> Term:
        query = Query.from_(table).select(instant).where(in_scope(table))
        return Scalar(query.orderby(instant, order=order).limit(1))

    return statement(f"amounts.ends_of_{what}", Query.select(end(Order.asc), end(Order.desc)))


#: How many rows of a scope are in each of a JSON array of ranges of instants, by the index on both.
IN_RANGES: Final = {what: _in_ranges(what) for what in _GROWING}
#: The instants of the first and the last.
FIRST_AND_LAST: Final = {what: _first_and_last(what) for what in _GROWING}
#: How many rows a table has, of all scopes.
ROWS: Final = {
    table.get_table_name(): statement(
        f"amounts.rows_of_{table.get_table_name()}",
        Query.from_(table).select(Count("*")),
        is_long=True,
    )
    for table in (MEMORIES, _sessions, _log)
}
