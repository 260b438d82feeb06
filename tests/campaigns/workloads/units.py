"""
Units of work that a judge can check afterwards, written through memrepo's public API.

A unit is one to five rows that must be there all or not at all; ``judge.py`` explains how each row
names its unit. A marker says what was sent and what was acknowledged.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import memrepo
from memrepo.index import keeper

__all__ = ["Marker", "index_eagerly", "write_unit", "write_units"]


def index_eagerly() -> None:
    """Have the search index catch up all the time, and not only when nobody writes."""
    keeper._QUIET_S, keeper._MOST_LOOKS = 0.002, 1  # type: ignore[misc]


class Marker:
    """A file with one line for each thing said; the recorder knows it by the name ``marker``."""

    def __init__(self, path: Path) -> None:
        """Open it, keeping what it says already."""
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def say(self, word: str, tag: str) -> None:
        """Write one line with one call of the system, so that a kill cannot leave half of it."""
        os.write(self._fd, f"{word} {tag}\n".encode())


def _event(tag: str, part: int, parts: int) -> dict[str, Any]:
    return {"unit": tag, "part": part, "parts": parts, "pad": "x" * (len(tag) * 97 % 700)}


def _fact(tag: str, part: int, parts: int) -> str:
    return f"unit {tag} part {part} of {parts}: something worth remembering"


async def _events(store: memrepo.Store, session_id: int, tag: str, parts: int) -> None:
    """Write *parts* events as one batch."""
    await store.daily_logs.append_many(
        [
            memrepo.DailyLogNew(
                session_id=session_id, event_type="unit", event_data=_event(tag, part, parts)
            )
            for part in range(parts)
        ]
    )


async def _three(store: memrepo.Store, session_id: int, tag: str) -> None:
    await _events(store, session_id, tag, 3)


async def _five(store: memrepo.Store, session_id: int, tag: str) -> None:
    await _events(store, session_id, tag, 5)


async def _one_event(store: memrepo.Store, session_id: int, tag: str) -> None:
    await store.daily_logs.append(session_id, "unit", _event(tag, 0, 1), key=tag)


async def _one_fact(store: memrepo.Store, _session_id: int, tag: str) -> None:
    fact = await store.memories.remember(_fact(tag, 0, 1), category="fact")
    # Something to note, if the index has taken it in: what is forgotten, and what comes back.
    if len(tag) % 2:
        await store.memories.forget(fact.id)
    if len(tag) % 4 == 1:
        await store.memories.restore(fact.id)


async def _mixed(store: memrepo.Store, session_id: int, tag: str) -> None:
    """Write events and facts in one transaction, with a pause in the middle."""
    async with store.transaction() as tx:
        await tx.daily_logs.append(session_id, "unit", _event(tag, 0, 4))
        await tx.memories.remember(_fact(tag, 1, 4), category="fact")
        await asyncio.sleep(0)
        await tx.memories.remember(_fact(tag, 2, 4), category="fact")
        await tx.daily_logs.append(session_id, "unit", _event(tag, 3, 4))


async def _correction(store: memrepo.Store, _session_id: int, tag: str) -> None:
    """Replace what fills a slot; some of it is undone, or said again."""
    slot = f"slot {len(tag) % 2}"
    fact = await store.memories.remember(_fact(tag, 0, 1), slot=slot)
    if len(tag) % 3 == 0 and fact.replaced is not None:
        await store.memories.remember(fact.replaced.content)
    if len(tag) % 3 == 1:
        with suppress(memrepo.NotFoundError):
            await store.memories.revert(slot)


async def _proposal(store: memrepo.Store, _session_id: int, tag: str) -> None:
    """Propose a fact for a slot; most are answered."""
    fact = await store.memories.remember(_fact(tag, 0, 1), slot="slot 0", proposed=True)
    if len(tag) % 3 == 0:
        await store.memories.approve(fact.id)
    if len(tag) % 3 == 1:
        await store.memories.reject(fact.id)


_FORMS: tuple[Callable[[memrepo.Store, int, str], Awaitable[None]], ...] = (
    _three,
    _one_event,
    _mixed,
    _five,
    _one_fact,
    _correction,
    _proposal,
)


async def write_unit(store: memrepo.Store, session_id: int, number: int, tag: str) -> None:
    """Write unit *tag*; *number* decides its form."""
    await _FORMS[number % len(_FORMS)](store, session_id, tag)


async def write_units(
    store: memrepo.Store,
    session_id: int,
    marker: Marker,
    tags: list[str],
    n_tasks: int,
    *,
    is_tolerant: bool = False,
) -> None:
    """
    Write units from *n_tasks* tasks at once, marking each before and after.

    An error of the database escapes, unless *is_tolerant*.
    """
    waiting = list(enumerate(tags))[::-1]

    async def work() -> None:
        while waiting:
            number, tag = waiting.pop()
            marker.say("start", tag)
            try:
                await write_unit(store, session_id, number, tag)
            except memrepo.DatabaseError:
                if not is_tolerant:
                    raise
            else:
                marker.say("ack", tag)

    async with asyncio.TaskGroup() as group:
        for _ in range(n_tasks):
            group.create_task(work())
