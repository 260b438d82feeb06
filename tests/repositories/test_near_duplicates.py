"""Near-duplicates in a scope with many facts: all of them, by bounded work, with and without FTS5."""

from __future__ import annotations

import random
from itertools import combinations

import pytest

import memrepo
from memrepo import MemoryNew, Statement, StatementEvent
from memrepo.queries import index_tables
from memrepo.ranking import similarity
from memrepo.ranking.language import ENGLISH
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio


def made_up(n_facts: int, n_words: int, seed: int = 7) -> list[str]:
    """Return texts of random words, one in ten of them another in other words."""
    rng = random.Random(seed)
    words = [f"word{n}" for n in range(n_words)]
    texts: list[str] = []
    for _ in range(n_facts):
        if texts and rng.random() < 0.1:
            known = rng.choice(texts).split()
            rng.shuffle(known)
            texts.append(" ".join(["she", *known[: rng.randint(3, 9)], "now"]))
        else:
            texts.append(" ".join(rng.sample(words, rng.randint(3, 8))))
    return [*dict.fromkeys(texts)]


@pytest.mark.parametrize("threshold", [0.5, 0.7, 0.8, 0.95])
@pytest.mark.parametrize("has_index", [True, False])
async def test_none_is_missed(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, threshold: float, *, has_index: bool
) -> None:
    """They are those that comparing each fact with each finds, by the index and where FTS5 is missing."""
    if not has_index:
        lacking = Statement("index_tables.has_fts5", "SELECT 0")
        monkeypatch.setattr(index_tables, "HAS_FTS5", lacking)
    contents = made_up(400, 60)
    texts = [similarity.take_apart(n, its, ENGLISH) for n, its in enumerate(contents, start=1)]
    rarity = similarity.count_all(texts)
    shares = {
        (one.id, other.id): rarity.similarity(one, other) for one, other in combinations(texts, 2)
    }
    expected = {pair: share for pair, share in shares.items() if share >= threshold}
    assert len(expected) > 20
    async with memrepo.connect(":memory:", clock=clock) as store:
        await store.memories.remember_many(MemoryNew(content=text) for text in contents)
        found = {
            (pair.first.id, pair.second.id): pair.similarity
            async for pair in store.memories.iterate_near_duplicates(threshold)
        }
    assert found == expected


async def test_a_page_costs_the_same_in_a_large_scope(clock: Clock) -> None:
    """Ten times the facts make no page ask more, or read more facts: only the postings of common words end later."""
    n_rows: dict[int, list[dict[str, int]]] = {}
    for n_facts in (1_000, 10_000):
        events: list[StatementEvent] = []
        contents = made_up(n_facts, n_facts // 10)
        async with memrepo.connect(":memory:", clock=clock, on_statement=events.append) as store:
            await store.memories.remember_many(MemoryNew(content=text) for text in contents)
            await store.catch_up()
            after, n_rows[n_facts] = None, []
            for _ in range(8):
                events.clear()
                page = await store.memories.near_duplicates(limit=1_000, after=after)
                after = page.next_cursor
                asked = [event for event in events if event.name.startswith(("near", "search"))]
                assert len(asked) <= 5
                read: dict[str, int] = {}
                for event in asked:
                    read[event.name] = read.get(event.name, 0) + event.n_rows
                n_rows[n_facts].append(read)
    for pages in n_rows.values():
        assert all(read["near_duplicates.page"] <= 102 for read in pages)
        assert all(read.get("near_duplicates.current", 0) <= 100 * 20 for read in pages)
        assert all(read["search.memory_entries.postings"] < 1_500 for read in pages)


async def test_facts_of_other_scopes(clock: Clock) -> None:
    """Thousands of the same facts in other scopes neither show nor weigh."""
    texts = ("Lives in Lisbon", "She lives in Lisbon now", "Likes tea")
    async with memrepo.connect(":memory:", clock=clock) as store:
        for n in range(300):
            await store.scoped(f"user:{n}").memories.remember_many(
                MemoryNew(content=text) for text in texts
            )
        alone = store.scoped("user:150").memories
        (pair,) = await alone.near_duplicates()
        assert (pair.first.content, pair.second.content) == texts[:2]
        assert {pair.first.scope, pair.second.scope} == {"user:150"}
