"""A memory of a little of everything, which the pages are to show."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import attrs

import memrepo
from memrepo import DailyLogNew, Store

__all__ = ["HOSTILE", "NOW", "Known", "fill", "write_memory"]

#: When the last of it has happened: yesterday at noon, since the pages go by the clock of the machine.
NOW: Final = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(
    days=1
)
#: What would be markup, turns the direction of a text, rings a bell, and cannot be seen.
HOSTILE: Final = (
    '<script>alert(1)</script> & <img src=x onerror="x"> \u202egnp.exe\u202c\x07\u200b end'
)


@attrs.frozen(kw_only=True)
class Known:
    """The ids of what tests look for."""

    session: int
    lisbon: int
    porto: int
    inferred: int
    hostile: int
    long: int
    forgotten: int
    pinned: int
    proposed: int
    expired: int


async def fill(store: Store) -> Known:
    """Have a store know something of every kind."""
    days = [NOW - timedelta(days=ago) for ago in range(20, 0, -1)]
    last = 0
    for n, day in enumerate(days):
        last = await _talk(store, n, day)
    now = store.at(lambda: NOW)
    memories = now.memories
    old = await memories.remember("Ada lives in Lisbon", slot="home_city", session_id=last)
    new = await memories.remember("Ada lives in Porto", slot="home_city", session_id=last)
    for n in range(3):
        seen = await memories.observe(
            "short_answers", f"said ok, {n}", content="Prefers short answers", session_id=last
        )
    assert seen.inferred is not None
    gone = await memories.remember("Likes coffee")
    await memories.forget(gone.id)
    pinned = await memories.remember("Allergic to peanuts", category="health")
    await memories.pin(pinned.id)
    past = store.at(lambda: NOW - timedelta(days=9)).memories
    await store.scoped("user:grace").memories.remember("Grace builds compilers")
    return Known(
        session=last,
        lisbon=old.id,
        porto=new.id,
        inferred=seen.inferred.id,
        hostile=(await memories.remember(HOSTILE)).id,
        long=(await memories.remember("A long story. " * 3_000)).id,
        forgotten=gone.id,
        pinned=pinned.id,
        proposed=(
            await memories.remember("Maybe a vegetarian", source="inferred", proposed=True)
        ).id,
        expired=(await past.remember("Parks on level 3", expires_at=NOW - timedelta(days=8))).id,
    )


async def _talk(store: Store, n: int, day: datetime) -> int:
    """Have a conversation of a quarter of an hour, and return its session."""
    then = store.at(lambda: day)
    session = await then.sessions.start(("", "phone", "laptop")[n % 3])
    await then.memories.remember(
        f"Hive {n} gave {n + 3} jars of honey",
        category="bees",
        session_id=session.id,
        source=("user_explicit", "inferred")[n % 2],
    )
    tools = [
        DailyLogNew(
            session_id=session.id,
            event_type="tool_invocation",
            event_data={"toolName": "calendar", "success": m % 3 > 0, "context": "when to harvest"},
        )
        for m in range(n % 5)
    ]
    topic = DailyLogNew(
        session_id=session.id, event_type="topic_change", event_data={"topic": "bees"}
    )
    await then.daily_logs.append_many([topic, *tools])
    later = store.at(lambda: day + timedelta(minutes=15))
    await later.sessions.end(session.id, summary=f"Harvest of hive {n}." if n % 2 else None)
    return session.id


def write_memory(path: Path) -> Known:
    """Write a database, and close it."""

    async def write() -> Known:
        async with memrepo.connect(path) as store:
            known = await fill(store)
            await store.catch_up()
            return known

    return asyncio.run(write())
