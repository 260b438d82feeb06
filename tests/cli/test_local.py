"""The system's time zone is told like the zone of that name, in every hour of the calendar."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from memrepo import DailyLogNew
from memrepo.cli.local import LOCAL
from tests.cli.conftest import Command, on_store

SetZone = Callable[[str], None]


@pytest.fixture
def set_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[SetZone]:
    """Give the process another time zone, until the test ends."""

    def set_to(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield set_to
    monkeypatch.undo()
    time.tzset()


def _append(path: Path, instants: Iterable[datetime]) -> None:
    """Store an event of each instant."""
    events = [
        DailyLogNew(event_type="topic_change", event_data={"topic": "tea"}, timestamp=at)
        for at in instants
    ]
    on_store(path, lambda store: store.daily_logs.append_many(events))


def _clock(instant: datetime, zone: tzinfo) -> tuple[str, int] | None:
    """What a clock in a zone shows; ``None`` where that is outside the calendar."""
    try:
        local = instant.astimezone(zone)
    except OverflowError:
        return None
    return local.isoformat(), local.fold


@pytest.mark.parametrize(
    "zone",
    [
        *("America/New_York", "Europe/Berlin", "Europe/Dublin", "Asia/Tokyo", "UTC"),
        *("America/Havana", "Australia/Lord_Howe", "Antarctica/Troll"),
    ],
)
def test_is_the_zone_of_its_name(zone: str, set_zone: SetZone) -> None:
    """Each quarter of an hour of a year has the local time and the offset that it should, also where an hour comes twice."""
    set_zone(zone)
    instants = [datetime(2026, 1, 1, tzinfo=UTC) + n * timedelta(minutes=15) for n in range(35_040)]
    named = ZoneInfo(zone)
    assert [at for at in instants if _clock(at, LOCAL) != _clock(at, named)] == []


def test_an_hour_that_comes_twice(path: Path, command: Command, set_zone: SetZone) -> None:
    """A digest tells the two hours of the system's zone apart by their offsets."""
    _append(path, [datetime(2026, 11, 1, hour, 30, tzinfo=UTC) for hour in (5, 6)])
    set_zone("America/New_York")
    shown = command("log", "--day", "2026-11-01", "--digest").out
    assert "01:30-04:00" in shown
    assert "01:30-05:00" in shown


_FIRST = datetime.min.replace(tzinfo=UTC)
_LAST = datetime.max.replace(tzinfo=UTC)


@pytest.mark.parametrize("zone", ["UTC", "America/New_York", "Asia/Tokyo"])
def test_the_ends_of_the_calendar(
    zone: str, path: Path, command: Command, set_zone: SetZone
) -> None:
    """The first and the last days have their local times, and commands show them."""
    set_zone(zone)
    hours = [n * timedelta(hours=1) for n in range(100)]
    instants = [*(_FIRST + its for its in hours), *(_LAST - its for its in hours)]
    named = ZoneInfo(zone)
    assert [at for at in instants if _clock(at, LOCAL) != _clock(at, named)] == []
    # Here, Go's zero time.
    _append(path, [_FIRST, _FIRST + timedelta(days=1), _LAST - timedelta(days=2)])
    for arguments in (("stats",), ("log",), ("log", "--digest", "--day", "0001-01-02")):
        assert command(*arguments).status == 0


@pytest.mark.parametrize(
    ("zone", "day", "status"),
    [
        ("America/New_York", "0001-01-01", 0),
        ("Asia/Tokyo", "0001-01-01", 2),  # it began in the year 0
        ("Asia/Tokyo", "9999-12-30", 0),
        ("America/New_York", "9999-12-31", 2),
    ],
)
def test_a_day_at_an_end_of_the_calendar(
    zone: str, day: str, status: int, path: Path, command: Command, set_zone: SetZone
) -> None:
    """A day that is not whole in the calendar is refused, as misuse; others are shown."""
    command("init")
    set_zone(zone)
    ran = command("log", "--day", day)
    said = "no events\n" if status == 0 else "memrepo: --day: is "
    assert (ran.status, ran.err.startswith(said)) == (status, True), ran.err
