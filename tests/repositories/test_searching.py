"""Searches in a scope with many facts, and by other tokenizers than the default."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from threading import Thread

import pytest
import pytest_asyncio
from blockbuster import BlockBuster

import memrepo
from memrepo import MemoryNew, MemoryRepo, Statement, StatementEvent, Store
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def crowded(clock: Clock) -> AsyncIterator[Store]:
    """A store in which more facts than are read have each of the words common, usual and frequent."""
    async with memrepo.connect(":memory:", clock=clock) as store:
        await store.memories.remember_many(
            MemoryNew(content=f"{n} is common, usual and frequent") for n in range(1_100)
        )
        await store.memories.remember("One rare zebra is common")
        await store.memories.remember("Another rare zebra")
        await store.memories.remember_many(
            MemoryNew(content=f"{n} is common, usual and frequent") for n in range(1_100, 2_200)
        )
        await store.memories.remember("the latest with the words common and usual, not the third")
        yield store


async def test_rare_words_choose(crowded: Store) -> None:
    """A common word chooses nothing, but decides among what rarer ones choose, and the hit says so."""
    first, second, *_ = await crowded.memories.search("common zebras")
    assert first.entry.content == "One rare zebra is common"
    assert second.entry.content == "Another rare zebra"
    assert first.only_checked == ("common",)
    assert "has 'zebras' and 'common'" in first.why


async def test_common_words_only(crowded: Store) -> None:
    """Where all words are common, the latest are chosen that have the rarest and another."""
    hits = await crowded.memories.search("common usual", limit=3)
    assert hits[0].relevance == 1.0
    assert set(hits[0].only_checked) == {"common", "usual"}
    (alone, *_) = await crowded.memories.search("common", limit=1)
    assert alone.only_checked == ("common",)


async def test_counts_are_about_right(crowded: Store) -> None:
    """What is known of a common word from its first rows weighs it as all of them would."""
    by_index = await crowded.memories.search("common zebras")
    reading = MemoryRepo(crowded.connection, clock=crowded.memories.now)
    by_reading = await reading.search("common zebras")
    assert by_index[0].score == pytest.approx(by_reading[0].score, rel=0.02)
    assert by_index[1].relevance == pytest.approx(by_reading[1].relevance, rel=0.02)


async def test_other_languages(clock: Clock) -> None:
    """By trigrams, text without spaces is found, and parts of words, short ones too."""
    async with memrepo.connect(":memory:", clock=clock, search="trigram") as store:
        meeting = await store.memories.remember("明日の会議は午後三時です")
        await store.memories.remember("お茶が好きです")
        await store.memories.remember("The Blumentopf stands in the garden")
        for text in ("会議は午後", "会議", "午後三時", "where is 会議", "会議 garage"):
            hits = await store.memories.search(text)
            assert hits[0].entry.id == meeting.id, text
        (hit, *_) = await store.memories.search("topf")
        assert hit.entry.content[slice(*hit.highlights[0])] == "topf"


async def test_words_as_they_are(clock: Clock) -> None:
    """By the tokenizer of Unicode, case and accents do not count, but forms do."""
    async with memrepo.connect(":memory:", clock=clock, search="unicode") as store:
        await store.memories.remember("Ein Café am Fluss")
        assert await store.memories.search("cafe")
        assert not await store.memories.search("cafes")


async def test_other_scopes_move_no_score(crowded: Store) -> None:
    """Scores of common words, too, are what they are whatever other scopes take in meanwhile."""
    before = await crowded.memories.search("common zebras")
    other = crowded.scoped("other").memories
    await other.remember_many(MemoryNew(content=f"common zebra {n}") for n in range(3_000))
    assert await crowded.memories.search("common zebras") == before


async def test_text_that_is_not_utf8(clock: Clock) -> None:
    """A fact that another program stored with bytes that are no text keeps no search from others."""
    broken = Statement(
        "test.broken", "UPDATE memory_entries SET content=CAST(x'ff41' AS TEXT) WHERE id=:id"
    )
    async with memrepo.connect(":memory:", clock=clock) as store:
        fact = await store.memories.remember("to be broken")
        await store.memories.remember("the keys are here")
        await store.connection.write((broken.bind(id=fact.id),))
        first, *_ = await store.memories.search("keys")
        assert first.entry.content == "the keys are here"


async def test_reading_only_finds_what_is_pending(tmp_path: Path, clock: Clock) -> None:
    """A store that only reads finds what others have written since the index caught up."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, clock=clock, search="english") as writer:
        await writer.memories.remember("wasps one")
        await writer.catch_up()
        async with memrepo.connect(f"file:{path}?mode=ro", clock=clock) as reader:
            assert len(await reader.memories.search("wasps")) == 1
            await writer.memories.remember("wasps two")
            assert len(await reader.memories.search("wasps")) == 2


async def test_an_index_that_lost_a_table(tmp_path: Path, clock: Clock) -> None:
    """Whoever drops a table of the index gets it back with the next opening."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, clock=clock, search="english") as store:
        await store.memories.remember("wasps one")
        await store.catch_up()
    with closing(sqlite3.connect(path)) as database:
        database.execute("DROP TABLE _cf_memrepo_fts_memory_entries")
        database.commit()
    async with memrepo.connect(path, clock=clock, search="english") as store:
        assert len(await store.memories.search("wasps")) == 1
        assert await store.verify() == []


async def test_what_another_store_takes_in_meanwhile(
    tmp_path: Path, no_blocking_calls: BlockBuster
) -> None:
    """What was acknowledged is found, in another form, when another store takes it in while the forms are read."""
    for function in no_blocking_calls.functions.values():
        function.deactivate()  # the hook waits for that store
    path, taking_in = tmp_path / "agent.db", False
    german = memrepo.language("german")

    async def take_in() -> None:
        async with memrepo.connect(path, search=german, migrate=False) as other:
            await other.catch_up()

    def note(event: StatementEvent) -> None:
        nonlocal taking_in
        if taking_in and event.name.startswith("terms."):
            taking_in = False
            thread = Thread(target=asyncio.run, args=(take_in(),))
            thread.start()
            thread.join()

    async with memrepo.connect(path, search=german, on_statement=note) as store:
        await store.memories.search("Haus")
        await store.memories.remember("Die Häuser am See")
        taking_in = True
        (hit,) = await store.memories.search("Haus")
        assert hit.entry.content == "Die Häuser am See"
        assert not taking_in
