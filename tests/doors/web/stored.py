"""What a server has stored, read from its file."""

from __future__ import annotations

import asyncio
from pathlib import Path

import attrs

import memrepo

__all__ = ["Stored", "stored"]


@attrs.frozen
class Stored:
    """The rows of one user, and what is wrong with the file."""

    facts: set[str]
    #: The texts of all messages, and of all replies.
    messages: list[str]
    replies: list[str]
    #: Of each session with an end, why it ended.
    triggers: list[str]
    problems: list[memrepo.Problem]


def stored(path: Path, user: str = "ada") -> Stored:
    """Read a file, also while its server writes to it."""
    return asyncio.run(_read(path, f"user:{user}"))


async def _read(path: Path, scope: str) -> Stored:
    async with memrepo.connect(path) as store:
        memory = store.scoped(scope)
        events = [event async for event in memory.daily_logs.iterate()]
        texts = [(event.event_type, str(event.event_data)) for event in events]
        return Stored(
            facts={fact.content async for fact in memory.memories.iterate()},
            messages=[text for kind, text in texts if kind == "message"],
            replies=[text for kind, text in texts if kind == "reply"],
            triggers=[
                its.end_trigger async for its in memory.sessions.iterate() if its.end_trigger
            ],
            problems=await store.verify(),
        )
