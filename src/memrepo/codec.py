"""Rows to models, instants to text and back. Pure: knows the columns, not the database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias, TypeVar

import attrs

from memrepo.errors import DecodeError, InvalidInputError
from memrepo.models import (
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
    "encode_bound",
    "encode_cursor",
    "encode_instant",
    "make_daily_log",
    "to_daily_log",
    "to_instant",
    "to_memory",
    "to_remembered",
    "to_session",
]

#: What SQLite stores.
Value: TypeAlias = int | float | str | bytes | None
#: One row of a result, in the order of its statement's columns.
Row: TypeAlias = tuple[Any, ...]

#: The order in which every statement returns a fact.
MEMORY_COLUMNS: Final = (
    "id",
    "scope",
    "content",
    "content_hash",
    "category",
    "source",
    "created_at",
    "last_accessed",
    "expires_at",
    "deleted_at",
    "superseded_by",
    "metadata",
)
#: The order in which every statement returns a session; the time of its latest event follows.
SESSION_COLUMNS: Final = ("id", "scope", "started_at", "ended_at", "end_trigger", "summary")
#: The order in which every statement returns an event.
DAILY_LOG_COLUMNS: Final = (
    "id",
    "scope",
    "session_id",
    "event_type",
    "event_data",
    "timestamp",
    "idempotency_key",
)


#: For ``%``, which takes two thirds of `isoformat`'s time: that asks the time zone for its offset.
_INSTANT: Final = "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ"

T = TypeVar("T")


def _maker(model: type[T]) -> Callable[..., T]:
    """
    Return a function that makes a frozen *model* of its fields' values, in their order.

    attrs gives a frozen object its values one by one through `object.__setattr__`; here they go into
    an object that is not frozen yet, which takes a fifth of the time. Assigning ``__class__`` needs
    the same slots on both sides, and none for weak references.
    """
    names = [field.name for field in attrs.fields(model)]  # type: ignore[arg-type]
    unfrozen = attrs.make_class(model.__name__, names, slots=True, weakref_slot=False, eq=False)

    def make(*values: object) -> T:
        made: T = unfrozen(*values)
        made.__class__ = model
        return made

    return make


_make_memory = _maker(MemoryEntry)
#: Makes an event of its fields' values, in their order.
make_daily_log: Final = _maker(DailyLog)
_make_remembered = _maker(Remembered)


def encode_instant(instant: datetime) -> str:
    """Write an aware instant as ``2026-02-02T14:16:24.123Z``; what is below a millisecond is cut."""
    at = instant if instant.tzinfo is UTC else instant.astimezone(UTC)
    milliseconds = at.microsecond // 1000
    return _INSTANT % (at.year, at.month, at.day, at.hour, at.minute, at.second, milliseconds)


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


def to_memory(row: Row) -> MemoryEntry:
    """Decode a row of `MEMORY_COLUMNS`."""
    # fmt: off
    (
        number, scope, content, content_hash, category, source,
        created_at, last_accessed, expires_at, deleted_at, superseded_by, metadata,
    ) = row
    # fmt: on
    try:
        return _make_memory(
            number,
            scope,
            content,
            content_hash,
            category,
            source,
            to_instant(created_at, "created_at"),
            None if last_accessed is None else to_instant(last_accessed, "last_accessed"),
            None if expires_at is None else to_instant(expires_at, "expires_at"),
            None if deleted_at is None else to_instant(deleted_at, "deleted_at"),
            superseded_by,
            metadata,
        )
    except DecodeError as error:
        raise DecodeError(f"memory_entries {number}: {error}") from error


def to_remembered(outcome: RememberOutcome, row: Row) -> Remembered:
    """Say what became of a fact that is stored as a row of `MEMORY_COLUMNS`."""
    return _make_remembered(outcome, to_memory(row))


def to_session(row: Row, now: datetime, idle_after: timedelta) -> Session:
    """Decode a row of `SESSION_COLUMNS` and the time of the latest event; see its status at *now*."""
    number, scope, started_text, ended_text, end_trigger, summary, last_event_text = row
    try:
        started_at = to_instant(started_text, "started_at")
        ended_at = None if ended_text is None else to_instant(ended_text, "ended_at")
        last_activity_at = started_at
        if last_event_text is not None:
            last_activity_at = to_instant(last_event_text, "last activity")
    except DecodeError as error:
        raise DecodeError(f"sessions {number}: {error}") from error
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
    """Decode a row of `DAILY_LOG_COLUMNS`; its JSON is decoded when it is asked for."""
    number, scope, session_id, event_type, event_data, timestamp, key = row
    try:
        happened_at = to_instant(timestamp, "timestamp")
    except DecodeError as error:
        raise DecodeError(f"daily_logs {number}: {error}") from error
    return make_daily_log(number, scope, session_id, event_type, event_data, happened_at, key)


def to_instant(text: Value, column: str = "a stored instant") -> datetime:
    """
    Decode an instant of any offset, from a column of this name.

    Raises:
        DecodeError: It is not ISO 8601 text, or outside the years 1 to 9999 in UTC.
    """
    try:
        instant = datetime.fromisoformat(text)  # type: ignore[arg-type]
        if instant.tzinfo is not UTC:
            # SQLite's CURRENT_TIMESTAMP, which another program may have used, is UTC and does not say so.
            instant = _in_utc(instant)
    except (TypeError, ValueError, OverflowError) as error:
        raise DecodeError(f"{column} is not ISO 8601 text") from error
    return instant


def _status(ended_at: datetime | None, idle: timedelta, idle_after: timedelta) -> SessionStatus:
    if ended_at is not None:
        return "ended"
    return "active" if idle < idle_after else "abandoned"


def _in_utc(instant: datetime) -> datetime:
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
