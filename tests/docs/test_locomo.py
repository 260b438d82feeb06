"""Whole conversations, replayed by docs/examples/locomo.py, come back as they were."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

import pytest

import memrepo

PROJECT = Path(__file__).parents[2]
sys.path.insert(0, str(PROJECT / "docs" / "examples"))

import locomo  # noqa: E402 - an example, and not a package

pytestmark = pytest.mark.asyncio

#: Five real conversations, which are no part of the project, where they lie beside it; and one of ours.
DATA = PROJECT.parent / "shared" / "data" / "locomo"
FILES = [
    PROJECT / "tests" / "fixtures" / "locomo-tiny.json",
    *sorted(DATA.glob("conversation-*.json")),
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
async def test_replay_twice(path: Path, tmp_path: Path) -> None:
    """A conversation is read back as it is in the file, and a second replay changes nothing."""
    conversation = locomo.load(path)
    url = str(tmp_path / "agent.db")
    clock = locomo.ReplayClock()
    async with memrepo.connect(url, clock=clock) as store:
        await locomo.replay(store, clock, conversation)
        memory = store.scoped(locomo.scope_of(conversation))
        await _compare(memory, conversation)
        before = await _everything(memory)
    async with memrepo.connect(url, clock=clock) as store:
        await locomo.replay(store, clock, conversation)
        memory = store.scoped(locomo.scope_of(conversation))
        await _compare(memory, conversation)
        assert await _everything(memory) == before


async def test_replay_all_into_one_store() -> None:
    """Conversations in one database keep apart by their scopes."""
    conversations = [locomo.load(path) for path in FILES]
    clock = locomo.ReplayClock()
    async with memrepo.connect(":memory:", clock=clock) as store:
        for conversation in conversations:
            await locomo.replay(store, clock, conversation)
        for conversation in conversations:
            await _compare(store.scoped(locomo.scope_of(conversation)), conversation)
        assert await store.memories.count() == 0


async def test_replay_interrupted() -> None:
    """A replay that fails in a session leaves those before it, and can be repeated."""
    conversation = locomo.load(FILES[0])
    broken: locomo.Conversation = {
        "conversation": conversation["conversation"],
        "sessions": [
            conversation["sessions"][0],
            {**conversation["sessions"][1], "summary": "not\0a summary"},
        ],
    }
    clock = locomo.ReplayClock()
    async with memrepo.connect(":memory:", clock=clock) as store:
        memory = store.scoped(locomo.scope_of(conversation))
        with pytest.raises(memrepo.InvalidInputError):
            await locomo.replay(store, clock, broken)
        assert await locomo.count(memory) == "1 sessions, 3 events, 2 facts"
        await locomo.replay(store, clock, conversation)
        await _compare(memory, conversation)


async def _compare(memory: memrepo.Repositories, conversation: locomo.Conversation) -> None:
    source = conversation["sessions"]
    sessions = [session async for session in memory.sessions.iterate()][::-1]
    assert [(session.started_at, session.summary, session.status) for session in sessions] == [
        (datetime.fromisoformat(session["started_at"]), session["summary"], "ended")
        for session in source
    ]
    for session, original in zip(sessions, source, strict=True):
        of_session = memrepo.DailyLogFilter(session_id=session.id)
        events = [event async for event in memory.daily_logs.iterate(of_session)]
        assert [(event.event_data, event.key, event.timestamp) for event in events] == [
            (turn, f"{conversation['conversation']}:{turn['id']}", session.started_at)
            for turn in original["turns"]
        ]
    await _compare_facts(memory, conversation)


async def _compare_facts(memory: memrepo.Repositories, conversation: locomo.Conversation) -> None:
    expected: dict[str, tuple[object, ...]] = {}
    for session in conversation["sessions"]:
        for seen in session["observations"]:
            about = {"speaker": seen["speaker"], "evidence": seen["evidence"]}
            started_at = datetime.fromisoformat(session["started_at"])
            # The first mention counts.
            fact = (seen["text"], about, started_at)
            expected.setdefault(memrepo.normalize_content(seen["text"]), fact)
    found = {
        memrepo.normalize_content(fact.content): (fact.content, fact.metadata, fact.created_at)
        async for fact in memory.memories.iterate()
    }
    assert found == expected
    assert await memory.memories.count() == len(expected)


async def _everything(memory: memrepo.Repositories) -> tuple[object, ...]:
    """Return all rows; of facts, all but when they were last mentioned."""
    return (
        [session async for session in memory.sessions.iterate()],
        [event async for event in memory.daily_logs.iterate()],
        {
            (fact.id, fact.content, fact.created_at, fact.source, fact.raw_metadata)
            async for fact in memory.memories.iterate()
        },
    )
