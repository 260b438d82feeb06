"""Calendar days of a time zone as ranges of instants, correct across daylight-saving changes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from memrepo.errors import InvalidInputError

__all__ = ["day_range", "days_around", "start_of_day"]


def start_of_day(day: date, tz: tzinfo) -> datetime:
    """
    Return the first instant of *day* in *tz*, in UTC.

    If the clock skips midnight, that is the moment of the change; if midnight comes twice, the first.
    """
    try:
        return datetime.combine(day, time.min, tz).astimezone(UTC)
    except OverflowError:
        raise InvalidInputError("day", "is outside the years 1 to 9999 in UTC") from None


def day_range(day: date, tz: tzinfo) -> tuple[datetime, datetime]:
    """Return *day* in *tz* as a half-open range of instants: usually 24 hours, but sometimes 23 or 25."""
    if day == date.max:
        raise InvalidInputError("day", "is the last day of the calendar")
    return start_of_day(day, tz), start_of_day(day + timedelta(days=1), tz)


def days_around(utc_days: Iterable[date]) -> list[date]:
    """Return the calendar days that these UTC days overlap in any time zone, in order."""
    numbers = {day.toordinal() + shift for day in utc_days for shift in (-1, 0, 1)}
    return [date.fromordinal(n) for n in sorted(numbers) if 1 < n < date.max.toordinal()]
