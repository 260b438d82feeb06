"""Rows to models. Pure: knows the columns, not the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

import attrs

from memrepo.domain.instants import NO_INSTANT, parse_instant, to_instant
from memrepo.domain.models import (
    DailyLog,
    MemoryEntry,
    Session,
    SessionStatus,
)
from memrepo.errors import DecodeError

__all__ = [
    "DAILY_LOG_COLUMNS",
    "MEMORY_COLUMNS",
    "SESSION_COLUMNS",
    "Row",
    "Value",
    "encode_cursor",
    "to_daily_log",
    "to_memory",
    "to_number",
    "to_session",
]

#: A value as SQLite stores it.
Value: TypeAlias = int | float | str | bytes | None
#: One row of a result, in the order of its statement's columns.
Row: TypeAlias = tuple[Any, ...]

#: The order in which every statement returns a fact: the table's.
MEMORY_COLUMNS: Final = (
    "id",
    "content",
    "content_hash",
    "category",
    "source",
    "created_at",
    "last_accessed",
    "scope",
    "expires_at",
    "deleted_at",
    "superseded_by",
    "metadata",
)
#: The order in which every statement returns a session; the time of its latest event follows.
SESSION_COLUMNS: Final = ("id", "scope", "started_at", "ended_at", "end_trigger", "summary")
#: The order in which every statement returns an event: the table's.
DAILY_LOG_COLUMNS: Final = (
    "id",
    "session_id",
    "event_type",
    "event_data",
    "timestamp",
    "scope",
    "idempotency_key",
)


def _unfrozen(model: type) -> type[Any]:
    """
    Return an unfrozen class with the fields of *model*, whose objects can be turned into *model*'s.

    attrs sets each field of a frozen object through `object.__setattr__`. Setting the fields of an
    unfrozen object, and then its ``__class__``, takes a fifth of the time. Both classes must have the
    same slots for that, and none for weak references.
    """
    names = [field.name for field in attrs.fields(model)]
    return attrs.make_class(
        model.__name__,
        names,
        bases=model.__bases__,
        slots=True,
        weakref_slot=False,
        init=False,
        eq=False,
    )


_UnfrozenMemory: Final = _unfrozen(MemoryEntry)
_UnfrozenDailyLog: Final = _unfrozen(DailyLog)

#: The columns that are instants.
_INSTANTS: Final = {
    "created_at",
    "last_accessed",
    "expires_at",
    "deleted_at",
    "started_at",
    "ended_at",
    "last_activity_at",
    "timestamp",
}


def encode_cursor(instant: str, number: int) -> str:
    """Return the cursor of a position in the order by (instant, id); *instant* is the stored text."""
    return f"{number}~{instant}"


def to_number(rows: Sequence[Row]) -> int:
    """
    Return the one number that a statement gives, as a count or a new id.

    Raises:
        DecodeError: It gave another thing, which only a server that lies can do.
    """
    if len(rows) == len(rows[0] if rows else ()) == 1 and isinstance(number := rows[0][0], int):
        return number
    raise DecodeError("the database gave no number")


def to_memory(row: Row) -> MemoryEntry:
    """
    Decode a row of `MEMORY_COLUMNS`.

    Raises:
        DecodeError: A value that should be an instant is not.
    """
    entry = _UnfrozenMemory()
    # fmt: off
    (
        entry.id, entry.content, entry.content_hash, entry.category, entry.source, created_at,
        last_accessed, entry.scope, expires_at, deleted_at, entry.superseded_by, entry.raw_metadata,
    ) = row
    # fmt: on
    try:
        entry.created_at = parse_instant(created_at)
        entry.last_accessed = None if last_accessed is None else parse_instant(last_accessed)
        entry.expires_at = None if expires_at is None else parse_instant(expires_at)
        entry.deleted_at = None if deleted_at is None else parse_instant(deleted_at)
    except NO_INSTANT:
        _check_instants("memory_entries", MEMORY_COLUMNS, row)
        raise
    entry.__class__ = MemoryEntry
    decoded: MemoryEntry = entry
    return decoded


def to_session(row: Row, now: datetime, idle_after: timedelta) -> Session:
    """Decode a row of `SESSION_COLUMNS` and the time of the latest event; the status is that at *now*."""
    number, scope, started_text, ended_text, end_trigger, summary, last_event_text = row
    try:
        started_at = parse_instant(started_text)
        ended_at = None if ended_text is None else parse_instant(ended_text)
        last_activity_at = started_at if last_event_text is None else parse_instant(last_event_text)
    except NO_INSTANT:
        _check_instants("sessions", (*SESSION_COLUMNS, "last_activity_at"), row)
        raise
    return Session(
        id=number,
        scope=scope,
        started_at=started_at,
        ended_at=ended_at,
        end_trigger=end_trigger,
        summary=summary,
        last_activity_at=last_activity_at,
        status=_status(ended_at, now - last_activity_at, idle_after),
    )


def to_daily_log(row: Row) -> DailyLog:
    """Decode a row of `DAILY_LOG_COLUMNS`, as `to_memory` does; its JSON is decoded on access."""
    event = _UnfrozenDailyLog()
    # fmt: off
    (
        event.id, event.session_id, event.event_type, event.raw_event_data, timestamp, event.scope,
        event.key,
    ) = row
    # fmt: on
    try:
        event.timestamp = parse_instant(timestamp)
    except NO_INSTANT:
        _check_instants("daily_logs", DAILY_LOG_COLUMNS, row)
        raise
    event.__class__ = DailyLog
    decoded: DailyLog = event
    return decoded


def _check_instants(table: str, columns: Sequence[str], row: Row) -> None:
    """Raise for the first value that should be an instant and is not."""
    for column, value in zip(columns, row, strict=True):
        if column in _INSTANTS and value is not None:
            to_instant(value, f"{table} {row[0]}: {column}")


def _status(ended_at: datetime | None, idle: timedelta, idle_after: timedelta) -> SessionStatus:
    if ended_at is not None:
        return "ended"
    return "active" if idle < idle_after else "abandoned"
