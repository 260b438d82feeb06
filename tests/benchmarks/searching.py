"""W7: how long searches take among many facts, reads beside them, and writes that an index follows."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

import memrepo
from tests.benchmarks import files, talk
from tests.benchmarks.data import SOURCE, event, facts
from tests.benchmarks.readers import Waiting, in_tasks
from tests.benchmarks.stats import percentile
from tests.benchmarks.told_files import scope_name, told
from tests.benchmarks.workloads import ELSEWHERE

__all__ = ["Answers", "Searching", "Writes", "measure"]

N_ROWS: Final = 1_000_000
_N_QUICK: Final = 10_000
N_SCOPES: Final = 1_000
_N_QUICK_SCOPES: Final = 10
_SEED: Final = 20260202
_N_WARM: Final = 50
_N_SEARCHES: Final = 500
#: Reads and writes in each of the windows, in which what is compared takes turns, to see the same noise.
_N_READS: Final = 300
_N_WRITES: Final = 400
_N_WINDOWS: Final = 5
#: Facts of a call in bulk; there are fewer such calls by the second number.
_BULK: Final = 100
_FEWER: Final = 10

_Call: TypeAlias = Callable[[], Awaitable[object]]


@dataclass
class Answers:
    """One kind of question: p50 and p99 of each round, in seconds, and what is to be reached, in milliseconds."""

    what: str
    must_ms: tuple[float, float]
    reach_ms: tuple[float, float]
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)


@dataclass
class Writes:
    """One kind of write: p50 and p99 of each round, in seconds, with the index and without it."""

    what: str
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    p50_without: list[float] = field(default_factory=list)
    p99_without: list[float] = field(default_factory=list)


@dataclass
class Searching:
    """All of W7."""

    #: Whether the texts are made of conversations; else of made-up words.
    is_talk: bool
    n_rows: int
    n_scopes: int
    answers: list[Answers]
    #: Reads beside searches, as W8b has them beside scans.
    reads: list[Waiting]
    writes: list[Writes]


def measure(template: Path, n_rounds: int, *, is_quick: bool) -> Searching:
    """Measure everything in each round, on two files that are kept, and on fresh ones for the writes."""
    n_rows = _N_QUICK if is_quick else N_ROWS
    n_scopes = _N_QUICK_SCOPES if is_quick else N_SCOPES
    share = 10 if is_quick else 1
    spread, alone = told(n_rows, n_scopes), told(n_rows, 1)
    found = Searching(
        talk.from_conversations(),
        n_rows,
        n_scopes,
        answers=[
            Answers("`search` in one of the scopes", (4, 12), (3, 9)),
            Answers("`search`, all facts in one scope", (10, 40), (5, 20)),
            Answers("`recall()`, all facts in one scope", (5, 15), (2, 5)),
        ],
        reads=[Waiting(name, situation) for name in _READS for situation in _SITUATIONS],
        writes=[Writes(what) for what in _WRITES],
    )
    for _ in range(n_rounds):
        asyncio.run(_answer(spread, alone, n_scopes, found.answers, _N_SEARCHES // share))
        asyncio.run(_read(alone, found.reads, _N_READS // share))
        asyncio.run(_write(template, found.writes, _N_WRITES // share))
    return found


async def _timed(calls: Sequence[_Call]) -> list[float]:
    """Return the seconds of each of *calls*, made one after another."""
    clock = time.perf_counter
    seconds = []
    for call in calls:
        started = clock()
        await call()
        seconds.append(clock() - started)
    return seconds


# --- searches ----------------------------------------------------------------------------------


async def _answer(
    spread: Path, alone: Path, n_scopes: int, found: Sequence[Answers], count: int
) -> None:
    asked = talk.questions(_N_WARM + count)
    async with memrepo.connect(spread, durability="normal") as store:
        chooser = random.Random(_SEED)
        in_scopes = [
            _search(store.scoped(scope_name(chooser.randrange(n_scopes))).memories, question)
            for question in asked
        ]
        await _note(found[0], in_scopes)
    async with memrepo.connect(alone, durability="normal") as store:
        await _note(found[1], [_search(store.memories, question) for question in asked])
        await _note(found[2], [store.memories.recall] * len(asked))


def _search(memories: memrepo.MemoryRepo, question: str) -> _Call:
    return lambda: memories.search(question)


async def _note(found: Answers, calls: Sequence[_Call]) -> None:
    await _timed(calls[:_N_WARM])
    seconds = await _timed(calls[_N_WARM:])
    found.p50.append(percentile(seconds, 0.50))
    found.p99.append(percentile(seconds, 0.99))


# --- reads beside them -------------------------------------------------------------------------

_SITUATIONS: Final = {"idle": 0, "a search": 1, "4 searches at once": 4}
_READS: Final[dict[str, Callable[[memrepo.MemoryRepo, int], Awaitable[object]]]] = {
    "get": lambda memories, number: memories.get(number),
    "find_many(limit=20)": lambda memories, _: memories.find_many(limit=20),
}


async def _read(path: Path, found: Sequence[Waiting], count: int) -> None:
    samples: dict[tuple[str, str], list[float]] = {
        (its.contender, its.situation): [] for its in found
    }
    asked = talk.questions(_N_SEARCHES)
    async with memrepo.connect(path, durability="normal") as store:
        memories = store.memories
        numbers = [fact.id for fact in (await memories.find_many(limit=1_000)).items]
        chooser = random.Random(_SEED)
        for _ in range(_N_WINDOWS):
            for situation, n_tasks in _SITUATIONS.items():
                searches = in_tasks(lambda: memories.search(chooser.choice(asked)), n_tasks)
                async with searches if n_tasks else nullcontext():
                    for name, read in _READS.items():
                        calls = [
                            _reading(read, memories, chooser.choice(numbers)) for _ in range(count)
                        ]
                        await _timed(calls[: count // 5])
                        samples[name, situation] += await _timed(calls)
    for its in found:
        seconds = samples[its.contender, its.situation]
        its.p50.append(percentile(seconds, 0.50))
        its.p99.append(percentile(seconds, 0.99))
        its.n_reads.append(len(seconds))


def _reading(
    read: Callable[[memrepo.MemoryRepo, int], Awaitable[object]],
    memories: memrepo.MemoryRepo,
    number: int,
) -> _Call:
    return lambda: read(memories, number)


# --- writes that the index follows -------------------------------------------------------------


async def _write(template: Path, found: Sequence[Writes], count: int) -> None:
    paths = [files.fresh(f"writes-{kind}", template) for kind in ("indexed", "plain")]
    async with (
        memrepo.connect(paths[0], durability="normal", search="english") as indexed,
        memrepo.connect(paths[1], durability="normal") as plain,
    ):
        samples: dict[tuple[str, bool], list[float]] = {}
        for window in range(_N_WINDOWS + 1):
            for what, calls_of in _WRITES.items():
                for store in (indexed, plain):
                    seconds = await _timed(calls_of(store, window * count, count))
                    if window:  # the first one warms up
                        samples.setdefault((what, store is indexed), []).extend(seconds)
        if (await plain.info()).search_index is not None:
            raise AssertionError("the file without an index has one")
    for its in found:
        for is_indexed, p50, p99 in (
            (True, its.p50, its.p99),
            (False, its.p50_without, its.p99_without),
        ):
            p50.append(percentile(samples[its.what, is_indexed], 0.50))
            p99.append(percentile(samples[its.what, is_indexed], 0.99))
    for path in paths:
        files.remove(path)


def _remember(store: memrepo.Store, first: int, count: int) -> list[_Call]:
    def call(content: str, category: str) -> _Call:
        return lambda: store.memories.remember(content, category=category, source=SOURCE)

    return [call(fact.content, fact.category) for fact in facts(count, first)]


def _append(store: memrepo.Store, first: int, count: int) -> list[_Call]:
    def call(number: int) -> _Call:
        its = event(number)
        return lambda: store.daily_logs.append(its.session_id, its.event_type, its.data)

    return [call(number) for number in range(first, first + count)]


def _remember_many(store: memrepo.Store, first: int, count: int) -> list[_Call]:
    def call(place: int) -> _Call:
        start = ELSEWHERE + first * _BULK + place * _BULK
        new = [memrepo.MemoryNew(content=its.content) for its in facts(_BULK, start)]
        return lambda: store.memories.remember_many(new)

    return [call(place) for place in range(max(count // _FEWER, 1))]


_WRITES: Final[dict[str, Callable[[memrepo.Store, int, int], list[_Call]]]] = {
    "remember": _remember,
    "append": _append,
    f"remember_many, {_BULK} facts": _remember_many,
}
