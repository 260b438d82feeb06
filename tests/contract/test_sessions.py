"""The contract of `SessionRepo`, on every driver."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

import memrepo
from memrepo import (
    IDLE_AFTER,
    ConflictError,
    InvalidInputError,
    NotFoundError,
    Session,
    SessionFilter,
    SessionRepo,
    Statement,
    Store,
)
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio

MINUTE = timedelta(minutes=1)
MILLISECOND = timedelta(milliseconds=1)
BAD_IDS: list[Any] = [0, -1, 2**63, True, 1.0, "1", None]
BERLIN = ZoneInfo("Europe/Berlin")


async def everything(repo: SessionRepo) -> list[Session]:
    return list(await repo.find_many())


# --- a clock that is wrong ---------------------------------------------------------------------


@pytest.mark.parametrize("way", ["end", "start", "block", "get_or_start", "in a transaction"])
async def test_clock_that_goes_back(store: Store, clock: Clock, way: str) -> None:
    """A session whose start lies ahead ends at its start, whatever ends it."""
    started = await store.sessions.start()
    clock.advance(days=-1)
    if way == "end":
        await store.sessions.end(started.id)
    elif way == "start":
        await store.sessions.start(end_active=True)
    elif way == "in a transaction":
        async with store.transaction() as tx:
            await tx.sessions.end(started.id)
    elif way == "block":
        await store.sessions.end(started.id)
        clock.advance(days=1)
        async with store.sessions.session() as started:
            clock.advance(days=-1)
    else:
        # An event that was written after the clock had gone back is no activity before the start.
        await store.daily_logs.append(started.id, "x")
        clock.advance(hours=1)
        await store.sessions.get_or_start()
    ended = await store.sessions.get(started.id)
    assert ended.ended_at == ended.started_at == started.started_at


async def test_session_that_a_clock_ahead_started(store: Store, clock: Clock) -> None:
    """Another program whose clock was ahead has started it, in the table that both share."""
    ahead = clock.now + timedelta(days=2)
    insert = memrepo.Statement(
        "other.start", "INSERT INTO sessions (started_at) VALUES (:at) RETURNING id"
    )
    text = ahead.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    (result,) = await store.connection.write((insert.bind(at=text),))
    ended = await store.sessions.end(result.rows[0][0])
    assert (ended.ended_now, ended.session.ended_at) == (True, ahead)


# --- start -------------------------------------------------------------------------------------


async def test_start(store: Store, clock: Clock) -> None:
    """A session starts now, active, with nothing said about its end."""
    session = await store.sessions.start()
    assert session == Session(
        id=session.id,
        scope="",
        thread="",
        started_at=clock.now,
        ended_at=None,
        end_trigger=None,
        summary=None,
        last_activity_at=clock.now,
        status="active",
    )
    assert await store.sessions.get(session.id) == session
    assert await store.sessions.active() == session


async def test_start_while_one_is_active(store: Store, clock: Clock) -> None:
    """A second session is a conflict that names the first, and changes nothing."""
    first = await store.sessions.start()
    clock.advance(minutes=29)
    with pytest.raises(ConflictError, match=f"session {first.id} is active"):
        await store.sessions.start()
    assert await everything(store.sessions) == [first]


async def test_start_and_end_active(store: Store, clock: Clock) -> None:
    """With `end_active` the active session ends now, explicitly, and the next one starts."""
    first = await store.sessions.start()
    now = clock.advance(minutes=10)
    second = await store.sessions.start(end_active=True)
    ended = await store.sessions.get(first.id)
    assert (ended.status, ended.ended_at, ended.end_trigger) == ("ended", now, "explicit")
    assert await store.sessions.active() == second
    with pytest.raises(InvalidInputError, match=r"^end_active: "):
        await store.sessions.start(end_active=1)  # type: ignore[arg-type]


@pytest.mark.parametrize("end_active", [False, True])
async def test_start_after_an_abandoned_one(
    store: Store, clock: Clock, *, end_active: bool
) -> None:
    """An abandoned session does not stand in the way: it timed out at its last activity."""
    first = await store.sessions.start()
    clock.advance(minutes=5)
    event = (await store.daily_logs.append(first.id, "user_state")).event
    clock.now += IDLE_AFTER
    second = await store.sessions.start(end_active=end_active)
    ended = await store.sessions.get(first.id)
    assert (ended.ended_at, ended.end_trigger) == (event.timestamp, "timeout")
    assert second.started_at == clock.now


# --- status ------------------------------------------------------------------------------------


async def test_status_by_the_clock(store: Store, clock: Clock) -> None:
    """A session is active until it has been idle for 30 minutes; an event makes it active again."""
    sessions = store.sessions
    session = await sessions.start()
    clock.now += IDLE_AFTER - MILLISECOND
    assert (await sessions.get(session.id)).status == "active"
    clock.now += MILLISECOND
    assert (await sessions.get(session.id)).status == "abandoned"
    assert await sessions.active() is None
    event = (await store.daily_logs.append(session.id, "user_state")).event
    active = await sessions.active()
    assert active is not None
    assert (active.id, active.last_activity_at) == (session.id, event.timestamp)
    await sessions.end(session.id)
    clock.advance(days=1)
    assert (await sessions.get(session.id)).status == "ended"
    assert await sessions.active() is None


async def test_status_with_another_idle_time(url: str, clock: Clock) -> None:
    """`connect(idle_after=...)` decides for the store's sessions, of every scope."""
    async with memrepo.connect(url, clock=clock, idle_after=MINUTE) as store:
        for repo in (store.sessions, store.scoped("user:1").sessions):
            session = await repo.start()
            clock.now += MINUTE
            assert (await repo.get(session.id)).status == "abandoned"
            assert (await repo.get_or_start()).id != session.id


# --- get_or_start ------------------------------------------------------------------------------


async def test_get_or_start(store: Store, clock: Clock) -> None:
    """The active session is returned as long as there is one; the first call starts it."""
    session = await store.sessions.get_or_start()
    assert session.status == "active"
    clock.advance(minutes=29)
    again = await store.sessions.get_or_start()
    assert again == session
    await store.daily_logs.append(session.id, "user_state")
    clock.advance(minutes=29)
    assert (await store.sessions.get_or_start()).id == session.id
    await store.sessions.end(session.id)
    assert (await store.sessions.get_or_start()).id != session.id


async def test_get_or_start_after_idleness(store: Store, clock: Clock) -> None:
    """After 30 idle minutes the old session has ended at its last activity, and a new one begins."""
    first = await store.sessions.get_or_start()
    clock.advance(minutes=10)
    event = (await store.daily_logs.append(first.id, "user_state")).event
    clock.now += IDLE_AFTER
    second = await store.sessions.get_or_start()
    assert second.id != first.id
    assert second.started_at == clock.now
    ended = await store.sessions.get(first.id)
    assert (ended.ended_at, ended.end_trigger) == (event.timestamp, "timeout")


async def test_get_or_start_with_its_own_idle_time(store: Store, clock: Clock) -> None:
    """An `idle_after` of the call counts for the call."""
    first = await store.sessions.get_or_start()
    clock.advance(minutes=5)
    assert (await store.sessions.get_or_start(idle_after=6 * MINUTE)).id == first.id
    assert (await store.sessions.get_or_start(idle_after=5 * MINUTE)).id != first.id


@pytest.mark.parametrize(
    ("zone", "is_same"), [(None, True), (UTC, True), (BERLIN, False)], ids=["none", "utc", "berlin"]
)
async def test_get_or_start_at_a_day_boundary(
    store: Store, clock: Clock, zone: Any, *, is_same: bool
) -> None:
    """A session ends at the midnight of the time zone that is given, and of no other."""
    clock.now = datetime(2026, 6, 1, 21, 50, tzinfo=UTC)
    first = await store.sessions.get_or_start(day_boundary=zone)
    clock.now = datetime(2026, 6, 1, 21, 59, 59, 999_000, tzinfo=UTC)
    event = (await store.daily_logs.append(first.id, "user_state")).event
    assert (await store.sessions.get_or_start(day_boundary=zone)).id == first.id
    clock.now += MILLISECOND
    second = await store.sessions.get_or_start(day_boundary=zone)
    assert (second.id == first.id) is is_same
    if not is_same:
        ended = await store.sessions.get(first.id)
        assert (ended.ended_at, ended.end_trigger) == (event.timestamp, "timeout")


async def test_get_or_start_on_a_day_without_midnight(store: Store, clock: Clock) -> None:
    """Where the clocks skip midnight, the day begins when they do."""
    zone = ZoneInfo("America/Santiago")
    clock.now = datetime(2026, 9, 6, 3, 59, tzinfo=UTC)
    first = await store.sessions.get_or_start(day_boundary=zone)
    clock.advance(minutes=1)
    assert (await store.sessions.get_or_start(day_boundary=zone)).id != first.id


async def test_get_or_start_across_a_day_with_an_event_on_it(store: Store, clock: Clock) -> None:
    """Activity after midnight keeps a session: it is the last activity that counts."""
    clock.now = datetime(2026, 6, 1, 23, 55, tzinfo=UTC)
    first = await store.sessions.get_or_start(day_boundary=UTC)
    clock.advance(minutes=6)
    await store.daily_logs.append(first.id, "user_state")
    clock.advance(minutes=1)
    assert (await store.sessions.get_or_start(day_boundary=UTC)).id == first.id


async def test_get_or_start_at_once(store: Store) -> None:
    """Fifty tasks that call it at once get one session."""
    sessions = await asyncio.gather(*(store.sessions.get_or_start() for _ in range(50)))
    assert len({session.id for session in sessions}) == 1
    assert len(await everything(store.sessions)) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        {"idle_after": timedelta(0)},
        {"idle_after": 30},
        {"idle_after": timedelta.max},
        {"day_boundary": "Europe/Berlin"},
        {"day_boundary": 1},
    ],
    ids=repr,
)
async def test_get_or_start_refuses(store: Store, arguments: dict[str, Any]) -> None:
    """A time that is none and a zone that is none are refused, and nothing starts."""
    with pytest.raises(InvalidInputError, match=next(iter(arguments))):
        await store.sessions.get_or_start(**arguments)
    assert await everything(store.sessions) == []


# --- end and summarize -------------------------------------------------------------------------


async def test_end(store: Store, clock: Clock) -> None:
    """A session ends now, with its trigger and summary."""
    session = await store.sessions.start()
    now = clock.advance(minutes=3)
    end = await store.sessions.end(session.id, trigger="browser_close", summary="All about tea")
    assert end.ended_now
    assert end.session == await store.sessions.get(session.id)
    assert (end.session.ended_at, end.session.end_trigger) == (now, "browser_close")
    assert (end.session.summary, end.session.status) == ("All about tea", "ended")
    assert await store.sessions.active() is None


async def test_end_twice(store: Store, clock: Clock) -> None:
    """The second ender learns that it was not the one, and changes nothing."""
    session = await store.sessions.start()
    first = await store.sessions.end(session.id, trigger="error", summary="one")
    clock.advance(minutes=3)
    second = await store.sessions.end(session.id, trigger="cancelled", summary="two")
    assert not second.ended_now
    assert second.session == first.session


async def test_end_at_once(store: Store) -> None:
    """Of twenty enders exactly one wins, and all see its trigger."""
    session = await store.sessions.start()
    ends = await asyncio.gather(
        *(store.sessions.end(session.id, trigger=f"trigger {n}") for n in range(20))
    )
    (winner,) = [n for n, end in enumerate(ends) if end.ended_now]
    assert {end.session.end_trigger for end in ends} == {f"trigger {winner}"}


async def test_end_keeps_a_summary(store: Store) -> None:
    """An end without a summary leaves the one that is there."""
    session = await store.sessions.start()
    await store.sessions.summarize(session.id, "All about tea")
    end = await store.sessions.end(session.id)
    assert (end.session.summary, end.session.end_trigger) == ("All about tea", "explicit")


async def test_end_abandoned(store: Store, clock: Clock) -> None:
    """An abandoned session can still be ended, by whoever comes first."""
    session = await store.sessions.start()
    now = clock.advance(days=1)
    end = await store.sessions.end(session.id)
    assert (end.ended_now, end.session.ended_at) == (True, now)


async def test_summarize(store: Store) -> None:
    """A summary is set before and after the end, and replaced."""
    session = await store.sessions.start()
    assert (await store.sessions.summarize(session.id, "one")).summary == "one"
    await store.sessions.end(session.id)
    again = await store.sessions.summarize(session.id, "two")
    assert (again.summary, again.status) == ("two", "ended")
    assert again == await store.sessions.get(session.id)


@pytest.mark.parametrize("method", ["get", "end", "summarize", "find"])
async def test_ids(store: Store, method: str) -> None:
    """An id that cannot be one is refused; one that is not there is not found."""
    arguments = ("text",) if method == "summarize" else ()
    call = getattr(store.sessions, method)
    for bad in BAD_IDS:
        with pytest.raises(InvalidInputError, match=r"^id: "):
            await call(bad, *arguments)
    if method == "find":
        assert await store.sessions.find(77) is None
    else:
        with pytest.raises(NotFoundError, match="no session with id 77 in this scope"):
            await call(77, *arguments)
    assert await everything(store.sessions) == []


@pytest.mark.parametrize(
    "arguments",
    [{"trigger": ""}, {"trigger": None}, {"trigger": "x" * 256}, {"summary": " "}, {"summary": 5}],
    ids=str,
)
async def test_end_refuses(store: Store, arguments: dict[str, Any]) -> None:
    """A trigger and a summary that cannot be one are refused, and the session goes on."""
    session = await store.sessions.start()
    with pytest.raises(InvalidInputError, match=next(iter(arguments))):
        await store.sessions.end(session.id, **arguments)
    if "summary" in arguments:
        with pytest.raises(InvalidInputError, match="summary"):
            await store.sessions.summarize(session.id, arguments["summary"])
    assert await store.sessions.active() == session


# --- open --------------------------------------------------------------------------------------


async def test_open_to_the_end(store: Store, clock: Clock) -> None:
    """A block that ends ends its session, explicitly."""
    async with store.sessions.session() as session:
        assert await store.sessions.active() == session
        now = clock.advance(minutes=1)
    ended = await store.sessions.get(session.id)
    assert (ended.status, ended.ended_at, ended.end_trigger) == ("ended", now, "explicit")


async def test_open_and_fail(store: Store) -> None:
    """A block that raises ends its session with `error`, and its exception is what comes out."""
    error = RuntimeError("from the block")
    with pytest.raises(RuntimeError) as caught:
        async with store.sessions.session() as session:
            raise error
    assert caught.value is error
    assert (await store.sessions.get(session.id)).end_trigger == "error"


async def test_open_and_cancel(store: Store) -> None:
    """A block that is cancelled ends its session with `cancelled`, before CancelledError comes out."""
    entered = asyncio.Event()
    ids = []

    async def block() -> None:
        async with store.sessions.session() as session:
            ids.append(session.id)
            entered.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(block())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await store.sessions.get(ids[0])).end_trigger == "cancelled"


async def test_open_ended_inside(store: Store) -> None:
    """What the block itself said about the end stays."""
    async with store.sessions.session() as session:
        await store.sessions.end(session.id, trigger="browser_close", summary="done")
    ended = await store.sessions.get(session.id)
    assert (ended.end_trigger, ended.summary) == ("browser_close", "done")


@pytest.mark.parametrize("by_erasing", [True, False])
async def test_open_deleted_inside(
    store: Store, caplog: pytest.LogCaptureFixture, *, by_erasing: bool
) -> None:
    """A session that was deleted inside, alone or with its owner, needs no end, however its block ends."""
    ada = store.scoped("ada")

    async def block(error: Exception | None) -> None:
        async with ada.sessions.session() as session:
            if by_erasing:
                await ada.erase(confirm=True)
            else:
                await ada.sessions.delete(session.id)
            if error is not None:
                raise error

    await block(None)
    with pytest.raises(RuntimeError, match="from the block"):
        await block(RuntimeError("from the block"))
    assert await ada.sessions.count() == 0
    assert caplog.messages == []


async def test_open_while_one_is_active(store: Store) -> None:
    """The block does not run while a session is active, unless that one is to end."""
    first = await store.sessions.start()
    with pytest.raises(ConflictError):
        async with store.sessions.session():
            pytest.fail("the block ran")
    async with store.sessions.session(end_active=True) as second:
        assert second.id != first.id
    assert {s.end_trigger for s in await everything(store.sessions)} == {"explicit"}


# --- reading many ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({}, "dcba"),
        ({"started_from": 1}, "dcb"),
        ({"started_before": 1}, "a"),
        ({"started_from": 1, "started_before": 3}, "cb"),
        ({"end_trigger": "timeout"}, "cb"),
        ({"end_trigger": "Timeout"}, ""),
        ({"is_ended": True}, "cba"),
        ({"is_ended": False}, "d"),
        ({"is_ended": True, "started_from": 1, "end_trigger": "explicit"}, ""),
    ],
    ids=str,
)
async def test_filter(store: Store, clock: Clock, where: dict[str, Any], expected: str) -> None:
    """Each condition selects what it says, the latest session first."""
    start = clock.now
    names = {}
    for name in "abcd":
        names[(await store.sessions.get_or_start()).id] = name
        if name == "a":
            await store.sessions.end(min(names))
        clock.advance(hours=1)
    hours = {
        name: start + timedelta(hours=value) for name, value in where.items() if type(value) is int
    }
    given = SessionFilter(**{**where, **hours})
    found = await store.sessions.find_many(given)
    assert "".join(names[session.id] for session in found) == expected
    assert [session async for session in store.sessions.iterate(given)] == list(found)


async def test_find_many_order(store: Store) -> None:
    """Of sessions that started at one instant the higher id comes first; of none, an empty page."""
    assert (await store.sessions.find_many()).items == ()
    assert [session async for session in store.sessions.iterate()] == []
    first = await store.sessions.start()
    second = await store.sessions.start(end_active=True)
    assert [session.id for session in await everything(store.sessions)] == [second.id, first.id]


@pytest.mark.parametrize(
    "where",
    [
        {"started_from": "2026"},
        {"started_before": datetime(2026, 1, 1)},  # noqa: DTZ001 - that is the point
        {"end_trigger": ""},
        {"is_ended": 1},
    ],
    ids=str,
)
async def test_filter_refuses(store: Store, where: dict[str, Any]) -> None:
    """A condition that cannot be one is refused by name."""
    given = SessionFilter(**where)
    with pytest.raises(InvalidInputError, match=next(iter(where))):
        await store.sessions.find_many(given)
    with pytest.raises(InvalidInputError, match=next(iter(where))):
        store.sessions.iterate(given)


async def test_get_or_start_status_goes_by_its_own_rule(store: Store, clock: Clock) -> None:
    """A session that the caller's longer idle time keeps alive is active to that caller."""
    session = await store.sessions.start()
    clock.advance(hours=1)
    same = await store.sessions.get_or_start(idle_after=timedelta(hours=2))
    assert (same.id, same.status) == (session.id, "active")
    assert (await store.sessions.get(session.id)).status == "abandoned"


async def test_active_beside_a_later_one_that_is_not(store: Store, clock: Clock) -> None:
    """Of several open sessions, as the original leaves them, the one with activity is active, whenever it began."""
    for number, minutes in ((1, -120), (2, -60)):
        at = (clock.now + timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        sql = "INSERT INTO sessions (id, started_at) VALUES (:id, :at)"
        await store.connection.write((Statement("another.program", sql).bind(id=number, at=at),))
    await store.daily_logs.append(1, "note")
    active = await store.sessions.active()
    assert active is not None
    assert active.id == 1
    assert (await store.sessions.get_or_start()).id == 1
