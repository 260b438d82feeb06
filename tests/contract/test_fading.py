"""Facts that fade, and are forgotten: on every driver."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from memrepo import InvalidInputError, MemoryNew, Statement, Store
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio

#: When 0.9 has faded of a fact: a little less than 100 days.
FADED = timedelta(days=100)
NEVER_ACCESSED = Statement(
    "test.never_accessed", "UPDATE memory_entries SET last_accessed=NULL WHERE id=:id"
)


async def known(store: Store) -> set[str]:
    return {fact.content async for fact in store.memories.iterate()}


async def test_what_fades(store: Store, clock: Clock) -> None:
    """What was only inferred fades with the time since its last access, or since its creation without one."""
    memories = store.memories
    await memories.remember("Likes tea")
    await memories.remember("Is a vegan", source="calendar")
    old = await memories.remember("Prefers mornings", source="inferred")
    theirs = await memories.remember("Prefers short answers", source="jarvis_inferred")
    await memories.remember("Was touched", source="inferred")
    await store.connection.write((NEVER_ACCESSED.bind(id=theirs.id),))
    clock.now += FADED - timedelta(days=1)
    touched = await memories.find_by_content("was touched")
    assert touched is not None
    await memories.touch(touched.id)
    assert await memories.fading() == []
    clock.advance(days=1)
    assert [fact.id for fact in await memories.fading()] == [theirs.id, old.id]
    assert [fact.id for fact in await memories.fading(limit=1)] == [theirs.id]
    assert await store.scoped("ada").memories.fading() == []


@pytest.mark.parametrize(
    ("arguments", "days"),
    [
        ({"threshold": 0.5}, 30),
        ({"threshold": 0.75}, 60),
        ({"threshold": 0.5, "half_life": timedelta(days=1)}, 1),
        ({"threshold": 0.5, "sources": ["calendar"]}, 30),
    ],
)
async def test_from_when(store: Store, clock: Clock, arguments: Any, days: int) -> None:
    """The threshold, the half-life and the sources say from when; a millisecond before, nothing has faded."""
    source = arguments.get("sources", ["inferred"])[0]
    await store.memories.remember_many(
        MemoryNew(content=its, source=its) for its in ("inferred", "calendar", "user_explicit")
    )
    clock.advance(days=days, milliseconds=-1)
    assert await store.memories.fading(**arguments) == []
    assert await store.memories.forget_faded(**arguments, dry_run=True) == 0
    clock.advance(milliseconds=1)
    assert [fact.content for fact in await store.memories.fading(**arguments)] == [source]
    assert await store.memories.forget_faded(**arguments, dry_run=True) == 1


async def test_forget_faded(store: Store, clock: Clock) -> None:
    """They are forgotten with what they superseded, can be restored, and a dry run only counts them."""
    memories = store.memories
    first = await memories.remember("Lives in York", source="inferred")
    await memories.supersede(first.id, "Lives in Leeds", source="inferred")
    never = await memories.remember("Prefers mornings", source="jarvis_inferred")
    await store.connection.write((NEVER_ACCESSED.bind(id=never.id),))
    await memories.remember("Likes tea")
    clock.now += FADED
    await memories.remember("Is new", source="inferred")
    everything = await known(store)
    assert await memories.forget_faded(dry_run=True) == 2
    assert await known(store) == everything
    assert await memories.forget_faded() == 2
    assert await known(store) == {"Likes tea", "Is new"}
    assert await memories.forget_faded() == await memories.forget_faded(dry_run=True) == 0
    listed = await memories.forgotten()
    assert {fact.content for fact in listed} == {"Lives in Leeds", "Prefers mornings"}
    for fact in listed:
        assert fact.deleted_at == clock.now
        await memories.restore(fact.id)
    assert await known(store) == everything
    assert [fact.id for fact in await memories.history(first.id + 1)] == [first.id]


async def test_more_than_one_unit(store: Store, clock: Clock) -> None:
    """All of them are forgotten, past those that do not fade, slice by slice."""
    sources = ("inferred", "user_explicit", "inferred")
    for day in range(3):
        await store.memories.remember_many(
            MemoryNew(content=f"fact {day} {n}", source=sources[n % 3]) for n in range(600)
        )
        clock.advance(days=1)
    clock.now += FADED
    assert len(await store.memories.fading(limit=10_000)) == 1_200
    assert await store.memories.forget_faded(dry_run=True) == 1_200
    assert await store.memories.forget_faded() == 1_200
    assert await store.memories.count() == 600


async def test_nothing_fades_before_the_first_year(store: Store) -> None:
    """A half-life so long that its beginning is no date lets nothing fade."""
    await store.memories.remember("tea", source="inferred")
    assert await store.memories.fading(half_life=timedelta(days=900_000_000)) == []
    assert await store.memories.forget_faded(half_life=timedelta.max) == 0


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"threshold": 0}, "threshold"),
        ({"threshold": 1}, "threshold"),
        ({"threshold": float("nan")}, "threshold"),
        ({"threshold": "0.9"}, "threshold"),
        ({"half_life": 30}, "half_life"),
        ({"half_life": timedelta(0)}, "half_life"),
        ({"sources": "inferred"}, "sources"),
        ({"sources": [""]}, r"sources\[0\]"),
    ],
)
async def test_arguments(store: Store, arguments: dict[str, Any], field: str) -> None:
    """What is no share, no duration or no source is refused, and nothing is forgotten."""
    with pytest.raises(InvalidInputError, match=rf"^{field}: "):
        await store.memories.fading(**arguments)
    with pytest.raises(InvalidInputError, match=rf"^{field}: "):
        await store.memories.forget_faded(**arguments)
    with pytest.raises(InvalidInputError, match=r"^limit: "):
        await store.memories.fading(limit=0)
    with pytest.raises(InvalidInputError, match=r"^dry_run: "):
        await store.memories.forget_faded(dry_run=1)  # type: ignore[arg-type]
