"""W9: what it costs to import the package, to get to the first committed write, and to be there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.benchmarks import files
from tests.benchmarks.contender import Contender

_IMPORT: Final = """
import time
started = time.perf_counter()
import {module}
print(time.perf_counter() - started)
"""

#: Opens an existing file, commits one event, and reports the seconds and the memory it then holds.
_FIRST_WRITE: Final = """
import asyncio, gc, json, re, sys, time
{imports}

async def main(path):
    started = time.perf_counter()
    {opens}
    seconds = time.perf_counter() - started
    gc.collect()
    with open("/proc/self/status") as status:
        kilobytes = int(re.search(r"VmRSS:\\s+(\\d+)", status.read())[1])
    {closes}
    print(json.dumps([seconds, kilobytes]))

asyncio.run(main(sys.argv[1]))
"""

_INSERT: Final = (
    "INSERT INTO daily_logs (scope, session_id, event_type, event_data, timestamp)"
    " VALUES ('', 1, 'started', '{}', '2026-02-02T14:16:24.123Z')"
)
_PRAGMAS: Final = ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL")

_STARTS: Final = {
    "raw sqlite3": {
        "imports": "import sqlite3",
        "opens": (
            "db = sqlite3.connect(path, isolation_level=None);"
            f" [db.execute(s) for s in {(*_PRAGMAS, _INSERT)!r}]"
        ),
        "closes": "db.close()",
    },
    "aiosqlite": {
        "imports": "import aiosqlite",
        "opens": (
            "db = await aiosqlite.connect(path, isolation_level=None);"
            f" [await db.execute_fetchall(s) for s in {(*_PRAGMAS, _INSERT)!r}]"
        ),
        "closes": "await db.close()",
    },
    "memrepo": {
        "imports": "import memrepo",
        "opens": (
            "store = await memrepo.connect(path, durability='full');"
            " await store.daily_logs.append(1, 'started', {})"
        ),
        "closes": "await store.close()",
    },
}


@dataclass
class Startup:
    """Each round of each measure; seconds, and bytes of resident memory."""

    import_s: dict[str, list[float]] = field(default_factory=dict)
    first_write_s: dict[str, list[float]] = field(default_factory=dict)
    resident_bytes: dict[str, list[int]] = field(default_factory=dict)


def measure(contenders: list[type[Contender]], n_rounds: int) -> Startup:
    """Start a new process for each measure, the contenders in turn in each round."""
    found = Startup()
    modules = {kind.name: kind.module for kind in contenders if kind.module}
    path = files.fresh("startup", files.big(10_000).path)
    for number in range(n_rounds + 1):
        # The first round writes the compiled modules and fills the page cache.
        counts = number > 0
        for name, module in modules.items():
            seconds = float(_run(_IMPORT.format(module=module)))
            if counts:
                found.import_s.setdefault(name, []).append(seconds)
        for name, parts in _STARTS.items():
            if name == "memrepo" and name not in modules:
                continue
            seconds, kilobytes = json.loads(_run(_FIRST_WRITE.format(**parts), path))
            if counts:
                found.first_write_s.setdefault(name, []).append(seconds)
                found.resident_bytes.setdefault(name, []).append(kilobytes * 1024)
    files.remove(path)
    return found


def _run(code: str, *arguments: Path) -> str:
    command = [sys.executable, "-c", code, *map(str, arguments)]
    # As an installed package is: compiled once, even where this process was told not to.
    environment = os.environ | {"PYTHONPYCACHEPREFIX": str(files.BENCH / "pycache")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    run = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return run.stdout
