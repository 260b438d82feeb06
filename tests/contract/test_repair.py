"""`Store.repair` on every driver: facts that another program edited are found by their text again."""

from __future__ import annotations

import pytest

from memrepo import MemoryNew, Statement, Store
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio


async def test_an_edited_fact(store: Store) -> None:
    """Verify names the facts, repair says what it did, and nothing is left to be named."""
    await store.memories.remember_many(MemoryNew(content=text) for text in ("tea", "jam", "dog"))
    edit = "UPDATE memory_entries SET content = CASE id WHEN 1 THEN 'coffee' ELSE 'DOG' END WHERE id < 3"
    await store.connection.write((Statement("another.program", edit).bind(),))
    assert [problem.id for problem in await store.verify()] == [1, 2]
    assert [(its.id, its.detail) for its in await store.repair()] == [
        (1, "its text was hashed anew"),
        (2, "states what fact 3 states, and is superseded by it"),
    ]
    assert await store.verify() == []
    assert (await store.memories.remember("coffee")).id == 1
    assert (await store.memories.remember("dog")).id == 3
    assert (await store.memories.remember("tea")).outcome == "created"


async def test_a_fact_edited_to_what_it_had_replaced(store: Store) -> None:
    """It stays current under its id, however long ago it replaced the text: no chain is closed to a circle."""
    rome = await store.memories.remember("Lives in Rome")
    oslo = await store.memories.supersede(rome.id, "Lives in Oslo")
    bonn = await store.memories.supersede(oslo.id, "Lives in Bonn")
    edit = f"UPDATE memory_entries SET content = 'lives in ROME' WHERE id = {bonn.id}"
    await store.connection.write((Statement("another.program", edit).bind(),))
    assert [its.detail for its in await store.repair()] == ["its text was hashed anew"]
    assert [fact.id for fact in await store.memories.find_many()] == [bonn.id]
    assert [fact.id for fact in await store.memories.history(bonn.id)] == [rome.id, oslo.id]
    assert (await store.memories.remember("Lives in Rome")).id == bonn.id
    assert await store.verify() == []


async def test_indexes_can_be_rebuilt(store: Store) -> None:
    """What repair runs on a damaged index runs on every driver."""
    await store.memories.remember("tea")
    for sql in ("PRAGMA integrity_check(`memory_entries`)", "REINDEX `memory_entries`"):
        await store.connection.write((Statement("repair", sql, is_pragma=True).bind(),))
    assert await store.repair() == []


async def test_what_a_repaired_slot_hands_on(store: Store, clock: Clock) -> None:
    """A fact that a repair supersedes in its slot hands on its pin and its date, as in any correction."""
    paris = await store.memories.remember("Paris", slot="city", due_at=clock.now)
    pinned = await store.memories.pin(paris.id)
    await store.memories.remember("Rome")
    sql = "UPDATE memory_entries SET slot = 'city' WHERE content = 'Rome'"
    await store.connection.write((Statement("another.program", sql).bind(),))
    assert [its.kind for its in await store.repair()] == ["slot"]
    rome = await store.memories.in_slot("city")
    assert rome is not None
    assert (rome.content, rome.pinned_at, rome.due_at) == ("Rome", pinned.pinned_at, clock.now)
    assert [its.entry.id for its in (await store.memories.surface()).due] == [rome.id]
