"""
Build statements that run as one for several calls, and split the rows that they return.

When many tasks call the same method at once, one statement with a row of ``VALUES`` for each call takes a
third of the time that one statement for each call takes, because SQLite and the interpreter's lock are
entered only once. `memrepo.connection.coalescing` finds the calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from itertools import chain
from operator import itemgetter
from typing import Final, TypeAlias

import attrs
from pypika import Field, Table
from pypika.queries import QueryBuilder

from memrepo.domain.codec import MEMORY_COLUMNS, Row, Value
from memrepo.queries.builder import statement
from memrepo.queries.statement import BoundStatement, Statement, values_of

__all__ = [
    "SIZES",
    "CoalescibleStatement",
    "Values",
    "coalescible",
    "rows_by",
    "rows_by_hash",
    "rows_by_number",
    "rows_in_order",
]

#: How many calls one statement can run. Only a few sizes, so that each stays prepared; a larger one would
#: gain nothing more.
SIZES: Final = (64, 16, 4)

_HASH: Final = MEMORY_COLUMNS.index("content_hash")

#: Takes the statements that ran as one and the rows it returned; gives each its own rows.
Split: TypeAlias = Callable[[Sequence[BoundStatement], list[Row]], list[list[Row]]]


class Values(Table):
    """A table of placeholders: in each row its number from 0, then a value for each of the names."""

    def __init__(self, names: Sequence[str], n_rows: int) -> None:
        super().__init__("values", alias="item")
        self._names = tuple(names)
        #: The name of each placeholder, row after row.
        self.placeholders = [f"{name}_{row}" for row in range(n_rows) for name in names]
        #: The number of the row. SQLite names the columns: https://sqlite.org/lang_select.html
        self.number: Field = self.column1

    def value(self, name: str) -> Field:
        """Return the column that has the values of this name."""
        return self.field(f"column{self._names.index(name) + 2}")

    def get_sql(self, **kwargs: object) -> str:  # noqa: ARG002 - pypika's signature
        """Print the rows as a table."""
        width = len(self._names)
        texts = [f":{name}" for name in self.placeholders]
        starts = range(0, len(texts), width)
        rows = (f"({n},{','.join(texts[at : at + width])})" for n, at in enumerate(starts))
        return f"(VALUES {','.join(rows)}) `item`"


@attrs.frozen
class _Many:
    """One statement for a number of calls."""

    statement: Statement
    placeholders: Sequence[str]


@attrs.frozen
class CoalescibleStatement(Statement):
    """A statement that can run once for several calls, each with values of its own."""

    _many: Callable[[int], _Many] = attrs.field(kw_only=True, repr=False, eq=False)
    _row: Callable[[Mapping[str, Value]], tuple[Value, ...]] = attrs.field(
        kw_only=True, repr=False, eq=False
    )
    _split: Split = attrs.field(kw_only=True, repr=False, eq=False)
    #: The names whose values no two calls may share that run as one.
    apart: Sequence[str] = attrs.field(default=(), kw_only=True, repr=False, eq=False)

    def for_many(self, n_calls: int) -> Statement:
        """Return the statement that runs *n_calls* calls at once, one of `SIZES`."""
        return self._many(n_calls).statement

    def coalesce(self, bound: Sequence[BoundStatement]) -> BoundStatement:
        """Return the one statement that does what *bound* would do one after another."""
        many = self._many(len(bound))
        rows = (self._row(one.parameters) for one in bound)
        values = dict(zip(many.placeholders, chain.from_iterable(rows), strict=True))
        return BoundStatement(many.statement, values)

    def split(self, bound: Sequence[BoundStatement], rows: list[Row]) -> list[list[Row]]:
        """Return the rows of each of *bound*, which ran as one."""
        return self._split(bound, rows)


def coalescible(
    single: Statement,
    names: Sequence[str],
    build: Callable[[Values], QueryBuilder],
    split: Split,
    *,
    apart: Sequence[str] = (),
) -> CoalescibleStatement:
    """
    Return *single*, with *build* to make it for several rows of values of *names*.

    Of several statements of a unit, each runs for all calls before the next does. So what one call's may change
    must not matter to another's: *apart* has the names whose values tell that.
    """

    @cache
    def many(n_calls: int) -> _Many:
        items = Values(names, n_calls)
        return _Many(statement(single.name, build(items)), items.placeholders)

    return CoalescibleStatement(
        single.name,
        single.sql,
        returns_little=single.returns_little,
        many=many,
        row=values_of(names),
        split=split,
        apart=apart,
    )


# --- splitting the rows of a result, which may come in any order --------------------------------


def rows_by_number(bound: Sequence[BoundStatement], rows: list[Row]) -> list[list[Row]]:
    """Split rows that begin with the number of the statement they are for."""
    found: list[list[Row]] = [[] for _ in bound]
    for row in rows:
        found[row[0]].append(row[1:])
    return found


def rows_in_order(_bound: Sequence[BoundStatement], rows: list[Row]) -> list[list[Row]]:
    """Split rows that hold only a new id, one for each statement: ids grow in the statements' order."""
    return [[row] for row in sorted(rows)]


def rows_by(column: str) -> Split:
    """Return what splits facts by a column whose value no two statements share; a statement may have several."""
    place = MEMORY_COLUMNS.index(column)

    def split(bound: Sequence[BoundStatement], rows: list[Row]) -> list[list[Row]]:
        found: dict[Value, list[Row]] = {}
        for row in rows:
            found.setdefault(row[place], []).append(row)
        return [found.get(one.parameters[column], []) for one in bound]

    return split


def rows_by_hash(bound: Sequence[BoundStatement], rows: list[Row]) -> list[list[Row]]:
    """
    Split facts by their hash; a statement may have none.

    Each row ends with how often the fact was restated: if several state the same fact, in this order.
    """
    hashes = [one.parameters["content_hash"] for one in bound]
    one_each = {row[_HASH]: [row] for row in rows}
    if len(one_each) == len(bound):  # the usual case: no fact is stated twice, and none was gone
        return [one_each[content_hash] for content_hash in hashes]
    found: dict[Value, list[Row]] = {}
    for row in sorted(rows, key=itemgetter(-1), reverse=True):
        found.setdefault(row[_HASH], []).append(row)
    own: Iterable[list[Row] | None] = map(found.get, hashes)
    return [[same.pop()] if same else [] for same in own]
