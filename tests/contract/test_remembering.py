"""What becomes of a fact that is stated again, on every driver: what is kept, what is said, what stays gone."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, cast

import pytest

from memrepo import (
    ConflictError,
    InvalidInputError,
    MemoryEntry,
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
