"""Proposals, on every driver: nothing reads one until it is approved, and what is rejected stays away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

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
    Remembered,
    Store,
)
from memrepo.domain.rules import FactRules
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio

TEA, BONN, ROME = "Likes jasmine tea", "Lives in Bonn", "Lives in Rome"
EVER = MemoryFilter(include_forgotten=True, include_expired=True, include_superseded=True)


async def propose(memories: MemoryRepo, text: str = TEA, **others: Any) -> Remembered:
    return await memories.remember(text, **{"source": "inferred", **others}, proposed=True)


async def waiting(memories: MemoryRepo) -> list[str]:
    return [entry.content async for entry in memories.iterate_proposals()]


def cautious(store: Store) -> MemoryRepo:
    """The facts of a store in which whatever is inferred is only a proposal."""
    rules = FactRules(propose=frozenset({"inferred"}))
    return MemoryRepo(store.connection, rules=rules, clock=store.memories.now)


# --- proposing ---------------------------------------------------------------------------------


async def test_propose(store: Store, clock: Clock) -> None:
    """A new text waits, with all that it was given; proposed or inferred again, it is the same row."""
    session = await store.sessions.start()
    later = clock.now + timedelta(days=1)
    first = await propose(
        store.memories,
        category="preference",
        metadata={"a": 1},
        expires_at=later,
        session_id=session.id,
        slot="drink",
    )
    entry = first.entry
    assert (first.outcome, first.ignored, first.replaced) == ("proposed", (), None)
    assert (entry.proposed_at, entry.deleted_at) == (clock.now, clock.now)
    assert (entry.category, entry.metadata, entry.expires_at) == ("preference", {"a": 1}, later)
    assert (entry.session_id, entry.slot, entry.source) == (session.id, "drink", "inferred")
    clock.advance(minutes=1)
    again = await propose(store.memories, "likes jasmine tea", expires_at=later)
    assert (again.outcome, again.id, again.ignored) == ("proposed", first.id, ("content",))
    inferred = await store.memories.remember(TEA, source="inferred")
    assert (inferred.outcome, inferred.id) == ("proposed", first.id)
    (many,) = await store.memories.remember_many([MemoryNew(content=TEA, source="inferred")])
    assert (many.outcome, many.id) == ("proposed", first.id)
    (waits,) = await store.memories.proposals()
    assert (waits.id, waits.proposed_at) == (first.id, entry.proposed_at)


async def test_an_explicit_source_can_propose(store: Store) -> None:
    """`proposed=True` makes a proposal of what the user says, too; it stays one when it is proposed again."""
    for _ in range(2):
        assert (await propose(store.memories, source="user_explicit")).outcome == "proposed"
    assert await store.memories.count() == 0


async def test_what_is_known(store: Store, clock: Clock) -> None:
    """A current fact is refreshed, as by an inferred text; a forgotten or superseded one is held back."""
    known = await store.memories.remember(
        TEA, source="inferred", expires_at=clock.now + timedelta(1)
    )
    clock.advance(minutes=1)
    again = await propose(store.memories, slot="drink", source="user_explicit")
    assert (again.outcome, again.id, again.ignored) == ("duplicate", known.id, ("slot",))
    assert (again.entry.source, again.entry.last_accessed) == ("inferred", clock.now)
    assert (again.entry.expires_at, again.entry.proposed_at) == (None, None)
    await store.memories.supersede(known.id, BONN)
    assert (await propose(store.memories, source="user_explicit")).outcome == "superseded"
    await store.memories.forget(known.id)
    assert (await propose(store.memories, source="user_explicit")).outcome == "forgotten"
    assert await waiting(store.memories) == []


async def test_what_has_expired_is_proposed_again(store: Store, clock: Clock) -> None:
    """An expired fact comes back as a proposal, and so does an expired proposal; neither is seen meanwhile."""
    soon = clock.now + timedelta(hours=1)
    fact = await store.memories.remember(TEA, expires_at=soon, slot="drink")
    offer = await propose(store.memories, BONN, expires_at=soon)
    clock.advance(hours=2)
    assert await waiting(store.memories) == []
    for call in (store.memories.approve(offer.id), store.memories.reject(offer.id)):
        with pytest.raises(NotFoundError):
            await call
    for text, number in ((TEA, fact.id), (BONN, offer.id)):
        again = await propose(store.memories, text)
        assert (again.outcome, again.id, again.entry.expires_at) == ("proposed", number, None)
    assert {*await waiting(store.memories)} == {TEA, BONN}
    assert await store.memories.count(EVER) == 0
    approved = await store.memories.approve(fact.id)
    assert (approved.outcome, approved.entry.slot) == ("approved", "drink")


async def test_the_pages(store: Store, clock: Clock) -> None:
    """Proposals come oldest first, page by page, with what comes and goes meanwhile."""
    assert list(await store.memories.proposals()) == []
    for n in range(5):
        await propose(store.memories, f"proposal {n}")
        clock.advance(minutes=n % 2)
    first = await store.memories.proposals(limit=2)
    await store.memories.reject(first[1].id)
    rest = await store.memories.proposals(limit=10, after=first.next_cursor)
    texts = [entry.content for entry in (*first, *rest)]
    assert texts == [f"proposal {n}" for n in range(5)]
    assert rest.next_cursor is None
    with pytest.raises(InvalidInputError):
        await store.memories.proposals(limit=0)


# --- answering ---------------------------------------------------------------------------------


async def test_approve(store: Store, clock: Clock) -> None:
    """It is a fact like any other from then on, as it was proposed; and it is approved only once."""
    offer = await propose(store.memories, category="preference")
    clock.advance(minutes=1)
    approved = await store.memories.approve(offer.id)
    entry = approved.entry
    assert (approved.outcome, approved.id) == ("approved", offer.id)
    assert (entry.proposed_at, entry.deleted_at, entry.source) == (None, None, "inferred")
    assert entry.last_accessed == clock.now
    assert await store.memories.get(offer.id) == entry
    assert [hit.entry.id for hit in await store.memories.search("jasmine")] == [offer.id]
    for call in (store.memories.approve(offer.id), store.memories.reject(offer.id)):
        with pytest.raises(NotFoundError, match="no proposal with id"):
            await call


async def test_approve_by_the_user(store: Store, clock: Clock) -> None:
    """With a source, that is who says so from then on: the user's word does not fade. A wrong one changes nothing."""
    for source in ("", 1, "a" * 256):
        with pytest.raises(InvalidInputError, match=r"^source: "):
            await store.memories.approve(1, source=source)  # type: ignore[arg-type]
    said, inferred = [await propose(store.memories, text) for text in (TEA, ROME)]
    approved = await store.memories.approve(said.id, source="user_explicit")
    assert (approved.outcome, approved.entry.source) == ("approved", "user_explicit")
    assert (await store.memories.approve(inferred.id)).entry.source == "inferred"
    clock.advance(days=400)
    assert [fact.id for fact in await store.memories.fading()] == [inferred.id]


async def test_approve_takes_the_slot(store: Store) -> None:
    """A proposal leaves its slot to what fills it, and takes it when it is approved, from the user's word, too."""
    bonn = await store.memories.remember(BONN, slot="home")
    offer = await propose(store.memories, ROME, slot="home")
    assert await store.memories.in_slot("home") == bonn.entry
    approved = await store.memories.approve(offer.id)
    assert approved.outcome == "replaced"
    assert approved.replaced is not None
    assert (approved.replaced.id, approved.replaced.superseded_by) == (bonn.id, offer.id)
    assert await store.memories.in_slot("home") == approved.entry
    assert (await store.memories.revert("home")).id == bonn.id


async def test_the_user_says_it(store: Store) -> None:
    """What the user says is approved by that, alone or in bulk, with its slot; inferred, it stays a proposal."""
    await store.memories.remember(BONN, slot="home")
    offer = await propose(store.memories, ROME, slot="home")
    said = await store.memories.remember(ROME)
    assert (said.outcome, said.id, said.entry.proposed_at) == ("replaced", offer.id, None)
    assert said.entry.source == "user_explicit"
    one, two = [await propose(store.memories, text) for text in (TEA, "Plays chess")]
    assert (await store.memories.remember(TEA)).outcome == "approved"
    batch = [MemoryNew(content="Plays chess"), MemoryNew(content="plays chess", source="inferred")]
    results = await store.memories.remember_many(batch)
    assert [(its.outcome, its.id) for its in results] == [
        ("approved", two.id),
        ("duplicate", two.id),
    ]
    three = await propose(store.memories, "Owns a cat")
    (result,) = await store.memories.remember_many([MemoryNew(content="Owns a cat", slot="pet")])
    assert (result.outcome, result.id, result.entry.slot) == ("approved", three.id, "pet")
    assert await waiting(store.memories) == []
    assert {one.id, two.id} <= {entry.id for entry in await store.memories.find_many()}


async def test_supersede_by_a_proposal(store: Store) -> None:
    """A proposed text replaces what the user names once the user says it; inferred, it replaces nothing."""
    bonn = await store.memories.remember(BONN)
    offer = await propose(store.memories, ROME)
    inferred = await store.memories.supersede(bonn.id, ROME, source="inferred")
    assert (inferred.outcome, inferred.id) == ("proposed", offer.id)
    assert (await store.memories.get(bonn.id)).superseded_by is None
    said = await store.memories.supersede(bonn.id, ROME)
    assert (said.outcome, said.id) == ("approved", offer.id)
    assert (await store.memories.get(bonn.id)).superseded_by == offer.id


async def test_reject(store: Store, clock: Clock) -> None:
    """It is a forgotten fact: held back when it is proposed or inferred again, and back when the user wants it."""
    offer = await propose(store.memories)
    clock.advance(minutes=1)
    rejected = await store.memories.reject(offer.id)
    assert (rejected.deleted_at, rejected.proposed_at) == (clock.now, None)
    assert (await propose(store.memories)).outcome == "forgotten"
    assert (await store.memories.remember(TEA, source="inferred")).outcome == "forgotten"
    assert [entry.id for entry in await store.memories.forgotten()] == [offer.id]
    assert await waiting(store.memories) == []
    assert (await store.memories.restore(offer.id)).id == offer.id
    assert await store.memories.count() == 1


async def test_forget_all_rejects(store: Store) -> None:
    """Who forgets everything rejects what waits; it is counted, and is forgotten like all the rest."""
    offer = await propose(store.memories)
    await store.memories.remember(BONN)
    assert await store.memories.forget_all(confirm=True) == 2
    assert await waiting(store.memories) == []
    assert (await propose(store.memories)).outcome == "forgotten"
    assert (await store.memories.restore(offer.id)).proposed_at is None


async def test_erase_and_purge(store: Store, clock: Clock) -> None:
    """A purge leaves what waits, however old; erasing a scope deletes it."""
    owner = store.scoped("user:1")
    await propose(owner.memories, expires_at=clock.now + timedelta(days=500))
    clock.advance(days=400)
    assert await owner.memories.purge(clock.now, dry_run=True) == 0
    assert await owner.memories.purge(clock.now) == 0
    assert (await propose(owner.memories)).outcome == "proposed"
    assert (await owner.erase(confirm=True)).n_facts == 1
    assert await waiting(owner.memories) == []


@pytest.mark.parametrize("answer", ["approve", "reject"])
async def test_an_answer_in_another_scope(store: Store, answer: str) -> None:
    """Nobody answers what was proposed in another scope; a fact is no proposal."""
    offer = await propose(store.scoped("user:1").memories)
    fact = await store.memories.remember(BONN)
    for number in (offer.id, fact.id, 1_000_000):
        with pytest.raises(NotFoundError, match="no proposal"):
            await getattr(store.memories, answer)(number)
    with pytest.raises(InvalidInputError):
        await getattr(store.memories, answer)("1")
    assert await waiting(store.scoped("user:1").memories) == [TEA]


async def test_arguments(store: Store) -> None:
    """`proposed` is a bool, alone and in bulk; a proposal is learnt in a session of its scope."""
    wrong: Any = "yes"
    with pytest.raises(InvalidInputError, match="proposed: "):
        await store.memories.remember(TEA, proposed=wrong)
    with pytest.raises(InvalidInputError, match=r"facts\[0\]\.proposed: "):
        await store.memories.remember_many([MemoryNew(content=TEA, proposed=wrong)])
    with pytest.raises(NotFoundError):
        await propose(store.memories, session_id=9)
    assert await waiting(store.memories) == []


# --- a policy ----------------------------------------------------------------------------------


async def test_sources_that_only_propose(url: str, clock: Clock) -> None:
    """With `propose`, all that these sources state waits, alone and in bulk; what others say does not."""
    async with memrepo.connect(url, clock=clock, propose=("inferred",)) as store:
        memories = store.memories
        assert (await memories.remember(TEA, source="inferred")).outcome == "proposed"
        assert (await memories.remember(BONN, source="import")).outcome == "created"
        results = await memories.remember_many(
            [
                MemoryNew(content=ROME, source="inferred", slot="home"),
                MemoryNew(content="Plays chess", source="inferred"),
                MemoryNew(content="Owns a cat"),
                MemoryNew(content=BONN, source="inferred"),
                MemoryNew(content="plays chess"),
            ]
        )
        assert [its.outcome for its in results] == [
            "proposed",
            "proposed",
            "created",
            "duplicate",
            "approved",
        ]
        assert {*await waiting(memories)} == {TEA, ROME}
        assert await memories.count() == 3


async def test_supersede_under_a_policy(store: Store) -> None:
    """A text that only proposes supersedes nothing; in a slot, it replaces what fills it when it is approved."""
    memories = cautious(store)
    bonn = await memories.remember(BONN, slot="home", category="place", metadata={"a": 1})
    for _ in range(2):
        offer = await memories.supersede(bonn.id, ROME, source="inferred")
        entry = offer.entry
        assert (offer.outcome, entry.slot, entry.category) == ("proposed", "home", "place")
        assert entry.metadata == {"a": 1}
    assert await memories.in_slot("home") == bonn.entry
    with pytest.raises(ConflictError):
        await memories.supersede(bonn.id, BONN, source="inferred")
    with pytest.raises(NotFoundError):
        await memories.supersede(offer.id, TEA, source="inferred")
    approved = await memories.approve(offer.id)
    assert (approved.outcome, approved.id) == ("replaced", offer.id)
    with pytest.raises(ConflictError):
        await memories.supersede(bonn.id, TEA, source="inferred")
    assert await memories.find_by_content(TEA) is None
    assert await waiting(memories) == []
    await memories.forget(bonn.id)
    plain = await memories.remember("Owns a cat")
    held = await memories.supersede(plain.id, BONN, source="inferred")
    assert (held.outcome, held.id) == ("forgotten", bonn.id)


# --- invisible ---------------------------------------------------------------------------------


def reads(store: Store, number: int, clock: Clock) -> dict[str, Callable[[], Any]]:
    """Every method that reads facts, or what belongs to them, but for `proposals` and `iterate_proposals`."""
    memories, sessions, daily_logs = store.memories, store.sessions, store.daily_logs
    return {
        "find": lambda: memories.find(number),
        "get_many": lambda: memories.get_many([number]),
        "find_by_content": lambda: memories.find_by_content(TEA),
        "find_many": lambda: memories.find_many(EVER),
        "find_many, current": memories.find_many,
        "find_many, by its slot": lambda: memories.find_many(MemoryFilter(slot="drink")),
        "find_many, by its text": lambda: memories.find_many(
            MemoryFilter(contains="jasmine", include_forgotten=True)
        ),
        "iterate": lambda: memories.iterate(EVER),
        "search": lambda: memories.search("jasmine tea"),
        "search_as_you_type": lambda: memories.search_as_you_type("jasm"),
        "find_to_forget": lambda: memories.find_to_forget("jasmine tea"),
        "recall": memories.recall,
        "recall, of a question": lambda: memories.recall("What of jasmine tea?"),
        "count": lambda: memories.count(EVER),
        "count_by category": lambda: memories.count_by("category", EVER),
        "count_by source": lambda: memories.count_by("source", EVER),
        "fading": lambda: memories.fading(threshold=0.001),
        "forget_faded": lambda: memories.forget_faded(threshold=0.001, dry_run=True),
        "forgotten": memories.forgotten,
        "near_duplicates": memories.near_duplicates,
        "iterate_near_duplicates": memories.iterate_near_duplicates,
        "surface": lambda: memories.surface(action_words=["jasmine"]),
        "surfaced": lambda: memories.surfaced(number),
        "in_slot": lambda: memories.in_slot("drink"),
        "slots": memories.slots,
        "purge": lambda: memories.purge(clock.now + timedelta(days=1), dry_run=True),
        "sessions.digest": lambda: sessions.digest(1),
        "sessions.carry_over": sessions.carry_over,
        "daily_logs.digest": lambda: daily_logs.digest(clock.now.date()),
        "daily_logs.find_many": daily_logs.find_many,
        "daily_logs.search": lambda: daily_logs.search("jasmine"),
        "scopes": store.scopes,
    }


def changes(memories: MemoryRepo, number: int) -> dict[str, Callable[[], Awaitable[object]]]:
    """Every method that takes the id of a fact, and has none for a proposal."""
    return {
        "get": lambda: memories.get(number),
        "touch": lambda: memories.touch(number),
        "update": lambda: memories.update(number, category="x"),
        "update, its text": lambda: memories.update(number, content="Likes green tea"),
        "supersede": lambda: memories.supersede(number, "Likes green tea"),
        "history": lambda: memories.history(number),
        "pin": lambda: memories.pin(number),
        "unpin": lambda: memories.unpin(number),
        "merge": lambda: memories.merge(number, number - 1),
        "merge, as the other": lambda: memories.merge(1, number),
        "forget": lambda: memories.forget(number),
        "restore": lambda: memories.restore(number),
    }


async def _value(call: Callable[[], Any]) -> object:
    given = call()
    if isinstance(given, AsyncIterator):
        return [row async for row in given]
    return await given


async def test_nothing_reads_a_proposal(store: Store, clock: Clock) -> None:
    """Every reading method answers the same as before it was proposed; no other method finds it by its id."""
    session = await store.sessions.start()
    await store.memories.remember(BONN, session_id=session.id)
    faded = await store.memories.remember("Likes jasmine", source="inferred")
    gone = await store.memories.remember("Likes jasmine rice")
    await store.memories.forget(gone.id)
    clock.advance(days=1)
    number = faded.id + 1_000
    before = {name: await _value(call) for name, call in reads(store, number, clock).items()}
    offer = await propose(store.memories, session_id=session.id, slot="drink")
    after = {name: await _value(call) for name, call in reads(store, offer.id, clock).items()}
    # When something last happened in a scope is told by its latest rows, and a proposal is one.
    for name in before.keys() - {"scopes"}:
        assert after[name] == before[name], name
    assert [its.n_facts for its in await store.scopes()] == [3]
    for name, change in changes(store.memories, offer.id).items():
        with pytest.raises(NotFoundError):
            await change()
        assert await waiting(store.memories) == [TEA], name
    with pytest.raises(ConflictError):
        await store.memories.update(faded.id, content=TEA)
    await store.memories.forget_faded(threshold=0.001)
    assert await waiting(store.memories) == [TEA]


async def test_every_method_is_looked_at(clock: Clock) -> None:
    """A new method of `MemoryRepo` cannot be forgotten here: it reads, takes an id, or is one of these."""
    store: Any = type("AnyStore", (), {"__getattr__": lambda self, name: self})()
    named = {
        name.partition(" ")[0].partition(",")[0]
        for name in (*reads(store, 1, clock), *changes(store, 1))
    }
    own = {name for name in vars(MemoryRepo) if not name.startswith("_")}
    assert own - named == {
        *("remember", "remember_many", "forget_all", "revert"),
        *("proposals", "iterate_proposals", "approve", "reject"),
        *("observe", "would_infer", "pending_inferences"),
    }


async def test_what_another_program_restored_is_a_fact(store: Store) -> None:
    """A proposal that the original brought back is approved by that, and forgotten and restored as any fact."""
    offer = await propose(store.memories)
    await store.connection.write((_MARK.bind(id=offer.id, deleted_at=None),))
    assert (await store.memories.get(offer.id)).content == TEA
    assert await store.memories.count() == 1
    assert await waiting(store.memories) == []
    with pytest.raises(NotFoundError):
        await store.memories.approve(offer.id)
    again = await store.memories.observe("tea", content=TEA, times=1)
    assert again.inferred is not None
    assert again.inferred.outcome == "duplicate"
    await store.memories.forget(offer.id)
    assert await waiting(store.memories) == []
    assert [entry.id for entry in await store.memories.forgotten()] == [offer.id]


async def test_what_another_program_restored_and_forgot_is_forgotten(
    store: Store, clock: Clock
) -> None:
    """What the original has brought back and forgotten again waits for nobody: it is a forgotten fact."""
    memories = store.memories
    offer = await propose(memories)
    mark = "2026-07-08T09:10:11.123Z"
    for deleted_at in (None, mark):
        await store.connection.write((_MARK.bind(id=offer.id, deleted_at=deleted_at),))
    assert await waiting(memories) == []
    assert [entry.id for entry in await memories.forgotten()] == [offer.id]
    for text in (TEA, f"{TEA}."):
        held = await memories.remember(text, source="inferred")
        assert (held.outcome, held.id) == ("forgotten", offer.id)
    with pytest.raises(NotFoundError):
        await memories.approve(offer.id)
    assert await memories.forget_all(confirm=True) == 0
    assert (await memories.restore(offer.id)).content == TEA


_MARK = memrepo.Statement(
    "test.mark", "UPDATE `memory_entries` SET `deleted_at`=:deleted_at WHERE `id`=:id"
)


async def test_purge_deletes_what_nobody_can_answer(store: Store, clock: Clock) -> None:
    """A proposal waits, however old; one that has expired can only be proposed anew, and is purged as a fact is."""
    memories = store.memories
    await propose(memories, BONN)
    soon = clock.now + timedelta(hours=1)
    gone = await propose(memories, TEA, expires_at=soon)
    await propose(memories, ROME, expires_at=soon + timedelta(days=9))
    clock.advance(days=1)
    assert await memories.purge(soon) == 0
    assert await memories.purge(clock.now, dry_run=True) == 1
    assert await memories.purge(clock.now) == 1
    assert await waiting(memories) == [BONN, ROME]
    again = await propose(memories, TEA)
    assert again.id > gone.id


@pytest.mark.parametrize("how", ["remember", "in a slot", "remember_many", "supersede", "observe"])
async def test_what_has_expired_waits_again(store: Store, clock: Clock, how: str) -> None:
    """A proposal that has expired is inferred again: it waits as it is told, and takes the new expiry."""
    memories = store.memories
    old = await memories.remember(BONN)
    offer = await propose(memories, expires_at=clock.now + timedelta(hours=1))
    clock.advance(days=1)
    assert await waiting(memories) == []
    later: datetime | None = clock.now + timedelta(days=1)
    given: dict[str, Any] = {"source": "inferred", "expires_at": later}
    if how == "remember_many":
        (told,) = await memories.remember_many([MemoryNew(content=TEA, **given)])
    elif how == "supersede":
        told = await memories.supersede(old.id, TEA, **given)
    elif how == "observe":
        observed = await memories.observe("tea", content=TEA, times=1)
        assert observed.inferred is not None
        told, later = observed.inferred, None
    else:
        given |= {"slot": "drink"} if how == "in a slot" else {}
        told = await memories.remember(TEA, **given)
    assert (told.outcome, told.id, told.entry.expires_at) == ("proposed", offer.id, later)
    assert await waiting(memories) == [TEA]
    assert [entry.id for entry in await memories.find_many()] == [old.id]
    assert (await memories.remember_many([MemoryNew(content=TEA)]))[0].outcome == "approved"


async def test_what_is_not_replaced_changes_no_proposal(store: Store, clock: Clock) -> None:
    """Where there is nothing to supersede, or too few observations, what has expired stays so."""
    await propose(store.memories, expires_at=clock.now + timedelta(hours=1))
    clock.advance(days=1)
    with pytest.raises(NotFoundError):
        await store.memories.supersede(9, TEA, source="inferred")
    await store.memories.observe("tea", content=TEA)
    assert await waiting(store.memories) == []


# --- at once -----------------------------------------------------------------------------------


async def test_many_tasks_propose_and_answer(store: Store) -> None:
    """A hundred tasks that propose one text make one proposal, and one of those that answer it does."""
    results = await asyncio.gather(*(propose(store.memories, slot="drink") for _ in range(100)))
    assert {(its.outcome, its.id) for its in results} == {("proposed", results[0].id)}
    number = results[0].id
    answers = await asyncio.gather(
        *(store.memories.approve(number) for _ in range(5)),
        *(store.memories.reject(number) for _ in range(5)),
        return_exceptions=True,
    )
    answered = [its for its in answers if isinstance(its, Remembered | MemoryEntry)]
    assert len(answered) == 1
    assert all(isinstance(its, NotFoundError) for its in answers if its is not answered[0])


async def test_in_a_transaction(store: Store) -> None:
    """Proposed and approved in one block; what fails leaves the proposal as it was."""
    async with store.transaction() as tx:
        offer = await propose(tx.memories)
        assert (await tx.memories.approve(offer.id)).outcome == "approved"

    async def block() -> None:
        async with store.transaction() as tx:
            await tx.memories.reject(second.id)
            raise ZeroDivisionError

    second = await propose(store.memories, BONN)
    with pytest.raises(ZeroDivisionError):
        await block()
    assert await waiting(store.memories) == [BONN]
    assert [entry.content for entry in await store.memories.find_many()] == [TEA]
