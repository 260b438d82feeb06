"""
kill -9 of a writing process: 50 rounds (1,000 in the long form).

Proven: after each kill the file opens, is sound, holds every acknowledged unit of this and all
earlier rounds, and no unit in part. Ten rounds in a row share one database, so that a kill also
meets a write-ahead log that another kill left behind; both profiles take turns. Shows nothing about
power loss: what the killed process wrote is still in the page cache.
"""

from __future__ import annotations

import random
import signal
import time
from pathlib import Path

import pytest

from . import programs
from .judge import Promises, judge
from .scale import Figures, pick

pytestmark = pytest.mark.campaign

_ROUNDS_PER_DATABASE = 10
#: seconds for a program to start and acknowledge its first unit
_START_LIMIT_S = 120
#: seconds between the first acknowledgement and the kill, at most
_LONGEST_LIFE_S = 0.25


def _said(marker: Path) -> list[str]:
    return marker.read_text().splitlines() if marker.exists() else []


def _write_and_kill(
    database: Path, durability: str, prefix: str, tasks: int, life_s: float
) -> None:
    """Let a program write until it has acknowledged something, and a little longer."""
    marker = database.with_name("marker")
    arguments = (database, durability, prefix, 1_000_000, tasks, 1)
    with programs.running("writer", *arguments) as process:
        deadline = time.monotonic() + _START_LIMIT_S
        while not any(line.startswith(f"ack {prefix}-") for line in _said(marker)):
            assert process.poll() is None, "the writer ended by itself"
            assert time.monotonic() < deadline, "the writer acknowledged nothing"
            time.sleep(0.005)
        time.sleep(life_s)
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=_START_LIMIT_S)


def test_kill_loses_nothing_acknowledged(tmp_path: Path, figures: Figures) -> None:
    rng = random.Random(3)
    rounds = pick(50, 1_000)
    units = lost = torn = other = 0
    for number in range(rounds):
        folder = tmp_path / str(number // _ROUNDS_PER_DATABASE)
        folder.mkdir(exist_ok=True)
        database = folder / "memory.db"
        life_s = rng.uniform(0, _LONGEST_LIFE_S)
        durability = ("full", "normal")[number // _ROUNDS_PER_DATABASE % 2]
        _write_and_kill(database, durability, f"r{number}", rng.choice((1, 4, 16)), life_s)
        promises = Promises.read(_said(database.with_name("marker")))
        if number % 2 and number + 1 < rounds:
            # Half of the kills leave their log for the next program instead of for the judge.
            continue
        verdict = judge(database, promises)
        units += len(promises.acknowledged)
        lost += len(verdict.lost)
        torn += len(verdict.torn)
        other += bool(verdict.corrupt or verdict.disordered)
    figures("kill -9", rounds=rounds, units_checked=units, lost=lost, torn=torn, corrupt=other)
    assert units > rounds
    assert (lost, torn, other) == (0, 0, 0)
