"""What becomes of a fact that is stated again, on every driver: what is kept, what is said, what stays gone."""

from __future__ import annotations

from typing import Any

import pytest

from memrepo import MemoryNew, Store
from memrepo.repositories.memories import MemoryRepo

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
