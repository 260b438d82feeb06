"""The OpenAI Agents SDK's conversation log on SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from agents.extensions.memory import AsyncSQLiteSession

from tests.benchmarks.contender import EVENTS, Contender, Durability, Settings, named
from tests.benchmarks.data import Event, encode


class OpenAISession(Contender):
    """``add_items`` on one session; it has no facts and no point reads."""

    name: ClassVar[str] = "OpenAI AsyncSQLiteSession"
    packages: ClassVar[tuple[str, ...]] = ("openai-agents",)
    module: ClassVar[str] = "agents.extensions.memory"
    does: ClassVar[frozenset[str]] = EVENTS - {"W2-10k"}
    usage: ClassVar[str] = (
        "`add_items` on one session; it sets WAL itself; synchronous is set on its private"
        " connection, as it has no public hook"
    )
    event_table: ClassVar[str] = "agent_messages"
    uses_our_tables: ClassVar[bool] = False

    session: AsyncSQLiteSession

    async def open(self, path: Path, durability: Durability) -> None:
        """Open the session's connection."""
        self.session = AsyncSQLiteSession("1", path)
        self.db = await self.session._get_connection()  # see `usage`
        await self.db.execute(f"PRAGMA synchronous = {durability}")

    async def close(self) -> None:
        """Close the session."""
        await self.session.close()

    async def settings(self) -> Settings:
        """Read the settings back."""
        ((mode,),) = await self.db.execute_fetchall("PRAGMA journal_mode")
        ((level,),) = await self.db.execute_fetchall("PRAGMA synchronous")
        return named(mode, level)

    async def append(self, event: Event) -> None:
        """Add one message."""
        await self.session.add_items([_message(event)])

    async def append_all(self, events: Sequence[Event]) -> None:
        """Add all messages in one call."""
        await self.session.add_items([_message(event) for event in events])


def _message(event: Event) -> Any:
    return {"role": "user", "content": encode(event.data)}
