"""Facts for tests of ranking."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import attrs

from memrepo import MemoryEntry

from .original import Row

__all__ = ["NOW", "fact", "instant", "milliseconds", "of_row"]

NOW = datetime(2026, 2, 2, 14, 16, 24, 123_000, tzinfo=UTC)

_FACT = MemoryEntry(
    id=1,
    scope="",
    content="Likes tea",
    content_hash=None,
    category="fact",
    source="user_explicit",
    created_at=NOW,
    last_accessed=NOW,
    expires_at=None,
    deleted_at=None,
    superseded_by=None,
    raw_metadata=None,
    session_id=None,
)


def fact(**fields: Any) -> MemoryEntry:
    """Return a fact of now with these fields."""
    return attrs.evolve(_FACT, **fields)


def milliseconds(instant: datetime) -> int:
    """Return an instant as JavaScript has it."""
    return round(instant.timestamp() * 1_000)


def instant(milliseconds: int) -> datetime:
    """Return the instant of a number of milliseconds."""
    return datetime.fromtimestamp(milliseconds / 1_000, tz=UTC)


def of_row(row: Row) -> MemoryEntry:
    """Return the fact of a row."""
    accessed = None if row.last_accessed is None else instant(row.last_accessed)
    fields = row._asdict() | {"created_at": instant(row.created_at), "last_accessed": accessed}
    return fact(**fields)
