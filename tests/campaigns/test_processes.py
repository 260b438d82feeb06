"""Eight processes on one file: writing at once, and opening a file that is not there yet."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from . import programs
from .judge import Promises, judge, read_contents
from .scale import Figures, pick

pytestmark = pytest.mark.campaign

_PROCESSES = 8
#: stands for the process's own name among its arguments
_NAME = object()
#: seconds; a process that is silent for longer hangs
_ANSWER_S = 60.0


def _ready(stack: ExitStack, script: str, *args: object) -> list[programs.Dialogue]:
    """Start a crowd; return when all of them are ready."""
    crowd = [
        stack.enter_context(programs.dialogue(script, *_named(args, f"p{number}")))
        for number in range(_PROCESSES)
    ]
    for process in crowd:
        assert process.hear(_ANSWER_S) == "ready"
    return crowd


def _named(args: tuple[object, ...], name: str) -> list[object]:
    return [name if arg is _NAME else arg for arg in args]


def test_eight_processes_write_fairly(tmp_path: Path, figures: Figures) -> None:
    """Nobody is refused within the deadline, and the slowest gets a fifth of the fastest."""
    database = tmp_path / "memory.db"
    seconds = pick(10, 60)
    with ExitStack() as stack:
        crowd = _ready(stack, "contender", database, _NAME, seconds)
        for process in crowd:
            process.tell("go")
        results: list[dict[str, Any]] = [
            json.loads(process.hear(seconds + _ANSWER_S)) for process in crowd
        ]
    commits = sorted(result["commits"] for result in results)
    errors = [result["errors"] for result in results if result["errors"]]
    figures(
        f"8 processes writing {seconds} s",
        commits=sum(commits),
        slowest=commits[0],
        fastest=commits[-1],
        slowest_call=f"{max(result['slowest_s'] for result in results):.2f} s",
        errors=errors or 0,
    )
    tags = [f"p{n}-{i}" for n, result in enumerate(results) for i in range(result["commits"])]
    assert judge(database, Promises(acknowledged=tags)).broken() == ""
    assert len(read_contents(database).whole) == sum(commits)
    assert not errors
    assert commits[0] * 5 >= commits[-1]


def _schema(database: Path) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        query = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name"
        return connection.execute(query).fetchall()


def test_eight_processes_open_a_new_file(tmp_path: Path, figures: Figures) -> None:
    """All of them open it, the schema is there once, and each one's event too."""
    rounds = pick(50, 1_000)
    failures: list[str] = []
    slowest_s = 0.0
    with ExitStack() as stack:
        crowd = _ready(stack, "opener", _NAME)
        alone = tmp_path / "alone.db"
        crowd[0].tell(f"0 {alone}")
        assert json.loads(crowd[0].hear(_ANSWER_S))["error"] is None
        right = _schema(alone)
        for number in range(rounds):
            folder = tmp_path / str(number)
            folder.mkdir()
            database = folder / "memory.db"
            moment = time.monotonic() + 0.02
            for process in crowd:
                process.tell(f"{moment} {database}")
            heard = [json.loads(process.hear(_ANSWER_S)) for process in crowd]
            failures += [f"round {number}: {one['error']}" for one in heard if one["error"]]
            slowest_s = max(slowest_s, *(one.get("took_s", 0.0) for one in heard))
            tags = [f"p{n}" for n, one in enumerate(heard) if not one["error"]]
            broken = judge(database, Promises(acknowledged=tags)).broken()
            failures += [f"round {number}: {broken}"] if broken else []
            if _schema(database) != right:
                failures.append(f"round {number}: another schema")
    figures(
        "8 processes opening a new file",
        rounds=rounds,
        failures=len(failures),
        slowest=f"{slowest_s:.2f} s",
    )
    assert not failures, "\n".join(failures[:10])
