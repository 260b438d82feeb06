"""
Long lives: open and close 100 times (1,000), and 500 writes a second for 30 s (30 min).

Proven: after a warm-up the number of file descriptors and threads does not change, memory grows
by less than a few MB, and the write-ahead log stays near SQLite's checkpoint size.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from . import programs
from .scale import Figures, pick

pytestmark = pytest.mark.campaign

_MIB = 1024 * 1024
#: bytes that a process may grow by after its warm-up: the allocator's own slack
_GROWTH_LIMIT = 8 * _MIB
#: bytes; SQLite starts a checkpoint at 1,000 pages of 4,096 bytes, and writes go on meanwhile
_WAL_LIMIT = 16 * _MIB
_RATE = 500

_Samples = list[dict[str, int]]


def _resident(timeout_s: float, *args: object) -> _Samples:
    ended = programs.run("resident", *args, timeout_s=timeout_s)
    assert ended.code == 0, ended.err
    return [json.loads(line) for line in ended.out.splitlines()]


def _warm(samples: _Samples) -> _Samples:
    """The samples after the first quarter."""
    return samples[len(samples) // 4 :]


def _growth(samples: _Samples) -> int:
    """Bytes of memory between the first and the last warm sample."""
    warm = _warm(samples)
    return warm[-1]["rss"] - warm[0]["rss"]


def _values(samples: _Samples, name: str) -> list[int]:
    return sorted({one[name] for one in _warm(samples)})


def test_open_and_close_leaves_nothing(tmp_path: Path, figures: Figures) -> None:
    n = pick(100, 1_000)
    samples = _resident(120 + n * 2, "cycles", tmp_path / "memory.db", n)
    figures(
        "open and close",
        cycles=samples[-1]["done"],
        fds=_values(samples, "fds"),
        threads=_values(samples, "threads"),
        memory=f"{_growth(samples) / _MIB:+.1f} MiB",
    )
    assert samples[-1]["done"] == n
    assert len(_values(samples, "fds")) == 1
    assert _values(samples, "threads") == [1]
    assert _growth(samples) < _GROWTH_LIMIT


def test_soak_stays_flat(tmp_path: Path, figures: Figures) -> None:
    seconds = pick(30, 1_800)
    samples = _resident(seconds + 120, "soak", tmp_path / "memory.db", seconds, _RATE)
    wal = max(one["wal"] for one in samples)
    figures(
        f"soak of {_RATE} writes/s for {seconds} s",
        written=samples[-1]["done"],
        fds=_values(samples, "fds"),
        threads=_values(samples, "threads"),
        memory=f"{_growth(samples) / _MIB:+.1f} MiB",
        wal_at_most=f"{wal / _MIB:.1f} MiB",
    )
    assert samples[-1]["done"] >= 0.1 * _RATE * seconds  # and as many as this machine can
    assert len(_values(samples, "fds")) == 1
    assert len(_values(samples, "threads")) == 1
    assert _growth(samples) < _GROWTH_LIMIT
    assert wal < _WAL_LIMIT
