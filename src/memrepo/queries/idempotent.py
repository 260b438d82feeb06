"""Tell which units are idempotent: run again after a lost answer, they store nothing new."""

from __future__ import annotations

import json
from typing import Final

from memrepo.queries import (
    daily_logs,
    due,
    indexing,
    proposals,
    remembering,
    remembering_many,
    slots,
)
from memrepo.queries.statement import BoundStatement, Unit

__all__ = ["is_repeatable"]

#: Facts are recognized by their hash and events by their key, and what the index takes in again, it replaces. When
#: run again, a fact that the first run created, or put in the place of another, comes back as a duplicate.
_REPEATABLE: Final = frozenset(
    statement.name
    for statement in (
        remembering.REVIVE,
        remembering.REMEMBER,
        remembering.REMEMBER_INFERRED,
        remembering.KNOWN,
        remembering_many.REQUIRE_SESSIONS,
        remembering_many.REVIVE_MANY,
        remembering_many.REFRESH_MANY,
        remembering_many.INSERT_MANY,
        remembering_many.HELD_BACK_MANY,
        due.SET_DUE,
        due.SET_DUE_MANY,
        slots.FILL,
        slots.FILL_INFERRED,
        slots.STATE,
        slots.TAKE,
        slots.TAKE_BY_HASH,
        slots.TAKE_OVER_MANY,
        slots.TAKE_MANY,
        slots.IN_SLOT,
        slots.REQUIRE_FREE,
        proposals.PROPOSE,
        proposals.PROPOSE_EXPIRED,
        proposals.APPROVE_MANY,
        proposals.RENEW,
        proposals.RENEW_MANY,
        daily_logs.APPEND_ONCE,
        daily_logs.GET_BY_KEY,
        daily_logs.GET_BY_KEYS,
    )
).union(indexing.REPEATABLE)

#: Where the key is in an event as `APPEND_MANY` takes it; what is NULL at its end may be left out.
_KEY: Final = 3


def is_repeatable(unit: Unit) -> bool:
    """Tell whether running *unit* again, after it may have run, leaves the same rows."""
    return all(map(_is_repeatable, unit))


def _is_repeatable(bound: BoundStatement) -> bool:
    if bound.statement.name == daily_logs.APPEND_MANY.name:
        batch = bound.parameters["batch"]
        return isinstance(batch, str) and all(map(_has_key, json.loads(batch)))
    return bound.statement.name in _REPEATABLE


def _has_key(event: list[object]) -> bool:
    return len(event) > _KEY and event[_KEY] is not None
