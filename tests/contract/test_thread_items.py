"""The items of a thread, from which adapters make conversations: on every driver."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from memrepo import IDLE_AFTER, DailyLogFilter, DailyLogNew, InvalidInputError, SessionFilter, Store
from memrepo.repositories.thread_items import ThreadItems
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio


async def test_a_list_across_sessions(store: Store, clock: Clock) -> None:
    """Items of several sessions of a thread are one list; those of other threads, types and scopes are apart."""
    items = ThreadItems(store, "chat", "item")
    others = [
        ThreadItems(store, "other", "item"),
        ThreadItems(store, "chat", "note"),
        ThreadItems(store.scoped("ada"), "chat", "item"),
    ]
    for other in others:
        await other.add([{"n": "other"}])
    for n in range(3):
        await items.add([{"n": n}, {"n": n, "half": 2}])
        clock.now += IDLE_AFTER
    assert await items.read() == [its for n in range(3) for its in ({"n": n}, {"n": n, "half": 2})]
    assert await items.read(3) == [{"n": 1, "half": 2}, {"n": 2}, {"n": 2, "half": 2}]
    assert await items.pop() == {"n": 2, "half": 2}
    await items.clear()
    assert (await items.read(), await items.pop()) == ([], None)
    assert [await other.read() for other in others] == [[{"n": "other"}]] * 3
    sessions = await store.sessions.find_many(SessionFilter(thread="chat"))
    assert [its.end_trigger for its in sessions] == [None, "timeout", "timeout"]


async def test_more_than_a_page(store: Store) -> None:
    """A list that is longer than a page is read as a whole, and so is one among many other events."""
    session = await store.sessions.start(thread="chat")
    note = DailyLogNew(session_id=session.id, event_type="note", event_data={})
    await store.daily_logs.append_many([note] * 9_999)
    items = ThreadItems(store, "chat", "item")
    said = [{"n": n} for n in range(10_001)]
    for start, end in ((0, 1), (1, 2), (2, 10_001)):
        await items.add(said[start:end])
        assert await items.read() == said[:end]
        assert await items.read(2) == said[:end][-2:]


async def test_adding_in_a_transaction(store: Store) -> None:
    """What a transaction adds, with the session that it starts, is gone with it."""
    with suppress(RuntimeError):
        async with store.transaction() as tx:
            items = ThreadItems(tx, "chat", "item")
            await items.add([{"n": 1}])
            assert await items.read() == [{"n": 1}]
            raise RuntimeError
    assert await ThreadItems(store, "chat", "item").read() == []
    assert await store.sessions.count() == 0


async def test_added_at_once(store: Store) -> None:
    """Tasks that add at the same moment to a new thread share one session, and each batch is together."""
    lists = [ThreadItems(store, "chat", "item") for _ in range(10)]
    await asyncio.gather(*(its.add([{"n": n}] * 3) for n, its in enumerate(lists)))
    said = await lists[0].read()
    assert sorted(str(said[at : at + 3]) for at in range(0, 30, 3)) == [
        str([{"n": n}] * 3) for n in range(10)
    ]
    assert await store.sessions.count() == 1


async def test_refused(store: Store) -> None:
    """What is no object is refused by its place before anything is sent; a session is not started."""
    items = ThreadItems(store, "chat", "item")
    odd: list[Any] = [[], "text", None]
    for bad in odd:
        with pytest.raises(InvalidInputError, match=r"^items\[1\]: must be a dict, not "):
            await items.add([{"n": 1}, bad])
    name: Any = None
    with pytest.raises(InvalidInputError, match=r"^thread: "):
        ThreadItems(store, name, "item")
    with pytest.raises(InvalidInputError, match=r"^event_type: "):
        ThreadItems(store, "chat", "")
    assert await store.daily_logs.count_by_type(DailyLogFilter(thread="chat")) == {}
    assert await store.sessions.count() == 0
