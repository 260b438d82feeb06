"""Search on every driver: what is found, what never is, and that it is the same everywhere."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final

import pytest
from hypothesis import example, given, settings, strategies as st

from memrepo import (
    DailyLogFilter,
    InvalidInputError,
    MemoryFilter,
    MemoryNew,
    MemoryRepo,
    SessionFilter,
    Statement,
    Store,
    connect,
)
from memrepo.repositories.scopes import Repositories
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio

BREAK: Final = Statement("test.break", "UPDATE daily_logs SET event_data=:data WHERE id=:id")
TALK: Final = (
    "Caroline: What did you do for your birthday?",
    "Melanie: We went hiking in the mountains",
    "Caroline: I keep bees in my garden",
    "Melanie: Bees are lovely",
    "Caroline: I paint a lot",
    "Caroline: painting horses today",
    "Melanie: The wifi password is Maple7Tree",
)


async def found(store: Repositories, text: str, **options: Any) -> list[str]:
    """Return the contents of the facts that a search finds by words of their own."""
    hits = await store.memories.search(text, **options)
    return [hit.entry.content for hit in hits if hit.highlights]


async def tell(store: Store, clock: Clock, *facts: str) -> None:
    """Remember facts, a minute after each other."""
    for fact in facts:
        await store.memories.remember(fact)
        clock.advance(minutes=1)


# --- what is found -----------------------------------------------------------------------------


async def test_words_and_neighbours(store: Store, clock: Clock) -> None:
    """A fact is found by its words in any form, and by those of the fact before it, and the hit says so."""
    await tell(store, clock, *TALK)
    first, second, *_ = await store.memories.search("Where did they hike on the birthday?")
    assert first.entry.content == TALK[1]
    assert "'birthday' stands in the fact just before" in first.why
    assert [first.entry.content[slice(*place)] for place in first.highlights] == ["hiking"]
    assert second.entry.content == TALK[0]
    assert 1 >= first.relevance > second.relevance > 0
    assert first.to_dict()["why"] == first.why


@pytest.mark.parametrize("text", ["", "  ", "?!", "unheard"])
async def test_nothing_found(store: Store, clock: Clock, text: str) -> None:
    """A text without words, or whose words no fact has, finds nothing."""
    await tell(store, clock, *TALK)
    assert await store.memories.search(text) == []


async def test_acknowledged_is_found(store: Store, clock: Clock) -> None:
    """What was acknowledged is found by the next search, new or changed, alone or in bulk."""
    one = await store.memories.remember("Zebras are striped")
    assert await found(store, "zebra") == ["Zebras are striped"]
    await store.memories.update(one.id, content="Giraffes are tall")
    assert await found(store, "zebra") == []
    assert await found(store, "giraffe") == ["Giraffes are tall"]
    await store.memories.remember_many(MemoryNew(content=f"Lion number {n}") for n in range(300))
    assert len(await found(store, "lions", limit=1_000)) == 300


async def test_only_current_facts(store: Store, clock: Clock) -> None:
    """What was forgotten, superseded or has expired is not found; what is restored is found again."""
    forgotten = await store.memories.remember("Zebras are striped")
    await store.memories.supersede(
        (await store.memories.remember("Zebras are green")).id, "Zebras are black and white"
    )
    expires_at = clock.now + timedelta(days=1)
    await store.memories.remember("Zebras are asleep", expires_at=expires_at)
    await store.memories.forget(forgotten.id)
    assert sorted(await found(store, "zebras")) == [
        "Zebras are asleep",
        "Zebras are black and white",
    ]
    clock.advance(days=2)
    assert await found(store, "zebras") == ["Zebras are black and white"]
    await store.memories.restore(forgotten.id)
    assert sorted(await found(store, "zebras")) == [
        "Zebras are black and white",
        "Zebras are striped",
    ]


async def test_expired_facts_take_no_places(store: Store, clock: Clock) -> None:
    """However many facts have expired that fit better, those that have not are found."""
    expires_at = clock.now + timedelta(days=1)
    await store.memories.remember_many(
        MemoryNew(content=f"{n} zebra zebra", expires_at=expires_at) for n in range(70)
    )
    clock.advance(days=2)
    await store.memories.remember("a zebra in a long text of other words about other things")
    assert await found(store, "zebra 7") == [
        "a zebra in a long text of other words about other things"
    ]


async def test_filter(store: Store, clock: Clock) -> None:
    """A filter restricts the hits as it does those of find_many, however many others fit better."""
    await store.memories.remember_many(MemoryNew(content=f"zebra {n}") for n in range(70))
    await store.memories.remember("the zebra likes grass", category="preference")
    where = MemoryFilter(category="preference")
    assert await found(store, "zebra", where=where) == ["the zebra likes grass"]
    assert await found(store, "zebra", where=MemoryFilter(category="none")) == []


@pytest.mark.parametrize(
    "where",
    [
        MemoryFilter(include_forgotten=True),
        MemoryFilter(include_superseded=True),
        MemoryFilter(include_expired=True),
        "x",
    ],
)
async def test_refused_filters(store: Store, where: Any) -> None:
    """A filter that includes facts that are not current is refused, and so is what is no filter."""
    with pytest.raises(InvalidInputError, match="where"):
        await store.memories.search("zebra", where=where)


@pytest.mark.parametrize("limit", [0, -1, 1_001, True, 1.0, None])
async def test_refused_limits(store: Store, limit: Any) -> None:
    """A limit is an int from 1 to 1,000."""
    for search in (store.memories.search, store.daily_logs.search, store.sessions.search):
        with pytest.raises(InvalidInputError, match="limit"):
            await search("zebra", limit=limit)
    with pytest.raises(InvalidInputError, match="limit"):
        await store.memories.search_as_you_type("zebra", limit=limit)


async def test_refused_text(store: Store) -> None:
    """What is searched for is a str."""
    with pytest.raises(InvalidInputError, match="text"):
        await store.memories.search(b"zebra")  # type: ignore[arg-type]


@settings(max_examples=40)
@given(text=st.text(max_size=40))
@example('"')
@example('zebra" OR scope_key:"')
@example("zebra* NEAR(a b) - ^c {text}: 'x' \0 ;")
@example("\ud800 zebra")
async def test_any_text_is_safe(store: Store, text: str) -> None:
    """Any text is a safe query, for a search, for completions and for what to forget."""
    await store.memories.remember("Zebras are striped")
    assert await store.memories.search("zebra")
    await store.memories.search(text)
    await store.memories.search_as_you_type(text)
    await store.memories.find_to_forget(text)


async def test_rows_that_another_program_broke(store: Store) -> None:
    """Half an emoji, as JavaScript may cut it, does not keep a search from finding it or others."""
    broken = await store.daily_logs.append(None, "note", {"text": "keys and more"})
    await store.daily_logs.append(None, "note", {"text": "the other keys"})
    await store.connection.write((BREAK.bind(id=broken.id, data='{"text":"keys \\ud83d"}'),))
    hits = await store.daily_logs.search("keys")
    assert {hit.entry.id for hit in hits} == {broken.id, broken.id + 1}
    assert all(hit.highlights for hit in hits)


async def test_what_a_filter_hides_lends_its_words(store: Store) -> None:
    """An answer is found by its question, though the question does not meet the filter."""
    await store.memories.remember("What did you do for your birthday?")
    await store.memories.remember("We went hiking", category="preference")
    where = MemoryFilter(category="preference")
    (hit,) = await store.memories.search("birthday", where=where)
    assert hit.entry.content == "We went hiking"


async def test_expired_facts_lend_nothing(store: Store, clock: Clock) -> None:
    """What has expired is not told by way of its neighbours, nor do these hide what has not."""
    expires_at = clock.now + timedelta(days=1)
    for number in range(60):
        await store.memories.remember(f"I saw bees number {number}", expires_at=expires_at)
        if number % 4 == 0:
            await store.memories.remember(f"filler {number}")
    clock.advance(days=10)
    await store.memories.remember("My hobby is bees")
    hits = await store.memories.search("bees")
    assert hits[0].entry.content == "My hobby is bees"
    assert not any("number" in hit.entry.content for hit in hits)
    assert await found(store, "number 7") == []


# --- scopes ------------------------------------------------------------------------------------


async def test_scopes_do_not_show(store: Store, clock: Clock) -> None:
    """Nothing of another scope is found, nor changes a score, however alike the scopes' names are."""
    here = store.scoped("running")
    await here.memories.remember("Zebras are striped")
    await here.memories.remember("Zebras eat grass")
    before = await here.memories.search("striped zebras")
    for name in ("", "run", "runs", "Running", "running x", "user:running"):
        other = store.scoped(name)
        await other.memories.remember_many(
            MemoryNew(content=f"striped zebras {n}") for n in range(5)
        )
        assert [hit.entry.scope for hit in await other.memories.search("zebra")] == [name] * 5
    assert await here.memories.search("striped zebras") == before


# --- the same everywhere -----------------------------------------------------------------------

_WORDS: Final = ("bees", "bee", "Anna:", "Ben:", "garden", "the", "in May", "honey?", "runs", "ran")


@settings(max_examples=25)
@given(
    facts=st.lists(st.lists(st.sampled_from(_WORDS), min_size=1, max_size=5), max_size=12),
    question=st.lists(st.sampled_from(_WORDS), min_size=1, max_size=4),
)
async def test_same_hits_without_an_index(
    store: Store, clock: Clock, facts: list[list[str]], question: list[str]
) -> None:
    """By the index and by reading all facts, the same are found, in the same order with the same scores."""
    scope = f"scope {clock.now.timestamp()} {facts} {question}"[:255]
    indexed = store.scoped(scope).memories
    for words in facts:
        await indexed.remember(" ".join(words))
        clock.advance(seconds=1)
    without = MemoryRepo(store.connection, scope=scope, clock=clock)
    text = " ".join(question)
    hits = await indexed.search(text, limit=1_000)
    assert hits == await without.search(text, limit=1_000)
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert await indexed.search_as_you_type(text) == await without.search_as_you_type(text)


async def test_in_a_transaction(store: Store, clock: Clock) -> None:
    """Inside a transaction, what it has written is found; after a rollback it is not."""
    await tell(store, clock, *TALK)
    await store.memories.search("bees")
    with suppress(KeyError):
        async with store.transaction() as tx:
            await tx.memories.remember("Zebras are striped")
            assert await found(tx, "zebra") == ["Zebras are striped"]
            raise KeyError
    assert await found(store, "zebra") == []


# --- completions, and what to forget -----------------------------------------------------------


@pytest.mark.parametrize("n_turns", range(0, 100, 10))
async def test_beside_one_that_waits_for_the_transaction(
    store: Store, clock: Clock, n_turns: int
) -> None:
    """A search in a transaction never waits for one that began before, which may wait for the transaction's end."""
    await tell(store, clock, *TALK)
    await found(store, "bees")  # so that nothing is left to be indexed
    beside = asyncio.create_task(found(store, "bees"))
    for _ in range(n_turns):
        await asyncio.sleep(0)
    async with store.transaction() as transaction:
        within = await found(transaction, "bees")
    assert within == await beside == [TALK[2], TALK[3]]


async def test_search_as_you_type(store: Store, clock: Clock) -> None:
    """The latest facts come first that have all words so far, and one that begins with the last."""
    await tell(store, clock, *TALK)

    async def completions(text: str) -> list[str]:
        return [fact.content for fact in await store.memories.search_as_you_type(text)]

    assert await completions("caroline pain") == [TALK[5], TALK[4]]
    assert await completions("the wi") == [TALK[6]]
    assert await completions("the wifi x") == []
    assert await completions(" ?") == []


async def test_find_to_forget(store: Store, clock: Clock) -> None:
    """Facts that have the description itself come first; nothing is forgotten by looking."""
    await tell(
        store,
        clock,
        "Therapy is on Thursdays, my new group meets",
        "Paid for group therapy",
        "Likes tea",
    )
    hits = await store.memories.find_to_forget("Group  THERAPY")
    assert [hit.entry.content for hit in hits] == [
        "Paid for group therapy",
        "Therapy is on Thursdays, my new group meets",
    ]
    assert await store.memories.count() == 3
    long = "Notes. " + "something unrelated was told here. " * 60 + "the group therapy of Dr. Chen"
    await tell(store, clock, long, *(f"Dr. Chen has group {n} in therapy" for n in range(6)))
    first, *_ = await store.memories.find_to_forget("group therapy of Dr. Chen", limit=2)
    assert first.entry.content == long


# --- events and sessions -----------------------------------------------------------------------


async def test_events(store: Store, clock: Clock) -> None:
    """Events are found by the texts in their data, at any depth, and by those of their neighbours."""
    session = await store.sessions.start()
    asked = await store.daily_logs.append(session.id, "message", {"text": "And your birthday?"})
    clock.advance(seconds=10)
    told = await store.daily_logs.append(
        session.id, "message", {"parts": [{"text": "We hiked"}, "up a mountain", 7]}
    )
    await store.daily_logs.append(session.id, "birthday", {"birthday": 1})
    hits = await store.daily_logs.search("birthday hikes mountains")
    assert [hit.entry.id for hit in hits[:2]] == [told.id, asked.id]
    assert hits[0].highlights
    where = DailyLogFilter(event_type="birthday")
    assert all(
        hit.entry.event_type == "birthday"
        for hit in await store.daily_logs.search("birthday", where=where)
    )
    await store.daily_logs.delete(told.id)
    assert told.id not in [hit.entry.id for hit in await store.daily_logs.search("hike")]


async def test_summaries(store: Store, clock: Clock) -> None:
    """Sessions are found by their summaries, each by its own words only."""
    ids: list[int] = []
    for summary in ("They talked about bees", "They talked about tea", None):
        session = await store.sessions.start()
        await store.sessions.end(session.id, summary=summary)
        ids.append(session.id)
    (hit,) = await store.sessions.search("bee")
    assert (hit.entry.id, hit.entry.summary) == (ids[0], "They talked about bees")
    await store.sessions.summarize(ids[0], "They talked about horses")
    assert await store.sessions.search("bee") == []
    where = SessionFilter(status="active")
    assert await store.sessions.search("horse", where=where) == []


async def test_of_a_long_question_the_beginning_counts(store: Store) -> None:
    """A pasted page is a question, too: its first 4,000 characters are, and of what is typed the last."""
    await store.memories.remember("Bees make honey")
    page = "and then " * 500
    assert await found(store, f"bees {page}") == ["Bees make honey"]
    assert await found(store, f"{page} bees") == []
    typed = await store.memories.search_as_you_type(f"{'x' * 200_000} {'make ' * 60}hon")
    assert [fact.content for fact in typed] == ["Bees make honey"]


async def test_short_words_as_they_are_typed(url: str) -> None:
    """An index of three letters has no shorter words: these are looked for in the texts."""
    async with connect(url, search="trigram") as store:
        await store.memories.remember("My TV is big")
        for text in ("tv", "my", "big", "tv is", "my bi"):
            (entry,) = await store.memories.search_as_you_type(text)
            assert entry.content == "My TV is big"
