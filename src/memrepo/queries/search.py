"""Statements that search: which rows have a word, and what was told around them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import Any, Final

import attrs
from pypika import Case, Criterion, Field, JoinType, Order, Table
from pypika.functions import Count, Substring
from pypika.queries import QueryBuilder
from pypika.terms import CustomFunction, LiteralValue, Term, Tuple

from memrepo.domain.codec import DAILY_LOG_COLUMNS
from memrepo.queries import daily_logs, memories, sessions
from memrepo.queries.builder import (
    JsonEach,
    Query,
    Scalar,
    Unindexed,
    columns_of,
    param,
    statement,
)
from memrepo.queries.facts import COLUMNS, MEMORIES, current, visible
from memrepo.queries.indexing import index_table, n_pending
from memrepo.queries.statement import Statement

__all__ = [
    "EVENTS",
    "FACTS",
    "SUMMARIES",
    "InScope",
    "Matches",
    "Searched",
    "around",
    "latest",
    "newest",
    "postings",
]

#: Characters at the beginning of a text, in which its subject is looked for.
_HEAD: Final = 64

#: Where the first space stands, counted from 1, if only a mark stands before it.
_WITH_A_MARK: Final = 2

_instr = CustomFunction("instr", ["text", "part"])
_json_group_array = CustomFunction("json_group_array", ["value"])
_json_group_object = CustomFunction("json_group_object", ["name", "value"])
_hex = CustomFunction("hex", ["text"])
_typeof = CustomFunction("typeof", ["value"])


@attrs.frozen(eq=False)
class Searched:
    """A table that can be searched."""

    table: Table
    #: The column with the instant at which a row was told.
    told_at: str
    columns: tuple[Term, ...]
    #: The column with the text as the index has it; ``None`` if the index makes another of it.
    text: str | None
    #: The conditions of a filter, by their names.
    conditions: Mapping[str, Callable[[], Criterion]]
    #: Which rows are in the index.
    can_be_found: Callable[[Table], Criterion]
    #: Which of them can be returned, and lend their words to others.
    is_current: Callable[[Table], Criterion]

    @property
    def name(self) -> str:
        """The table's name."""
        return str(self.table.get_table_name())

    @property
    def index(self) -> str:
        """The name of the full-text index beside it."""
        return index_table(self.name)

    def where(self, conditions: Iterable[str]) -> Criterion:
        """Meets a filter, and can be found."""
        filters = (self.conditions[name]() for name in sorted(conditions))
        return Criterion.all([self.can_be_found(self.table), *filters])


def _has(column: str) -> Callable[[Table], Criterion]:
    return lambda table: table[column].notnull()


FACTS: Final = Searched(
    MEMORIES, "created_at", (*COLUMNS,), "content", memories.CONDITIONS, visible, current
)
EVENTS: Final = Searched(
    Table("daily_logs"),
    "timestamp",
    (*columns_of(Table("daily_logs"), DAILY_LOG_COLUMNS),),
    None,
    daily_logs.CONDITIONS,
    _has("event_data"),
    _has("event_data"),
)
SUMMARIES: Final = Searched(
    Table("sessions"),
    "started_at",
    sessions.COLUMNS,
    "summary",
    sessions.CONDITIONS,
    _has("summary"),
    _has("summary"),
)


class InScope(Term):
    """
    A full-text query for the rows of ``:scope`` among those of another query.

    Where all rows are of this scope, the other query alone does, in a fifth of the time. ``:in_scope`` is
    `scope_query` of it.
    """

    def __init__(self, table: str, query: Term) -> None:
        super().__init__()
        self._table = table
        self._query = query

    def get_sql(self, **kwargs: Any) -> str:  # noqa: ARG002 - pypika's signature
        """Print the query, put together by SQLite."""
        ends = (f"(SELECT {end}(`scope`) FROM `{self._table}`)" for end in ("min", "max"))  # noqa: S608
        is_alone = " AND ".join(f"{end}=:scope" for end in ends)
        query = self._query.get_sql(quote_char="`")
        return f"CASE WHEN {is_alone} THEN '' ELSE :in_scope||' AND ' END||{query}"


class Matches(Table):
    """
    The rows of a full-text index that match a query: their ``rowid`` is the id of the row.

    Source: https://sqlite.org/fts5.html, "Full-text Query Syntax": a table-valued function.
    """

    def __init__(self, index: str, query: Term) -> None:
        super().__init__(index, alias="match")
        self._query = query

    def get_sql(self, **kwargs: Any) -> str:  # noqa: ARG002 - pypika's signature
        """Print the index as a function of the query."""
        return f"`{self._table_name}`({self._query.get_sql(quote_char='`')}) `{self.alias}`"


# --- which rows have a word --------------------------------------------------------------------


@cache
def postings(source: Searched, conditions: frozenset[str] | None) -> Statement:
    """
    Read, for each full-text query of a JSON array, the ids that it finds, at most ``:most``, the lowest first.

    The first row has also the id of the newest row of the scope; what the newest texts begin with, as hexadecimal
    digits, and how many of them, a JSON object; and how many rows of the table the index has yet to take in.

    Args:
        source: The table.
        conditions: Those of the filter; ``None`` to look at the index alone.
    """
    word = JsonEach("words", "word")
    found = _found(source, word.value, conditions).limit(param("most")).as_("found")
    ids = Query.from_(found).select(_json_group_array(found.id))
    is_first = word.key == 0
    highest = Query.from_(source.table).select(source.table.id)
    highest = highest.where(source.table.scope == param("scope"))
    highest = _in_order(highest, source, source.table, Order.desc).limit(1)
    query = Query.from_(word).select(
        Scalar(ids),
        Case().when(is_first, Scalar(highest)),
        Case().when(is_first, Scalar(_beginnings(source))),
        Case().when(is_first, LiteralValue(n_pending(source.name))),
    )
    return statement(f"{_prefix(source)}.postings", query.orderby(word.key), is_long=True)


def _found(source: Searched, query: Term, conditions: frozenset[str] | None) -> QueryBuilder:
    match = Matches(source.index, InScope(source.name, query))
    found = Query.from_(match).select(match.rowid.as_("id"))
    if conditions is None:
        return found
    table = source.table
    found = found.join(table, JoinType.cross).cross().where(table.id == match.rowid)
    return found.where(Unindexed(table.scope) == param("scope")).where(source.where(conditions))


def _beginnings(source: Searched) -> QueryBuilder:
    table = source.table
    newest = Query.from_(table).where(table.scope == param("scope"))
    newest = newest.where(source.can_be_found(table))
    newest = _in_order(newest, source, table, Order.desc).limit(param("n_beginnings"))
    if source.text is None:
        newest = newest.select(table.id).as_("newest")
        text = Table(source.index).as_("text")
        heads = Query.from_(newest).join(text, JoinType.cross).cross()
        heads = heads.where(text.rowid == newest.id).select(_head(text.text))
    else:
        text = table[source.text]
        heads = newest.where(_typeof(text) == "text").select(_head(text))
    heads = heads.as_("beginning")
    space = _instr(heads.head, " ")
    # As `first_token` has it: many begin with the same one, and are told by one.
    first = Case().when(space > _WITH_A_MARK, Substring(heads.head, 1, space - 1))
    # As hexadecimal digits of UTF-8, because what another program has stored may be no text.
    digits = _hex(first.else_(heads.head)).as_("digits")
    counts = Query.from_(heads).select(digits, Count("*").as_("n_rows"))
    counts = counts.groupby(Field("digits")).as_("counted")
    return Query.from_(counts).select(_json_group_object(counts.digits, counts.n_rows))


def _head(text: Field) -> Term:
    return Substring(text, 1, _HEAD).as_("head")


@cache
def latest(source: Searched, conditions: frozenset[str]) -> Statement:
    """Read the ids that one full-text query finds, the highest first, at most ``:most``."""
    found = _found(source, param("query"), conditions)
    query = found.orderby(Field("rowid", table=Table("match")), order=Order.desc)
    return statement(f"{_prefix(source)}.latest", query.limit(param("most")), is_long=True)


# --- what was told around them -----------------------------------------------------------------


@cache
def around(source: Searched, conditions: frozenset[str]) -> Statement:
    """
    Read the rows with the ids of two JSON arrays, and so many rows told before and after each.

    They are ``:ids`` and ``:n_near``, ``:other_ids`` and ``:n_near_others``. Each row comes once, with whether it
    meets the filter; in any order.
    """
    ids = _around(source, "ids", "n_near").get_sql()
    others = _around(source, "other_ids", "n_near_others").get_sql()
    rows = Query.from_(source.table).select(*source.columns, _meets(source, conditions)).get_sql()
    sql = f"{rows} WHERE `id` IN ({ids} UNION ALL {others})"
    return Statement(f"{_prefix(source)}.around", sql, is_long=True)


def _meets(source: Searched, conditions: frozenset[str]) -> Case:
    return Case().when(source.where(conditions), 1).else_(0)


def _around(source: Searched, ids: str, n_near: str) -> QueryBuilder:
    """Find the ids of the chosen rows, and of those told before and after each; some come more than once."""
    item, centre = JsonEach(ids), Table(source.name).as_("centre")
    sides = (_near(source, centre, order).limit(param(n_near)) for order in (Order.desc, Order.asc))
    before, after = (side.as_("side") for side in sides)
    # Parentheses around each would not be SQLite's.
    both = Query.from_(before, wrap_set_operation_queries=False).select(before.id)
    both = both.union_all(Query.from_(after).select(after.id)).union_all(Query.select(centre.id))
    found = Query.from_(both.as_("found")).select(_json_group_array(Field("id")))
    near = JsonEach(Scalar(found), "near")
    query = Query.from_(item).join(centre, JoinType.cross).cross().join(near, JoinType.cross)
    query = query.cross().select(near.value).where(centre.id == item.value)
    query = query.where(Unindexed(centre.scope) == param("scope"))
    return query.where(source.is_current(centre))


def _near(source: Searched, centre: Table, order: Order) -> QueryBuilder:
    other = Table(source.name).as_("other")
    at, here = Tuple(other[source.told_at], other.id), Tuple(centre[source.told_at], centre.id)
    found = Query.from_(other).select(other.id).where(other.scope == param("scope"))
    found = found.where(source.is_current(other))
    found = found.where(at < here if order is Order.desc else at > here)
    return _in_order(found, source, other, order)


# --- without an index --------------------------------------------------------------------------


@cache
def newest(source: Searched, conditions: frozenset[str]) -> Statement:
    """Read the newest ``:most`` rows of the scope, each with whether it meets the filter."""
    table = source.table
    query = (
        Query.from_(table)
        .select(*source.columns, _meets(source, conditions))
        .where(table.scope == param("scope"))
    )
    query = query.where(source.is_current(table))
    query = _in_order(query, source, table, Order.desc).limit(param("most"))
    return statement(f"{_prefix(source)}.newest", query, is_long=True)


def _in_order(query: QueryBuilder, source: Searched, table: Table, order: Order) -> QueryBuilder:
    by_time = query.orderby(table[source.told_at], order=order)
    return by_time.orderby(table.id, order=order)


def _prefix(source: Searched) -> str:
    return f"search.{source.name}"
