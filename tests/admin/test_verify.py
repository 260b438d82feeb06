"""`Store.verify`: what is wrong with a database is found, and named."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

import memrepo
from tests.conftest import Clock

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
