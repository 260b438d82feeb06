"""``log``, ``sessions``, ``stats`` and ``status``: what happened, and what there is."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import memrepo
from memrepo import DailyLogNew
from tests.cli.conftest import Command, on_store
from tests.patience import PATIENCE_S
from tests.servers.sqld import Sqld

_NOON = datetime(2026, 2, 2, 12, tzinfo=UTC)


@pytest.fixture
def filled(path: Path) -> Path:
    """A file with two sessions, and events of three days."""

    async def fill(store: memrepo.Store) -> None:
        one = await store.sessions.start("phone")
        await store.daily_logs.append_many(
            DailyLogNew(
                event_type="topic" if n % 2 else "tool_invocation",
                event_data={"n": n},
                session_id=one.id,
                timestamp=_NOON - timedelta(days=n % 3),
            )
            for n in range(9)
        )
        await store.sessions.end(one.id, summary="All said.")
        await store.sessions.start()
        await store.memories.remember("Likes tea", category="preference")
        await store.memories.remember("Has a dog")
        await store.scoped("ada").memories.remember("Likes rum")

    on_store(path, fill, clock=lambda: _NOON)
    return path


def test_log(filled: Path, command: Command) -> None:
    """The latest events come last, of all, of a session, of types, or of a day in a time zone."""
    rows = command("log", "-n", 2).table
    assert [row[1] for row in rows] == ["2026-02-02T12:00:00.000Z"] * 2
    assert [row[4] for row in rows] == ['{"n": 3}', '{"n": 6}']
    assert len(command("log", "--session", 1).table) == 9
    assert command("log", "--session", 2).err == "no events\n"
    types = {row[3] for row in command("log", "--type", "topic").table}
    assert types == {"topic"}
    day = command("log", "--day", "2026-02-01", "--tz", "Europe/London", "--json").json["events"]
    assert [event["event_data"]["n"] for event in day] == [1, 4, 7]
    assert len(command("log", "--day", "2026-02-01", "--tz", "Asia/Tokyo", "--nl").nl) == 3
    assert command("log", "--day", "today").err == "no events\n"


def test_days_where_the_clock_changes(
    path: Path, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A day begins at local midnight of that day, in summer as in winter."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    at = [datetime(2026, month, 9, hour, 30, tzinfo=UTC) for month in (1, 7) for hour in (22, 23)]
    events = [DailyLogNew(event_type="e", timestamp=each) for each in at]
    on_store(path, lambda store: store.daily_logs.append_many(events))
    found = command("stats", "--days", 200, "--json").json["events_by_day"]
    assert {day: n for day, n in found.items() if n} == {
        "2026-01-09": 1,
        "2026-01-10": 1,
        "2026-07-10": 2,
    }
    assert len(command("log", "--day", "2026-07-10").table) == 2
    assert command("log", "--digest", "--day", "2026-07-10").out.startswith(
        "# 2026-07-10 (local time)\n"
    )
    monkeypatch.undo()
    time.tzset()


def test_digest(filled: Path, command: Command) -> None:
    """A day and a session are summed up as Markdown, or as data."""
    assert command("log", "--digest", "--session", 1).out.startswith("# Session 1\n")
    day = command("log", "--digest", "--day", "2026-02-01", "--tz", "UTC")
    assert day.out.startswith("# 2026-02-01 (UTC)\n")
    assert command("log", "--digest", "--session", 1, "--json").json["n_events"] == 9
    for wrong in ((), ("--day", "today", "--session", "1")):
        assert command("log", "--digest", *wrong).status == 2


async def _append(text: str, store: memrepo.Store) -> None:
    await store.daily_logs.append(None, "new", text)


@contextmanager
def _following(*arguments: str) -> Iterator[Callable[[], Any]]:
    """Run ``log -f``, and yield what waits for the data of its next event; it ends by Ctrl-C, which is no failure."""
    program = [sys.executable, "-m", "memrepo", "log", "-f", "--nl", *arguments]
    with subprocess.Popen(
        program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as following:
        assert following.stdout is not None
        assert following.stderr is not None
        lines = following.stdout
        patience = threading.Timer(PATIENCE_S, following.kill)  # a line may never come
        patience.start()
        try:
            yield lambda: json.loads(lines.readline())["event_data"]
            following.send_signal(signal.SIGINT)
            assert (following.wait(timeout=PATIENCE_S), following.stderr.read()) == (0, "")
        finally:
            patience.cancel()
            following.kill()


def test_follow(filled: Path) -> None:
    """New events are printed as they come, until Ctrl-C, which is no failure."""
    with _following("-n", "1") as next_data:
        assert next_data() == {"n": 6}
        for text in ("one", "two"):
            on_store(filled, partial(_append, text))
            assert next_data() == text


def test_follow_shows_an_event_that_comes_late(filled: Path) -> None:
    """An event that is stored after another is shown once, and after it, however much earlier its time is."""
    with _following("-n", "1") as next_data:
        assert next_data() == {"n": 6}
        for days, text in ((0, "now"), (400, "late"), (0, "later")):
            at = _NOON - timedelta(days=days)
            on_store(filled, partial(_append, text), clock=lambda at=at: at)
            assert next_data() == text


def test_follow_shows_another_programs_event_once(filled: Path) -> None:
    """An event whose time is spelled as memrepo does not spell it is shown once."""
    with _following("-n", "1") as next_data:
        assert next_data() == {"n": 6}
        with closing(sqlite3.connect(filled)) as raw, raw:
            raw.execute(
                "INSERT INTO daily_logs (event_type, event_data, timestamp) VALUES (?, ?, ?)",
                ("other", '"of another"', "2026-02-03T14:00:00Z"),
            )
        assert next_data() == "of another"
        on_store(filled, partial(_append, "ours"))
        assert next_data() == "ours"


def test_follow_on_a_server(sqld: Sqld, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log of a server is followed as that of a file."""
    url = sqld.new_url()
    monkeypatch.setenv("MEMREPO_URL", url)
    on_store(url, partial(_append, "zero"))
    with _following() as next_data:
        assert next_data() == "zero"
        for days, text in ((0, "one"), (1, "two")):
            at = _NOON - timedelta(days=days)
            on_store(url, partial(_append, text), clock=lambda at=at: at)
            assert next_data() == text


def test_follow_only_what_is_asked_for(filled: Path) -> None:
    """What is of another type, session, day or scope is left out, also while it is followed."""
    of_its_own: dict[str, Any] = {"session_id": 1, "event_type": "wanted", "timestamp": _NOON}
    a_day_before = _NOON - timedelta(days=1)
    others = ({"session_id": None}, {"event_type": "topic"}, {"timestamp": a_day_before})

    async def append(text: str, store: memrepo.Store) -> None:
        await store.scoped("ada").daily_logs.append(None, "wanted", "of ada")
        for its in (*others, {}):
            new = of_its_own | its | {"event_data": "another" if its else text}
            await store.daily_logs.append_many([DailyLogNew(**new)])

    asked_for = ("--session", "1", "--type", "wanted", "--day", "2026-02-02", "--tz", "UTC")
    on_store(filled, partial(append, "zero"))
    with _following(*asked_for) as next_data:
        assert next_data() == "zero"
        for text in ("one", "two"):
            on_store(filled, partial(append, text))
            assert next_data() == text


def test_follow_misses_nothing_while_it_begins(filled: Path) -> None:
    """Of events that are stored while it starts, each is shown once, whatever their times."""
    is_seen = threading.Event()
    stored: list[str] = []

    async def append(store: memrepo.Store) -> None:
        while not is_seen.is_set() and len(stored) < 9_000:
            stored.append(f"{len(stored)}")
            at = _NOON - timedelta(minutes=len(stored))
            new = DailyLogNew(event_type="new", event_data=stored[-1], timestamp=at)
            await store.daily_logs.append_many([new])
        await store.daily_logs.append(None, "new", "the last")

    writer = threading.Thread(target=on_store, args=(filled, append))
    writer.start()
    try:
        with _following("--type", "new", "-n", "10000") as next_data:
            seen = [next_data() for _ in range(2_000)]
            is_seen.set()
            while seen[-1] != "the last":
                seen.append(next_data())
    finally:
        is_seen.set()
        writer.join()
    assert sorted(seen) == sorted([*stored, "the last"])


def test_follow_as_one_object(filled: Path, command: Command) -> None:
    """What has no end cannot be one object."""
    assert command("log", "-f", "--json").status == 2


def test_sessions(filled: Path, command: Command) -> None:
    """Sessions are shown with their state, by thread and by status, and idle ones are ended."""
    rows = command("sessions").table
    assert [(row[0], row[1], row[2]) for row in rows] == [
        ("2", "", "abandoned"),
        ("1", "phone", "ended"),
    ]
    assert rows[1][6] == "All said."
    assert [its["id"] for its in command("sessions", "--thread", "phone", "--nl").nl] == [1]
    assert len(command("sessions", "--status", "ended", "--json").json["sessions"]) == 1
    assert {row[0] for row in command("sessions", "--threads").table} == {"", "phone"}
    assert command("sessions", "--end-abandoned").out == "ended 1\n"
    assert command("sessions", "--end-abandoned", "--json").json == {"ended": 0}


def test_stats(filled: Path, command: Command) -> None:
    """Facts, events by day, growth, scopes and the size are counted."""
    found = command("stats", "--days", 3, "--tz", "UTC", "--json").json
    assert found["facts_by_category"] == {"fact": 1, "preference": 1}
    assert found["facts_by_source"] == {"user_explicit": 2}
    assert found["events_by_day"] == {"2026-01-31": 3, "2026-02-01": 3, "2026-02-02": 3}
    assert found["events_until"] == {"2026-01-31": 3, "2026-02-01": 6, "2026-02-02": 9}
    assert [(its["scope"], its["n_facts"]) for its in found["scopes"]] == [("", 2), ("ada", 1)]
    assert found["size_bytes"] > 100_000
    rows = command("stats", "--days", 1, "--tz", "UTC").table
    assert ["events in all", "2026-02-02", "9"] in rows
    assert command("stats", "--scope", "ada", "--json").json["facts_by_category"] == {"fact": 1}


def test_stats_of_the_first_days_that_there_are(path: Path, command: Command) -> None:
    """Where the calendar has fewer days before the last event than are asked for, those are shown."""
    event = DailyLogNew(event_type="e", timestamp=datetime(1, 1, 2, 12, tzinfo=UTC))
    on_store(path, lambda store: store.daily_logs.append_many([event]))
    found = command("stats", "--tz", "UTC", "--json").json
    assert found["events_by_day"] == {"0001-01-01": 0, "0001-01-02": 1}
    assert found["events_until"] == {"0001-01-01": 0, "0001-01-02": 1}


def test_status(filled: Path, command: Command) -> None:
    """It says what the database is."""
    shown = command("status").out
    assert re.search(rf"^database: +{re.escape(os.fspath(filled))}$", shown, re.MULTILINE)
    assert re.search(r"^schema: +9$", shown, re.MULTILINE)
    assert command("status", "--json").json["schema_version"] == 9
    assert command("status", "--db", "none.db").status == 1
    assert not filled.with_name("none.db").exists()


def test_data_in_any_language(command: Command, path: Path) -> None:
    """People see the letters of an event's data; what moves a cursor is left out, and JSON stays ASCII."""
    data = {"topic": "Z\u00fcrich \u65e5\u672c", "evil": "\x9b2J\u202e"}
    on_store(path, lambda store: store.daily_logs.append(None, "e", data))
    (shown,) = command("log").table
    assert '"topic": "Z\u00fcrich \u65e5\u672c"' in shown[4]
    assert not {"\x9b", "\u202e"} & {*shown[4]}
    assert command("log", "--nl").out.isascii()
