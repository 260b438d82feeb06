"""The search index on every driver: it has what can be found, and nothing else, whoever writes and whenever."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
import pytest_asyncio

import memrepo
from memrepo import DailyLogNew, InvalidInputError, MemoryNew, Statement, StatementEvent, Store
from memrepo.queries import index_tables, indexing
from memrepo.queries.fulltext import scope_query, word_query
from memrepo.queries.indexing import index_table
from tests.conftest import Clock
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.asyncio

_OF_INDEX = Statement(
    "test.of_index", "SELECT name FROM sqlite_master WHERE name GLOB '_cf_*' OR type = 'trigger'"
)
_N_NOTES = Statement("test.n_notes", "SELECT count(*) FROM `_cf_memrepo_notes`")


@pytest_asyncio.fixture
async def indexed(url: str, clock: Clock) -> AsyncIterator[Store]:
    async with memrepo.connect(url, clock=clock, search="english") as store:
        yield store


async def found(store: Store, word: str, *, table: str = "memory_entries", scope: str = "") -> Any:
    """The ids of the rows of a scope that have a word, once everything is taken in and fits the tables."""
    assert await store.catch_up() == 0
    assert await store.verify() == []
    return await look_up(store, word, table=table, scope=scope)


async def look_up(
    store: Store, word: str, *, table: str = "memory_entries", scope: str = ""
) -> Any:
    """The ids of the rows of a scope that have a word, as the index is."""
    name = index_table(table)
    sql = f"SELECT rowid FROM `{name}`(:query) ORDER BY rowid DESC"
    query = f"{scope_query(scope)} AND {word_query([word])}"
    rows = await store.connection.read(Statement("test.found", sql).bind(query=query))
    return [number for (number,) in rows]


async def test_one_segment(indexed: Store) -> None:
    """A search looks into each segment of the index: catching up leaves one, with all that was there."""
    for part in range(6):
        await indexed.memories.remember_many(
            MemoryNew(content=f"Likes shoes, pair {part * 40 + number}") for number in range(40)
        )
        assert await indexed.catch_up() == 0
    segments = await indexed.connection.read(indexing.segments("memory_entries").bind())
    assert len(segments) == 1
    assert len(await found(indexed, "shoes")) == 240


async def test_what_can_be_found(indexed: Store) -> None:
    """Facts, summaries and the texts in events, by any form of a word; of one scope, whatever its name."""
    scopes = ("", "user:1", "running", "ed", "user:11")
    ids = {}
    for scope in scopes:
        store = indexed.scoped(scope)
        fact = await store.memories.remember("Likes running shoes")
        session = await store.sessions.start()
        await store.sessions.summarize(session.id, "They talked of shoes")
        event = await store.daily_logs.append(
            session.id, "note", {"shoes": 5, "list": ["deep", {"x": "A SHOE"}]}
        )
        ids[scope] = {"memory_entries": fact.id, "sessions": session.id, "daily_logs": event.id}
    await indexed.daily_logs.append(None, "shoe")
    assert await found(indexed, "running talks", scope="user:1") == []
    for scope in scopes:
        for table, number in ids[scope].items():
            assert await look_up(indexed, "shoe", table=table, scope=scope) == [number]
    for text in ('"', "'", "*", 'a" OR text:"shoes', "\0shoes\0", "NEAR(", "-", "^"):
        await look_up(indexed, text)
    assert await indexed.verify() == []


async def test_what_changes(indexed: Store, clock: Clock) -> None:
    """Each way to change, hide, bring back and delete a row: the index follows."""
    facts = indexed.memories
    oslo = await facts.remember("Lives in Oslo")
    assert await found(indexed, "oslo") == [oslo.id]
    bonn = await facts.supersede(oslo.id, "Lives in Bonn")
    assert (await found(indexed, "oslo"), await found(indexed, "lives")) == ([], [bonn.id])
    await facts.update(bonn.id, content="Dwells in Bonn")
    assert (await found(indexed, "lives"), await found(indexed, "dwells")) == ([], [bonn.id])
    await facts.forget(bonn.id)
    assert await found(indexed, "bonn") == []
    await facts.restore(bonn.id)
    assert await found(indexed, "bonn") == [bonn.id]
    assert (await facts.remember("lives in oslo")).outcome == "restored"
    assert await found(indexed, "oslo") == [oslo.id]
    await facts.forget_all(confirm=True)
    await facts.purge(clock.advance(days=1))
    assert await found(indexed, "oslo") == []
    session = await indexed.sessions.start()
    await indexed.sessions.end(session.id, summary="tea")
    event = await indexed.daily_logs.append(session.id, "note", "tea")
    assert await found(indexed, "tea", table="sessions") == [session.id]
    await indexed.sessions.summarize(session.id, None)
    assert await found(indexed, "tea", table="sessions") == []
    assert await found(indexed, "tea", table="daily_logs") == [event.id]
    await indexed.sessions.delete(session.id)
    assert await found(indexed, "tea", table="daily_logs") == []


async def test_touching_leaves_no_note(indexed: Store) -> None:
    """Restating, touching and new rows cost no note; only a change of what can be found leaves one, once."""
    fact = await indexed.memories.remember("tea")
    await indexed.catch_up()
    await indexed.memories.touch(fact.id)
    await indexed.memories.remember("tea", metadata={"a": 1})
    await indexed.memories.remember("jam")
    assert await indexed.connection.read(_N_NOTES.bind()) == [(0,)]
    for text in ("coffee", "milk"):
        await indexed.memories.update(fact.id, content=text)
    assert await indexed.connection.read(_N_NOTES.bind()) == [(1,)]


async def test_who_never_searches_has_none_of_it(store: Store) -> None:
    """A database whose index was never made has no table or trigger of it; made later, it has every row."""
    facts = [MemoryNew(content=f"fact {n}") for n in range(100)]
    await store.memories.remember_many(facts)
    first = (await store.memories.find_many(limit=1))[0]
    await store.memories.update(first.id, content="changed")
    assert await store.connection.read(_OF_INDEX.bind()) == []
    assert (await store.info()).search_index is None
    progress: list[tuple[int, int]] = []
    assert await store.catch_up(on_progress=lambda *its: progress.append(its)) == 0
    assert progress[-1] == (100, 100)
    info = (await store.info()).search_index
    assert info is not None
    assert (info.tokenizer, info.n_pending) == ("english", 0)
    assert info.rows_per_s is not None
    assert len(await found(store, "fact")) == 99


_FIRST = "(SELECT min(id) FROM memory_entries)"
_COLUMNS = "memory_entries (id, content, category, source, created_at)"
#: What other programs may write: to rows that are there, with an id of their own, with any conflict clause.
_FOREIGN = [
    f"UPDATE memory_entries SET content = 'zebra' WHERE id = {_FIRST}",
    "UPDATE OR REPLACE memory_entries SET content = 'zebra'",
    "UPDATE OR ROLLBACK memory_entries SET scope = 'user:1'",
    f"UPDATE memory_entries SET id = 77000 WHERE id = {_FIRST}",
    f"UPDATE memory_entries SET id = -5 WHERE id = {_FIRST}",
    f"UPDATE OR REPLACE memory_entries SET id = {_FIRST} WHERE id = {_FIRST} + 1",
    f"UPDATE memory_entries SET content = x'00ff' WHERE id = {_FIRST}",
    f"UPDATE memory_entries SET content = CAST(x'ff00' AS TEXT) WHERE id = {_FIRST}",
    f"INSERT INTO {_COLUMNS} VALUES (-9, 'a', 'b', 'c', '2026')",
    f"INSERT OR REPLACE INTO {_COLUMNS} VALUES ({_FIRST}, 'zebra', 'fact', 'x', '2026')",
    f"INSERT OR FAIL INTO {_COLUMNS} VALUES (0, 'a', 'b', 'c', '2026')",
    "DELETE FROM memory_entries",
    "UPDATE daily_logs SET event_data = '{broken'",
    "UPDATE daily_logs SET event_data = NULL",
    "UPDATE daily_logs SET event_data = x'7b7d'",
    'UPDATE OR FAIL daily_logs SET event_data = \'["zebra", [["deep"]], null, 1.5, ""]\'',
    "UPDATE sessions SET summary = 5",
    "DELETE FROM daily_logs",
]


async def test_what_other_programs_write(indexed: Store) -> None:
    """By plain SQL, with any conflict clause, a blob or text that is not UTF-8: the index still fits the tables."""
    for sql in _FOREIGN:
        await indexed.memories.remember_many([MemoryNew(content=text) for text in ("tea", "jam")])
        session = await indexed.sessions.get_or_start()
        await indexed.daily_logs.append(session.id, "note", "jam")
        await indexed.catch_up()
        # Twice, so that a note is there already.
        for _ in range(2):
            with suppress(memrepo.ConstraintError):
                await indexed.connection.write((Statement("another.program", sql).bind(),))
        assert await indexed.catch_up() == 0
        problems = {its.kind for its in await indexed.verify()}
        assert "search index" not in problems, sql
        clean = ("memory_entries", "daily_logs", "sessions")
        unit = [Statement("another.program", f"DELETE FROM {name}").bind() for name in clean]
        await indexed.connection.write(tuple(unit))


async def test_the_tokenizer_is_kept(indexed: Store, url: str, clock: Clock) -> None:
    """Another tokenizer is refused, and the one it has is named; repair changes it, and finds parts of words then."""
    await indexed.memories.remember("\u6771\u4eac\u306b\u4f4f\u3093\u3067\u3044\u308b Runners")
    assert await found(indexed, "run") == []
    if url != ":memory:":
        for migrate in (True, False):
            with pytest.raises(InvalidInputError, match='is "english" for this database') as caught:
                await memrepo.connect(url, clock=clock, migrate=migrate, search="trigram")
            assert caught.value.field == "search"
    with pytest.raises(InvalidInputError, match='must be "english", "unicode", "trigram" or None'):
        await indexed.repair(search="klingon")  # type: ignore[arg-type]
    assert await indexed.repair() == []
    (done,) = await indexed.repair(search="trigram")
    assert (done.kind, done.detail) == ("search index", "the search index was built anew")
    assert len(await found(indexed, "runner")) == 1
    assert len(await found(indexed, "\u306b\u4f4f\u3093")) == 1
    await indexed.scoped("x").memories.remember("runners")
    assert len(await found(indexed, "runner", scope="x")) == 1
    if url != ":memory:":
        async with memrepo.connect(url, clock=clock, search="trigram") as store:
            info = (await store.info()).search_index
            assert info is not None
            assert info.tokenizer == "trigram"


async def test_drift_is_found_and_repaired(indexed: Store) -> None:
    """Rows that the index lacks, has otherwise and has in vain are counted; repair builds it anew, with progress."""
    facts = [MemoryNew(content=f"fact {n}") for n in range(9)]
    await indexed.memories.remember_many(facts)
    await indexed.catch_up()
    name = indexing.index_table("memory_entries")
    for sql in (
        f"DELETE FROM {name} WHERE rowid < 3",
        f"UPDATE {name} SET text = 'x' WHERE rowid = 4",
        f"UPDATE {name} SET scope_key = 'x' WHERE rowid = 5",
        f"INSERT INTO {name} (rowid, text) VALUES (70, 'x')",
        f"INSERT INTO {indexing.index_table('sessions')} (rowid, text) VALUES (70, 'x')",
    ):
        await indexed.connection.write((Statement("another.program", sql).bind(),))
    assert [(its.kind, its.table, its.detail) for its in await indexed.verify()] == [
        ("search index", "memory_entries", "the search index lacks 2 of its rows"),
        ("search index", "memory_entries", "the search index has 2 of its rows with another text"),
        ("search index", "memory_entries", "the search index has 1 rows that it should not have"),
        ("search index", "sessions", "the search index has 1 rows that it should not have"),
    ]
    progress: list[tuple[int, int]] = []
    done = await indexed.repair(on_progress=lambda *its: progress.append(its))
    assert [its.table for its in done] == ["memory_entries", "sessions"]
    assert progress[-1] == (9, 9)
    assert len(await found(indexed, "fact")) == 9


async def test_several_stores_catch_up_at_once(indexed: Store, url: str, clock: Clock) -> None:
    """Each row is taken in once and no note is lost, while all write and all catch up."""
    if url == ":memory:":
        return
    stores = [await memrepo.connect(url, clock=clock) for _ in range(2)]
    try:

        async def work(store: Store, name: str) -> None:
            for n in range(5):
                batch = [MemoryNew(content=f"{name} {n} {m} word") for m in range(20)]
                done = await store.memories.remember_many(batch)
                await store.memories.update(done[0].id, content=f"{name} {n} changed word")
                await store.memories.forget(done[1].id)
                await store.catch_up()

        await asyncio.gather(*(work(its, f"n{n}") for n, its in enumerate((indexed, *stores))))
        ids = await found(indexed, "word")
        assert ids == sorted(set(ids), reverse=True)
        assert ids == [fact.id for fact in await indexed.memories.find_many(limit=500)]
    finally:
        for store in stores:
            await store.close()


async def test_it_catches_up_by_itself(indexed: Store) -> None:
    """When nobody writes any more, what is pending is taken in, without being asked for."""
    await indexed.memories.remember_many([MemoryNew(content=f"fact {n}") for n in range(200)])
    async with asyncio.timeout(PATIENCE_S):
        while True:
            await asyncio.sleep(0.25)
            info = (await indexed.info()).search_index
            assert info is not None
            if info.n_pending == 0:
                break
    assert await indexed.verify() == []


async def test_erasing(indexed: Store) -> None:
    """Nothing of an erased scope is left in the index."""
    for scope in ("user:1", "user:2"):
        store = indexed.scoped(scope)
        session = await store.sessions.start()
        await store.memories.remember("Likes tea")
        await store.sessions.summarize(session.id, "tea")
        await store.daily_logs.append_many([DailyLogNew(event_type="a", event_data="tea")] * 30)
    await indexed.catch_up()
    await indexed.scoped("user:1").erase(confirm=True)
    for table in indexing.PARTS:
        keys = Statement("test.keys", f"SELECT scope_key FROM {indexing.index_table(table)}")
        left = {key for (key,) in await indexed.connection.read(keys.bind())}
        assert left == {"ss" + b"user:2".hex() + "q"}


async def test_copies_have_their_own(indexed: Store, clock: Clock) -> None:
    """A copy gets an index of the same tokenizer, of the rows that it then has, also below ids of its own."""
    await indexed.memories.remember("Likes tea")
    await indexed.catch_up()
    async with memrepo.connect(":memory:", clock=clock) as target:
        assert (await indexed.copy_to(target)).is_identical
        assert len(await found(target, "tea")) == 1
    async with memrepo.connect(":memory:", clock=clock, search="unicode") as target:
        await target.scoped("x").memories.remember("a")
        await target.scoped("x").memories.remember("b")
        await target.catch_up()
        await target.connection.write(
            (Statement("another.program", "DELETE FROM memory_entries WHERE id = 1").bind(),)
        )
        await indexed.copy_to(target)
        assert await found(target, "tea") == [1]


async def test_reads_of_a_search(url: str, clock: Clock) -> None:
    """A search reads twice: the rows that have the words, and those beside them; once more where rows are pending."""
    reads: list[str] = []

    def note(event: StatementEvent) -> None:
        if event.name.startswith("search."):
            reads.append(event.name.removeprefix("search.memory_entries."))

    async with memrepo.connect(url, clock=clock, search="english", on_statement=note) as store:
        await store.memories.remember("Likes shoes")
        assert len(await store.memories.search("shoes")) == 1
        assert reads in (["postings", "around"], ["postings", "postings", "around"])
        reads.clear()
        assert len(await store.memories.search("shoes")) == 1
        assert reads == ["postings", "around"]


async def test_in_a_transaction(indexed: Store) -> None:
    """What a transaction writes is pending when it is committed, and nothing of one that is rolled back."""
    async with indexed.transaction() as tx:
        await tx.memories.remember("tea")
        assert (await indexed.info()).search_index is None
    with suppress(ZeroDivisionError):
        async with indexed.transaction() as tx:
            await tx.memories.remember("jam")
            raise ZeroDivisionError
    assert (await found(indexed, "tea"), await found(indexed, "jam")) == ([1], [])


async def test_without_fts5(url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where FTS5 is missing, everything else works, notes go on, and `verify` says what it could not check."""
    if url == ":memory:":
        return
    async with memrepo.connect(url, clock=clock, search="english") as store:
        fact = await store.memories.remember("tea")
        await store.catch_up()
    lacking = Statement("index_tables.has_fts5", "SELECT 0")
    with monkeypatch.context() as patch:
        patch.setattr(index_tables, "HAS_FTS5", lacking)
        async with memrepo.connect(url, clock=clock) as store:
            await store.memories.update(fact.id, content="coffee")
            assert await store.catch_up() == 0
            assert (await store.info()).search_index is None
            assert [its.kind for its in await store.verify()] == ["not checked"]
            assert await store.repair() == []
    async with memrepo.connect(url, clock=clock) as store:
        assert await found(store, "coffee") == [fact.id]


async def test_a_new_database_without_fts5(
    url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There, asking for an index is no error: there is none, and nothing is noted."""
    monkeypatch.setattr(index_tables, "HAS_FTS5", Statement("index_tables.has_fts5", "SELECT 0"))
    async with memrepo.connect(url, clock=clock, search="english") as store:
        await store.memories.remember("tea")
        assert await store.catch_up() == 0
        assert (await store.info()).search_index is None
        assert await store.verify() == []
