"""The search index of a file: pushed, rebuilt, backed up, compacted, read only, left unclosed, taken in at any time."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
import warnings
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

import memrepo
from memrepo import MemoryNew, Store
from memrepo.index import keeper
from tests.admin.original import THEN, Program
from tests.admin.test_compact import files_with_secret, purge_all, remember_secrets
from tests.admin.test_push import push
from tests.conftest import Clock
from tests.contract.test_search_index import found
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.asyncio


async def n_pending(store: Store) -> int:
    """How much is pending, with an index that was made."""
    info = (await store.info()).search_index
    assert info is not None
    return info.n_pending


async def test_the_original_writes_after_a_push(place: tuple[str, Program], clock: Clock) -> None:
    """A push leaves the index alone, so that the original can go on; accepted, the index is made anew."""
    url, original = place
    async with memrepo.connect(url, clock=clock, search="english") as store:
        await store.memories.remember("Likes tea")
        await store.catch_up()
    push(original)
    original.remember("Plays chess", THEN)
    original.run("UPDATE memory_entries SET content = 'Likes jam' WHERE content = 'Likes tea'")
    original.run("DELETE FROM sessions")
    async with memrepo.connect(url, clock=clock, accept_push=True) as store:
        assert (await store.info()).search_index is None
        assert len(await found(store, "chess")) == 1
        # Its text is not the one that its hash is of, as that of a fact of another scope.
        assert len(await found(store, "jam", scope="lost+found")) == 1
        assert await found(store, "tea") == []


async def test_what_the_original_writes(place: tuple[str, Program], clock: Clock) -> None:
    """Its rows, and what it forgets and deletes, are in the index once that has caught up; it needs no FTS5."""
    url, original = place
    async with memrepo.connect(url, clock=clock, search="english") as store:
        await store.memories.remember("Likes tea")
        await store.catch_up()
        original.remember("Plays chess", THEN)
        original.forget("Likes tea", THEN)
        assert (await found(store, "chess"), await found(store, "tea")) == ([2], [])
        original.run("DELETE FROM memory_entries")
        assert await found(store, "chess") == []


async def test_a_rebuilt_table(tmp_path: Path, clock: Clock) -> None:
    """A table that another program has rebuilt has no triggers any more: the next opening makes the index anew."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, clock=clock, search="trigram") as store:
        await store.memories.remember("Likes tea")
        await store.catch_up()
    with closing(sqlite3.connect(path)) as raw:
        raw.executescript(
            "DROP TRIGGER tr_memory_entries__index_update;"
            "UPDATE memory_entries SET content = 'Likes jam', hash_version = 0;"
        )
    async with memrepo.connect(path, clock=clock) as store:
        assert (await found(store, "tea"), await found(store, "ikes jam")) == ([], [1])
        info = (await store.info()).search_index
        assert info is not None
        assert info.tokenizer == "trigram"


async def test_a_newer_index(tmp_path: Path, clock: Clock) -> None:
    """An index that a newer memrepo made is left alone, and everything else works."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, clock=clock, search="english"):
        pass
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("UPDATE memrepo_settings SET value = '2' WHERE name = 'search_format'")
    async with memrepo.connect(path, clock=clock) as store:
        await store.memories.remember("Likes tea")
        assert await store.catch_up() == 0
        assert (await store.info()).search_index is None
        assert await store.verify() == []
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("SELECT * FROM _cf_memrepo_fts_memory_entries").fetchall() == []


async def test_backups_have_it(tmp_path: Path, clock: Clock) -> None:
    """A backup has the index as it was, and so has the database that is restored from it."""
    async with memrepo.connect(tmp_path / "agent.db", clock=clock, search="english") as store:
        await store.memories.remember("Likes tea")
        await store.catch_up()
        await store.memories.remember("Likes jam")
        await store.backup(tmp_path / "backup.db")
    await memrepo.restore_backup(tmp_path / "backup.db", tmp_path / "restored.db")
    async with memrepo.connect(tmp_path / "restored.db", clock=clock) as store:
        assert await n_pending(store) == 1
        assert await found(store, "likes") == [2, 1]


@pytest.mark.parametrize("search", ["english", "trigram"])
async def test_deleted_words_are_gone(
    tmp_path: Path, clock: Clock, search: memrepo.Tokenizer
) -> None:
    """
    After purge and compact no file has a deleted word: neither as text, nor among the index's words.

    The controls: before it, files have; and a word is still there after a VACUUM alone.
    """
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, clock=clock, search=search) as store:
        await remember_secrets(store)
        for _ in range(3):
            await store.catch_up()
        await purge_all(store, clock)
        assert files_with_secret(tmp_path)
        if search == "english":
            assert _has_word(path, "xylophon")
            with closing(sqlite3.connect(path, isolation_level=None)) as raw:
                raw.execute("VACUUM")
            assert _has_word(path, "xylophon")
        await store.compact()
        assert files_with_secret(tmp_path) == set()
        assert not _has_word(path, "xylophon" if search == "english" else "xyl")
        assert await found(store, "kept", scope="user:1")


def _has_word(path: Path, word: str) -> bool:
    """Tell whether a page of an index's segments has a word; prefixes that words share are stored once."""
    with closing(sqlite3.connect(path)) as raw:
        tables = ("memory_entries", "daily_logs", "sessions")
        blocks = [
            block
            for table in tables
            for (block,) in raw.execute(f"SELECT block FROM _cf_memrepo_fts_{table}_data")
        ]
    return any(word[1:].encode() in bytes(block) for block in blocks)


async def test_compact_removes_what_was_replaced_unseen(tmp_path: Path, clock: Clock) -> None:
    """A fact that another program's OR REPLACE has removed fires no trigger: verify counts it, compact removes it."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, clock=clock, search="english") as store:
        await store.memories.remember("Likes tea")
        await store.catch_up()
        with closing(sqlite3.connect(path)) as raw, raw:
            raw.execute(
                "INSERT OR REPLACE INTO memory_entries (content, content_hash, category, source, created_at)"
                " SELECT 'LIKES TEA', content_hash, 'a', 'b', created_at FROM memory_entries"
            )
        assert await store.catch_up() == 0
        (problem,) = await store.verify()
        assert problem.detail == "the search index has 1 rows that it should not have"
        await store.compact()
        assert await found(store, "tea") == [2]


async def test_read_only(tmp_path: Path, clock: Clock) -> None:
    """A store that only reads leaves what is pending, and can be asked and verified."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, clock=clock, search="english") as store:
        await store.memories.remember("Likes tea")
        pending = await n_pending(store)
    async with memrepo.connect(f"file:{path}?mode=ro", clock=clock) as store:
        await asyncio.sleep(2 * keeper._QUIET_S)
        assert await n_pending(store) == pending == 1
        assert await store.verify() == []
        with pytest.raises(memrepo.ReadOnlyError):
            await store.catch_up()


async def test_after_a_transaction(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a transaction has written is taken in after it, though its task goes on."""
    monkeypatch.setattr(keeper, "_QUIET_S", 0.001)
    async with memrepo.connect(tmp_path / "agent.db", clock=clock, search="english") as store:
        async with store.transaction() as tx:
            for number in range(50):
                await tx.memories.remember(f"fact {number}")
                await asyncio.sleep(0.0005)
        async with asyncio.timeout(PATIENCE_S):
            while await n_pending(store):
                await asyncio.sleep(0.005)
        assert await store.verify() == []


async def test_a_write_waits_for_one_slice_at_most(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who writes while much is taken in has its turn before the next slice, and then the index waits for quiet."""
    monkeypatch.setattr(keeper, "_QUIET_S", 0.02)
    names: list[str] = []
    async with memrepo.connect(
        tmp_path / "agent.db",
        clock=clock,
        search="english",
        on_statement=lambda event: names.append(event.name),
    ) as store:
        await store.memories.remember_many(MemoryNew(content=f"fact {n}") for n in range(5_000))
        async with asyncio.timeout(PATIENCE_S):
            while "indexing.take_rows" not in names:
                await asyncio.sleep(0.001)
        # On a busy machine, two writes may lie so far apart that it is quiet between them.
        monkeypatch.setattr(keeper, "_QUIET_S", 3_600.0)
        names.clear()
        for number in range(20):
            await store.memories.remember(f"urgent {number}")
        n_slices = names.count("indexing.take_rows")
        assert await n_pending(store) > 4_000
    assert n_slices <= 2


async def test_stores_take_over(tmp_path: Path, clock: Clock) -> None:
    """What one store has left pending when it was closed, the next one takes in, without a write of its own."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, clock=clock, search="english") as store:
        await store.memories.remember_many(MemoryNew(content=f"fact {n}") for n in range(500))
    async with memrepo.connect(path, clock=clock) as store:
        assert await n_pending(store) == 500
        async with asyncio.timeout(PATIENCE_S):
            while await n_pending(store):
                await asyncio.sleep(0.02)


async def test_an_unclosed_store_is_noticed(tmp_path: Path, clock: Clock) -> None:
    """A store with an index that is thrown away is told of at once, as any other: nothing of the index holds it."""
    store = await memrepo.connect(tmp_path / "agent.db", clock=clock, search="english")
    await store.memories.remember("Likes tea")
    gc.collect()
    gc.disable()
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            del store
        assert [its.category for its in caught] == [ResourceWarning]
    finally:
        gc.enable()


async def test_purged_facts_leave_the_index(tmp_path: Path, clock: Clock) -> None:
    """Also in the store's own time: what is purged is noted, and then removed."""
    async with memrepo.connect(tmp_path / "agent.db", clock=clock, search="english") as store:
        fact = await store.memories.remember("Likes tea")
        await store.catch_up()
        await store.memories.forget(fact.id)
        await store.memories.purge(clock.advance(days=1) + timedelta(days=1))
        assert await n_pending(store) == 1
        assert await found(store, "tea") == []
