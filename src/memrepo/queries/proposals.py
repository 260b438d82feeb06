"""
Statements about proposals, which wait for approval.

A proposal has a ``deleted_at`` like a forgotten fact, and a ``proposed_at``. So what leaves out forgotten facts
leaves it out, the original, too.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from pypika import Case
from pypika.functions import Coalesce
from pypika.queries import QueryBuilder
from pypika.terms import NullValue, Term

from memrepo.queries import builder
from memrepo.queries.builder import (
    JsonEach,
    Query,
    Scalar,
    Unindexed,
    columns_of,
    json_item,
    param,
    statement,
)
from memrepo.queries.facts import (
    COLUMNS,
    MEMORIES,
    by_hash,
    by_id,
    current,
    in_scope,
    proposal,
    unexpired,
    visible,
)
from memrepo.queries.remembering import NEW_COLUMNS, later_expiry
from memrepo.queries.slots import new_values
from memrepo.queries.statement import Statement

__all__ = [
    "APPROVE",
    "APPROVE_MANY",
    "PROPOSAL_COLUMNS",
    "PROPOSE",
    "PROPOSE_EXPIRED",
    "REJECT",
    "RENEW",
    "RENEW_MANY",
    "page",
    "propose",
    "propose_expired",
    "renew",
]


#: The columns of a new proposal beside those of a new fact.
PROPOSAL_COLUMNS: Final = columns_of(MEMORIES, ("slot", "deleted_at", "proposed_at"))


def propose(insert: QueryBuilder, slot: Term) -> QueryBuilder:
    """
    Store a proposal, or refresh one, or a current fact, as an inferred text does.

    Returns no row for what is gone.
    """
    own_slot = Case().when(proposal(), Coalesce(MEMORIES.slot, slot)).else_(MEMORIES.slot)
    return (
        insert.on_conflict(MEMORIES.content_hash)
        .do_update(MEMORIES.last_accessed, param("now"))
        .do_update(MEMORIES.expires_at, later_expiry(param("expires_at")))
        .do_update(MEMORIES.n_restated, MEMORIES.n_restated + 1)
        .do_update(MEMORIES.slot, own_slot)
        .where(in_scope())
        .where(current() | proposal())
        .returning(*COLUMNS)
    )


PROPOSE: Final = statement(
    "memories.propose",
    propose(
        Query.into(MEMORIES)
        .columns(*NEW_COLUMNS, *PROPOSAL_COLUMNS)
        .insert(*new_values(), param("slot"), param("now"), param("now")),
        param("slot"),
    ),
)


def propose_expired(slot: Term) -> QueryBuilder:
    """Have a fact that has only expired come back as a proposal."""
    return (
        Query.update(MEMORIES)
        .set(MEMORIES.deleted_at, param("now"))
        .set(MEMORIES.proposed_at, param("now"))
        .set(MEMORIES.last_accessed, param("now"))
        .set(MEMORIES.expires_at, param("expires_at"))
        .set(MEMORIES.n_restated, MEMORIES.n_restated + 1)
        .set(MEMORIES.slot, Coalesce(slot, MEMORIES.slot))
        .where(by_hash())
        .where(visible())
        .where(MEMORIES.expires_at <= param("now"))
        .returning(*COLUMNS)
    )


PROPOSE_EXPIRED: Final = statement("memories.propose_expired", propose_expired(param("slot")))


def renew(expires_at: Term) -> QueryBuilder:
    """Have a proposal that has expired wait again, since its text is inferred again."""
    return (
        Query.update(MEMORIES)
        .set(MEMORIES.last_accessed, param("now"))
        .set(MEMORIES.expires_at, expires_at)
        .set(MEMORIES.n_restated, MEMORIES.n_restated + 1)
        .where(proposal())
        # By the index on proposals, of which there are fewer.
        .where(Unindexed(MEMORIES.expires_at) <= param("now"))
    )


RENEW: Final = statement("memories.renew", renew(param("expires_at")).where(by_hash()))


_items = JsonEach("batch")
_stated = Query.from_(_items).select(json_item(_items, 1))
_expiry = Query.from_(_items).select(json_item(_items, 5))
#: After `APPROVE_MANY`. Without any proposal in the scope that has expired, the array is not read.
RENEW_MANY: Final = statement(
    "memories.renew_many",
    renew(Scalar(_expiry.where(json_item(_items, 1) == MEMORIES.content_hash).limit(1)))
    .where(in_scope())
    .where(MEMORIES.content_hash.isin(_stated)),
)
#: Turns the proposals in ``:batch`` that the user says into forgotten facts, for `remembering_many.REVIVE_MANY` to bring
#: back. Without any proposal in the scope, the array is not read.
APPROVE_MANY: Final = statement(
    "memories.approve_many",
    Query.update(MEMORIES)
    .set(MEMORIES.proposed_at, NullValue())
    .where(in_scope())
    .where(proposal())
    .where(
        MEMORIES.content_hash.isin(
            Query.from_(_items).select(json_item(_items, 1)).where(json_item(_items, 6).notnull())
        )
    )
    .returning(MEMORIES.id),
)


def _answer(query: QueryBuilder) -> QueryBuilder:
    query = query.set(MEMORIES.proposed_at, NullValue())
    return query.where(by_id()).where(proposal()).where(unexpired()).returning(*COLUMNS)


#: Without a ``:source``, it keeps its own.
APPROVE: Final = statement(
    "memories.approve",
    _answer(
        Query.update(MEMORIES)
        .set(MEMORIES.deleted_at, NullValue())
        .set(MEMORIES.superseded_by, NullValue())
        .set(MEMORIES.last_accessed, param("now"))
        .set(MEMORIES.source, Coalesce(param("source"), MEMORIES.source))
    ),
)
#: From now on it is a forgotten fact.
REJECT: Final = statement(
    "memories.reject", _answer(Query.update(MEMORIES).set(MEMORIES.deleted_at, param("now")))
)


@cache
def page(*, after: bool, is_large: bool = False) -> Statement:
    """Read a page of proposals, oldest first, by the index on proposed_at."""
    return builder.page(
        "memories.proposals",
        Query.from_(MEMORIES).select(*COLUMNS),
        [in_scope(), proposal(), unexpired()],
        by=MEMORIES.proposed_at,
        after=after,
        newest_first=False,
        is_long=is_large,
    )
