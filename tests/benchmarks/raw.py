"""The baseline: the standard library's sqlite3 in a tight synchronous loop, one commit per write."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import ClassVar

from tests.benchmarks import sql
from tests.benchmarks.contender import (
    BULK_FACTS,
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


def connect(path: Path, durability: Durability) -> sqlite3.Connection:
    """Open *path* in autocommit mode with memrepo's settings."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute(f"PRAGMA synchronous = {durability}")
    db.execute("PRAGMA foreign_keys = ON")
    return db


def read_settings(db: sqlite3.Connection) -> Settings:
    """Read the two settings that decide what a commit costs."""
    (mode,), (level,) = (
        db.execute(f"PRAGMA {name}").fetchone() for name in ("journal_mode", "synchronous")
    )
    return named(mode, level)


class Raw(Contender):
    """The physical limit for one writer that does not group: no event loop, no thread, no model."""

    name: ClassVar[str] = "raw sqlite3"
    does: ClassVar[frozenset[str]] = EVENTS | FACTS | BULK_FACTS | READS
    usage: ClassVar[str] = "autocommit; tuples; the same JSON, hashes and instants"

    db: sqlite3.Connection

    @classmethod
    def versions(cls) -> str:
        """Name the version of SQLite."""
        return f"SQLite {sqlite3.sqlite_version}"

    async def open(self, path: Path, durability: Durability) -> None:
        """Open the file."""
        self.db = connect(path, durability)

    async def close(self) -> None:
        """Close the file."""
        self.db.close()

    async def settings(self) -> Settings:
        """Read the settings back."""
        return read_settings(self.db)

    async def append(self, event: Event) -> None:
        """Write one event."""
        await self.append_in_turn([event])

    async def remember(self, fact: Fact) -> None:
        """Write one fact."""
        await self.remember_in_turn([fact])

    async def get(self, key: Key) -> object:
        """Read one fact."""
        return self.db.execute(sql.GET, (key,)).fetchone()

    async def context(self, category: str, session_id: int) -> tuple[int, int]:
        """Read one context."""
        facts = self.db.execute(sql.LATEST_FACTS, (category,)).fetchall()
        events = self.db.execute(sql.LATEST_EVENTS, (session_id,)).fetchall()
        return len(facts), len(events)

    async def append_in_turn(self, events: Sequence[Event]) -> None:
        """Insert and commit each event."""
        execute = self.db.execute
        for event in events:
            _ = execute(sql.APPEND, sql.append_values(event)).lastrowid

    async def append_at_once(self, events: Sequence[Event]) -> None:
        """Insert and commit each event: there is nothing to gain from tasks here."""
        await self.append_in_turn(events)

    async def append_all(self, events: Sequence[Event]) -> None:
        """Insert all events with executemany in one transaction."""
        self.db.execute("BEGIN IMMEDIATE")
        self.db.executemany(sql.APPEND, map(sql.append_values, events))
        self.db.execute("COMMIT")

    async def remember_all(self, facts: Sequence[Fact]) -> None:
        """Insert all facts with executemany in one transaction."""
        self.db.execute("BEGIN IMMEDIATE")
        self.db.executemany(sql.REMEMBER_ALL, map(sql.remember_values, facts))
        self.db.execute("COMMIT")

    async def remember_in_turn(self, facts: Sequence[Fact]) -> None:
        """Upsert and commit each fact."""
        execute = self.db.execute
        for fact in facts:
            execute(sql.REMEMBER, sql.remember_values(fact)).fetchone()

    async def remember_by_tasks(self, facts: Sequence[Fact], n_tasks: int) -> None:
        """Upsert and commit each fact: there is nothing to gain from tasks here."""
        del n_tasks
        await self.remember_in_turn(facts)

    async def get_in_turn(self, keys: Sequence[Key]) -> None:
        """Select each fact."""
        execute = self.db.execute
        for key in keys:
            execute(sql.GET, (key,)).fetchone()

    async def get_at_once(self, keys: Sequence[Key]) -> None:
        """Select each fact: there is nothing to gain from tasks here."""
        await self.get_in_turn(keys)

    async def contexts(self, wanted: Sequence[tuple[str, int]]) -> None:
        """Select each context."""
        execute = self.db.execute
        for category, session_id in wanted:
            execute(sql.LATEST_FACTS, (category,)).fetchall()
            execute(sql.LATEST_EVENTS, (session_id,)).fetchall()


def count_rows(path: Path, table: str) -> int:
    """Count the rows a contender left behind, so that nobody is fast by not writing."""
    with closing(sqlite3.connect(path)) as db:
        (count,) = db.execute(f'SELECT count(*) FROM "{table}"').fetchone()  # a constant
    return int(count)
