"""What to have in mind when something is asked: on every driver."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from memrepo import InvalidInputError, MemoryContext, Ranking, Store
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio


def contents(context: MemoryContext) -> list[str]:
    return [shown.entry.content for shown in context.entries]


async def test_answers(store: Store, clock: Clock) -> None:
    """What answers a question is shown, with its relevance and why; the rest is left out, and says so."""
    await store.memories.remember("Therapy is on Thursdays at 3pm with Dr. Chen")
    clock.advance(days=1)
    await store.memories.remember("Likes green tea", category="preference")
    clock.advance(days=13)
    context = await store.memories.recall("when is therapy?")
    assert contents(context) == ["Therapy is on Thursdays at 3pm with Dr. Chen"]
    (shown,) = context.entries
    assert shown.score.relevance == 1.0
    assert shown.score.why.startswith("has 'therapy'")
    assert str(shown.score).startswith("has 'therapy'")
    assert context.to_prompt() == (
        "User context:\n"
        "- Fact: Therapy is on Thursdays at 3pm with Dr. Chen (2 weeks ago, you told me)"
    )


@pytest.mark.parametrize("query", ["", "?!", "unheard of things", "\ud800", '"OR" NEAR(*'])
async def test_nothing_to_say(store: Store, query: str) -> None:
    """A question that nothing answers has an empty context."""
    await store.memories.remember("Likes green tea")
    context = await store.memories.recall(query)
    assert (context.entries, context.n_tokens, context.to_prompt()) == ((), 0, "")


async def test_not_relevant_enough(store: Store, clock: Clock) -> None:
    """What has little of the question is left out for that reason, unless less is asked for."""
    await store.memories.remember("Paints horses in the garden with Anna on Sundays")
    question = "horses zebras giraffes elephants lions tigers"
    context = await store.memories.recall(question)
    assert context.entries == ()
    assert [its.reason for its in context.left_out] == ["min_relevance"]
    context = await store.memories.recall(question, ranking=Ranking(min_relevance=0.0))
    assert len(context.entries) == 1


async def test_weak_factors(store: Store, clock: Clock) -> None:
    """Of what answers alike, the preference comes before the pattern, the said before the inferred."""
    await store.memories.remember("Brews tea in the morning", category="pattern", source="inferred")
    clock.advance(days=1)
    await store.memories.remember("Drinks tea at noon", category="preference")
    ranking = Ranking(min_relevance=0.0)
    first, second = (await store.memories.recall("tea", ranking=ranking)).entries
    assert first.entry.content == "Drinks tea at noon"
    assert (first.score.category, first.score.source) == (1.0, 1.0)
    assert first.score.total == pytest.approx(1.0 * (1 + 0.1 * first.score.recency) * 1.1 * 1.1)
    assert second.score.source == 0.5
    off = Ranking(recency_weight=0, category_weight=0, source_weight=0)
    first, _ = (await store.memories.recall("tea", ranking=off)).entries
    assert first.score.total == first.score.relevance == 1.0


@settings(max_examples=20)
@given(
    facts=st.lists(st.sampled_from(["tea", "tea!", "the tea", "green tea", "bees"]), max_size=8),
    max_tokens=st.integers(1, 12),
    max_entries=st.integers(1, 4),
)
async def test_budget(
    store: Store, clock: Clock, facts: list[str], max_tokens: int, max_entries: int
) -> None:
    """The budget is never exceeded, and facts that say the same are shown once."""
    scoped = store.scoped(f"{clock.now} {facts}"[:255]).memories
    for number, text in enumerate(facts):
        await scoped.remember(f"{text} {number % 3}")
        clock.advance(seconds=1)
    context = await scoped.recall("tea", max_tokens=max_tokens, max_entries=max_entries)
    assert context.n_tokens <= max_tokens
    assert len(context.entries) <= max_entries
    totals = [shown.score.total for shown in context.entries]
    assert totals == sorted(totals, reverse=True)


async def test_touch(store: Store, clock: Clock) -> None:
    """With touch, what is shown counts as accessed."""
    fact = await store.memories.remember("Likes green tea")
    clock.advance(days=1)
    await store.memories.recall("tea", touch=True)
    assert (await store.memories.get(fact.id)).last_accessed == clock.now
    later = clock.now + timedelta(days=1)
    await store.memories.recall("tea", now=later, touch=True)
    assert (await store.memories.get(fact.id)).last_accessed == later


@pytest.mark.parametrize("query", [7, b"tea", ["tea"]])
async def test_refused_queries(store: Store, query: Any) -> None:
    """A query is a str."""
    with pytest.raises(InvalidInputError, match="query"):
        await store.memories.recall(query)


@pytest.mark.parametrize(
    "options",
    [{"min_relevance": 1.1}, {"min_relevance": -1}, {"recency_weight": -1}, {"source_weight": "x"}],
)
async def test_refused_rankings(options: dict[str, Any]) -> None:
    """A weight is a number that is not negative, the least relevance is from 0 to 1."""
    with pytest.raises(InvalidInputError):
        Ranking(**options)


async def test_others_tell_of_who_is_named(store: Store) -> None:
    """Who begins a fact need not be whom it is about: what tells of the one who is named is an answer."""
    for text in (
        "Ada likes tea",
        "Ada lives in York",
        "Bob is Ada's brother",
        "Bob told that Ada's birthday is on 9 May",
        "Bob likes rowing",
    ):
        await store.memories.remember(text)
    context = await store.memories.recall("When is Ada's birthday?")
    assert "Bob told that Ada's birthday is on 9 May" in contents(context)
    assert "Bob is Ada's brother" in contents(await store.memories.recall("Who is Ada's brother?"))


async def test_now(store: Store, clock: Clock) -> None:
    """What will have expired then is not recalled for then."""
    await store.memories.remember("bees", expires_at=clock.now + timedelta(days=1))
    assert contents(await store.memories.recall("bees")) == ["bees"]
    later = clock.now + timedelta(days=5)
    assert contents(await store.memories.recall("bees", now=later)) == []


async def test_many_entries(store: Store) -> None:
    """As many entries can be asked for as without a question."""
    await store.memories.remember("bees")
    assert contents(await store.memories.recall("bees", max_entries=10_000)) == ["bees"]


async def test_what_is_only_beside_an_answer_is_left_out(store: Store) -> None:
    """Facts told in a row do not lend each other their words; turns of a conversation do, as an answer to a question."""
    memories = store.memories
    told = ["Renew the passport", "My dog is Rex", "Prefers tea", "I am allergic to nuts"]
    for text in (*told, "Ann: Do you like opera?", "Ben: Not at all."):
        await memories.remember(text)
    context = await memories.recall("passport")
    assert contents(context) == ["Renew the passport"]
    assert {its.reason for its in context.left_out} == {"beside", "min_relevance"}
    everything = Ranking(needs_word=False, min_share=0, min_relevance=0)
    assert len(contents(await memories.recall("passport", ranking=everything))) > 1
    turns = contents(await memories.recall("opera"))
    assert turns == ["Ann: Do you like opera?", "Ben: Not at all."]
