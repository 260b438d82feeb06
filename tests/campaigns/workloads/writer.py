"""
Write units until told or killed; the victim of kill -9 and of the recorder.

usage: python -m workloads.writer DATABASE DURABILITY PREFIX UNITS TASKS OPENINGS [tolerant]

Each opening of the store writes UNITS units from TASKS tasks; between two openings the store is
closed, which moves the write-ahead log into the database and deletes it. With ``tolerant`` it goes
on after an error, as an agent would.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import memrepo

from .units import Marker, index_eagerly, write_units


async def main() -> None:
    """Write what the arguments ask for."""
    path, durability, prefix, units, tasks, openings, *rest = sys.argv[1:]
    profile: memrepo.Durability = "full" if durability == "full" else "normal"
    marker = Marker(Path(path).with_name("marker"))
    index_eagerly()
    for opening in range(int(openings)):
        async with memrepo.connect(path, durability=profile, search="english") as store:
            session = await _start(store, is_tolerant=bool(rest))
            marker.say("open", prefix)
            tags = [f"{prefix}-{opening}-{number}" for number in range(int(units))]
            await write_units(store, session.id, marker, tags, int(tasks), is_tolerant=bool(rest))


async def _start(store: memrepo.Store, *, is_tolerant: bool) -> memrepo.Session:
    try:
        return await store.sessions.start(end_active=True)
    except memrepo.DatabaseError:
        if not is_tolerant:
            raise
    # The fault was this write's; it may have happened, and is safe to repeat.
    return await store.sessions.start(end_active=True)


if __name__ == "__main__":
    asyncio.run(main())
