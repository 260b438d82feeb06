"""Rows to models. Pure: knows the columns, not the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

import attrs

from memrepo.domain.instants import NO_INSTANT, in_utc, parse_instant, to_instant
from memrepo.domain.models import (
    DailyLog,
    MemoryEntry,
    Remembered,
    RememberOutcome,
    Session,
    SessionStatus,
)

__all__ = [
    "DAILY_LOG_COLUMNS",
    "MEMORY_COLUMNS",
    "SESSION_COLUMNS",
    "Row",
    "Value",
    "encode_cursor",
    "to_daily_log",
    "to_daily_logs",
    "to_memories",
    "to_memory",
    "to_remembered",
    "to_session",
    "to_sessions",
]

#: What SQLite stores.
Value: TypeAlias = int | float | str | bytes | None
#: One row of a result, in the order of its statement's columns.
Row: TypeAlias = tuple[Any, ...]

#: The order in which statements return a fact. What a statement's own conditions say of a row stands last:
#: it need not be read back, which would be a fifth of the time that a page takes.
MEMORY_COLUMNS: Final = (
    "id",
    "content",
    "content_hash",
    "source",
    "created_at",
    "last_accessed",
    "expires_at",
    "metadata",
    "category",
    "superseded_by",
    "deleted_at",
    "scope",
)
#: The order in which every statement returns a session; the time of its latest event follows.
SESSION_COLUMNS: Final = ("id", "scope", "started_at", "ended_at", "end_trigger", "summary")
#: The order in which statements return an event; see `MEMORY_COLUMNS`.
DAILY_LOG_COLUMNS: Final = (
    "id",
    "event_data",
    "timestamp",
    "idempotency_key",
    "event_type",
    "session_id",
    "scope",
)


def _unfrozen(model: type) -> type[Any]:
    """
    Return a class of the fields of a frozen *model*, whose objects can become its own.

    attrs gives a frozen object its values one by one through `object.__setattr__`; giving them to an
    object that is not frozen yet, and that its class makes without any, takes a fifth of the time.
    Assigning ``__class__`` then needs the same slots on both sides, and none for weak references.
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
_UnfrozenRemembered: Final = _unfrozen(Remembered)

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
_from_iso_format: Final = datetime.fromisoformat


def encode_cursor(instant: str, number: int) -> str:
    """Name a position in an order by (instant, id); the instant's text is the stored one."""
    return f"{number}~{instant}"


def to_memories(rows: Iterable[Row], known: Row) -> list[MemoryEntry]:
    """
    Decode rows of `MEMORY_COLUMNS`, the last of which are those *known* before.

    Raises:
        DecodeError: A row has an instant that is none.
    """
    entries: list[MemoryEntry] = []
    # A page has many rows: nothing is called for each that need not be.
    for row in rows:
        entry = _UnfrozenMemory()
        # fmt: off
        (
            entry.id, entry.content, entry.content_hash, entry.source, created_at, last_accessed,
            expires_at, entry.raw_metadata, entry.category, entry.superseded_by, deleted_at,
            entry.scope,
        ) = row + known
        # fmt: on
        try:
            entry.created_at = instant = _from_iso_format(created_at)
            if instant.tzinfo is not UTC:
                entry.created_at = in_utc(instant)
            entry.last_accessed = None if last_accessed is None else parse_instant(last_accessed)
            entry.expires_at = None if expires_at is None else parse_instant(expires_at)
            entry.deleted_at = None if deleted_at is None else parse_instant(deleted_at)
        except NO_INSTANT:
            _check_instants("memory_entries", MEMORY_COLUMNS, row + known)
            raise
        entry.__class__ = MemoryEntry
        entries.append(entry)
    return entries


def to_memory(row: Row, known: Row) -> MemoryEntry:
    """Decode one row; see `to_memories`."""
    return to_memories((row,), known)[0]


def to_remembered(outcome: RememberOutcome, row: Row, known: Row) -> Remembered:
    """Say what became of a fact; see `to_memory`."""
    remembered = _UnfrozenRemembered()
    remembered.outcome, remembered.entry = outcome, to_memory(row, known)
    remembered.__class__ = Remembered
    decoded: Remembered = remembered
    return decoded


def to_session(row: Row, now: datetime, idle_after: timedelta) -> Session:
    """Decode a row of `SESSION_COLUMNS` and the time of the latest event; see its status at *now*."""
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


def to_sessions(rows: Iterable[Row], now: datetime, idle_after: timedelta) -> list[Session]:
    """Decode rows; see `to_session`."""
    return [to_session(row, now, idle_after) for row in rows]


def to_daily_logs(rows: Iterable[Row], known: Row) -> list[DailyLog]:
    """Decode rows of `DAILY_LOG_COLUMNS`, as `to_memories` does; JSON is decoded when it is asked for."""
    events: list[DailyLog] = []
    for row in rows:
        event = _UnfrozenDailyLog()
        # fmt: off
        (
            event.id, event.raw_event_data, timestamp, event.key, event.event_type, event.session_id,
            event.scope,
        ) = row + known
        # fmt: on
        try:
            event.timestamp = instant = _from_iso_format(timestamp)
            if instant.tzinfo is not UTC:
                event.timestamp = in_utc(instant)
        except NO_INSTANT:
            _check_instants("daily_logs", DAILY_LOG_COLUMNS, row + known)
            raise
        event.__class__ = DailyLog
        events.append(event)
    return events


def to_daily_log(row: Row, known: Row) -> DailyLog:
    """Decode one row; see `to_daily_logs`."""
    return to_daily_logs((row,), known)[0]


def _check_instants(table: str, columns: Sequence[str], row: Row) -> None:
    """Raise for the first value that should be an instant and is not."""
    for column, value in zip(columns, row, strict=True):
        if column in _INSTANTS and value is not None:
            to_instant(value, f"{table} {row[0]}: {column}")


def _status(ended_at: datetime | None, idle: timedelta, idle_after: timedelta) -> SessionStatus:
    if ended_at is not None:
        return "ended"
    return "active" if idle < idle_after else "abandoned"
