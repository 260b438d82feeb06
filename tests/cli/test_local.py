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
