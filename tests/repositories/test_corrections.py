"""The story of corrections: in the end no read returns what is stale, whoever said or inferred it, and how often."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pytest

import memrepo
from memrepo import MemoryFilter, MemoryRepo, Store
from memrepo.domain.hashing import normalize_content
from tests.benchmarks.corrections.story import KEYS, Key, Step, current, question, stale, told
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio

#: More than there are facts.
ALL = 1_000
TRUE = {text for text in map(current, KEYS) if text is not None}
STALE = stale()


async def do(memories: MemoryRepo, step: Step, session_id: int) -> str:
    """Do what the story says; return what became of it."""
    slot = step.key.name
    if step.kind == "forget":
        fact = await memories.in_slot(slot)
        assert fact is not None
        await memories.forget(fact.id)
        return "gone"
    source = "user_explicit" if step.kind == "say" else "inferred"
    remembered = await memories.remember(step.text, slot=slot, source=source, session_id=session_id)
    return remembered.outcome


def assert_true(
    texts: Iterable[str], expected: set[str] | None = None, *, or_nothing: bool = False
) -> None:
    """Nothing is stale, and where it is known what there must be, all of it is there, each once."""
    found = [*texts]
    assert [text for text in found if normalize_content(text) in STALE] == []
    assert found or or_nothing
    if expected is not None:
        assert (len(found), {*found}) == (len(expected), expected)


async def tell(
    memories: MemoryRepo, steps: Iterable[Step], session_id: int
) -> dict[str, Counter[str]]:
    """Tell the story; return what became of what was said, inferred and forgotten."""
    outcomes: dict[str, Counter[str]] = {"say": Counter(), "infer": Counter(), "forget": Counter()}
    for step in steps:
        outcomes[step.kind][await do(memories, step, session_id)] += 1
    return outcomes


@pytest.mark.parametrize("url", ["file"], indirect=True)
@pytest.mark.slow
async def test_nothing_stale_is_returned(store: Store, clock: Clock) -> None:
    """200 facts, each corrected, restated and inferred again by its key, some forgotten: no read has what is stale."""
    session = await store.sessions.start()
    outcomes = await tell(store.memories, told(), session.id)
    # What was only inferred has changed nothing.
    assert outcomes["infer"].keys() == {"kept", "duplicate", "superseded", "forgotten"}
    assert outcomes["say"] == {"created": 220, "replaced": 2180}
    assert outcomes["forget"] == {"gone": 40}

    await check_lists(store.memories)
    await check_what_is_shown(store.memories)
    for digest in (
        await store.daily_logs.digest(clock.now.date(), limit=ALL),
        await store.sessions.digest(session.id, limit=ALL),
    ):
        assert_true((fact.content for fact in digest.facts), TRUE)
    for key in KEYS:
        await check_answers(store.memories, key)
    for text in sorted(STALE)[::50]:
        await check_stale_text(store.memories, text)


async def check_lists(memories: MemoryRepo) -> None:
    """The reads that return facts as they are have what is true, and all of it."""
    facts = [fact async for fact in memories.iterate()]
    got = await memories.get_many(fact.id for fact in facts)
    for found in (
        facts,
        await memories.find_many(limit=ALL),
        await memories.slots(limit=ALL),
        [fact for fact in got if fact is not None],
    ):
        assert_true((fact.content for fact in found), TRUE)
    assert await memories.count() == len(TRUE) == 180
    assert len(await memories.proposals()) == 0


async def check_what_is_shown(memories: MemoryRepo) -> None:
    """What a model is shown unasked is true."""
    context = await memories.recall(max_entries=ALL, max_tokens=1_000_000)
    assert_true((shown.entry.content for shown in context.entries), TRUE)
    surfacing = await memories.surface(max_contextual=ALL, least_score=0)
    assert_true(shown.entry.content for shown in surfacing.contextual)
    pairs = memories.iterate_near_duplicates(0.5)
    assert_true([its.content async for pair in pairs for its in (pair.first, pair.second)])


async def check_answers(memories: MemoryRepo, key: Key) -> None:
    """What answers a question about a key is true, and of what is forgotten there is nothing."""
    fact = await memories.in_slot(key.name)
    expected = current(key)
    assert (None if fact is None else fact.content) == expected
    hits = await memories.search(question(key))
    assert_true(hit.entry.content for hit in hits)
    context = await memories.recall(question(key))
    shown = [shown.entry.content for shown in context.entries]
    assert_true(shown, or_nothing=True)
    assert expected is None or expected in shown


async def check_stale_text(memories: MemoryRepo, text: str) -> None:
    """What is stale is not found by its own text either."""
    assert await memories.find_by_content(text) is None
    assert await memories.count(MemoryFilter(contains=text)) == 0
    for found in (await memories.search(text), await memories.find_to_forget(text)):
        assert_true((hit.entry.content for hit in found), or_nothing=True)


async def test_guesses_in_new_words_wait(clock: Clock) -> None:
    """A slot that the user emptied takes what an extractor words anew, unless what is inferred is a proposal."""
    steps = [step for step in told(rewords_forgotten=True) if step.key.is_forgotten]
    left: list[tuple[int, int]] = []
    for propose in ((), ("inferred",)):
        async with memrepo.connect(":memory:", clock=clock, propose=propose) as store:
            session = await store.sessions.start()
            await tell(store.memories, steps, session.id)
            waiting = [fact.slot async for fact in store.memories.iterate_proposals()]
            left.append((await store.memories.count(), len({*waiting})))
    assert left == [(20, 0), (0, 20)]
