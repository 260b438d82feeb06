"""W1 to W6: the work that contenders are compared at, each as one timed coroutine."""

from __future__ import annotations

import gc
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Final, Literal

from tests.benchmarks.contender import Contender, Durability
from tests.benchmarks.data import CATEGORIES, SESSION_ID, events, facts, half_duplicates, picks
from tests.benchmarks.files import n_sessions

_BOTH: Final[tuple[Durability, ...]] = ("normal", "full")
#: Facts in the file of the point reads.
N_READABLE: Final = 10_000
N_TASKS: Final = 100
#: Different contexts of W6.
_N_CONTEXTS: Final = 10
#: Where warming up takes its events and facts from, so that they do not collide with the timed ones.
ELSEWHERE: Final = 900_000_000


@dataclass(frozen=True, kw_only=True)
class Workload:
    """A row of bench.md: what is done, how often, and what is to be reached."""

    key: str
    #: What the table calls it; the counts that it really ran with are filled in.
    name: str
    n_ops: int
    n_quick: int
    run: Callable[[Contender, Workload], Awaitable[float]]
    #: The ratio to raw that bench.md sets for memrepo.
    reach: dict[Durability, float]
    durabilities: tuple[Durability, ...] = _BOTH
    #: Rows of each kind in the kept file that it reads; 0 for a fresh file.
    n_rows: int = 0
    #: What it writes, if anything.
    writes: Literal["events", "facts", "new facts", ""] = ""

    @property
    def title(self) -> str:
        """Name it with the counts that it runs with, which in a quick run are smaller."""
        return self.name.format(n_ops=self.n_ops, n_rows=self.n_rows)

    def timed(self, contender: Contender) -> Awaitable[float]:
        """Return the seconds that one operation took on an open contender."""
        return self.run(contender, self)

    def rows_left(self, n_warm: int, *, is_repeated: bool) -> int:
        """Return how many rows it leaves in the table it writes to, where half of the facts are repeated."""
        is_half = self.writes == "facts" and is_repeated
        return (self.n_ops // 2 if is_half else self.n_ops) + n_warm

    def quick(self) -> Workload:
        """Return the short form, for trying the benchmark out."""
        return replace(self, n_ops=self.n_quick, n_rows=min(self.n_rows, 10_000))


async def clock(work: Callable[[], Awaitable[None]]) -> float:
    """Time *work*, with the garbage of whatever came before already collected."""
    gc.collect()
    started = time.perf_counter()
    await work()
    return time.perf_counter() - started


async def _append_in_turn(contender: Contender, workload: Workload) -> float:
    await contender.append_in_turn(events(contender.n_warm, ELSEWHERE))
    wanted = events(workload.n_ops)
    return await clock(lambda: contender.append_in_turn(wanted)) / workload.n_ops


async def _append_at_once(contender: Contender, workload: Workload) -> float:
    await contender.append_in_turn(events(contender.n_warm, ELSEWHERE))
    await contender.prepare_tasks(workload.n_ops)
    wanted = events(workload.n_ops)
    return await clock(lambda: contender.append_at_once(wanted)) / workload.n_ops


async def _append_all(contender: Contender, workload: Workload) -> float:
    await contender.append_all(events(contender.n_warm, ELSEWHERE))
    wanted = events(workload.n_ops)
    return await clock(lambda: contender.append_all(wanted)) / workload.n_ops


async def _remember_all(contender: Contender, workload: Workload) -> float:
    await contender.remember_all(facts(contender.n_warm, ELSEWHERE))
    wanted = facts(workload.n_ops)
    return await clock(lambda: contender.remember_all(wanted)) / workload.n_ops


async def _remember_in_turn(contender: Contender, workload: Workload) -> float:
    await contender.remember_in_turn(facts(contender.n_warm, ELSEWHERE))
    wanted = half_duplicates(workload.n_ops)
    return await clock(lambda: contender.remember_in_turn(wanted)) / workload.n_ops


async def _remember_by_tasks(contender: Contender, workload: Workload) -> float:
    await contender.remember_in_turn(facts(contender.n_warm, ELSEWHERE))
    wanted = half_duplicates(workload.n_ops)
    return await clock(lambda: contender.remember_by_tasks(wanted, N_TASKS)) / workload.n_ops


async def _get_in_turn(contender: Contender, workload: Workload) -> float:
    keys = await contender.load_facts(facts(N_READABLE))
    await contender.get_in_turn(keys[: contender.n_warm])
    wanted = [keys[pick] for pick in picks(workload.n_ops, N_READABLE)]
    return await clock(lambda: contender.get_in_turn(wanted)) / workload.n_ops


async def _get_at_once(contender: Contender, workload: Workload) -> float:
    keys = await contender.load_facts(facts(N_READABLE))
    wanted = [keys[pick] for pick in picks(workload.n_ops, N_READABLE)]
    # The same reads once before: some contenders fill the file through the connection that then reads,
    # and have its pages in memory, and some do not.
    await contender.get_at_once(wanted)
    return await clock(lambda: contender.get_at_once(wanted)) / workload.n_ops


async def _contexts(contender: Contender, workload: Workload) -> float:
    wanted = contexts(workload.n_ops, workload.n_rows)
    found = await contender.context(*wanted[0])
    if found != (50, 100):
        raise AssertionError(f"a context of {found[0]} facts and {found[1]} events")
    await contender.contexts(wanted)
    return await clock(lambda: contender.contexts(wanted)) / workload.n_ops


def contexts(count: int, n_rows: int) -> list[tuple[str, int]]:
    """
    Pick the categories and sessions whose latest rows are read.

    Ten sessions, as far apart as the file allows: the same work and the same share of SQLite's page
    cache at every size, so that what differs is only how many rows lie around them.
    """
    apart = n_sessions(n_rows) // _N_CONTEXTS
    return [(CATEGORIES[n % 8], SESSION_ID + n * apart) for n in picks(count, _N_CONTEXTS)]


W1: Final = Workload(
    key="W1",
    name="W1 {n_ops:,} events one after another",
    n_ops=2_000,
    n_quick=200,
    run=_append_in_turn,
    reach={"normal": 2.5, "full": 1.7},
    writes="events",
)
W2: Final = Workload(
    key="W2",
    name="W2 {n_ops:,} tasks, an event each",
    n_ops=1_000,
    n_quick=200,
    run=_append_at_once,
    reach={"normal": 0.75, "full": 0.05},
    writes="events",
)
W2_10K: Final = replace(W2, key="W2-10k", name="W2 {n_ops:,} tasks", n_ops=10_000, n_quick=1_000)
W3: Final = Workload(
    key="W3",
    name="W3 {n_ops:,} facts one after another",
    n_ops=5_000,
    n_quick=500,
    run=_remember_in_turn,
    reach={"normal": 3.0},
    writes="facts",
)
W3_TASKS: Final = replace(
    W3,
    key="W3-tasks",
    name="W3 {n_ops:,} facts by 100 tasks",
    run=_remember_by_tasks,
    reach={"normal": 0.75},
)
W4: Final = Workload(
    key="W4",
    name="W4 {n_ops:,} events in one call",
    n_ops=100_000,
    n_quick=5_000,
    run=_append_all,
    reach={"normal": 1.5, "full": 1.5},
    writes="events",
)
W4B: Final = Workload(
    key="W4b",
    name="W4b {n_ops:,} new facts in one call",
    n_ops=10_000,
    n_quick=1_000,
    run=_remember_all,
    reach={"normal": 2.0, "full": 2.0},
    writes="new facts",
)
W5: Final = Workload(
    key="W5",
    name="W5 {n_ops:,} point reads one after another",
    n_ops=5_000,
    n_quick=500,
    run=_get_in_turn,
    reach={"normal": 5.0},
    durabilities=("normal",),
)
W5_ONCE: Final = replace(
    W5,
    key="W5-once",
    name="W5 {n_ops:,} point reads at once",
    n_ops=1_000,
    n_quick=200,
    run=_get_at_once,
    reach={"normal": 2.5},
)
W6: Final = Workload(
    key="W6",
    name="W6 context out of {n_rows:,}",
    n_ops=200,
    n_quick=50,
    run=_contexts,
    reach={"normal": 1.6},
    durabilities=("normal",),
    n_rows=1_000_000,
)
#: The same out of 10,000, to see whether it grows; reported in its own section.
W6_SMALL: Final = replace(W6, key="W6-10k", reach={}, n_rows=10_000)

COMPARED: Final = (W1, W2, W2_10K, W3, W3_TASKS, W4, W4B, W5, W5_ONCE, W6, W6_SMALL)
