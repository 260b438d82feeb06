"""`Store.info` of a file and of memory."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

import memrepo
from memrepo.connection.sqlite.health import has_wal_reset_bug

pytestmark = pytest.mark.asyncio


async def test_info_is_what_the_database_says(tmp_path: Path) -> None:
    """Engine, pragmas and sizes are read back, not repeated from the arguments."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, durability="normal") as store:
        await store.memories.remember("a fact")
        info = await store.info()
        assert (info.engine, info.engine_version) == ("sqlite", sqlite3.sqlite_version)
        assert (info.path, info.durability) == (path, "normal")
        assert (info.journal_mode, info.synchronous) == ("wal", 1)
        assert info.size_bytes == path.stat().st_size
        assert info.wal_size_bytes == Path(f"{path}-wal").stat().st_size > 0


async def test_info_of_memory_has_no_file() -> None:
    """A database in memory has no path, no size and no durability."""
    async with memrepo.connect(":memory:") as store:
        info = await store.info()
        assert (info.path, info.durability, info.journal_mode) == (None, "none", "memory")
        assert info.size_bytes == info.wal_size_bytes == 0


@pytest.mark.parametrize(
    ("version", "has_bug"),
    [
        ((3, 6, 23), False),
        ((3, 7, 0), True),
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 0), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 52, 0), False),
    ],
)
async def test_wal_reset_bug_is_told_by_version(version: tuple[int, ...], has_bug: bool) -> None:
    """The bug is there until 3.51.3, and not in the two lines that it was fixed in before."""
    assert has_wal_reset_bug(version) is has_bug
