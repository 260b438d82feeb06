"""Adapt pypika to the SQL that SQLite and libSQL share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, TypeAlias

from pypika import Case, Criterion, Field, JoinType, Order, Parameter, Table
from pypika.dialects import PostgreSQLQuery, PostgreSQLQueryBuilder
from pypika.functions import Count
from pypika.queries import QueryBuilder
from pypika.terms import CustomFunction, ExistsCriterion, Term, Tuple
from pypika.utils import builder

from memrepo.queries.statement import Statement

__all__ = [
    "JsonEach",
    "Query",
    "Scalar",
    "Unindexed",
    "ValueOf",
    "by_ids",
    "columns_of",
    "count",
    "count_by",
    "has_pairs",
    "json_item",
    "json_valid",
    "page",
    "param",
    "statement",
]

#: Returns the term for the value of this name: a placeholder, or a column that holds it.
ValueOf: TypeAlias = Callable[[str], Term]

_json_extract = CustomFunction("json_extract", ["json", "path"])
json_valid = CustomFunction("json_valid", ["json"])
#: What ``json_each`` calls the types of numbers.
_NUMBER_TYPES: Final = ("integer", "real")


class _Builder(PostgreSQLQueryBuilder):
    """
    PostgreSQL's builder, because it has ``RETURNING``, as SQLite has, with three changes.

    It quotes with backticks, because SQLite takes a misspelled ``"column"`` for a string. It has
    ``INSERT OR IGNORE``: pypika's SQLite dialect prints MySQL's ``INSERT IGNORE`` (kayak/pypika #628). And it leaves it to
    SQLite to refuse what ``RETURNING`` cannot return: pypika looks at each column, whenever memrepo is imported.
    """

    QUOTE_CHAR = "`"
    ALIAS_QUOTE_CHAR = "`"

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._or_ignore = False

    @builder
    def or_ignore(self) -> None:
        self._or_ignore = True

    def _validate_returning_term(self, term: Term) -> None:
        """Accept any."""

    def _insert_sql(self, **kwargs: Any) -> str:
        sql: str = super()._insert_sql(**kwargs)
        return sql.replace("INSERT", "INSERT OR IGNORE", 1) if self._or_ignore else sql


class Query(PostgreSQLQuery):
    """Begins every statement: ``Query.from_``, ``Query.into``, ``Query.update``."""

    @classmethod
    def _builder(cls, **kwargs: Any) -> _Builder:
        return _Builder(**kwargs)


class JsonEach(Table):
    """
    The rows of a JSON array, a ``value`` for each item and its index as ``key``, or those of an object.

    The JSON is that of a parameter, by its name, or of another term.
    """

    def __init__(self, source: str | Term, alias: str = "item") -> None:
        super().__init__("json_each", alias=alias)
        self._source = param(source) if isinstance(source, str) else source

    def get_sql(self, **kwargs: Any) -> str:  # noqa: ARG002 - pypika's signature
        """Print the table-valued function with what it reads."""
        return f"json_each({self._source.get_sql(quote_char='`')}) `{self.alias}`"


class Scalar(Term):
    """A query for one value; pypika itself leaves out its parentheses in SET and in functions."""

    def __init__(self, query: QueryBuilder) -> None:
        super().__init__()
        self._query = query

    def get_sql(self, **kwargs: Any) -> str:  # noqa: ARG002 - pypika's signature
        """Print the query in parentheses."""
        return f"({self._query.get_sql()})"


class Unindexed(Term):
    """
    A column that the planner must not look up in an index: ``+column``.

    See https://sqlite.org/optoverview.html#disqualifying_where_clause_terms_using_unary_
    """

    def __init__(self, field: Field) -> None:
        super().__init__()
        self._field = field

    def get_sql(self, **kwargs: Any) -> str:
        """Print the column with a unary plus."""
        return f"+{self._field.get_sql(**kwargs)}"


def param(name: str) -> Parameter:
    """Return a new placeholder: pypika's keep state, so each use needs its own."""
    return Parameter(f":{name}")


def json_item(items: JsonEach, position: int) -> Term:
    """Return the term for element *position* of each of *items*, which are arrays themselves."""
    return _json_extract(items.value, f"$[{position}]")


def columns_of(table: Table, names: Iterable[str]) -> list[Field]:
    """Return the columns of *table* with these names, in their order."""
    return [table[name] for name in names]


def has_pairs(column: Field, parameter: str) -> Criterion:
    """
    Tell whether JSON text in *column* is an object with all the pairs of one that is bound.

    Their values are no objects or arrays. ``1`` and ``1.0`` are equal, ``1`` and ``true`` are not.
    """
    wanted = JsonEach(parameter, "wanted")
    # The function fails at text that is not JSON, as another program may have stored it.
    readable = Case().when(json_valid(column), column)
    pair = JsonEach(readable, "pair")
    same_type = (pair.type == wanted.type) | (
        pair.type.isin(_NUMBER_TYPES) & wanted.type.isin(_NUMBER_TYPES)
    )
    found = (
        Query.from_(pair)
        .select(1)
        .where(pair.key == wanted.key)
        .where(same_type)
        .where((pair.atom == wanted.atom) | (wanted.type == "null"))
    )
    lacking = Query.from_(wanted).select(1).where(ExistsCriterion(found).negate())
    return ExistsCriterion(lacking).negate()


def by_ids(table: Table) -> QueryBuilder:
    """
    Begin a query of the rows of *table* that have one of the ids in a JSON array, ``:ids``.

    SQLite never reorders a cross join, so that each id is looked up by the primary key:
    https://sqlite.org/optoverview.html#manual_control_of_query_plans_using_cross_join
    """
    ids = JsonEach("ids")
    return Query.from_(ids).join(table, JoinType.cross).cross().where(table.id == ids.value)


def statement(
    name: str, query: QueryBuilder, *, returns_little: bool = False, is_long: bool = False
) -> Statement:
    """Return *query* as a statement."""
    sql = query.get_sql()
    # Where a part is missing, pypika prints an empty text without an error, and SQLite accepts it.
    if not sql:
        raise ValueError(f"{name} is empty")
    return Statement(name, sql, returns_little=returns_little, is_long=is_long)


def page(
    name: str,
    query: QueryBuilder,
    conditions: Iterable[Criterion],
    *,
    by: Field,
    after: bool,
    newest_first: bool,
    is_long: bool,
) -> Statement:
    """Read the next ``:limit`` rows in the order of (*by*, id), *after* a position or from the start."""
    order = Order.desc if newest_first else Order.asc
    number = by.table.id
    query = query.where(Criterion.all(conditions))
    if after:
        position = Tuple(by, number)
        bound = Tuple(param("after_instant"), param("after_id"))
        query = query.where(position < bound if newest_first else position > bound)
    query = query.orderby(by, order=order).orderby(number, order=order).limit(param("limit"))
    return statement(name, query, is_long=is_long)


def count_by(name: str, table: Table, column: Field, conditions: Iterable[Criterion]) -> Statement:
    """Count the rows for each value of *column*, in any order."""
    return statement(
        name,
        Query.from_(table)
        .select(column, Count("*"))
        .where(Criterion.all(conditions))
        .groupby(column),
        is_long=True,
    )


def count(name: str, table: Table, conditions: Iterable[Criterion]) -> Statement:
    """Count the rows of *table* for which all *conditions* hold."""
    query = Query.from_(table).select(Count("*")).where(Criterion.all(conditions))
    return statement(name, query, is_long=True)
