"""What a fact is at the moment, in a few words."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import attrs

from memrepo.domain.memories import EXPLICIT_SOURCE, INFERRED_SOURCES, MemoryEntry

__all__ = ["LABELS", "Mark", "is_forgotten", "is_proposed", "marks", "who"]

#: What each list of facts is called, and what it has.
LABELS: Final = {
    "current": ("Current", "what holds now"),
    "all": ("All", "whatever became of it"),
    "pinned": ("Pinned", "comes first in every recall"),
    "proposed": ("Proposed", "waits for approval, and is in no prompt until then"),
    "due": ("Due", "is to be brought up"),
    "expiring": ("Expires", "holds until a date"),
    "expired": ("Expired", "held until a date that is past"),
    "superseded": ("Superseded", "was replaced by another fact"),
    "forgotten": ("Forgotten", "was forgotten, and can be restored"),
}


@attrs.frozen
class Mark:
    """Something that a fact is."""

    kind: str
    text: str
    #: Since when, or until when.
    at: datetime | None = None
    #: Which other fact it is about.
    id: int | None = None


def is_proposed(fact: MemoryEntry) -> bool:
    """Tell whether a fact waits for approval."""
    return fact.proposed_at is not None and fact.deleted_at == fact.proposed_at


def is_forgotten(fact: MemoryEntry) -> bool:
    """Tell whether a fact was forgotten."""
    return fact.deleted_at is not None and not is_proposed(fact)


def marks(fact: MemoryEntry, now: datetime) -> list[Mark]:
    """Return what a fact is, the most important first."""
    found: list[Mark] = []
    if is_proposed(fact):
        found.append(Mark("proposed", "proposed", fact.proposed_at))
    elif fact.deleted_at is not None:
        found.append(Mark("gone", "forgotten", fact.deleted_at))
    if fact.superseded_by is not None:
        found.append(Mark("gone", "superseded by", id=fact.superseded_by))
    if fact.expires_at is not None:
        is_over = fact.expires_at <= now
        kind, text = ("gone", "expired") if is_over else ("expires", "expires")
        found.append(Mark(kind, text, fact.expires_at))
    if fact.pinned_at is not None:
        found.append(Mark("pinned", "pinned"))
    if fact.due_at is not None and fact.surfaced_at is None:
        found.append(Mark("due", "due", fact.due_at))
    if fact.is_broken:
        found.append(Mark("broken", "cannot be read in full"))
    return found


def who(source: str) -> str:
    """Return who said it."""
    if source == EXPLICIT_SOURCE:
        return "you said"
    return "inferred" if source in INFERRED_SOURCES else source
