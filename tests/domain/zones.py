"""A time zone of a program's own."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo

__all__ = ["OfTheSystem"]


class OfTheSystem(tzinfo):
    """It asks Python for the system's, which cannot tell at the ends of the calendar."""

    def utcoffset(self, dt: datetime | None) -> timedelta | None:
        return None if dt is None else dt.replace(tzinfo=None).astimezone().utcoffset()

    def dst(self, dt: datetime | None) -> timedelta:
        return timedelta()

    def tzname(self, dt: datetime | None) -> str:
        return "the system's"
