"""`Store.verify`: what is wrong with a database is found, and named."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import suppress
from pathlib import Path

import pytest

import memrepo
from tests.conftest import Clock
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.asyncio


async def test_verify_finds_what_another_program_broke(tmp_path: Path, clock: Clock) -> None:
    """A changed text, a reference to nothing, a damaged index, a time that is none: named, without the text."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, clock=clock) as store:
        changed = await store.memories.remember("secret")
        await store.memories.remember("sound")
    raw = sqlite3.connect(path)
    raw.execute("UPDATE memory_entries SET content = 'secrets' WHERE id = ?", (changed.id,))
    raw.execute(
        "INSERT INTO daily_logs (session_id, event_type, timestamp) VALUES (9, 'x', '2026')"
    )
    # Two indexes of one table change places: neither holds its rows any more.
    first, second = "ix_daily_logs__scope_timestamp", "ix_daily_logs__session_id_timestamp"
    roots = dict(raw.execute("SELECT name, rootpage FROM sqlite_master"))
    raw.execute("PRAGMA writable_schema = ON")
    for name, other in ((first, second), (second, first)):
        raw.execute("UPDATE sqlite_master SET rootpage = ? WHERE name = ?", (roots[other], name))
    raw.commit()
    raw.close()
    async with memrepo.connect(path, clock=clock) as store:
        problems = await store.verify()
    kinds = {problem.kind for problem in problems}
    assert kinds == {"integrity", "foreign key", "content hash", "value"}
    (wrong_hash,) = (problem for problem in problems if problem.kind == "content hash")
    assert (wrong_hash.table, wrong_hash.id) == ("memory_entries", changed.id)
    assert "secret" not in repr(problems)


@pytest.mark.parametrize("name", ["memory_entries", "memory_entries_content_hash_unique"])
async def test_verify_finds_a_damaged_page(tmp_path: Path, clock: Clock, name: str) -> None:
    """Where SQLite's own check gives up, the table is named, and the others are checked; restoring refuses it."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, clock=clock) as store:
        facts = [memrepo.MemoryNew(content=f"fact {n} " + "x" * 300) for n in range(100)]
        await store.memories.remember_many(facts)
    raw = sqlite3.connect(path)
    (root,) = raw.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (name,)).fetchone()
    raw.execute(
        "INSERT INTO daily_logs (session_id, event_type, timestamp)"
        " VALUES (9, 'x', '2026-02-02T14:16:24.123Z')"
    )
    raw.commit()
    raw.close()
    with path.open("r+b") as file:
        file.seek((root - 1) * 4096 + 8)
        file.write(b"\xff" * 32)
    async with memrepo.connect(path, clock=clock) as store:
        problems = await store.verify()
    assert [(its.kind, its.table) for its in problems] == [
        ("integrity", "memory_entries"),
        ("foreign key", "daily_logs"),
    ]
    with pytest.raises(memrepo.CorruptDatabaseError, match=f"{path} is damaged: a page of it or"):
        await memrepo.restore_backup(path, tmp_path / "new.db")


async def test_rows_out_of_order_are_not_read_for_ever(tmp_path: Path, clock: Clock) -> None:
    """One flipped bit can put a row's id out of order, after which a page would lead back to itself."""
    path, other = tmp_path / "agent.db", tmp_path / "copy.db"
    async with memrepo.connect(path, clock=clock) as store:
        await store.daily_logs.append_many(
            memrepo.DailyLogNew(event_type="marker" if n == 199 else "event") for n in range(1, 201)
        )
    content = bytearray(path.read_bytes())
    # The id 199 as SQLite writes it, before the row (https://sqlite.org/fileformat.html#b_tree_pages).
    at = content.rindex(b"\x81\x47", 0, content.index(b"marker"))
    content[at + 1] ^= 1 << 7
    path.write_bytes(content)
    async with asyncio.timeout(PATIENCE_S), memrepo.connect(path, clock=clock) as store:
        assert "integrity" in {problem.kind for problem in await store.verify()}
        with suppress(memrepo.CorruptDatabaseError):
            assert len([event async for event in store.daily_logs.iterate()]) < 1_000
        async with memrepo.connect(other, clock=clock) as target:
            with suppress(memrepo.MemrepoError):
                await store.copy_to(target)
