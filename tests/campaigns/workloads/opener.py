"""
Open a new database at the same moment as other processes, again and again.

usage: python -m workloads.opener NAME        (one round a line on stdin: ``MOMENT DATABASE``)

Waits for MOMENT on the clock of time.monotonic(), opens, writes one event, closes, and prints what
happened as one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

import memrepo


async def open_once(name: str, path: str) -> dict[str, Any]:
    """Open, write, close; report the error if there is one."""
    began = time.monotonic()
    try:
        async with memrepo.connect(path) as store:
            event: memrepo.JsonValue = {"unit": name, "part": 0, "parts": 1}
            await store.daily_logs.append(None, "unit", event)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is a failure
        return {"error": f"{type(error).__name__}: {error} (cause {error.__cause__!r})"}
    return {"error": None, "took_s": time.monotonic() - began}


def main() -> None:
    """Take rounds until there are no more."""
    print("ready", flush=True)
    for line in sys.stdin:
        moment, path = line.strip().split(" ", 1)
        while (left_s := float(moment) - time.monotonic()) > 0:
            time.sleep(left_s)
        print(json.dumps(asyncio.run(open_once(sys.argv[1], path))), flush=True)


if __name__ == "__main__":
    main()
