"""Instants as text: ISO 8601 in UTC with milliseconds and ``Z``, so that text order is time order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Final

from memrepo.errors import InvalidInputError

__all__ = [
    "NO_INSTANT",
    "encode_bound",
    "encode_instant",
    "in_utc",
    "parse_instant",
    "read_dates",
]

#: What `parse_instant` raises for a value that is not an instant.
NO_INSTANT: Final = (TypeError, ValueError, OverflowError)

#: For ``%``: `isoformat` takes half as long again, because it asks the time zone for its offset.
_INSTANT: Final = "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ"
#: Found once, because reading an instant takes little longer than finding this.
_from_iso: Final = datetime.fromisoformat


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


def parse_instant(text: object) -> datetime:
    """Decode an instant of any offset; raises one of `NO_INSTANT` for anything else."""
    instant = _from_iso(text)  # type: ignore[arg-type]
    return instant if instant.tzinfo is UTC else in_utc(instant)


def read_dates(texts: Iterable[object]) -> Iterator[date]:
    """Yield the UTC date of each of *texts* that is an instant; another program's may be none."""
    for text in texts:
        with suppress(*NO_INSTANT):
            yield parse_instant(text).date()


def in_utc(instant: datetime) -> datetime:
    """Return *instant* in UTC; one without a time zone is taken to be in UTC."""
    # SQLite's CURRENT_TIMESTAMP, which another program may have used, is UTC and does not say so.
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
