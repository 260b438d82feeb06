"""W11: what many stores in one event loop get done, and how long the loop stands still meanwhile."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.benchmarks import files
from tests.benchmarks.contender import Contender, Key
from tests.benchmarks.data import event, fact, facts
from tests.benchmarks.workloads import ELSEWHERE

N_STORES: Final = 30
#: The tasks of each store.
N_TASKS: Final = 20
_N_TURNS: Final = 40
_CALLS_A_TURN: Final = 5
_N_READABLE: Final = 100
#: Seconds that the task sleeps which looks how late it is woken.
_NAP_S: Final = 0.001


@dataclass
class Stores:
    """One contender: calls a second, and the loop's worst pause in seconds, of each round."""

    contender: str
    calls_per_s: list[float] = field(default_factory=list)
    worst_pause_s: list[float] = field(default_factory=list)


def measure(
    contenders: Sequence[type[Contender]], template: Path, n_rounds: int, *, is_quick: bool
) -> list[Stores]:
    """Measure each contender, one after another in each round."""
    found = [Stores(kind.name) for kind in contenders]
    for _ in range(n_rounds):
        for kind, its in zip(contenders, found, strict=True):
            paths = [files.fresh(f"store-{n}", template) for n in range(N_STORES)]
            n_turns = _N_TURNS // 10 if is_quick else _N_TURNS
            calls_per_s, worst_pause_s = asyncio.run(_round(kind, paths, n_turns))
            its.calls_per_s.append(calls_per_s)
            its.worst_pause_s.append(worst_pause_s)
            for path in paths:
                files.remove(path)
    return found


async def _round(kind: type[Contender], paths: Sequence[Path], n_turns: int) -> tuple[float, float]:
    opened: list[tuple[Contender, Sequence[Key]]] = []
    try:
        for path in paths:
            contender = kind()
            contender.path = path
            await contender.open(path, "normal")
            opened.append((contender, await contender.load_facts(facts(_N_READABLE))))
        # Statements are prepared and the first pages read.
        await asyncio.gather(*(_turns(*its, ELSEWHERE, 1) for its in opened))
        return await _timed(opened, n_turns)
    finally:
        for contender, _ in opened:
            await contender.close()


async def _timed(
    opened: Sequence[tuple[Contender, Sequence[Key]]], n_turns: int
) -> tuple[float, float]:
    gc.collect()
    late: list[float] = []
    watch = asyncio.create_task(_watch(late))
    await asyncio.sleep(10 * _NAP_S)
    late.clear()
    started = time.perf_counter()
    await asyncio.gather(
        *(_turns(*its, task, n_turns) for its in opened for task in range(N_TASKS))
    )
    seconds = time.perf_counter() - started
    # A nap that was still due when the last call returned counts, too.
    await asyncio.sleep(2 * _NAP_S)
    watch.cancel()
    n_calls = len(opened) * N_TASKS * n_turns * _CALLS_A_TURN
    return n_calls / seconds, max(late)


async def _turns(contender: Contender, keys: Sequence[Key], task: int, n_turns: int) -> None:
    """Do what an agent does in some turns: log what comes in, look things up, log, and learn a fact."""
    first = _N_READABLE + task * n_turns
    for turn in range(first, first + n_turns):
        await contender.append(event(turn))
        await contender.get(keys[turn % _N_READABLE])
        await contender.get(keys[turn * 7 % _N_READABLE])
        await contender.append(event(turn))
        await contender.remember(fact(turn))


async def _watch(late: list[float]) -> None:
    """Sleep over and over, and note by how much each nap took longer."""
    while True:
        lay_down = time.perf_counter()
        await asyncio.sleep(_NAP_S)
        late.append(time.perf_counter() - lay_down - _NAP_S)
