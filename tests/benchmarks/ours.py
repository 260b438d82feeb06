"""memrepo, as its README uses it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import memrepo
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
from tests.benchmarks.data import SOURCE, Event, Fact


class Ours(Contender):
    """The public API only, so that what is measured is what a user gets."""

    name: ClassVar[str] = "memrepo"
    packages: ClassVar[tuple[str, ...]] = ("memrepo",)
    module: ClassVar[str] = "memrepo"
    does: ClassVar[frozenset[str]] = EVENTS | FACTS | BULK_FACTS | READS
    usage: ClassVar[str] = "`connect(path, durability=...)`, the repositories of one store"

    store: memrepo.Store
    durability: Durability

    async def open(self, path: Path, durability: Durability) -> None:
        """Open the store."""
        self.durability = durability
        self.store = await memrepo.connect(path, durability=durability)

    async def close(self) -> None:
        """Close the store."""
        await self.store.close()

    async def settings(self) -> Settings:
        """Ask the store, which reads the pragmas of its own connection."""
        info = await self.store.info()
        return named(info.journal_mode, info.synchronous)

    async def append(self, event: Event) -> None:
        """Append one event."""
        await self.store.daily_logs.append(event.session_id, event.event_type, event.data)

    async def append_all(self, events: Sequence[Event]) -> None:
        """Append all events in one call."""
        new = memrepo.DailyLogNew
        await self.store.daily_logs.append_many(
            [
                new(session_id=e.session_id, event_type=e.event_type, event_data=e.data)
                for e in events
            ]
        )

    async def remember(self, fact: Fact) -> None:
        """Remember one fact."""
        await self.store.memories.remember(fact.content, category=fact.category, source=SOURCE)

    async def remember_all(self, facts: Sequence[Fact]) -> None:
        """Remember all facts in one call."""
        new = memrepo.MemoryNew
        await self.store.memories.remember_many(
            [new(content=f.content, category=f.category, source=SOURCE) for f in facts]
        )

    async def get(self, key: Key) -> object:
        """Get one fact."""
        return await self.store.memories.get(int(key))

    async def context(self, category: str, session_id: int) -> tuple[int, int]:
        """Read the newest page of facts and of events."""
        facts = await self.store.memories.find_many(
            memrepo.MemoryFilter(category=category), limit=sql.N_FACTS
        )
        events = await self.store.daily_logs.find_many(
            memrepo.DailyLogFilter(session_id=session_id), limit=sql.N_EVENTS, newest_first=True
        )
        return len(facts.items), len(events.items)


class Slots(Ours):
    """Each fact with a slot of its own, which its duplicate is stated for again."""

    name: ClassVar[str] = "memrepo, with slots"
    module: ClassVar[str] = ""
    does: ClassVar[frozenset[str]] = FACTS
    usage: ClassVar[str] = "`remember(..., slot=...)`, a slot for each fact"

    async def remember(self, fact: Fact) -> None:
        """Remember one fact, and have it fill its slot."""
        await self.store.memories.remember(
            fact.content, category=fact.category, source=SOURCE, slot=self.slot(fact)
        )

    def slot(self, fact: Fact) -> str:
        """Name the slot."""
        return fact.content


class BroughtBack(Slots):
    """A slot for five facts each: half of the statements bring back what was replaced."""

    name: ClassVar[str] = "memrepo, brought back"
    usage: ClassVar[str] = (
        "`remember(..., slot=...)`, a slot for five facts; half of the statements bring back what was replaced"
    )

    def slot(self, fact: Fact) -> str:
        """Name the slot by the fact's number."""
        return f"slot {int(fact.content.split()[1]) // 5}"


class Corrections(BroughtBack):
    """A slot for ten statements, each of which replaces the one before by a new text."""

    name: ClassVar[str] = "memrepo, corrections"
    usage: ClassVar[str] = (
        "`remember(..., slot=...)`, a slot for ten statements, each a new text that replaces the last"
    )
    repeats: ClassVar[bool] = False
    _n_told = 0

    async def remember(self, fact: Fact) -> None:
        """Remember a text that nobody has told before."""
        self._n_told += 1
        await self.store.memories.remember(
            f"{fact.content} ({self._n_told})",
            category=fact.category,
            source=SOURCE,
            slot=self.slot(fact),
        )
