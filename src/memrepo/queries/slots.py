"""
Statements about slots: which fact fills one, and what takes its place.

At most one current fact of a scope fills a slot. No index can hold to that, because another program may restore a
fact; the statements of each unit do. If two fill one, the one with the higher id counts.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from pypika import Case, Criterion, JoinType, Order, Table
from pypika.functions import Coalesce, Count, Max
from pypika.queries import QueryBuilder
from pypika.terms import ExistsCriterion, NullValue, Term

from memrepo.domain.memories import INFERRED_SOURCES
from memrepo.queries.builder import JsonEach, Query, Scalar, ValueOf, json_item, param, statement
from memrepo.queries.coalescing import Values, coalescible, rows_by
from memrepo.queries.facts import (
    COLUMNS,
    HANDED_ON,
    HOLDER,
    MEMORIES,
    also_in_scope,
    by_hash,
    by_id,
    current,
    hand_on,
    has_another_slot,
    in_scope,
    keeps_what_the_user_said,
    own_or,
    visible,
)
from memrepo.queries.remembering import (
    HASH_VERSION,
    NEW_COLUMNS,
    better_source,
    later_expiry,
    learnt,
    remembering,
)
from memrepo.queries.statement import Statement

__all__ = [
    "FILL",
    "FILL_INFERRED",
    "IN_SLOT",
    "REQUIRE_FREE",
    "REVERT",
    "STATE",
    "TAKE",
    "TAKE_BY_HASH",
    "TAKE_BY_ID",
    "TAKE_MANY",
    "TAKE_OVER_MANY",
    "page",
]

_filler = Table("memory_entries").as_("filler")
_before = Table("memory_entries").as_("before")
_known = Table("memory_entries").as_("known")
_items = JsonEach("batch")

# --- remembering -------------------------------------------------------------------------------


def new_values() -> list[Term | int]:
    """Return the values of `NEW_COLUMNS` for a fact that may have been known for long."""
    names = ("scope", "content_hash", "category", "source", "created_at", "created_at", "metadata")
    first, *others = (param(name) for name in names)
    return [first, learnt(param), *others, param("expires_at"), HASH_VERSION, param("session_id")]


#: Does for a fact what `remembering.REMEMBER` does, and has it fill ``:slot``.
FILL: Final = remembering("memories.fill", is_said=True, has_slot=True)
FILL_INFERRED: Final = remembering("memories.fill_inferred", is_said=False, has_slot=True)
#: The same for one fact with a slot or with none, whoever says it, and for one that has been known since
#: ``:created_at``.
STATE: Final = statement(
    "memories.state",
    Query.into(MEMORIES)
    .columns(*NEW_COLUMNS, MEMORIES.slot)
    .select(*new_values(), param("slot"))
    .where(keeps_what_the_user_said().negate())
    .on_conflict(MEMORIES.content_hash)
    .do_update(MEMORIES.source, better_source(param("said_source")))
    .do_update(MEMORIES.last_accessed, param("now"))
    .do_update(MEMORIES.expires_at, later_expiry(param("expires_at")))
    .do_update(MEMORIES.n_restated, MEMORIES.n_restated + 1)
    .do_update(MEMORIES.slot, Coalesce(MEMORIES.slot, param("slot")))
    .where(current())
    .where(in_scope())
    .where(Coalesce(has_another_slot(MEMORIES), 0) == 0)
    .returning(*COLUMNS, MEMORIES.n_restated),
)
#: After `STATE`: fails with the constraint that an id is unique if it did nothing because the fact fills another
#: slot; otherwise it does nothing.
REQUIRE_FREE: Final = statement(
    "memories.require_free",
    Query.into(MEMORIES)
    # All columns that must not be NULL, so that it can fail only by its id.
    .columns(MEMORIES.id, *NEW_COLUMNS)
    .from_(_known)
    .select(_known.id, *[_known[column.name] for column in NEW_COLUMNS])
    .where(by_hash(_known))
    .where(current(_known))
    .where(has_another_slot(_known))
    .where(keeps_what_the_user_said().negate()),
)


def _take(filler: Criterion, items: Values | None = None, *, may_keep: bool = True) -> QueryBuilder:
    """
    Have a current fact supersede what else fills its slot, and take over its pin and date; return what changes.

    If it *may_keep* what the user said, it does where it ``:keeps`` that.
    """
    value = param if items is None else items.value
    fillers = Query.from_(_filler) if items is None else Query.from_(items).join(_filler).cross()
    pair = (
        fillers.join(HOLDER, JoinType.cross)
        .cross()
        .select(_filler.id.as_("winner"), HOLDER.id.as_("loser"))
        .select(*(HOLDER[name] for name in HANDED_ON))
        .where(filler)
        .where(current(_filler, value))
        .where(HOLDER.slot == _filler.slot)
        .where(in_scope(HOLDER, value))
        .where(current(HOLDER, value))
        .where(HOLDER.id != _filler.id)
        # So that SQLite makes it first: merged with the update, it would begin with all rows.
        .distinct()
    )
    if may_keep:
        pair = pair.where((value("keeps") == 0) | HOLDER.source.isin(INFERRED_SOURCES))
    pair = pair.as_("pair")
    is_loser: Criterion = MEMORIES.id == pair.loser
    takes_over = (MEMORIES.id == pair.winner) & (pair.pinned_at.notnull() | pair.due_at.notnull())
    query = Query.update(MEMORIES).set(MEMORIES.superseded_by, Case().when(is_loser, pair.winner))
    for name in HANDED_ON:
        own = Case().when(is_loser, MEMORIES[name]).else_(own_or(name, pair.field))
        query = query.set(MEMORIES[name], own)
    return query.from_(pair).where(is_loser | takes_over).returning(*COLUMNS)


def _fills(value: ValueOf) -> Criterion:
    filler: Criterion = _filler.slot == value("slot")
    return by_hash(_filler, value) & filler


TAKE_BY_HASH: Final = statement("memories.take_by_hash", _take(by_hash(_filler)))
TAKE_BY_ID: Final = statement("memories.take_by_id", _take(by_id(_filler), may_keep=False))
#: For a fact that fills ``:slot``.
TAKE: Final = coalescible(
    statement("memories.take", _take(_fills(param))),
    ("scope", "content_hash", "now", "slot", "keeps"),
    lambda items: _take(_fills(items.value), items),
    rows_by("slot"),
)

_is_users = _filler.source.isin(INFERRED_SOURCES).negate()
_contested = (
    Query.from_(HOLDER)
    .select(HOLDER.slot)
    .where(in_scope(HOLDER))
    .where(HOLDER.slot.isnotnull())
    .where(visible(HOLDER))
    .groupby(HOLDER.slot)
    .having(Count("*") > 1)
).as_("contested")
_stated = (
    Query.from_(_contested)
    .join(_filler, JoinType.cross)
    .cross()
    .select(
        _filler.slot,
        Coalesce(Max(Case().when(_is_users, _filler.id)), Max(_filler.id)).as_("id"),
        Max(Case().when(_is_users, 1).else_(0)).as_("is_users"),
    )
    .where(_filler.slot == _contested.slot)
    .where(in_scope(_filler))
    .where(current(_filler))
    .where(_filler.content_hash.isin(Query.from_(_items).select(json_item(_items, 1))))
    .groupby(_filler.slot)
).as_("stated")
_taken = (
    Query.from_(_stated)
    .join(HOLDER, JoinType.cross)
    .cross()
    .select(
        HOLDER.id.as_("loser"),
        _stated.id.as_("winner"),
        *(HOLDER[name] for name in HANDED_ON),
    )
    .where(HOLDER.slot == _stated.slot)
    .where(in_scope(HOLDER))
    .where(current(HOLDER))
    .where(HOLDER.id != _stated.id)
    .where((_stated.is_users == 1) | HOLDER.source.isin(INFERRED_SOURCES))
    # So that SQLite makes it first: merged with the update, it would begin with all rows.
    .distinct()
).as_("taken")
#: After facts in ``:batch`` have come back, each supersedes what else fills its slot; of several, the newest does, and
#: what the user said before what is only inferred.
#: The array is read only if a slot is filled twice.
TAKE_MANY: Final = statement(
    "memories.take_many",
    Query.update(MEMORIES)
    .set(MEMORIES.superseded_by, _taken.winner)
    .from_(_taken)
    .where(MEMORIES.id == _taken.loser)
    .where(also_in_scope())
    .returning(*COLUMNS),
)

_newest = (
    Query.from_(_taken)
    # The other columns are of the row with the highest id: https://sqlite.org/lang_select.html#bareagg
    .select(_taken.winner, Max(_taken.loser), *(_taken[name] for name in HANDED_ON))
    .groupby(_taken.winner)
).as_("newest")
#: Before `TAKE_MANY`: each takes over from the newest that it is to supersede; returns them.
TAKE_OVER_MANY: Final = statement(
    "memories.take_over_many",
    hand_on(Query.update(MEMORIES), _newest.field)
    .from_(_newest)
    .where(MEMORIES.id == _newest.winner)
    .where(also_in_scope())
    .returning(*COLUMNS),
)

# --- reading -----------------------------------------------------------------------------------


def _in_slot(table: Table) -> QueryBuilder:
    query = Query.from_(table).where(in_scope(table)).where(table.slot == param("slot"))
    return query.where(current(table)).orderby(table.id, order=Order.desc).limit(1)


IN_SLOT: Final = statement("memories.in_slot", _in_slot(MEMORIES).select(*COLUMNS))


@cache
def page(*, after: bool, is_large: bool = False) -> Statement:
    """Read the facts that fill the next ``:limit`` slots in the order of their names, by the index on (scope, slot)."""
    newer = (
        Query.from_(HOLDER)
        .select(1)
        .where(HOLDER.slot == MEMORIES.slot)
        .where(in_scope(HOLDER))
        .where(current(HOLDER))
        .where(HOLDER.id > MEMORIES.id)
    )
    query = (
        Query.from_(MEMORIES).select(*COLUMNS).where(in_scope()).where(MEMORIES.slot.isnotnull())
    )
    query = query.where(current()).where(ExistsCriterion(newer).negate())
    if after:
        query = query.where(MEMORIES.slot > param("after"))
    query = query.orderby(MEMORIES.slot).limit(param("limit"))
    return statement("memories.slots", query, is_long=is_large)


# --- going back --------------------------------------------------------------------------------

_pair = (
    Query.from_(HOLDER)
    .join(_before, JoinType.cross)
    .cross()
    .select(HOLDER.id.as_("wrong"), _before.id.as_("right"), *(HOLDER[name] for name in HANDED_ON))
    .where(HOLDER.id == Scalar(_in_slot(_filler).select(_filler.id)))
    .where(_before.superseded_by == HOLDER.id)
    .where(also_in_scope(_before))
    .where(_before.slot == param("slot"))
    .where(_before.deleted_at.isnull())
    .where(_before.expires_at.isnull() | (_before.expires_at > param("now")))
    # It may have replaced several, each after it came back: the last one was stated last.
    .orderby(Coalesce(_before.last_accessed, _before.created_at), order=Order.desc)
    .orderby(_before.id, order=Order.desc)
    .limit(1)
).as_("pair")
_is_wrong = MEMORIES.id == _pair.wrong
#: Forgets the fact that fills ``:slot``, and has the one that it superseded fill it again; returns both, or
#: nothing if there are no two.
REVERT: Final = statement(
    "memories.revert",
    Query.update(MEMORIES)
    .set(MEMORIES.deleted_at, Case().when(_is_wrong, param("now")))
    .set(MEMORIES.proposed_at, NullValue())
    .set(MEMORIES.superseded_by, NullValue())
    .set(MEMORIES.pinned_at, own_or("pinned_at", _pair.field))
    .set(MEMORIES.due_at, own_or("due_at", _pair.field))
    .set(MEMORIES.surfaced_at, own_or("surfaced_at", _pair.field))
    .from_(_pair)
    .where(_is_wrong | (MEMORIES.id == _pair.right))
    .returning(*COLUMNS),
)
