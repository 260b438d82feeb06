"""SQLAlchemy 2 on aiosqlite: core for writes and point reads, the ORM for the context."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import ForeignKey, event, insert, select, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

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
from tests.benchmarks.data import SOURCE, Event, Fact, content_hash, encode, now


class Base(DeclarativeBase):
    """The declarative base of the two tables."""


class FactRow(Base):
    """A fact, with the columns that memrepo's tables have."""

    __tablename__ = "memory_entries"

    id: Mapped[int] = mapped_column(primary_key=True)
    scope: Mapped[str]
    content: Mapped[str]
    content_hash: Mapped[str | None]
    category: Mapped[str]
    source: Mapped[str]
    created_at: Mapped[str]
    last_accessed: Mapped[str | None]
    expires_at: Mapped[str | None]
    deleted_at: Mapped[str | None]
    superseded_by: Mapped[int | None]
    metadata_: Mapped[str | None] = mapped_column("metadata")
    hash_version: Mapped[int]


class SessionRow(Base):
    """A session, for the foreign key."""

    __tablename__ = "sessions"

    id: Mapped[int] = mapped_column(primary_key=True)


class EventRow(Base):
    """An event, with the columns that memrepo's tables have."""

    __tablename__ = "daily_logs"

    id: Mapped[int] = mapped_column(primary_key=True)
    scope: Mapped[str]
    session_id: Mapped[int | None] = mapped_column(ForeignKey("sessions.id"))
    event_type: Mapped[str]
    event_data: Mapped[str | None]
    timestamp: Mapped[str]
    idempotency_key: Mapped[str | None]


def make_engine(path: Path, durability: Durability) -> AsyncEngine:
    """Make an engine that sets its pragmas on each connection, in the way the documentation shows."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}")
    set_pragmas(engine, durability)
    return engine


def set_pragmas(engine: AsyncEngine, durability: Durability) -> None:
    """Listen for new connections of *engine* and set their pragmas."""

    def on_connect(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute(f"PRAGMA synchronous = {durability}")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    event.listen(engine.sync_engine, "connect", on_connect)


async def read_settings(engine: AsyncEngine) -> Settings:
    """Read the settings back from a connection of the pool."""
    async with engine.connect() as connection:
        mode = await connection.scalar(text("PRAGMA journal_mode"))
        level = await connection.scalar(text("PRAGMA synchronous"))
    return named(mode, level)


def event_values(event: Event) -> dict[str, Any]:
    """Encode an event as column values."""
    return {
        "scope": "",
        "session_id": event.session_id,
        "event_type": event.event_type,
        "event_data": encode(event.data),
        "timestamp": now(),
    }


def fact_values(fact: Fact) -> dict[str, Any]:
    """Encode a fact as column values."""
    return {
        "scope": "",
        "content": fact.content,
        "content_hash": content_hash(fact.content),
        "category": fact.category,
        "source": SOURCE,
        "created_at": now(),
        "hash_version": 1,
    }


_insert_event = insert(EventRow.__table__)  # type: ignore[arg-type]
_new_fact = sqlite.insert(FactRow.__table__)  # type: ignore[arg-type]
_upsert_fact = _new_fact.on_conflict_do_update(
    index_elements=["content_hash"], set_={"last_accessed": _new_fact.excluded.created_at}
).returning(FactRow.__table__.c.id, FactRow.__table__.c.last_accessed)
_latest_facts = (
    select(FactRow)
    .where(FactRow.scope == "", FactRow.deleted_at.is_(None), FactRow.superseded_by.is_(None))
    .order_by(FactRow.created_at.desc(), FactRow.id.desc())
    .limit(sql.N_FACTS)
)
_latest_events = (
    select(EventRow).order_by(EventRow.timestamp.desc(), EventRow.id.desc()).limit(sql.N_EVENTS)
)


class SQLAlchemy(Contender):
    """``engine.begin()`` for each write and ``engine.connect()`` for each read, with its own pool."""

    name: ClassVar[str] = "SQLAlchemy 2 async"
    packages: ClassVar[tuple[str, ...]] = ("SQLAlchemy",)
    module: ClassVar[str] = "sqlalchemy.ext.asyncio"
    does: ClassVar[frozenset[str]] = (EVENTS | FACTS | READS) - {"W2-10k"}
    usage: ClassVar[str] = (
        "core on the default pool, a transaction per write; W6 is the ORM; pragmas by the `connect` event"
    )

    engine: AsyncEngine

    async def open(self, path: Path, durability: Durability) -> None:
        """Make the engine."""
        self.engine = make_engine(path, durability)
        self.sessions = async_sessionmaker(self.engine, expire_on_commit=False)

    async def close(self) -> None:
        """Dispose of the pool."""
        await self.engine.dispose()

    async def settings(self) -> Settings:
        """Read the settings back."""
        return await read_settings(self.engine)

    async def append(self, event: Event) -> None:
        """Insert one event in a transaction."""
        async with self.engine.begin() as connection:
            await connection.execute(_insert_event, event_values(event))

    async def append_all(self, events: Sequence[Event]) -> None:
        """Insert all events in one transaction."""
        async with self.engine.begin() as connection:
            await connection.execute(_insert_event, [event_values(event) for event in events])

    async def remember(self, fact: Fact) -> None:
        """Upsert one fact in a transaction."""
        async with self.engine.begin() as connection:
            (await connection.execute(_upsert_fact, fact_values(fact))).one()

    async def get(self, key: Key) -> object:
        """Select one fact."""
        async with self.engine.connect() as connection:
            statement = select(FactRow.__table__).where(FactRow.__table__.c.id == key)
            return (await connection.execute(statement)).one()

    async def context(self, category: str, session_id: int) -> tuple[int, int]:
        """Select one context as ORM objects."""
        async with self.sessions() as session:
            facts = await session.scalars(_latest_facts.where(FactRow.category == category))
            events = await session.scalars(_latest_events.where(EventRow.session_id == session_id))
            return len(facts.all()), len(events.all())
