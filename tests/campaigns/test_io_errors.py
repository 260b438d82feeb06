"""
I/O errors: each file operation of a store's life fails once, or from there on.

A life opens a store, writes, passes a checkpoint, reads, closes and opens again
(``workloads/victim.py``). It is lived once whole, to count its operations by kind; then once for
each operation and way to fail (a sample of them in the short form). Proven of every life:

- whatever is raised is a memrepo error; no call takes longer than its deadline;
- every acknowledged unit is there, no unit in part, the file is sound;
- a unit whose error did not say ``outcome_unknown`` is not there: not while the program lives on,
  and not after it crashed right at the error;
- once the disk is well again, the same store writes again, or a new one does.

Locks fail once only: SQLite takes a lock of the shared memory that never succeeds for a protocol
that another process breaks, and spends ten seconds a statement on finding out. A read that fails
with EIO may come out as ``CorruptDatabaseError``: SQLite itself says SQLITE_CORRUPT for it.
"""

from __future__ import annotations

import errno
import json
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from . import programs
from .faults import Control, Fault, Kind
from .judge import Promises, judge
from .scale import Figures, is_long

pytestmark = pytest.mark.campaign

#: operations of a kind that the short form breaks in each way
_SAMPLE = 5
#: seconds; the victim's own limit for one life is shorter
_LIFE_S = 150.0
#: which errors an operation of a kind can end in
_ERRORS = {
    Kind.OPEN: (errno.EIO, errno.ENOSPC),
    Kind.READ: (errno.EIO,),
    Kind.WRITE: (errno.EIO, errno.ENOSPC),
    Kind.SYNC: (errno.EIO, errno.ENOSPC),
    Kind.TRUNCATE: (errno.EIO,),
    Kind.UNLINK: (errno.EIO,),
    Kind.MMAP: (errno.EIO, errno.ENOMEM),
    Kind.LOCK: (errno.EIO,),
}


@dataclass(frozen=True, slots=True)
class _Life:
    """One fault, and whether the program crashes at the first error."""

    fault: Fault
    crash: bool

    def __str__(self) -> str:
        return f"{self.fault}{', then a crash' if self.crash else ''}"


class _Lives:
    """A process that lives one life after another."""

    def __init__(self, process: programs.Dialogue, folder: Path) -> None:
        self._process = process
        self._folder = folder
        self._n = 0

    def live(self, life: _Life | None) -> tuple[dict[str, Any], Path]:
        """Live once; return the report and the folder that was left."""
        self._n += 1
        folder = self._folder / str(self._n)
        fault = life and [life.fault.kind, life.fault.nth, life.fault.error, life.fault.forever]
        plan = {"folder": str(folder), "fault": fault, "crash": bool(life and life.crash)}
        self._process.tell(json.dumps(plan))
        report: dict[str, Any] = json.loads(self._process.hear(_LIFE_S))
        return report, folder


@contextmanager
def _lives(library: Path, folder: Path) -> Iterator[_Lives]:
    work = folder / "work"
    work.mkdir()
    control = Control(folder / "control")
    env = control.environment(library, work)
    with programs.dialogue("victim", control.path, env=env) as process:
        yield _Lives(process, work)


def _places(n: int, rng: random.Random) -> list[int]:
    """Which of *n* operations of a kind are broken."""
    return sorted(rng.sample(range(1, n + 1), n if is_long() else min(n, _SAMPLE)))


def _plans(kind: Kind, n: int) -> list[_Life]:
    """What to break of the *n* operations of a kind, and how."""
    rng = random.Random(7)
    return [
        _Life(Fault(kind, nth, error, forever), crash)
        for error in _ERRORS[kind]
        for forever, crash in ((False, False), (True, False), (False, True))
        if not (forever and kind is Kind.LOCK)
        for nth in _places(n, rng)
    ]


def _complaints(report: dict[str, Any], folder: Path) -> list[str]:
    """What one life shows that must not be."""
    found = []
    if report["code"] != 0:
        found.append(f"the program ended with {report['code']} (None: it hung)")
    found += [f"no memrepo error: {text}" for text in report["untyped"]]
    found += [f"hung: {name}" for name in report.get("hung", ())]
    if report.get("recovered") == "no":
        found.append("neither the store nor a new one works once the disk is well")
    promises = Promises.read((folder / "marker").read_text().splitlines())
    broken = judge(folder / "memory.db", promises).broken()
    return [*found, broken] if broken else found


@pytest.mark.parametrize("kind", list(_ERRORS), ids=lambda kind: kind.name.lower())
def test_io_error_is_survived(
    preload: dict[str, Path], tmp_path: Path, figures: Figures, kind: Kind
) -> None:
    recovered: Counter[str] = Counter()
    errors: Counter[str] = Counter()
    complaints: list[str] = []
    slowest_s = 0.0
    with _lives(preload["faults"], tmp_path) as lives:
        whole, folder = lives.live(None)
        assert not whole["errors"], whole
        assert whole["recovered"] == "same store"
        assert not _complaints(whole, folder)
        operations = whole["counts"][kind.name]
        plans = _plans(kind, operations)
        for life in plans:
            report, folder = lives.live(life)
            recovered[report.get("recovered", "hung")] += 1
            errors.update(kind for _, kind, _ in report["errors"])
            slowest_s = max(slowest_s, report.get("slowest_s", 0.0))
            said = f"{life} ({report.get('fired')})"
            complaints += [f"{said}: {text}" for text in _complaints(report, folder)]
            shutil.rmtree(folder)
    figures(
        f"I/O errors of {kind.name.lower()}",
        operations=operations,
        lives=len(plans),
        violations=len(complaints),
        slowest_call=f"{slowest_s:.2f} s",
        after=dict(recovered),
        raised=dict(errors.most_common()),
    )
    assert not complaints, "\n".join(complaints[:20])
