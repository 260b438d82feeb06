"""Statements that supersede facts."""

from __future__ import annotations

from typing import Final

from pypika import Criterion, Table
from pypika.functions import Coalesce
from pypika.terms import ExistsCriterion, Term

from memrepo.queries.builder import Query, Scalar, columns_of, param, statement
from memrepo.queries.facts import (
    COLUMNS,
    HANDED_ON,
    MEMORIES,
    by_hash,
    by_id,
    current,
    hand_on,
    handed_on,
    visible,
)
from memrepo.queries.proposals import PROPOSAL_COLUMNS, propose, propose_expired, renew
from memrepo.queries.remembering import HASH_VERSION, NEW_COLUMNS, refresh, revive

# What `remembering` does for one fact, but each statement only if the old fact exists, is current, and is
# another fact, and no text that is a fact of another slot. A fact that is held back replaces none. What replaces
# a fact fills its slot.

_old = Table("memory_entries").as_("old")
_known = Table("memory_entries").as_("known")
_whose = Table("memory_entries").as_("whose")
_successor = Table("memory_entries").as_("successor")


def _replaceable(table: Table) -> Criterion:
    differs = table.content_hash.isnull() | (table.content_hash != param("content_hash"))
    return by_id(table) & current(table) & differs & _fits(table)


def _fits(table: Table) -> Criterion:
    """Tell whether no current fact states ``:content_hash`` and fills another slot."""
    other = Query.from_(_known).select(1).where(by_hash(_known)).where(current(_known))
    return ExistsCriterion(Scalar(other.where(_known.slot != table.slot))).negate()


def _of_old(name: str) -> Term:
    return Scalar(Query.from_(_whose).select(_whose[name]).where(by_id(_whose)))


#: The slot of the old fact.
_slot = _of_old("slot")


def _if_replaceable() -> Criterion:
    return ExistsCriterion(Query.from_(_old).select(1).where(_replaceable(_old)))


SUPERSEDE_REVIVE: Final = statement(
    "memories.supersede_revive",
    hand_on(revive(param("said_source"), param("expires_at"), _slot), _of_old)
    .where(by_hash())
    .where(_if_replaceable())
    .returning(*COLUMNS),
)
SUPERSEDE_REFRESH: Final = statement(
    "memories.supersede_refresh",
    hand_on(refresh(param("said_source"), param("expires_at")), _of_old)
    .set(MEMORIES.slot, Coalesce(MEMORIES.slot, _slot))
    .where(by_hash())
    .where(current())
    .where(_if_replaceable())
    .returning(*COLUMNS),
)
#: The values of `NEW_COLUMNS` and of the slot, for a text that replaces the old fact.
_new = (
    param("scope"),
    param("content"),
    param("content_hash"),
    Coalesce(param("category"), _old.category),
    param("source"),
    param("now"),
    param("now"),
    Coalesce(param("metadata"), _old.metadata),
    param("expires_at"),
    HASH_VERSION,
    param("session_id"),
    _old.slot,
)
SUPERSEDE_INSERT: Final = statement(
    "memories.supersede_insert",
    Query.into(MEMORIES)
    .columns(*NEW_COLUMNS, MEMORIES.slot, *columns_of(MEMORIES, HANDED_ON))
    .from_(_old)
    .select(
        *_new,
        *(handed_on(name, _old.field) for name in HANDED_ON),
    )
    .where(_replaceable(_old))
    .or_ignore()
    .returning(*COLUMNS),
)
_successor_id = (
    Query.from_(_successor)
    .select(_successor.id)
    .where(by_hash(_successor))
    .where(visible(_successor))
)
SUPERSEDE_LINK: Final = statement(
    "memories.supersede_link",
    Query.update(MEMORIES)
    .set(MEMORIES.superseded_by, Scalar(_successor_id))
    .where(_replaceable(MEMORIES))
    .where(ExistsCriterion(_successor_id))
    .returning(MEMORIES.id),
)

# Where the text is only a proposal, it fills the slot of the old fact when it is approved, and until then it
# replaces nothing.

SUPERSEDE_PROPOSE: Final = statement(
    "memories.supersede_propose",
    propose(
        Query.into(MEMORIES)
        .columns(*NEW_COLUMNS, *PROPOSAL_COLUMNS)
        .from_(_old)
        .select(
            *_new,
            param("now"),
            param("now"),
        )
        .where(_replaceable(_old)),
        _slot,
    ),
)
#: Before all others, whoever says the text.
SUPERSEDE_RENEW: Final = statement(
    "memories.supersede_renew",
    renew(param("expires_at")).where(by_hash()).where(_if_replaceable()),
)
SUPERSEDE_PROPOSE_EXPIRED: Final = statement(
    "memories.supersede_propose_expired", propose_expired(_slot).where(_if_replaceable())
)
