"""The rule of a database, on every driver: what counts as the same fact, chosen when it is made."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Literal

import pytest
import pytest_asyncio

import memrepo
from memrepo import InvalidInputError, MemoryFilter, MemoryNew, Store, content_hash
from tests.conftest import Clock
from tests.servers.sqld import Sqld

pytestmark = pytest.mark.asyncio

#: Each pair is one fact when folded, and two when not.
PAIRS = [
    ("The wifi password is Maple7Tree", "The wifi password is maple7tree"),
    ("The CSV separator is ;", "The CSV separator is ,"),
    ("She quits with :q", "She quits with :q!"),
    ("if x:\n    y()", "if x:\n  y()"),
    ("...", "!"),
]


@pytest.fixture
def new_namespace() -> Callable[[Sqld], str]:
    """Make a namespace without tables: the rule is chosen when a database is made."""
    return lambda server: server.new_namespace()


@pytest.fixture
def memory_store_file(tmp_path: Path) -> Path:
    """The path of a file that is not made, likewise."""
    return tmp_path / "agent.db"


@pytest_asyncio.fixture
async def exact(url: str, clock: Clock) -> AsyncIterator[Store]:
    async with memrepo.connect(url, clock=clock, same_fact="exact") as store:
        yield store


async def test_exact_texts_are_facts_of_their_own(exact: Store) -> None:
    """Case, marks and inner white space count, alone, in bulk, in a scope and when replacing."""
    for memories in (exact.memories, exact.scoped("user:1").memories):
        for one, other in PAIRS:
            first = await memories.remember(one)
            (second,) = await memories.remember_many([MemoryNew(content=other)])
            assert (first.outcome, second.outcome) == ("created", "created")
            assert await memories.find_by_content(one) == first.entry
            assert (await memories.remember(f" {other}\n")).id == second.id
        assert await memories.count() == len(PAIRS) * 2
    old = await exact.memories.remember("Likes tea")
    new = await exact.memories.supersede(old.id, "....")
    assert new.outcome == "created"
    changed = await exact.memories.update(new.id, content="?")
    assert changed.content_hash == content_hash("?", same_fact="exact")
    assert await exact.verify() == []


async def test_exact_is_nfc_and_trimmed(exact: Store) -> None:
    """Two Unicode forms of a text, and white space around it, make no other fact; nothing is none."""
    first = await exact.memories.remember("Caf\u00e9 ")
    again = await exact.memories.remember("\u00a0Cafe\u0301")
    assert (again.id, again.ignored) == (first.id, ("content",))
    with pytest.raises(InvalidInputError, match=r"^content: must be more than white space$"):
        await exact.memories.remember("\ufeff")


async def test_the_rule_is_kept(exact: Store, url: str, clock: Clock) -> None:
    """A database keeps its rule: another is refused and named, and without one it opens by its own."""
    assert exact.same_fact == "exact"
    if url == ":memory:":
        return
    await exact.memories.remember("Likes tea")
    for options in ({}, {"migrate": False}, {"same_fact": "exact"}):
        async with memrepo.connect(url, clock=clock, **options) as store:
            assert store.same_fact == "exact"
            assert (await store.scoped("").memories.remember("Likes tea")).outcome == "duplicate"
    for migrate in (True, False):
        with pytest.raises(InvalidInputError, match='is "exact" for this database') as caught:
            await memrepo.connect(url, migrate=migrate, same_fact="folded")
        assert caught.value.field == "same_fact"
    assert await exact.memories.count() == 1


async def test_a_folded_database_is_not_opened_as_exact(url: str, clock: Clock) -> None:
    """The default rule is kept, too, in a database with facts and in one without."""
    async with memrepo.connect(url, clock=clock) as store:
        assert store.same_fact == "folded"
        if url != ":memory:":
            with pytest.raises(InvalidInputError, match='is "folded" for this database'):
                await memrepo.connect(url, same_fact="exact")


async def test_stores_that_make_a_database_at_once(url: str, clock: Clock) -> None:
    """Of several that open a new database at once, all get the rule that they ask for."""
    if url == ":memory:":
        return
    stores = await asyncio.gather(
        *(memrepo.connect(url, clock=clock, same_fact="exact") for _ in range(4))
    )
    assert [store.same_fact for store in stores] == ["exact"] * 4
    await asyncio.gather(*(store.close() for store in stores))


async def test_migrate_later(url: str, clock: Clock) -> None:
    """A store that is opened before its tables are made gives them the rule that it was opened with."""
    async with memrepo.connect(url, clock=clock, migrate=False, same_fact="exact") as store:
        await store.migrate()
        for text in PAIRS[0]:
            assert (await store.memories.remember(text)).outcome == "created"
        assert await store.verify() == []


async def test_copies_keep_the_rule(exact: Store, clock: Clock) -> None:
    """Facts are copied to a store of the same rule only, and nothing is written to another."""
    await exact.memories.remember_many(MemoryNew(content=text) for pair in PAIRS for text in pair)
    async with memrepo.connect(":memory:", clock=clock) as folded:
        with pytest.raises(InvalidInputError, match=r'^other: has the rule "folded"'):
            await exact.copy_to(folded)
        with pytest.raises(InvalidInputError, match=r'^other: has the rule "exact"'):
            await folded.copy_to(exact)
        assert await folded.memories.count() == 0
    async with memrepo.connect(":memory:", clock=clock, same_fact="exact") as other:
        assert (await exact.copy_to(other)).is_identical
        assert (await other.memories.remember(PAIRS[0][0])).outcome == "duplicate"


async def test_repair_by_the_rule(exact: Store) -> None:
    """A fact that another program changed is hashed anew by the rule of its database."""
    fact = await exact.memories.remember("Maple")
    change = memrepo.Statement("test.change", "UPDATE memory_entries SET content='maple'")
    await exact.connection.write((change.bind(),))
    assert [problem.kind for problem in await exact.verify()] == ["content hash"]
    await exact.repair()
    assert await exact.verify() == []
    assert (await exact.memories.get(fact.id)).content_hash == content_hash(
        "maple", same_fact=exact.same_fact
    )


@pytest.mark.parametrize("form", ["NFC", "NFD"])
async def test_contains_what_is_the_same(store: Store, form: Literal["NFC", "NFD"]) -> None:
    """A filter finds a text by what `remember` takes for the same, in either Unicode form, and \u00df by \u1e9e."""
    pairs = [
        ("Caf\u00e9 M\u00fcller", "CAFE\u0301 m\u00fcller"),
        ("Hauptstra\u00dfe 7", "STRA\u1e9eE"),
        ("J\u030cazz", "\u01f0azz"),
        ("\u0130stanbul", "i\u0307stanbul"),
        ("\ud55c\uad6d", "\u1112\u1161\u11ab"),
    ]
    for text, wanted in pairs:
        stored = (await store.memories.remember(unicodedata.normalize(form, text))).entry
        for needle in {wanted, text, *(unicodedata.normalize(f, wanted) for f in ("NFC", "NFD"))}:
            assert list(await store.memories.find_many(MemoryFilter(contains=needle))) == [stored]
        assert await store.memories.count(MemoryFilter(contains=f"{wanted}x")) == 0
