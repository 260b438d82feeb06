"""The table of facts, conditions that its statements share, and its latest id."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pypika import Case, Criterion, Table
from pypika.functions import Coalesce, Count, Max, Sum
from pypika.queries import QueryBuilder
from pypika.terms import ExistsCriterion, Term

from memrepo.domain.codec import MEMORY_COLUMNS
from memrepo.domain.memories import INFERRED_SOURCES
from memrepo.queries.builder import Query, Scalar, Unindexed, ValueOf, columns_of, param, statement

MEMORIES: Final = Table("memory_entries")
#: The fact that fills a slot.
HOLDER: Final = Table("memory_entries").as_("holder")
#: The fact that supersedes another.
SUCCESSOR: Final = Table("memory_entries").as_("successor")
COLUMNS: Final = columns_of(MEMORIES, MEMORY_COLUMNS)


def unexpired(table: Table = MEMORIES, value: ValueOf = param) -> Criterion:
    """Never expires, or not yet at ``:now``."""
    return table.expires_at.isnull() | (table.expires_at > value("now"))


def current(table: Table = MEMORIES, value: ValueOf = param) -> Criterion:
    """Neither forgotten, superseded nor expired."""
    return visible(table) & unexpired(table, value)


def may_fade(table: Table = MEMORIES) -> Criterion:
    """Is not pinned, and is not to be brought up some day."""
    is_open = table.due_at.notnull() & table.surfaced_at.isnull()
    return table.pinned_at.isnull() & is_open.negate()


def visible(table: Table = MEMORIES) -> Criterion:
    """Neither forgotten nor superseded."""
    return table.deleted_at.isnull() & table.superseded_by.isnull()


def hidden(table: Table = MEMORIES) -> Criterion:
    """The opposite of `visible`."""
    return table.deleted_at.notnull() | table.superseded_by.notnull()


def gone() -> Criterion:
    """The opposite of `current`."""
    return hidden() | (MEMORIES.expires_at <= param("now"))


def proposal(table: Table = MEMORIES) -> Criterion:
    """
    Waits for approval: no fact yet. Its ``deleted_at`` is its ``proposed_at``.

    Without a ``deleted_at``, it was restored by another program, and is a fact; with another one, it was forgotten then.
    """
    return table.proposed_at.isnotnull() & (table.deleted_at == table.proposed_at)


def no_proposal(table: Table = MEMORIES) -> Criterion:
    """The opposite of `proposal`."""
    differs: Criterion = table.deleted_at != table.proposed_at
    return table.proposed_at.isnull() | table.deleted_at.isnull() | differs


def in_scope(table: Table = MEMORIES, value: ValueOf = param) -> Criterion:
    """Is of ``:scope``."""
    return table.scope == value("scope")


def also_in_scope(table: Table = MEMORIES) -> Criterion:
    """Is of ``:scope``, for queries in which the planner must not choose the index on the scope."""
    return Unindexed(table.scope) == param("scope")


def by_id(table: Table = MEMORIES, value: ValueOf = param) -> Criterion:
    """Has ``:id``, in ``:scope``."""
    return (table.id == value("id")) & in_scope(table, value)


def by_hash(table: Table = MEMORIES, value: ValueOf = param) -> Criterion:
    """Has ``:content_hash``, in ``:scope``."""
    return (table.content_hash == value("content_hash")) & in_scope(table, value)


def was_forgotten_with_successor(*which: Criterion) -> Criterion:
    """Was forgotten together with the `SUCCESSOR`, if all of *which* hold for that."""
    found = (
        Query.from_(SUCCESSOR)
        .select(1)
        .where(SUCCESSOR.id == MEMORIES.superseded_by)
        .where(in_scope(SUCCESSOR))
        .where(SUCCESSOR.deleted_at == MEMORIES.deleted_at)
    )
    return ExistsCriterion(found.where(Criterion.all(which)) if which else found)


# --- slots --------------------------------------------------------------------------------------


def is_users(slot: Term, *, other_than: Criterion, value: ValueOf = param) -> Criterion:
    """What the user said fills a slot, by a fact *other_than* one; by the index on (scope, slot)."""
    found = (
        Query.from_(HOLDER)
        .select(1)
        .where(HOLDER.slot == slot)
        .where(in_scope(HOLDER, value))
        .where(current(HOLDER, value))
        .where(HOLDER.source.isin(INFERRED_SOURCES).negate())
        .where(other_than)
    )
    # Scalar, because pypika leaves out the parentheses in SET.
    return ExistsCriterion(Scalar(found))


#: What a fact has of the one that it replaces, unless it has its own: a pin, and when it is to be brought up.
HANDED_ON: Final = ("pinned_at", "due_at", "surfaced_at")


def handed_on(name: str, replaced: Callable[[str], Term]) -> Term:
    """
    Return what a new fact has in a column of `HANDED_ON` when it replaces another.

    *replaced* returns what that one has. Whether it was brought up goes with the date only: the new text was not.
    """
    if name == "surfaced_at":
        return Case().when(replaced("due_at").notnull(), replaced(name))
    return replaced(name)


def own_or(name: str, replaced: Callable[[str], Term]) -> Term:
    """Return the same for a fact that is known, and may have its own."""
    if name == "surfaced_at":
        takes_date = MEMORIES.due_at.isnull() & replaced("due_at").notnull()
        # As where the fact comes back that had handed it on: nothing is brought up twice.
        has_same_date = (MEMORIES.due_at == replaced("due_at")) & MEMORIES.surfaced_at.isnull()
        return Case().when(takes_date | has_same_date, replaced(name)).else_(MEMORIES.surfaced_at)
    return Coalesce(MEMORIES[name], replaced(name))


def hand_on(query: QueryBuilder, replaced: Callable[[str], Term]) -> QueryBuilder:
    """Have a fact take over from the one that it replaces; *replaced* returns what that one has in a column."""
    for name in HANDED_ON:
        query = query.set(MEMORIES[name], own_or(name, replaced))
    return query


#: The first pin and the first date of several facts, each a ``fact``; if one is still to be brought up, the first of those.
FIRST_HANDED_ON: Final = (
    "min(`fact`.`pinned_at`) AS `pinned_at`,ifnull("
    "min(CASE WHEN `fact`.`surfaced_at` IS NULL THEN `fact`.`due_at` END),min(`fact`.`due_at`)) AS `due_at`,"
    "CASE WHEN count(CASE WHEN `fact`.`surfaced_at` IS NULL THEN `fact`.`due_at` END)=0 "
    "THEN max(`fact`.`surfaced_at`) END AS `surfaced_at`"
)
_TAKES_DATE: Final = (
    "CASE WHEN `spare`.`due_at` IS NOT NULL AND (`memory_entries`.`due_at` IS NULL "
    "OR `memory_entries`.`surfaced_at` IS NOT NULL AND `spare`.`surfaced_at` IS NULL)"
)
#: Has a fact take over these from ``spare``, a subquery that has them; no date in the place of one still to be brought up.
TAKE_OVER: Final = (
    "UPDATE `memory_entries` SET `pinned_at`=ifnull(`memory_entries`.`pinned_at`,`spare`.`pinned_at`),"  # noqa: S608
    f"`due_at`={_TAKES_DATE} THEN `spare`.`due_at` ELSE `memory_entries`.`due_at` END,"
    f"`surfaced_at`={_TAKES_DATE} THEN `spare`.`surfaced_at` ELSE `memory_entries`.`surfaced_at` END FROM"
)


def has_another_slot(table: Table = MEMORIES, value: ValueOf = param) -> Criterion:
    """Has another slot than ``:slot``; NULL where one of them is."""
    return table.slot != value("slot")


def keeps_what_the_user_said(value: ValueOf = param) -> Criterion:
    """Tell whether what the user said fills ``:kept_slot``, but for the fact itself; never where that is NULL."""
    differs = HOLDER.content_hash.isnull() | (HOLDER.content_hash != value("content_hash"))
    return is_users(value("kept_slot"), other_than=differs, value=value)


def not_forgotten_yet() -> Criterion:
    """Is what `MemoryRepo.forget_all` forgets: current or not; a proposal is rejected by it."""
    return MEMORIES.deleted_at.isnull() | proposal()


#: What that would be: how many rows, the highest of their ids, and the sum of the lowest bits of each, which cannot overflow.
FORGETTABLE: Final = statement(
    "memories.forgettable",
    Query.from_(MEMORIES)
    .select(
        Count("*"), Coalesce(Max(MEMORIES.id), 0), Coalesce(Sum(MEMORIES.id.bitwiseand(0xFFFFF)), 0)
    )
    .where(in_scope())
    .where(not_forgotten_yet()),
    is_long=True,
)
