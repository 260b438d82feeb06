"""Agno's memory tables on SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Final

from agno.db.schemas.memory import UserMemory
from agno.db.sqlite import AsyncSqliteDb
from sqlalchemy.ext.asyncio import create_async_engine

from tests.benchmarks.contender import FACTS, Contender, Durability, Key, Settings
from tests.benchmarks.data import Fact, content_hash
from tests.benchmarks.peers.sqlalchemy_async import read_settings, set_pragmas

_USER: Final = "1"
_CHUNK: Final = 1_000


class Agno(Contender):
    """``upsert_user_memory`` under the fact's hash; an agent's events are not rows of their own."""

    name: ClassVar[str] = "Agno AsyncSqliteDb"
    packages: ClassVar[tuple[str, ...]] = ("agno", "SQLAlchemy")
    module: ClassVar[str] = "agno.db.sqlite"
    does: ClassVar[frozenset[str]] = FACTS | {"W5", "W5-once"}
    usage: ClassVar[str] = (
        "`upsert_user_memory` with the hash as its id, `get_user_memory`; pragmas by the `connect`"
        " event of the engine given as `db_engine`"
    )
    fact_table: ClassVar[str] = "memories"
    uses_our_tables: ClassVar[bool] = False

    db: AsyncSqliteDb

    async def open(self, path: Path, durability: Durability) -> None:
        """Make the database object and its tables."""
        engine = create_async_engine(f"sqlite+aiosqlite:///{path}")
        self.db = AsyncSqliteDb(db_engine=engine, memory_table=self.fact_table)
        # After Agno's own listener, so that what it sets is not the last word.
        set_pragmas(engine, durability)
        await self.db._create_all_tables()  # type: ignore[no-untyped-call]  # what its server calls at its start

    async def close(self) -> None:
        """Dispose of the pool."""
        await self.db.close()

    async def settings(self) -> Settings:
        """Read the settings back."""
        return await read_settings(self.db.db_engine)

    async def remember(self, fact: Fact) -> None:
        """Upsert one memory."""
        await self.db.upsert_user_memory(_memory(fact))

    async def load_facts(self, facts: Sequence[Fact]) -> list[Key]:
        """Fill the table through its own bulk call."""
        for first in range(0, len(facts), _CHUNK):
            await self.db.upsert_memories([_memory(f) for f in facts[first : first + _CHUNK]])
        return [content_hash(fact.content) for fact in facts]

    async def get(self, key: Key) -> object:
        """Get one memory."""
        return await self.db.get_user_memory(str(key), user_id=_USER)


def _memory(fact: Fact) -> UserMemory:
    return UserMemory(
        memory=fact.content,
        memory_id=content_hash(fact.content),
        topics=[fact.category],
        user_id=_USER,
    )
