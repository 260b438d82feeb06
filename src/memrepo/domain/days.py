"""Calendar days of a time zone as ranges of instants, correct across daylight-saving changes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from memrepo.errors import InvalidInputError

__all__ = ["day_range", "days_around", "start_of_day", "start_of_this_day"]


def start_of_this_day(field: str, now: datetime, tz: tzinfo) -> datetime:
    """Return the first instant, in UTC, of the day that it is in *tz*, which an argument *field* gave."""
    try:
        return start_of_day(now.astimezone(tz).date(), tz)
    except OverflowError:
        raise InvalidInputError(field, "is now outside the years 1 to 9999") from None
    except InvalidInputError as error:
        raise InvalidInputError(field, error.reason) from None


def start_of_day(day: date, tz: tzinfo) -> datetime:
    """
    Return the first instant of *day* in *tz*, in UTC.

    If the clock skips midnight, that is the moment of the change; if midnight comes twice, the first.
    """
    midnight = datetime.combine(day, time.min, tz)
    try:
        if midnight.utcoffset() is not None:  # Python would take the system's time zone
            return midnight.astimezone(UTC)
    # A ValueError is of Python's own look at the system's time zone.
    except (OverflowError, ValueError):
        raise InvalidInputError("day", "is outside the years 1 to 9999 in UTC") from None
    raise InvalidInputError("tz", "does not know its offset from UTC on this day")


def day_range(day: date, tz: tzinfo) -> tuple[datetime, datetime]:
    """Return *day* in *tz* as a half-open range of instants: usually 24 hours, but sometimes 23 or 25."""
    if day == date.max:
        raise InvalidInputError("day", "is the last day of the calendar")
    return start_of_day(day, tz), start_of_day(day + timedelta(days=1), tz)


def days_around(utc_days: Iterable[date]) -> list[date]:
    """Return the calendar days that these UTC days overlap in any time zone, in order."""
    numbers = {day.toordinal() + shift for day in utc_days for shift in (-1, 0, 1)}
    return [date.fromordinal(n) for n in sorted(numbers) if 1 < n < date.max.toordinal()]
