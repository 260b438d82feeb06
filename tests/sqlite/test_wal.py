"""The write-ahead log: a reader that does not end makes it grow, and it shrinks afterwards (MP-12)."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

import memrepo
from memrepo.connection.sqlite import inode
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.asyncio

_MIB = 2**20
#: What SQLite lets it grow to when nobody is in the way: 1,000 pages of 4,096 bytes, and the last unit.
_USUAL_BYTES = 5 * _MIB
#: What it is cut to when it has been larger.
_KEPT_BYTES = 8 * _MIB


@contextmanager
def foreign_reader(path: Path) -> Iterator[None]:
    """Have another process hold a read transaction for a block."""
    program = (
        "import sqlite3, sys\n"
        "connection = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "connection.execute('BEGIN')\n"
        "connection.execute('SELECT count(*) FROM memory_entries').fetchall()\n"
        "print('reading', flush=True)\n"
        "sys.stdin.readline()\n"
        "connection.execute('ROLLBACK')\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "reading\n"
        try:
            yield
        finally:
            process.communicate("\n", timeout=PATIENCE_S)


async def write(store: memrepo.Store, name: str, n: int) -> int:
    """Write *n* facts, each in a commit of its own; return the log's size in bytes, as `info` has it."""
    for number in range(n):
        await store.memories.remember(f"{name} {number} " + "x" * 100)
    return (await store.info()).wal_size_bytes


async def test_reader_pins_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """While it reads, the size is told and warned of at each doubling; then the log is cut and stays so."""
    monkeypatch.setattr(inode, "_LARGE_WAL_BYTES", 8 * _MIB)
    monkeypatch.setattr(inode, "_LOOK_AT_FILES_EVERY_S", 0.0)
    path = tmp_path / "agent.db"
    wal = Path(f"{path}-wal")
    async with memrepo.connect(path, durability="normal") as store:
        assert 0 < await write(store, "before", 1) < _USUAL_BYTES
        with foreign_reader(path):
            pinned = await write(store, "pinned", 3_000)
        assert pinned == wal.stat().st_size > 16 * _MIB
        told = [int(size) for size in re.findall(r"has grown to (\d+) MiB", caplog.text)]
        assert 8 <= told[0] < 16
        assert all(later >= 2 * earlier for earlier, later in pairwise(told))
        assert pinned < 3 * told[-1] * _MIB
        assert await write(store, "after", 5) <= _KEPT_BYTES
        assert await write(store, "later", 3_000) <= _KEPT_BYTES
    assert not wal.exists()


async def test_log_stays_small(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """With nobody in the way, the log stays near the size at which SQLite starts it anew."""
    async with memrepo.connect(tmp_path / "agent.db", durability="normal") as store:
        sizes = [await write(store, f"round {n}", 200) for n in range(10)]
    assert max(sizes) < _USUAL_BYTES
    assert [r for r in caplog.records if r.name.endswith(".inode")] == []


async def test_large_unit_is_cut_too(tmp_path: Path) -> None:
    """A unit that needs a large log leaves none behind."""
    async with memrepo.connect(tmp_path / "agent.db", durability="normal") as store:
        facts = [memrepo.MemoryNew(content=f"{n} " + "x" * 50_000) for n in range(400)]
        await store.memories.remember_many(facts)
        assert (await store.info()).wal_size_bytes > 2 * _KEPT_BYTES
        assert await write(store, "after", 5) <= _KEPT_BYTES
