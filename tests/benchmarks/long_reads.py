"""W8b: how long a point read waits while others of the same store read through all facts."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from pathlib import Path
from typing import Final, TypeAlias

import memrepo
from tests.benchmarks import files
from tests.benchmarks.data import picks
from tests.benchmarks.readers import Waiting, in_tasks
from tests.benchmarks.stats import percentile

N_ROWS: Final = 1_000_000
_N_QUICK: Final = 10_000
#: In each of the windows, in which the situations take turns, so that all of them see the same noise.
_N_READS: Final = 1_000
_N_WARM: Final = 200
_N_WINDOWS: Final = 5

_NOWHERE: Final = memrepo.MemoryFilter(contains="what no fact says")
_Situation: TypeAlias = Callable[[memrepo.Store], AbstractAsyncContextManager[None]]


def measure(n_rounds: int, *, is_quick: bool) -> list[Waiting]:
    """Measure memrepo's reads in each situation, all of them in each round, on one file that is kept."""
    path = files.big(_N_QUICK if is_quick else N_ROWS).path
    found = {name: Waiting("memrepo", name) for name in _SITUATIONS}
    for _ in range(n_rounds):
        for name, seconds in asyncio.run(_round(path, is_quick=is_quick)).items():
            found[name].p50.append(percentile(seconds, 0.50))
            found[name].p99.append(percentile(seconds, 0.99))
            found[name].n_reads.append(len(seconds))
    return list(found.values())


async def _round(path: Path, *, is_quick: bool) -> dict[str, list[float]]:
    async with memrepo.connect(path, durability="normal") as store:
        await store.memories.count()  # what is opened once is open
        found: dict[str, list[float]] = {name: [] for name in _SITUATIONS}
        for _ in range(_N_WINDOWS):
            for name, situation in _SITUATIONS.items():
                async with situation(store):
                    await _latencies(store, _N_WARM, is_quick=is_quick)
                    found[name] += await _latencies(store, _N_READS, is_quick=is_quick)
    return found


async def _latencies(store: memrepo.Store, n_reads: int, *, is_quick: bool) -> list[float]:
    clock = time.perf_counter
    seconds = []
    n_reads, n_rows = (n_reads // 10, _N_QUICK) if is_quick else (n_reads, N_ROWS)
    for pick in picks(n_reads, n_rows):
        started = clock()
        await store.memories.get(pick + 1)
        seconds.append(clock() - started)
    return seconds


# --- who else reads meanwhile ------------------------------------------------------------------


def _beside(work: Callable[[memrepo.Store], Awaitable[object]], count: int = 1) -> _Situation:
    return lambda store: in_tasks(lambda: work(store), count)


_SITUATIONS: Final[dict[str, _Situation]] = {
    "idle": lambda _: nullcontext(),
    "a scan": _beside(lambda store: store.memories.count(_NOWHERE)),
    "4 scans at once": _beside(lambda store: store.memories.count(_NOWHERE), 4),
    "verify": _beside(lambda store: store.verify()),
}
