"""advanced-alchemy's asynchronous repositories, the nearest in shape to memrepo's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from advanced_alchemy.config import AsyncSessionConfig, SQLAlchemyAsyncConfig
from advanced_alchemy.exceptions import DuplicateKeyError
from advanced_alchemy.filters import LimitOffset
from advanced_alchemy.repository import SQLAlchemyAsyncRepository

from tests.benchmarks import sql
from tests.benchmarks.contender import EVENTS, FACTS, READS, Contender, Durability, Key, Settings
from tests.benchmarks.data import Event, Fact
from tests.benchmarks.peers.sqlalchemy_async import (
    EventRow,
    FactRow,
    event_values,
    fact_values,
    read_settings,
    set_pragmas,
)


class EventRepository(SQLAlchemyAsyncRepository[EventRow]):
    """Events."""

    model_type = EventRow


class FactRepository(SQLAlchemyAsyncRepository[FactRow]):
    """Facts."""

    model_type = FactRow


class AdvancedAlchemy(Contender):
    """A session and a repository for each operation, as in a web handler, with ``auto_commit``."""

    name: ClassVar[str] = "advanced-alchemy"
    packages: ClassVar[tuple[str, ...]] = ("advanced-alchemy", "SQLAlchemy")
    module: ClassVar[str] = "advanced_alchemy.repository"
    does: ClassVar[frozenset[str]] = (EVENTS | FACTS | READS) - {"W2-10k"}
    usage: ClassVar[str] = (
        "a session per operation; `add`, `add_many`, `get_or_upsert`, `get`, `list`; pragmas by the"
        " engine's `connect` event"
    )

    config: SQLAlchemyAsyncConfig

    async def open(self, path: Path, durability: Durability) -> None:
        """Make the configuration and its engine."""
        self.config = SQLAlchemyAsyncConfig(
            connection_string=f"sqlite+aiosqlite:///{path}",
            session_config=AsyncSessionConfig(expire_on_commit=False),
        )
        set_pragmas(self.config.get_engine(), durability)

    async def close(self) -> None:
        """Dispose of the pool."""
        await self.config.get_engine().dispose()

    async def settings(self) -> Settings:
        """Read the settings back."""
        return await read_settings(self.config.get_engine())

    async def append(self, event: Event) -> None:
        """Add one event."""
        async with self.config.get_session() as session:
            repository = EventRepository(session=session)
            await repository.add(EventRow(**event_values(event)), auto_commit=True)

    async def append_all(self, events: Sequence[Event]) -> None:
        """Add all events in one call."""
        async with self.config.get_session() as session:
            repository = EventRepository(session=session)
            rows = [EventRow(**event_values(event)) for event in events]
            await repository.add_many(rows, auto_commit=True)

    async def remember(self, fact: Fact) -> None:
        """Get or add one fact, matched by its hash; once more if another task added it meanwhile."""
        while True:
            try:
                async with self.config.get_session() as session:
                    await FactRepository(session=session).get_or_upsert(
                        match_fields="content_hash",
                        upsert=False,
                        auto_commit=True,
                        **fact_values(fact),
                    )
            except DuplicateKeyError:
                self.n_retries += 1
            else:
                return

    async def get(self, key: Key) -> object:
        """Get one fact."""
        async with self.config.get_session() as session:
            return await FactRepository(session=session).get(key)

    async def context(self, category: str, session_id: int) -> tuple[int, int]:
        """List the latest of both."""
        async with self.config.get_session() as session:
            facts = await FactRepository(session=session).list(
                LimitOffset(sql.N_FACTS, 0),
                FactRow.deleted_at.is_(None),
                FactRow.superseded_by.is_(None),
                scope="",
                category=category,
                order_by=[("created_at", True), ("id", True)],
            )
            events = await EventRepository(session=session).list(
                LimitOffset(sql.N_EVENTS, 0),
                session_id=session_id,
                order_by=[("timestamp", True), ("id", True)],
            )
        return len(facts), len(events)
