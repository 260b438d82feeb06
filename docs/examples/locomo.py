"""
Replay a conversation of LoCoMo, very long conversations between two people, into a memory.

Sessions get the times they had, every turn becomes an event, and every observation a fact. Replaying
is idempotent: sessions are known by their start, events by a key, facts by their content.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypedDict, cast

import memrepo


class Turn(TypedDict):
    """What somebody said."""

    id: str
    speaker: str
    text: str


class Observation(TypedDict):
    """What can be known about a speaker, and the ids of the turns it follows from."""

    speaker: str
    text: str
    evidence: Sequence[str]


class Session(TypedDict):
    """One talk of a conversation."""

    session: int
    started_at: str
    summary: str
    turns: Sequence[Turn]
    observations: Sequence[Observation]


class Conversation(TypedDict):
    """One file."""

    conversation: int
    sessions: Sequence[Session]


@dataclass
class ReplayClock:
    """Shows the time of what is replayed: pass it to `memrepo.connect`, and to `replay`."""

    now: datetime = field(default_factory=memrepo.utc_now)

    def __call__(self) -> datetime:
        """Return that time."""
        return self.now


def load(path: Path) -> Conversation:
    """Read a conversation's file."""
    return cast(Conversation, json.loads(path.read_text(encoding="utf-8")))


def scope_of(conversation: Conversation) -> str:
    """Return the scope of a conversation: each has its own sessions, events and facts."""
    return f"locomo:{conversation['conversation']}"


async def replay(store: memrepo.Store, clock: ReplayClock, conversation: Conversation) -> None:
    """
    Store a conversation in its scope of *store*, which has *clock*.

    Each session is one transaction: an interrupted replay leaves whole sessions, and can be repeated.
    """
    scoped = store.scoped(scope_of(conversation))
    for session in conversation["sessions"]:
        clock.now = datetime.fromisoformat(session["started_at"])
        async with scoped.transaction() as tx:
            await _replay_session(tx, clock.now, session, f"{conversation['conversation']}:")


async def _replay_session(
    memory: memrepo.Repositories, started_at: datetime, session: Session, key_prefix: str
) -> None:
    started_then = memrepo.SessionFilter(
        started_from=started_at, started_before=started_at + timedelta(milliseconds=1)
    )
    known = await memory.sessions.find_many(started_then)
    number = (known[0] if known else await memory.sessions.start()).id
    await memory.daily_logs.append_many(
        memrepo.DailyLogNew(
            session_id=number,
            event_type="turn",
            event_data={"id": turn["id"], "speaker": turn["speaker"], "text": turn["text"]},
            key=key_prefix + turn["id"],
        )
        for turn in session["turns"]
    )
    await memory.memories.remember_many(
        memrepo.MemoryNew(
            content=seen["text"],
            category="observation",
            source="inferred",
            metadata={"speaker": seen["speaker"], "evidence": seen["evidence"]},
        )
        for seen in session["observations"]
    )
    await memory.sessions.end(number, summary=session["summary"] or None)


async def count(memory: memrepo.Repositories) -> str:
    """Say how much a memory holds."""
    n_sessions = await memory.sessions.count()
    n_events = await memory.daily_logs.count()
    return f"{n_sessions} sessions, {n_events} events, {await memory.memories.count()} facts"


async def replay_twice(url: str, path: Path) -> str:
    """Replay a file two times, the second of which adds nothing, and say so."""
    conversation = await asyncio.to_thread(load, path)
    clock = ReplayClock()
    lines = []
    for time in ("once", "twice"):
        async with memrepo.connect(url, clock=clock) as store:
            await replay(store, clock, conversation)
            lines.append(f"replayed {time}: {await count(store.scoped(scope_of(conversation)))}")
    lines.append(f"Ask it: assistant.py --db PATH --scope {scope_of(conversation)}")
    return "\n".join(lines)
