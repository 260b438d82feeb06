"""The same calls to the SDK's own session and to ours give the same answers."""

from __future__ import annotations

import asyncio
from typing import Any

from agents.extensions.memory import AsyncSQLiteSession
from agents.memory import Session
from hypothesis import given, settings, strategies as st

import memrepo
from memrepo.contrib.openai import MemrepoSession

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
items = st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": values})
calls = st.one_of(
    st.tuples(st.just("add_items"), st.lists(items, max_size=4)),
    st.tuples(st.just("get_items"), st.none() | st.integers(0, 6)),
    st.tuples(st.just("pop_item")),
    st.tuples(st.just("clear_session")),
)
#: Calls to several conversations in turn.
histories = st.lists(st.tuples(st.sampled_from(["a", "b"]), calls), max_size=25)


async def answers(sessions: dict[str, Session], history: list[Any]) -> list[object]:
    said = [await getattr(sessions[name], call)(*given) for name, (call, *given) in history]
    return [*said, *[await its.get_items() for its in sessions.values()]]


async def compare(history: list[Any], limit: int | None) -> None:
    async with memrepo.connect(":memory:") as store:
        setting = {"limit": limit}
        ours: dict[str, Session] = {
            name: MemrepoSession(name, store, session_settings=setting) for name in "ab"
        }
        opened = {name: AsyncSQLiteSession(name, session_settings=setting) for name in "ab"}
        try:
            theirs: dict[str, Session] = {**opened}
            assert await answers(ours, history) == await answers(theirs, history)
        finally:
            for session in opened.values():
                await session.close()


@settings(max_examples=100, deadline=None)
@given(histories, st.none() | st.integers(0, 4))
def test_any_history(history: list[Any], limit: int | None) -> None:
    """Whatever is added, read, popped and cleared, in whichever order, with a limit or without."""
    asyncio.run(compare(history, limit))
