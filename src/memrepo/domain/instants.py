"""Instants as text: ISO 8601 in UTC with milliseconds and ``Z``, so that text order is time order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from memrepo.errors import DecodeError, InvalidInputError

__all__ = [
    "NO_INSTANT",
    "encode_bound",
    "encode_instant",
    "in_utc",
    "parse_instant",
    "to_instant",
]

#: What `parse_instant` raises for a value that is not an instant.
NO_INSTANT: Final = (TypeError, ValueError, OverflowError)

#: For ``%``: `isoformat` takes half as long again, because it asks the time zone for its offset.
_INSTANT: Final = "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ"


def encode_instant(instant: datetime) -> str:
    """Write an aware instant as ``2026-02-02T14:16:24.123Z``, truncated to the millisecond."""
    at = instant if instant.tzinfo is UTC else instant.astimezone(UTC)
    millisecond = at.microsecond // 1000
    return _INSTANT % (at.year, at.month, at.day, at.hour, at.minute, at.second, millisecond)


def encode_bound(field: str, instant: datetime) -> str:
    """Write an end of a range, rounded up, so that comparing stored text with it is exact."""
    rest = instant.microsecond % 1000
    try:
        return encode_instant(instant + timedelta(microseconds=1000 - rest) if rest else instant)
    except OverflowError:
        raise InvalidInputError(field, "is outside the years 1 to 9999") from None


def to_instant(text: object, place: str = "a stored instant") -> datetime:
    """
    Decode an instant of any offset, from the column that *place* names.

    Raises:
        DecodeError: It is not ISO 8601 text, or outside the years 1 to 9999 in UTC.
    """
    try:
        return parse_instant(text)
    except NO_INSTANT as error:
        raise DecodeError(f"{place} is not ISO 8601 text") from error


def parse_instant(text: object) -> datetime:
    """Decode an instant of any offset; raises one of `NO_INSTANT` for anything else."""
    instant = datetime.fromisoformat(text)  # type: ignore[arg-type]
    return instant if instant.tzinfo is UTC else in_utc(instant)


def in_utc(instant: datetime) -> datetime:
    """Return *instant* in UTC; one without a time zone is taken to be in UTC."""
    # SQLite's CURRENT_TIMESTAMP, which another program may have used, is UTC and does not say so.
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
