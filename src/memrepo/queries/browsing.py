"""
Statements of the page to look at a memory. Each reads a bounded number of rows, however many there are.

A list of facts goes through an index. What no index answers, as the source of a fact, is looked for in a window of it:
`edge` finds where the window ends, and `page` reads what is wanted in between.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Final, Literal, TypeAlias, get_args

import attrs
from pypika import Criterion, Order
from pypika.queries import QueryBuilder
from pypika.terms import EmptyCriterion, Field, Tuple, ValueWrapper

from memrepo.domain.codec import MEMORY_COLUMNS
from memrepo.queries.amounts import bounded, one_line
from memrepo.queries.builder import Query, param, statement
from memrepo.queries.facts import (
    COLUMNS,
    MEMORIES,
    also_in_scope,
    by_id,
    in_scope,
    no_proposal,
    proposal,
    unexpired,
    visible,
)
from memrepo.queries.statement import Statement

__all__ = [
    "COUNTED",
    "FACT",
    "PREDECESSORS",
    "STATES",
    "SUCCESSOR",
    "SUCCESSORS",
    "State",
    "edge",
    "few",
    "order_of",
    "page",
]

#: Which facts a list has.
State: TypeAlias = Literal[
    "current", "all", "pinned", "proposed", "due", "expiring", "expired", "superseded", "forgotten"
]
STATES: Final[tuple[State, ...]] = get_args(State)

_listed: Final = ", ".join(f"`memory_entries`.`{column.name}`" for column in COLUMNS)


@attrs.frozen
class _List:
    """A list of facts: by which column it is ordered, and which facts are in it."""

    by: Field
    is_newest_first: bool
    #: What the index on *by* has only rows of, or a range of it.
    indexed: Callable[[], Criterion]
    #: What else must hold.
    others: Callable[[], Criterion]
    #: Whether the index begins with the scope. If not, a window of it has rows of all scopes.
    is_by_scope: bool = True

    @property
    def part(self) -> Criterion:
        """The part of the index that is the list's."""
        return self.indexed() & (in_scope() if self.is_by_scope else EmptyCriterion())

    @property
    def rest(self) -> Criterion:
        """What tells its rows from others there."""
        return self.others() & (EmptyCriterion() if self.is_by_scope else also_in_scope())


def _anything() -> Criterion:
    return EmptyCriterion()


def _current() -> Criterion:
    return visible() & unexpired()


def _since(instant: Field) -> Criterion:
    """Tell whether there is an instant, as a range of the index on it: without one, SQLite would sort all facts."""
    return instant.isnotnull() & (instant > ValueWrapper(""))


#: By the index on each: see schema/0002, 0007 and 0008.
_LISTS: Final[Mapping[State, _List]] = {
    "current": _List(MEMORIES.created_at, True, _anything, _current),
    "all": _List(MEMORIES.created_at, True, _anything, _anything),
    "pinned": _List(
        MEMORIES.pinned_at, False, lambda: _since(MEMORIES.pinned_at) & visible(), unexpired
    ),
    "proposed": _List(
        MEMORIES.proposed_at,
        False,
        lambda: _since(MEMORIES.proposed_at),
        lambda: proposal() & unexpired(),
    ),
    "due": _List(
        MEMORIES.due_at,
        False,
        lambda: _since(MEMORIES.due_at) & MEMORIES.surfaced_at.isnull() & visible(),
        unexpired,
    ),
    "expiring": _List(
        MEMORIES.expires_at, False, lambda: MEMORIES.expires_at > param("now"), visible
    ),
    "expired": _List(
        MEMORIES.expires_at, True, lambda: MEMORIES.expires_at <= param("now"), visible
    ),
    # This index has no scope: the last ids come first, of all scopes.
    "superseded": _List(
        MEMORIES.superseded_by,
        True,
        MEMORIES.superseded_by.isnotnull,
        MEMORIES.deleted_at.isnull,
        is_by_scope=False,
    ),
    "forgotten": _List(MEMORIES.deleted_at, True, lambda: _since(MEMORIES.deleted_at), no_proposal),
}
#: Where `order_of` is at the id of the fact that superseded one.
SUCCESSOR: Final = MEMORY_COLUMNS.index("superseded_by")
#: What `few` counts: the lists that few facts are in, as a rule.
COUNTED: Final[tuple[State, ...]] = ("pinned", "proposed", "due", "expiring", "expired")
#: Filters that each list takes, beside its own conditions.
_FILTERS: Final[Mapping[str, Callable[[], Criterion]]] = {
    "category": lambda: MEMORIES.category == param("category"),
    "source": lambda: MEMORIES.source == param("source"),
}


def order_of(state: State) -> int:
    """Return at which of the columns of a fact it is by which a list is ordered; rows of one value by their ids."""
    return MEMORY_COLUMNS.index(_LISTS[state].by.name)


def _begin(state: State, what: list[Field], *, after: bool, by_category: bool) -> QueryBuilder:
    """Begin to read a list where the page before has ended, as its index has it."""
    its = _LISTS[state]
    query = Query.from_(MEMORIES).select(*what).where(its.part)
    if by_category:
        query = query.where(_FILTERS["category"]())
    if after:
        position, bound = _position(its), Tuple(param("after"), param("after_id"))
        query = query.where(position < bound if its.is_newest_first else position > bound)
    order = Order.desc if its.is_newest_first else Order.asc
    return query.orderby(its.by, order=order).orderby(MEMORIES.id, order=order)


def _position(its: _List) -> Tuple:
    return Tuple(its.by, MEMORIES.id)


def _has_index_by_category(state: State, filters: frozenset[str]) -> bool:
    return "category" in filters and _LISTS[state].by is _LISTS["all"].by


@cache
def edge(state: State, filters: frozenset[str], *, after: bool) -> Statement:
    """Find the row ``:window`` rows further, from the index alone: its position, or no row where fewer follow."""
    by_category = _has_index_by_category(state, filters)
    what = [_LISTS[state].by, MEMORIES.id]
    query = _begin(state, what, after=after, by_category=by_category)
    return statement("browsing.edge", query.limit(1).offset(param("window")), returns_little=True)


@cache
def page(state: State, filters: frozenset[str], *, after: bool, until: bool) -> Statement:
    """Read the first ``:limit`` facts of a list that meet its conditions, not beyond the edge if there is one."""
    its = _LISTS[state]
    by_category = _has_index_by_category(state, filters)
    query = _begin(state, COLUMNS, after=after, by_category=by_category).where(its.rest)
    for name in sorted(filters):
        query = query.where(_FILTERS[name]())
    if until:
        position, bound = _position(its), Tuple(param("until"), param("until_id"))
        query = query.where(position >= bound if its.is_newest_first else position <= bound)
    return statement("browsing.page", query.limit(param("limit")))


@cache
def few() -> Statement:
    """Count each list in one row, of each at most ``:most``; rows of other conditions count as well."""
    each = [
        bounded(Query.from_(MEMORIES).select(1).where(its.part & its.rest))
        for its in map(_LISTS.__getitem__, COUNTED)
    ]
    return statement("browsing.few", Query.select(*each), returns_little=True)


# --- one fact -----------------------------------------------------------------------------------

#: A fact in whatever state.
FACT: Final = statement("browsing.fact", Query.from_(MEMORIES).select(*COLUMNS).where(by_id()))


_CHAIN: Final = """
WITH RECURSIVE `chain`(`id`, `step`) AS (
    SELECT {next}, 1 FROM `memory_entries` AS `known` WHERE {link}=:id AND `known`.`scope`=:scope
    UNION
    SELECT {next}, `step`+1 FROM `chain` JOIN `memory_entries` AS `known` ON {link}=`chain`.`id`
    WHERE `known`.`scope`=:scope AND `step`<:most
    LIMIT :most
)
SELECT {columns} FROM (SELECT DISTINCT `id` FROM `chain`) AS `found`
CROSS JOIN `memory_entries` ON `memory_entries`.`id`=`found`.`id`
WHERE `memory_entries`.`id`<>:id AND `memory_entries`.`scope`=:scope
ORDER BY `created_at`, `memory_entries`.`id`
"""


def _chain(name: str, link: str, following: str) -> Statement:
    """Follow references from ``:id``, at most ``:most`` steps; other programs may have made a circle of them."""
    return one_line(name, _CHAIN.format(next=following, link=link, columns=_listed))


#: What a fact superseded, directly or not, whatever became of it.
PREDECESSORS: Final = _chain("browsing.predecessors", "`known`.`superseded_by`", "`known`.`id`")
#: What superseded it, and that in turn.
SUCCESSORS: Final = _chain("browsing.successors", "`known`.`id`", "`known`.`superseded_by`")
