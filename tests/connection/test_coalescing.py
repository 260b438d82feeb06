"""Calls that wait at the same moment run together: each is answered as if it had run by itself."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import closing
from contextvars import copy_context
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, TypeAlias

import attrs
import pytest
from hypothesis import example, given, settings, strategies as st

import memrepo
from memrepo import MemrepoError, Store
from tests.conftest import Clock

#: What a call does to a store, and how a failing example shows it.
Action: TypeAlias = tuple[str, Callable[[Store], Awaitable[object]]]

_SCOPES: Final = ("", "user:1")


def remember(text: str, scope: str, source: str, expires_in: int | None) -> Action:
    """The call of `remember` with these."""

    async def act(store: Store) -> object:
        expiry = None if expires_in is None else Clock().now + timedelta(hours=expires_in)
        repo = store.scoped(scope).memories if scope else store.memories
        return await repo.remember(text, source=source, expires_at=expiry)

    return f"remember({text!r}, {scope!r}, {source!r}, {expires_in})", act


def correct(text: str, scope: str, slot: str) -> Action:
    """The call of `remember` with a slot; by its name, what fills it is only inferred."""

    async def act(store: Store) -> object:
        repo = store.scoped(scope).memories if scope else store.memories
        source = "inferred" if slot.startswith("guess") else "user_explicit"
        return await repo.remember(text, source=source, slot=slot)

    return f"correct({text!r}, {scope!r}, {slot!r})", act


def append(session_id: int | None, scope: str, number: int) -> Action:
    """The call of `append` with these."""

    async def act(store: Store) -> object:
        repo = store.scoped(scope).daily_logs if scope else store.daily_logs
        return await repo.append(session_id, "test", number)

    return f"append({session_id}, {scope!r}, {number})", act


def touch(id: int) -> Action:
    """The call of `touch`."""
    return f"touch({id})", lambda store: store.memories.touch(id)


def get(id: int, scope: str) -> Action:
    """The call of `get`."""

    async def act(store: Store) -> object:
        return await (store.scoped(scope).memories if scope else store.memories).get(id)

    return f"get({id}, {scope!r})", act


def _told(given: Sequence[tuple[str, str, bool]]) -> Iterator[tuple[str, str, str]]:
    """Yield a text, a scope and a slot each; where it is not new, the one that fills the slot."""
    last: dict[tuple[str, str], str] = {}
    for number, (scope, slot, is_new) in enumerate(given):
        text = last.get((scope, slot))
        if is_new or text is None:
            text = f"{slot} is {number}"
        last[scope, slot] = text
        yield text, scope, slot


_texts = st.sampled_from([f"fact {n}" for n in range(6)] + ["forgotten", "expired", "replaced"])
_scopes = st.sampled_from(_SCOPES)
#: A session of the default scope, of the other, none at all, and no session.
_sessions = st.sampled_from([1, 2, 99, None])
_writes = st.one_of(
    st.builds(
        remember,
        _texts,
        _scopes,
        st.sampled_from(["inferred", "user_explicit"]),
        st.sampled_from([None, -1, 1, 2]),
    ),
    st.builds(append, _sessions, _scopes, st.integers(0, 9)),
    # Not a fact that is gone: remembering that takes two units, so touching it may come between.
    st.builds(touch, st.just(1)),
)
_reads = st.builds(get, st.integers(1, 12), _scopes)
#: A slot, and a text that is new or stated just before. (What is gone takes a second unit to bring back, between
#: which others may come.)
_corrections = st.lists(
    st.tuples(
        _scopes,
        st.sampled_from([f"slot {n}" for n in range(12)] + [f"guess {n}" for n in range(4)]),
        st.integers(0, 3).map(bool),
    ),
    max_size=90,
).map(lambda given: [correct(*its) for its in _told(given)])
#: Long runs of one kind, which are what is merged, and mixtures.
_many_writes = st.one_of(
    st.lists(_writes, max_size=12),
    st.lists(
        st.builds(append, st.sampled_from([1, 1, 1, 1, 2]), st.just(""), st.just(0)),
        min_size=70,
        max_size=90,
    ),
    st.lists(
        st.builds(remember, _texts, _scopes, st.just("inferred"), st.none()),
        min_size=18,
        max_size=40,
    ),
    _corrections,
)


async def _fill(store: Store) -> None:
    """Make a session in each scope, and facts that are current, forgotten, expired and replaced."""
    for scope in _SCOPES:
        scoped = store.scoped(scope) if scope else store
        await scoped.sessions.start()
        await scoped.memories.remember("fact 1")
        await scoped.memories.forget((await scoped.memories.remember("forgotten")).id)
        await scoped.memories.remember("expired", expires_at=Clock().now)
        await scoped.memories.supersede((await scoped.memories.remember("replaced")).id, "newer")
        for number in range(0, 12, 3):  # what replaces these takes over from them
            text = f"slot {number} has a pin"
            fact = await scoped.memories.remember(text, slot=f"slot {number}", due_at=Clock().now)
            await scoped.memories.pin(fact.id)


async def _answer(action: Action, store: Store) -> object:
    try:
        return _but_for_gaps(await action[1](store))
    except MemrepoError as error:
        return type(error), str(error)


def _but_for_gaps(value: object) -> object:
    """Leave out the ids of facts: a fact that is known uses one up, and a forgotten one two, later."""
    if isinstance(value, memrepo.Remembered):
        return value.outcome, _but_for_gaps(value.entry), _but_for_gaps(value.replaced)
    if isinstance(value, memrepo.MemoryEntry):
        return attrs.evolve(value, id=0, superseded_by=None if value.superseded_by is None else 0)
    return value


async def _everything(store: Store) -> list[object]:
    where = memrepo.MemoryFilter(
        include_forgotten=True, include_expired=True, include_superseded=True
    )
    found: list[object] = []
    for scope in _SCOPES:
        scoped = store.scoped(scope) if scope else store
        entries = [_but_for_gaps(entry) async for entry in scoped.memories.iterate(where)]
        found.append(sorted(entries, key=str))
        found += [event async for event in scoped.daily_logs.iterate()]
    return found


async def _one_by_one(store: Store, actions: Sequence[Action]) -> list[object]:
    return [await _answer(action, store) for action in actions]


async def _together(store: Store, actions: Sequence[Action]) -> list[object]:
    """Let the calls line up behind a transaction, so that they make one group."""
    outside = copy_context()
    async with store.transaction():
        calls = [_answer(action, store) for action in actions]
        tasks = [asyncio.create_task(call, context=outside.copy()) for call in calls]
        await asyncio.sleep(0)
    return await asyncio.gather(*tasks)


async def compare(url: str, writes: Sequence[Action], reads: Sequence[Action]) -> None:
    """Make calls at once on a store, and one by one on another, and compare all that they give."""
    async with (
        memrepo.connect(url, clock=Clock()) as grouped,
        memrepo.connect(":memory:", clock=Clock()) as plain,
    ):
        await _fill(grouped)
        await _fill(plain)
        found = await asyncio.gather(*(_answer(read, grouped) for read in reads))
        assert found == await _one_by_one(plain, reads)
        assert await _together(grouped, writes) == await _one_by_one(plain, writes)
        assert await _everything(grouped) == await _everything(plain)


@given(_many_writes, st.lists(_reads, max_size=80))
@settings(max_examples=25, deadline=None)
@example([append(1, "", n) for n in range(100)], [get(1, "")] * 100)
# One fact stated again with one expiry and another: each call has the fact as it was then.
@example(
    [
        remember("fact 0", "", "inferred", None),
        remember("fact 0", "user:1", "inferred", 1),
        remember("fact 0", "user:1", "inferred", -1),
        remember("fact 0", "user:1", "inferred", None),
    ],
    [],
)
@example([append(2 if n == 70 else 1, "", n) for n in range(100)], [])
@example([remember("gone at once", "", "inferred", -1)] * 20, [])
@example([remember("fact 9", scope, "inferred", None) for scope in _SCOPES * 40], [])
@example([correct(f"{n % 40} is {n}", _SCOPES[n % 2], f"slot {n % 40}") for n in range(200)], [])
@pytest.mark.slow
def test_together_as_one_by_one(writes: list[Action], reads: list[Action]) -> None:
    """
    Calls in one group give what they give one after another, and leave the same rows.

    Among them are some that are refused, and facts that are forgotten, expired or replaced.
    """
    with TemporaryDirectory() as folder:
        asyncio.run(compare(str(Path(folder) / "agent.db"), writes, reads))


@pytest.mark.asyncio
async def test_a_thousand_calls_are_one_commit(tmp_path: Path) -> None:
    """What a thousand tasks write at once takes few statements and commits, not a thousand."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, durability="normal") as store:
        before = (await store.info()).wal_size_bytes
        await asyncio.gather(*(store.daily_logs.append(None, "x") for _ in range(1_000)))
        pages = ((await store.info()).wal_size_bytes - before) / (4_096 + 24)
    # A commit alone writes three pages.
    assert pages < 100


@pytest.mark.asyncio
async def test_refused_by_another_programs_trigger(tmp_path: Path) -> None:
    """A trigger that refuses a row, and undoes nothing, refuses that call only: the others are stored once."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path) as store:
        with closing(sqlite3.connect(path)) as other:
            other.execute(
                "CREATE TRIGGER refuse BEFORE INSERT ON daily_logs WHEN NEW.event_type = 'bad' "
                "BEGIN SELECT RAISE(FAIL, 'refused'); END"
            )
        outside = copy_context()
        async with store.transaction():
            kinds = ["good"] * 10 + ["bad"] + ["good"] * 9
            calls = [
                asyncio.create_task(store.daily_logs.append(None, kind), context=outside.copy())
                for kind in kinds
            ]
            await asyncio.sleep(0)
        told = await asyncio.gather(*calls, return_exceptions=True)
        assert [isinstance(its, MemrepoError) for its in told] == [kind == "bad" for kind in kinds]
        assert await store.daily_logs.count_by_type() == {"good": 19}
