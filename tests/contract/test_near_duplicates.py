"""Near-duplicates, and making one fact of two: on every driver."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any

import attrs
import pytest

from memrepo import (
    ConflictError,
    InvalidInputError,
    MemoryEntry,
    MemoryNew,
    MemoryRepo,
    NearDuplicates,
    NotFoundError,
    Statement,
    Store,
    connect,
    content_hash,
)
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio

#: Facts, each with another wording of it.
RESTATED = (
    ("Lives in Lisbon", "She lives in Lisbon now"),
    ("Is allergic to peanuts", "The user is allergic to peanuts"),
    ("Prefers window seats on flights", "On flights, she prefers a window seat"),
    ("Works as a nurse at the city hospital", "She is working in the city hospital as a nurse"),
    ("Birthday is on 14 March 1990", "Her birthday: 14 March 1990"),
    ("Bought a house in Porto in 2019", "In 2019 they buy a house in Porto"),
    ("Plays the cello in an orchestra", "Played cello in the orchestra"),
    ("Does not eat meat", "She does not eat any meat"),
    ("Her sister Grace is a pilot", "Grace, the sister, is a pilot"),
    ("Uses vim for editing Python code", "For editing code in Python, uses vim"),
)
#: Facts that say different things in nearly the same words.
DIFFERENT = (
    ("Likes coffee", "Does not like coffee"),
    ("Knows C++", "Knows C"),
    ("Has 2 cats", "Has 3 cats"),
    ("Lives in Berlin", "Lived in Madrid"),
    ("Flies to Rome on 3 May", "Flies to Rome on 4 May"),
    ("Her brother Ben is a baker", "Her cousin Leo is a baker"),
    ("Takes sugar in tea", "Takes tea without sugar"),
    ("Rent is $500", "Rent is £500"),
    ("Is learning Dutch", "Is learning Danish"),
)


async def contents(store: Store | MemoryRepo, threshold: float = 0.8) -> set[tuple[str, str]]:
    """Return the texts of all pairs."""
    memories = store if isinstance(store, MemoryRepo) else store.memories
    near = memories.iterate_near_duplicates(threshold)
    return {(pair.first.content, pair.second.content) async for pair in near}


async def remember_all(store: Store, *texts: str) -> list[MemoryEntry]:
    """Remember some texts, in order."""
    many = [MemoryNew(content=text) for text in texts]
    return [told.entry for told in await store.memories.remember_many(many)]


async def test_restated_wordings(store: Store, clock: Clock) -> None:
    """Facts in other words are pairs, those that say something else are none; so it is without an index."""
    texts = [text for pair in (*RESTATED, *DIFFERENT) for text in pair]
    await remember_all(store, *texts)
    assert await contents(store) == {*RESTATED}
    assert await contents(MemoryRepo(store.connection, clock=clock)) == {*RESTATED}


async def test_restated_among_many(store: Store, clock: Clock) -> None:
    """They are found among many facts, in whichever order they were remembered, each pair once."""
    noise = [f"Visited place{n} with friend{n % 7} in week {n}" for n in range(150)]
    firsts, seconds = zip(*RESTATED, strict=True)
    await remember_all(store, *firsts, *noise, *seconds)
    clock.advance(days=1)
    found = [pair async for pair in store.memories.iterate_near_duplicates()]
    assert {(pair.first.content, pair.second.content) for pair in found} == {*RESTATED}
    assert len(found) == len(RESTATED)


async def test_similarity(store: Store) -> None:
    """1 is for what recall would join, 0.99 for other words that say the same, less for the rest."""
    await remember_all(
        store, "Ada swims on Mondays", "On Mondays, Ada swims", "On Mondays she and Ada swim"
    )
    page = await store.memories.near_duplicates()
    assert [(pair.first.id, pair.second.id) for pair in page] == [(1, 2), (1, 3), (2, 3)]
    assert [pair.similarity for pair in page] == [1, 0.99, 0.99]
    assert len(await store.memories.near_duplicates(1)) == 1
    context = await store.memories.recall()
    assert [its.joined for its in context.entries if its.joined] == [(1,)]
    assert page[0].to_dict()["second"] == page[0].second.to_dict()


async def test_rare_words_count_more(store: Store) -> None:
    """Of two words that differ, the one that many facts have takes less of the similarity away."""
    await remember_all(store, *(f"weekly item{n}" for n in range(60)))
    await remember_all(store, "zither lesson", "zither lesson weekly", "zither lesson oboe")
    near = store.memories.iterate_near_duplicates(0.5)
    shares = {pair.second.content: pair.similarity async for pair in near if pair.first.id == 61}
    assert shares["zither lesson weekly"] > 0.85
    assert shares["zither lesson oboe"] < 0.8


async def test_pages(store: Store, clock: Clock) -> None:
    """Pages of any length give the same pairs, each once; a page that shows few may be followed by more."""
    for n in range(240):
        clock.advance(seconds=1)
        await store.memories.remember(f"Story {n} of the lighthouse keeper, chapter{n}")
        if n % 40 == 0:
            await store.memories.remember(f"Chapter{n}: story {n} of a keeper in his lighthouse")
    everything = [pair async for pair in store.memories.iterate_near_duplicates()]
    assert len(everything) == 6
    for limit in (1, 2, 5, 100):
        pairs: list[NearDuplicates] = []
        after, lengths = None, []
        while True:
            page = await store.memories.near_duplicates(limit=limit, after=after)
            pairs += page
            lengths.append(len(page))
            if (after := page.next_cursor) is None:
                break
        assert pairs == everything
        assert max(lengths) <= limit
        assert len(lengths) >= 3
    order = [(pair.second.created_at, pair.second.id, pair.first.id) for pair in everything]
    assert all(one < other for one, other in pairwise(order))


async def test_a_crowd(store: Store) -> None:
    """Of facts that are all alike, each is beside a few that were stored before, page after page."""
    await remember_all(store, *(f"{'so ' * n}Ada swims" for n in range(1, 41)))
    pairs = [
        (pair.first.id, pair.second.id) async for pair in store.memories.iterate_near_duplicates()
    ]
    assert len({*pairs}) == len(pairs)
    assert all(first < second for first, second in pairs)
    assert {second for _, second in pairs} == {*range(2, 41)}
    assert max(sum(second == its for _, its in pairs) for _, second in pairs) == 20
    page = await store.memories.near_duplicates(limit=30)
    rest = await store.memories.near_duplicates(limit=1_000, after=page.next_cursor)
    assert [(its.first.id, its.second.id) for its in (*page, *rest)] == pairs


async def test_common_words(store: Store) -> None:
    """Facts of words that more than a hundred facts have are pairs, too, if both words are the same."""
    await remember_all(store, *(f"likes item{n}" for n in range(150)))
    await remember_all(store, *(f"tea item{n} x" for n in range(150)))
    await remember_all(store, "Likes tea", "She likes tea now")
    assert ("Likes tea", "She likes tea now") in await contents(store)


async def test_only_current_facts_of_the_scope(store: Store, clock: Clock) -> None:
    """A fact that is forgotten, expired, superseded or of another scope is in no pair."""
    await store.memories.remember("Lives in Lisbon")
    for n, scope in enumerate(["a", "b"]):
        await store.scoped(scope).memories.remember("She lives in Lisbon")
        assert not await store.scoped(scope).memories.near_duplicates(), n
    forgotten = await store.memories.remember("She lives in Lisbon")
    assert len(await store.memories.near_duplicates()) == 1
    await store.memories.forget(forgotten.id)
    old = await store.memories.remember("She lives in Lisbon now")
    await store.memories.supersede(old.id, "Moved to Porto")
    soon = clock.now + timedelta(minutes=1)
    await store.memories.remember("He lives in Lisbon", expires_at=soon)
    assert len(await store.memories.near_duplicates()) == 1
    clock.advance(minutes=1)
    assert not await store.memories.near_duplicates()


async def test_long_and_odd_texts(store: Store) -> None:
    """What has no words, or more than 2,000 characters, is in no pair; nor does it do any harm."""
    long = "word " * 500
    await remember_all(
        store, "??!x", "%%", "🏴", "🏴🏴", '"a" OR b*', "NEAR(b)", long, f"{long}more"
    )
    assert not {pair for pair in await contents(store, 0.5) if len(pair[0]) > 100}


@pytest.mark.parametrize("tokenizer", ["unicode", "trigram"])
async def test_other_tokenizers(url: str, clock: Clock, tokenizer: Any) -> None:
    """By words as they are, or by three characters in a row, what shares most of them is a pair."""
    async with connect(url, clock=clock, search=tokenizer) as store:
        await remember_all(
            store,
            "東京の大学で数学を勉強している",
            "彼女は東京の大学で数学を勉強している",
            "大阪の会社で働いている",
            "Lebt seit 2019 in Lissabon",
            "lebt, seit 2019, in Lissabon - gern",
        )
        texts = {first for first, _ in await contents(store, 0.7)}
        assert "Lebt seit 2019 in Lissabon" in texts
        assert ("東京の大学で数学を勉強している" in texts) == (tokenizer == "trigram")


async def merge_in_vain(store: Store) -> None:
    """Find and merge near-duplicates in a transaction that fails."""
    async with store.transaction() as tx:
        await tx.memories.remember("She lives in Lisbon now")
        (pair,) = await tx.memories.near_duplicates()
        text = "Lives in Lisbon (Alfama)"
        await tx.memories.merge(pair.first.id, pair.second.id, text)
        assert not await tx.memories.near_duplicates()
        assert [its.content async for its in tx.memories.iterate()] == [text]
        raise ZeroDivisionError


async def test_in_a_transaction(store: Store) -> None:
    """It sees what its transaction has written, and a merge is undone with it."""
    await store.memories.remember("Lives in Lisbon")
    await store.memories.near_duplicates()
    with pytest.raises(ZeroDivisionError):
        await merge_in_vain(store)
    assert [its.content async for its in store.memories.iterate()] == ["Lives in Lisbon"]


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("threshold", {"threshold": 0.49}),
        ("threshold", {"threshold": 1.01}),
        ("threshold", {"threshold": True}),
        ("threshold", {"threshold": "0.8"}),
        ("threshold", {"threshold": float("nan")}),
        ("limit", {"limit": 0}),
        ("after", {"after": "x"}),
        ("after", {"after": "3~2026-01-01"}),
        ("after", {"after": "3~2026-01-01~"}),
        ("after", {"after": "3~2026-01-01~x"}),
        ("after", {"after": "3~~4"}),
    ],
)
async def test_arguments(store: Store, field: str, wrong: dict[str, Any]) -> None:
    """What is not accepted is an error that names it."""
    with pytest.raises(InvalidInputError) as error:
        await store.memories.near_duplicates(**wrong)
    assert error.value.field == field


# --- merging -----------------------------------------------------------------------------------


async def test_merge(store: Store) -> None:
    """One fact is left, under its id; the other is its history, no longer current."""
    keep, drop = await remember_all(store, "She lives in Lisbon now", "Lives in Lisbon")
    merged = await store.memories.merge(keep.id, drop.id)
    assert merged == keep
    assert await store.memories.get(keep.id) == keep
    assert [its.id async for its in store.memories.iterate()] == [keep.id]
    assert [its.id for its in await store.memories.history(keep.id)] == [drop.id]
    assert (await store.memories.get(drop.id)).superseded_by == keep.id
    assert not await store.memories.near_duplicates()
    assert [hit.entry.id for hit in await store.memories.search("Lisbon")] == [keep.id]


async def test_merge_with_another_text(store: Store) -> None:
    """The fact that is kept gets the new text and its hash, and is found by it."""
    keep, drop = await remember_all(store, "Lives in Lisbon", "She lives in Alfama")
    text = "She lives in Lisbon, in Alfama"
    merged = await store.memories.merge(keep.id, drop.id, text)
    assert (merged.id, merged.content, merged.content_hash) == (keep.id, text, content_hash(text))
    assert await store.memories.find_by_content(text) == merged
    assert await store.memories.find_by_content("Lives in Lisbon") is None
    (hit,) = await store.memories.search("Alfama")
    assert hit.entry == merged
    again = await store.memories.remember("Lives in Lisbon", source="inferred")
    assert again.outcome == "created"
    assert (await store.memories.merge(keep.id, again.id, text.upper())).content == text.upper()


async def test_merge_chains(store: Store) -> None:
    """What both had superseded is the history of the one that is kept, and is forgotten with it."""
    a, b = await remember_all(store, "Lives in Rome", "Lived in Milan")
    keep = (await store.memories.supersede(a.id, "Lives in Lisbon")).entry
    drop = (await store.memories.supersede(b.id, "She lives in Lisbon")).entry
    await store.memories.merge(keep.id, drop.id)
    assert {its.id for its in await store.memories.history(keep.id)} == {a.id, b.id, drop.id}
    await store.memories.forget(keep.id)
    assert await store.memories.count() == 0
    await store.memories.restore(keep.id)
    assert [its.id async for its in store.memories.iterate()] == [keep.id]


async def test_what_was_dropped_stays_away(store: Store) -> None:
    """A text that was dropped is held back when it is inferred, and comes back when the user says it."""
    keep, drop = await remember_all(store, "Lives in Lisbon", "She lives in Lisbon now")
    await store.memories.merge(keep.id, drop.id)
    inferred = await store.memories.remember(drop.content, source="inferred")
    assert inferred.outcome == "superseded"
    assert (await store.memories.remember(drop.content)).outcome == "restored"
    assert len(await store.memories.near_duplicates()) == 1


async def test_what_is_taken_over(store: Store, clock: Clock) -> None:
    """The later expiry and access hold, and what the user said outranks what was inferred."""
    later = clock.now + timedelta(days=9)
    keep = await store.memories.remember(
        "Lives in Lisbon", source="inferred", expires_at=clock.now + timedelta(days=1), category="a"
    )
    clock.advance(minutes=5)
    drop = await store.memories.remember(
        "She lives in Lisbon", expires_at=later, metadata={"a": 1}, category="b"
    )
    merged = await store.memories.merge(keep.id, drop.id)
    assert (merged.source, merged.expires_at) == ("user_explicit", later)
    assert merged.last_accessed == clock.now
    assert (merged.category, merged.metadata) == ("a", None)
    never = await store.memories.remember("Lives now in Lisbon", source="inferred")
    merged = await store.memories.merge(keep.id, never.id)
    assert (merged.source, merged.expires_at) == ("user_explicit", None)


_SET = {
    name: Statement(
        f"test.set_{name}",
        f"UPDATE `memory_entries` SET `{name}`=:value WHERE `id`=:id AND `scope`=:scope",
    )
    for name in ("slot", "pinned_at", "due_at", "surfaced_at")
}
_BEFORE = "2026-01-01T00:00:00.000Z"
_THEN = "2026-03-03T00:00:00.000Z"


async def give(store: Store, fact: MemoryEntry, **values: str) -> None:
    """Give a fact what other methods do."""
    for name, value in values.items():
        await store.connection.write((_SET[name].bind(value=value, id=fact.id, scope=""),))


async def test_slot_pin_and_due_date(store: Store) -> None:
    """The fact that is kept takes the slot, pin and due date that only the other has, and keeps its own."""
    a, b, c = await remember_all(store, "Lives in Lisbon", "In Lisbon she lives", "Lisbon: lives")
    await give(store, b, slot="home", pinned_at=_THEN, due_at=_THEN, surfaced_at=_THEN)
    merged = await store.memories.merge(a.id, b.id)
    taken = merged.to_dict()
    assert taken["slot"] == "home"
    assert {taken[name] for name in ("pinned_at", "due_at", "surfaced_at")} == {_THEN}
    await give(store, c, slot="home", pinned_at=_BEFORE, due_at=_BEFORE, surfaced_at=_BEFORE)
    assert await store.memories.merge(a.id, c.id) == merged


async def test_a_date_to_come_is_not_lost(store: Store, clock: Clock) -> None:
    """A date that was brought up gives way to one that was not, and to no other; of two to come, the own one stays."""
    a, b, c, d = await remember_all(store, "Sees Dr Li", "Dr Li sees her", "To Dr Li", "Dr Li")
    await give(store, a, due_at=_BEFORE, surfaced_at=_THEN)
    await give(store, b, due_at=_THEN)
    await give(store, c, due_at=_BEFORE)
    await give(store, d, due_at=_BEFORE, surfaced_at=_BEFORE)
    merged = await store.memories.merge(a.id, b.id)
    assert (merged.to_dict()["due_at"], merged.surfaced_at) == (_THEN, None)
    for other in (c, d):
        assert await store.memories.merge(a.id, other.id) == merged


async def test_what_was_brought_up_stays_so(store: Store) -> None:
    """What was brought up without a date is not pending again when another without a date is merged into it."""
    keep, drop = await remember_all(store, "Wants to call Dr Li", "Wants a call to Dr Li")
    (surfaced,) = await store.memories.surfaced(keep.id)
    assert (await store.memories.merge(keep.id, drop.id)).surfaced_at == surfaced.surfaced_at
    assert not (await store.memories.surface()).pending


async def test_another_slot(store: Store) -> None:
    """Facts that fill different slots are not merged, and stay as they are."""
    a, b = await remember_all(store, "Lives in Lisbon", "In Lisbon she lives")
    await give(store, a, slot="home")
    await give(store, b, slot="work")
    before = [its async for its in store.memories.iterate()]
    with pytest.raises(ConflictError, match="fills another slot") as error:
        await store.memories.merge(a.id, b.id, "Lives and works in Lisbon")
    assert error.value.other_id == b.id
    assert [its async for its in store.memories.iterate()] == before


async def test_conflicts(store: Store) -> None:
    """A fact that is superseded, or a text that another fact states, is a conflict; nothing changes."""
    a, b, c, d = await remember_all(store, "one", "two", "three", "four")
    await store.memories.merge(a.id, b.id)
    before = [its async for its in store.memories.iterate()]
    for keep, drop, text, other in (
        (a, b, None, a),
        (b, c, None, a),
        (b, c, "new", a),
        (a, c, "FOUR!", d),
        (a, c, "three", c),
        (a, c, "two", b),
    ):
        with pytest.raises(ConflictError) as error:
            await store.memories.merge(keep.id, drop.id, text)
        assert error.value.other_id == other.id
    assert [its async for its in store.memories.iterate()] == before


async def test_not_found(store: Store, clock: Clock) -> None:
    """What is forgotten, expired, of another scope or not there is not found; nothing changes."""
    fact, forgotten = await remember_all(store, "one", "two")
    await store.memories.forget(forgotten.id)
    soon = clock.now + timedelta(minutes=1)
    expired = await store.memories.remember("three", expires_at=soon)
    clock.advance(minutes=1)
    foreign = await store.scoped("a").memories.remember("one")
    for missing in (forgotten.id, expired.id, foreign.id, 999):
        for pair in ((fact.id, missing), (missing, fact.id)):
            for text in (None, "new"):
                with pytest.raises(NotFoundError, match=f"no fact with id {missing} "):
                    await store.memories.merge(*pair, text)
    assert [its async for its in store.memories.iterate()] == [fact]
    assert await store.scoped("a").memories.count() == 1


async def test_wrong_arguments(store: Store) -> None:
    """Ids that are none, the same id twice and a blank text are errors that name the argument."""
    await remember_all(store, "one", "two")
    wrong: Any = "1"
    for field, call in (
        ("keep", store.memories.merge(wrong, 2)),
        ("drop", store.memories.merge(1, 0)),
        ("drop", store.memories.merge(1, 1)),
        ("content", store.memories.merge(1, 2, " ")),
    ):
        with pytest.raises(InvalidInputError) as error:
            await call
        assert error.value.field == field
    assert await store.memories.count() == 2


async def test_merges_at_once(store: Store) -> None:
    """Of tasks that merge the same facts in all directions, one fact is left, and all others lead to it."""
    facts = await remember_all(store, *(f"fact {n}" for n in range(6)))
    ids = [fact.id for fact in facts]

    async def attempt(merge: Callable[[int, int], Awaitable[MemoryEntry]], *pair: int) -> bool:
        try:
            await merge(*pair)
        except ConflictError:
            return False
        return True

    pairs = [(keep, drop) for keep in ids for drop in ids if keep != drop]
    done = await asyncio.gather(*(attempt(store.memories.merge, *pair) for pair in pairs))
    assert sum(done) == len(ids) - 1
    (left,) = [its async for its in store.memories.iterate()]
    history = await store.memories.history(left.id)
    assert {its.id for its in history} == {*ids} - {left.id}


async def test_merge_is_guarded(store: Store, clock: Clock) -> None:
    """The new text passes the guard before anything else."""
    keep, drop = await remember_all(store, "one", "two")
    memories = MemoryRepo(
        store.connection,
        clock=clock,
        on_remember=lambda draft: attrs.evolve(draft, text=(draft.text or "").upper()),
    )
    assert (await memories.merge(keep.id, drop.id, "one, two")).content == "ONE, TWO"
