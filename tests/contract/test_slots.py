"""Slots, on every driver: one current fact of a scope fills each, and what replaces it can be undone."""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime, timedelta
from types import FrameType
from typing import Any

import pytest

import memrepo
from memrepo import (
    ConflictError,
    InvalidInputError,
    MemoryFilter,
    MemoryNew,
    MemoryRepo,
    NotFoundError,
    Remembered,
    Store,
)
from memrepo.repositories import outcomes, stating
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio

BONN, ROME, OSLO = "Lives in Bonn", "Lives in Rome", "Lives in Oslo"


async def fill(memories: MemoryRepo, *texts: str, slot: str = "home", **others: Any) -> list[int]:
    return [(await memories.remember(text, slot=slot, **others)).id for text in texts]


async def in_slot(memories: MemoryRepo, slot: str = "home") -> str | None:
    """The text that fills a slot; nothing else fills it."""
    found = await memories.find_many(MemoryFilter(slot=slot))
    filled = await memories.in_slot(slot)
    assert list(found) == ([] if filled is None else [filled])
    return None if filled is None else filled.content


def told(result: Remembered) -> tuple[str, str | None]:
    return result.outcome, None if result.replaced is None else result.replaced.content


# --- filling -----------------------------------------------------------------------------------


async def test_a_new_text_replaces_the_old_one(store: Store) -> None:
    """The first text of a slot is a new fact; the next one supersedes it, and tells so."""
    first = await store.memories.remember(BONN, slot="home")
    assert (told(first), first.entry.slot) == (("created", None), "home")
    again = await store.memories.remember(BONN, slot="home")
    assert (told(again), again.id) == (("duplicate", None), first.id)
    second = await store.memories.remember(ROME, slot="home")
    assert told(second) == ("replaced", BONN)
    assert second.replaced is not None
    assert second.replaced.superseded_by == second.id
    assert await in_slot(store.memories) == ROME
    assert [entry.id for entry in await store.memories.history(second.id)] == [first.id]
    assert second.to_dict()["replaced"] == second.replaced.to_dict()
    assert await store.memories.count() == 1


async def test_a_known_fact_gets_the_slot(store: Store) -> None:
    """A current fact without a slot fills the one that it is given; without one, it keeps its own."""
    known = await store.memories.remember(ROME)
    await fill(store.memories, BONN)
    result = await store.memories.remember(ROME, slot="home")
    assert (told(result), result.id, result.entry.slot) == (("replaced", BONN), known.id, "home")
    again = await store.memories.remember(ROME)
    assert (told(again), again.entry.slot) == (("duplicate", None), "home")
    assert await in_slot(store.memories) == ROME


async def test_a_fact_fills_one_slot(store: Store) -> None:
    """A fact that fills another slot is a conflict that names both, and nothing changes, alone and in bulk."""
    (known,) = await fill(store.memories, BONN)
    await fill(store.memories, ROME, slot="birthplace")
    with pytest.raises(ConflictError, match=f"^fact {known} fills the slot 'home', ") as caught:
        await store.memories.remember(BONN, slot="birthplace")
    assert caught.value.other_id == known
    assert BONN not in str(caught.value)
    batch = [MemoryNew(content="new"), MemoryNew(content=BONN, slot="birthplace")]
    with pytest.raises(ConflictError, match="fills the slot 'home'") as caught:
        await store.memories.remember_many(batch)
    assert caught.value.other_id == known
    assert await store.memories.find_by_content("new") is None
    twice = [MemoryNew(content="new", slot=slot) for slot in ("a", "b")]
    with pytest.raises(ConflictError) as caught:
        await store.memories.remember_many(twice)
    assert caught.value.other_id is None
    assert await store.memories.find_by_content("new") is None
    assert await in_slot(store.memories) == BONN
    assert await in_slot(store.memories, "birthplace") == ROME


async def test_what_was_superseded_comes_back(store: Store) -> None:
    """The user's word for what a slot had before brings it back into the slot, with the slot or without."""
    bonn, rome = await fill(store.memories, BONN, ROME)
    back = await store.memories.remember(BONN, slot="home")
    assert (told(back), back.id) == (("replaced", ROME), bonn)
    back = await store.memories.remember(ROME)
    assert (told(back), back.id) == (("replaced", BONN), rome)
    assert await in_slot(store.memories) == ROME
    await store.memories.forget(rome)
    assert await in_slot(store.memories) is None
    assert told(await store.memories.remember(ROME)) == ("restored", None)
    assert await in_slot(store.memories) == ROME


async def test_another_slot_for_what_is_gone(store: Store) -> None:
    """What is gone comes back in the slot that it is given, whatever it filled before."""
    bonn, _ = await fill(store.memories, BONN, ROME)
    back = await store.memories.remember(BONN, slot="birthplace")
    assert (told(back), back.id, back.entry.slot) == (("restored", None), bonn, "birthplace")
    assert await in_slot(store.memories) == ROME


async def test_scopes_have_their_own_slots(store: Store) -> None:
    """What another scope has in a slot of the same name stays as it is."""
    other = store.scoped("user:1").memories
    await fill(store.memories, BONN)
    assert told(await other.remember(ROME, slot="home")) == ("created", None)
    assert await other.in_slot("home") == (await other.slots())[0]
    assert await in_slot(store.memories) == BONN


@pytest.mark.parametrize("slot", ["", " ", "a\0", "x" * 256, 5])
async def test_slots_that_are_no_names(store: Store, slot: Any) -> None:
    """A slot is a name, wherever one is given."""
    memories = store.memories
    calls = (
        memories.remember(BONN, slot=slot),
        memories.remember_many([MemoryNew(content=BONN, slot=slot)]),
        memories.in_slot(slot),
        memories.revert(slot),
        memories.update(1, slot=slot),
        memories.count(MemoryFilter(slot=slot)),
    )
    for call in calls:
        with pytest.raises(InvalidInputError, match=r"slot: "):
            await call
    with pytest.raises(InvalidInputError, match="overrule: needs a slot"):
        await memories.remember(BONN, overrule=True)
    assert await memories.count() == 0


async def test_none_is_no_slot(store: Store) -> None:
    """To look into a slot, or to revert one, takes its name."""
    nothing: Any = None
    for call in (store.memories.in_slot(nothing), store.memories.revert(nothing)):
        with pytest.raises(InvalidInputError, match="slot: must be a str"):
            await call


async def test_a_session_that_is_not_there(store: Store) -> None:
    """A fact with a slot is learnt in a session of its scope, or not stored."""
    await fill(store.memories, BONN)
    with pytest.raises(NotFoundError):
        await store.memories.remember(ROME, slot="home", session_id=9)
    with pytest.raises(NotFoundError):
        await store.memories.remember(BONN, slot="home", session_id=9)
    with pytest.raises(NotFoundError):
        await store.memories.remember(ROME, slot="home", source="inferred", session_id=9)
    assert await in_slot(store.memories) == BONN
    session = await store.sessions.start()
    result = await store.memories.remember(ROME, slot="home", session_id=session.id)
    assert result.entry.session_id == session.id


# --- what is only inferred ---------------------------------------------------------------------


async def test_inferred_text_does_not_replace_what_the_user_said(store: Store) -> None:
    """It is not even stored: the slot is kept, unless the call overrules it; and what was inferred gives way."""
    await fill(store.memories, BONN)
    kept = await store.memories.remember(ROME, slot="home", source="inferred")
    assert (told(kept), kept.entry.content, kept.ignored) == (("kept", None), BONN, ())
    assert await store.memories.count(MemoryFilter(include_superseded=True)) == 1
    forced = await store.memories.remember(ROME, slot="home", source="inferred", overrule=True)
    assert told(forced) == ("replaced", BONN)
    inferred = await store.memories.remember(OSLO, slot="home", source="inferred")
    assert told(inferred) == ("replaced", ROME)
    said = await store.memories.remember(ROME, slot="home")
    assert (told(said), said.entry.source) == (("replaced", OSLO), "user_explicit")


async def test_a_known_fact_is_kept_out_as_well(store: Store) -> None:
    """Inferred text that is a current fact elsewhere is not refreshed where the slot is kept."""
    known = await store.memories.remember(ROME, source="inferred")
    await fill(store.memories, BONN)
    kept = await store.memories.remember(ROME, slot="home", source="inferred")
    assert (kept.outcome, kept.entry.content) == ("kept", BONN)
    assert await store.memories.get(known.id) == known.entry


async def test_inferred_text_that_is_gone_is_held_back(store: Store) -> None:
    """What was corrected or forgotten stays so when it is inferred for its slot again."""
    bonn, rome = await fill(store.memories, BONN, ROME)
    again = await store.memories.remember(BONN, slot="home", source="inferred")
    assert (told(again), again.id) == (("superseded", None), bonn)
    await store.memories.forget(rome)
    again = await store.memories.remember(ROME, slot="home", source="inferred", overrule=True)
    assert (told(again), again.id) == (("forgotten", None), rome)
    assert await in_slot(store.memories) is None


async def test_what_expired_comes_back_into_its_slot(store: Store, clock: Clock) -> None:
    """An expired fact leaves its slot empty, and takes it again; but what the user said since is kept."""
    soon = clock.now + timedelta(hours=1)
    (bonn,) = await fill(store.memories, BONN, source="inferred", expires_at=soon)
    clock.advance(hours=2)
    assert await in_slot(store.memories) is None
    assert told(await store.memories.remember(ROME, slot="home")) == ("created", None)
    kept = await store.memories.remember(BONN, slot="home", source="inferred")
    assert (kept.outcome, kept.entry.content) == ("kept", ROME)
    back = await store.memories.remember(BONN, source="inferred")
    assert (told(back), back.id, back.entry.slot) == (("restored", None), bonn, None)
    assert await in_slot(store.memories) == ROME


async def test_what_expired_replaces_what_was_inferred(store: Store, clock: Clock) -> None:
    """An expired fact that is inferred again takes its slot back from what was only inferred, in bulk, too."""
    for n, many in enumerate((False, True)):
        slot, soon = f"slot {n}", clock.now + timedelta(hours=1)
        await fill(store.memories, f"old {n}", slot=slot, source="inferred", expires_at=soon)
        clock.advance(hours=2)
        await fill(store.memories, f"new {n}", slot=slot, source="inferred")
        again = MemoryNew(content=f"old {n}", source="inferred")
        if many:
            (back,) = await store.memories.remember_many([again])
        else:
            back = await store.memories.remember(again.content, source=again.source)
        assert told(back) == ("replaced", f"new {n}")
        assert await in_slot(store.memories, slot) == f"old {n}"


# --- in bulk -----------------------------------------------------------------------------------


async def test_in_bulk(store: Store) -> None:
    """Items with a slot are remembered one after the other, after all others; each mention of theirs, too."""
    results = await store.memories.remember_many(
        [
            MemoryNew(content=BONN, slot="home"),
            MemoryNew(content="Likes tea"),
            MemoryNew(content=ROME, slot="home"),
            MemoryNew(content=OSLO, slot="home", source="inferred"),
            MemoryNew(content=OSLO, slot="home", source="inferred", overrule=True),
            MemoryNew(content="likes tea", category="preference"),
            MemoryNew(content=BONN),
        ]
    )
    assert [told(result) for result in results] == [
        ("created", None),
        ("created", None),
        ("replaced", BONN),
        ("kept", None),
        ("replaced", ROME),
        ("duplicate", None),
        ("replaced", OSLO),
    ]
    assert results[5].ignored == ("content", "category")
    assert results[1].id < results[0].id
    assert await in_slot(store.memories) == BONN


async def test_facts_that_come_back_in_bulk_take_their_slots(store: Store) -> None:
    """Of several that a list brings back to one slot, the newest fills it; the others end superseded by it."""
    ids = await fill(store.memories, BONN, ROME, OSLO)
    await fill(store.memories, "Owns a cat", "Owns a dog", slot="pet")
    batch = [MemoryNew(content=text) for text in (ROME, "Owns a cat", BONN)]
    rome, cat, bonn = await store.memories.remember_many(batch)
    assert [told(rome), told(cat)] == [("replaced", OSLO), ("replaced", "Owns a dog")]
    assert (bonn.id, bonn.entry.superseded_by) == (ids[0], ids[1])
    assert await in_slot(store.memories) == ROME
    assert await in_slot(store.memories, "pet") == "Owns a cat"


@pytest.mark.parametrize("is_said_first", [True, False])
@pytest.mark.parametrize("between", ["", "x" * 1_000_000])
async def test_what_a_list_says_outranks_what_it_infers(
    store: Store, clock: Clock, between: str, is_said_first: bool
) -> None:
    """Of two that a list brings back to one slot, in one statement or two, the user's word fills it."""
    (bonn,) = await fill(store.memories, BONN)
    await store.memories.forget(bonn)
    soon = clock.now + timedelta(hours=1)
    await fill(store.memories, ROME, source="inferred", expires_at=soon)
    clock.advance(days=1)
    batch = [MemoryNew(content=BONN), MemoryNew(content=ROME, source="inferred")]
    first, second = batch if is_said_first else reversed(batch)
    others = [MemoryNew(content=between)] if between else []
    results = await store.memories.remember_many([first, *others, second])
    assert {its.outcome for its in results} <= {"created", "restored", "replaced"}
    assert await in_slot(store.memories) == BONN


# --- superseding, updating, restoring ----------------------------------------------------------


async def test_supersede_keeps_the_slot(store: Store) -> None:
    """What supersedes a fact by its id fills its slot, new, known or back again."""
    (bonn,) = await fill(store.memories, BONN)
    rome = await store.memories.supersede(bonn, ROME)
    assert (told(rome), rome.entry.slot) == (("created", None), "home")
    await store.memories.remember(OSLO)
    oslo = await store.memories.supersede(rome.id, OSLO)
    assert (told(oslo), oslo.entry.slot) == (("duplicate", None), "home")
    back = await store.memories.supersede(oslo.id, BONN)
    assert (told(back), back.entry.slot) == (("restored", None), "home")
    assert await in_slot(store.memories) == BONN
    assert {its.content for its in await store.memories.history(back.id)} == {ROME, OSLO}


async def test_supersede_by_a_fact_of_another_slot(store: Store) -> None:
    """A fact that fills another slot cannot take this one; where there is none to take, it keeps its own."""
    (bonn,) = await fill(store.memories, BONN)
    (cat,) = await fill(store.memories, "Owns a cat", slot="pet")
    with pytest.raises(ConflictError, match="fills the slot 'pet'") as caught:
        await store.memories.supersede(bonn, "Owns a cat")
    assert caught.value.other_id == cat
    assert await in_slot(store.memories) == BONN
    plain = await store.memories.remember("Has a pet")
    assert (await store.memories.supersede(plain.id, "owns a cat")).entry.slot == "pet"
    # And what comes back by it takes its own slot back.
    await fill(store.memories, "Owns a dog", slot="pet")
    plain = await store.memories.remember("Has some pet")
    assert told(await store.memories.supersede(plain.id, "Owns a cat")) == (
        "replaced",
        "Owns a dog",
    )
    assert await in_slot(store.memories, "pet") == "Owns a cat"


async def test_update(store: Store) -> None:
    """A new text stays in the slot; a slot that is set replaces what fills it, and `None` leaves it empty."""
    (bonn,) = await fill(store.memories, BONN)
    assert (await store.memories.update(bonn, content="Lives in Bonn-Beuel")).slot == "home"
    rome = await store.memories.remember(ROME)
    moved = await store.memories.update(rome.id, slot="home", content=f"{ROME}, Italy")
    assert (moved.slot, await in_slot(store.memories)) == ("home", f"{ROME}, Italy")
    assert (await store.memories.get(bonn)).superseded_by == rome.id
    # A superseded fact fills nothing.
    assert (await store.memories.update(bonn, slot="birthplace")).slot == "birthplace"
    assert await store.memories.in_slot("birthplace") is None
    assert (await store.memories.update(rome.id, slot=None)).slot is None
    assert await in_slot(store.memories) is None


async def test_restore_takes_the_slot_back(store: Store) -> None:
    """A forgotten fact that is restored supersedes what has filled its slot meanwhile."""
    (bonn,) = await fill(store.memories, BONN)
    await store.memories.forget(bonn)
    (rome,) = await fill(store.memories, ROME)
    assert (await store.memories.restore(bonn)).slot == "home"
    assert await in_slot(store.memories) == BONN
    assert (await store.memories.get(rome)).superseded_by == bonn
    # Superseded as it is, what is restored takes nothing.
    await store.memories.forget(rome)
    await store.memories.restore(rome)
    assert await in_slot(store.memories) == BONN


# --- reading -----------------------------------------------------------------------------------


async def test_slots(store: Store) -> None:
    """The facts that fill slots come in the order of the slots' names, page by page; no others do."""
    assert list(await store.memories.slots()) == []
    assert await store.memories.in_slot("home") is None
    await store.memories.remember("Likes tea")
    for slot in ("pet", "a~b", "home", "ü"):
        await fill(store.memories, f"old {slot}", f"new {slot}", slot=slot)
    (gone,) = await fill(store.memories, "gone", slot="gone")
    await store.memories.forget(gone)
    everything = await store.memories.slots()
    assert [entry.slot for entry in everything] == ["a~b", "home", "pet", "ü"]
    assert [entry.content for entry in everything][:2] == ["new a~b", "new home"]
    assert everything.next_cursor is None
    found: list[memrepo.MemoryEntry] = []
    after = None
    while True:
        page = await store.memories.slots(limit=1, after=after)
        found += page
        if (after := page.next_cursor) is None:
            break
    assert found == list(everything)
    for wrong in ("home", "", 5):
        with pytest.raises(InvalidInputError, match="after: "):
            await store.memories.slots(after=wrong)  # type: ignore[arg-type]


async def test_filter(store: Store) -> None:
    """A filter has the slot's fact, and if asked for, those that filled it before; a search takes it, too."""
    await fill(store.memories, BONN, ROME)
    await fill(store.memories, "Born in Rome", slot="birthplace")
    assert await store.memories.count(MemoryFilter(slot="home")) == 1
    ever = MemoryFilter(slot="home", include_superseded=True)
    assert {entry.content for entry in await store.memories.find_many(ever)} == {BONN, ROME}
    hits = await store.memories.search("Rome", where=MemoryFilter(slot="home"))
    assert [hit.entry.content for hit in hits] == [ROME]


# --- going back --------------------------------------------------------------------------------


async def test_revert(store: Store) -> None:
    """The fact before fills the slot again, and the wrong one is forgotten; again, and it goes further back."""
    bonn, rome, oslo = await fill(store.memories, BONN, ROME, OSLO)
    assert (await store.memories.revert("home")).id == rome
    assert await in_slot(store.memories) == ROME
    again = await store.memories.remember(OSLO, slot="home", source="inferred")
    assert (again.outcome, again.id) == ("forgotten", oslo)
    assert [entry.id for entry in await store.memories.history(rome)] == [bonn]
    assert (await store.memories.revert("home")).id == bonn
    with pytest.raises(NotFoundError, match="it has replaced none"):
        await store.memories.revert("home")
    assert await in_slot(store.memories) == BONN
    with pytest.raises(NotFoundError):
        await store.memories.revert("pet")


async def test_restore_undoes_revert(store: Store) -> None:
    """The correction was right after all: what it had replaced is superseded again, with the whole chain."""
    bonn, rome = await fill(store.memories, BONN, ROME)
    await store.memories.revert("home")
    assert (await store.memories.restore(rome)).id == rome
    assert await in_slot(store.memories) == ROME
    assert [entry.id for entry in await store.memories.history(rome)] == [bonn]


async def test_revert_goes_back_to_the_last_one(store: Store, clock: Clock) -> None:
    """Of several facts that one has replaced, as it came back again and again, the last one comes back."""
    for text in (BONN, ROME, OSLO, ROME, BONN, ROME):
        clock.advance(seconds=1)
        await fill(store.memories, text)
    assert (await store.memories.revert("home")).content == BONN
    assert await in_slot(store.memories) == BONN


async def test_revert_passes_over_what_is_gone(store: Store, clock: Clock) -> None:
    """What was forgotten, has expired or was never in the slot does not come back by it."""
    memories = store.memories
    bonn, rome = await fill(memories, BONN, ROME)
    await memories.forget(bonn)
    plain = await memories.remember("Lives in Italy")
    await memories.supersede(plain.id, ROME)
    with pytest.raises(NotFoundError):
        await memories.revert("home")
    assert (await memories.get(plain.id)).superseded_by == rome
    soon = clock.now + timedelta(hours=1)
    await fill(memories, "old", slot="pet", expires_at=soon)
    await fill(memories, "new", slot="pet")
    clock.advance(hours=2)
    with pytest.raises(NotFoundError):
        await memories.revert("pet")
    assert await in_slot(memories, "pet") == "new"


# --- at once -----------------------------------------------------------------------------------


async def test_other_tasks_run_while_a_list_fills_slots() -> None:
    """However many facts with slots a list has, at most a hundred are stated or told in one turn of the event loop."""
    watched = {stating.unit_of.__code__, outcomes.outcome_of.__code__}
    n_facts = longest = 0

    def count(frame: FrameType, event: str, _arg: Any) -> None:
        nonlocal n_facts
        n_facts += event == "call" and frame.f_code in watched

    async def look() -> None:
        nonlocal longest
        while True:
            before = n_facts
            await asyncio.sleep(0)
            longest = max(longest, n_facts - before)

    async with memrepo.connect(":memory:") as store:
        batch = [MemoryNew(content=f"fact {n}", slot=f"slot {n}") for n in range(500)]
        task = asyncio.create_task(look())
        sys.setprofile(count)
        try:
            await store.memories.remember_many(batch)
        finally:
            sys.setprofile(None)
            task.cancel()
    assert (n_facts, longest) == (1_000, 100)


async def test_a_hundred_tasks_fill_one_slot(store: Store) -> None:
    """One current fact is left, and all others are before it in one chain without a fork."""
    results = await asyncio.gather(
        *(store.memories.remember(f"Lives at number {n}", slot="home") for n in range(100))
    )
    assert sorted(result.outcome for result in results) == ["created", *["replaced"] * 99]
    last = await store.memories.in_slot("home")
    assert last is not None
    assert await store.memories.count() == 1
    before = await store.memories.history(last.id)
    assert len(before) == 99
    successors = [entry.superseded_by for entry in before]
    assert len({*successors}) == 99
    replaced = [result.replaced.id for result in results if result.replaced is not None]
    assert sorted(replaced) == sorted(entry.id for entry in before)


async def test_tasks_that_say_the_same_again_and_again(store: Store) -> None:
    """Whoever brings back what others replace, there is one current fact, and every chain leads to it."""
    texts = (BONN, ROME, OSLO)
    await asyncio.gather(
        *(store.memories.remember(texts[n % 3], slot="home") for n in range(30)),
        *(store.memories.remember(texts[n % 3]) for n in range(30)),
        *(store.memories.remember_many([MemoryNew(content=texts[n % 3])]) for n in range(15)),
    )
    last = await store.memories.in_slot("home")
    assert last is not None
    assert await store.memories.count() == 1
    assert len(await store.memories.history(last.id)) == 2


async def test_in_a_transaction(store: Store) -> None:
    """A slot is filled, reverted and restored inside a transaction; a conflict in it undoes only its own call."""
    async with store.transaction() as tx:
        _, rome = await fill(tx.memories, BONN, ROME)
        await tx.memories.revert("home")
        await tx.memories.restore(rome)
        with pytest.raises(ConflictError):
            await tx.memories.remember_many([MemoryNew(content=ROME, slot="pet")])
        with pytest.raises(ConflictError):
            await tx.memories.remember(ROME, slot="pet")
        assert await in_slot(tx.memories) == ROME
    assert await in_slot(store.memories) == ROME
    assert await in_slot(store.memories, "pet") is None


async def test_a_transaction_that_fails(store: Store) -> None:
    """What fills the slot stays there when a block that replaced it is rolled back."""

    async def block() -> None:
        async with store.transaction() as tx:
            await fill(tx.memories, ROME, OSLO)
            raise ZeroDivisionError

    await fill(store.memories, BONN)
    with pytest.raises(ZeroDivisionError):
        await block()
    assert await in_slot(store.memories) == BONN
    assert await store.memories.count(MemoryFilter(include_superseded=True)) == 1


# --- other programs ----------------------------------------------------------------------------

_RESTORE = memrepo.Statement(
    "test.restore",
    "UPDATE `memory_entries` SET `deleted_at`=NULL,`superseded_by`=NULL WHERE `id`=:id",
)


async def test_what_the_user_said_stays_beside_another(store: Store) -> None:
    """Where another program has had a guess fill the slot again, stating that guess leaves what the user said."""
    memories = store.memories
    (guess,) = await fill(memories, BONN, source="inferred")
    (said,) = await fill(memories, ROME)
    await store.connection.write((_RESTORE.bind(id=guess),))
    result = await memories.remember(BONN, slot="home", source="inferred")
    assert (told(result), result.id) == (("kept", None), said)
    assert (await memories.get(said)).superseded_by is None
    (overruled,) = await fill(memories, BONN, source="inferred", overrule=True)
    assert (overruled, (await memories.get(said)).superseded_by) == (guess, guess)


async def test_a_slot_that_is_filled_twice(store: Store) -> None:
    """The newer fact counts; `verify` names the other, and `repair` has it superseded."""
    bonn, rome = await fill(store.memories, BONN, ROME)
    await store.connection.write((_RESTORE.bind(id=bonn),))
    filled = await store.memories.in_slot("home")
    assert filled is not None
    assert filled.id == rome
    assert [entry.id for entry in await store.memories.slots()] == [rome]
    (problem,) = await store.verify()
    assert (problem.kind, problem.id, problem.detail) == (
        "slot",
        bonn,
        f"fact {rome} fills its slot",
    )
    (done,) = await store.repair()
    assert (done.kind, done.table, done.id) == ("slot", "memory_entries", bonn)
    assert await store.verify() == []
    assert await in_slot(store.memories) == ROME
    assert [entry.id for entry in await store.memories.history(rome)] == [bonn]


async def test_a_new_text_supersedes_both(store: Store) -> None:
    """Whatever fills a slot, a new text for it leaves nothing else there."""
    bonn, rome = await fill(store.memories, BONN, ROME)
    await store.connection.write((_RESTORE.bind(id=bonn),))
    assert told(await store.memories.remember(OSLO, slot="home")) == ("replaced", ROME)
    assert await in_slot(store.memories) == OSLO
    assert await store.memories.count() == 1
    assert rome > bonn


async def test_what_replaces_a_fact_takes_its_pin_and_its_date(store: Store, clock: Clock) -> None:
    """A correction, in a slot or not, keeps the pin and the due date, and so does going back."""
    memories = store.memories
    due = clock.now + timedelta(days=1)
    ada = await memories.remember("Name is Ada", slot="name", due_at=due)
    await memories.pin(ada.id)
    attention = await memories.get(ada.id)
    lovelace = await memories.remember("Name is Ada Lovelace", slot="name")
    assert lovelace.outcome == "replaced"
    assert _attention(lovelace.entry) == _attention(attention)
    again = await memories.remember("Name is Ada", slot="name")
    assert (again.id, _attention(again.entry)) == (ada.id, _attention(attention))
    later = due + timedelta(days=1)
    await memories.remember("Name is Countess Ada", slot="name", due_at=later)
    back = await memories.revert("name")
    assert (back.id, _attention(back)) == (ada.id, _attention(attention))
    other = await memories.supersede(ada.id, "Name is Lady Lovelace")
    assert _attention(other.entry) == _attention(back)
    known = await memories.remember("Likes tea")
    assert (await memories.supersede(other.id, "Likes tea")).id == known.id
    assert _attention(await memories.get(known.id)) == _attention(back)


async def test_what_was_brought_up_is_told_of_the_same_text_only(store: Store) -> None:
    """A fact that was brought up stays so when it gets a slot; what replaces it there is another text."""
    memories = store.memories
    ada = await memories.remember("Name is Ada")
    await memories.surfaced(ada.id)
    filled = await memories.remember("Name is Ada", slot="name")
    assert filled.entry.surfaced_at is not None
    assert (await memories.remember("Name is Bea", slot="name")).entry.surfaced_at is None


def _attention(entry: memrepo.MemoryEntry) -> tuple[datetime | None, ...]:
    return (entry.pinned_at, entry.due_at, entry.surfaced_at)
