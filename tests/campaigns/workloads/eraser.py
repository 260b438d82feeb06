"""
Forget and restore a chain of facts, and then erase a scope, until told or killed.

usage: python -m workloads.eraser DATABASE HEAD TIMES SCOPE

HEAD is the chain's newest fact, in the default scope; it is forgotten and restored TIMES times. What is
begun and done is in the file ``marker`` beside the database.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import memrepo

from .units import Marker


async def main() -> None:
    """Do what the arguments ask for."""
    path, head, times, scope = sys.argv[1:]
    marker = Marker(Path(path).with_name("marker"))
    async with memrepo.connect(path, durability="normal") as store:
        marker.say("ack", "open")
        for number in range(int(times)):
            await store.memories.forget(int(head))
            marker.say("ack", f"forgot {number}")
            await store.memories.restore(int(head))
            marker.say("ack", f"restored {number}")
        await store.scoped(scope).erase(confirm=True)
        marker.say("ack", "erased")


if __name__ == "__main__":
    asyncio.run(main())
