"""`Store.import_lines` where the target knows facts of the export: what these superseded, and the slots they fill."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

import memrepo
from memrepo import InvalidInputError, MemoryFilter, MemoryNew, Statement, Store
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio

_EVERY_STATE = MemoryFilter(include_forgotten=True, include_superseded=True)


async def _lines(store: Store) -> list[bytes]:
    return b"".join([part async for part in store.export_lines()]).splitlines(keepends=True)


async def _imported(store: Store, lines: list[bytes]) -> tuple[int, int, int]:
    """How many facts were stored, there already, and known otherwise."""

    async def parts() -> AsyncIterator[bytes]:
        yield b"".join(lines)

    facts = (await store.import_lines(parts())).tables[1]
    return facts.n_imported, facts.n_present, facts.n_known


async def _texts(store: Store, **of: Any) -> set[str]:
    return {fact.content async for fact in store.memories.iterate(**of)}


async def _moved(source: Store, *, is_back: bool, n_between: int) -> None:
    """Store Leeds, which York supersedes, with other facts between them: before York, or after it and that once more."""
    first, second = ("York", "Leeds") if is_back else ("Leeds", "York")
    await source.memories.remember(f"Lives in {first}", slot="home")
    await source.memories.remember_many(MemoryNew(content=f"{n}") for n in range(n_between))
    await source.memories.remember(f"Lives in {second}", slot="home")
    if is_back:
        await source.memories.remember("Lives in York", slot="home")


@pytest.mark.parametrize("n_between", [0, 1_500])
@pytest.mark.parametrize("is_back", [False, True])
async def test_what_a_known_fact_superseded(is_back: bool, n_between: int, clock: Clock) -> None:
    """What a known fact superseded in the export is its history here, is forgotten and purged with it, not before."""
    async with (
        memrepo.connect(":memory:", clock=clock) as source,
        memrepo.connect(":memory:", clock=clock) as target,
    ):
        await _moved(source, is_back=is_back, n_between=n_between)
        await target.memories.remember("Likes tea")
        york = await target.memories.remember("lives in YORK")
        lines = await _lines(source)
        for found in ((n_between + 1, 0, 1), (0, n_between + 1, 1)):
            assert await _imported(target, lines) == found
            history = await target.memories.history(york.id)
            assert [fact.content for fact in history] == ["Lives in Leeds"]
        clock.advance(days=1)
        assert await target.memories.purge(clock.now) == 0
        await target.memories.forget(york.id)
        (leeds,) = history
        assert await target.memories.find(leeds.id) is None
        clock.advance(days=1)
        assert await target.memories.purge(clock.now) == 2
        assert await target.verify() == []


@pytest.mark.parametrize("is_back", [False, True])
async def test_what_a_known_fact_superseded_after_an_interruption(
    is_back: bool, clock: Clock
) -> None:
    """An import that was cut off between a fact and what superseded it brings both together when it is resumed."""
    async with (
        memrepo.connect(":memory:", clock=clock) as source,
        memrepo.connect(":memory:", clock=clock) as target,
    ):
        await _moved(source, is_back=is_back, n_between=1_500)
        york = await target.memories.remember("Lives in York")
        lines = await _lines(source)
        with pytest.raises(InvalidInputError, match="is missing"):
            await _imported(target, lines[:1_200])
        await _imported(target, lines)
        history = await target.memories.history(york.id)
        assert [fact.content for fact in history] == ["Lives in Leeds"]


async def test_no_fact_supersedes_itself(clock: Clock) -> None:
    """A fact that was changed here to say what superseded it in the export is not made its own successor."""
    async with (
        memrepo.connect(":memory:", clock=clock) as source,
        memrepo.connect(":memory:", clock=clock) as target,
    ):
        leeds = await source.memories.remember("Lives in Leeds")
        york = await source.memories.supersede(leeds.id, "Lives in York")
        lines = await _lines(source)
        without = [line for line in lines if json.loads(line).get("id") != york.id]
        assert await _imported(target, without) == (1, 0, 0)
        await target.memories.update(leeds.id, content="Lives in York")
        assert await _imported(target, lines) == (0, 1, 1)
        (fact,) = [fact async for fact in target.memories.iterate(_EVERY_STATE)]
        assert fact.superseded_by != fact.id


# --- slots -------------------------------------------------------------------------------------


async def test_same_fact_in_the_same_slot(clock: Clock) -> None:
    """A fact that the store knows in the same slot is known, whichever export brings it, and the store keeps its own."""
    async with (
        memrepo.connect(":memory:", clock=clock) as source,
        memrepo.connect(":memory:", clock=clock) as target,
        memrepo.connect(":memory:", clock=clock) as empty,
    ):
        await _moved(source, is_back=False, n_between=0)
        mine = await target.memories.remember("lives in YORK", slot="home")
        assert await _imported(target, await _lines(source)) == (1, 0, 1)
        assert await target.memories.in_slot("home") == await target.memories.get(mine.id)
        assert (await target.memories.revert("home")).content == "Lives in Leeds"
        assert await _imported(empty, await _lines(source)) == (2, 0, 0)
        assert await _imported(empty, await _lines(source)) == (0, 0, 2)
        assert await empty.memories.count() == 1


async def test_a_successor_that_is_no_fact_stays_none() -> None:
    """A number below 1 that another program has stored as a successor leads to no fact of the target."""
    async with memrepo.connect(":memory:") as source, memrepo.connect(":memory:") as target:
        await source.memories.remember("one")
        await source.memories.remember("two")
        sql = "UPDATE memory_entries SET superseded_by = 0 WHERE id = 1"
        await source.connection.write((Statement("another.program", sql).bind(),))
        own = await target.memories.remember("own fact")
        assert await _imported(target, await _lines(source)) == (2, 0, 0)
        assert len(await target.memories.history(own.id)) == 0
        assert await _texts(target) == {"own fact", "two"}
