"""aiosqlite with one trip to its worker thread per operation: as fast as it goes without grouping."""

from __future__ import annotations

from collections.abc import Sequence
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


class OneHop(Contender):
    """``execute_fetchall`` with RETURNING in autocommit mode; rows are tuples, there is no model."""

    name: ClassVar[str] = "aiosqlite, one hop"
    packages: ClassVar[tuple[str, ...]] = ("aiosqlite",)
    module: ClassVar[str] = "aiosqlite"
    does: ClassVar[frozenset[str]] = EVENTS | FACTS | READS
    usage: ClassVar[str] = (
        "`execute_fetchall` with RETURNING on one connection in autocommit mode; W4 is `executemany`"
        " in one transaction"
    )

    db: aiosqlite.Connection

    async def open(self, path: Path, durability: Durability) -> None:
        """Open one connection and set its pragmas."""
        self.db = await aiosqlite.connect(path, isolation_level=None)
        await self.db.execute("PRAGMA journal_mode = WAL")
        await self.db.execute(f"PRAGMA synchronous = {durability}")
        await self.db.execute("PRAGMA foreign_keys = ON")

    async def close(self) -> None:
        """Close the connection."""
        await self.db.close()

    async def settings(self) -> Settings:
        """Read the settings back."""
        ((mode,),) = await self.db.execute_fetchall("PRAGMA journal_mode")
        ((level,),) = await self.db.execute_fetchall("PRAGMA synchronous")
        return named(mode, level)

    async def append(self, event: Event) -> None:
        """Insert one event."""
        await self.db.execute_fetchall(sql.APPEND_RETURNING, sql.append_values(event))

    async def append_all(self, events: Sequence[Event]) -> None:
        """Insert all events in one transaction."""
        await self.db.execute("BEGIN IMMEDIATE")
        await self.db.executemany(sql.APPEND, map(sql.append_values, events))
        await self.db.commit()

    async def remember(self, fact: Fact) -> None:
        """Upsert one fact."""
        await self.db.execute_fetchall(sql.REMEMBER, sql.remember_values(fact))

    async def get(self, key: Key) -> object:
        """Select one fact."""
        return await self.db.execute_fetchall(sql.GET, (key,))

    async def context(self, category: str, session_id: int) -> tuple[int, int]:
        """Select one context."""
        facts = await self.db.execute_fetchall(sql.LATEST_FACTS, (category,))
        events = await self.db.execute_fetchall(sql.LATEST_EVENTS, (session_id,))
        return len(list(facts)), len(list(events))
