"""
A database of every earlier version of memrepo, and of the original in each of its ages.

Each is upgraded here, and then used by the original's own statements, with both programs in turn.
"""

from __future__ import annotations

import pytest

import memrepo
from memrepo.admin.migrate import migrate
from memrepo.admin.migrations import load_migrations
from tests.admin.original import AGES, OTHER_TABLES, THEN, Program
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio

KNOWN = load_migrations()
LATER = "2026-02-02T15:00:00.000Z"


def _fill(original: Program) -> None:
    original.remember("Likes tea", THEN)
    original.remember("Has a dog", THEN)
    session = original.talk(THEN)
    if original.knows_forgetting():
        original.forget("Has a dog", THEN)
    if original.run("SELECT 1 FROM sqlite_master WHERE name = 'messages'"):
        original.say(session, THEN)


@pytest.mark.parametrize("age", AGES)
async def test_original(age: str, place: tuple[str, Program], clock: Clock) -> None:
    """A database of the original is adopted in any age, forgets nothing that it forgot, and goes on there."""
    url, original = place
    for statement in AGES[age]:
        original.run(statement)
    _fill(original)
    has_forgotten = original.knows_forgetting()
    others = {
        name: original.run(f"SELECT * FROM {name}") for name in OTHER_TABLES if "today" in age
    }
    async with memrepo.connect(url, clock=clock) as store:
        assert store.schema_version == len(KNOWN)
        assert await store.memories.count() == (1 if has_forgotten else 2)
        forgotten = [fact.content for fact in await store.memories.forgotten()]
        assert forgotten == (["Has a dog"] if has_forgotten else [])
        assert await store.verify() == []
    assert {name: original.run(f"SELECT * FROM {name}") for name in others} == others
    await _use_in_turn(url, original, clock)


@pytest.mark.parametrize("has_facts", [True, False])
async def test_original_is_folded(
    place: tuple[str, Program], clock: Clock, *, has_facts: bool
) -> None:
    """A database of the original cannot get the exact rule: the error names its rule, and nothing is written."""
    url, original = place
    for statement in AGES["phase 7, migrated"]:
        original.run(statement)
    if has_facts:
        _fill(original)
    before = original.run("SELECT name FROM sqlite_master")
    with pytest.raises(memrepo.InvalidInputError, match='must be "folded"') as caught:
        await memrepo.connect(url, clock=clock, same_fact="exact")
    assert caught.value.field == "same_fact"
    assert original.run("SELECT name FROM sqlite_master") == before
    async with memrepo.connect(url, clock=clock, same_fact="folded") as store:
        assert store.same_fact == "folded"


@pytest.mark.parametrize("version", range(1, len(KNOWN) + 1))
async def test_earlier_version(version: int, place: tuple[str, Program], clock: Clock) -> None:
    """A database of an earlier memrepo is upgraded, with its facts, and the original can use it."""
    url, original = place
    async with memrepo.connect(url, migrate=False, clock=clock) as store:
        await migrate(store.connection, KNOWN[:version], clock())
    _fill(original)
    # As versions 1 and 2 stored a new fact.
    original.run("UPDATE memory_entries SET last_accessed = NULL WHERE content = 'Likes tea'")
    async with memrepo.connect(url, clock=clock) as store:
        assert store.schema_version == len(KNOWN)
        known = await store.memories.remember("likes tea.")
        assert known.outcome == "duplicate"
    assert await _no_nulls(original)
    await _use_in_turn(url, original, clock)


@pytest.mark.parametrize("version", range(1, len(KNOWN)))
async def test_earlier_version_is_folded(
    version: int, place: tuple[str, Program], clock: Clock
) -> None:
    """Facts of an earlier memrepo are folded: another rule is refused before anything is written."""
    url, original = place
    async with memrepo.connect(url, migrate=False, clock=clock) as store:
        await migrate(store.connection, KNOWN[:version], clock())
    _fill(original)
    for may_migrate in (False, True):
        with pytest.raises(memrepo.InvalidInputError, match='is "folded"'):
            await memrepo.connect(url, clock=clock, same_fact="exact", migrate=may_migrate)
    assert original.run("SELECT max(number) FROM memrepo_migrations") == [(version,)]
    async with memrepo.connect(url, clock=clock) as store:
        assert store.same_fact == "folded"


async def _no_nulls(original: Program) -> bool:
    return original.run("SELECT 1 FROM memory_entries WHERE last_accessed IS NULL") == []


async def _use_in_turn(url: str, original: Program, clock: Clock) -> None:
    clock.advance(hours=1)
    async with memrepo.connect(url, clock=clock) as store:
        bike = await store.memories.remember("The bike is blue")
        assert bike.outcome == "created"
        original.remember("the bike is blue", LATER)  # the upsert of a fact of ours
        original.remember("The cat is grey", LATER)
        assert (await store.memories.remember("the cat is grey!")).outcome == "duplicate"
        original.forget("The cat is grey", LATER)
        assert await store.memories.find_by_content("The cat is grey") is None
        original.forget("The cat is grey", None)
        assert await store.memories.find_by_content("The cat is grey") is not None
        await store.memories.forget(bike.id)
        assert "The bike is blue" not in original.candidates()
        await store.memories.restore(bike.id)
        session = original.talk(LATER)
        (event,) = await store.daily_logs.find_many(memrepo.DailyLogFilter(session_id=session))
        assert event.event_data == {"source": "user_initiated"}
        assert (await store.sessions.get(session)).end_trigger == "browser_close"
        ours = await store.sessions.start()
        if original.run("SELECT 1 FROM sqlite_master WHERE name = 'messages'"):
            original.say(ours.id, LATER)
    original.run('delete from "memory_entries" where "content" = \'The cat is grey\'')
    async with memrepo.connect(url, clock=clock) as store:
        assert {"The bike is blue"} <= {fact.content async for fact in store.memories.iterate()}


async def test_candidates(place: tuple[str, Program], clock: Clock) -> None:
    """Among more than 100 facts of the original, a new one of ours is the first that it picks."""
    url, original = place
    for statement in AGES["phase 7, migrated"]:
        original.run(statement)
    for number in range(110):
        original.remember(f"Fact {number}", THEN)
    async with memrepo.connect(url, clock=clock) as store:
        await store.memories.remember("The bike is blue")
        clock.advance(seconds=1)
        await store.memories.remember_many([memrepo.MemoryNew(content="The cat is grey")])
        clock.advance(seconds=1)
        await store.memories.supersede(1, "Fact nought")
    assert original.candidates()[:3] == ["Fact nought", "The cat is grey", "The bike is blue"]


# --- threads -----------------------------------------------------------------------------------

#: How versions 1 to 4 end what is idle, and start a session, of the default scope.
_OLD_TIME_OUT = (
    "UPDATE sessions SET ended_at = started_at, end_trigger = 'timeout' WHERE scope = ''"
    " AND ended_at IS NULL AND started_at <= '2026-02-02T14:00:00.000Z'"
)
_OLD_START = (
    "INSERT INTO sessions (scope, started_at, is_exclusive) SELECT '', '2026-02-02T14:16:24.123Z', 1"
    " WHERE NOT EXISTS (SELECT 1 FROM sessions WHERE scope = '' AND ended_at IS NULL)"
)


async def test_session_of_an_earlier_version(place: tuple[str, Program], clock: Clock) -> None:
    """The session that is active when threads come is the active one of the default thread."""
    url, original = place
    async with memrepo.connect(url, migrate=False, clock=clock) as store:
        await migrate(store.connection, KNOWN[:4], clock())
    original.run(_OLD_START)
    async with memrepo.connect(url, clock=clock) as store:
        active = await store.sessions.active()
        assert active is not None
        assert (active.thread, active.last_activity_at) == ("", clock.now)
        assert (await store.sessions.start("phone")).id != active.id


async def test_while_an_earlier_version_runs(place: tuple[str, Program], clock: Clock) -> None:
    """A program with an older memrepo goes on in the default thread, and leaves the others as they are."""
    url, original = place
    async with memrepo.connect(url, clock=clock) as store:
        phone = await store.sessions.start("phone")
        original.run(_OLD_TIME_OUT)
        original.run(_OLD_START)
        assert await store.sessions.active("phone") == phone
        # It takes the session of the other thread for its own.
        assert await store.sessions.active() is None
        await store.sessions.end(phone.id)
        original.run(_OLD_START)
        theirs = await store.sessions.active()
        assert theirs is not None
        assert (await store.sessions.get_or_start()).id == theirs.id
        # The original starts one without asking.
        original.run(f"INSERT INTO sessions (started_at) VALUES ('{LATER}')")
        assert await store.sessions.count(memrepo.SessionFilter(thread="", is_ended=False)) == 2
        assert await store.verify() == []
