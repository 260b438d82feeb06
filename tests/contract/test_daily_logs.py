"""The contract of `DailyLogRepo`, on every driver."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import memrepo
from memrepo import (
    Appended,
    DailyLog,
    DailyLogFilter,
    DailyLogNew,
    DailyLogRepo,
    InvalidInputError,
    MemoryNew,
    NotFoundError,
    Store,
)
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio

BAD_IDS: list[Any] = [0, -1, 2**63, True, 1.0, "1"]
BERLIN = ZoneInfo("Europe/Berlin")
HAVANA = ZoneInfo("America/Havana")  # its clocks skip midnight in spring and repeat it in autumn
VALUES: list[Any] = [
    {"tool": "calendar", "ok": True, "n": None},
    [],
    {},
    [1, [2, [3.5, "vier"]]],
    "plain text",
    '{"looks": "like JSON"}',
    '{"broken":',
    "",
    "\u00e9 \u4e8b \U0001f600 \0 \u2028",
    0,
    -(2**63),
    2**63 - 1,
    1e308,
    5e-324,
    True,
    False,
]


async def types(repo: DailyLogRepo, where: DailyLogFilter | None = None) -> list[str]:
    return [event.event_type for event in await repo.find_many(where or DailyLogFilter())]


# --- append ------------------------------------------------------------------------------------


async def test_append(store: Store, clock: Clock) -> None:
    """An event is stored with the clock's time, and read back as it was."""
    session = await store.sessions.start()
    event = (
        await store.daily_logs.append(session.id, "tool_invocation", {"tool": "caf\u00e9"})
    ).event
    assert event == DailyLog(
        id=event.id,
        scope="",
        session_id=session.id,
        event_type="tool_invocation",
        raw_event_data='{"tool":"caf\u00e9"}',
        timestamp=clock.now,
        key=None,
    )
    assert event.event_data == {"tool": "caf\u00e9"}
    assert not event.is_broken
    assert await store.daily_logs.get(event.id) == event


async def test_append_values(store: Store) -> None:
    """What JSON can hold comes back equal and of the same type, alone and in a batch."""
    for value in VALUES:
        event = (await store.daily_logs.append(None, "user_state", value)).event
        assert (event.event_data, event.is_broken) == (value, False)
        assert type((await store.daily_logs.get(event.id)).event_data) is type(value)
    batch = [DailyLogNew(event_type="x", event_data=value) for value in VALUES]
    assert [its.event.event_data for its in await store.daily_logs.append_many(batch)] == VALUES
    assert [event.event_data for event in await store.daily_logs.find_many()] == VALUES * 2


async def test_append_nothing(store: Store) -> None:
    """Without data nothing is stored as data, and that is not broken."""
    event = (await store.daily_logs.append(None, "user_state")).event
    assert (event.raw_event_data, event.event_data, event.is_broken) == (None, None, False)
    assert event.session_id is None


async def test_append_equal_events(store: Store) -> None:
    """Without a key every append is a new event, however alike."""
    events = [await store.daily_logs.append(None, "user_state", 1) for _ in range(3)]
    assert [event.id for event in await store.daily_logs.find_many()] == [e.id for e in events]


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"event_type": ""}, "event_type"),
        ({"event_type": None}, "event_type"),
        ({"event_type": "x" * 256}, "event_type"),
        ({"event_data": float("nan")}, "event_data"),
        ({"event_data": {"a": [float("inf")]}}, "event_data.a[0]"),
        ({"event_data": {"a": {1, 2}}}, "event_data.a"),
        ({"event_data": datetime(2026, 1, 1, tzinfo=UTC)}, "event_data"),
        ({"event_data": 2**63}, "event_data"),
        ({"event_data": "\ud800"}, "event_data"),
        ({"key": ""}, "key"),
        ({"key": 5}, "key"),
        ({"key": "x" * 256}, "key"),
        *(({"session_id": bad}, "session_id") for bad in BAD_IDS),
    ],
    ids=ascii,
)
async def test_append_refuses(store: Store, arguments: dict[str, Any], field: str) -> None:
    """What cannot be stored is refused by name, alone and in a batch, and nothing is stored."""
    given = {"session_id": None, "event_type": "x", "event_data": None, "key": None, **arguments}
    with pytest.raises(InvalidInputError) as caught:
        await store.daily_logs.append(**given)
    assert caught.value.field == field
    batch = [DailyLogNew(event_type="good"), DailyLogNew(**given)]
    with pytest.raises(InvalidInputError):
        await store.daily_logs.append_many(batch)
    assert await types(store.daily_logs) == []


async def test_append_to_an_unknown_session(store: Store) -> None:
    """The session must be there; if it is not, nothing is stored."""
    message = "^no session with id 77 in this scope$"
    with pytest.raises(NotFoundError, match=message):
        await store.daily_logs.append(77, "user_state")
    with pytest.raises(NotFoundError, match=message):
        await store.daily_logs.append(77, "user_state", key="k")
    assert await types(store.daily_logs) == []


async def test_append_to_an_ended_session(store: Store) -> None:
    """What happened after a session's end can still be said of it."""
    session = await store.sessions.start()
    await store.sessions.end(session.id)
    await store.daily_logs.append(session.id, "session_end")
    assert (await store.sessions.get(session.id)).status == "ended"


# --- keys --------------------------------------------------------------------------------------


async def test_key_again(store: Store, clock: Clock) -> None:
    """A retry with the same key is a duplicate: the event that was stored first, whatever it says itself."""
    first = await store.daily_logs.append(None, "user_state", {"n": 1}, key="k")
    assert first.outcome == "created"
    known = Appended(outcome="duplicate", event=first.event)
    clock.advance(hours=1)
    assert await store.daily_logs.append(None, "user_state", {"n": 1}, key="k") == known
    assert await store.daily_logs.append(None, "other", {"n": 2}, key="k") == known
    assert (await store.daily_logs.append(None, "other", key="K")).outcome == "created"
    assert await store.daily_logs.find_by_key("k") == first.event
    assert await store.daily_logs.find_by_key("never") is None
    assert await store.scoped("user:1").daily_logs.find_by_key("k") is None
    assert len(await store.daily_logs.find_many()) == 2


async def test_key_at_once(store: Store) -> None:
    """Fifty tasks with one key store one event, all get it, and one of them is told that it is new."""
    appended = await asyncio.gather(
        *(store.daily_logs.append(None, "user_state", n, key="k") for n in range(50))
    )
    assert len({its.id for its in appended}) == 1
    assert len({its.event.raw_event_data for its in appended}) == 1
    assert Counter(its.outcome for its in appended) == {"created": 1, "duplicate": 49}
    assert len(await store.daily_logs.find_many()) == 1


async def test_keys_in_a_batch(store: Store) -> None:
    """In a batch a known key gives the stored event, and a repeated one its first mention."""
    known = (await store.daily_logs.append(None, "known", key="k")).event
    batch = [
        DailyLogNew(event_type="a"),
        DailyLogNew(event_type="b", key="new"),
        DailyLogNew(event_type="c", key="k"),
        DailyLogNew(event_type="d"),
        DailyLogNew(event_type="e", key="new"),
    ]
    appended = await store.daily_logs.append_many(batch)
    events = [its.event for its in appended]
    assert [event.event_type for event in events] == ["a", "b", "known", "d", "b"]
    assert events[2] == known
    assert events[4] == events[1]
    outcomes = [its.outcome for its in appended]
    assert outcomes == ["created", "created", "duplicate", "created", "duplicate"]
    assert await types(store.daily_logs) == ["known", "a", "b", "d"]
    keyed = [new for new in batch if new.key is not None]
    again = await store.daily_logs.append_many(keyed)
    assert [(its.outcome, its.event) for its in again] == [
        ("duplicate", events[n]) for n in (1, 2, 4)
    ]
    assert len(await store.daily_logs.find_many()) == 4


# --- append_many -------------------------------------------------------------------------------


async def test_append_many(store: Store, clock: Clock) -> None:
    """A batch gives one event an item, in order, and that is how they are stored."""
    session = await store.sessions.start()
    batch = [
        DailyLogNew(event_type=f"type {n}", event_data=n, session_id=session.id if n % 2 else None)
        for n in range(2500)
    ]
    appended = await store.daily_logs.append_many(iter(batch))
    assert {its.outcome for its in appended} == {"created"}
    events = [its.event for its in appended]
    assert [event.event_data for event in events] == list(range(2500))
    assert {event.timestamp for event in events} == {clock.now}
    assert [event async for event in store.daily_logs.iterate()] == events


async def test_append_many_of_none(store: Store) -> None:
    """An empty batch is no work and no error; what is no batch is refused."""
    assert await store.daily_logs.append_many([]) == []
    for bad in ("text", None, [DailyLogNew(event_type="x"), {"event_type": "x"}]):
        events: Any = bad
        with pytest.raises(InvalidInputError, match="events"):
            await store.daily_logs.append_many(events)
    assert await types(store.daily_logs) == []


async def test_append_many_with_an_unknown_session(store: Store) -> None:
    """One event of a session that is not there refuses the whole batch."""
    own = (await store.sessions.start()).id
    for sessions, said in (
        ([None, None, 77, None, 77], "^no session with id 77 in this scope$"),
        ([None, own, 77], "^no session with one of the given ids in this scope$"),
    ):
        batch = [DailyLogNew(event_type="x", session_id=session_id) for session_id in sessions]
        with pytest.raises(NotFoundError, match=said):
            await store.daily_logs.append_many(batch)
    assert await types(store.daily_logs) == []


async def test_append_many_with_times(store: Store, clock: Clock) -> None:
    """What happened before is stored with its own time, in any zone, and the rest with the clock's."""
    before = datetime(2025, 1, 1, 1, tzinfo=ZoneInfo("Europe/Berlin"))
    batch = [
        DailyLogNew(event_type="now", key="k"),
        DailyLogNew(event_type="before", timestamp=before),
        DailyLogNew(event_type="earlier", timestamp=before - timedelta(days=1), key="e"),
        DailyLogNew(event_type="known", timestamp=before, key="k"),
    ]
    appended = await store.daily_logs.append_many(batch)
    assert [its.event.timestamp for its in appended] == [
        clock.now, before, before - timedelta(days=1), clock.now
    ]  # fmt: skip
    assert await types(store.daily_logs) == ["earlier", "before", "now"]
    assert [await store.daily_logs.find(its.id) for its in appended] == [
        its.event for its in appended
    ]
    with pytest.raises(InvalidInputError) as caught:
        await store.daily_logs.append_many(
            [DailyLogNew(event_type="x", timestamp=datetime(2025, 1, 1))]  # noqa: DTZ001 - that is the point
        )
    assert caught.value.field == "events[0].timestamp"


async def test_values_are_taken_at_once(store: Store) -> None:
    """A dict that changes while its call waits is stored as it was when the call took its first step."""
    shared = {"n": 0}
    fact = {"n": 0}

    async def change() -> None:
        for n in range(1, 50):
            shared["n"] = fact["n"] = n
            await asyncio.sleep(0)

    calls = [
        store.daily_logs.append_many([DailyLogNew(event_type="x", event_data=shared)] * 1000),
        store.memories.remember_many(MemoryNew(content=f"{n}", metadata=fact) for n in range(1000)),
        store.daily_logs.append(None, "x", shared),
    ]
    tasks = [asyncio.ensure_future(call) for call in calls]
    await asyncio.gather(change(), *tasks)
    assert {repr(e.event_data) async for e in store.daily_logs.iterate()} == {"{'n': 0}"}
    assert {repr(e.metadata) async for e in store.memories.iterate()} == {"{'n': 0}"}


# --- taking back -------------------------------------------------------------------------------


async def test_pop_last(store: Store, clock: Clock) -> None:
    """The newest event of a filter is removed and returned, one at a time, until there is none."""
    session = await store.sessions.start()
    await store.daily_logs.append(None, "other scope's")
    mine = store.scoped("user:1").daily_logs
    for name in "abc":
        await mine.append(None, name)
    await mine.append_many([DailyLogNew(event_type="old", timestamp=clock.now - timedelta(days=1))])
    popped = await mine.pop_last()
    assert popped is not None
    assert popped.event_type == "c"
    assert await mine.find(popped.id) is None
    popped = await mine.pop_last(DailyLogFilter(event_type="a"))
    assert popped is not None
    assert await types(mine) == ["old", "b"]
    assert await mine.pop_last(DailyLogFilter(session_id=session.id)) is None
    assert [(await mine.pop_last()) is None for _ in range(3)] == [False, False, True]
    assert await types(store.daily_logs) == ["other scope's"]


async def test_pop_last_at_once(store: Store) -> None:
    """Of many tasks that take the newest event, each gets another, and none is left or lost."""
    await store.daily_logs.append_many(DailyLogNew(event_type=f"{n}") for n in range(40))
    popped = await asyncio.gather(*(store.daily_logs.pop_last() for _ in range(50)))
    assert sorted(its.id for its in popped if its) == [*range(1, 41)]
    assert popped.count(None) == 10
    assert await types(store.daily_logs) == []


async def test_pop_last_frees_the_key(store: Store) -> None:
    """A message that was taken back is a new one if it is delivered once more."""
    first = await store.daily_logs.append(None, "message", "hi", key="m1")
    assert await store.daily_logs.pop_last() == first.event
    assert await store.daily_logs.find_by_key("m1") is None
    again = await store.daily_logs.append(None, "message", "hi", key="m1")
    assert (again.outcome, again.id > first.id) == ("created", True)


async def test_recent_tool_invocations(store: Store, clock: Clock) -> None:
    """What the agent did lately is told, the latest first, ten by default."""
    assert await store.daily_logs.recent_tool_invocations() == []
    for n in range(12):
        await store.daily_logs.append(None, "tool_invocation", {"n": n})
        await store.daily_logs.append(None, "user_state")
        clock.advance(minutes=1)
    recent = await store.daily_logs.recent_tool_invocations()
    assert [event.event_data for event in recent] == [{"n": n} for n in range(11, 1, -1)]
    assert len(await store.daily_logs.recent_tool_invocations(limit=3)) == 3
    with pytest.raises(InvalidInputError, match=r"^limit: "):
        await store.daily_logs.recent_tool_invocations(limit=0)


# --- reading -----------------------------------------------------------------------------------


async def test_get_and_find(store: Store) -> None:
    """An id that is not there is not found; one that cannot be one is refused."""
    event = (await store.daily_logs.append(None, "user_state")).event
    assert await store.daily_logs.find(event.id) == event
    assert await store.daily_logs.find(event.id + 1) is None
    with pytest.raises(NotFoundError, match="no event with id 77 in this scope"):
        await store.daily_logs.get(77)
    for bad in (*BAD_IDS, None):
        with pytest.raises(InvalidInputError, match=r"^id: "):
            await store.daily_logs.get(bad)


async def test_find_many_order(store: Store, clock: Clock) -> None:
    """Events come in the order in which they happened, ties by id, or the other way round."""
    assert (await store.daily_logs.find_many()).items == ()
    assert [event async for event in store.daily_logs.iterate()] == []
    for name in "bc":
        await store.daily_logs.append(None, name)
    clock.advance(hours=-1)
    await store.daily_logs.append(None, "a")
    assert await types(store.daily_logs) == ["a", "b", "c"]
    newest_first = await store.daily_logs.find_many(newest_first=True)
    assert [event.event_type for event in newest_first] == ["c", "b", "a"]
    iterated = [e.event_type async for e in store.daily_logs.iterate(newest_first=True)]
    assert iterated == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({}, "abcd"),
        ({"event_type": "b"}, "b"),
        ({"event_type": "B"}, ""),
        ({"session_id": 1}, "bd"),
        ({"session_id": 77}, ""),
        ({"session_id": 1, "event_type": "d"}, "d"),
        ({"timestamp_from": 12}, "bcd"),
        ({"timestamp_before": 12}, "a"),
        ({"timestamp_from": 12, "timestamp_before": 36}, "bc"),
        ({"timestamp_from": 36, "timestamp_before": 12}, ""),
        ({"day": date(2026, 6, 1)}, "ab"),
        ({"day": date(2026, 6, 2), "tz": UTC}, "cd"),
        ({"day": date(2026, 6, 2), "tz": BERLIN, "event_type": "c"}, "c"),
        ({"day": date(2026, 6, 3)}, ""),
    ],
    ids=str,
)
async def test_filter(store: Store, clock: Clock, where: dict[str, Any], expected: str) -> None:
    """Each condition selects what it says, together with the others; ranges are half-open."""
    start = clock.now = datetime(2026, 6, 1, tzinfo=UTC)
    session = await store.sessions.start()
    assert session.id == 1
    for name, session_id in (("a", None), ("b", 1), ("c", None), ("d", 1)):
        await store.daily_logs.append(session_id, name)
        clock.advance(hours=12)
    hours = {
        name: start + timedelta(hours=value)
        for name, value in where.items()
        if name in ("timestamp_from", "timestamp_before")
    }
    given = DailyLogFilter(**{**where, **hours})
    assert "".join(await types(store.daily_logs, given)) == expected
    assert "".join([e.event_type async for e in store.daily_logs.iterate(given)]) == expected


@pytest.mark.parametrize(
    ("where", "field"),
    [
        ({"session_id": 0}, "session_id"),
        ({"event_type": ""}, "event_type"),
        ({"timestamp_from": "2026"}, "timestamp_from"),
        ({"timestamp_before": datetime(2026, 1, 1)}, "timestamp_before"),  # noqa: DTZ001 - that is the point
        ({"day": "2026-01-01"}, "day"),
        ({"day": datetime(2026, 1, 1, tzinfo=UTC)}, "day"),
        ({"day": date(2026, 1, 1), "timestamp_from": datetime(2026, 1, 1, tzinfo=UTC)}, "day"),
        ({"day": date(2026, 1, 1), "tz": "UTC"}, "tz"),
        ({"day": date.max}, "day"),
        ({"tz": UTC}, "tz"),
    ],
    ids=str,
)
async def test_filter_refuses(store: Store, where: dict[str, Any], field: str) -> None:
    """A condition that cannot be one, or not beside another, is refused by name."""
    given = DailyLogFilter(**where)
    with pytest.raises(InvalidInputError) as caught:
        await store.daily_logs.find_many(given)
    assert caught.value.field == field
    with pytest.raises(InvalidInputError):
        store.daily_logs.iterate(given)


async def test_order_must_be_a_flag(store: Store) -> None:
    """The order is a bool, not something that is merely like one."""
    wrong: Any = "yes"
    with pytest.raises(InvalidInputError, match=r"^newest_first: "):
        await store.daily_logs.find_many(newest_first=wrong)
    with pytest.raises(InvalidInputError, match=r"^newest_first: "):
        store.daily_logs.iterate(newest_first=wrong)


# --- days --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "day", "first", "n_hours"),
    [
        (UTC, date(2026, 3, 29), datetime(2026, 3, 29, 0, tzinfo=UTC), 24),
        (BERLIN, date(2026, 3, 28), datetime(2026, 3, 27, 23, tzinfo=UTC), 24),
        (BERLIN, date(2026, 3, 29), datetime(2026, 3, 28, 23, tzinfo=UTC), 23),
        (BERLIN, date(2026, 10, 25), datetime(2026, 10, 24, 22, tzinfo=UTC), 25),
        (HAVANA, date(2026, 3, 8), datetime(2026, 3, 8, 5, tzinfo=UTC), 23),
        (HAVANA, date(2026, 11, 1), datetime(2026, 11, 1, 4, tzinfo=UTC), 25),
        (ZoneInfo("Australia/Lord_Howe"), date(2026, 4, 5), datetime(2026, 4, 4, 13, tzinfo=UTC), 24.5),
    ],
    ids=lambda value: getattr(value, "key", None),
)  # fmt: skip
async def test_day(
    store: Store, clock: Clock, zone: Any, day: date, first: datetime, n_hours: float
) -> None:
    """A day is all its hours and no others, also where the clocks change, to the millisecond."""
    end = first + timedelta(hours=n_hours)
    step = timedelta(milliseconds=1)
    for name, instant in (
        ("before", first - step),
        ("1", first),
        ("2", end - step),
        ("after", end),
    ):
        clock.now = instant
        await store.daily_logs.append(None, name)
    events = await store.daily_logs.for_day(day, zone)
    assert [event.event_type for event in events] == ["1", "2"]
    assert await types(store.daily_logs, DailyLogFilter(day=day, tz=zone)) == ["1", "2"]
    counts = await store.daily_logs.count_by_day(zone)
    assert list(counts.items()) == [
        (day - timedelta(days=1), 1), (day, 2), (day + timedelta(days=1), 1)
    ]  # fmt: skip


async def test_for_day_of_many_events(store: Store) -> None:
    """A day gives all its events, also more than are read at a time."""
    await store.daily_logs.append_many(DailyLogNew(event_type=str(n)) for n in range(1100))
    events = await store.daily_logs.for_day(date(2026, 2, 2))
    assert [event.event_type for event in events] == [str(n) for n in range(1100)]
    assert await store.daily_logs.for_day(date(2026, 2, 3)) == []


async def test_count_by_day(store: Store, clock: Clock) -> None:
    """Only days with events are counted, the earliest first; without events there are none."""
    assert await store.daily_logs.count_by_day() == {}
    await store.daily_logs.append(None, "x")
    clock.advance(days=400)
    await store.daily_logs.append(None, "x")
    counts = await store.daily_logs.count_by_day()
    assert list(counts.items()) == [(date(2026, 2, 2), 1), (date(2027, 3, 9), 1)]
    wrong: Any = "UTC"
    with pytest.raises(InvalidInputError, match=r"^tz: "):
        await store.daily_logs.count_by_day(wrong)
    with pytest.raises(InvalidInputError, match=r"^tz: "):
        await store.daily_logs.for_day(date(2026, 2, 2), wrong)


# --- purge -------------------------------------------------------------------------------------


async def test_purge(store: Store, clock: Clock) -> None:
    """A purge deletes what happened before an instant, and a dry run only counts it."""
    for name in "abc":
        await store.daily_logs.append(None, name)
        clock.advance(hours=1)
    instant = clock.now - timedelta(hours=1)
    assert await store.daily_logs.purge(instant, dry_run=True) == 2
    assert await types(store.daily_logs) == ["a", "b", "c"]
    assert await store.daily_logs.purge(instant) == 2
    assert await store.daily_logs.purge(instant) == 0
    assert await types(store.daily_logs) == ["c"]
    assert await store.daily_logs.purge(instant + timedelta(microseconds=1), dry_run=True) == 1


async def test_purge_makes_a_key_new(store: Store, clock: Clock) -> None:
    """A key that went with its event can be used again, and ids never are."""
    first = await store.daily_logs.append(None, "a", key="k")
    clock.advance(hours=1)
    await store.daily_logs.purge(clock.now)
    second = (await store.daily_logs.append(None, "b", key="k")).event
    assert (second.event_type, second.id > first.id) == ("b", True)


async def test_event_beside_a_deletion(store: Store, clock: Clock) -> None:
    """What is appended while events are deleted is there afterwards, or was kept as its session's activity."""
    logs, session = store.daily_logs, await store.sessions.start()
    await logs.append(session.id, "x")
    clock.advance(minutes=5)
    its = DailyLogFilter(event_type="x")
    await asyncio.gather(logs.delete_many(its), logs.append(session.id, "x"))
    assert (await store.sessions.get(session.id)).last_activity_at == clock.now


@pytest.mark.parametrize("before", [datetime(2026, 1, 1), "2026-01-01", None])  # noqa: DTZ001
async def test_purge_refuses(store: Store, before: Any) -> None:
    """A purge needs an instant, and a flag that is a bool."""
    with pytest.raises(InvalidInputError, match=r"^before: "):
        await store.daily_logs.purge(before)
    wrong: Any = 0
    with pytest.raises(InvalidInputError, match=r"^dry_run: "):
        await store.daily_logs.purge(datetime.now(UTC), dry_run=wrong)


# --- rows of another program -------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw", ['{"v":', "NaN", "[1e999]", '{"v": Infinity}', "plain", "", "[" * 100_000]
)
async def test_broken_json(tmp_path: Path, clock: Clock, raw: str) -> None:
    """A row whose JSON another program broke is returned with its text and a mark, among the others."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, clock=clock) as store:
        await store.daily_logs.append(None, "before", 1)
        with sqlite3.connect(path) as other:
            other.execute(
                "INSERT INTO daily_logs (event_type, event_data, timestamp) VALUES ('broken', ?, ?)",
                (raw, "2026-02-02T14:16:24.123Z"),
            )
        other.close()
        await store.daily_logs.append(None, "after", 2)
        events = list(await store.daily_logs.find_many())
        assert [event.event_type for event in events] == ["before", "broken", "after"]
        assert [event.event_data for event in events] == [1, None, 2]
        assert [event.is_broken for event in events] == [False, True, False]
        assert events[1].raw_event_data == raw
        json.dumps([event.to_dict() for event in events], allow_nan=False)
        assert await store.daily_logs.for_day(date(2026, 2, 2)) == events
        assert await store.daily_logs.get(events[1].id) == events[1]
        assert await store.daily_logs.count_by_day() == {date(2026, 2, 2): 3}
