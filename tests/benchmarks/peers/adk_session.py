"""Google ADK's session service on SQLite, which opens a connection for every call."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import ClassVar, Final

import aiosqlite
from google.adk.errors._stale_session_error import StaleSessionError
from google.adk.events.event import Event as ADKEvent
from google.adk.sessions.session import Session
from google.adk.sessions.sqlite_session_service import SqliteSessionService
from google.genai import types

from tests.benchmarks.contender import Contender, Durability, Settings, named
from tests.benchmarks.data import Event, encode

_APP: Final = "benchmark"
_USER: Final = "1"


class _Service(SqliteSessionService):
    """The service with our durability: each call opens a connection and there is no hook for pragmas."""

    durability: Durability
    found: Settings

    @asynccontextmanager
    async def _get_db_connection(self) -> AsyncIterator[aiosqlite.Connection]:
        async with super()._get_db_connection() as db:
            # FULL is what a new connection has; asking for it again would only slow it down.
            if self.durability == "normal":
                await db.execute("PRAGMA synchronous = normal")
            yield db

    async def settings(self) -> Settings:
        """Read the settings back from a connection as each call gets it."""
        async with self._get_db_connection() as db:
            (mode,), (level,) = [
                tuple((await db.execute_fetchall(f"PRAGMA {name}"))[0])  # type: ignore[index]
                for name in ("journal_mode", "synchronous")
            ]
        return named(mode, level)


class ADKSession(Contender):
    """``append_event``; in W2 each task has a session of its own, because ADK refuses a stale one."""

    name: ClassVar[str] = "Google ADK SqliteSessionService"
    packages: ClassVar[tuple[str, ...]] = ("google-adk",)
    module: ClassVar[str] = "google.adk.sessions.sqlite_session_service"
    does: ClassVar[frozenset[str]] = frozenset({"W1", "W2"})
    usage: ClassVar[str] = (
        "`append_event`, a session per task in W2; WAL set once in the file, synchronous by overriding"
        " its private connection method, as it has no hook; 'database is locked' is tried again"
    )
    event_table: ClassVar[str] = "events"
    uses_our_tables: ClassVar[bool] = False

    service: _Service

    async def open(self, path: Path, durability: Durability) -> None:
        """Make the file a WAL file, then the service and one session."""
        with sqlite3.connect(path) as db:
            db.execute("PRAGMA journal_mode = WAL")
        db.close()
        self.service = _Service(str(path))
        self.service.durability = durability
        self.session = await self._new_session()

    async def close(self) -> None:
        """Close the service."""
        await self.service.close()

    async def settings(self) -> Settings:
        """Read the settings back."""
        return await self.service.settings()

    async def _new_session(self) -> Session:
        return await self.service.create_session(app_name=_APP, user_id=_USER)

    async def append(self, event: Event) -> None:
        """Append one event to the session."""
        await self._append_to(self.session, event)

    async def append_at_once(self, events: Sequence[Event]) -> None:
        """Append from one task each, to a session each."""
        await asyncio.gather(*map(self._append_to, self.sessions, events))

    async def prepare_tasks(self, n_tasks: int) -> None:
        """Make the sessions of the tasks, untimed."""
        self.sessions = [await self._new_session() for _ in range(n_tasks)]

    async def _append_to(self, session: Session, event: Event) -> None:
        while True:
            try:
                await self.service.append_event(session, _adk_event(event))
            except (sqlite3.OperationalError, StaleSessionError):
                self.n_retries += 1
            else:
                return


def _adk_event(event: Event) -> ADKEvent:
    content = types.Content(role="user", parts=[types.Part(text=encode(event.data))])
    return ADKEvent(author="user", invocation_id=event.event_type, content=content)
