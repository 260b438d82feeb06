"""W8: how long a read waits while a writer saturates the file."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

from tests.benchmarks import files
from tests.benchmarks.contender import Contender, Key
from tests.benchmarks.data import events, facts, picks
from tests.benchmarks.stats import percentile

N_READABLE: Final = 10_000
_N_READS: Final = 3_000
#: Seconds after which a situation is left even when not all reads were answered.
_PATIENCE_S: Final = 3.0
_BULK: Final = 1_000

_Situation: TypeAlias = Callable[[Contender], AbstractAsyncContextManager[None]]


@dataclass
class Waiting:
    """One contender's reads in one situation: p50 and p99 of each round, in seconds."""

    contender: str
    situation: str
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    n_reads: list[int] = field(default_factory=list)


def measure(
    contenders: list[type[Contender]], template: Path, n_rounds: int, *, is_quick: bool
) -> list[Waiting]:
    """Measure each contender in each situation, one contender after another in each round."""
    found: dict[tuple[str, str], Waiting] = {}
    for _ in range(n_rounds):
        for kind in contenders:
            path = files.fresh("readers", template)
            samples = asyncio.run(_round(kind(), path, _N_READS // 6 if is_quick else _N_READS))
            for situation, seconds in samples.items():
                waiting = found.setdefault((kind.name, situation), Waiting(kind.name, situation))
                waiting.p50.append(percentile(seconds, 0.50))
                waiting.p99.append(percentile(seconds, 0.99))
                waiting.n_reads.append(len(seconds))
            files.remove(path)
    return list(found.values())


async def _round(contender: Contender, path: Path, n_reads: int) -> dict[str, list[float]]:
    contender.path = path
    await contender.open(path, "normal")
    try:
        keys = await contender.load_facts(facts(N_READABLE))
        wanted = [keys[pick] for pick in picks(n_reads, N_READABLE)]
        await contender.get_in_turn(wanted[:100])
        found = {}
        for name, situation in _situations(contender).items():
            async with situation(contender):
                found[name] = await _latencies(contender, wanted)
    finally:
        await contender.close()
    return found


async def _latencies(contender: Contender, wanted: list[Key]) -> list[float]:
    clock = time.perf_counter
    end = clock() + _PATIENCE_S
    seconds = []
    for key in wanted:
        started = clock()
        await contender.get(key)
        answered = clock()
        seconds.append(answered - started)
        if answered > end:
            break
    return seconds


# --- who writes meanwhile ----------------------------------------------------------------------


def _situations(contender: Contender) -> dict[str, _Situation]:
    elsewhere: dict[str, _Situation] = {"idle": _idle, "another process": _another_process}
    if contender.name.startswith("raw"):
        return elsewhere
    return elsewhere | {
        "1 task appends": lambda one: in_tasks(lambda: one.append_in_turn(events(_BULK)), 1),
        "100 tasks append": lambda one: in_tasks(lambda: one.append_in_turn(events(_BULK)), 100),
        "1,000 events a call": lambda one: in_tasks(lambda: one.append_all(events(_BULK)), 1),
    }


@asynccontextmanager
async def _idle(_: Contender) -> AsyncIterator[None]:
    yield


@asynccontextmanager
async def _another_process(contender: Contender) -> AsyncIterator[None]:
    """Let a raw loop in another process commit to the same file, a row at a time."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.benchmarks.writer",
        str(contender.path),
        cwd=files.ROOT,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        if process.stdout is None or not await process.stdout.readline():
            raise RuntimeError("the writing process did not start")
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@asynccontextmanager
async def in_tasks(work: Callable[[], Awaitable[object]], count: int) -> AsyncIterator[None]:
    """Let tasks of this process do *work* through the same contender, over and over."""

    async def forever() -> None:
        while True:
            await work()

    tasks = [asyncio.create_task(forever()) for _ in range(count)]
    await asyncio.sleep(0.05)
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        failed = [one for one in outcomes if not isinstance(one, asyncio.CancelledError)]
        if failed:
            raise RuntimeError("another task failed") from failed[0]
