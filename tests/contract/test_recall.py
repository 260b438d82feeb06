"""What to have in mind when nothing is asked: on every driver."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from memrepo import (
    InvalidInputError,
    MemoryContext,
    MemoryFilter,
    MemoryNew,
    Ranking,
    Statement,
    Store,
    connect,
)
from tests.conftest import Clock
from tests.ranking import original
from tests.ranking.facts import instant, milliseconds
from tests.ranking.original import DAY, Row

pytestmark = pytest.mark.asyncio

#: Rows as another program stores them; some with an instant of ours that hides them.
INSERT = Statement(
    "test.insert",
    "INSERT INTO memory_entries (id,scope,content,category,source,created_at,last_accessed,hash_version,"
    "deleted_at,superseded_by,expires_at) SELECT json_extract(value,'$[0]'),json_extract(value,'$[1]'),"
    "json_extract(value,'$[2]'),json_extract(value,'$[3]'),json_extract(value,'$[4]'),json_extract(value,'$[5]'),"
    "json_extract(value,'$[6]'),2,json_extract(value,'$[7]'),json_extract(value,'$[8]'),json_extract(value,'$[9]')"
    " FROM json_each(:rows)",
)


def text(moment: int | None) -> str | None:
    if moment is None:
        return None
    return instant(moment).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def insert(store: Store, rows: Iterable[Row], scope: str = "", hidden: Any = ()) -> None:
    """Store rows; those whose id is in *hidden* with its deleted_at, superseded_by and expires_at."""
    values = [
        [
            *(row.id, scope, row.content, row.category, row.source),
            *(text(row.created_at), text(row.last_accessed)),
            *dict(hidden).get(row.id, (None, None, None)),
        ]
        for row in rows
    ]
    await store.connection.write((INSERT.bind(rows=json.dumps(values)),))


def some_rows(random: Random, now: int, n_rows: int, first_id: int = 1) -> list[Row]:
    """Return facts of all ages; each has a word of its own, so that none is like another."""
    rows: list[Row] = []
    for number in range(first_id, first_id + n_rows):
        days = random.choice([0, 0, 1, 3, 7, 8, 20, 30, 31, 90, 400, -1])
        created_at = now - days * DAY - random.randrange(DAY)
        accessed = random.choice([None, created_at, min(created_at + 5 * DAY, now), now - DAY])
        content = f"fact {number} {'x' * random.choice([0, 10, 100, 400])}"
        category = random.choice(["preference", "fact", "pattern", "schedule"])
        source = random.choice(["user_explicit", "jarvis_inferred", "calendar"])
        rows.append(Row(number, content, category, source, created_at, accessed))
    return rows


def ids(context: MemoryContext) -> list[int]:
    return [shown.entry.id for shown in context.entries]


async def test_nothing_to_recall(store: Store) -> None:
    """Without facts there is an empty context, and no heading without a line."""
    context = await store.memories.recall(touch=True)
    assert context == MemoryContext(entries=(), n_tokens=0, left_out=(), has_more=False)
    assert context.to_prompt() == ""


async def test_prompt(store: Store, clock: Clock) -> None:
    """The block for a prompt: the best fact first, with its age and who said so, in the original's form."""
    await store.memories.remember("Therapy Thursdays 3pm with Dr. Chen", category="preference")
    clock.advance(days=11)
    await store.memories.remember("Prefers brief responses", category="pattern", source="inferred")
    clock.advance(days=3)
    await store.memories.remember("Plays the cello")
    context = await store.memories.recall()
    assert context.to_prompt() == (
        "User context:\n"
        "- Fact: Plays the cello (today, you told me)\n"
        "- Preference: Therapy Thursdays 3pm with Dr. Chen (2 weeks ago, you told me)\n"
        "- Pattern: Prefers brief responses (3 days ago, inferred)"
    )
    assert [shown.score.total for shown in context.entries] == [90, 65, 47]
    assert context.n_tokens == 4 + 9 + 6
    assert json.loads(json.dumps(context.to_dict()))["entries"][0]["age"] == "today"
    assert await store.scoped("ada").memories.recall() == MemoryContext(
        entries=(), n_tokens=0, left_out=(), has_more=False
    )


async def test_age_is_that_of_the_fact(store: Store, clock: Clock) -> None:
    """A fact that was touched today was told when it was told."""
    tea = await store.memories.remember("Likes tea")
    clock.advance(days=14)
    await store.memories.touch(tea.id)
    (shown,) = (await store.memories.recall()).entries
    assert (shown.age, shown.score.recency) == ("2 weeks ago", 50)


@pytest.mark.parametrize("seed", range(5))
async def test_chooses_as_the_original(store: Store, clock: Clock, seed: int) -> None:
    """Of facts of all ages the same ones in the same order, whatever the budget, and nothing that is hidden."""
    random = Random(seed)
    now = milliseconds(clock.now)
    rows = some_rows(random, now, 160)
    past, future = text(now - 1), text(now + DAY)
    states = [(past, None, None), (None, 1, None), (None, None, past), (None, None, future)]
    hidden = {row.id: random.choice(states) for row in rows if random.random() < 0.4}
    current = [row for row in rows if hidden.get(row.id, states[-1]) == states[-1]]
    await insert(store, rows, hidden=hidden)
    await insert(store, some_rows(random, now, 20, first_id=1_001), scope="ada")
    for max_tokens, max_entries in (
        (1_000, 10),
        (60, 10),
        (1_000, 1),
        (300, 30),
        (1, 5),
        (9_999, 90),
    ):
        context = await store.memories.recall(max_tokens=max_tokens, max_entries=max_entries)
        assert ids(context) == original.choose(current, now, max_tokens, max_entries)
        assert context.has_more == (len(current) > 100)
        looked_at = {*ids(context), *(its.entry.id for its in context.left_out)}
        assert looked_at == {row.id for row in original.candidates(current)}
        costs = [-(-len(shown.entry.content) // 4) for shown in context.entries]
        assert context.n_tokens == sum(costs) <= max_tokens
        assert (
            await store.memories.recall(max_tokens=max_tokens, max_entries=max_entries) == context
        )


async def test_ties(store: Store, clock: Clock) -> None:
    """With the same score, the later access comes first; with the same instant, the higher id."""
    now = milliseconds(clock.now)
    moments = [now - 2 * DAY, None, now - 3 * DAY, now - 2 * DAY, None]
    rows = [
        Row(number, f"fact {number}", "fact", "user_explicit", now - 2 * DAY, moment)
        for number, moment in enumerate(moments, start=1)
    ]
    await insert(store, rows)
    assert ids(await store.memories.recall()) == [4, 1, 3, 5, 2]


async def test_what_was_left_out(store: Store, clock: Clock) -> None:
    """Each fact that was looked at and is not shown says why: nothing is shown after one that does not fit."""
    memories = store.memories
    contents = ["a" * 40, "b" * 44, "c" * 4]
    for content in contents:
        clock.advance(days=-10)
        await memories.remember(content)
    context = await memories.recall(max_tokens=20, now=clock.now + timedelta(days=30))
    assert [shown.entry.content for shown in context.entries] == contents[:1]
    assert [(its.entry.content, its.reason) for its in context.left_out] == [
        (contents[1], "max_tokens"),
        (contents[2], "max_tokens"),
    ]
    context = await memories.recall(max_entries=2, now=clock.now + timedelta(days=30))
    assert [(its.entry.content, its.reason) for its in context.left_out] == [
        (contents[2], "max_entries")
    ]
    context = await memories.recall(max_tokens=1, now=clock.now + timedelta(days=30))
    assert (context.entries, context.n_tokens, context.to_prompt()) == ((), 0, "")


async def test_facts_that_say_the_same(store: Store, clock: Clock) -> None:
    """They are shown once, as the best of them, which knows the others; the rest have their place."""
    memories = store.memories
    told = await memories.remember("On Mondays, Ada swims")
    first = await memories.remember("Ada swims on Mondays", source="inferred")
    clock.advance(seconds=1)
    second = await memories.remember("Ada swims on the Mondays", source="inferred")
    other = await memories.remember("Ada swims on Tuesdays", source="inferred")
    context = await memories.recall(max_entries=2)
    assert ids(context) == [told.id, other.id]
    assert context.entries[0].joined == (second.id, first.id)
    assert [(its.entry.id, its.reason, its.same_as) for its in context.left_out] == [
        (second.id, "duplicate", told.id),
        (first.id, "duplicate", told.id),
    ]
    assert context.n_tokens == 6 + 6


async def test_tokens(store: Store) -> None:
    """Any function counts, the contents or the lines of the prompt; then the whole block is in the budget."""
    texts = [f"fact {number}" for number in range(8)]
    await store.memories.remember_many(MemoryNew(content=text) for text in texts)
    counted: list[str] = []

    def count(text: str) -> int:
        counted.append(text)
        return len(text.split())

    context = await store.memories.recall(max_tokens=9, count_tokens=count)
    assert (len(context.entries), context.n_tokens) == (4, 8)
    assert {*counted} <= {*texts}
    for max_tokens in (1, 14, 15, 16, 400, 1_000):
        context = await store.memories.recall(
            max_tokens=max_tokens, count_tokens=len, count_lines=True
        )
        prompt = context.to_prompt()
        assert context.n_tokens == (len(prompt) + 1 if prompt else 0) <= max_tokens
    for wrong in (-1, 1.5, None, True):
        with pytest.raises(InvalidInputError, match=r"^count_tokens: must return an int"):
            await store.memories.recall(count_tokens=lambda _, its=wrong: its)  # type: ignore[misc]


async def test_touch(store: Store, clock: Clock) -> None:
    """What was shown, and nothing else, was accessed now; the facts come back as they were."""
    before = clock.now
    await store.memories.remember_many(MemoryNew(content=f"fact {n}") for n in range(4))
    clock.advance(days=3)
    context = await store.memories.recall(max_entries=2)
    assert {fact.last_accessed async for fact in store.memories.iterate()} == {before}
    context = await store.memories.recall(max_entries=2, touch=True)
    assert {shown.entry.last_accessed for shown in context.entries} == {before}
    touched = MemoryFilter(accessed_from=clock.now)
    assert {fact.id async for fact in store.memories.iterate(touched)} == {*ids(context)}


async def test_ranking_of_ones_own(store: Store) -> None:
    """Other points choose other facts."""
    rule = await store.memories.remember("Never call before noon", category="rule")
    tea = await store.memories.remember("Likes tea", category="preference")
    assert ids(await store.memories.recall()) == [tea.id, rule.id]
    ranking = Ranking(categories={"rule": 40, "preference": 30})
    assert ids(await store.memories.recall(ranking=ranking)) == [rule.id, tea.id]


async def test_sources_of_the_store(url: str, clock: Clock) -> None:
    """What a source of the user has said is told as the user's, counts as it, and does not fade."""
    async with connect(url, clock=clock, explicit_sources=["voice"]) as store:
        await store.memories.remember("Likes tea", source="voice")
        clock.advance(days=300)
        context = await store.memories.recall()
        assert context.to_prompt().endswith("- Fact: Likes tea (10 months ago, you told me)")
        assert context.entries[0].score.total == 5 + 20 + 20


async def test_more_entries_than_candidates(store: Store) -> None:
    """Who wants more than 100 facts gets them."""
    await store.memories.remember_many(MemoryNew(content=f"fact {n}") for n in range(120))
    context = await store.memories.recall(max_entries=110, max_tokens=10_000)
    assert (len(context.entries), context.left_out, context.has_more) == (110, (), True)
    assert not (await store.memories.recall(max_entries=120, max_tokens=10_000)).has_more


async def test_in_a_transaction(store: Store) -> None:
    """It sees, and touches, what the transaction has stored."""
    async with store.transaction() as tx:
        await tx.memories.remember("Likes tea")
        context = await tx.memories.recall(touch=True)
    assert context.to_prompt() == "User context:\n- Fact: Likes tea (today, you told me)"


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 1.0}, "max_tokens"),
        ({"max_entries": 0}, "max_entries"),
        ({"max_entries": 10_001}, "max_entries"),
        ({"count_tokens": 4}, "count_tokens"),
        ({"count_lines": 1}, "count_lines"),
        ({"ranking": {}}, "ranking"),
        ({"now": datetime(2026, 1, 1)}, "now"),  # noqa: DTZ001
        ({"touch": 1}, "touch"),
    ],
)
async def test_arguments(store: Store, arguments: dict[str, Any], field: str) -> None:
    """What is no budget, ranking or instant is refused before anything is read."""
    with pytest.raises(InvalidInputError, match=rf"^{field}: "):
        await store.memories.recall(**arguments)


async def test_odd_values(store: Store) -> None:
    """A row of another program with values that cannot be read is shown like any other, as far as it can be."""
    odd = Statement(
        "test.odd",
        "UPDATE memory_entries SET content=x'746561ff', category=x'ff', source=x'ff', created_at=x'ff',"
        "last_accessed=x'ff' WHERE content='tea'",
    )
    await store.memories.remember("Plays the cello")
    await store.memories.remember("tea")
    await store.connection.write((odd.bind(),))
    context = await store.memories.recall(touch=True)
    assert [shown.entry.content for shown in context.entries] == ["Plays the cello", "tea\ufffd"]
    assert context.entries[1].line == "- \ufffd: tea\ufffd (56 years ago, inferred)"
