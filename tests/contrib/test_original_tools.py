"""The nine tools of the original: their answers, in the original's form."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio

import memrepo
from memrepo import MemoryFilter, MemoryNew, Store
from memrepo.contrib.tools import ORIGINAL_TOOLS, MemoryTools
from tests.conftest import Clock
from tests.contrib.test_tools import answer, dump

pytestmark = pytest.mark.asyncio

NOW = "2026-02-02T14:16:24.123Z"


@pytest_asyncio.fixture
async def tools(store: Store) -> MemoryTools:
    return MemoryTools(store, ORIGINAL_TOOLS)


async def remember(tools: MemoryTools, *texts: str, category: str = "work") -> list[int]:
    told = [await answer(tools, "remember_fact", content=text, category=category) for text in texts]
    return [its["entry"]["id"] for its in told]


async def test_remember_fact(tools: MemoryTools, store: Store) -> None:
    """Preferences are stored as such, all else as facts, by who says so; the answer has the entry."""
    told = await answer(tools, "remember_fact", content="Likes tea", category="preference")
    assert told == {
        "success": True,
        "message": "Remembered.",
        "entry": {"id": 1, "content": "Likes tea", "category": "preference", "createdAt": NOW},
    }
    await answer(
        tools,
        "remember_fact",
        content="Works late",
        category="work",
        source="jarvis_inferred",
    )
    inferred = await store.memories.get(2)
    assert (inferred.category, inferred.source) == ("fact", "jarvis_inferred")


async def test_what_stays_forgotten_is_said(tools: MemoryTools, store: Store) -> None:
    """What was forgotten and is only inferred again is not remembered, and the model is told so."""
    await remember(tools, "Likes tea")
    await store.memories.forget(1)
    told = await answer(
        tools, "remember_fact", content="Likes tea", category="other", source="jarvis_inferred"
    )
    assert (told["success"], told["message"]) == (False, "Not remembered: it is forgotten.")


async def test_forget_fact_in_two_phases(tools: MemoryTools, store: Store) -> None:
    """The first call shows what may be meant, by category; only the second one, with ids in any form, forgets."""
    ids = await remember(tools, "Has a cat called Tom", "Feeds the cat at six", "Drinks tea")
    await remember(tools, "Prefers the cat to the dog", category="preference")
    shown = await answer(tools, "forget_fact", query="the cat", category="work")
    assert {its["id"] for its in shown["candidates"]} == {*ids[:2]}
    assert "confirm_ids" in shown["instruction"]
    await remember(tools, *(f"Rule {n} of the guests" for n in range(6)))
    assert len((await answer(tools, "forget_fact", query="guests"))["candidates"]) == 5
    assert await store.memories.count() == 10
    for given, forgotten in (("1, 77", [1]), (2, [2]), ([3, "3"], [3]), ("[4, 77]", [4])):
        done = await answer(tools, "forget_fact", query="the cat", confirm_ids=given)  # type: ignore[arg-type]
        assert done["deletedIds"] == forgotten
    assert "error" in await answer(tools, "forget_fact", query="cat", confirm_ids="all")
    none = await answer(tools, "forget_fact", query="zebra")
    assert (none["candidates"], "instruction" in none) == ([], False)


async def test_list_memories(tools: MemoryTools, store: Store, clock: Clock) -> None:
    """Facts come by category; what was forgotten within thirty days is there if it is asked for."""
    await remember(tools, "Old news", "Drinks tea", "Works late")
    await store.memories.forget(1)
    clock.advance(days=31)
    await store.memories.forget(2)
    await remember(tools, "Likes cake", category="preference")
    listed = await answer(tools, "list_memories")
    assert listed["categories"].keys() == {"preference", "fact"}
    assert listed["categories"]["fact"] == [{"id": 3, "content": "Works late", "createdAt": NOW}]
    assert (listed["totalCount"], listed["deletedCount"]) == (2, 0)
    assert "recentlyDeleted" not in listed
    with_deleted = await answer(tools, "list_memories", category="health", include_deleted="true")
    assert [its["id"] for its in with_deleted["recentlyDeleted"]] == [2]
    assert with_deleted["categories"].keys() == {"fact"}


async def test_list_memories_tells_how_many_there_are(tools: MemoryTools, store: Store) -> None:
    """The total counts what is beyond the hundred facts that are listed, too, so that a model knows there is more."""
    await store.memories.remember_many(
        MemoryNew(content=f"Rule {n}", category="preference") for n in range(101)
    )
    await remember(tools, "Works late")
    listed = await answer(tools, "list_memories", category="preference")
    assert (len(listed["categories"]["preference"]), listed["totalCount"]) == (100, 101)


async def test_delete_all_and_restore(tools: MemoryTools, store: Store) -> None:
    """Everything is forgotten only with the confirmation, and comes back by its id."""
    await remember(tools, "One", "Two")
    before = await dump(store)
    refused = await answer(tools, "delete_all_memories", confirm="false")
    assert refused["requiresConfirmation"]
    assert await dump(store) == before
    done = await answer(tools, "delete_all_memories", confirm="true")
    assert (done["deletedCount"], await store.memories.count()) == (2, 0)
    back = await answer(tools, "restore_memory", id="2")
    assert back["entry"] == {"id": 2, "content": "Two", "category": "fact", "createdAt": NOW}
    assert "error" in await answer(tools, "restore_memory", id="9")


async def test_third_observation_infers(tools: MemoryTools, store: Store) -> None:
    """The third observation within a week stores a preference that is inferred, with its evidence."""
    seen: list[dict[str, Any]] = [
        await answer(
            tools,
            "observe_pattern",
            pattern="prefers_short_answers",
            pattern_type="communication",
            evidence=f"time {n}",
        )
        for n in range(3)
    ]
    assert [its["inferred"] for its in seen] == [False, False, True]
    assert seen[2]["preference"] == "prefers short answers"
    (fact,) = await store.memories.find_many(MemoryFilter(category="preference"))
    assert fact.source == "inferred"
    assert fact.metadata is not None
    assert fact.metadata["pattern_type"] == "communication"
    assert fact.metadata["evidence"] == ["time 0", "time 1", "time 2"]


async def test_audit_log_tells_what_was_done(tools: MemoryTools, store: Store) -> None:
    """The latest call comes first, in a line; an event of another program that has no object is no hindrance."""
    await store.daily_logs.append(None, "tool_invocation", "odd")
    await remember(tools, "Drinks tea")
    await store.daily_logs.append(
        None, "tool_invocation", {"toolName": "mail", "success": False, "error": "offline"}
    )
    log = await answer(tools, "query_audit_log", limit=3)
    assert log["actions"] == [
        "14:16: mail: offline (failed)",
        "14:16: remember_fact: fact 1: created (succeeded)",
        "14:16: unknown tool (succeeded)",
    ]
    assert log["raw"][1] == {
        "toolName": "remember_fact",
        "success": True,
        "context": "fact 1: created",
        "timestamp": NOW,
    }


async def test_search_memories(tools: MemoryTools) -> None:
    """Results come best first, with their scores."""
    await remember(tools, "Works in Leeds", "Has a cat called Tom", "Tom the cat is old")
    found = await answer(tools, "search_memories", query="cat Tom", limit=2)
    assert [its["id"] for its in found["results"]] == [2, 3]
    assert found["results"][0]["score"] >= found["results"][1]["score"]


async def test_consolidate_memories(tools: MemoryTools, store: Store) -> None:
    """Pairs are shown first; what is confirmed is merged into the longer text, and the rest is left alone."""
    await remember(
        tools,
        "Has a dog called Rex",
        "Has a dog that is called Rex",
        "Plays chess on Fridays",
        "Plays chess on Fridays at the club",
    )
    shown = await answer(tools, "consolidate_memories", threshold=0.6)
    assert [(its["keep"]["id"], its["merge"]["id"]) for its in shown["pairs"]] == [(2, 1), (4, 3)]
    assert await store.memories.count() == 4
    none = await answer(tools, "consolidate_memories", confirm_ids="99", threshold=0.6)
    assert (none["success"], none["mergedIds"]) == (False, [])
    done = await answer(tools, "consolidate_memories", confirm_ids="1,99", threshold=0.6)
    assert done["mergedIds"] == [1]
    assert (await store.memories.get(1)).superseded_by == 2
    assert await store.memories.count() == 3


async def test_consolidate_keeps_the_one_accessed_later(
    tools: MemoryTools, store: Store, clock: Clock
) -> None:
    """Of two texts that are as long, the one that was accessed later stays."""
    await remember(tools, "Plays chess on Fridays", "On Fridays plays chess")
    for late, early in ((1, 2), (2, 1)):
        clock.advance(hours=1)
        await store.memories.touch(late)
        (pair,) = (await answer(tools, "consolidate_memories", threshold=0.6))["pairs"]
        assert (pair["keep"]["id"], pair["merge"]["id"]) == (late, early)


async def test_consolidate_three_that_say_the_same(tools: MemoryTools, store: Store) -> None:
    """What was merged away is not merged again, and takes in nothing itself: the longest text is left."""
    long = "Has a dog called Rex, Rex the dog that barks"
    await remember(tools, "Has a dog called Rex", "Has a dog that is called Rex", long)
    shown = await answer(tools, "consolidate_memories", threshold=0.5)
    assert len(shown["pairs"]) == 3
    done = await answer(tools, "consolidate_memories", confirm_ids="1,2", threshold=0.5)
    assert sorted(done["mergedIds"]) == [1, 2]
    (left,) = await store.memories.find_many()
    assert left.content == long


async def test_observed_and_only_proposed(clock: Clock) -> None:
    """Where what is inferred is only proposed, nothing was inferred yet."""
    async with memrepo.connect(":memory:", clock=clock, propose=["inferred"]) as store:
        tools = MemoryTools(store, ORIGINAL_TOOLS)
        for _ in range(3):
            given = {"pattern": "short_answers", "pattern_type": "style", "evidence": "said so"}
            told = await answer(tools, "observe_pattern", **given)
        assert (told["inferred"], told["message"]) == (False, "Observed often enough: proposed.")
