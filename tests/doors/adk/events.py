"""Events of sessions, as the tests make them and look at what is remembered of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from google.adk.events import Event
from google.adk.memory import BaseMemoryService
from google.adk.memory.memory_entry import MemoryEntry
from google.adk.sessions import Session
from google.genai.types import Content, Part

__all__ = ["WHEN", "event", "found", "search", "session", "text_of"]

WHEN = datetime(2026, 2, 2, 9, 0, tzinfo=UTC)


def event(text: str | None, *, id: str = "", author: str = "user", at: datetime = WHEN) -> Event:
    role = "user" if author == "user" else "model"
    content = None if text is None else Content(role=role, parts=[Part(text=text)])
    return Event(id=id or str(text), author=author, timestamp=at.timestamp(), content=content)


def session(
    events: Sequence[Event], id: str = "s1", *, user_id: str = "ada", app_name: str = "app"
) -> Session:
    return Session(id=id, app_name=app_name, user_id=user_id, events=[*events])


async def search(
    service: BaseMemoryService, query: str, *, user_id: str = "ada", app_name: str = "app"
) -> list[MemoryEntry]:
    response = await service.search_memory(app_name=app_name, user_id=user_id, query=query)
    return response.memories


async def found(
    service: BaseMemoryService, query: str, *, user_id: str = "ada", app_name: str = "app"
) -> list[str]:
    """Return the texts that a search finds, in its order."""
    entries = await search(service, query, user_id=user_id, app_name=app_name)
    return [text_of(entry) for entry in entries]


def text_of(entry: MemoryEntry) -> str:
    return " ".join(part.text or "" for part in entry.content.parts or ())
