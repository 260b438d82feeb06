"""Pinned facts, which come first in every recall: on every driver."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from memrepo import (
    InvalidInputError,
    MemoryContext,
    MemoryEntry,
    MemoryNew,
    NotFoundError,
    Ranking,
    Store,
)
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio


def contents(context: MemoryContext) -> list[str]:
    return [shown.entry.content for shown in context.entries]


async def test_pin_and_unpin(store: Store, clock: Clock) -> None:
    """A fact is pinned once, keeps its place when it is pinned again, and has none when it is unpinned."""
    tea = await store.memories.remember("Likes tea")
    assert tea.entry.pinned_at is None
    since = clock.now
    assert (await store.memories.pin(tea.id)).pinned_at == since
    clock.advance(hours=1)
    assert (await store.memories.pin(tea.id)).pinned_at == since
    assert (await store.memories.get(tea.id)).pinned_at == since
    assert (await store.memories.unpin(tea.id)).pinned_at is None
    assert await store.memories.unpin(tea.id) == await store.memories.get(tea.id)


async def test_what_cannot_be_pinned(store: Store, clock: Clock) -> None:
    """There is no fact to pin or unpin where there is none, in another scope, forgotten or expired."""
    other = await store.scoped("ada").memories.remember("Likes tea")
    gone = await store.memories.remember("Likes coffee")
    await store.memories.forget(gone.id)
    expired = await store.memories.remember("Is away", expires_at=clock.now + timedelta(hours=1))
    clock.advance(hours=1)
    for number in (other.id, gone.id, expired.id, 1_000):
        for change in (store.memories.pin, store.memories.unpin):
            with pytest.raises(NotFoundError, match=r"^no fact with id"):
                await change(number)
    with pytest.raises(InvalidInputError, match=r"^id: "):
        await store.memories.pin(0)


async def test_pinned_facts_come_first(store: Store, clock: Clock) -> None:
    """Before all others, the oldest pin first, however low their scores are; line and score say so."""
    memories = store.memories
    nuts = await memories.remember("Allergic to nuts", source="inferred")
    rule = await memories.remember("Never call before noon", category="rule")
    clock.advance(days=200)
    await memories.remember_many(MemoryNew(content=f"fact {n}") for n in range(120))
    await memories.pin(rule.id)
    clock.advance(seconds=1)
    await memories.pin(nuts.id)
    context = await memories.recall(max_entries=4)
    assert contents(context) == [
        "Never call before noon",
        "Allergic to nuts",
        "fact 119",
        "fact 118",
    ]
    assert context.to_prompt().splitlines()[:3] == [
        "User context:",
        "- Rule: Never call before noon (6 months ago, you told me, pinned)",
        "- Fact: Allergic to nuts (6 months ago, inferred, pinned)",
    ]
    assert str(context.entries[0].score).startswith("pinned, recency 5 + ")
    assert [shown.score.is_pinned for shown in context.entries] == [True, True, False, False]
    assert context.has_more
    assert contents(await store.scoped("ada").memories.recall()) == []


async def test_pinned_facts_answer_every_question(store: Store) -> None:
    """Whatever is asked, and however relevant a fact has to be."""
    nuts = await store.memories.remember("Allergic to nuts")
    await store.memories.pin(nuts.id)
    assert contents(await store.memories.recall("wifi password")) == ["Allergic to nuts"]
    await store.memories.remember("Plays the cello")
    await store.memories.remember("The wifi password is hunter2")
    strict = Ranking(min_relevance=1)
    context = await store.memories.recall("wifi password", ranking=strict)
    assert contents(context) == ["Allergic to nuts", "The wifi password is hunter2"]
    context = await store.memories.recall("nuts")
    assert contents(context)[0] == "Allergic to nuts"
    assert str(context.entries[0].score).startswith("pinned, has 'nuts'")


async def test_share_of_the_budget(store: Store, clock: Clock) -> None:
    """They take at most their share in advance; then a pinned fact has the place of its score, or says why not."""
    memories = store.memories
    for n in range(4):
        pinned = await memories.remember(f"pinned {n}", category="pattern")
        await memories.pin(pinned.id)
        clock.advance(seconds=1)
    for n in range(4):
        await memories.remember(f"other {n}", category="preference")
    context = await memories.recall(max_entries=5)
    assert contents(context) == ["pinned 0", "pinned 1", "pinned 2", "other 3", "other 2"]
    assert [(its.entry.content, its.reason) for its in context.left_out] == [
        ("other 1", "max_entries"),
        ("other 0", "max_entries"),
        ("pinned 3", "max_entries"),
    ]
    context = await memories.recall(max_tokens=9, count_tokens=len, max_entries=100)
    assert (contents(context), context.n_tokens) == (["other 3"], 7)
    context = await memories.recall(max_tokens=30, count_tokens=len)
    assert contents(context) == ["pinned 0", "other 3", "other 2", "other 1"]
    assert context.n_tokens == 8 + 3 * 7
    whole = Ranking(pinned_share=1)
    context = await memories.recall(max_entries=5, ranking=whole)
    assert contents(context)[:4] == [f"pinned {n}" for n in range(4)]
    none = Ranking(pinned_share=0)
    assert contents(await memories.recall(max_entries=4, ranking=none)) == [
        f"other {n}" for n in (3, 2, 1, 0)
    ]
    context = await memories.recall(max_entries=1)
    assert contents(context) == ["pinned 0"]


async def test_one_that_says_the_same(store: Store) -> None:
    """A fact that says the same as a pinned one is joined with it, whatever its score."""
    pinned = await store.memories.remember("Ada swims on Mondays", source="inferred")
    same = await store.memories.remember("On Mondays, Ada swims")
    await store.memories.pin(pinned.id)
    (shown,) = (await store.memories.recall()).entries
    assert (shown.entry.id, shown.joined) == (pinned.id, (same.id,))


async def test_what_is_pinned_is_current(store: Store) -> None:
    """A pinned fact that is forgotten is not recalled; restored, it is pinned again; what supersedes it is pinned, too."""
    memories = store.memories
    tea = await memories.remember("Likes tea")
    await memories.pin(tea.id)
    await memories.forget(tea.id)
    assert contents(await memories.recall()) == []
    await memories.restore(tea.id)
    assert (await memories.recall()).entries[0].score.is_pinned
    await memories.supersede(tea.id, "Likes coffee")
    (shown,) = (await memories.recall()).entries
    assert (shown.entry.content, shown.score.is_pinned) == ("Likes coffee", True)


async def test_what_is_pinned_does_not_fade(store: Store, clock: Clock) -> None:
    """Neither `fading` nor `forget_faded` has a pinned fact, or one that is still to be brought up."""
    memories = store.memories
    pinned = await memories.remember("Allergic to nuts", source="inferred")
    await memories.pin(pinned.id)
    later = clock.now + timedelta(days=365)
    dated = await memories.remember("The passport expires", source="inferred", due_at=later)
    await memories.remember("Likes tea", source="inferred")
    clock.advance(days=300)
    assert [fact.content for fact in await memories.fading()] == ["Likes tea"]
    assert await memories.forget_faded(dry_run=True) == await memories.forget_faded() == 1
    clock.advance(days=65)
    assert [fact.entry.id for fact in (await memories.surface()).due] == [dated.id]
    await memories.surfaced(dated.id)
    assert [fact.id for fact in await memories.fading()] == [dated.id]


async def test_what_takes_a_slot_takes_the_pin_and_the_date(store: Store, clock: Clock) -> None:
    """Whichever call has a fact take a slot, it takes over what the fact there had; its own it keeps."""
    memories = store.memories
    due_at = clock() + timedelta(days=1)

    async def hold(slot: str) -> None:
        held = await memories.remember(f"what fills {slot}", slot=slot, due_at=due_at)
        await memories.pin(held.id)

    def takes(entry: MemoryEntry) -> bool:
        return entry.pinned_at == clock() and entry.due_at == due_at

    pinned_before = clock()
    gone = [await memories.remember(f"came back to {slot}", slot=slot) for slot in ("a", "b", "c")]
    own = await memories.remember("has its own", slot="d")
    await memories.pin(own.id)
    for its in (*gone, own):
        await memories.forget(its.id)
    clock.advance(hours=1)
    for slot in ("a", "b", "c", "d", "e", "f"):
        await hold(slot)
    restored = await memories.restore(gone[0].id)
    stated = await memories.remember("came back to b")
    (listed,) = await memories.remember_many([MemoryNew(content="came back to c")])
    kept = await memories.restore(own.id)
    offered = await memories.remember("is approved", slot="e", proposed=True)
    approved = await memories.approve(offered.id)
    plain = await memories.remember("is moved")
    moved = await memories.update(plain.id, slot="f")
    took = (restored, stated.entry, listed.entry, approved.entry, moved)
    assert [*map(takes, took)] == [True] * 5
    assert (kept.pinned_at, kept.due_at) == (pinned_before, due_at)
    assert await memories.get_many(entry.id for entry in (*took, kept)) == [*took, kept]


async def test_many_tasks_pin(store: Store, clock: Clock) -> None:
    """Tasks that pin the same fact at once leave one pin; in a transaction it is recalled as pinned."""
    tea = await store.memories.remember("Likes tea")
    pinned = await asyncio.gather(*(store.memories.pin(tea.id) for _ in range(20)))
    assert {fact.pinned_at for fact in pinned} == {clock.now}
    async with store.transaction() as tx:
        await tx.memories.unpin(tea.id)
        assert not (await tx.memories.recall()).entries[0].score.is_pinned
        await tx.memories.pin(tea.id)
        assert (await tx.memories.recall()).entries[0].score.is_pinned
