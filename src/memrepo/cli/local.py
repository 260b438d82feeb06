"""The system's time zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

__all__ = ["LOCAL", "local_time"]


# Python looks a day before and after a time, which at the ends of the calendar are not there.
_FIRST: Final = datetime(1, 1, 3)  # noqa: DTZ001 - local time
_LAST: Final = datetime(9999, 12, 29)  # noqa: DTZ001


def _within(dt: datetime) -> datetime:
    """Return a time without its zone; at the ends of the calendar, one near it, where clocks show the same offset."""
    return min(max(dt.replace(tzinfo=None), _FIRST), _LAST)


class _Local(tzinfo):
    """The system's time zone, with its changes of the clock; a fixed offset would not know them."""

    def utcoffset(self, dt: datetime | None) -> timedelta | None:
        """Return the offset at a local time."""
        return None if dt is None else _within(dt).astimezone().utcoffset()

    def dst(self, dt: datetime | None) -> timedelta | None:
        """Return nothing: the offset has it."""

    def tzname(self, dt: datetime | None) -> str | None:
        """Return the name at a local time."""
        return None if dt is None else _within(dt).astimezone().tzname()

    def fromutc(self, dt: datetime) -> datetime:
        """Return an instant as local time."""
        offset = _within(dt).replace(tzinfo=UTC).astimezone().utcoffset()
        assert offset is not None  # noqa: S101 - for the type checker
        local = dt + offset
        # In an hour that comes twice, it is the second one that has another offset than is taken for it.
        return local.replace(fold=int(self.utcoffset(local) != offset))

    def __str__(self) -> str:
        return "local time"


#: The system's time zone.
LOCAL: Final = _Local()


def local_time(instant: datetime) -> datetime:
    """Return an instant as the system's clock shows it; as it is where that is outside the calendar."""
    try:
        return instant.astimezone(LOCAL)
    except OverflowError:
        return instant
