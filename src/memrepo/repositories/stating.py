"""The statements that state a fact that is gone, has a slot, or is only proposed."""

from __future__ import annotations

from memrepo.domain.codec import Value
from memrepo.domain.facts import Fact
from memrepo.domain.memories import DEFAULT_CATEGORY
from memrepo.queries import due, proposals, remembering, slots
from memrepo.queries.statement import Unit

__all__ = ["fill", "set_due", "unit_of"]


def fill(fact: Fact, scope: str, now: str) -> Unit:
    """Return what is enough for a fact with a slot that is new, or current."""
    statement, kept = slots.FILL, dict[str, Value]()
    if not fact.said_source:
        statement, kept = slots.FILL_INFERRED, {"kept_slot": fact.kept_slot}
    filled = statement.bind(
        scope=scope,
        content=fact.content,
        content_hash=fact.content_hash,
        category=fact.category or DEFAULT_CATEGORY,
        source=fact.source,
        created_at=now,
        metadata=fact.metadata,
        expires_at=fact.expires_at,
        session_id=fact.session_id,
        slot=fact.slot,
        **kept,
    )
    take = slots.TAKE.bind(
        scope=scope,
        content_hash=fact.content_hash,
        now=now,
        slot=fact.slot,
        keeps=int(fact.keeps),
    )
    return (filled, take, *set_due(fact, scope, now))


def set_due(fact: Fact, scope: str, now: str) -> Unit:
    """Return what sets when a fact is due, once it is stored; nothing if it has no such date."""
    if fact.due_at is None:
        return ()
    bound = due.SET_DUE.bind(
        scope=scope,
        now=now,
        content_hash=fact.content_hash,
        due_at=fact.due_at,
        is_proposed=int(fact.is_proposed),
        # A proposal of what is current leaves its slot as it is.
        slot=None if fact.is_proposed else fact.slot,
        kept_slot=None if fact.is_proposed else fact.kept_slot,
    )
    return (bound,)


def unit_of(fact: Fact, scope: str, now: str) -> Unit:
    """
    Return the statements that state a fact in whatever state it is; `outcomes.outcome_of` reads their results.

    They fail with the constraint that an id is unique if the fact fills another slot.
    """
    known: dict[str, Value] = {"scope": scope, "content_hash": fact.content_hash}
    revived: dict[str, Value] = {"now": now, "expires_at": fact.expires_at, "slot": fact.slot}
    before = remembering.KNOWN.bind(**known)
    if fact.is_proposed:
        propose = proposals.PROPOSE.bind(**_new(fact, scope, now))
        expired = proposals.PROPOSE_EXPIRED.bind(**known, **revived)
        return (before, propose, expired, *set_due(fact, scope, now))
    new = slots.STATE.bind(
        said_source=fact.said_source, kept_slot=fact.kept_slot, **_new(fact, scope, now)
    )
    revive = remembering.REVIVE.bind(
        said_source=fact.said_source, kept_slot=fact.kept_slot, **known, **revived
    )
    holder = slots.IN_SLOT.bind(scope=scope, slot=fact.slot, now=now)
    free = slots.REQUIRE_FREE.bind(now=now, slot=fact.slot, kept_slot=fact.kept_slot, **known)
    renew = proposals.RENEW.bind(now=now, expires_at=fact.expires_at, **known)
    take = slots.TAKE_BY_HASH.bind(now=now, keeps=int(fact.keeps), **known)
    stated = (before, new, revive, take, holder, free, *set_due(fact, scope, now))
    # Only what is inferred leaves a proposal as one.
    return stated if fact.said_source else (renew, *stated)


def _new(fact: Fact, scope: str, now: str) -> dict[str, Value]:
    return {
        "scope": scope,
        "content": fact.content,
        "content_hash": fact.content_hash,
        "category": fact.category or DEFAULT_CATEGORY,
        "source": fact.source,
        "created_at": fact.created_at or now,
        "now": now,
        "metadata": fact.metadata,
        "expires_at": fact.expires_at,
        "session_id": fact.session_id,
        "slot": fact.slot,
    }
