"""Calendar days of a time zone as ranges of instants, across every kind of change of the clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings, strategies as st

from memrepo import InvalidInputError
from memrepo.domain.days import day_range, days_around, start_of_day
from tests.domain.zones import OfTheSystem

HOUR = timedelta(hours=1)
ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "America/St_Johns",
    "America/Havana",
    "America/Asuncion",
    "Africa/Cairo",
    "Asia/Beirut",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Pyongyang",
    "Asia/Tehran",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Pacific/Kwajalein",
    "Antarctica/Troll",
)


def first_instant(day: date, tz: tzinfo) -> datetime:
    """Search, minute by minute, for the first instant that *tz* dates *day* or later."""
    instant = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=26)
    while instant.astimezone(tz).date() < day:
        instant += timedelta(minutes=1)
    return instant


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("Europe/Berlin", date(2026, 10, 24), 24),
        ("America/New_York", date(2026, 3, 8), 23),
        ("America/New_York", date(2026, 11, 1), 25),
        # Midnight is skipped: the day begins at 01:00.
        ("America/Sao_Paulo", date(2018, 11, 4), 23),
        ("Africa/Cairo", date(2014, 5, 16), 23),
        ("Africa/Cairo", date(2023, 4, 28), 23),
        ("Asia/Beirut", date(2022, 3, 27), 23),
        # Midnight comes twice.
        ("America/Sao_Paulo", date(2018, 2, 17), 25),
        ("America/Havana", date(2026, 11, 1), 25),
        # Half an hour, and a zone that is not whole hours away.
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("Australia/Lord_Howe", date(2026, 10, 4), 23.5),
        ("Asia/Kolkata", date(2026, 3, 29), 24),
        ("Asia/Kathmandu", date(2026, 3, 29), 24),
        ("Asia/Pyongyang", date(2018, 5, 4), 23.5),
        # This day was left out altogether.
        ("Pacific/Apia", date(2011, 12, 30), 0),
        ("Pacific/Apia", date(2011, 12, 29), 24),
        ("Pacific/Apia", date(2011, 12, 31), 24),
    ],
)
def test_day_range_has_the_hours_the_day_had(zone: str, day: date, hours: float) -> None:
    """A day is as long as it was on the wall: 23, 24 or 25 hours, some other length, or none."""
    since, until = day_range(day, ZoneInfo(zone))
    assert (until - since) / HOUR == hours


@pytest.mark.parametrize(
    ("zone", "day", "expected"),
    [
        ("America/Sao_Paulo", date(2018, 11, 4), datetime(2018, 11, 4, 3, tzinfo=UTC)),
        ("Africa/Cairo", date(2023, 4, 28), datetime(2023, 4, 27, 22, tzinfo=UTC)),
        ("Pacific/Apia", date(2011, 12, 31), datetime(2011, 12, 30, 10, tzinfo=UTC)),
        ("Asia/Kolkata", date(2026, 2, 2), datetime(2026, 2, 1, 18, 30, tzinfo=UTC)),
        ("Europe/Berlin", date(2026, 3, 29), datetime(2026, 3, 28, 23, tzinfo=UTC)),
    ],
)
def test_start_of_day_examples(zone: str, day: date, expected: datetime) -> None:
    """The first instant of a day is in UTC, and where midnight is skipped, the moment it skips."""
    start = start_of_day(day, ZoneInfo(zone))
    assert start == expected
    assert start.tzinfo is UTC


@settings(max_examples=60)
@given(st.sampled_from(ZONES), st.dates(date(1970, 1, 2), date(2037, 12, 30)))
def test_start_of_day_is_the_first_instant_found_by_searching(zone: str, day: date) -> None:
    """In zones of every kind, no earlier minute has the day's date, and the start has it (or later)."""
    tz = ZoneInfo(zone)
    assert start_of_day(day, tz) == first_instant(day, tz)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.slow
def test_start_of_day_at_every_change_of_the_clocks(zone: str) -> None:
    """The same at each change of the clocks from 2000 to 2030, and on the days around it."""
    tz, day = ZoneInfo(zone), date(2000, 1, 1)
    while day < date(2030, 1, 1):
        since, until = day_range(day, tz)
        if until - since != 24 * HOUR:
            for other in (day, day + timedelta(days=1)):
                assert start_of_day(other, tz) == first_instant(other, tz), other
        day += timedelta(days=1)


@given(st.sampled_from(ZONES), st.dates(date(1970, 1, 2), date(2037, 12, 30)))
def test_days_follow_each_other_without_gap_or_overlap(zone: str, day: date) -> None:
    """Where one day ends the next begins, so that no event is counted twice or not at all."""
    tz = ZoneInfo(zone)
    assert day_range(day, tz)[1] == day_range(day + timedelta(days=1), tz)[0]


@given(st.sampled_from(ZONES), st.datetimes(datetime(1970, 1, 2), datetime(2037, 12, 30)))  # noqa: DTZ001
def test_days_around_has_the_day_of_every_zone(zone: str, moment: datetime) -> None:
    """Whatever a zone calls the day of an instant, it is among the days around the day of UTC."""
    instant = moment.replace(tzinfo=UTC)
    assert instant.astimezone(ZoneInfo(zone)).date() in days_around([instant.date()])


def test_days_around_names_each_day_once_in_order() -> None:
    """A zone may be a day ahead of UTC or behind it; days the calendar lacks are left out."""
    expected = [date(2026, 1, day) for day in (29, 30, 31)] + [date(2026, 2, 1)]
    assert days_around([date(2026, 1, 31), date(2026, 1, 30)]) == expected
    assert days_around([date.max]) == [date.max - timedelta(days=1)]
    assert days_around([]) == []


@pytest.mark.parametrize(
    ("day", "tz"),
    [
        (date.max, UTC),
        (date.min, timezone(14 * HOUR)),
        (date.min, ZoneInfo("Asia/Tokyo")),
        (date.min, OfTheSystem()),
    ],
)
def test_days_at_the_ends_of_the_calendar_are_refused(day: date, tz: tzinfo) -> None:
    """A day whose instants Python cannot hold is InvalidInputError, and no error of Python's own."""
    with pytest.raises(InvalidInputError) as caught:
        day_range(day, tz)
    assert caught.value.field == "day"


def test_the_first_and_last_days_that_can_be_held() -> None:
    """The calendar's ends themselves are accepted where they fit."""
    assert day_range(date.min, UTC)[0] == datetime.min.replace(tzinfo=UTC)
    assert day_range(date.max - timedelta(days=1), UTC)[1].date() == date.max
