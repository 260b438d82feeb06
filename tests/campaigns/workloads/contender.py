"""
Write one event after another for a while, beside other processes that do the same.

usage: python -m workloads.contender DATABASE NAME SECONDS

Opens the store, prints ``ready``, waits for a line on stdin, writes, prints its figures as JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import Counter

import memrepo


async def main() -> None:
    """Write until the time is over; count commits and errors."""
    path, name, seconds = sys.argv[1:]
    errors: Counter[str] = Counter()
    commits = 0
    slowest_s = 0.0
    async with memrepo.connect(path, lock_timeout_s=30.0) as store:
        print("ready", flush=True)
        sys.stdin.readline()
        end = time.monotonic() + float(seconds)
        while (began := time.monotonic()) < end:
            event: memrepo.JsonValue = {"unit": f"{name}-{commits}", "part": 0, "parts": 1}
            try:
                await store.daily_logs.append(None, "unit", event)
                commits += 1
            except memrepo.MemrepoError as error:
                errors[type(error).__name__] += 1
            slowest_s = max(slowest_s, time.monotonic() - began)
    print(json.dumps({"commits": commits, "errors": errors, "slowest_s": slowest_s}), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
