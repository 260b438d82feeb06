"""What becomes of a fact that is stated again, on every driver: what is kept, what is said, what stays gone."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest

import memrepo
from memrepo import (
    ConflictError,
    InvalidInputError,
    MemoryEntry,
    MemoryFilter,
    MemoryNew,
    MemoryRepo,
    NotFoundError,
    Store,
    content_hash,
)
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio

#: Two texts that are one fact by the folded rule, and not one for the person who typed them.
WRONG = "The wifi password is maple7tree"
RIGHT = "The wifi password is Maple7Tree"


# --- what is ignored ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "ignored"),
    [
        ({}, ()),
        ({"content": WRONG}, ()),
        ({"content": RIGHT}, ("content",)),
        ({"content": f" {WRONG}"}, ("content",)),
        ({"category": "home"}, ()),
        ({"category": "fact"}, ("category",)),
        ({"metadata": {"n": 1, "m": [True]}}, ()),
        ({"metadata": {"m": [True], "n": 1}}, ()),
        ({"metadata": {"n": 1, "m": [1]}}, ("metadata",)),
        ({"metadata": {}}, ("metadata",)),
        (
            {"category": "x", "metadata": {"n": 2}, "content": RIGHT},
            ("content", "metadata", "category"),
        ),
    ],
    ids=str,
)
@pytest.mark.parametrize("is_back", [False, True], ids=["known", "forgotten"])
async def test_ignored(
    store: Store, given: dict[str, Any], ignored: tuple[str, ...], *, is_back: bool
) -> None:
    """A known fact says what of the new statement it did not take, alone and in bulk, and nothing else."""
    memories = store.memories
    first = await memories.remember(WRONG, category="home", metadata={"n": 1, "m": [True]})
    assert first.ignored == ()
    new = MemoryNew(**{"content": WRONG, **given})
    outcome = "restored" if is_back else "duplicate"
    if is_back:
        await memories.forget(first.id)
    one = await memories.remember(new.content, category=new.category, metadata=new.metadata)
    if is_back:
        await memories.forget(first.id)
    (many,) = await memories.remember_many([new])
    assert (one.outcome, one.ignored) == (many.outcome, many.ignored) == (outcome, ignored)
    assert one.to_dict()["ignored"] == list(ignored)
    kept = await memories.get(first.id)
    assert (kept.content, kept.category, kept.metadata) == (WRONG, "home", {"n": 1, "m": [True]})


async def test_ignored_of_a_list(store: Store) -> None:
    """Each mention in a list is compared with the fact as it is stored, the first of a new one included."""
    results = await store.memories.remember_many(
        [
            MemoryNew(content=WRONG, metadata={"n": 1}),
            MemoryNew(content=RIGHT, category="fact"),
            MemoryNew(content=WRONG, category="home", metadata={"n": 1}),
        ]
    )
    assert [result.ignored for result in results] == [(), ("content",), ("category",)]
    assert results[0].entry.category == "fact"


async def test_ignored_without_stored_metadata(store: Store) -> None:
    """Metadata for a fact that has none is not stored, and said to be ignored."""
    await store.memories.remember(WRONG)
    assert (await store.memories.remember(WRONG, metadata={})).ignored == ("metadata",)


async def test_ignored_by_supersede(store: Store) -> None:
    """What replaces a fact is known or not, like any other; what it takes over was not given."""
    memories: MemoryRepo = store.memories
    known = await memories.remember(WRONG, category="home")
    old = await memories.remember("The wifi has no password", category="web", metadata={"n": 1})
    new = await memories.supersede(old.id, RIGHT)
    assert (new.id, new.ignored) == (known.id, ("content",))
    newer = await memories.supersede(known.id, "The wifi has two passwords", metadata={"n": 2})
    assert (newer.outcome, newer.ignored) == ("created", ())
    last = await memories.supersede(newer.id, RIGHT, metadata={"n": 1}, category="x")
    assert (last.outcome, last.ignored) == ("restored", ("content", "metadata", "category"))


# --- correcting a text -------------------------------------------------------------------------


async def test_update_content(store: Store) -> None:
    """A text is corrected under its id, and the fact is then known by the new text alone."""
    memories = store.memories
    fact = await memories.remember("Lives in Pari", category="place", metadata={"n": 1})
    changed = await memories.update(fact.id, content="Lives in Paris", category="home")
    assert changed == await memories.get(fact.id)
    assert (changed.content, changed.category) == ("Lives in Paris", "home")
    assert (changed.metadata, changed.created_at) == ({"n": 1}, fact.entry.created_at)
    assert changed.content_hash == content_hash("lives in paris")
    assert await memories.find_by_content("Lives in Pari") is None
    assert (await memories.remember("lives in paris.")).id == fact.id
    assert (await memories.remember("Lives in Pari")).outcome == "created"
    assert await store.verify() == []


async def test_update_content_to_another_spelling(store: Store) -> None:
    """What makes no other fact can be put right: the case, in which `remember` keeps the first text."""
    fact = await store.memories.remember(WRONG)
    changed = await store.memories.update(fact.id, content=RIGHT)
    assert (changed.id, changed.content, changed.content_hash) == (
        fact.id,
        RIGHT,
        fact.entry.content_hash,
    )


@pytest.mark.parametrize("state", ["current", "forgotten", "expired", "superseded"])
async def test_update_content_to_that_of_another(store: Store, clock: Clock, state: str) -> None:
    """No two facts of a scope state the same: the error has the other's id, and nothing is changed."""
    memories = store.memories
    expires_at = clock.now + timedelta(hours=1) if state == "expired" else None
    other = await memories.remember("Likes tea", expires_at=expires_at)
    elsewhere = await store.scoped("user:2").memories.remember("Likes coffee")
    fact = await memories.remember("Likes coffee", category="taste")
    if state == "forgotten":
        await memories.forget(other.id)
    elif state == "expired":
        clock.advance(hours=2)
    elif state == "superseded":
        await memories.supersede(other.id, "Likes cocoa")
    with pytest.raises(ConflictError) as caught:
        await memories.update(fact.id, content="likes TEA!", category="x")
    assert caught.value.other_id == other.id
    assert str(other.id) in str(caught.value)
    assert await memories.get(fact.id) == fact.entry
    assert await store.scoped("user:2").memories.get(elsewhere.id) == elsewhere.entry
    changed = await store.scoped("user:2").memories.update(elsewhere.id, content="Likes tea")
    assert changed.content == "Likes tea"


async def test_update_content_of_what_is_not_there(store: Store) -> None:
    """A forgotten fact is not found, whether its new text is free or not; a bad text is refused."""
    memories = store.memories
    fact = await memories.remember("Likes tea")
    await memories.forget((await memories.remember("Likes coffee")).id)
    for content in ("Likes tea", "Likes coffee", "Likes cocoa"):
        with pytest.raises(NotFoundError):
            await memories.update(fact.id + 1, content=content)
    for bad in ("", " .", None, b"x", "a\0b"):
        with pytest.raises(InvalidInputError, match=r"^content: "):
            await memories.update(fact.id, content=cast("str", bad))
    assert await memories.get(fact.id) == fact.entry


async def test_update_content_at_once(store: Store) -> None:
    """Of several corrections to one text at the same moment, one happens, and the others name its fact."""
    memories = store.memories
    facts = await memories.remember_many(MemoryNew(content=f"draft {n}") for n in range(5))
    calls = (memories.update(fact.id, content="The final text") for fact in facts)
    results = await asyncio.gather(*calls, return_exceptions=True)
    (changed,) = [result for result in results if isinstance(result, MemoryEntry)]
    conflicts = [result for result in results if isinstance(result, ConflictError)]
    assert [conflict.other_id for conflict in conflicts] == [changed.id] * 4
    assert {fact.content for fact in await memories.find_many()} == {
        "The final text",
        *(fact.entry.content for fact in facts if fact.id != changed.id),
    }


async def test_update_content_in_a_transaction(store: Store) -> None:
    """A correction is undone with its transaction, and its text is free again."""
    fact = await store.memories.remember("Likes tea")

    async def correct_and_fail() -> None:
        async with store.transaction() as tx:
            await tx.memories.update(fact.id, content="Likes coffee")
            assert (await tx.memories.remember("likes coffee")).id == fact.id
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await correct_and_fail()
    assert await store.memories.get(fact.id) == fact.entry
    assert (await store.memories.remember("Likes coffee")).outcome == "created"


async def test_superseded_conflict_names_the_successor(store: Store) -> None:
    """Who supersedes a fact too late learns which fact has replaced it."""
    old = await store.memories.remember("Likes tea")
    new = await store.memories.supersede(old.id, "Likes coffee")
    with pytest.raises(ConflictError) as caught:
        await store.memories.supersede(old.id, "Likes cocoa")
    assert caught.value.other_id == new.id


# --- what stays gone ---------------------------------------------------------------------------


async def hide(memories: MemoryRepo, content: str, how: str) -> MemoryEntry:
    """Store a fact, forget it or replace it, and return it as it is then."""
    fact = await memories.remember(content)
    if how != "forgotten":
        await memories.supersede(fact.id, f"not {content}")
    if how != "superseded":
        await memories.forget(fact.id)
    where = MemoryFilter(include_forgotten=True, include_superseded=True)
    return next(entry for entry in await memories.find_many(where) if entry.id == fact.id)


async def everything(memories: MemoryRepo) -> list[MemoryEntry]:
    where = MemoryFilter(include_forgotten=True, include_expired=True, include_superseded=True)
    return list(await memories.find_many(where))


@pytest.mark.parametrize("how", ["forgotten", "superseded", "both"])
@pytest.mark.parametrize("source", ["inferred", "jarvis_inferred", "import"])
async def test_only_the_user_brings_back(store: Store, clock: Clock, how: str, source: str) -> None:
    """What was forgotten or replaced stays so when anybody but the user states it, and nothing changes."""
    memories = store.memories
    gone = await hide(memories, "Likes tea", how)
    clock.advance(hours=1)
    before = await everything(memories)
    new = MemoryNew(content="likes tea", source=source, metadata={"n": 1})
    one = await memories.remember(new.content, source=source, metadata=new.metadata)
    many = await memories.remember_many([new, MemoryNew(content="Has a dog"), new])
    outcome = "superseded" if how == "superseded" else "forgotten"
    assert [its.outcome for its in (one, *many)] == [outcome, outcome, "created", outcome]
    assert one.entry == many[0].entry == many[2].entry == gone
    assert one.ignored == many[0].ignored == ("content", "metadata")
    await memories.forget(many[1].id)
    await memories.purge(clock.advance(hours=1))
    kept = [fact for fact in before if fact.deleted_at is None]
    assert [fact for fact in await everything(memories) if fact.deleted_at is None] == kept


@pytest.mark.parametrize("how", ["forgotten", "superseded", "both"])
async def test_one_mention_by_the_user_is_enough(store: Store, how: str) -> None:
    """A list in which the user says it brings a fact back, whoever mentions it first."""
    gone = await hide(store.memories, "Likes tea", how)
    sources = ["inferred", "user_explicit", "inferred"]
    facts = [MemoryNew(content="Likes tea", source=source) for source in sources]
    results = await store.memories.remember_many(facts)
    assert [its.outcome for its in results] == ["restored", "duplicate", "duplicate"]
    assert results[0].entry == await store.memories.get(gone.id)
    assert (results[0].entry.deleted_at, results[0].entry.superseded_by) == (None, None)


@pytest.mark.parametrize("in_bulk", [False, True], ids=["one", "many"])
async def test_an_expired_fact_returns(store: Store, clock: Clock, *, in_bulk: bool) -> None:
    """What only expired is brought back by whoever states it: nobody wanted it gone."""
    memories = store.memories
    fact = await memories.remember("Is in Rome", expires_at=clock.now + timedelta(hours=1))
    clock.advance(hours=2)
    if in_bulk:
        (back,) = await memories.remember_many([MemoryNew(content="Is in Rome", source="inferred")])
    else:
        back = await memories.remember("Is in Rome", source="inferred")
    assert (back.outcome, back.id, back.entry.expires_at) == ("restored", fact.id, None)
    assert back.entry.source == "user_explicit"


@pytest.mark.parametrize("how", ["forgotten", "superseded"])
async def test_supersede_by_what_stays_gone(store: Store, clock: Clock, how: str) -> None:
    """A fact is not replaced by one that stays gone: nothing is changed, and the outcome says so."""
    memories = store.memories
    gone = await hide(memories, "Likes tea", how)
    fact = await memories.remember("Likes cocoa")
    clock.advance(hours=1)
    before = await everything(memories)
    held = await memories.supersede(fact.id, "likes tea", source="inferred")
    assert (held.outcome, held.entry, held.ignored) == (how, gone, ("content",))
    assert await everything(memories) == before
    back = await memories.supersede(fact.id, "likes tea")
    assert (back.outcome, back.id) == ("restored", gone.id)
    assert (await memories.get(fact.id)).superseded_by == gone.id


async def test_many_at_once_stay_gone(store: Store) -> None:
    """Calls that run as one are held back or let through one by one."""
    memories = store.memories
    gone = await hide(memories, "Likes tea", "forgotten")
    calls = [memories.remember("Likes tea", source="inferred") for _ in range(8)]
    calls += [memories.remember(f"fact {n}", source="inferred") for n in range(8)]
    results = await asyncio.gather(*calls)
    assert [its.outcome for its in results] == ["forgotten"] * 8 + ["created"] * 8
    assert {its.id for its in results[:8]} == {gone.id}


async def test_explicit_sources(url: str, clock: Clock) -> None:
    """The store's own names for the user bring back and outrank as ``user_explicit`` does, and stay its own."""
    async with memrepo.connect(url, clock=clock, explicit_sources=["app:user"]) as store:
        memories = store.scoped("user:1").memories
        for source, outcome in (("app", "forgotten"), ("app:user", "restored")):
            gone = await hide(memories, "Likes tea", "forgotten")
            back = await memories.remember("Likes tea", source=source)
            assert (back.outcome, back.id) == (outcome, gone.id)
            await memories.forget(gone.id)
            (back,) = await memories.remember_many([MemoryNew(content="Likes tea", source=source)])
            assert (back.outcome, back.id) == (outcome, gone.id)
        for n, bulk in enumerate([False, True]):
            text = f"inferred {n}"
            await memories.remember(text, source="inferred")
            if bulk:
                (again,) = await memories.remember_many(
                    [MemoryNew(content=text, source="app:user")]
                )
            else:
                again = await memories.remember(text, source="app:user")
            assert (again.outcome, again.entry.source) == ("duplicate", "app:user")
            again = await memories.remember(text, source="user_explicit")
            assert again.entry.source == "app:user"


async def test_created_before(store: Store, clock: Clock) -> None:
    """An imported fact was created and accessed when it was first known, in any zone; a known fact keeps its own."""
    before = datetime(2020, 1, 1, 1, tzinfo=ZoneInfo("Europe/Berlin"))
    known = await store.memories.remember("Known")
    new = [
        MemoryNew(content="Old", created_at=before),
        MemoryNew(content="New"),
        MemoryNew(content="known.", created_at=before),
        MemoryNew(content="old", created_at=before - timedelta(days=1)),
    ]
    old, now, *duplicates = await store.memories.remember_many(new)
    assert (old.outcome, old.entry.created_at, old.entry.last_accessed) == (
        "created", before, before
    )  # fmt: skip
    assert (now.outcome, now.entry.created_at) == ("created", clock.now)
    assert now.entry.last_accessed == clock.now
    assert [(its.outcome, its.entry.created_at) for its in duplicates] == [
        ("duplicate", known.entry.created_at),
        ("duplicate", before),
    ]
    assert [fact.content for fact in await store.memories.find_many()][-1] == "Old"
    apart = [
        MemoryNew(content="Filled", slot="home", created_at=before),
        MemoryNew(content="Proposed", proposed=True, created_at=before),
    ]
    for its in await store.memories.remember_many(apart):
        assert (its.entry.created_at, its.entry.last_accessed) == (before, before)
    wrong = MemoryNew(content="x", created_at=datetime(2020, 1, 1))  # noqa: DTZ001 - that is the point
    with pytest.raises(InvalidInputError) as caught:
        await store.memories.remember_many([wrong])
    assert caught.value.field == "facts[0].created_at"
