"""Queries made to be slow: refused, or stopped when nobody waits for them any more (failures.md, SE-13)."""

from __future__ import annotations

import asyncio
import time

import pytest

import memrepo

pytestmark = pytest.mark.asyncio

#: Ordinary text, in which the longest filter there is fits nowhere. (Text in which it almost fits
#: everywhere takes longer to stop: docs/explanation/engine.md, Cancellation.)
TEXT = "It was remembered that the meeting on Thursday had been moved to the afternoon. " * 3
NEEDLE = ("the meeting on Friday " * 50)[:1_000]
#: Adds :n facts: `remember_many` would take longer than all that the test is about.
FILL = memrepo.Statement(
    "test.fill",
    "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :n) "
    "INSERT INTO memory_entries (content, category, source, created_at, last_accessed) "
    "SELECT :text || ' ' || n, 'fact', 'user', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z' "
    "FROM numbers",
)


async def test_filter_of_50_000_characters_is_refused(store: memrepo.Store) -> None:
    """It is an error of the argument's, at once, before anything is sent to the database."""
    started_s = time.thread_time()  # of this thread only: other programs' work does not count
    with pytest.raises(memrepo.InvalidInputError, match="contains: must not be longer than 1,000"):
        await store.memories.find_many(memrepo.MemoryFilter(contains="%a" * 25_000))
    assert time.thread_time() - started_s < 0.1


async def test_slow_filter_is_stopped(store: memrepo.Store) -> None:
    """One that reads through many rows ends at its timeout, and the next call is answered at once."""
    await store.connection.write((FILL.bind(text=TEXT, n=40_000),))
    started_s = time.process_time()  # of this process only: other programs' work does not count
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await store.memories.count(memrepo.MemoryFilter(contains=NEEDLE))
    await store.memories.get(1)
    assert time.process_time() - started_s < 1
