"""Threads: several conversations of one owner at once, on every driver."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

import memrepo
from memrepo import IDLE_AFTER, ConflictError, InvalidInputError, SessionFilter, Store
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
