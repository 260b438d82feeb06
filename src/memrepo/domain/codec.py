"""Rows to models. Pure: knows the columns, not the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import attrs

from memrepo.domain.daily_logs import Appended, AppendOutcome, DailyLog
from memrepo.domain.instants import NO_INSTANT, parse_instant
from memrepo.domain.memories import MemoryEntry
from memrepo.domain.sessions import Session, SessionStatus
from memrepo.domain.values import Row, Value, mend
from memrepo.errors import DecodeError

__all__ = [
    "DAILY_LOG_COLUMNS",
    "MEMORY_COLUMNS",
    "SESSION_COLUMNS",
    "Row",
    "Value",
    "to_appended",
    "to_daily_log",
    "to_memory",
    "to_named_counts",
    "to_number",
    "to_session",
]

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
    "session_id",
    "slot",
    "proposed_at",
    "pinned_at",
    "due_at",
    "surfaced_at",
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
_UnfrozenAppended: Final = _unfrozen(Appended)


def to_number(rows: Sequence[Row]) -> int:
    """
    Return the one number that a statement gives, as a count or a new id.

    Raises:
        DecodeError: It gave another thing, which only a server that lies can do.
    """
    if len(rows) == 1 == len(rows[0]) and isinstance(number := rows[0][0], int):
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
    # fmt: off
    (
        number, content, content_hash, category, source, created_at, last_accessed, scope, expires_at,
        deleted_at, superseded_by, metadata, session_id, slot, proposed_at, pinned_at, due_at, surfaced_at,
    ) = row
    # fmt: on
    entry = _UnfrozenMemory()
    try:
        entry.created_at = parse_instant(created_at)
        entry.last_accessed = None if last_accessed is None else parse_instant(last_accessed)
        entry.expires_at = None if expires_at is None else parse_instant(expires_at)
        entry.deleted_at = None if deleted_at is None else parse_instant(deleted_at)
        entry.proposed_at = None if proposed_at is None else parse_instant(proposed_at)
        entry.pinned_at = None if pinned_at is None else parse_instant(pinned_at)
        entry.due_at = None if due_at is None else parse_instant(due_at)
        entry.surfaced_at = None if surfaced_at is None else parse_instant(surfaced_at)
        # One by one, because a loop over the values would take half as long as all the rest.
        if not (
            type(content) is type(category) is type(source) is type(scope) is str
            and (content_hash is None or type(content_hash) is str)
            and (metadata is None or type(metadata) is str)
            and (superseded_by is None or type(superseded_by) is int)
            and (session_id is None or type(session_id) is int)
            and (slot is None or type(slot) is str)
        ):
            raise TypeError
    except NO_INSTANT:
        return attrs.evolve(to_memory(mend(MEMORY_COLUMNS, row)), is_mended=True)
    entry.id, entry.scope, entry.content = number, scope, content
    entry.content_hash, entry.category, entry.source = content_hash, category, source
    entry.superseded_by, entry.raw_metadata, entry.session_id = superseded_by, metadata, session_id
    entry.slot = slot
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
        mended = mend((*SESSION_COLUMNS, "last_activity_at"), row)
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
    number, session_id, event_type, event_data, timestamp, scope, key = row
    event = _UnfrozenDailyLog()
    try:
        event.timestamp = parse_instant(timestamp)
        if not (
            type(event_type) is type(scope) is str
            and (event_data is None or type(event_data) is str)
            and (key is None or type(key) is str)
            and (session_id is None or type(session_id) is int)
        ):
            raise TypeError
    except NO_INSTANT:
        return attrs.evolve(to_daily_log(mend(DAILY_LOG_COLUMNS, row)), is_mended=True)
    event.id, event.scope, event.session_id = number, scope, session_id
    event.event_type, event.raw_event_data, event.key = event_type, event_data, key
    event._is_mended = False  # noqa: SLF001 - a field of the model that it becomes
    event.__class__ = DailyLog
    decoded: DailyLog = event
    return decoded


def to_appended(outcome: AppendOutcome, row: Row) -> Appended:
    """Return what became of an event, and decode its row as `to_daily_log` does."""
    appended = _UnfrozenAppended()
    appended.outcome, appended.event = outcome, to_daily_log(row)
    appended.__class__ = Appended
    told: Appended = appended
    return told


def _status(ended_at: datetime | None, idle: timedelta, idle_after: timedelta) -> SessionStatus:
    if ended_at is not None:
        return "ended"
    return "active" if idle < idle_after else "abandoned"
