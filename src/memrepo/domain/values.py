"""Values as SQLite stores them, and what stands in the place of one that cannot be read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from memrepo.domain.instants import NO_INSTANT, parse_instant

__all__ = ["Row", "Value", "mend", "unreadable"]

#: A value as SQLite stores it.
Value: TypeAlias = int | float | str | bytes | None
#: One row of a result, in the order of its statement's columns.
Row: TypeAlias = tuple[Any, ...]

#: The columns that are instants, numbers of other rows, and never NULL; the rest are texts.
_INSTANTS: Final = {
    "created_at",
    "last_accessed",
    "expires_at",
    "deleted_at",
    "proposed_at",
    "pinned_at",
    "due_at",
    "surfaced_at",
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


def mend(columns: Sequence[str], row: Row) -> Row:
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
