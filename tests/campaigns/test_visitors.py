"""
Random visitors, closers and writers of one file.

Two stores write in this process, and a third program beside it. Visitors open and close the file: one in
this process drops SQLite's locks by that, and whoever is the last to close then takes the log away from
those who still use it. Stores are closed, forgotten and opened anew at any moment.

Proven: no acknowledged fact is lost, the file is sound, and what fails, fails with a typed error.
"""

from __future__ import annotations

import gc
import json
import random
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

import memrepo
from memrepo import ConnectionLostError, DatabaseError, Store

from .rounds import seeds
from .scale import Figures, pick

pytestmark = [
    pytest.mark.campaign,
    pytest.mark.asyncio,
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

_N_ACTIONS = 25

#: Does what it is told, a line each: visits the file, adds an event to it, or says what is in it. (A
#: connection of this process would share the log's index with the stores that are being looked at.)
_OTHER_PROGRAM = """
import json, sqlite3, sys
for line in sys.stdin:
    path, event = line.rstrip("\\n").split("\\t")
    try:
        connection = sqlite3.connect(path, timeout=60)
        if event == "?":
            damage = [row[0] for row in connection.execute("PRAGMA integrity_check")]
            texts = [row[0] for row in connection.execute("SELECT content FROM memory_entries")]
            texts += [row[0] for row in connection.execute("SELECT event_type FROM daily_logs")]
            print(json.dumps([damage, texts]), flush=True)
            continue
        if event:
            connection.execute(
                "INSERT INTO daily_logs (event_type, timestamp) VALUES (?, '2026-02-02T14:16:24.123Z')",
                (event,),
            )
            connection.commit()
        else:
            connection.execute("SELECT count(*) FROM memory_entries").fetchall()
        connection.close()
        print("done", flush=True)
    except sqlite3.Error as error:
        print(f"failed {error}", flush=True)
"""


class _OtherProgram:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def contents(self, path: Path) -> tuple[list[str], list[str]]:
        damage, texts = json.loads(self._say(path, "?"))
        return damage, texts

    def tell(self, path: Path, event: str = "") -> bool:
        return self._say(path, event) == "done\n"

    def _say(self, path: Path, event: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{path}\t{event}\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()


@pytest.fixture
def other_program() -> Iterator[_OtherProgram]:
    command = [sys.executable, "-c", _OTHER_PROGRAM]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield _OtherProgram(process)
        process.communicate(timeout=60)


class _Round:
    """One file, its users, and what was acknowledged to them."""

    def __init__(self, path: Path, other: _OtherProgram, rng: random.Random) -> None:
        self._path = path
        self._other = other
        self._rng = rng
        self._stores: list[Store | None] = [None, None]
        self._n = 0
        self.acknowledged: set[str] = set()
        self.seen: Counter[str] = Counter()

    async def run(self) -> None:
        actions = [self._write] * 8 + [self._read, self._transact, self._close, self._forget]
        actions += [self._visit_here, self._copy, self._visit, self._visit, self._add_event]
        await self._write()
        for _ in range(_N_ACTIONS):
            action = self._rng.choice(actions)
            try:
                await action()
            except ConnectionLostError:
                self.seen["lost"] += 1
            except DatabaseError as error:
                self.seen[type(error).__name__] += 1
        for which in (0, 1):
            await self._close(which)

    async def _store(self) -> tuple[int, Store]:
        which = self._rng.randrange(2)
        store = self._stores[which]
        if store is not None and store.is_lost:
            await self._close(which)
            store = None
        if store is None:
            durability = self._rng.choice(["full", "normal"])
            store = self._stores[which] = await memrepo.connect(
                self._path, durability="full" if durability == "full" else "normal"
            )
        return which, store

    def _name(self) -> str:
        self._n += 1
        return f"fact {self._n}"

    async def _write(self) -> None:
        _, store = await self._store()
        name = self._name()
        await store.memories.remember(name)
        if (await store.info()).durability == "full":
            self.acknowledged.add(name)
        self.seen["written"] += 1

    async def _transact(self) -> None:
        _, store = await self._store()
        first, second = self._name(), self._name()
        async with store.transaction() as tx:
            await tx.memories.remember(first)
            await tx.memories.remember(second)
        if (await store.info()).durability == "full":
            self.acknowledged |= {first, second}

    async def _read(self) -> None:
        _, store = await self._store()
        await store.memories.count()

    async def _close(self, which: int | None = None) -> None:
        which = self._rng.randrange(2) if which is None else which
        store, self._stores[which] = self._stores[which], None
        if store is not None:
            await store.close()

    async def _forget(self) -> None:
        self._stores[self._rng.randrange(2)] = None
        gc.collect()

    async def _visit_here(self) -> None:
        self._path.open("rb").close()

    async def _copy(self) -> None:
        shutil.copy(self._path, self._path.with_name("copy"))

    async def _visit(self) -> None:
        self.seen["visits"] += self._other.tell(self._path)

    async def _add_event(self) -> None:
        event = f"event {self._n}"
        if self._other.tell(self._path, event):
            self.acknowledged.add(event)

    def check(self, seed: int) -> None:
        damage, texts = self._other.contents(self._path)
        assert damage == ["ok"], seed
        assert self.acknowledged <= set(texts), (seed, self.acknowledged - set(texts))


async def test_visitors(tmp_path: Path, figures: Figures, other_program: _OtherProgram) -> None:
    """Whoever opens, closes, forgets or copies the file: no acknowledged fact is lost, and it stays sound."""
    seen: Counter[str] = Counter()
    n_acknowledged = 0
    n_rounds = pick(60, 1_000)
    for seed in islice(seeds(), n_rounds):
        a_round = _Round(tmp_path / f"{seed}.db", other_program, random.Random(seed))
        await a_round.run()
        gc.collect()
        a_round.check(seed)
        seen += a_round.seen
        n_acknowledged += len(a_round.acknowledged)
        for path in tmp_path.iterdir():
            path.unlink()
    figures("visitors", rounds=n_rounds, acknowledged=n_acknowledged, **seen)
