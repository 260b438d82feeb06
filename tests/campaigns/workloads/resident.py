"""
Live for long: open and close again and again, or write at a steady pace.

usage: python -m workloads.resident cycles DATABASE CYCLES
       python -m workloads.resident soak DATABASE SECONDS WRITES_PER_SECOND

Prints one line of JSON for each sample of what the process holds: file descriptors, threads,
memory (bytes), and the size of the write-ahead log (bytes).
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import threading
import time
from pathlib import Path

import memrepo
from tests.patience import eventually

#: how many samples a run gives
SAMPLES = 20
#: writes under way; a machine that is too slow for the pace gets no more of them
MOST_AT_ONCE = 200


def threads() -> int:
    """How many threads there are, without those that are ending and those of asyncio's own pool."""

    def count() -> int:
        names = (thread.name for thread in threading.enumerate())
        return sum(not name.startswith("asyncio_") for name in names)

    def later() -> int:
        time.sleep(0.01)
        return count()

    return min(later() for _ in range(5))


def sample(path: Path, done: int) -> None:
    """Print what the process holds now."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    wal = path.with_name(f"{path.name}-wal")
    held = {
        "done": done,
        "fds": len(list(Path("/proc/self/fd").iterdir())),
        "threads": threads(),
        "rss": pages * os.sysconf("SC_PAGE_SIZE"),
        "wal": wal.stat().st_size if wal.exists() else 0,
    }
    print(json.dumps(held), flush=True)


async def cycles(path: Path, n: int) -> None:
    """Open, write, read and close *n* times."""
    for number in range(n):
        async with memrepo.connect(path) as store:
            await store.memories.remember(f"round {number % 7}", category="fact")
            await store.memories.find_many(limit=5)
        if (number + 1) % max(n // SAMPLES, 1) == 0:
            eventually(lambda: threads() == 1)
            sample(path, number + 1)


async def soak(path: Path, seconds: float, rate: int) -> None:
    """Write *rate* events a second, some facts, some reads, from tasks that overlap."""
    async with memrepo.connect(path) as store:
        tasks: set[asyncio.Task[None]] = set()

        async def write(number: int) -> None:
            event: memrepo.JsonValue = {"unit": f"s{number}", "part": 0, "parts": 1}
            await store.daily_logs.append(None, "unit", event)
            if number % 10 == 0:
                await store.memories.remember(f"fact {number % 100}", category="fact")
                await store.memories.find_many(limit=10)

        began = time.monotonic()
        due = began + seconds / SAMPLES
        number = 0
        while (now := time.monotonic()) < began + seconds:
            while number < (now - began) * rate and len(tasks) < MOST_AT_ONCE:
                task = asyncio.create_task(write(number))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
                number += 1
            if now >= due:
                sample(path, number - len(tasks))
                due += seconds / SAMPLES
            await asyncio.sleep(0.01)
        await asyncio.gather(*tasks)
        sample(path, number)


def main() -> None:
    """Do what the arguments ask for."""
    what, path, *rest = sys.argv[1:]
    if what == "cycles":
        asyncio.run(cycles(Path(path), int(rest[0])))
    else:
        asyncio.run(soak(Path(path), float(rest[0]), int(rest[1])))


if __name__ == "__main__":
    main()
