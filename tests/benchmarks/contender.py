"""What a contender is: something that can be opened on a file and timed at some of the workloads."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final, Literal, NamedTuple, TypeAlias

from tests.benchmarks.data import Event, Fact
from tests.benchmarks.files import load_facts

if TYPE_CHECKING:
    from tests.benchmarks.workloads import Workload

Durability: TypeAlias = Literal["normal", "full"]
Key: TypeAlias = int | str

#: What ``PRAGMA synchronous`` answers.
SYNCHRONOUS: Final = ("OFF", "NORMAL", "FULL", "EXTRA")

#: The workloads of writing and reading that the tables of this library allow.
EVENTS: Final = frozenset({"W1", "W2", "W2-10k", "W4"})
FACTS: Final = frozenset({"W3", "W3-tasks"})
#: Facts in one call, which no peer has.
BULK_FACTS: Final = frozenset({"W4b"})
READS: Final = frozenset({"W5", "W5-once", "W6", "W6-10k"})


class Settings(NamedTuple):
    """The settings of a database as read back from the connection that was timed."""

    journal_mode: str
    synchronous: str


class Measure(NamedTuple):
    """The seconds that one operation took, the settings it ran under, and what went on beside it."""

    seconds: float
    settings: Settings
    n_retries: int = 0


class Contender:
    """
    A library under test, used as its documentation says; by default on memrepo's own tables.

    The loops here are what is timed. They add one coroutine call to each operation, the same for
    every library.
    """

    #: As shown in the table.
    name: ClassVar[str]
    #: The distributions whose versions the table shows.
    packages: ClassVar[tuple[str, ...]] = ()
    #: What a program imports to use it; empty if that is not to be timed.
    module: ClassVar[str] = ""
    #: The keys of the workloads it takes part in.
    does: ClassVar[frozenset[str]]
    #: How it is used, for the table's notes.
    usage: ClassVar[str] = ""
    event_table: ClassVar[str] = "daily_logs"
    fact_table: ClassVar[str] = "memory_entries"
    #: Whether its files are made from memrepo's schema.
    uses_our_tables: ClassVar[bool] = True

    #: Whether it states every second fact again, and not always a new one.
    repeats: ClassVar[bool] = True

    #: Operations before the clock starts: connections, prepared statements, the first pages.
    n_warm: ClassVar[int] = 50

    path: Path
    #: Operations that failed with a lock and were repeated by the benchmark.
    n_retries: int = 0

    @classmethod
    def versions(cls) -> str:
        """Name the versions of the distributions it is made of."""
        return ", ".join(f"{name} {version(name)}" for name in cls.packages)

    async def measure(self, workload: Workload, path: Path, durability: Durability) -> Measure:
        """Open *path*, warm up, time *workload*, read the settings back, and close."""
        self.path = path
        self.n_retries = 0
        await self.open(path, durability)
        try:
            seconds = await workload.timed(self)
            settings = await self.settings()
        finally:
            await self.close()
        return Measure(seconds, settings, self.n_retries)

    # --- what a library has to say for itself --------------------------------------------------

    async def open(self, path: Path, durability: Durability) -> None:
        """Open the file with WAL and the given durability."""
        raise NotImplementedError

    async def close(self) -> None:
        """Close the file."""
        raise NotImplementedError

    async def settings(self) -> Settings:
        """Read the settings back from the connection that writes."""
        raise NotImplementedError

    async def append(self, event: Event) -> None:
        """Write one event; it is durable when this returns."""
        raise NotImplementedError

    async def append_all(self, events: Sequence[Event]) -> None:
        """Write many events in one call."""
        raise NotImplementedError

    async def remember(self, fact: Fact) -> None:
        """Write one fact unless it is there already; it is durable when this returns."""
        raise NotImplementedError

    async def remember_all(self, facts: Sequence[Fact]) -> None:
        """Write many facts in one call, each unless it is there already."""
        raise NotImplementedError

    async def load_facts(self, facts: Sequence[Fact]) -> list[Key]:
        """Fill the file for point reads, untimed; return the keys."""
        with closing(sqlite3.connect(self.path, isolation_level=None)) as db:
            return list(load_facts(db, facts))

    async def get(self, key: Key) -> object:
        """Read one fact by its key."""
        raise NotImplementedError

    async def context(self, category: str, session_id: int) -> tuple[int, int]:
        """Read the latest facts of a category and events of a session; return how many there were."""
        raise NotImplementedError

    async def prepare_tasks(self, n_tasks: int) -> None:
        """Make what *n_tasks* tasks need before they start, untimed."""

    # --- what is timed -------------------------------------------------------------------------

    async def append_in_turn(self, events: Sequence[Event]) -> None:
        """Write events one after another."""
        for event in events:
            await self.append(event)

    async def append_at_once(self, events: Sequence[Event]) -> None:
        """Write events from one task each, all started at the same moment."""
        await asyncio.gather(*(self.append(event) for event in events))

    async def remember_in_turn(self, facts: Sequence[Fact]) -> None:
        """Write facts one after another."""
        for fact in facts:
            await self.remember(fact)

    async def remember_by_tasks(self, facts: Sequence[Fact], n_tasks: int) -> None:
        """Write facts from *n_tasks* tasks, each one after another."""
        shares = (facts[first::n_tasks] for first in range(n_tasks))
        await asyncio.gather(*(self.remember_in_turn(share) for share in shares))

    async def get_in_turn(self, keys: Sequence[Key]) -> None:
        """Read facts one after another."""
        for key in keys:
            await self.get(key)

    async def get_at_once(self, keys: Sequence[Key]) -> None:
        """Read facts from one task each, all started at the same moment."""
        await asyncio.gather(*(self.get(key) for key in keys))

    async def contexts(self, wanted: Sequence[tuple[str, int]]) -> None:
        """Read one context after another."""
        for category, session_id in wanted:
            await self.context(category, session_id)


def named(journal_mode: object, synchronous: object) -> Settings:
    """Give the answers of the two pragmas their names."""
    return Settings(str(journal_mode).lower(), SYNCHRONOUS[int(str(synchronous))])
