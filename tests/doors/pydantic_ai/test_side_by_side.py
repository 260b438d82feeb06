"""The same calls to Pydantic AI's own store and to ours give the same answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import attrs
from hypothesis import given, settings, strategies as st
from pydantic_ai import ModelMessage, ModelRequest, UserError
from pydantic_ai.conversation import Conversation
from pydantic_ai.conversation_store import (
    ConversationEntry,
    ConversationRecord,
    ConversationStore,
    InMemoryConversationStore,
)
from pydantic_ai.messages import UserPromptPart

import memrepo
from memrepo.contrib.pydantic_ai import MESSAGE, RECORD, MemrepoConversationStore
from tests.doors.pydantic_ai.test_store import WHEN

NAMES = ("a", "b", "c")
names = st.sampled_from(NAMES)
scopes = st.sampled_from([None, "ada", "eve"])
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=4)
small = st.integers(0, 4)

calls = st.one_of(
    st.tuples(st.just("grow"), names, st.lists(texts, max_size=3), st.none() | small, scopes),
    st.tuples(st.just("save_stale"), names, texts),
    st.tuples(st.just("rewrite"), names, st.lists(texts, max_size=3)),
    st.tuples(st.just("branch"), names, small),
    st.tuples(st.just("branch_back"), names),
    st.tuples(st.just("fork"), names, names, small),
    st.tuples(st.just("fork"), names, names, small),
    st.tuples(st.just("delete"), names, scopes),
    st.tuples(st.just("listed"), scopes, st.none() | small),
)

Answer: TypeAlias = object


@attrs.define
class Program:
    """A program that keeps conversations in a store, and remembers how it has loaded each."""

    store: ConversationStore
    loaded: dict[str, Conversation] = attrs.field(factory=dict)

    async def run(self, call: str, *given: Any) -> Answer:
        method: Callable[..., Awaitable[Answer]] = getattr(self, call)
        try:
            return await method(*given)
        except UserError as error:
            return type(error).__name__

    async def grow(
        self, name: str, more: list[str], limit: int | None, scope: str | None
    ) -> Answer:
        conversation = await self.store.load(name, limit=limit, scope=scope)
        conversation = conversation or Conversation(conversation_id=name)
        conversation.messages += messages(more)
        self.loaded[name] = conversation
        return [said(its) for its in await self.store.save(conversation, scope=scope)]

    async def save_stale(self, name: str, text: str) -> Answer:
        conversation = self.loaded.get(name) or Conversation(conversation_id=name)
        conversation.messages += messages([text])
        return [said(its) for its in await self.store.save(conversation)]

    async def rewrite(self, name: str, anew: list[str]) -> Answer:
        record = await self.store.read_record(name)
        conversation = Conversation(conversation_id=name, messages=messages(anew))
        conversation.revision = record.revision if record else None
        return [said(its) for its in await self.store.save(conversation)]

    async def branch(self, name: str, at: int) -> Answer:
        record = await self.store.read_record(name)
        revision = record.revision if record else None
        branched = await self.store.branch(name, at=at, expected_revision=revision)
        self.loaded[name] = branched
        return branched.messages

    async def branch_back(self, name: str) -> Answer:
        record = await self.store.read_record(name)
        if record is None or not record.branches:
            return None
        tip, revision = record.branches[0], record.revision
        branched = await self.store.branch(name, from_entry=tip, expected_revision=revision)
        return branched.messages

    async def fork(self, name: str, new: str, at: int) -> Answer:
        forked = await self.store.fork(name, at=at, new_conversation_id=new)
        return forked.messages

    async def delete(self, name: str, scope: str | None) -> Answer:
        await self.store.delete(name, scope=scope)
        return None

    async def listed(self, scope: str | None, limit: int | None) -> Answer:
        return [told(its) for its in await self.store.list_conversations(scope=scope, limit=limit)]

    async def everything(self) -> Answer:
        loaded = [await self.store.load_entries(name) for name in NAMES]
        return [None if its is None else [*map(said, its)] for its in loaded]


def messages(given: list[str]) -> list[ModelMessage]:
    return [ModelRequest(parts=[UserPromptPart(text, timestamp=WHEN)]) for text in given]


def said(entry: ConversationEntry) -> tuple[ModelMessage, bool]:
    """Return an entry without its ids, which are other ones in each store."""
    return entry.message, entry.parent_id is None


def told(record: ConversationRecord) -> tuple[object, ...]:
    """Return a record likewise."""
    its = record
    return its.conversation_id, its.scope, its.forked_from, len(its.branches), its.head_id is None


async def compare(history: list[tuple[Any, ...]]) -> None:
    async with memrepo.connect(":memory:") as store:
        ours = Program(MemrepoConversationStore(store))
        in_memory = InMemoryConversationStore()
        theirs = Program(in_memory)
        for call in history:
            assert await ours.run(*call) == await theirs.run(*call), call
            assert await ours.everything() == await theirs.everything(), call
        stored = await store.daily_logs.count_by_type()
        assert stored.get(RECORD, 0) == len(in_memory._records)
        assert stored.get(MESSAGE, 0) == len(in_memory._entries)


@settings(max_examples=120, deadline=None)
@given(st.lists(calls, max_size=20))
def test_any_history(history: list[tuple[Any, ...]]) -> None:
    """Whatever is saved, rewritten, branched, forked, listed and deleted, stale or not; and as much is left stored."""
    asyncio.run(compare(history))
