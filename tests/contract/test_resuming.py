"""When a session was last active, how it ends by that, and how it is resumed: on every driver."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

import memrepo
from memrepo import (
    IDLE_AFTER,
    ConflictError,
    DailyLogFilter,
    InvalidInputError,
    NotFoundError,
    SessionFilter,
    Store,
)
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio


# --- resume ------------------------------------------------------------------------------------


async def test_resume(store: Store, clock: Clock) -> None:
    """A session that ended goes on, active from now on, in its thread, with the summary that it had."""
    first = await store.sessions.start("phone")
    await store.sessions.end(first.id, summary="All about tea")
    now = clock.advance(days=1)
    resumed = await store.sessions.resume(first.id)
    assert (resumed.id, resumed.thread, resumed.started_at) == (
        first.id,
        "phone",
        first.started_at,
    )
    assert (resumed.status, resumed.last_activity_at) == ("active", now)
    assert (resumed.ended_at, resumed.end_trigger) == (None, None)
    assert resumed.summary == "All about tea"
    assert await store.sessions.active("phone") == resumed
    assert (await store.sessions.get_or_start("phone")).id == first.id
    clock.now += IDLE_AFTER
    assert (await store.sessions.get(first.id)).status == "abandoned"
    await store.sessions.start("phone")
    assert (await store.sessions.get(first.id)).ended_at == now


async def test_resume_beside_an_active_session(store: Store, clock: Clock) -> None:
    """While another session of the thread is active, resuming is a conflict that names it, and changes nothing."""
    first = await store.sessions.start()
    ended = (await store.sessions.end(first.id)).session
    second = await store.sessions.start()
    with pytest.raises(ConflictError, match=f"session {second.id} is active"):
        await store.sessions.resume(first.id)
    assert await store.sessions.get(first.id) == ended
    elsewhere = await store.sessions.start("phone")
    await store.sessions.end(second.id)
    assert (await store.sessions.resume(first.id)).status == "active"
    assert await store.sessions.active("phone") == elsewhere
    # An abandoned one does not stand in the way.
    await store.sessions.end(first.id)
    third = await store.sessions.start()
    clock.now += IDLE_AFTER
    await store.sessions.resume(first.id)
    ended = await store.sessions.get(third.id)
    assert (ended.ended_at, ended.end_trigger) == (third.started_at, "timeout")


async def test_resume_what_has_not_ended(store: Store, clock: Clock) -> None:
    """An open session stays open, and is active from now on, even if it was abandoned."""
    first = await store.sessions.start()
    now = clock.advance(days=1)
    for _ in range(2):
        resumed = await store.sessions.resume(first.id)
        assert (resumed.status, resumed.last_activity_at) == ("active", now)


async def test_resume_refuses(store: Store) -> None:
    """An id that cannot be one is refused; one of nobody, or of another scope, is not found."""
    other = await store.scoped("ada").sessions.start()
    with pytest.raises(InvalidInputError, match=r"^id: "):
        await store.sessions.resume(0)
    for number in (77, other.id):
        with pytest.raises(NotFoundError, match=f"no session with id {number} in this scope"):
            await store.sessions.resume(number)


# --- ending at the last activity ---------------------------------------------------------------


async def test_end_with_timeout(store: Store, clock: Clock) -> None:
    """A session that is ended because it timed out ended at its last activity."""
    session = await store.sessions.start()
    clock.advance(minutes=5)
    event = (await store.daily_logs.append(session.id, "user_state")).event
    clock.advance(days=1)
    end = await store.sessions.end(session.id, trigger="timeout", summary="Tea")
    assert (end.ended_now, end.session.ended_at) == (True, event.timestamp)
    assert (end.session.end_trigger, end.session.summary) == ("timeout", "Tea")


async def test_end_abandoned(store: Store, clock: Clock) -> None:
    """What is abandoned, in any thread of the scope, ends at its last activity; the rest goes on."""
    sessions = [await store.sessions.start(f"thread {n}") for n in range(3)]
    other = await store.scoped("ada").sessions.start()
    event = (await store.daily_logs.append(sessions[0].id, "user_state")).event
    clock.now += IDLE_AFTER
    kept = (await store.daily_logs.append(sessions[2].id, "user_state")).event
    assert await store.sessions.end_abandoned(idle_after=2 * IDLE_AFTER) == 0
    assert await store.sessions.end_abandoned() == 2
    assert await store.sessions.end_abandoned() == 0
    first, second, third = [await store.sessions.get(its.id) for its in sessions]
    assert (first.ended_at, first.end_trigger) == (event.timestamp, "timeout")
    assert (second.ended_at, second.end_trigger) == (second.started_at, "timeout")
    assert (third.status, third.last_activity_at) == ("active", kept.timestamp)
    assert (await store.scoped("ada").sessions.get(other.id)).ended_at is None
    with pytest.raises(InvalidInputError, match=r"^idle_after: "):
        await store.sessions.end_abandoned(idle_after=timedelta(0))


async def test_end_abandoned_in_units(store: Store, clock: Clock) -> None:
    """More than fit into one unit are ended by one call all the same."""
    text = clock.now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    many = memrepo.Statement(
        "other.start",
        "INSERT INTO sessions (thread, started_at) SELECT value, :at FROM json_each(:threads)",
    )
    await store.connection.write((many.bind(at=text, threads=json.dumps([*range(501)])),))
    clock.now += IDLE_AFTER
    assert await store.sessions.end_abandoned() == 501
    assert await store.sessions.count(SessionFilter(is_ended=False)) == 0


# --- what counts as activity -------------------------------------------------------------------


@pytest.mark.parametrize("way", ["purge", "pop", "delete", "delete_many"])
async def test_deleted_events_of_an_active_session(store: Store, clock: Clock, way: str) -> None:
    """A session whose events are deleted stays as active as it was, and ends at the same instant."""
    session = await store.sessions.start()
    clock.advance(minutes=25)
    event = (await store.daily_logs.append(session.id, "user_state")).event
    clock.advance(minutes=20)
    before = await store.sessions.get(session.id)
    if way == "purge":
        assert await store.daily_logs.purge(clock.now, dry_run=True) == 1
        assert await store.daily_logs.purge(clock.now) == 1
    elif way == "pop":
        assert await store.daily_logs.pop_last() == event
    elif way == "delete":
        assert await store.daily_logs.delete(event.id) == event
    else:
        where = DailyLogFilter(session_id=session.id)
        assert await store.daily_logs.delete_many(where) == 1
    assert await store.sessions.get(session.id) == before
    assert await store.sessions.active() == before
    clock.now += IDLE_AFTER
    await store.sessions.get_or_start()
    assert (await store.sessions.get(session.id)).ended_at == event.timestamp


async def test_purge_of_another_scope(store: Store, clock: Clock) -> None:
    """A purge leaves the sessions of other scopes alone, and says how many events it deleted."""
    ada = store.scoped("ada")
    session = await ada.sessions.start()
    clock.advance(minutes=5)
    await ada.daily_logs.append(session.id, "user_state")
    clock.advance(minutes=5)
    assert await store.daily_logs.purge(clock.now) == 0
    assert await ada.daily_logs.purge(clock.now) == 1


async def test_activity_in_the_future(store: Store, clock: Clock) -> None:
    """What a clock that was ahead has written keeps no session active, and is not its last activity."""
    session = await store.sessions.start()
    now = clock.now
    clock.advance(days=3650)
    await store.daily_logs.append(session.id, "user_state")
    clock.now = now + timedelta(minutes=10)
    event = (await store.daily_logs.append(session.id, "user_state")).event
    assert (await store.sessions.get(session.id)).last_activity_at == event.timestamp
    clock.now += IDLE_AFTER
    assert (await store.sessions.get(session.id)).status == "abandoned"
    assert await store.sessions.active() is None
    assert await store.sessions.count(SessionFilter(status="abandoned")) == 1
    assert (await store.sessions.get_or_start()).id != session.id
    assert (await store.sessions.get(session.id)).ended_at == event.timestamp


async def test_start_in_the_future(store: Store, clock: Clock) -> None:
    """A session that a clock ahead has started goes by its events as soon as there is one."""
    clock.advance(days=3650)
    session = await store.sessions.start()
    clock.advance(days=-3650)
    assert (await store.sessions.get_or_start()).id == session.id
    await store.daily_logs.append(session.id, "user_state")
    clock.now += IDLE_AFTER
    assert (await store.sessions.get_or_start()).id != session.id


async def test_activity_just_ahead_of_the_clock(store: Store, clock: Clock) -> None:
    """An event of a clock that is seconds ahead, or that came while a call waited, does count."""
    session = await store.sessions.start()
    clock.now += IDLE_AFTER
    clock.advance(seconds=20)
    event = (await store.daily_logs.append(session.id, "user_state")).event
    clock.advance(seconds=-20)
    same = await store.sessions.get_or_start()
    assert (same.id, same.last_activity_at) == (session.id, event.timestamp)


async def test_event_from_before_the_start(store: Store, clock: Clock) -> None:
    """An event that is older than its session, as after a clock was set back, is no activity after the start."""
    session = await store.sessions.start()
    clock.advance(days=-1)
    await store.daily_logs.append(session.id, "user_state")
    clock.advance(days=1)
    assert await store.sessions.active() == session
