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
        offset = dt.replace(tzinfo=UTC).astimezone().utcoffset()
        assert offset is not None  # noqa: S101 - for the type checker
        local = dt + offset
        # In an hour that comes twice, it is the second one that has another offset than is taken for it.
        return local.replace(fold=int(self.utcoffset(local) != offset))

    def __str__(self) -> str:
        return "local time"


#: The system's time zone.
LOCAL: Final = _Local()
