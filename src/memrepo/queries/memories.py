"""Statements that read and change facts. Each is restricted to one scope."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Final

from pypika import Criterion, JoinType, Table
from pypika.queries import QueryBuilder
from pypika.terms import ExistsCriterion, NullValue, ValueWrapper

from memrepo.domain.conditions import CONTAINS
from memrepo.queries import builder
from memrepo.queries.builder import Query, Unindexed, ValueOf, param, statement
from memrepo.queries.coalescing import Values, coalescible, rows_by_number
from memrepo.queries.due import set_due
from memrepo.queries.facts import (
    COLUMNS,
    MEMORIES,
    SUCCESSOR,
    by_hash,
    by_id,
    current,
    in_scope,
    no_proposal,
    not_forgotten_yet,
    unexpired,
    was_forgotten_with_successor,
)
from memrepo.queries.remembering import HASH_VERSION
from memrepo.queries.statement import Statement

_holds = Table("memory_entries").as_("holder")

# --- one fact by its id ------------------------------------------------------------------------


def _get(query: QueryBuilder, value: ValueOf) -> QueryBuilder:
    return (
        query.select(*COLUMNS)
        .where(by_id(value=value))
        .where(MEMORIES.deleted_at.isnull())
        .where(unexpired(value=value))
    )


def _get_each(items: Values) -> QueryBuilder:
    # SQLite never reorders a cross join: https://sqlite.org/optoverview.html#manual_control_of_query_plans_using_cross_join
    query = Query.from_(items).select(items.number).join(MEMORIES, JoinType.cross).cross()
    return _get(query, items.value)


GET: Final = coalescible(
    statement("memories.get", _get(Query.from_(MEMORIES), param)),
    ("id", "scope", "now"),
    _get_each,
    rows_by_number,
)


@cache
def get_many(*, is_large: bool = False) -> Statement:
    """Read the facts with the ids in a JSON array, in any order, each once."""
    query = builder.by_ids(MEMORIES).select(*COLUMNS).where(in_scope())
    return statement(
        "memories.get_many",
        query.where(MEMORIES.deleted_at.isnull()).where(unexpired()),
        is_long=is_large,
    )


GET_UNEXPIRED: Final = statement(
    "memories.get_unexpired",
    Query.from_(MEMORIES).select(*COLUMNS).where(by_id()).where(unexpired()).where(no_proposal()),
)
GET_BY_HASH: Final = statement(
    "memories.get_by_hash",
    Query.from_(MEMORIES).select(*COLUMNS).where(by_hash()).where(current()),
)
TOUCH: Final = statement(
    "memories.touch",
    Query.update(MEMORIES)
    .set(MEMORIES.last_accessed, param("now"))
    .where(by_id())
    .where(MEMORIES.deleted_at.isnull())
    .where(unexpired())
    .returning(*COLUMNS),
)


@cache
def update(columns: frozenset[str]) -> Statement:
    """
    Set *columns* of one fact that is neither forgotten nor expired.

    Its content only together with its hash, and only if no other fact has that hash.
    """
    query = Query.update(MEMORIES)
    for name in sorted(columns - {"due_at"}):
        query = query.set(MEMORIES[name], param(name))
    if "due_at" in columns:
        query = set_due(query, param("due_at"))
    query = query.where(by_id()).where(MEMORIES.deleted_at.isnull()).where(unexpired())
    if "content_hash" in columns:
        query = query.set(MEMORIES.hash_version, ValueWrapper(HASH_VERSION))
        query = query.where(ExistsCriterion(other_holder("id")).negate())
    return statement("memories.update", query.returning(*COLUMNS))


def other_holder(name: str) -> QueryBuilder:
    """Find the fact other than the one whose id is bound by *name* that has ``:content_hash``, if there is one."""
    is_other = (_holds.content_hash == param("content_hash")) & (_holds.id != param(name))
    return Query.from_(_holds).select(_holds.id).where(is_other)


#: The fact other than ``:id`` that has ``:content_hash``, whatever its state. No two have the same hash.
HOLDER: Final = statement("memories.holder", other_holder("id").where(in_scope(_holds)))


# --- many facts --------------------------------------------------------------------------------


def _contains(n_patterns: int) -> Criterion:
    return Criterion.any(MEMORIES.content.glob(param(name)) for name in CONTAINS[:n_patterns])


# The index on last_accessed has another order than a page.
_last_accessed: Final = Unindexed(MEMORIES.last_accessed)

#: The conditions of a filter, by the name of their parameter (or, without one, a name of their own).
CONDITIONS: Final[Mapping[str, Callable[[], Criterion]]] = {
    "category": lambda: MEMORIES.category == param("category"),
    "source": lambda: MEMORIES.source == param("source"),
    "session_id": lambda: MEMORIES.session_id == param("session_id"),
    "slot": lambda: MEMORIES.slot == param("slot"),
    "created_from": lambda: MEMORIES.created_at >= param("created_from"),
    "created_before": lambda: MEMORIES.created_at < param("created_before"),
    "accessed_from": lambda: _last_accessed >= param("accessed_from"),
    "accessed_before": lambda: _last_accessed < param("accessed_before"),
    "due_from": lambda: MEMORIES.due_at >= param("due_from"),
    "due_before": lambda: MEMORIES.due_at < param("due_before"),
    "metadata": lambda: builder.has_pairs(MEMORIES.metadata, "metadata"),
    **{name: partial(_contains, n) for n, name in enumerate(CONTAINS, start=1)},
    "now": unexpired,
    "not_forgotten": MEMORIES.deleted_at.isnull,
    "not_proposed": no_proposal,
    "not_superseded": MEMORIES.superseded_by.isnull,
}
#: Those that an index answers, or that few facts do not meet. With another one, or with many facts to
#: pass over, all facts of the scope may be read.
_INDEXED: Final = frozenset(
    {
        "category",
        "session_id",
        "created_from",
        "created_before",
        "now",
        "not_forgotten",
        "not_superseded",
    }
)


def _where(conditions: frozenset[str]) -> list[Criterion]:
    return [in_scope(), *(make() for name, make in CONDITIONS.items() if name in conditions)]


@cache
def find_many(conditions: frozenset[str], *, after: bool, is_large: bool = False) -> Statement:
    """Read a page, newest first, by an index that ends with created_at."""
    return builder.page(
        "memories.find_many",
        Query.from_(MEMORIES).select(*COLUMNS),
        _where(conditions),
        by=MEMORIES.created_at,
        after=after,
        newest_first=True,
        is_long=is_large or not conditions <= _INDEXED,
    )


@cache
def count(conditions: frozenset[str]) -> Statement:
    """Count the facts of a filter."""
    return builder.count("memories.count", MEMORIES, _where(conditions))


@cache
def count_by(column: str, conditions: frozenset[str]) -> Statement:
    """Count the facts of a filter by the values of a column."""
    by = MEMORIES[column]
    return builder.count_by(f"memories.count_by_{column}", MEMORIES, by, _where(conditions))


@cache
def forgotten(*, after: bool, is_large: bool = False) -> Statement:
    """
    Read a page of facts forgotten since ``:deleted_from``, latest first, by the index on deleted_at.

    Without those that were forgotten together with their successor, and come back with it, unless it has expired.
    """
    return builder.page(
        "memories.forgotten",
        Query.from_(MEMORIES).select(*COLUMNS),
        [
            in_scope(),
            MEMORIES.deleted_at >= param("deleted_from"),
            no_proposal(),
            unexpired(),
            was_forgotten_with_successor(unexpired(SUCCESSOR)).negate(),
        ],
        by=MEMORIES.deleted_at,
        after=after,
        newest_first=True,
        is_long=is_large,
    )


FORGET_ALL: Final = statement(
    "memories.forget_all",
    Query.update(MEMORIES)
    .set(MEMORIES.deleted_at, param("now"))
    .set(MEMORIES.proposed_at, NullValue())
    .where(in_scope())
    .where(not_forgotten_yet()),
)
