"""Rows to models. Pure: knows the columns, not the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, TypeAlias

import attrs

from memrepo.domain.daily_logs import DailyLog
from memrepo.domain.instants import NO_INSTANT, parse_instant
from memrepo.domain.memories import MemoryEntry
from memrepo.domain.sessions import Session, SessionStatus
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
    "to_named_counts",
    "to_number",
    "to_session",
    "unreadable",
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
#: The order in which every statement returns a session; the time of its last activity follows.
SESSION_COLUMNS: Final = (
    "id",
    "scope",
    "thread",
    "started_at",
    "ended_at",
    "end_trigger",
    "summary",
)
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

#: The columns that are instants, numbers of other rows, and never NULL; the rest are texts.
_INSTANTS: Final = {
    "created_at",
    "last_accessed",
    "expires_at",
    "deleted_at",
    "started_at",
    "ended_at",
    "active_at",
    "summarized_until",
    "last_activity_at",
    "timestamp",
}
_NUMBERS: Final = {"id", "session_id", "superseded_by"}
_REQUIRED: Final = {
    "content",
    "category",
    "source",
    "created_at",
    "started_at",
    "last_activity_at",
    "thread",
    "event_type",
    "timestamp",
}
#: Stands for an instant that cannot be read.
_NO_INSTANT_TEXT: Final = "1970-01-01T00:00:00.000Z"


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


def to_named_counts(rows: Iterable[Row]) -> dict[str, int]:
    """
    Decode names and how many rows have each, the most frequent first, ties by name.

    Names that read the same, as another program may have left them, count as one.

    Raises:
        DecodeError: A count is no number.
    """
    counts: Counter[str] = Counter()
    for name, count in rows:
        if not isinstance(count, int):
            raise DecodeError("the database gave no number")
        text = name.decode(errors="replace") if isinstance(name, bytes) else str(name)
        counts[text] += count
    return dict(sorted(counts.items(), key=lambda its: (-its[1], its[0])))


def to_memory(row: Row) -> MemoryEntry:
    """Decode a row of `MEMORY_COLUMNS`; a row with a value that cannot be read gets a mark."""
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
        # One by one, because a loop over the values would take half as long as all the rest.
        if not (
            type(entry.content) is type(entry.category) is type(entry.source) is str
            and type(entry.scope) is str
            and (entry.content_hash is None or type(entry.content_hash) is str)
            and (entry.raw_metadata is None or type(entry.raw_metadata) is str)
            and (entry.superseded_by is None or type(entry.superseded_by) is int)
        ):
            raise TypeError
    except NO_INSTANT:
        return attrs.evolve(to_memory(_mend(MEMORY_COLUMNS, row)), is_mended=True)
    entry._is_mended = False  # noqa: SLF001 - a field of the model that it becomes
    entry.__class__ = MemoryEntry
    decoded: MemoryEntry = entry
    return decoded


def to_session(row: Row, now: datetime, idle_after: timedelta) -> Session:
    """
    Decode a row of `SESSION_COLUMNS` and the time of the last activity, as `to_memory` does.

    The status is that at *now*.
    """
    number, scope, thread, started_text, ended_text, end_trigger, summary, active_text = row
    try:
        started_at = parse_instant(started_text)
        ended_at = None if ended_text is None else parse_instant(ended_text)
        last_activity_at = parse_instant(active_text)
        if not (
            type(scope) is type(thread) is str
            and (end_trigger is None or type(end_trigger) is str)
            and (summary is None or type(summary) is str)
        ):
            raise TypeError
    except NO_INSTANT:
        mended = _mend((*SESSION_COLUMNS, "last_activity_at"), row)
        return attrs.evolve(to_session(mended, now, idle_after), is_mended=True)
    return Session(
        id=number,
        scope=scope,
        thread=thread,
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
        if not (
            type(event.event_type) is type(event.scope) is str
            and (event.raw_event_data is None or type(event.raw_event_data) is str)
            and (event.key is None or type(event.key) is str)
            and (event.session_id is None or type(event.session_id) is int)
        ):
            raise TypeError
    except NO_INSTANT:
        return attrs.evolve(to_daily_log(_mend(DAILY_LOG_COLUMNS, row)), is_mended=True)
    event._is_mended = False  # noqa: SLF001 - a field of the model that it becomes
    event.__class__ = DailyLog
    decoded: DailyLog = event
    return decoded


def _mend(columns: Sequence[str], row: Row) -> Row:
    """Return *row* with a value that can be read in the place of each that cannot."""
    return tuple(
        None if value is None and column not in _REQUIRED else _mended(column, value)
        for column, value in zip(columns, row, strict=True)
    )


def _mended(column: str, value: Value) -> Value:
    if column in _NUMBERS:
        return value if type(value) is int else None
    text = value.decode(errors="replace") if isinstance(value, bytes) else value
    if column not in _INSTANTS:
        return "" if text is None else str(text)
    try:
        parse_instant(text)
    except NO_INSTANT:
        return _NO_INSTANT_TEXT
    return text


def unreadable(column: str, stored: bytes | None) -> str:
    """Return why *stored*, the bytes of a text, cannot be read; ``""`` if it can be."""
    if stored is None:
        return "is NULL" if column in _REQUIRED else ""
    try:
        text = stored.decode()
    except UnicodeDecodeError:
        return "is not UTF-8"
    try:
        if column in _INSTANTS:
            parse_instant(text)
    except NO_INSTANT:
        return "is no instant"
    return ""


def _status(ended_at: datetime | None, idle: timedelta, idle_after: timedelta) -> SessionStatus:
    if ended_at is not None:
        return "ended"
    return "active" if idle < idle_after else "abandoned"
