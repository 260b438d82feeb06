"""aiosqlite shared by many tasks the careful way: a lock, an explicit transaction, a rollback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar

import aiosqlite

from tests.benchmarks import sql
from tests.benchmarks.contender import (
    EVENTS,
    FACTS,
    READS,
    Contender,
    Durability,
    Key,
    Settings,
    named,
)
from tests.benchmarks.data import Event, Fact


class Careful(Contender):
    """What its README shows (``execute``, ``fetchall``, ``commit``), made safe for several tasks."""

    name: ClassVar[str] = "aiosqlite, careful"
    packages: ClassVar[tuple[str, ...]] = ("aiosqlite",)
    does: ClassVar[frozenset[str]] = EVENTS | FACTS | READS
    usage: ClassVar[str] = (
        "`BEGIN IMMEDIATE`, `execute`, `fetchall`, `commit` under an `asyncio.Lock` on one connection"
    )

    db: aiosqlite.Connection
    lock: asyncio.Lock

    async def open(self, path: Path, durability: Durability) -> None:
        """Open one connection, set its pragmas, and make the lock."""
        self.lock = asyncio.Lock()
        self.db = await aiosqlite.connect(path)
        await self.db.execute("PRAGMA journal_mode = WAL")
        await self.db.execute(f"PRAGMA synchronous = {durability}")
        await self.db.execute("PRAGMA foreign_keys = ON")

    async def close(self) -> None:
        """Close the connection."""
        await self.db.close()

    async def settings(self) -> Settings:
        """Read the settings back."""
        (mode,), (level,) = [
            (await self._fetchall(f"PRAGMA {name}"))[0] for name in ("journal_mode", "synchronous")
        ]
        return named(mode, level)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[None]:
        async with self.lock:
            await self.db.execute("BEGIN IMMEDIATE")
            try:
                yield
                await self.db.commit()
            except BaseException:
                await self.db.rollback()
                raise

    async def _fetchall(self, statement: str, values: Iterable[object] = ()) -> list[aiosqlite.Row]:
        async with self.db.execute(statement, values) as cursor:
            return list(await cursor.fetchall())

    async def append(self, event: Event) -> None:
        """Insert one event in a transaction."""
        async with self._transaction():
            await self._fetchall(sql.APPEND_RETURNING, sql.append_values(event))

    async def append_all(self, events: Sequence[Event]) -> None:
        """Insert all events in one transaction."""
        async with self._transaction():
            await self.db.executemany(sql.APPEND, map(sql.append_values, events))

    async def remember(self, fact: Fact) -> None:
        """Upsert one fact in a transaction."""
        async with self._transaction():
            await self._fetchall(sql.REMEMBER, sql.remember_values(fact))

    async def get(self, key: Key) -> object:
        """Select one fact under the lock, so that it cannot see another task's open transaction."""
        async with self.lock:
            return await self._fetchall(sql.GET, (key,))

    async def context(self, category: str, session_id: int) -> tuple[int, int]:
        """Select one context under the lock."""
        async with self.lock:
            facts = await self._fetchall(sql.LATEST_FACTS, (category,))
            events = await self._fetchall(sql.LATEST_EVENTS, (session_id,))
        return len(facts), len(events)
