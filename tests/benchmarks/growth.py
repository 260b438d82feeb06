"""W10: what one insert costs as the file grows, and what a row weighs."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Final

from tests.benchmarks import files
from tests.benchmarks.contender import Contender
from tests.benchmarks.data import events, facts
from tests.benchmarks.workloads import ELSEWHERE, clock

SIZES: Final = (10_000, 100_000, 1_000_000, 5_000_000)
QUICK_SIZES: Final = (10_000, 100_000)
_N_INSERTS: Final = 1_000


@dataclass
class Growth:
    """One size: seconds per insert of an event and of a fact in each round, and bytes per row."""

    n_rows: int
    fact_bytes: float
    event_bytes: float
    append_s: dict[str, list[float]] = field(default_factory=dict)
    remember_s: dict[str, list[float]] = field(default_factory=dict)


def measure(contenders: list[type[Contender]], n_rounds: int, *, is_quick: bool) -> list[Growth]:
    """Insert into a file of each size, all sizes and contenders in each round."""
    found = []
    for n_rows in QUICK_SIZES if is_quick else SIZES:
        big = files.big(n_rows)
        found.append(Growth(n_rows, big.fact_bytes, big.event_bytes))
    for _ in range(n_rounds):
        for growth in found:
            for number, kind in enumerate(contenders):
                # Facts of its own, so that nobody finds the pages of the index of hashes warmed up.
                first = ELSEWHERE + number * 1_000_000
                append_s, remember_s = asyncio.run(_insert(kind(), growth.n_rows, first))
                growth.append_s.setdefault(kind.name, []).append(append_s)
                growth.remember_s.setdefault(kind.name, []).append(remember_s)
    return found


async def _insert(contender: Contender, n_rows: int, first: int) -> tuple[float, float]:
    path = files.big(n_rows).path
    await contender.open(path, "normal")
    try:
        await contender.append_in_turn(events(contender.n_warm))
        await contender.remember_in_turn(facts(contender.n_warm, first))
        new_events = events(_N_INSERTS)
        new_facts = facts(_N_INSERTS, first + contender.n_warm)
        append_s = await clock(lambda: contender.append_in_turn(new_events))
        remember_s = await clock(lambda: contender.remember_in_turn(new_facts))
    finally:
        await contender.close()
        files.delete_above(path, n_rows)
    return append_s / _N_INSERTS, remember_s / _N_INSERTS
