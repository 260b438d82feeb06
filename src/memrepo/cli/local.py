"""The system's time zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

__all__ = ["LOCAL"]


class _Local(tzinfo):
    """The system's time zone, with its changes of the clock; a fixed offset would not know them."""

    def utcoffset(self, dt: datetime | None) -> timedelta | None:
        """Return the offset at a local time."""
        return None if dt is None else dt.replace(tzinfo=None).astimezone().utcoffset()

    def dst(self, dt: datetime | None) -> timedelta | None:
        """Return nothing: the offset has it."""

    def tzname(self, dt: datetime | None) -> str | None:
        """Return the name at a local time."""
        return None if dt is None else dt.replace(tzinfo=None).astimezone().tzname()

    def fromutc(self, dt: datetime) -> datetime:
        """Return an instant as local time."""
        return dt.replace(tzinfo=UTC).astimezone().replace(tzinfo=self)

    def __str__(self) -> str:
        return "local time"


#: The system's time zone.
LOCAL: Final = _Local()
