"""Rows to models, instants to text and back. Pure: knows the columns, not the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

import attrs

from memrepo.domain.models import (
    DailyLog,
    MemoryEntry,
    Remembered,
    RememberOutcome,
    Session,
    SessionStatus,
)
from memrepo.errors import DecodeError, InvalidInputError

__all__ = [
    "DAILY_LOG_COLUMNS",
    "MEMORY_COLUMNS",
    "SESSION_COLUMNS",
    "Row",
    "Value",
    "encode_bound",
    "encode_cursor",
    "encode_instant",
    "to_daily_log",
    "to_daily_logs",
    "to_instant",
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


#: For ``%``, which takes two thirds of `isoformat`'s time: that asks the time zone for its offset.
_INSTANT: Final = "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ"

#: The first and the last microsecond of the millisecond that was written last, and its text; none yet.
_latest = (datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC), "")


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
#: What is raised for a value that is not an instant.
_NO_INSTANT: Final = (TypeError, ValueError, OverflowError)


def encode_instant(instant: datetime) -> str:
    """Write an aware instant as ``2026-02-02T14:16:24.123Z``; what is below a millisecond is cut."""
    global _latest  # noqa: PLW0603 - most calls are of the same millisecond as the one before
    begin, end, text = _latest
    if begin <= instant <= end:
        return text
    at = instant if instant.tzinfo is UTC else instant.astimezone(UTC)
    millisecond = at.microsecond // 1000
    text = _INSTANT % (at.year, at.month, at.day, at.hour, at.minute, at.second, millisecond)
    begin = at.replace(microsecond=1000 * millisecond)
    _latest = begin, begin.replace(microsecond=begin.microsecond + 999), text
    return text


def encode_bound(field: str, instant: datetime) -> str:
    """Write a range's end so that comparing stored text with it is exact: rounded up."""
    rest = instant.microsecond % 1000
    try:
        return encode_instant(instant + timedelta(microseconds=1000 - rest) if rest else instant)
    except OverflowError:
        raise InvalidInputError(field, "is outside the years 1 to 9999") from None


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
                entry.created_at = _in_utc(instant)
            entry.last_accessed = None if last_accessed is None else _parse(last_accessed)
            entry.expires_at = None if expires_at is None else _parse(expires_at)
            entry.deleted_at = None if deleted_at is None else _parse(deleted_at)
        except _NO_INSTANT:
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
        started_at = _parse(started_text)
        ended_at = None if ended_text is None else _parse(ended_text)
        last_activity_at = started_at if last_event_text is None else _parse(last_event_text)
    except _NO_INSTANT:
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
                event.timestamp = _in_utc(instant)
        except _NO_INSTANT:
            _check_instants("daily_logs", DAILY_LOG_COLUMNS, row + known)
            raise
        event.__class__ = DailyLog
        events.append(event)
    return events


def to_daily_log(row: Row, known: Row) -> DailyLog:
    """Decode one row; see `to_daily_logs`."""
    return to_daily_logs((row,), known)[0]


def to_instant(text: Value, column: str = "a stored instant") -> datetime:
    """
    Decode an instant of any offset, from a column of this name.

    Raises:
        DecodeError: It is not ISO 8601 text, or outside the years 1 to 9999 in UTC.
    """
    try:
        return _parse(text)
    except _NO_INSTANT as error:
        raise DecodeError(f"{column} is not ISO 8601 text") from error


def _check_instants(table: str, columns: Sequence[str], row: Row) -> None:
    """Raise for the first value that should be an instant and is not."""
    for column, value in zip(columns, row, strict=True):
        if column in _INSTANTS and value is not None:
            to_instant(value, f"{table} {row[0]}: {column}")


def _parse(text: Value) -> datetime:
    instant = _from_iso_format(text)  # type: ignore[arg-type]
    # SQLite's CURRENT_TIMESTAMP, which another program may have used, is UTC and does not say so.
    return instant if instant.tzinfo is UTC else _in_utc(instant)


def _status(ended_at: datetime | None, idle: timedelta, idle_after: timedelta) -> SessionStatus:
    if ended_at is not None:
        return "ended"
    return "active" if idle < idle_after else "abandoned"


def _in_utc(instant: datetime) -> datetime:
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
