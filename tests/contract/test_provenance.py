"""The session that a fact was learnt in: on every driver."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from memrepo import InvalidInputError, MemoryFilter, MemoryNew, NotFoundError, Store, connect
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio

HOUR = timedelta(hours=1)


async def learnt_in(store: Store) -> dict[str, int | None]:
    """Return the session of each fact, whatever its state."""
    everything = MemoryFilter(include_forgotten=True, include_expired=True, include_superseded=True)
    return {fact.content: fact.session_id async for fact in store.memories.iterate(everything)}


async def test_session_of_a_new_fact(store: Store) -> None:
    """A fact knows the session that was given with it, however it was remembered; one without has none."""
    session = (await store.sessions.start()).id
    tea = await store.memories.remember("tea", session_id=session)
    many = [MemoryNew(content="jam", session_id=session), MemoryNew(content="rye")]
    await store.memories.remember_many(many)
    new = await store.memories.supersede(tea.id, "green tea", session_id=session)
    newer = await store.memories.supersede(new.id, "white tea")
    assert new.entry.session_id == tea.entry.session_id == session
    assert newer.entry.session_id is None
    assert await learnt_in(store) == {
        "tea": session,
        "jam": session,
        "rye": None,
        "green tea": session,
        "white tea": None,
    }
    assert (await store.memories.get(tea.id)).to_dict()["session_id"] == session


async def test_facts_of_a_session(store: Store, clock: Clock) -> None:
    """A filter finds the facts of one session, newest first, page by page, and counts them."""
    first, second = [await store.sessions.start(thread) for thread in ("a", "b")]
    for number in range(5):
        clock.advance(seconds=1)
        session = (first, second)[number % 2]
        await store.memories.remember(f"fact {number}", session_id=session.id)
    await store.memories.remember("of no session")
    where = MemoryFilter(session_id=first.id)
    page = await store.memories.find_many(where, limit=2)
    rest = await store.memories.find_many(where, after=page.next_cursor)
    assert [fact.content for fact in (*page, *rest)] == ["fact 4", "fact 2", "fact 0"]
    assert await store.memories.count(where) == 3
    assert await store.scoped("ada").memories.count(where) == 0
    with pytest.raises(InvalidInputError, match=r"^session_id: "):
        await store.memories.count(MemoryFilter(session_id=0))


async def test_a_known_fact_keeps_its_session(store: Store, clock: Clock) -> None:
    """It was learnt when it was first stated: who states it again, or brings it back, does not change that."""
    first, second = [(await store.sessions.start(thread)).id for thread in ("a", "b")]
    memories = store.memories
    known = [
        MemoryNew(content="known", session_id=first),
        MemoryNew(content="forgotten", session_id=first),
        MemoryNew(content="expired", session_id=first, expires_at=clock.now + HOUR),
        MemoryNew(content="superseded", session_id=first),
        MemoryNew(content="of no session"),
    ]
    ids = [its.id for its in await memories.remember_many(known)]
    await memories.forget(ids[1])
    await memories.supersede(ids[3], "its successor", session_id=second)
    clock.now += HOUR
    for outcome in ("duplicate", "restored", "restored", "restored", "duplicate"):
        content = known[len(known) - len(ids)].content
        again = await memories.remember(content, session_id=second)
        assert (again.id, again.outcome, again.ignored) == (ids.pop(0), outcome, ())
    await memories.remember_many(
        [MemoryNew(content=its.content, session_id=second) for its in known]
    )
    assert await learnt_in(store) == {
        **{its.content: its.session_id for its in known},
        "its successor": second,
    }


async def test_first_mention_of_many(store: Store) -> None:
    """Of several mentions of a new fact in one call, the first one's session holds, as its text does."""
    first, second = [(await store.sessions.start(thread)).id for thread in ("a", "b")]
    news = [
        MemoryNew(content=text, session_id=its) for text, its in (("Tea", first), ("tea", second))
    ]
    assert [its.entry.session_id for its in await store.memories.remember_many(news)] == [first] * 2


@pytest.mark.parametrize("whose", ["nobody", "ada"])
async def test_a_session_that_is_not_there(store: Store, clock: Clock, whose: str) -> None:
    """Without a session of this scope nothing is stored, not even that a known fact was stated again."""
    other = (await store.scoped("ada").sessions.start()).id if whose == "ada" else 1_000
    known = await store.memories.remember("known")
    gone = await store.memories.remember("gone")
    await store.memories.forget(gone.id)
    own = (await store.sessions.start()).id
    clock.advance(hours=1)
    memories = store.memories
    missing = f"^no session with id {other} in this scope$"
    for content in ("new", "known", "gone"):
        with pytest.raises(NotFoundError, match=missing):
            await memories.remember(content, session_id=other)
        with pytest.raises(NotFoundError, match=missing):
            await memories.remember(content, source="inferred", session_id=other)
        with pytest.raises(NotFoundError, match=missing):
            await memories.remember_many([MemoryNew(content=content, session_id=other)])
    with pytest.raises(
        NotFoundError, match=r"^no session with one of the given ids in this scope$"
    ):
        await memories.remember_many(
            [MemoryNew(content="new", session_id=own), MemoryNew(content="b", session_id=other)]
        )
    with pytest.raises(NotFoundError, match=missing):
        await memories.supersede(known.id, "new", session_id=other)
    assert [fact async for fact in memories.iterate()] == [known.entry]
    with pytest.raises(InvalidInputError, match=r"^facts\[0\]\.session_id: must be from 1"):
        await memories.remember_many([MemoryNew(content="new", session_id=-1)])


async def test_at_once(store: Store) -> None:
    """Of calls that run as one, those with a session that is not there fail, and no other."""
    session = (await store.sessions.start()).id
    calls: list[Any] = [
        store.memories.remember(f"fact {n // 2}", session_id=session if n % 2 else 1_000)
        for n in range(20)
    ]
    outcomes: list[Any] = await asyncio.gather(*calls, return_exceptions=True)
    assert all(isinstance(its, NotFoundError) for its in outcomes[::2])
    assert [its.outcome for its in outcomes[1::2]] == ["created"] * 10
    assert set((await learnt_in(store)).values()) == {session}


async def test_in_a_transaction(store: Store) -> None:
    """The transaction goes on after a session that is not there."""
    async with store.transaction() as tx:
        session = await tx.sessions.start()
        with pytest.raises(NotFoundError):
            await tx.memories.remember("a", session_id=1_000)
        await tx.memories.remember("b", session_id=session.id)
    assert await learnt_in(store) == {"b": session.id}


@pytest.mark.parametrize("events", ["delete", "keep"])
async def test_session_is_deleted(store: Store, events: Any) -> None:
    """The facts of a deleted session stay, and have none."""
    session, other = [(await store.sessions.start(thread)).id for thread in ("a", "b")]
    await store.memories.remember("tea", session_id=session)
    forgotten = await store.memories.remember("jam", session_id=session)
    await store.memories.forget(forgotten.id)
    await store.memories.remember("rye", session_id=other)
    await store.sessions.delete(session, events=events)
    assert await learnt_in(store) == {"tea": None, "jam": None, "rye": other}


async def test_owner_is_erased(store: Store) -> None:
    """Facts and their sessions go together, and others stay as they are."""
    ada = store.scoped("ada")
    for its in (store, ada):
        session = await its.sessions.start()
        await its.memories.remember("tea", session_id=session.id)
    kept = await learnt_in(store)
    report = await ada.erase(confirm=True)
    assert (report.n_facts, report.n_sessions) == (1, 1)
    assert await learnt_in(store) == kept


async def test_copy(store: Store) -> None:
    """A copy knows the sessions of its facts."""
    session = await store.sessions.start()
    await store.memories.remember("tea", session_id=session.id)
    async with connect(":memory:") as target:
        await store.copy_to(target)
        assert await learnt_in(target) == {"tea": session.id}


@pytest.mark.parametrize("has_foreign_keys", [True, False])
async def test_another_program_deletes_a_session(
    tmp_path: Path, clock: Clock, has_foreign_keys: bool
) -> None:
    """Its facts have none then, too; `verify` names those that a program without foreign keys leaves behind."""
    path = tmp_path / "agent.db"
    async with connect(path, clock=clock) as store:
        session = await store.sessions.start()
        await store.memories.remember("tea", session_id=session.id)
        with closing(sqlite3.connect(path)) as other:
            other.execute(f"PRAGMA foreign_keys = {has_foreign_keys}")
            other.execute("DELETE FROM sessions")
            other.commit()
        assert await learnt_in(store) == {"tea": None if has_foreign_keys else session.id}
        problems = [(its.kind, its.table) for its in await store.verify()]
    assert problems == ([] if has_foreign_keys else [("foreign key", "memory_entries")])
