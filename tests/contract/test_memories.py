"""The contract of `MemoryRepo`, on every driver."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

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

HOUR = timedelta(hours=1)
BLANK = ["", " ", "\t\n", "...", " ?! ", "\u200b\ufeff"[1:]]
BAD_TEXTS: list[Any] = [*BLANK, None, 7, b"bytes", "a\0b", "a\ud800b", ["a"]]
BAD_IDS: list[Any] = [0, -1, 2**63, True, 1.0, "1", None]

ById = Callable[[MemoryRepo, int], Awaitable[object]]
BY_ID: dict[str, ById] = {
    "get": lambda repo, number: repo.get(number),
    "touch": lambda repo, number: repo.touch(number),
    "update": lambda repo, number: repo.update(number, category="work"),
    "supersede": lambda repo, number: repo.supersede(number, "Something else"),
    "history": lambda repo, number: repo.history(number),
    "forget": lambda repo, number: repo.forget(number),
    "restore": lambda repo, number: repo.restore(number),
}
by_id = pytest.mark.parametrize("call", BY_ID.values(), ids=BY_ID)


async def contents(repo: MemoryRepo, where: MemoryFilter | None = None) -> list[str]:
    return [entry.content for entry in await repo.find_many(where or MemoryFilter())]


async def everything(repo: MemoryRepo) -> list[MemoryEntry]:
    where = MemoryFilter(include_forgotten=True, include_expired=True, include_superseded=True)
    return list(await repo.find_many(where))


# --- remember ----------------------------------------------------------------------------------


async def test_remember_new(store: Store, clock: Clock) -> None:
    """A new fact is stored as it was given, with the clock's time and the hash of its normal form."""
    remembered = await store.memories.remember(
        "  Likes Tea. ",
        category="preference",
        source="inferred",
        metadata={"sure": True, "n": [1, 2.5, None]},
        expires_at=clock.now + HOUR,
    )
    assert remembered.outcome == "created"
    assert remembered.id == remembered.entry.id
    assert remembered.entry == MemoryEntry(
        id=remembered.id,
        scope="",
        content="  Likes Tea. ",
        content_hash=content_hash("likes tea"),
        category="preference",
        source="inferred",
        created_at=clock.now,
        last_accessed=clock.now,
        expires_at=clock.now + HOUR,
        deleted_at=None,
        superseded_by=None,
        raw_metadata='{"sure":true,"n":[1,2.5,null]}',
        session_id=None,
    )
    assert remembered.entry.metadata == {"sure": True, "n": [1, 2.5, None]}
    assert await store.memories.get(remembered.id) == remembered.entry


async def test_remember_known_in_another_form(store: Store, clock: Clock) -> None:
    """A restated fact is a duplicate with the same id, which keeps its text and only becomes fresher."""
    first = await store.memories.remember("Likes tea", category="preference", metadata={"a": 1})
    now = clock.advance(hours=1)
    again = await store.memories.remember(" LIKES \t tea!?", category="fact", metadata={"b": 2})
    assert again.outcome == "duplicate"
    assert again.id == first.id
    assert again.entry.content == "Likes tea"
    assert again.entry.category == "preference"
    assert again.entry.metadata == {"a": 1}
    assert again.entry.created_at == first.entry.created_at
    assert again.entry.last_accessed == now
    assert await store.memories.count() == 1


async def test_remember_composed_and_decomposed(store: Store) -> None:
    """One text in two Unicode forms is one fact."""
    first = await store.memories.remember("Caf\u00e9")
    assert (await store.memories.remember("Cafe\u0301")).id == first.id


@pytest.mark.parametrize(
    "texts",
    [
        ["uses C", "uses C++", "uses C#"],
        [f"\u4e8b\u5b9e{n}" for n in range(20)],
        ["\u05d0", "\u0627", "\U0001f600", "\U0001f601", "\u00e9", "e"],
    ],
    ids=["punctuation", "chinese", "scripts"],
)
async def test_remember_texts_that_only_look_alike(store: Store, texts: list[str]) -> None:
    """Facts that differ in more than their normal form are stored apart."""
    outcomes = [(await store.memories.remember(text)).outcome for text in texts]
    assert outcomes == ["created"] * len(texts)
    assert await store.memories.count() == len(texts)


@pytest.mark.parametrize("content", BAD_TEXTS, ids=ascii)
async def test_remember_refuses_content(store: Store, content: Any) -> None:
    """A text that cannot be a fact is refused by name, stores nothing and is never a duplicate."""
    with pytest.raises(InvalidInputError) as caught:
        await store.memories.remember(content)
    assert caught.value.field == "content"
    assert await everything(store.memories) == []
    assert (await store.memories.remember("Still works")).outcome == "created"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("category", ""),
        ("category", "x" * 256),
        ("source", " "),
        ("source", 5),
        ("metadata", [1]),
        ("metadata", {"x": float("nan")}),
        ("metadata", {1: 2}),
        ("expires_at", datetime(2030, 1, 1)),  # noqa: DTZ001 - that is the point
        ("expires_at", "2030-01-01"),
    ],
)
async def test_remember_refuses_the_rest(store: Store, field: str, value: object) -> None:
    """Every other argument is checked too, and the error names it."""
    arguments: dict[str, Any] = {field: value}
    with pytest.raises(InvalidInputError) as caught:
        await store.memories.remember("Likes tea", **arguments)
    assert caught.value.field.startswith(field)
    assert await everything(store.memories) == []


@pytest.mark.parametrize(
    ("first", "then", "expected"),
    [
        ("inferred", "user_explicit", "user_explicit"),
        ("jarvis_inferred", "user_explicit", "user_explicit"),
        ("user_explicit", "inferred", "user_explicit"),
        ("inferred", "inferred", "inferred"),
        ("import", "user_explicit", "import"),
        ("inferred", "import", "inferred"),
    ],
)
@pytest.mark.parametrize("in_one_batch", [False, True], ids=["apart", "batch"])
async def test_remember_source_upgrade(
    store: Store, first: str, then: str, expected: str, *, in_one_batch: bool
) -> None:
    """What the user says outranks what was inferred, never the reverse."""
    facts = [MemoryNew(content="Likes tea", source=source) for source in (first, then)]
    if in_one_batch:
        await store.memories.remember_many(facts)
    else:
        for fact in facts:
            await store.memories.remember(fact.content, source=fact.source)
    (entry,) = await everything(store.memories)
    assert entry.source == expected


@pytest.mark.parametrize(
    ("first", "then", "expected"),
    [(None, 5, None), (5, None, None), (5, 9, 9), (9, 5, 9), (5, 5, 5), (None, None, None)],
)
@pytest.mark.parametrize("in_one_batch", [False, True], ids=["apart", "batch"])
async def test_remember_expiry_of_known(
    store: Store,
    clock: Clock,
    first: int | None,
    then: int | None,
    expected: int | None,
    *,
    in_one_batch: bool,
) -> None:
    """A restated fact expires later or never, but not earlier."""

    def after(hours: int | None) -> datetime | None:
        return None if hours is None else clock.now + hours * HOUR

    facts = [MemoryNew(content="Likes tea", expires_at=after(hours)) for hours in (first, then)]
    if in_one_batch:
        await store.memories.remember_many(facts)
    else:
        for fact in facts:
            await store.memories.remember(fact.content, expires_at=fact.expires_at)
    (entry,) = await everything(store.memories)
    assert entry.expires_at == after(expected)


@pytest.mark.parametrize("how", ["forgotten", "expired", "superseded"])
@pytest.mark.parametrize("in_batch", [False, True], ids=["one", "many"])
async def test_remember_gone(store: Store, clock: Clock, how: str, *, in_batch: bool) -> None:
    """A fact that was forgotten, expired or superseded comes back under its id, with the new expiry."""
    memories = store.memories
    expires_at = clock.now + HOUR if how == "expired" else None
    old = await memories.remember("Likes tea", source="inferred", expires_at=expires_at)
    if how == "forgotten":
        await memories.forget(old.id)
    elif how == "superseded":
        await memories.supersede(old.id, "Likes coffee")
    now = clock.advance(hours=2)
    assert await memories.find_by_content("likes tea") is None
    if in_batch:
        new = MemoryNew(content="likes tea", expires_at=now + HOUR)
        (back,) = await memories.remember_many([new])
    else:
        back = await memories.remember("likes tea", expires_at=now + HOUR)
    assert (back.outcome, back.id) == ("restored", old.id)
    assert back.entry == await memories.get(old.id)
    assert back.entry.deleted_at is None
    assert back.entry.superseded_by is None
    assert back.entry.expires_at == now + HOUR
    assert back.entry.last_accessed == now
    assert back.entry.source == "user_explicit"


async def test_remember_many_of_all_kinds(store: Store) -> None:
    """A batch gives one truthful outcome an item, in order, repetitions inside it included."""
    memories = store.memories
    known = await memories.remember("known")
    gone = await memories.remember("gone")
    await memories.forget(gone.id)
    texts = ["new", "Known!", "gone", "NEW", "other", "known", "new"]
    results = await memories.remember_many(MemoryNew(content=text) for text in texts)
    outcomes = [result.outcome for result in results]
    assert outcomes == [
        *("created", "duplicate", "restored", "duplicate", "created", "duplicate", "duplicate")
    ]
    assert results[1].id == results[5].id == known.id
    assert results[2].id == gone.id
    assert results[0].id == results[3].id == results[6].id
    assert await memories.count() == 4


@pytest.mark.parametrize("known", [None, "inferred", "import"])
async def test_remember_many_is_remembering_each(store: Store, known: str | None) -> None:
    """A batch that restates a fact from several sources leaves it as restating it one by one does."""
    sources = ["import", "inferred", "user_explicit"]
    orders = [(a, b) for a in sources for b in sources]
    for order in orders:
        one, many = (store.scoped(f"{kind}: {order}").memories for kind in ("one", "many"))
        for memories in (one, many):
            if known is not None:
                await memories.remember("Likes tea", source=known)
        for source in order:
            await one.remember("Likes tea", source=source)
        await many.remember_many(MemoryNew(content="Likes tea", source=s) for s in order)
        (expected,), (actual,) = await everything(one), await everything(many)
        assert actual.source == expected.source, order


async def test_remember_many_of_none(store: Store) -> None:
    """An empty batch is no work and no error."""
    assert await store.memories.remember_many([]) == []


async def test_remember_many_of_thousands(store: Store) -> None:
    """A batch larger than one statement takes is one unit, its ids in its order."""
    facts = [MemoryNew(content=f"fact {n % 2500}") for n in range(3000)]
    results = await store.memories.remember_many(facts)
    assert [r.outcome for r in results] == ["created"] * 2500 + ["duplicate"] * 500
    ids = [r.id for r in results]
    assert ids[:2500] == sorted(set(ids))
    assert ids[2500:] == ids[:500]
    assert [r.entry.content for r in results] == [fact.content for fact in facts]
    assert await store.memories.count() == 2500


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        (MemoryNew(content=""), "facts[1].content"),
        (MemoryNew(content="x", category=""), "facts[1].category"),
        ("text", "facts[1]"),
        (None, "facts[1]"),
    ],
)
async def test_remember_many_with_a_bad_item(store: Store, bad: Any, field: str) -> None:
    """One bad item refuses the whole batch, before anything is stored."""
    with pytest.raises(InvalidInputError) as caught:
        await store.memories.remember_many([MemoryNew(content="a"), bad, MemoryNew(content="b")])
    assert caught.value.field == field
    assert await everything(store.memories) == []


@pytest.mark.parametrize("facts", ["text", b"bytes", None, 5])
async def test_remember_many_of_no_list(store: Store, facts: Any) -> None:
    """What is no list of facts is refused, a str above all."""
    with pytest.raises(InvalidInputError, match="facts"):
        await store.memories.remember_many(facts)


# --- one fact ----------------------------------------------------------------------------------


@by_id
async def test_bad_id(store: Store, call: ById) -> None:
    """What cannot be a row's number is refused before anything is sent."""
    for bad in BAD_IDS:
        with pytest.raises(InvalidInputError, match=r"^id: "):
            await call(store.memories, bad)


@by_id
async def test_unknown_id(store: Store, call: ById) -> None:
    """An id that is not there is not found, and nothing is stored on the way."""
    gone = "expired" if call in (BY_ID["forget"], BY_ID["restore"]) else "forgotten, expired"
    message = f"no fact with id 77 in this scope, or it is {gone} or only proposed"
    with pytest.raises(NotFoundError, match=f"^{message}$"):
        await call(store.memories, 77)
    assert await everything(store.memories) == []


@by_id
async def test_expired_id(store: Store, clock: Clock, call: ById) -> None:
    """An expired fact is not found by anything that names it, and stays as it is."""
    fact = await store.memories.remember("Likes tea", expires_at=clock.now + HOUR)
    clock.advance(hours=1)
    with pytest.raises(NotFoundError):
        await call(store.memories, fact.id)
    assert await everything(store.memories) == [fact.entry]


@by_id
async def test_proposed_id(store: Store, call: ById) -> None:
    """What is only proposed is no fact yet: the error says that it may be so, and the proposal stays."""
    offer = await store.memories.remember("Likes tea", source="inferred", proposed=True)
    with pytest.raises(NotFoundError, match=r" or only proposed$"):
        await call(store.memories, offer.id)
    assert list(await store.memories.proposals()) == [offer.entry]


@by_id
async def test_forgotten_id(store: Store, call: ById) -> None:
    """A forgotten fact is not found, except to forget it again or to restore it."""
    fact = await store.memories.remember("Likes tea")
    gone = await store.memories.forget(fact.id)
    if call in (BY_ID["forget"], BY_ID["restore"]):
        await call(store.memories, fact.id)
    else:
        with pytest.raises(NotFoundError):
            await call(store.memories, fact.id)
        assert await everything(store.memories) == [gone]


async def test_find(store: Store) -> None:
    """`find` gives the fact, or None where `get` would raise."""
    fact = await store.memories.remember("Likes tea")
    assert await store.memories.find(fact.id) == fact.entry
    await store.memories.forget(fact.id)
    assert await store.memories.find(fact.id) is None
    assert await store.memories.find(fact.id + 1) is None


async def test_find_by_content(store: Store, clock: Clock) -> None:
    """A fact is found by any form of its text while it is current, and not by less or more of it."""
    memories = store.memories
    fact = await memories.remember("Likes tea", expires_at=clock.now + HOUR)
    assert await memories.find_by_content(" likes  TEA.") == fact.entry
    assert await memories.find_by_content("likes") is None
    clock.advance(hours=1)
    assert await memories.find_by_content("Likes tea") is None
    with pytest.raises(InvalidInputError):
        await memories.find_by_content(" . ")


async def test_expiry_by_the_clock(store: Store, clock: Clock) -> None:
    """A fact is there until the millisecond before it expires, in every reading method."""
    memories = store.memories
    fact = await memories.remember("Likes tea", expires_at=clock.now + HOUR)
    clock.now += HOUR - timedelta(milliseconds=1)
    assert await memories.find(fact.id) == fact.entry
    assert await memories.count() == 1
    clock.now += timedelta(milliseconds=1)
    assert await memories.find(fact.id) is None
    assert await memories.count() == 0
    assert await contents(memories) == []
    assert [entry async for entry in memories.iterate()] == []
    clock.now -= timedelta(milliseconds=1)
    assert await memories.find(fact.id) == fact.entry


async def test_expiry_in_another_time_zone(store: Store) -> None:
    """An expiry given at an offset is the same instant, kept to the millisecond."""
    there = datetime(2026, 3, 1, 1, 30, 0, 123_999, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    fact = await store.memories.remember("Likes tea", expires_at=there)
    assert fact.entry.expires_at == datetime(2026, 2, 28, 20, 0, 0, 123_000, tzinfo=UTC)


async def test_touch(store: Store, clock: Clock) -> None:
    """Touching sets the time of the last access, and nothing else."""
    fact = await store.memories.remember("Likes tea")
    now = clock.advance(hours=1)
    touched = await store.memories.touch(fact.id)
    assert touched.last_accessed == now
    assert touched == await store.memories.get(fact.id)
    assert (touched.content, touched.created_at) == ("Likes tea", fact.entry.created_at)


async def test_update_each_field(store: Store, clock: Clock) -> None:
    """What is given changes, None empties, and what is not given stays."""
    memories = store.memories
    fact = await memories.remember("Likes tea", metadata={"a": 1})
    changed = await memories.update(fact.id, category="work")
    assert (changed.category, changed.metadata, changed.expires_at) == ("work", {"a": 1}, None)
    changed = await memories.update(fact.id, expires_at=clock.now + HOUR, metadata={"b": 2})
    assert (changed.category, changed.metadata) == ("work", {"b": 2})
    assert changed.expires_at == clock.now + HOUR
    changed = await memories.update(fact.id, metadata=None, expires_at=None)
    assert (changed.category, changed.metadata, changed.expires_at) == ("work", None, None)
    assert changed == await memories.get(fact.id)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({}, "update"),
        ({"category": None}, "category"),
        ({"category": ""}, "category"),
        ({"metadata": "text"}, "metadata"),
        ({"expires_at": 5}, "expires_at"),
    ],
)
async def test_update_refuses(store: Store, values: dict[str, Any], field: str) -> None:
    """An update of nothing, or to what a column cannot hold, is refused and changes nothing."""
    fact = await store.memories.remember("Likes tea")
    with pytest.raises(InvalidInputError) as caught:
        await store.memories.update(fact.id, **values)
    assert caught.value.field == field
    assert await store.memories.get(fact.id) == fact.entry


async def test_update_to_the_past(store: Store, clock: Clock) -> None:
    """A fact whose expiry is set into the past is returned once more, and then it is gone."""
    fact = await store.memories.remember("Likes tea")
    changed = await store.memories.update(fact.id, expires_at=clock.now - HOUR)
    assert changed.expires_at == clock.now - HOUR
    assert await store.memories.find(fact.id) is None


# --- supersede and history ---------------------------------------------------------------------


async def test_supersede(store: Store, clock: Clock) -> None:
    """The old fact is linked to the new one, which inherits its category and metadata."""
    memories = store.memories
    old = await memories.remember("Likes tea", category="preference", metadata={"a": 1})
    now = clock.advance(hours=1)
    new = await memories.supersede(old.id, "Likes coffee", source="inferred")
    assert new.outcome == "created"
    assert (new.entry.category, new.entry.metadata) == ("preference", {"a": 1})
    assert (new.entry.source, new.entry.created_at) == ("inferred", now)
    linked = await memories.get(old.id)
    assert linked.superseded_by == new.id
    assert await contents(memories) == ["Likes coffee"]
    assert await memories.find_by_content("Likes tea") is None
    assert await memories.count(MemoryFilter(include_superseded=True)) == 2
    assert await memories.history(new.id) == [linked]
    assert await memories.history(old.id) == []


async def test_supersede_with_values_of_its_own(store: Store, clock: Clock) -> None:
    """Category, metadata and expiry that are given win over the old fact's."""
    old = await store.memories.remember("Likes tea", category="preference", metadata={"a": 1})
    new = await store.memories.supersede(
        old.id, "Likes coffee", category="work", metadata={}, expires_at=clock.now + HOUR
    )
    assert (new.entry.category, new.entry.metadata) == ("work", {})
    assert new.entry.expires_at == clock.now + HOUR


async def test_supersede_by_a_known_fact(store: Store) -> None:
    """A successor that is known already is a duplicate, and one that was forgotten is restored."""
    memories = store.memories
    tea, coffee, water = [
        (await memories.remember(text)).id for text in ("Likes tea", "Likes coffee", "Likes water")
    ]
    duplicate = await memories.supersede(tea, "likes coffee!")
    assert (duplicate.outcome, duplicate.id) == ("duplicate", coffee)
    await memories.forget(water)
    restored = await memories.supersede(coffee, "likes water")
    assert (restored.outcome, restored.id) == ("restored", water)
    assert [entry.id for entry in await memories.history(water)] == [tea, coffee]


async def test_supersede_twice(store: Store) -> None:
    """A fact has one successor; a second is a conflict, and stores nothing."""
    old = await store.memories.remember("Likes tea")
    await store.memories.supersede(old.id, "Likes coffee")
    before = await everything(store.memories)
    with pytest.raises(ConflictError, match="already superseded"):
        await store.memories.supersede(old.id, "Likes water")
    assert await everything(store.memories) == before


async def test_supersede_by_itself(store: Store, clock: Clock) -> None:
    """A fact cannot replace itself, and the attempt does not even refresh it."""
    old = await store.memories.remember("Likes tea")
    clock.advance(hours=1)
    with pytest.raises(ConflictError, match="same fact"):
        await store.memories.supersede(old.id, "likes TEA.")
    assert await store.memories.get(old.id) == old.entry


async def test_supersede_refuses_content(store: Store) -> None:
    """The new text is checked like any other."""
    old = await store.memories.remember("Likes tea")
    for content in BAD_TEXTS:
        with pytest.raises(InvalidInputError, match=r"^content: "):
            await store.memories.supersede(old.id, content)
    assert await everything(store.memories) == [old.entry]


async def test_supersede_back_and_forth(store: Store) -> None:
    """A fact that replaces its own successor is current again, and history stays without a loop."""
    memories = store.memories
    tea = await memories.remember("Likes tea")
    coffee = await memories.supersede(tea.id, "Likes coffee")
    back = await memories.supersede(coffee.id, "Likes tea")
    assert (back.outcome, back.id) == ("restored", tea.id)
    assert [entry.id for entry in await memories.history(tea.id)] == [coffee.id]
    assert await memories.history(coffee.id) == []
    assert await contents(memories) == ["Likes tea"]


async def test_history_of_a_tree(store: Store, clock: Clock) -> None:
    """History goes all the way back, over every branch, oldest first, without what is forgotten."""
    memories = store.memories
    a = await memories.remember("a")
    clock.advance(seconds=1)
    b = await memories.remember("b")
    clock.advance(seconds=1)
    c = await memories.supersede(a.id, "c")
    clock.advance(seconds=1)
    d = await memories.supersede(c.id, "d")
    await memories.supersede(b.id, "d")
    assert [entry.content for entry in await memories.history(d.id)] == ["a", "b", "c"]
    await memories.forget(b.id)
    assert [entry.content for entry in await memories.history(d.id)] == ["a", "c"]


# --- forget and restore ------------------------------------------------------------------------


async def test_forget_twice(store: Store, clock: Clock) -> None:
    """Forgetting is idempotent: the first time counts."""
    fact = await store.memories.remember("Likes tea")
    now = clock.advance(hours=1)
    first = await store.memories.forget(fact.id)
    assert first.deleted_at == now
    clock.advance(hours=1)
    assert await store.memories.forget(fact.id) == first
    assert await store.memories.count() == 0
    assert await store.memories.count(MemoryFilter(include_forgotten=True)) == 1


async def test_restore(store: Store) -> None:
    """A restored fact is as it was before; restoring what was not forgotten does nothing."""
    fact = await store.memories.remember("Likes tea", metadata={"a": 1})
    await store.memories.forget(fact.id)
    assert await store.memories.restore(fact.id) == fact.entry
    assert await store.memories.restore(fact.id) == fact.entry
    assert await store.memories.get(fact.id) == fact.entry


async def test_restore_superseded(store: Store) -> None:
    """Forgetting and restoring a superseded fact leaves it superseded."""
    old = await store.memories.remember("Likes tea")
    new = await store.memories.supersede(old.id, "Likes coffee")
    await store.memories.forget(old.id)
    assert (await store.memories.restore(old.id)).superseded_by == new.id
    assert await contents(store.memories) == ["Likes coffee"]


async def test_forgotten(store: Store, clock: Clock) -> None:
    """All that was forgotten, or within a time, is listed, the latest first, without what expired since."""
    memories = store.memories
    a, b, c = [(await memories.remember(text)).id for text in "abc"]
    expiring = await memories.remember("d", expires_at=clock.now + 24 * HOUR)
    assert (await memories.forgotten()).items == ()
    for number in (b, a, c, expiring.id):
        await memories.forget(number)
        clock.advance(hours=1)
    assert [entry.content for entry in await memories.forgotten()] == ["d", "c", "a", "b"]
    within = timedelta(hours=3)
    assert [e.content for e in await memories.forgotten(within=within)] == ["d", "c", "a"]
    await memories.restore(c)
    clock.advance(days=1)
    assert [entry.content for entry in await memories.forgotten()] == ["a", "b"]
    clock.advance(days=30)
    assert len(await memories.forgotten(within=timedelta(days=30))) == 0
    assert [entry.content for entry in await memories.forgotten()] == ["a", "b"]


@pytest.mark.parametrize("within", [timedelta(0), timedelta(days=-1), 30, timedelta.max])
async def test_forgotten_refuses(store: Store, within: Any) -> None:
    """A time that is none, or too long for the calendar, is refused."""
    with pytest.raises(InvalidInputError, match=r"^within: "):
        await store.memories.forgotten(within=within)


async def test_forget_all(store: Store) -> None:
    """All facts are forgotten at once, counted once, and each can come back."""
    memories = store.memories
    assert await memories.forget_all(confirm=True) == 0
    facts = [await memories.remember(text) for text in "abc"]
    await memories.forget(facts[0].id)
    assert await memories.forget_all(confirm=True) == 2
    assert await contents(memories) == []
    assert await memories.restore(facts[1].id) == facts[1].entry


@pytest.mark.parametrize("confirm", [False, None, 1, "True"])
async def test_forget_all_unconfirmed(store: Store, confirm: Any) -> None:
    """Only True confirms, and without it nothing happens."""
    await store.memories.remember("a")
    with pytest.raises(InvalidInputError, match=r"^confirm: "):
        await store.memories.forget_all(confirm=confirm)
    assert await store.memories.count() == 1


async def test_purge_with_an_instant_to_come(store: Store, clock: Clock) -> None:
    """However late an instant is given, no fact goes that has not expired by now."""
    memories = store.memories
    current = await memories.remember("current", expires_at=clock.now + timedelta(milliseconds=1))
    await memories.remember("expired", expires_at=clock.now)
    await memories.forget((await memories.remember("forgotten")).id)
    later = clock.now + timedelta(days=365)
    assert await memories.purge(later, dry_run=True) == 2
    assert await memories.purge(later) == 2
    assert [entry.id for entry in await everything(memories)] == [current.id]


async def test_purge(store: Store, clock: Clock) -> None:
    """A purge deletes what was forgotten or expired before an instant, and a dry run only counts it."""
    memories = store.memories
    kept = await memories.remember("kept")
    old = await memories.remember("old")
    new = await memories.supersede(old.id, "new")
    expired = await memories.remember("expired", expires_at=clock.now + HOUR)
    forgotten = await memories.remember("forgotten")
    instant = clock.advance(hours=1)
    await memories.forget(forgotten.id)
    before = await everything(memories)

    assert await memories.purge(instant) == 0
    just_after = instant + timedelta(milliseconds=1)
    assert await memories.purge(just_after, dry_run=True) == 2
    assert await everything(memories) == before
    assert await memories.purge(just_after) == 2
    assert await memories.purge(just_after) == 0
    assert {entry.id for entry in await everything(memories)} == {kept.id, old.id, new.id}
    assert (await memories.remember("forgotten")).id > expired.id


@pytest.mark.parametrize("before", [datetime(2026, 1, 1), "2026-01-01", None])  # noqa: DTZ001
async def test_purge_refuses(store: Store, before: Any) -> None:
    """A purge needs an instant, and a flag that is a bool."""
    with pytest.raises(InvalidInputError, match=r"^before: "):
        await store.memories.purge(before)
    wrong: Any = "no"
    with pytest.raises(InvalidInputError, match=r"^dry_run: "):
        await store.memories.purge(datetime.now(UTC), dry_run=wrong)


# --- many facts --------------------------------------------------------------------------------


async def test_find_many_order(store: Store, clock: Clock) -> None:
    """Facts come newest first, and among those of one instant the higher id first."""
    for text in "ab":
        await store.memories.remember(text)
    clock.advance(seconds=-1)
    await store.memories.remember("older")
    assert await contents(store.memories) == ["b", "a", "older"]
    assert [entry.content async for entry in store.memories.iterate()] == ["b", "a", "older"]


async def test_find_many_of_none(store: Store) -> None:
    """An empty database gives an empty page, no cursor, an empty iteration and a count of 0."""
    page = await store.memories.find_many()
    assert (page.items, page.next_cursor, len(page)) == ((), None, 0)
    assert [entry async for entry in store.memories.iterate()] == []
    assert await store.memories.count() == 0


async def _fill(store: Store, clock: Clock) -> None:
    """Facts a to e, an hour apart; b is forgotten, c has expired, d is superseded by e."""
    memories = store.memories
    a = await memories.remember("a: Tea", category="preference", source="inferred")
    clock.advance(hours=1)
    b = await memories.remember("b: \u00c9clair 100%", category="preference")
    clock.advance(hours=1)
    await memories.remember("c: x_y", expires_at=clock.now + timedelta(minutes=1))
    clock.advance(hours=1)
    d = await memories.remember("d: [x]*?", source="import")
    clock.advance(hours=1)
    await memories.supersede(d.id, "e: stra\u00dfe x-y")
    await memories.forget(b.id)
    await memories.touch(a.id)


ALL = {"include_forgotten": True, "include_expired": True, "include_superseded": True}


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ({}, "ea"),
        ({"include_forgotten": True}, "eba"),
        ({"include_expired": True}, "eca"),
        ({"include_superseded": True}, "eda"),
        (ALL, "edcba"),
        ({"category": "preference"}, "a"),
        ({"category": "preference", **ALL}, "ba"),
        ({"category": "Preference", **ALL}, ""),
        ({"source": "inferred", **ALL}, "a"),
        ({"source": "import", **ALL}, "d"),
        ({"created_from": 1, **ALL}, "edcb"),
        ({"created_before": 1, **ALL}, "a"),
        ({"created_from": 1, "created_before": 3, **ALL}, "cb"),
        ({"created_from": 3, "created_before": 3, **ALL}, ""),
        ({"accessed_from": 0, **ALL}, "edcba"),
        ({"accessed_from": 4, **ALL}, "ea"),
        ({"accessed_before": 4, **ALL}, "dcb"),
        ({"contains": "tea"}, "a"),
        ({"contains": "\u00e9CLAIR", **ALL}, "b"),
        ({"contains": "%", **ALL}, "b"),
        ({"contains": "x_y", **ALL}, "c"),
        ({"contains": "[X]*?", **ALL}, "d"),
        ({"contains": "*", **ALL}, "d"),
        ({"contains": "\u00df", **ALL}, "e"),
        ({"contains": " ", **ALL}, "edcba"),
        ({"contains": "tea", "source": "import", **ALL}, ""),
    ],
)
async def test_filter(store: Store, clock: Clock, where: dict[str, Any], expected: str) -> None:
    """Each condition selects what it says, together with the others, in all three reading methods."""
    start = clock.now
    await _fill(store, clock)
    hours = {name: start + value * HOUR for name, value in where.items() if type(value) is int}
    given = MemoryFilter(**{**where, **hours})
    assert "".join(text[0] for text in await contents(store.memories, given)) == expected
    assert "".join([e.content[0] async for e in store.memories.iterate(given)]) == expected
    assert await store.memories.count(given) == len(expected)


async def test_filter_below_a_millisecond(store: Store, clock: Clock) -> None:
    """A range's end between two milliseconds is exact, though instants are stored in milliseconds."""
    await store.memories.remember("a")
    between = clock.now + timedelta(microseconds=1)
    assert await contents(store.memories, MemoryFilter(created_before=between)) == ["a"]
    assert await contents(store.memories, MemoryFilter(created_from=between)) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("category", ""),
        ("source", 5),
        ("created_from", "2026"),
        ("created_before", datetime(2026, 1, 1)),  # noqa: DTZ001 - that is the point
        ("accessed_from", 0),
        ("accessed_before", True),
        ("contains", ""),
        ("contains", "x" * 1001),
        ("contains", "a\0b"),
        ("include_forgotten", None),
        ("include_expired", 1),
        ("include_superseded", "yes"),
    ],
)
async def test_filter_refuses(store: Store, field: str, value: object) -> None:
    """A condition that cannot be one is refused by name, in all three reading methods."""
    arguments: dict[str, Any] = {field: value}
    where = MemoryFilter(**arguments)
    with pytest.raises(InvalidInputError, match=field):
        await store.memories.find_many(where)
    with pytest.raises(InvalidInputError, match=field):
        await store.memories.count(where)
    with pytest.raises(InvalidInputError, match=field):
        store.memories.iterate(where)
