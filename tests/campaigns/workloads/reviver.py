"""
Open databases that a power loss left, and use them.

usage: python -m workloads.reviver FOLDER        (each folder in it holds a database ``memory.db``)

Prints one line of JSON for each: the error, or ``null`` when it could be written and read.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import memrepo


async def revive(path: Path) -> str | None:
    """Open, migrate, write, read; return the error."""
    try:
        async with memrepo.connect(path) as store:
            fact = await store.memories.remember("unit revived part 0 of 1", category="fact")
            await store.memories.get(fact.id)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a failure
        return f"{path.parent.name}: {type(error).__name__}: {error}"
    return None


def main() -> None:
    """Revive them all."""
    for folder in sorted(Path(sys.argv[1]).iterdir()):
        print(json.dumps(asyncio.run(revive(folder / "memory.db"))), flush=True)


if __name__ == "__main__":
    main()
