"""Threads: several conversations of one owner at once, on every driver."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

import memrepo
from memrepo import (
    IDLE_AFTER,
    ConflictError,
    DailyLogFilter,
    DailyLogNew,
    InvalidInputError,
    SessionFilter,
    Store,
)
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio


async def test_two_threads_at_once(store: Store, clock: Clock) -> None:
    """Each thread has an active session of its own, and what happens to one leaves the other alone."""
    phone = await store.sessions.start("phone")
    laptop = await store.sessions.get_or_start("laptop")
    default = await store.sessions.start()
    assert [its.thread for its in (phone, laptop, default)] == ["phone", "laptop", ""]
    assert await store.sessions.active("phone") == phone
    assert await store.sessions.active("laptop") == laptop
    assert await store.sessions.active() == default
    assert await store.sessions.active("tablet") is None
    with pytest.raises(ConflictError, match=f"session {phone.id} is active"):
        await store.sessions.start("phone")
    next_one = await store.sessions.start("phone", end_active=True)
    assert (await store.sessions.get(phone.id)).status == "ended"
    assert await store.sessions.active("laptop") == laptop
    async with store.sessions.session("tablet") as tablet:
        assert (tablet.thread, tablet.to_dict()["thread"]) == ("tablet", "tablet")
    # What is idle in a thread ends when the next one of that thread starts, and not before.
    clock.now += IDLE_AFTER
    await store.sessions.start("phone")
    ended = await store.sessions.get_many([next_one.id, laptop.id])
    assert [its.end_trigger for its in ended if its is not None] == ["timeout", None]


async def test_threads_of_two_scopes(store: Store) -> None:
    """A thread belongs to its scope: the same name elsewhere is another conversation."""
    ada, grace = (store.scoped(name).sessions for name in ("ada", "grace"))
    first, second = await ada.start("phone"), await grace.start("phone")
    assert first.id != second.id
    assert [its.id for its in await ada.find_many(SessionFilter(thread="phone"))] == [first.id]


async def test_events_of_a_thread(store: Store, clock: Clock) -> None:
    """A filter has the events of all sessions of a thread, in the order of time, and of no other thread."""
    log = store.daily_logs
    for n in range(6):
        for thread in ("phone", "laptop", ""):
            session = await store.sessions.get_or_start(thread)
            await log.append(session.id, "message", f"{thread} {n}")
            elsewhere = await store.scoped("ada").sessions.get_or_start(thread)
            await store.scoped("ada").daily_logs.append(elsewhere.id, "message", "of ada")
        await log.append(None, "message", "of no session")
        clock.now += IDLE_AFTER if n % 2 else timedelta(minutes=1)
    of_phone, of_default = DailyLogFilter(thread="phone"), DailyLogFilter(thread="")
    assert await store.sessions.count(SessionFilter(thread="phone")) == 3
    said = [f"phone {n}" for n in range(6)]
    assert [event.event_data async for event in log.iterate(of_phone)] == said
    assert [event.event_data for event in await log.find_many(of_default)] == [
        f" {n}" for n in range(6)
    ]
    page = await log.find_many(of_phone, limit=4, newest_first=True)
    rest = await log.find_many(of_phone, limit=4, newest_first=True, after=page.next_cursor)
    assert [event.event_data for event in [*page, *rest]] == said[::-1]
    assert [*await log.find_many(DailyLogFilter(thread="tablet"))] == []
    assert await log.count_by_type(of_phone) == {"message": 6}
    assert [
        hit.entry.event_data for hit in await log.search("phone 3", where=of_phone, limit=1)
    ] == ["phone 3"]
    popped = await log.pop_last(of_phone)
    assert popped is not None
    assert popped.event_data == "phone 5"
    assert await log.delete_many(DailyLogFilter(thread="phone", event_type="message")) == 5
    assert await log.count_by_type() == {"message": 6 * 3}
    assert await store.scoped("ada").daily_logs.count_by_type() == {"message": 6 * 3}


async def test_deleting_a_threads_events_keeps_its_session_active(
    store: Store, clock: Clock
) -> None:
    """What was deleted still counts as activity, in the session of that thread and in no other."""
    phone, laptop = [await store.sessions.start(thread) for thread in ("phone", "laptop")]
    clock.advance(minutes=20)
    for session in (phone, laptop):
        await store.daily_logs.append_many(
            DailyLogNew(session_id=session.id, event_type=its) for its in ("a", "b")
        )
    clock.advance(minutes=20)
    await store.daily_logs.delete_many(DailyLogFilter(thread="phone"))
    await store.daily_logs.pop_last(DailyLogFilter(thread="laptop"))
    for session in (phone, laptop):
        after = await store.sessions.get(session.id)
        assert after.status == "active"
        assert after.last_activity_at == clock.now - timedelta(minutes=20)


async def test_threads_at_once(store: Store) -> None:
    """A hundred tasks that ask for two threads at once get two sessions."""
    threads = ["phone", "laptop"] * 50
    sessions = await asyncio.gather(*map(store.sessions.get_or_start, threads))
    assert {its.thread: its.id for its in sessions} == dict(
        zip(threads, [its.id for its in sessions], strict=True)
    )
    assert len(set(sessions)) == await store.sessions.count() == 2


@pytest.mark.parametrize("thread", [None, 1, True, " ", "x" * 256, "a\0b"], ids=repr)
async def test_thread_refused(store: Store, thread: Any) -> None:
    """What cannot be a name is refused by every method that takes a thread, before any SQL runs."""
    sessions = store.sessions
    for method in (sessions.start, sessions.get_or_start, sessions.active, sessions.carry_over):
        with pytest.raises(InvalidInputError, match=r"^thread: "):
            await method(thread)
    with pytest.raises(InvalidInputError, match=r"^thread: "):
        async with sessions.session(thread):
            pytest.fail("the block ran")
    if thread is not None:
        with pytest.raises(InvalidInputError, match=r"^thread: "):
            await store.daily_logs.find_many(DailyLogFilter(thread=thread))
        with pytest.raises(InvalidInputError, match=r"^thread: "):
            await sessions.count(SessionFilter(thread=thread))


# --- filters -----------------------------------------------------------------------------------


async def _some(store: Store, clock: Clock) -> dict[int, str]:
    """Start an ended, an abandoned and an active session in two threads; return their names by their ids."""
    names = {}
    for thread in ("", "phone"):
        initial = thread[:1] or "d"
        for status in ("ended", "abandoned", "active"):
            session = await store.sessions.start(f"{thread}{'' if status != 'active' else '2'}")
            names[session.id] = f"{initial}-{status}"
            if status == "ended":
                await store.sessions.end(session.id, summary="short")
            if status == "abandoned":
                clock.now += IDLE_AFTER
    # The one that was active in the default thread is kept so.
    kept = next(number for number, name in names.items() if name == "d-active")
    await store.daily_logs.append(kept, "still here")
    return names


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({}, "p-active p-abandoned p-ended d-active d-abandoned d-ended"),
        ({"thread": ""}, "d-abandoned d-ended"),
        ({"thread": "phone"}, "p-abandoned p-ended"),
        ({"thread": "tablet"}, ""),
        ({"status": "active"}, "p-active d-active"),
        ({"status": "ended"}, "p-ended d-ended"),
        ({"status": "abandoned"}, "p-abandoned d-abandoned"),
        ({"status": "abandoned", "thread": "phone"}, "p-abandoned"),
        ({"status": "active", "is_ended": True}, ""),
        ({"has_summary": True}, "p-ended d-ended"),
        ({"has_summary": False, "status": "ended"}, ""),
        ({"has_summary": False}, "p-active p-abandoned d-active d-abandoned"),
    ],
    ids=str,
)
async def test_filter(store: Store, clock: Clock, where: dict[str, Any], expected: str) -> None:
    """Each condition selects what the sessions say of themselves, on pages of any length and in counts."""
    names = await _some(store, clock)
    given = SessionFilter(**where)
    assert [names[its.id] for its in await store.sessions.find_many(given)] == expected.split()
    seen = [its async for its in store.sessions.iterate(given)]
    assert [names[its.id] for its in seen] == expected.split()
    assert all(its.status == where.get("status", its.status) for its in seen)
    assert await store.sessions.count(given) == len(seen)
    after, paged = None, list[str]()
    while True:
        page = await store.sessions.find_many(given, limit=1, after=after)
        paged += [names[its.id] for its in page]
        if (after := page.next_cursor) is None:
            break
    assert paged == expected.split()


@pytest.mark.parametrize(
    "where", [{"status": "open"}, {"status": 1}, {"has_summary": "no"}, {"thread": 1}], ids=str
)
async def test_filter_refuses(store: Store, where: dict[str, Any]) -> None:
    """A condition that cannot be one is refused by name."""
    for call in (store.sessions.find_many, store.sessions.count):
        with pytest.raises(InvalidInputError, match=rf"^{next(iter(where))}: "):
            await call(SessionFilter(**where))


async def test_status_by_the_stores_idle_time(url: str, clock: Clock) -> None:
    """A filter decides the status by the store's own idle time, to the millisecond, as reading does."""
    minute = timedelta(minutes=1)
    async with memrepo.connect(url, clock=clock, idle_after=minute) as store:
        await store.sessions.start()
        clock.now += minute - timedelta(milliseconds=1)
        assert await store.sessions.count(SessionFilter(status="active")) == 1
        clock.advance(milliseconds=1)
        assert await store.sessions.count(SessionFilter(status="active")) == 0
        (session,) = await store.sessions.find_many(SessionFilter(status="abandoned"))
        assert session.status == "abandoned"


# --- the list of threads -----------------------------------------------------------------------


async def test_threads(store: Store, clock: Clock) -> None:
    """Each thread once, with its last session, first the one whose last session was started last."""
    for thread in ("phone", "laptop", "phone", "", "phone"):
        clock.advance(hours=1)
        session = await store.sessions.start(thread)
        await store.daily_logs.append(session.id, "said")
        clock.advance(minutes=5)
        await store.sessions.end(session.id)
    await store.scoped("ada").sessions.start("tablet")
    await store.sessions.resume(2)  # the one of the laptop
    threads = await store.sessions.threads()
    assert [(its.thread, its.n_sessions, its.last_session.id) for its in threads] == [
        ("phone", 3, 5),
        ("", 1, 4),
        ("laptop", 1, 2),
    ]
    last = clock.now - timedelta(minutes=5)
    assert threads[0].last_session == await store.sessions.get(5)
    assert [its.last_activity_at for its in threads] == [
        last,
        last - timedelta(hours=1, minutes=5),
        clock.now,
    ]
    assert threads[2].to_dict()["thread"] == "laptop"


async def test_an_older_session_of_a_thread_is_its_last_activity(
    store: Store, clock: Clock
) -> None:
    """The last activity of a thread is that of any of its sessions, as of an old one that was resumed."""
    old = await store.sessions.start("phone")
    await store.sessions.end(old.id)
    clock.advance(hours=1)
    new = await store.sessions.start("phone")
    await store.sessions.end(new.id)
    clock.advance(hours=1)
    await store.sessions.resume(old.id)
    (thread,) = await store.sessions.threads()
    assert (thread.last_session.id, thread.last_activity_at) == (new.id, clock.now)


async def test_pages_of_threads(store: Store, clock: Clock) -> None:
    """Page by page comes each thread once, also of sessions that were started at one instant."""
    for number in range(12):
        if number % 4 == 0:
            clock.advance(minutes=1)
        await store.sessions.start(f"thread {number % 5}", end_active=True)
    expected = [f"thread {number % 5}" for number in range(11, 6, -1)]
    found: list[str] = []
    after = None
    while True:
        page = await store.sessions.threads(limit=2, after=after)
        assert len(page) <= 2
        found += [its.thread for its in page]
        if (after := page.next_cursor) is None:
            break
    assert found == expected
    assert [its.thread async for its in store.sessions.iterate_threads()] == expected
    with pytest.raises(InvalidInputError, match=r"^limit: "):
        await store.sessions.threads(limit=0)
    assert len(await store.scoped("nobody").sessions.threads()) == 0
