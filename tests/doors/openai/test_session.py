"""What `MemrepoSession` does, on every driver."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from agents import SessionSettings, TResponseInputItem
from agents.memory import Session

import memrepo
from memrepo import DailyLogFilter, InvalidInputError, Statement, Store
from memrepo.contrib.openai import ITEM, MemrepoSession
from tests.conftest import Clock
from tests.doors.openai.items import message, texts

pytestmark = pytest.mark.asyncio

#: A turn with all that the API's items may have.
TURN: list[TResponseInputItem] = [
    {"role": "user", "content": [{"type": "input_text", "text": "Wie warm ist es? \U0001f600"}]},
    {"type": "reasoning", "id": "rs_1", "summary": []},
    {
        "type": "function_call",
        "call_id": "c1",
        "name": "weather",
        "arguments": '{"at": "K\u00f6ln"}',
    },
    {"type": "function_call_output", "call_id": "c1", "output": "21.5"},
    {"role": "assistant", "content": "21.5 \u00b0C"},
]


async def plant(store: Store, session_id: str, *data: str) -> None:
    """Have another program store events whose data is no item."""
    session = await store.sessions.get_or_start(session_id)
    for text in data:
        event = (await store.daily_logs.append(session.id, ITEM, {})).event
        sql = "UPDATE daily_logs SET event_data = :text WHERE id = :id"
        await store.connection.write((Statement("its", sql).bind(text=text, id=event.id),))


async def test_is_a_session(store: Store) -> None:
    """It is what the SDK takes for a session, with settings of its own."""
    session = MemrepoSession("chat", store)
    assert isinstance(session, Session)
    assert session.session_id == "chat"
    assert session.session_settings == SessionSettings()


async def test_items_come_back_as_they_were(store: Store) -> None:
    """What was added is read in its order, equal to the last key, and nobody's else."""
    session, other = MemrepoSession("chat", store), MemrepoSession("other", store)
    assert await session.get_items() == []
    await session.add_items(TURN)
    await other.add_items([message("elsewhere")])
    await session.add_items([message("and tomorrow?")])
    assert await session.get_items() == [*TURN, message("and tomorrow?")]
    assert [[*item] for item in await session.get_items(6)] == [
        [*item] for item in [*TURN, message("")]
    ]
    assert texts(await MemrepoSession("chat", store.scoped("ada")).get_items()) == []


async def test_nothing_to_add(store: Store) -> None:
    """No items are no write: not even a session is started."""
    await MemrepoSession("chat", store).add_items([])
    assert await store.sessions.count() == 0


@pytest.mark.parametrize(
    ("settings", "limit", "expected"),
    [
        (None, None, [0, 1, 2, 3, 4]),
        (None, 2, [3, 4]),
        (None, 0, []),
        (None, 9, [0, 1, 2, 3, 4]),
        (None, 20_000, [0, 1, 2, 3, 4]),
        (SessionSettings(limit=3), None, [2, 3, 4]),
        ({"limit": 3}, None, [2, 3, 4]),
        ({"limit": 3}, 4, [1, 2, 3, 4]),
        ({"limit": 0}, None, []),
    ],
    ids=repr,
)
async def test_limits(store: Store, settings: Any, limit: int | None, expected: list[int]) -> None:
    """The latest items in the order of the talk, as many as asked for, else as the settings say, else all."""
    session = MemrepoSession("chat", store, session_settings=settings)
    await session.add_items([message(str(n)) for n in range(5)])
    assert texts(await session.get_items(limit)) == [str(n) for n in expected]


async def test_settings_can_be_changed(store: Store) -> None:
    """The SDK, and a program, may set them later, in either form."""
    session = MemrepoSession("chat", store)
    await session.add_items([message(str(n)) for n in range(5)])
    session.session_settings = SessionSettings(limit=1)
    assert texts(await session.get_items()) == ["4"]


async def test_pop(store: Store) -> None:
    """The latest item is returned once and is gone from the table; of an empty conversation it is None."""
    session = MemrepoSession("chat", store)
    await session.add_items([message("1"), message("2")])
    await MemrepoSession("other", store).add_items([message("elsewhere")])
    assert [await session.pop_item() for _ in range(3)] == [message("2"), message("1"), None]
    assert await store.daily_logs.count_by_type() == {ITEM: 1}
    await session.add_items([message("3")])
    assert texts(await session.get_items()) == ["3"]


async def test_clear(store: Store) -> None:
    """No item of the conversation is left in the table; other conversations and other events stay."""
    session, other = MemrepoSession("chat", store), MemrepoSession("other", store)
    await session.add_items(TURN)
    await other.add_items(TURN)
    active = await store.sessions.get_or_start("chat")
    await store.daily_logs.append(active.id, "tool_invocation", {"tool": "weather"})
    await session.clear_session()
    await session.clear_session()
    assert await session.get_items() == []
    assert await other.get_items() == TURN
    assert await store.daily_logs.count_by_type(DailyLogFilter(thread="chat")) == {
        "tool_invocation": 1
    }


async def test_a_pause_starts_a_session_of_the_thread(store: Store, clock: Clock) -> None:
    """What is said after half an hour is another session, with its own digest, and the same conversation."""
    session = MemrepoSession("chat", store)
    await session.add_items([message("1")])
    clock.advance(minutes=31)
    await session.add_items([message("2"), message("3")])
    first, second = sorted(
        await store.sessions.find_many(memrepo.SessionFilter(thread="chat")), key=lambda its: its.id
    )
    assert (first.end_trigger, second.status) == ("timeout", "active")
    assert texts(await session.get_items(2)) == ["2", "3"]
    assert texts(await session.get_items()) == ["1", "2", "3"]
    assert [await session.pop_item() for _ in range(3)] == [message(n) for n in "321"]


async def test_order_survives_the_clock(store: Store, clock: Clock) -> None:
    """Where the clock stands still or is set back, items keep the order in which they were added."""
    session = MemrepoSession("chat", store)
    for n in range(3):
        await session.add_items([message(f"{n}a"), message(f"{n}b")])
    clock.now -= timedelta(hours=2)
    await session.add_items([message("3a"), message("3b")])
    again = MemrepoSession("chat", store)
    assert texts(await again.get_items(1)) == ["3b"]
    await again.add_items([message("4a")])
    assert texts(await again.get_items()) == ["0a", "0b", "1a", "1b", "2a", "2b", "3a", "3b", "4a"]
    assert [await again.pop_item(), await again.pop_item()] == [message("4a"), message("3b")]


@pytest.mark.parametrize("broken", [["{"], ["not valid json {{{", '"text"', "[1]", "null", "1"]])
async def test_what_is_no_item_hides_nothing(store: Store, broken: list[str]) -> None:
    """Events that are no items are passed over, do not count for a limit, and are dropped by a pop."""
    session = MemrepoSession("chat", store)
    await session.add_items([message("0"), message("1")])
    await plant(store, "chat", *broken)
    await session.add_items([message("2")])
    await plant(store, "chat", *broken)
    assert texts(await session.get_items()) == ["0", "1", "2"]
    assert texts(await session.get_items(2)) == ["1", "2"]
    assert [await session.pop_item(), await session.pop_item()] == [message("2"), message("1")]
    assert texts(await session.get_items()) == ["0"]
    await session.pop_item()
    await plant(store, "chat", *broken)
    assert await session.pop_item() is None
    assert await store.daily_logs.count_by_type() == {}


@pytest.mark.parametrize(
    ("items", "field"),
    [
        ([message("1"), "text"], "items[1]"),
        ([None], "items[0]"),
        ([message("1"), {"content": {1, 2}}], "items[1].content"),
        ([message("1"), {"content": float("nan")}], "items[1].content"),
        ([message("1"), message("x" * 4_000_001)], "items[1]"),
    ],
    ids=["text", "none", "set", "nan", "too-long"],
)
async def test_items_refused(store: Store, items: Any, field: str) -> None:
    """One item that cannot be stored, and none is; the error names its place, and not what it says."""
    session = MemrepoSession("chat", store)
    await session.add_items([message("0")])
    with pytest.raises(InvalidInputError) as caught:
        await session.add_items(items)
    assert caught.value.field == field
    assert "xxx" not in str(caught.value)
    assert texts(await session.get_items()) == ["0"]


async def test_a_late_item_refused(store: Store) -> None:
    """Of thousands of items, or of megabytes, the one that cannot be stored is named, and none is stored."""
    session = MemrepoSession("chat", store)
    broken: Any = {"content": {1, 2}}
    for items in ([message(str(n)) for n in range(1_500)], [message("x" * 100_000)] * 30):
        with pytest.raises(InvalidInputError) as caught:
            await session.add_items([*items, broken])
        assert caught.value.field == f"items[{len(items)}].content"
    assert await session.get_items() == []


async def test_many_and_long_items(store: Store) -> None:
    """What is too much for one statement is one batch all the same, in its order."""
    session = MemrepoSession("chat", store)
    items = [message(f"{n} " + "x" * n * 100) for n in range(200)]
    await session.add_items(items)
    assert await session.get_items() == items


async def test_stored_exactly(store: Store) -> None:
    """Each item is stored as the JSON text that `append` would store, to the last digit and character."""
    odd: list[Any] = [
        {"floats": [0.1, -0.0, 1e16, 1e-7, 1.7976931348623157e308, 5e-324], "int": -(2**63)},
        {"text": '\0 \x01 \x7f \u2028 \\ " / \U0001f600 \ud7ff', "": {"": []}, '"\0': None},
        {"deep": [[[[{"a": [True, False, {}]}]]]], "a": 1, "b": '{"a":1}'},
        dict.fromkeys(("b", "a"), "order"),
    ]
    await MemrepoSession("chat", store).add_items(odd)
    events = [event async for event in store.daily_logs.iterate()]
    appended = [await store.daily_logs.append(None, ITEM, item) for item in odd]
    assert [its.raw_event_data for its in events] == [its.event.raw_event_data for its in appended]
    assert await MemrepoSession("chat", store).get_items() == odd


@pytest.mark.parametrize("limit", [-1, True, 1.5, "1"], ids=repr)
async def test_limit_refused(store: Store, limit: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"^limit: "):
        await MemrepoSession("chat", store).get_items(limit)


@pytest.mark.parametrize("session_id", ["", " ", "x" * 256, "a\0b", None, 7], ids=repr)
async def test_session_id_refused(store: Store, session_id: Any) -> None:
    """What cannot be the name of a thread is refused when the session is made."""
    with pytest.raises(InvalidInputError, match=r"^session_id: "):
        MemrepoSession(session_id, store)


async def test_store_refused() -> None:
    """It takes an open store, and says so to who passes a path, as for the SDK's own class."""
    path: Any = "agent.db"
    with pytest.raises(InvalidInputError, match=r"^store: must be an open store, not str"):
        MemrepoSession("chat", path)


async def test_closed_store(url: str) -> None:
    """The store is the caller's: when it is closed, each method says so."""
    async with memrepo.connect(url) as store:
        session = MemrepoSession("chat", store)
        await session.add_items(TURN)
    for call in (session.get_items, session.pop_item, session.clear_session):
        with pytest.raises(memrepo.ClosedError):
            await call()
    with pytest.raises(memrepo.ClosedError):
        await session.add_items(TURN)


async def test_guard(url: str) -> None:
    """A guard sees the name and the items of a conversation, which is found under the name that it gave."""

    def guard(draft: memrepo.Draft) -> memrepo.Draft:
        text = draft.text and draft.text.replace("ada@example.org", "[mail]")
        return memrepo.Draft(kind=draft.kind, scope=draft.scope, text=text, data=draft.data)

    async with memrepo.connect(url, on_remember=guard) as store:
        session = MemrepoSession("ada@example.org", store)
        await session.add_items([message("1"), message("2")])
        assert [its.thread for its in await store.sessions.threads()] == ["[mail]"]
        assert texts(await session.get_items(1)) == ["2"]
        assert await session.pop_item() == message("2")
        await session.clear_session()
        assert await store.daily_logs.count_by_type() == {}


async def test_guard_of_items(url: str) -> None:
    """A guard changes what is stored, refuses an item by its place, and cannot take it out of the conversation."""

    def guard(draft: memrepo.Draft) -> memrepo.Draft | None:
        if "secret" in str(draft.data):
            return None
        kind = "other" if "other" in str(draft.data) else draft.text
        data = {"role": "user", "content": "[changed]"} if draft.kind == "event" else None
        return memrepo.Draft(kind=draft.kind, scope=draft.scope, text=kind, data=data)

    async with memrepo.connect(url, on_remember=guard) as store:
        session = MemrepoSession("chat", store)
        await session.add_items([message("1"), message("2")])
        with pytest.raises(memrepo.RefusedError, match=r"^items\[1\]: refused by the guard$"):
            await session.add_items([message("3"), message("secret")])
        with pytest.raises(InvalidInputError, match=r"^on_remember: must not change the type"):
            await session.add_items([message("other")])
        bad: Any = {"content": [{1, 2}]}
        with pytest.raises(InvalidInputError, match=r"^items\[1\]\.content\[0\]: "):
            await session.add_items([message("3"), bad])
        assert texts(await session.get_items()) == ["[changed]", "[changed]"]


async def test_many_at_once(store: Store) -> None:
    """Twenty tasks in two conversations: each batch is together, in each item once; each pop gets its own."""
    sessions = [MemrepoSession(name, store) for name in ("a", "b")]
    batches = [[message(f"{n}.{m}") for m in range(3)] for n in range(20)]
    await asyncio.gather(*(sessions[n % 2].add_items(batch) for n, batch in enumerate(batches)))
    for number, session in enumerate(sessions):
        said = texts(await session.get_items())
        together = [said[at : at + 3] for at in range(0, 30, 3)]
        assert sorted(together, key=str) == sorted(map(texts, batches[number::2]), key=str)
    popped = await asyncio.gather(*(sessions[0].pop_item() for _ in range(31)))
    assert popped.count(None) == 1
    assert len({str(item) for item in popped}) == 31
    assert await store.sessions.count() == 2


async def test_cancelled_anywhere(store: Store) -> None:
    """A call that is cancelled, at whichever pass of the event loop, happened whole or not at all."""
    session = MemrepoSession("chat", store)
    n_whole = 0
    for n_passes in range(40):
        task = asyncio.create_task(session.add_items([message("1"), message("2")]))
        for _ in range(n_passes):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        said = texts(await session.get_items())
        assert said in ([], ["1", "2"])
        n_whole += bool(said)
        await session.clear_session()
    await session.add_items([message("3")])
    assert texts(await session.get_items()) == ["3"]
    assert n_whole < 40


async def test_more_than_one_page(store: Store) -> None:
    """All items of a long conversation are read, however many there are."""
    session = MemrepoSession("chat", store)
    await session.add_items([message(str(n)) for n in range(10_050)])
    assert texts(await session.get_items()) == [str(n) for n in range(10_050)]
    assert texts(await session.get_items(10_001))[0] == "49"
