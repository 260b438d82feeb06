"""
Fill a disk, or a file up to its size limit, then make room and go on.

usage: python -m workloads.filler DATABASE MARKER disk BALLAST
       python -m workloads.filler DATABASE MARKER limit BYTES

Room is made by deleting the file BALLAST, or by lifting the limit RLIMIT_FSIZE from BYTES.
Prints what happened as JSON; what was sent, acknowledged and refused stands in MARKER, which must
lie on a disk that is not full.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from pathlib import Path
from typing import Any

import memrepo

from .units import Marker

PARTS = 4
#: units after which the disk should long be full
MOST_UNITS = 3_000


async def write(store: memrepo.Store, marker: Marker, tag: str) -> memrepo.MemrepoError | None:
    """Write one unit; return its error."""
    rows = [
        memrepo.DailyLogNew(
            session_id=None,
            event_type="unit",
            event_data={"unit": tag, "part": part, "parts": PARTS, "pad": "z" * 1_000},
        )
        for part in range(PARTS)
    ]
    marker.say("start", tag)
    try:
        await store.daily_logs.append_many(rows)
    except memrepo.MemrepoError as error:
        if not getattr(error, "outcome_unknown", False):
            marker.say("refused", tag)
        return error
    marker.say("ack", tag)
    return None


async def main() -> None:
    """Fill, look, make room, go on."""
    path, marker_path, way, argument = sys.argv[1:]
    said: dict[str, Any] = {"acknowledged": 0}
    marker = Marker(Path(marker_path))
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    async with memrepo.connect(path) as store:
        if way == "limit":
            resource.setrlimit(resource.RLIMIT_FSIZE, (int(argument), hard))
        error = None
        while error is None and said["acknowledged"] < MOST_UNITS:
            error = await write(store, marker, f"u{said['acknowledged']}")
            said["acknowledged"] += error is None
        said["error"] = type(error).__name__
        said["cause"] = str(error.__cause__) if error else ""
        refused = [await write(store, marker, f"again{number}") for number in range(3)]
        said["then"] = [type(one).__name__ for one in refused]
        said["read"] = len((await store.daily_logs.find_many(limit=10)).items)
        if way == "disk":
            Path(argument).unlink()
        else:
            resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        after = await write(store, marker, "with-room")
        said["with_room"] = type(after).__name__ if after else "written"
    print(json.dumps(said))


if __name__ == "__main__":
    asyncio.run(main())
