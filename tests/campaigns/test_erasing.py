"""
kill -9 of a process that forgets and restores a chain of facts, and then erases a scope: 12 rounds (500).

Proven: after each kill the file is sound; the chain is forgotten whole or not at all; of the scope that is
being erased no event is without its session; other scopes have lost nothing; what was acknowledged is
done; and erasing again finishes the work.
"""

from __future__ import annotations

import random
import shutil
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import attrs
import pytest

import memrepo

from . import programs
from .scale import Figures, pick

pytestmark = pytest.mark.campaign

_MEMBERS = 2_000
_ROWS = 3_000
_TIMES = 3
_ERASED, _OTHER = "user:1", "user:2"
#: seconds for the program to come so far
_START_LIMIT_S = 120
#: What it has done when its last moments begin: half of the kills are to meet a chain, half a scope.
_DONE = ("open", f"restored {_TIMES - 1}")
#: seconds of these last moments, at most
_LONGEST_LIFE_S = 0.15


@attrs.frozen
class _Found:
    """What a database holds after a kill."""

    problems: tuple[str, ...]
    n_forgotten: int
    n_erasable: int
    n_other: int


async def _prepare(path: Path) -> int:
    """Store a chain in the default scope, and rows of every kind in two others; return the chain's head."""
    async with memrepo.connect(path, durability="normal") as store:
        chain = [memrepo.MemoryNew(content=f"address {n}") for n in range(_MEMBERS)]
        ids = [one.id for one in await store.memories.remember_many(chain)]
        link = memrepo.Statement(
            "link", "UPDATE memory_entries SET superseded_by=id+1 WHERE id<:head AND scope=''"
        )
        await store.connection.write((link.bind(head=ids[-1]),))
        for owner in (store.scoped(_ERASED), store.scoped(_OTHER)):
            for _ in range(3):
                session = await owner.sessions.start(end_active=True)
                new = memrepo.DailyLogNew(session_id=session.id, event_type="x", event_data="y")
                await owner.daily_logs.append_many([new] * (_ROWS // 3))
            await owner.memories.remember_many(
                memrepo.MemoryNew(content=f"fact {n}") for n in range(_ROWS)
            )
    return ids[-1]


def _run_and_kill(database: Path, head: int, done: str, life_s: float) -> list[str]:
    """Let the program come so far, and live a little longer; return what it acknowledged."""
    marker = database.with_name("marker")
    with programs.running("eraser", database, head, _TIMES, _ERASED) as process:
        deadline = time.monotonic() + _START_LIMIT_S
        while not marker.exists() or f"ack {done}\n" not in marker.read_text():
            assert process.poll() is None, "the eraser ended by itself"
            assert time.monotonic() < deadline, "the eraser is too slow"
            time.sleep(0.005)
        time.sleep(life_s)
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=_START_LIMIT_S)
    return marker.read_text().splitlines()


def _look(database: Path) -> _Found:
    with closing(sqlite3.connect(database)) as connection:

        def count(sql: str) -> int:
            return int(connection.execute(f"SELECT {sql}").fetchone()[0])

        def rows(scope: str) -> int:
            tables = ("memory_entries", "sessions", "daily_logs")
            return sum(count(f"count(*) FROM {its} WHERE scope='{scope}'") for its in tables)

        problems = [
            *(text for (text,) in connection.execute("PRAGMA integrity_check") if text != "ok"),
            *(str(row) for row in connection.execute("PRAGMA foreign_key_check")),
        ]
        return _Found(
            problems=tuple(problems),
            n_forgotten=count("count(deleted_at) FROM memory_entries WHERE scope=''"),
            n_erasable=rows(_ERASED),
            n_other=rows(_OTHER),
        )


def _promised(said: list[str]) -> set[int]:
    """How many members of the chain may be forgotten, by what was acknowledged last."""
    last = next((line for line in reversed(said) if "erased" not in line), "")
    number = int(last.rpartition(" ")[2]) + 1 if last[-1:].isdigit() else 0
    if "forgot" in last:
        return {_MEMBERS, 0}
    return {0} if number == _TIMES else {0, _MEMBERS}


@pytest.mark.asyncio
async def test_kill_while_forgetting_and_erasing(tmp_path: Path, figures: Figures) -> None:
    """Whenever the process is killed, nothing is half done that was to be whole, and the rest can be done."""
    rng = random.Random(14)
    template = tmp_path / "template.db"
    head = await _prepare(template)
    before = _look(template)
    rounds = pick(12, 500)
    torn = lost = unsound = begun = 0
    number = -1
    # A busy machine may kill each of the first ones before it has begun to erase, or after it.
    while (number := number + 1) < rounds or (not begun and number < 20 * rounds):
        (folder := tmp_path / str(number)).mkdir()
        database = folder / "memory.db"
        shutil.copyfile(template, database)
        said = _run_and_kill(database, head, _DONE[number % 2], rng.uniform(0, _LONGEST_LIFE_S))
        found = _look(database)
        unsound += bool(found.problems)
        torn += found.n_forgotten not in (0, _MEMBERS)
        lost += found.n_other != before.n_other or found.n_forgotten not in _promised(said)
        lost += "ack erased" in said and found.n_erasable > 0
        begun += 0 < found.n_erasable < before.n_erasable
        async with memrepo.connect(database) as store:
            erased = await store.scoped(_ERASED).erase(confirm=True)
        n_erased = erased.n_facts + erased.n_sessions + erased.n_events
        lost += n_erased != found.n_erasable or _look(database).n_erasable > 0
        shutil.rmtree(folder)
    figures(
        "killed while erasing", rounds=number, begun=begun, lost=lost, torn=torn, corrupt=unsound
    )
    assert begun
    assert (lost, torn, unsound) == (0, 0, 0)
