"""Tell which units are idempotent: run again after a lost answer, they store nothing new."""

from __future__ import annotations

import json
from typing import Final

from memrepo.queries import daily_logs, remembering
from memrepo.queries.statement import BoundStatement, Unit

__all__ = ["is_repeatable"]

#: Facts are recognized by their hash and events by their key. When run again, a fact that the first run
#: created comes back as a duplicate.
_REPEATABLE: Final = frozenset(
    statement.name
    for statement in (
        remembering.REVIVE,
        remembering.REMEMBER,
        remembering.REMEMBER_INFERRED,
        remembering.HELD_BACK,
        remembering.REVIVE_MANY,
        remembering.REFRESH_MANY,
        remembering.INSERT_MANY,
        remembering.HELD_BACK_MANY,
        daily_logs.APPEND_ONCE,
        daily_logs.GET_BY_KEY,
        daily_logs.GET_BY_KEYS,
    )
)


def is_repeatable(unit: Unit) -> bool:
    """Tell whether running *unit* again, after it may have run, leaves the same rows."""
    return all(map(_is_repeatable, unit))


def _is_repeatable(bound: BoundStatement) -> bool:
    if bound.statement.name == daily_logs.APPEND_MANY.name:
        batch = bound.parameters["batch"]
        return isinstance(batch, str) and all(key is not None for *_, key in json.loads(batch))
    return bound.statement.name in _REPEATABLE
