"""
A large export and its import elsewhere by the commands, interrupted by Ctrl-C and killed on the way.

Proven: however each ends, the same command goes on; in the end every value of every row has the type and the bytes it
had; and memory stays bounded. The figures say how fast that is beside a copy.
"""

from __future__ import annotations

import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import memrepo
from tests.cli.interrupting import interrupted_at
from tests.conftest import Clock
from tests.transfer.copies import ODD, fill, run

from .scale import Figures, pick
from .test_copying import digests

pytestmark = [pytest.mark.campaign, pytest.mark.asyncio]

#: MiB that a process may add to what it needs to start.
_MOST_MEMORY = 100
#: Runs a command, and says in the end by how many MiB the memory of its process has grown at most.
_COMMAND = """
import re, sys
from pathlib import Path
from memrepo.cli.commands import program
from memrepo.cli.main import main

def peak():
    return int(re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1]) // 1024

before = peak()
status = main()
print("memory_MiB", peak() - before)
sys.exit(status)
"""


def _program(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-c", _COMMAND, *map(str, arguments)]


def _interrupted(
    with_signal: signal.Signals, grows: Path, size: int, *arguments: str | Path
) -> None:
    """Run a command until a file has a size, and end it."""
    program = interrupted_at(grows, size, *arguments, number=with_signal)
    done = subprocess.run(program, capture_output=True, check=False)
    assert done.returncode in {1, -signal.SIGKILL}, done.stderr


def _done(*arguments: str | Path) -> tuple[str, int, float]:
    """Run a command to its end; return what it printed, how its memory grew, and how long it took."""
    began = time.monotonic()
    done = subprocess.run(_program(*arguments), capture_output=True, text=True, check=True)
    took_s = time.monotonic() - began
    found = re.search(r"^memory_MiB (\d+)$", done.stdout, re.MULTILINE)
    assert found is not None
    return done.stdout, int(found[1]), took_s


async def test_file_to_lines_to_file(tmp_path: Path, figures: Figures, clock: Clock) -> None:
    """Export and import are each interrupted twice; the last file has the rows of the first."""
    n_facts, n_events = pick(20_000, 200_000), pick(80_000, 800_000)
    source, lines, target = (tmp_path / name for name in ("source.db", "lines", "target.db"))
    async with memrepo.connect(source, clock=clock) as store:
        await fill(store, clock, n_facts=n_facts, n_events=n_events)
        await run(store, *ODD)
    async with memrepo.connect(source):
        pass  # adopts what the other program stored
    expected = digests(source)
    n_rows = sum(n for n, _ in expected)
    size = source.stat().st_size
    for part, its_signal in ((0.2, signal.SIGINT), (0.5, signal.SIGKILL)):
        at = int(size * part * random.uniform(0.5, 1))
        partial = lines.with_name("lines.partial")
        _interrupted(its_signal, partial, at, "export", lines, "--db", source)
    _done("export", lines, "--db", source)
    for part, its_signal in ((0.2, signal.SIGKILL), (0.5, signal.SIGINT)):
        at = int(size * part * random.uniform(0.5, 1))
        _interrupted(its_signal, target, at, "import", lines, "--db", target)
    said, *_ = _done("import", lines, "--db", target)
    assert digests(target) == expected
    assert re.search(r"[1-9][\d,]* imported, [1-9][\d,]* already there", said)

    _, exporting_mib, export_s = _done("export", tmp_path / "again", "--db", source)
    _, importing_mib, import_s = _done("import", tmp_path / "again", "--db", tmp_path / "again.db")
    _, _, copy_s = _done("copy", source, tmp_path / "copy.db")
    figures(
        "export and import",
        rows=n_rows,
        file_MiB=size >> 20,
        memory_MiB=f"{exporting_mib}/{importing_mib}",
        rows_per_s=f"{n_rows / export_s:,.0f}/{n_rows / import_s:,.0f}",
        speed_by_that_of_copy=f"{copy_s / (export_s + import_s):.2f}",
    )
    assert max(exporting_mib, importing_mib) < _MOST_MEMORY
