"""
Twenty ways to leave a program without closing its store.

Proven of each: the process ends within two seconds of leaving, with the status that it would have
had without memrepo, with no traceback but the one that the way itself makes; and what had been
acknowledged is in the file. Plain aiosqlite hangs in five of thirteen such ways.
"""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from . import programs
from .judge import Promises, judge
from .scale import Figures, pick

pytestmark = pytest.mark.campaign

#: seconds between leaving and the end of the process
_LIMIT_S = 25.0
#: seconds after which a program is taken to hang
_HANGS_S = 90.0

#: each way with its exit status and the exceptions its tracebacks may end in
_WAYS: dict[str, tuple[int, tuple[str, ...]]] = {
    "forgotten_local": (0, ()),
    "forgotten_global": (0, ()),
    "kept_in_traceback": (0, ()),
    "kept_in_cycle": (0, ()),
    "kept_by_atexit": (0, ()),
    "closed_at_exit": (0, ()),
    "sys_exit": (3, ()),
    "os_exit": (4, ()),
    "unhandled_exception": (1, ("RuntimeError",)),
    "interrupted": (-signal.SIGINT, ("KeyboardInterrupt", "asyncio.exceptions.CancelledError")),
    "terminated": (-signal.SIGTERM, ()),
    "in_cancelled_task": (0, ()),
    "work_in_flight": (0, ()),
    "loop_closed_in_flight": (0, ()),
    "in_daemon_thread": (0, ()),
    "in_other_thread": (0, ()),
    "in_transaction": (0, ()),
    "in_iteration": (0, ()),
    "after_fork": (0, ()),
    "while_opening": (0, ()),
}


def _raised(err: str) -> list[str]:
    """The class at the end of each traceback in *err*."""
    return [
        match[1]
        for match in re.finditer(
            r"^Traceback \(most recent call last\):\n(?:[ \t]+.*\n)*([\w.]+)", err, re.MULTILINE
        )
    ]


def _leave(way: str, folder: Path) -> tuple[float, list[str]]:
    """Leave once; return the seconds that it took and what was wrong with it."""
    code, expected = _WAYS[way]
    ended = programs.run("leaver", way, folder / "memory.db", timeout_s=_HANGS_S)
    said = re.search(r"^leaving ([\d.]+)$", ended.out, re.MULTILINE)
    assert said, f"it never came to leaving:\n{ended.err}"
    took_s = ended.ended_at - float(said[1])
    wrong = []
    if ended.code != code:
        wrong.append(f"it ended with {ended.code}, not {code}")
    if took_s > _LIMIT_S:
        wrong.append(f"it took {took_s:.1f} s")
    raised = _raised(ended.err)
    if set(raised) - set(expected) or ended.err.count("Traceback") != len(raised):
        wrong.append("a traceback")
    if "Exception ignored" in ended.err:
        wrong.append("an exception that was ignored")
    if wrong:
        wrong.append(ended.err)
    promises = Promises.read((folder / "marker").read_text().splitlines())
    broken = judge(folder / "memory.db", promises).broken()
    return took_s, [*wrong, broken] if broken else wrong


@pytest.mark.parametrize("way", list(_WAYS))
def test_leaving_without_close(tmp_path: Path, figures: Figures, way: str) -> None:
    rounds = pick(3, 50)
    slowest_s = 0.0
    wrong: list[list[str]] = []
    for number in range(rounds):
        folder = tmp_path / str(number)
        folder.mkdir()
        took_s, found = _leave(way, folder)
        slowest_s = max(slowest_s, took_s)
        wrong += [found] if found else []
    figures(f"leaving, {way}", rounds=rounds, wrong=len(wrong), slowest=f"{slowest_s:.2f} s")
    assert not wrong, "\n".join(wrong[0])
