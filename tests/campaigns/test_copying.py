"""
A large copy from a file to a server and back into a file, cancelled and killed on the way.

Proven: however a copy ends, the next one goes on, writes no row twice, and in the end every value of
every row has the type and the bytes it had; memory stays bounded while it runs.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

import memrepo
from memrepo import CopyProgress, CopyReport
from tests.conftest import Clock
from tests.patience import PATIENCE_S
from tests.servers.sqld import Sqld
from tests.transfer.copies import ODD, TABLES, fill, run

from .scale import Figures, pick

pytestmark = [pytest.mark.campaign, pytest.mark.asyncio]

#: MiB that a copying process may add to what it needs to start.
_MOST_MEMORY = 100
#: Copies, says how far it is, if asked to waits after each page until it may go on, and in the end says by how many MiB its memory has grown at most. The peak that
#: getrusage tells would be that of the process it was forked from.
_COPY = """
import asyncio, re, sys
from pathlib import Path
import memrepo

def peak():
    return int(re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1]) // 1024

def tell(progress):
    print(progress.step, flush=True)
    if "asking" in sys.argv:
        sys.stdin.readline()

async def main():
    async with memrepo.connect(sys.argv[1]) as source, memrepo.connect(sys.argv[2]) as target:
        before = peak()
        await source.copy_to(target, on_progress=tell)
        print(peak() - before)

asyncio.run(main())
"""


def digests(path: Path) -> list[tuple[int, str]]:
    """The number of rows of each table, and a digest of the type and bytes of every value."""
    found = []
    with closing(sqlite3.connect(path)) as database:
        for table, columns in TABLES.items():
            shown = ",".join(f"typeof({c}),CAST({c} AS BLOB)" for c in columns.split())
            digest, n_rows = hashlib.sha256(), 0
            for row in database.execute(f"SELECT {shown} FROM {table} ORDER BY id"):
                digest.update(repr(row).encode())
                n_rows += 1
            found.append((n_rows, digest.hexdigest()))
    return found


async def _cancelled(source: str | Path, target: str | Path, after: int) -> None:
    """Copy, and be cancelled in the middle of what follows a number of pages."""
    reached = asyncio.Event()
    left = after

    def count(_progress: CopyProgress) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            reached.set()

    async with memrepo.connect(source) as one, memrepo.connect(target) as two:
        copy = asyncio.create_task(one.copy_to(two, on_progress=count))
        await reached.wait()
        await asyncio.sleep(random.uniform(0, 0.02))
        copy.cancel()
        with pytest.raises(asyncio.CancelledError):
            await copy


def _killed(source: str | Path, target: str | Path, after: int) -> None:
    """Have another process copy, and kill it in the middle of what follows a number of pages."""
    program = (sys.executable, "-c", _COPY, source, target, "asking")
    with subprocess.Popen(
        program, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(after):
            assert process.stdout.readline() == b"copy\n"
            process.stdin.write(b"\n")
        time.sleep(random.uniform(0, 0.02))
        process.send_signal(signal.SIGKILL)
        assert process.wait(timeout=PATIENCE_S) == -signal.SIGKILL


async def _copy(source: str | Path, target: str | Path) -> tuple[CopyReport, float]:
    began = time.monotonic()
    async with memrepo.connect(source) as one, memrepo.connect(target) as two:
        report = await one.copy_to(two)
    return report, time.monotonic() - began


def _n_present(report: CopyReport) -> int:
    assert report.is_identical
    return sum(table.n_present for table in report.tables)


async def test_file_to_server_to_file(
    sqld: Sqld, tmp_path: Path, figures: Figures, clock: Clock
) -> None:
    """Each leg is interrupted by a cancellation and by SIGKILL; the last file is the first."""
    n_facts, n_events = pick(10_000, 100_000), pick(50_000, 500_000)
    source, back, url = tmp_path / "source.db", tmp_path / "back.db", sqld.new_url()
    async with memrepo.connect(source, clock=clock) as store:
        await fill(store, clock, n_facts=n_facts, n_events=n_events)
        await run(store, *ODD)
    async with memrepo.connect(source):
        pass  # adopts what the other program stored
    expected = await asyncio.to_thread(digests, source)
    n_rows = sum(n for n, _ in expected)
    assert n_rows > n_facts + n_events
    n_pages = n_rows // 1_000
    n_before, seconds = [], []
    for one, two in ((source, url), (url, back)):
        await _cancelled(one, two, random.randint(1, n_pages // 4))
        await asyncio.to_thread(_killed, one, two, random.randint(n_pages // 3, n_pages // 2))
        report, took_s = await _copy(one, two)
        n_before.append(_n_present(report))
        seconds.append(took_s)
        assert 0 < n_before[-1] < n_rows
    assert await asyncio.to_thread(digests, back) == expected
    figures(
        "copy file to server to file",
        rows=n_rows,
        there_after_two_interruptions="/".join(map(str, n_before)),
        seconds_of_the_third="/".join(f"{its:.1f}" for its in seconds),
    )


async def test_memory(sqld: Sqld, tmp_path: Path, figures: Figures, clock: Clock) -> None:
    """A copying process needs no more memory for many rows, or for large ones, than for a page."""
    source, url = tmp_path / "source.db", sqld.new_url()
    async with memrepo.connect(source, clock=clock) as store:
        await fill(store, clock, n_facts=pick(10_000, 100_000), n_events=pick(50_000, 500_000))
        for n in range(pick(50, 200)):
            await store.memories.remember(f"{n} " + "x" * 3_000_000)
    program = (sys.executable, "-c", _COPY, source, url)
    began = time.monotonic()
    done = await asyncio.to_thread(subprocess.run, program, capture_output=True, check=True)
    lines = done.stdout.split()
    figures(
        "copy in bounded memory",
        file_MiB=source.stat().st_size >> 20,
        pages=len(lines) - 1,
        memory_MiB=int(lines[-1]),
        seconds=f"{time.monotonic() - began:.1f}",
    )
    assert int(lines[-1]) < _MOST_MEMORY
