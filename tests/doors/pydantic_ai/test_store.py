"""What `MemrepoConversationStore` does, on every driver."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import pytest
from pydantic_ai import BinaryImage, DeferredToolRequests, ModelMessage, ModelRequest, UserError
from pydantic_ai.conversation import Conversation
from pydantic_ai.conversation_store import (
    ConversationConflict,
    ConversationEntry,
    ConversationRecord,
)
from pydantic_ai.messages import (
    ModelResponse,
    TextPart,
    ThinkingPart,
    ToolCallPart,
    ToolReturnPart,
    UserPromptPart,
)
from pydantic_ai.usage import RunUsage

import memrepo
from memrepo import (
    DailyLogNew,
    DecodeError,
    InvalidInputError,
    JsonValue,
    NotFoundError,
    Statement,
    Store,
)
from memrepo.contrib.pydantic_ai import _DELETE, _READ, MESSAGE, RECORD, MemrepoConversationStore
from memrepo.domain.checks import MAX_LIMIT
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio

WHEN = datetime(2026, 2, 2, 9, 0, tzinfo=UTC)


def said(text: str) -> ModelMessage:
    return ModelRequest(parts=[UserPromptPart(text, timestamp=WHEN)])


def replied(text: str) -> ModelMessage:
    return ModelResponse(parts=[TextPart(text)], timestamp=WHEN)


def texts(messages: Sequence[ModelMessage]) -> list[object]:
    return [
        part.content for message in messages for part in message.parts if hasattr(part, "content")
    ]


def talk(name: str, *said_in_it: str) -> Conversation:
    return Conversation(conversation_id=name, messages=[said(text) for text in said_in_it])


async def grown(conversations: MemrepoConversationStore, name: str, *more: str) -> Conversation:
    """Load a conversation, or begin it; add messages; save it."""
    conversation = await conversations.load(name) or Conversation(conversation_id=name)
    conversation.messages += [said(text) for text in more]
    await conversations.save(conversation)
    return conversation


async def n_messages(store: Store) -> int:
    return (await store.daily_logs.count_by_type()).get(MESSAGE, 0)


@pytest.fixture
def conversations(store: Store) -> MemrepoConversationStore:
    return MemrepoConversationStore(store)


async def test_everything_comes_back(store: Store, conversations: MemrepoConversationStore) -> None:
    """Messages of every kind, usage and what the conversation waits for are read as they were saved."""
    call = ToolCallPart("weather", {"place": "K\u00f6ln"}, tool_call_id="c1")
    messages: list[ModelMessage] = [
        ModelRequest(
            parts=[
                UserPromptPart(
                    [
                        "What is this? \U0001f600",
                        BinaryImage(b"\x00\xff\x89PNG", media_type="image/png"),
                    ],
                    timestamp=WHEN,
                )
            ]
        ),
        ModelResponse(parts=[ThinkingPart("hm"), call], timestamp=WHEN),
        ModelRequest(
            parts=[ToolReturnPart("weather", {"t": 21.5}, tool_call_id="c1", timestamp=WHEN)]
        ),
        replied("21.5 \u00b0C"),
    ]
    conversation = Conversation(
        conversation_id="chat",
        messages=messages,
        usage=RunUsage(requests=2, input_tokens=7),
        deferred_tool_requests=DeferredToolRequests(calls=[call], metadata={"c1": {"why": "ask"}}),
    )
    entries = await conversations.save(conversation, scope="ada")
    loaded = await conversations.load("chat")
    assert loaded is not None
    assert loaded.messages == messages
    assert (loaded.usage, loaded.deferred_tool_requests) == (
        conversation.usage,
        conversation.deferred_tool_requests,
    )
    assert loaded.revision == conversation.revision
    assert await conversations.load_entries("chat") == entries
    assert [await conversations.read_entry(entry.id) for entry in entries] == entries
    record = await conversations.read_record("chat")
    assert record is not None
    assert (record.scope, record.head_id) == ("ada", entries[-1].id)


async def test_what_is_not_there(conversations: MemrepoConversationStore) -> None:
    assert await conversations.load("chat") is None
    assert await conversations.load_entries("chat") is None
    assert await conversations.list_conversations() == []
    assert await conversations.read_history(None) == []
    await conversations.delete("chat")
    assert await conversations.read_history("nowhere") == []
    with pytest.raises(NotFoundError):
        await conversations.read_entry("nowhere")


async def test_each_message_is_stored_once(
    store: Store, conversations: MemrepoConversationStore
) -> None:
    """A save adds what is new and replaces the record; a fork shares what it was forked from."""
    for n in range(4):
        await grown(conversations, "chat", f"{n}")
    fork = await conversations.fork("chat", at=2, new_conversation_id="fork")
    fork.messages.append(said("other"))
    await conversations.save(fork)
    assert await store.daily_logs.count_by_type() == {MESSAGE: 5, RECORD: 2}
    for name, expected in (("chat", "0123"), ("fork", ["0", "1", "other"])):
        loaded = await conversations.load(name)
        assert loaded is not None
        assert texts(loaded.messages) == [*expected]


async def test_limit(conversations: MemrepoConversationStore) -> None:
    """The last messages of a history, which may begin in the conversation that it was forked from."""
    await grown(conversations, "chat", "0", "1", "2")
    fork = await conversations.fork("chat", new_conversation_id="fork")
    fork.messages.append(said("3"))
    await conversations.save(fork)
    for limit, expected in ((0, ""), (1, "3"), (3, "123"), (9, "0123")):
        loaded = await conversations.load("fork", limit=limit)
        assert loaded is not None
        assert texts(loaded.messages) == [*expected]


async def test_branches(store: Store, conversations: MemrepoConversationStore) -> None:
    """The history that a conversation leaves stays stored, and it can branch back to it."""
    saved = await grown(conversations, "chat", "0", "1", "2")
    branch = await conversations.branch("chat", at=1, expected_revision=saved.revision)
    branch.messages.append(said("other"))
    await conversations.save(branch)
    record = await conversations.read_record("chat")
    assert record is not None
    (tip,) = record.branches
    back = await conversations.branch("chat", from_entry=tip, expected_revision=record.revision)
    assert texts(back.messages) == ["0", "1", "2"]
    assert await n_messages(store) == 4
    await conversations.delete("chat")
    assert await store.daily_logs.count_by_type() == {}


async def test_the_second_writer_is_told(conversations: MemrepoConversationStore) -> None:
    """Whoever saves what was saved or deleted since it was loaded gets a conflict, and changes nothing."""
    await grown(conversations, "chat", "0")
    first, second = [await conversations.load("chat") for _ in range(2)]
    assert first is not None
    assert second is not None
    for conversation, text in ((first, "1"), (second, "lost")):
        conversation.messages.append(said(text))
    await conversations.save(first)
    with pytest.raises(ConversationConflict):
        await conversations.save(second)
    with pytest.raises(ConversationConflict):
        await conversations.save(talk("chat", "anew"))
    loaded = await conversations.load("chat")
    assert loaded is not None
    assert texts(loaded.messages) == ["0", "1"]
    await conversations.delete("chat")
    with pytest.raises(ConversationConflict):
        await conversations.save(first)
    with pytest.raises(ConversationConflict):
        await conversations.delete_record("chat", expected_revision=str(first.revision))


async def test_a_history_must_end_somewhere(conversations: MemrepoConversationStore) -> None:
    """A record that points to a message which is not there is a conflict."""
    record = ConversationRecord(conversation_id="chat", head_id="gone")
    with pytest.raises(ConversationConflict):
        await conversations.write_record(record, expected_revision=None)
    assert await conversations.list_conversations() == []


async def test_deleting_leaves_what_others_have(
    store: Store, conversations: MemrepoConversationStore
) -> None:
    """In whichever order conversations and their forks are deleted, each has its messages, and none stays in the end."""
    names = ["chat", "fork", "fork of fork"]
    for order in (names, names[::-1], ["fork", "chat", "fork of fork"]):
        await grown(conversations, "alone", "x")
        await grown(conversations, "chat", "0", "1")
        for source, name in pairwise(names):
            fork = await conversations.fork(source, new_conversation_id=name)
            fork.messages.append(said(name))
            await conversations.save(fork)
            await grown(conversations, source, f"more of {source}")
        expected = {
            "chat": ["0", "1", "more of chat"],
            "fork": ["0", "1", "fork", "more of fork"],
            "fork of fork": ["0", "1", "fork", "fork of fork"],
            "alone": ["x"],
        }
        for gone in [*order, "alone"]:
            await conversations.delete(gone)
            del expected[gone]
            for name, said_in_it in expected.items():
                loaded = await conversations.load(name)
                assert loaded is not None
                assert texts(loaded.messages) == said_in_it
        assert await store.daily_logs.count_by_type() == {}


async def write_records(
    store: Store, conversations: MemrepoConversationStore, instants: list[datetime]
) -> None:
    """Store a conversation without messages for each instant, named by its number."""
    record = ConversationRecord(
        conversation_id="0", head_id=None, revision="r", updated_at=instants[0]
    )
    await conversations.write_record(record, expected_revision=None)
    (event,) = await store.daily_logs.find_many()
    await store.daily_logs.append_many(
        DailyLogNew(
            event_type=RECORD,
            event_data={
                **cast("dict[str, JsonValue]", event.event_data),
                "conversation_id": str(n),
                "updated_at": instant.isoformat(),
            },
            key=f"{RECORD}:{n}",
            timestamp=instant,
        )
        for n, instant in enumerate(instants[1:], 1)
    )


async def test_latest_of_one_millisecond(
    store: Store, conversations: MemrepoConversationStore
) -> None:
    """Those saved last are listed, though the events of all of them have the same time."""
    instants = [WHEN.replace(microsecond=its) for its in (2_900, 2_300, 2_800, 2_700, 1_999)]
    await write_records(store, conversations, instants)
    for limit in range(1, 6):
        listed = await conversations.list_conversations(limit=limit)
        assert [its.conversation_id for its in listed] == ["0", "2", "3", "1", "4"][:limit]


async def test_latest_of_one_microsecond(
    store: Store, conversations: MemrepoConversationStore
) -> None:
    """Of those with one time, those saved last are listed first, however many are asked for."""
    await write_records(store, conversations, [WHEN] * 4)
    for limit in (1, 2, 3, 4, None):
        listed = await conversations.list_conversations(limit=limit)
        assert [its.conversation_id for its in listed] == ["3", "2", "1", "0"][:limit]


async def test_more_conversations_than_a_page(
    store: Store, conversations: MemrepoConversationStore
) -> None:
    """A limit above the most rows of a page is kept, too, and so is the order."""
    instants = [WHEN + timedelta(seconds=n) for n in range(MAX_LIMIT + 2)]
    await write_records(store, conversations, instants)
    expected = [str(n) for n in reversed(range(MAX_LIMIT + 2))]
    for limit in (MAX_LIMIT + 1, None):
        listed = await conversations.list_conversations(limit=limit)
        assert [its.conversation_id for its in listed] == expected[:limit]


async def test_scopes(store: Store, conversations: MemrepoConversationStore) -> None:
    """Pydantic AI's scopes keep its conversations apart, and memrepo's everything."""
    for name, scope in (("a", "ada"), ("b", "eve"), ("c", "ada")):
        await conversations.save(talk(name, name), scope=scope)
    listed = await conversations.list_conversations(scope="ada")
    assert [record.conversation_id for record in listed] == ["c", "a"]
    assert [its.conversation_id for its in await conversations.list_conversations(limit=2)] == [
        "c",
        "b",
    ]
    assert await conversations.list_conversations(limit=0) == []
    assert await conversations.load("a", scope="eve") is None
    await conversations.delete("a", scope="eve")
    elsewhere = MemrepoConversationStore(store.scoped("user:eve"))
    assert await elsewhere.list_conversations() == []
    await elsewhere.save(talk("a", "of eve"))
    await elsewhere.delete("a")
    loaded = await conversations.load("a", scope="ada")
    assert loaded is not None
    assert texts(loaded.messages) == ["a"]


async def test_a_conversation_is_a_thread(
    store: Store, conversations: MemrepoConversationStore, clock: Clock
) -> None:
    """Half an hour of silence ends a session of its thread; the conversation goes on."""
    await grown(conversations, "chat", "0")
    clock.advance(minutes=31)
    await grown(conversations, "chat", "1")
    (thread,) = await store.sessions.threads()
    assert (thread.thread, thread.n_sessions) == ("chat", 2)
    found = await store.daily_logs.search("1", where=memrepo.DailyLogFilter(thread="chat"))
    assert found[0].entry.event_type == MESSAGE


async def test_purged(store: Store, conversations: MemrepoConversationStore, clock: Clock) -> None:
    """Where old messages were purged, what is left of the conversation loads and goes on."""
    clock.now = datetime.now(UTC)
    await grown(conversations, "chat", "0", "1")
    await store.daily_logs.purge(clock.advance(minutes=1))
    assert await conversations.load("chat") is None
    await grown(conversations, "chat", "2")
    saved = await grown(conversations, "chat", "3")
    (first, _) = await store.daily_logs.find_many(memrepo.DailyLogFilter(event_type=MESSAGE))
    await store.daily_logs.delete(first.id)
    loaded = await conversations.load("chat")
    assert loaded is not None
    assert texts(loaded.messages) == ["3"]
    assert loaded.revision == saved.revision
    await grown(conversations, "chat", "4")
    assert texts((await conversations.load("chat") or saved).messages) == ["3", "4"]


@pytest.mark.parametrize("last", ["forked", "branched", "saved"])
async def test_all_was_purged(
    store: Store, conversations: MemrepoConversationStore, clock: Clock, last: str
) -> None:
    """A conversation in which nothing was said since the purge, but that was forked or saved, is empty and goes on."""
    clock.now = datetime.now(UTC) - timedelta(days=1)  # a record has the time of its save
    old = await grown(conversations, "chat", "0", "1")
    purged_before = clock.advance(minutes=1)
    if last == "forked":
        old = await conversations.fork("chat", new_conversation_id="fork")
    elif last == "branched":
        old = await conversations.branch("chat", at=1, expected_revision=str(old.revision))
    await conversations.save(old)
    await store.daily_logs.purge(purged_before)
    name = old.conversation_id
    loaded = await conversations.load(name)
    assert loaded is not None
    assert (loaded.messages, loaded.revision) == ([], old.revision)
    assert await conversations.load_entries(name) == []
    await conversations.save(loaded)
    fork = await conversations.fork(name, new_conversation_id="another")
    assert fork.messages == []
    await grown(conversations, name, "2")
    assert texts((await conversations.load(name) or old).messages) == ["2"]
    for stored in await conversations.list_conversations():
        await conversations.delete(stored.conversation_id)
    assert await store.daily_logs.count_by_type() == {}


async def test_who_has_a_conversation_that_was_purged(
    store: Store, conversations: MemrepoConversationStore, clock: Clock
) -> None:
    """A program that still has the messages can go on with them, and save what it was answered."""
    clock.now = datetime.now(UTC) - timedelta(days=1)  # a record has the time of its save
    await grown(conversations, "chat", "0")
    purged_before = clock.advance(minutes=1)
    fork = await conversations.fork("chat", new_conversation_id="fork")
    await store.daily_logs.purge(purged_before)
    await conversations.save(fork)
    fork.messages.append(said("1"))
    await conversations.save(fork)
    assert texts((await conversations.load("fork") or fork).messages) == ["1"]


async def test_a_branch_that_was_purged(
    store: Store, conversations: MemrepoConversationStore, clock: Clock
) -> None:
    """Of the branches that a conversation has left, one that was purged does not hide the others."""
    clock.now = datetime.now(UTC) - timedelta(days=1)  # a record has the time of its save
    old = await grown(conversations, "chat", "0")
    purged_before = clock.advance(minutes=1)
    clock.advance(minutes=1)
    branch = await conversations.branch("chat", at=0, expected_revision=str(old.revision))
    branch.messages.append(said("1"))
    (entry,) = await conversations.save(branch)
    await conversations.branch("chat", at=0, expected_revision=str(branch.revision))
    record = await conversations.read_record("chat")
    assert record is not None
    (gone, kept) = record.branches
    assert kept == entry.id
    # As where the branch with the older messages was left last.
    swapped = replace(record, branches=[kept, gone])
    await conversations.write_record(swapped, expected_revision=record.revision)
    await store.daily_logs.purge(purged_before)
    with pytest.raises(UserError):
        await conversations.branch("chat", from_entry=gone, expected_revision=swapped.revision)
    back = await conversations.branch("chat", from_entry=kept, expected_revision=swapped.revision)
    assert texts(back.messages) == ["1"]


async def test_deleted_while_it_is_read(
    store: Store, conversations: MemrepoConversationStore
) -> None:
    """A conversation that is deleted while it is loaded is not there, and so is not taken for one that was purged."""

    class Deleting(MemrepoConversationStore):
        async def read_history(
            self, head_id: str | None, *, limit: int | None = None
        ) -> list[ConversationEntry]:
            await conversations.delete("chat")
            return await super().read_history(head_id, limit=limit)

    await grown(conversations, "chat", "0")
    assert await Deleting(store).load("chat") is None


@pytest.mark.parametrize("text", ["{secret", '{"secret": 1}', "null", "secret"])
@pytest.mark.parametrize("kind", [MESSAGE, RECORD])
async def test_changed_by_another_program(
    store: Store, conversations: MemrepoConversationStore, kind: str, text: str
) -> None:
    """What can no longer be read is an error that does not repeat it; other conversations are as they were."""
    await grown(conversations, "chat", "0", "1")
    await grown(conversations, "other", "2")
    sql = "UPDATE daily_logs SET event_data = :text WHERE id = :id"
    where = memrepo.DailyLogFilter(event_type=kind, thread="chat")
    (event, *_) = await store.daily_logs.find_many(where)
    await store.connection.write((Statement("its", sql).bind(text=text, id=event.id),))
    with pytest.raises(DecodeError) as caught:
        await conversations.load("chat")
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    loaded = await conversations.load("other")
    assert loaded is not None
    assert texts(loaded.messages) == ["2"]


async def test_a_history_is_read_by_an_index(
    store: Store, conversations: MemrepoConversationStore
) -> None:
    """Each message is looked up by its key, and none of the other events of the scope is looked at."""
    for statement in (_READ, _DELETE):
        names = set(re.findall(r":(\w+)", statement.sql))
        explained = Statement("its", f"EXPLAIN QUERY PLAN {statement.sql}")
        bound = explained.bind(**dict.fromkeys(names, ""))
        found = "\n".join(str(row[3]) for row in await store.connection.read(bound))
        assert (
            "log USING INDEX ux_daily_logs__idempotency_key (scope=? AND idempotency_key=?)"
            in found
        )
        assert not re.search(r"SCAN (?!chain|doomed|kept|tip|CONSTANT)", found), found


async def test_a_circle_has_an_end(
    store: Store, conversations: MemrepoConversationStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A chain that another program has closed is read to a limit, and deleted."""
    monkeypatch.setattr("memrepo.contrib.pydantic_ai._MOST", 50)
    entries = [ConversationEntry(id="a", parent_id="b", message=said("0"))]
    entries.append(ConversationEntry(id="b", parent_id="a", message=said("1")))
    record = ConversationRecord(conversation_id="chat", head_id="b")
    await conversations.write_record(record, new_entries=entries, expected_revision=None)
    for limit in (None, 50, 100):
        assert len(await conversations.read_history("b", limit=limit)) == 50
    await conversations.delete("chat")
    assert await store.daily_logs.count_by_type() == {}


async def test_refused(store: Store, conversations: MemrepoConversationStore) -> None:
    """What cannot be stored is refused before anything is, and the conversation stays as it was."""
    for name in ("", " ", "x" * 237, None, 7):
        anything: Any = name
        with pytest.raises(InvalidInputError, match=r"^conversation_id: "):
            await conversations.load(anything)
    await grown(conversations, "x" * 236, "0")
    saved = await grown(conversations, "chat", "0")
    saved.messages += [said("1"), said("x" * 4_000_001)]
    with pytest.raises(InvalidInputError) as caught:
        await conversations.save(saved)
    assert "xxx" not in str(caught.value)
    loaded = await conversations.load("chat")
    assert loaded is not None
    assert texts(loaded.messages) == ["0"]
    for limit in (-1, True, "1", 1.5, 2**63):
        anything = limit
        with pytest.raises(InvalidInputError, match=r"^limit: "):
            await conversations.read_history("x", limit=anything)
    path: Any = Path("agent.db")
    with pytest.raises(InvalidInputError, match=r"^store: must be an open store, not "):
        MemrepoConversationStore(path)


async def test_many_at_once(store: Store) -> None:
    """Of twenty tasks that save one conversation at once, each that is not told of a conflict is in it."""

    async def save(n: int) -> str | None:
        try:
            await grown(MemrepoConversationStore(store), "chat", f"{n}")
        except ConversationConflict:
            return None
        return f"{n}"

    saved = await asyncio.gather(*map(save, range(20)))
    loaded = await MemrepoConversationStore(store).load("chat")
    assert loaded is not None
    assert sorted(map(str, texts(loaded.messages))) == sorted(text for text in saved if text)
    assert texts(loaded.messages)


async def test_cancelled_anywhere(store: Store, conversations: MemrepoConversationStore) -> None:
    """A save that is cancelled, at whichever pass of the event loop, happened whole or not at all."""
    n_whole = 0
    for n_passes in range(60):
        task = asyncio.create_task(conversations.save(talk("chat", "0", "1")))
        for _ in range(n_passes):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        loaded = await conversations.load("chat")
        assert loaded is None or texts(loaded.messages) == ["0", "1"]
        assert await n_messages(store) == (0 if loaded is None else 2)
        n_whole += loaded is not None
        await conversations.delete("chat")
    assert n_whole < 60
    await grown(conversations, "chat", "2")


async def test_what_json_does_not_have(conversations: MemrepoConversationStore) -> None:
    """A message with a value that JSON does not have is refused whole, and not by an error of another package."""
    odd = ModelRequest(parts=[ToolReturnPart("weather", object(), "call-1")])
    with pytest.raises(InvalidInputError, match=r"^messages: "):
        await conversations.save(Conversation(conversation_id="odd", messages=[said("hi"), odd]))
    assert await conversations.load("odd") is None


async def test_another_event_under_the_key(
    store: Store, conversations: MemrepoConversationStore
) -> None:
    """What another program has stored under the key of a conversation, without data, cannot be read."""
    await store.daily_logs.append(None, "note", key=f"{RECORD}:chat")
    with pytest.raises(DecodeError):
        await conversations.load("chat")
