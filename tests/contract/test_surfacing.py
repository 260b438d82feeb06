"""What is due and what is pending, brought up once: on every driver."""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest

from memrepo import (
    ACTION_WORDS,
    InvalidInputError,
    MemoryFilter,
    MemoryNew,
    Ranking,
    RecalledFact,
    Store,
    Surfacing,
)
from tests.conftest import Clock
from tests.ranking import original
from tests.ranking.facts import milliseconds

from .test_recall import insert, some_rows

pytestmark = pytest.mark.asyncio

NOTHING = Surfacing(due=(), pending=(), contextual=())
HOUR = timedelta(hours=1)


def ids(facts: tuple[RecalledFact, ...]) -> list[int]:
    return [fact.entry.id for fact in facts]


async def test_nothing_to_bring_up(store: Store) -> None:
    """Without facts there are empty lists, and no heading without a line."""
    assert await store.memories.surface() == NOTHING
    assert NOTHING.to_prompt() == ""
    assert await store.memories.surfaced() == []


async def test_prompt(store: Store, clock: Clock) -> None:
    """What is due comes first, then what somebody wants done, then what may matter now."""
    memories = store.memories
    await memories.remember("Call the dentist", due_at=clock.now + timedelta(days=3))
    await memories.remember("Renew the passport", due_at=clock.now + timedelta(days=5))
    await memories.remember("Water the plants", due_at=clock.now + timedelta(days=6))
    clock.advance(days=5)
    await memories.remember("Wants to follow up with Bob", source="inferred")
    await memories.remember("Plays the cello")
    surfacing = await memories.surface()
    assert surfacing.to_prompt() == (
        "Due:\n"
        "- Fact: Call the dentist (due 2 days ago, you told me)\n"
        "- Fact: Renew the passport (due today, you told me)\n"
        "Pending:\n"
        "- Fact: Wants to follow up with Bob (today, inferred)\n"
        "May matter now:\n"
        "- Fact: Plays the cello (today, you told me)"
    )
    assert surfacing.ids == [1, 2, 4]
    assert json.loads(json.dumps(surfacing.to_dict()))["due"][0]["age"] == "5 days ago"
    assert ids((await memories.surface(now=clock.now + timedelta(days=1))).due) == [1, 2, 3]
    assert await store.scoped("ada").memories.surface() == NOTHING


@pytest.mark.parametrize("seed", range(4))
async def test_the_lists_of_the_original(store: Store, clock: Clock, seed: int) -> None:
    """Of facts without a date, of all ages, the same ones in the same order; and of no other scope."""
    random = Random(seed)
    now = milliseconds(clock.now)
    words = [*ACTION_WORDS, "tea", "spending", "Waiting", "shoulder"]
    rows = [
        row._replace(content=f"{random.choice(words)} {row.content}")
        for row in some_rows(random, now, 160)
    ]
    await insert(store, rows)
    await insert(store, some_rows(random, now, 20, first_id=1_001), scope="ada")
    for max_pending, max_contextual, days, least in (
        (5, 3, 3, 50),
        (100, 100, 7, 30),
        (1, 1, 1, 80),
    ):
        surfacing = await store.memories.surface(
            max_pending=max_pending,
            max_contextual=max_contextual,
            within=timedelta(days=days),
            least_score=least,
        )
        pending, contextual = original.surface(
            rows, now, max_pending, max_contextual, days, least, ACTION_WORDS
        )
        assert (ids(surfacing.pending), ids(surfacing.contextual)) == (pending, contextual)


async def test_said_once(store: Store, clock: Clock) -> None:
    """What was brought up is in no list, until it gets another date; its own date is no other one."""
    memories = store.memories
    call = await memories.remember("Call the dentist", due_at=clock.now)
    bob = await memories.remember("Should answer Bob")
    surfacing = await memories.surface()
    assert surfacing.ids == [call.id, bob.id]
    marked = await memories.surfaced(*surfacing.ids, call.id, 1_000)
    assert [(fact.id, fact.surfaced_at) for fact in marked] == [
        (call.id, clock.now),
        (bob.id, clock.now),
    ]
    assert await memories.surface() == NOTHING
    assert await memories.surfaced(*surfacing.ids) == []
    again = await memories.remember("Call the dentist", due_at=clock.now)
    assert (again.outcome, again.entry.surfaced_at) == ("duplicate", clock.now)
    kept = await memories.remember("Call the dentist")
    assert (kept.entry.due_at, kept.entry.surfaced_at) == (clock.now, clock.now)
    later = await memories.remember("call the dentist", due_at=clock.now + HOUR)
    assert (later.entry.due_at, later.entry.surfaced_at) == (clock.now + HOUR, None)
    assert later.ignored == ("content",)
    assert await memories.surface() == NOTHING
    clock.now += HOUR
    assert (await memories.surface()).ids == [call.id]


async def test_update(store: Store, clock: Clock) -> None:
    """A date can be changed, which brings the fact up anew, and taken away."""
    memories = store.memories
    call = await memories.remember("Call the dentist", due_at=clock.now)
    await memories.surfaced(call.id)
    same = await memories.update(call.id, due_at=clock.now, category="health")
    assert same.surfaced_at == clock.now
    moved = await memories.update(call.id, due_at=clock.now - HOUR)
    assert (moved.due_at, moved.surfaced_at) == (clock.now - HOUR, None)
    assert (await memories.surface()).ids == [call.id]
    assert (await memories.update(call.id, content="Call the vet")).due_at == clock.now - HOUR
    without = await memories.update(call.id, due_at=None)
    assert (without.due_at, without.surfaced_at) == (None, None)
    assert ids((await memories.surface()).contextual) == [call.id]


async def test_said_once_whichever_text_holds(store: Store, clock: Clock) -> None:
    """A date that one text was brought up for is no other text's, when a correction is undone or taken back."""
    memories = store.memories

    async def due() -> list[str]:
        return [fact.entry.content for fact in (await memories.surface()).due]

    due_at = clock.now + HOUR
    await memories.remember("Dentist, Main Street", slot="dentist", due_at=due_at)
    mill = await memories.remember("Dentist, Mill Street", slot="dentist")
    clock.advance(hours=2)
    assert await due() == ["Dentist, Mill Street"]
    await memories.surfaced(mill.id)
    reverted = await memories.revert("dentist")
    assert (reverted.content, reverted.due_at) == ("Dentist, Main Street", due_at)
    assert await due() == []
    await memories.remember("Dentist, Mill Street", slot="dentist")
    await memories.remember("Dentist, Main Street", slot="dentist")
    assert await due() == []
    await memories.remember("Dentist, Main Street", slot="dentist", due_at=due_at + HOUR)
    assert await due() == ["Dentist, Main Street"]


async def test_a_fact_waits_for_its_date(store: Store, clock: Clock) -> None:
    """Before it, the fact is in no list, whatever it says; after it, it is due, by a millisecond."""
    fact = await store.memories.remember("Remind me to vote", due_at=clock.now + HOUR)
    assert fact.entry.due_at == clock.now + HOUR
    assert await store.memories.surface() == NOTHING
    clock.now += HOUR - timedelta(milliseconds=1)
    assert await store.memories.surface() == NOTHING
    clock.advance(milliseconds=1)
    assert ids((await store.memories.surface()).due) == [fact.id]


async def test_what_is_gone_is_not_due(store: Store, clock: Clock) -> None:
    """A forgotten, superseded or expired fact is not brought up, and cannot be marked; what supersedes one is."""
    memories = store.memories
    forgotten, old, expiring = [
        (await memories.remember(f"due {n}", due_at=clock.now, expires_at=expiry)).id
        for n, expiry in enumerate((None, None, clock.now + HOUR))
    ]
    clock.now += HOUR
    await memories.forget(forgotten)
    new = await memories.supersede(old, "something else")
    assert (await memories.surface()).ids == [new.id]
    await memories.surfaced(new.id)
    assert (await memories.surface()).due == ()
    assert await memories.surfaced(forgotten, old, expiring) == []
    held = await memories.remember("due 0", source="inferred", due_at=clock.now)
    assert (held.outcome, held.entry.due_at) == ("forgotten", clock.now - HOUR)
    back = await memories.remember("due 0", due_at=clock.now)
    assert (back.outcome, back.entry.due_at) == ("restored", clock.now)
    back = await memories.remember("due 2", due_at=clock.now)
    assert (back.outcome, back.entry.due_at, back.entry.expires_at) == ("restored", clock.now, None)
    assert (await memories.surface()).ids == [forgotten, expiring]


async def test_remember_many(store: Store, clock: Clock) -> None:
    """Of many facts some have a date; of several mentions of one, the last that has one counts."""
    memories = store.memories
    known = await memories.remember("known", due_at=clock.now)
    await memories.surfaced(known.id)
    gone = await memories.remember("gone")
    await memories.forget(gone.id)
    results = await memories.remember_many(
        [
            MemoryNew(content="new", due_at=clock.now),
            MemoryNew(content="without"),
            MemoryNew(content="Known", due_at=clock.now + HOUR),
            MemoryNew(content="new", due_at=clock.now + 2 * HOUR),
            MemoryNew(content="new"),
            MemoryNew(content="gone", source="inferred", due_at=clock.now),
        ]
    )
    assert [(its.outcome, its.entry.due_at) for its in results] == [
        ("created", clock.now + 2 * HOUR),
        ("created", None),
        ("duplicate", clock.now + HOUR),
        ("duplicate", clock.now + 2 * HOUR),
        ("duplicate", clock.now + 2 * HOUR),
        ("forgotten", None),
    ]
    assert results[2].entry.surfaced_at is None
    assert [await memories.get(its.id) for its in results[:3]] == [its.entry for its in results[:3]]


async def test_filter(store: Store, clock: Clock) -> None:
    """Facts are found, counted and searched by when they are due."""
    memories = store.memories
    for n in range(3):
        await memories.remember(f"due {n}", due_at=clock.now + n * HOUR)
    await memories.remember("not due")
    where = MemoryFilter(due_from=clock.now + HOUR, due_before=clock.now + 2 * HOUR)
    assert [fact.content for fact in await memories.find_many(where)] == ["due 1"]
    assert await memories.count(MemoryFilter(due_before=clock.now + 2 * HOUR)) == 2
    assert await memories.count(MemoryFilter(due_from=clock.now)) == 3
    assert [hit.entry.content for hit in await memories.search("due", where=where)] == ["due 1"]


async def test_at_most_a_hundred_are_due(store: Store, clock: Clock) -> None:
    """Those that were due first; the next when these were brought up."""
    moment = clock.now
    facts = [
        MemoryNew(content=f"due {n}", due_at=moment - timedelta(minutes=n)) for n in range(130)
    ]
    numbers = [its.id for its in await store.memories.remember_many(facts)]
    surfacing = await store.memories.surface()
    assert surfacing.ids == numbers[:29:-1]
    assert len(await store.memories.surfaced(*surfacing.ids)) == 100
    assert (await store.memories.surface()).ids == numbers[29::-1]


async def test_words_of_ones_own(store: Store) -> None:
    """The words of action, and the points of the scores, are the caller's."""
    memories = store.memories
    todo = await memories.remember("TODO: water the plants")
    should = await memories.remember("Should sleep more", category="rule")
    surfacing = await memories.surface(action_words=[*ACTION_WORDS, "Todo"])
    assert ids(surfacing.pending) == [todo.id, should.id]
    ranking = Ranking(categories={"rule": 60})
    surfacing = await memories.surface(action_words=["todo"], ranking=ranking, least_score=130)
    assert (ids(surfacing.pending), ids(surfacing.contextual)) == ([todo.id], [should.id])
    assert (await memories.surface(action_words=[])).pending == ()


async def test_one_of_many_tasks_says_it(store: Store, clock: Clock) -> None:
    """Of tasks that mark the same facts at once, each fact is given to one; what a transaction undoes stays open."""
    facts = [MemoryNew(content=f"due {n}", due_at=clock.now) for n in range(5)]
    numbers = [its.id for its in await store.memories.remember_many(facts)]
    with suppress(ZeroDivisionError):
        async with store.transaction() as tx:
            assert len(await tx.memories.surfaced(*numbers)) == 5
            raise ZeroDivisionError
    marked = await asyncio.gather(*(store.memories.surfaced(*numbers) for _ in range(20)))
    assert sorted(fact.id for each in marked for fact in each) == numbers


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"now": datetime(2026, 1, 1)}, "now"),  # noqa: DTZ001
        ({"action_words": "remind"}, "action_words"),
        ({"action_words": [""]}, r"action_words\[0\]"),
        ({"max_pending": 0}, "max_pending"),
        ({"max_contextual": 1.5}, "max_contextual"),
        ({"within": timedelta(0)}, "within"),
        ({"least_score": "50"}, "least_score"),
        ({"ranking": None}, "ranking"),
    ],
)
async def test_arguments(store: Store, arguments: dict[str, Any], field: str) -> None:
    """What is no list of words, number or instant is refused before anything is read."""
    with pytest.raises(InvalidInputError, match=rf"^{field}: "):
        await store.memories.surface(**arguments)


async def test_dates_that_are_refused(store: Store) -> None:
    """A date needs a time zone, in every method that takes one; an id must be one."""
    naive = datetime(2026, 1, 1)  # noqa: DTZ001
    with pytest.raises(InvalidInputError, match=r"^due_at: "):
        await store.memories.remember("tea", due_at=naive)
    with pytest.raises(InvalidInputError, match=r"^facts\[0\]\.due_at: "):
        await store.memories.remember_many([MemoryNew(content="tea", due_at=naive)])
    with pytest.raises(InvalidInputError, match=r"^due_at: "):
        await store.memories.update(1, due_at=naive)
    with pytest.raises(InvalidInputError, match=r"^due_from: "):
        await store.memories.count(MemoryFilter(due_from=naive))
    with pytest.raises(InvalidInputError, match=r"^ids\[1\]: "):
        await store.memories.surfaced(1, 0)


async def test_no_date_as_before_brings_nothing_up(store: Store, clock: Clock) -> None:
    """Who sends all fields of a fact back, its date too, does not have it brought up again; another date does."""
    fact = await store.memories.remember("need to buy milk")
    await store.memories.surfaced(fact.id)
    assert (await store.memories.surface()).pending == ()
    await store.memories.update(fact.id, due_at=None)
    assert (await store.memories.surface()).pending == ()
    await store.memories.update(fact.id, due_at=clock.now)
    assert ids((await store.memories.surface()).due) == [fact.id]
    await store.memories.surfaced(fact.id)
    await store.memories.update(fact.id, due_at=clock.now)
    assert ids((await store.memories.surface()).due) == []
