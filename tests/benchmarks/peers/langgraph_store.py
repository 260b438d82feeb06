"""LangGraph's long-term memory on SQLite, which also groups what its tasks wait for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path
from typing import ClassVar, Final

from langgraph.store.base import PutOp
from langgraph.store.sqlite.aio import AsyncSqliteStore

from tests.benchmarks.contender import EVENTS, FACTS, Contender, Durability, Key, Settings, named
from tests.benchmarks.data import Event, Fact, content_hash, now

_EVENTS: Final = ("events", "1")
_FACTS: Final = ("facts",)
#: Its batch is one INSERT with five variables a row; SQLite's default is 32,766 variables.
_CHUNK: Final = 5_000


class LangGraph(Contender):
    """``aput`` and ``aget`` on one store; a fact's key is its hash, an event's its number."""

    name: ClassVar[str] = "LangGraph AsyncSqliteStore"
    packages: ClassVar[tuple[str, ...]] = ("langgraph-checkpoint-sqlite",)
    module: ClassVar[str] = "langgraph.store.sqlite.aio"
    does: ClassVar[frozenset[str]] = EVENTS | FACTS | {"W5", "W5-once"}
    usage: ClassVar[str] = (
        "`from_conn_string`, `setup`, `aput` and `aget`; W4 is `abatch` in chunks of 5,000, because"
        " one INSERT carries a whole batch; pragmas on `store.conn`"
    )
    event_table: ClassVar[str] = "store"
    fact_table: ClassVar[str] = "store"
    uses_our_tables: ClassVar[bool] = False

    store: AsyncSqliteStore

    async def open(self, path: Path, durability: Durability) -> None:
        """Open the store, set the pragmas of its connection, and make its tables."""
        self._numbers = count()
        self._stack = AsyncExitStack()
        self.store = await self._stack.enter_async_context(
            AsyncSqliteStore.from_conn_string(str(path))
        )
        await self.store.conn.execute("PRAGMA journal_mode = WAL")
        await self.store.conn.execute(f"PRAGMA synchronous = {durability}")
        await self.store.setup()

    async def close(self) -> None:
        """Close the store, and let its background task go before the loop ends."""
        await self._stack.aclose()
        task = self.store._task  # it has no method that ends it
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def settings(self) -> Settings:
        """Read the settings back."""
        ((mode,),) = await self.store.conn.execute_fetchall("PRAGMA journal_mode")
        ((level,),) = await self.store.conn.execute_fetchall("PRAGMA synchronous")
        return named(mode, level)

    def _event(self, event: Event) -> tuple[str, dict[str, object]]:
        value: dict[str, object] = {"type": event.event_type, "data": event.data, "at": now()}
        return str(next(self._numbers)), value

    async def append(self, event: Event) -> None:
        """Put one event under the next number."""
        key, value = self._event(event)
        await self.store.aput(_EVENTS, key, value)

    async def append_all(self, events: Sequence[Event]) -> None:
        """Put all events in batches."""
        for first in range(0, len(events), _CHUNK):
            chunk = map(self._event, events[first : first + _CHUNK])
            await self.store.abatch([PutOp(_EVENTS, key, value) for key, value in chunk])

    async def remember(self, fact: Fact) -> None:
        """Put one fact under its hash, over what may be there."""
        value = {"content": fact.content, "category": fact.category, "at": now()}
        await self.store.aput(_FACTS, content_hash(fact.content), value)

    async def load_facts(self, facts: Sequence[Fact]) -> list[Key]:
        """Fill the store through its own batch."""
        keys: list[Key] = [content_hash(fact.content) for fact in facts]
        for first in range(0, len(facts), _CHUNK):
            await self.store.abatch(
                [
                    PutOp(_FACTS, str(key), {"content": fact.content, "category": fact.category})
                    for key, fact in zip(
                        keys[first : first + _CHUNK], facts[first : first + _CHUNK], strict=True
                    )
                ]
            )
        return keys

    async def get(self, key: Key) -> object:
        """Get one fact."""
        return await self.store.aget(_FACTS, str(key))
