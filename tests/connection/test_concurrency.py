"""Many tasks on one store: each call happens once, whole, and next to the others (failures.md, CO)."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import time
from collections.abc import Coroutine, Iterator
from contextlib import closing, contextmanager
from contextvars import Context
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest

import memrepo
from memrepo import (
    BusyError,
    DailyLogNew,
    MemoryNew,
    MemrepoError,
    NotFoundError,
    Repositories,
    Statement,
    Store,
)
from tests.conftest import Clock
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.asyncio

MANY_SESSIONS = Statement(
    "test.many_sessions",
    "INSERT INTO sessions (started_at, ended_at) WITH RECURSIVE c(n) AS "
    "(SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 2000) "
    "SELECT '2026-02-02T00:00:00.000Z', '2026-02-02T00:00:00.000Z' FROM c",
)
#: Has fact 1 supersede fact 2, which supersedes fact 3, and so on.
CHAIN = Statement("test.chain", "UPDATE memory_entries SET superseded_by = id - 1 WHERE id > 1")

T = TypeVar("T")


class Odd(BaseException):
    """What makes a block roll back."""


def elsewhere(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Run *work* as a task that was not started by this block."""
    return asyncio.create_task(work, context=Context())


async def contents(repos: Repositories) -> list[str]:
    return sorted([entry.content for entry in await repos.memories.find_many(limit=10_000)])


@contextmanager
def foreign_writer(path: Path) -> Iterator[sqlite3.Connection]:
    """Hold the file's write lock, as another program would."""
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield other
        if other.in_transaction:
            other.execute("ROLLBACK")


# --- one fact, one session, one id -------------------------------------------------------------


async def test_same_fact_a_hundred_times(store: Store) -> None:
    """CO-06: of 100 tasks that remember one fact one created it, and all have its id."""
    results = await asyncio.gather(*(store.memories.remember("Likes tea") for _ in range(100)))
    outcomes = [result.outcome for result in results]
    assert (outcomes.count("created"), outcomes.count("duplicate")) == (1, 99)
    assert len({result.id for result in results}) == 1
    assert await store.memories.count() == 1


async def test_same_facts_in_batches(store: Store) -> None:
    """CO-06: of ten batches with the same facts in other orders each fact was created once."""
    orders = [random.Random(seed).sample(range(50), 50) for seed in range(10)]
    batches = await asyncio.gather(
        *(
            store.memories.remember_many(MemoryNew(content=f"fact {n}") for n in order)
            for order in orders
        )
    )
    ids: dict[int, set[int]] = {}
    for order, batch in zip(orders, batches, strict=True):
        for n, result in zip(order, batch, strict=True):
            ids.setdefault(n, set()).add(result.id)
    assert all(len(found) == 1 for found in ids.values())
    assert sum(result.outcome == "created" for batch in batches for result in batch) == 50


async def test_restored_by_many(store: Store) -> None:
    """CO-06: of 50 tasks that remember a forgotten fact one restored it."""
    fact = await store.memories.remember("Likes tea")
    await store.memories.forget(fact.id)
    results = await asyncio.gather(*(store.memories.remember("Likes tea") for _ in range(50)))
    outcomes = [result.outcome for result in results]
    assert (outcomes.count("restored"), outcomes.count("duplicate")) == (1, 49)
    assert {result.id for result in results} == {fact.id}


async def test_superseded_by_many(store: Store) -> None:
    """Of 20 tasks that supersede one fact one did, and the others learn so and store nothing."""
    fact = await store.memories.remember("Likes tea")
    results = await asyncio.gather(
        *(store.memories.supersede(fact.id, f"Likes {n}") for n in range(20)),
        return_exceptions=True,
    )
    (winner,) = [result for result in results if not isinstance(result, BaseException)]
    assert all(isinstance(r, memrepo.ConflictError) for r in results if r is not winner)
    assert (await store.memories.get(fact.id)).superseded_by == winner.id
    assert await contents(store) == [winner.entry.content]


async def test_get_or_start_by_many(store: Store, clock: Clock) -> None:
    """CO-04: 50 tasks get one session, also where an abandoned one has to end first."""
    for _ in range(2):
        sessions = await asyncio.gather(*(store.sessions.get_or_start() for _ in range(50)))
        assert len({session.id for session in sessions}) == 1
        clock.advance(hours=1)
    assert len(await store.sessions.find_many()) == 2


async def test_ids_of_new_rows(store: Store) -> None:
    """CO-07: 1,000 tasks get 1,000 ids, each that of its own row."""
    facts, events = await asyncio.gather(
        asyncio.gather(*(store.memories.remember(f"fact {n}") for n in range(500))),
        asyncio.gather(*(store.daily_logs.append(None, "x", n) for n in range(500))),
    )
    assert len({fact.id for fact in facts}) == len({event.id for event in events}) == 500
    stored = {entry.id: entry.content async for entry in store.memories.iterate()}
    assert {fact.id: f"fact {n}" for n, fact in enumerate(facts)} == stored
    logged = {event.id: event.event_data async for event in store.daily_logs.iterate()}
    assert {event.id: n for n, event in enumerate(events)} == logged


async def test_reads_and_writes_mixed(store: Store) -> None:
    """A task always reads what it wrote itself, among 60 tasks that do the same."""

    async def work(n: int) -> None:
        fact = await store.memories.remember(f"fact {n}")
        assert await store.memories.get(fact.id) == fact.entry
        event = (await store.daily_logs.append(None, "x", n, key=str(n))).event
        assert await store.daily_logs.get(event.id) == event
        changed = await store.memories.update(fact.id, metadata={"n": n})
        assert await store.memories.get(fact.id) == changed
        await store.memories.forget(fact.id)
        assert await store.memories.find(fact.id) is None

    await asyncio.gather(*(work(n) for n in range(60)))


# --- neighbours --------------------------------------------------------------------------------


async def test_rollback_beside_commits(store: Store) -> None:
    """CO-01, CO-02: what one task rolls back takes nothing of another task's with it."""
    entered = asyncio.Event()

    async def fail() -> None:
        async with store.transaction() as tx:
            for n in range(3):
                await tx.memories.remember(f"undone {n}")
                entered.set()
                await asyncio.sleep(0.005)
            raise Odd

    async def write(n: int) -> None:
        await entered.wait()
        await store.memories.remember(f"kept {n}")

    results = await asyncio.gather(fail(), *(write(n) for n in range(20)), return_exceptions=True)
    assert [type(result) for result in results if result is not None] == [Odd]
    assert await contents(store) == sorted(f"kept {n}" for n in range(20))


async def test_twenty_transactions(store: Store) -> None:
    """CO-03: 20 transactions at once all succeed, and each is whole."""

    async def work(n: int) -> None:
        async with store.transaction() as tx:
            await tx.memories.remember(f"first {n}")
            await asyncio.sleep(0)
            assert await tx.memories.count() % 2 == 1
            await tx.memories.remember(f"second {n}")

    await asyncio.gather(*(work(n) for n in range(20)))
    assert await store.memories.count() == 40


async def test_failing_unit_in_a_group(store: Store) -> None:
    """CO-15: a unit that fails among others that wait with it is undone alone; the others are stored."""
    bad = [DailyLogNew(event_type="bad", session_id=77 if n == 2 else None) for n in range(5)]
    results = await asyncio.gather(
        *(
            store.daily_logs.append_many(bad) if n % 3 == 1 else store.daily_logs.append(None, "x")
            for n in range(30)
        ),
        return_exceptions=True,
    )
    for n, result in enumerate(results):
        assert isinstance(result, NotFoundError if n % 3 == 1 else memrepo.Appended)
    events = list(await store.daily_logs.find_many())
    assert [event.event_type for event in events] == ["x"] * 20
    assert {e.id for e in events} == {r.id for r in results if isinstance(r, memrepo.Appended)}


async def test_calls_are_served_in_order(store: Store) -> None:
    """Writes that wait together are stored in the order in which they were called."""
    tasks = []
    async with store.transaction():
        for n in range(50):
            tasks.append(elsewhere(store.daily_logs.append(None, "x", n)))
            await asyncio.sleep(0)
    await asyncio.gather(*tasks)
    assert [event.event_data for event in await store.daily_logs.find_many()] == list(range(50))


async def test_transactions_are_not_starved(store: Store) -> None:
    """A block gets its turn while other tasks write without a pause, and so do they."""
    done = False

    async def write(n: int) -> int:
        count = 0
        while not done:
            await store.daily_logs.append(None, "x", n)
            count += 1
        return count

    writers = [asyncio.create_task(write(n)) for n in range(5)]
    async with asyncio.timeout(PATIENCE_S):
        for n in range(10):
            async with store.transaction() as tx:
                await tx.memories.remember(f"fact {n}")
    done = True
    assert min(await asyncio.gather(*writers)) >= 1


async def test_random_interleavings(store: Store) -> None:
    """CO-18: random tasks, some of which roll back, leave exactly what was acknowledged."""
    rng = random.Random(20260202)
    expected: set[str] = set()

    async def work(task: int, plan: list[tuple[str, float]]) -> None:
        for step, (kind, pause) in enumerate(plan):
            text = f"{task}.{step}"
            if kind == "write":
                await store.memories.remember(text)
                expected.add(text)
            elif kind == "read":
                acknowledged = set(expected)
                assert acknowledged <= set(await contents(store))
            else:
                try:
                    async with store.transaction() as tx:
                        await tx.memories.remember(f"{text} a")
                        await asyncio.sleep(pause)
                        await tx.memories.remember(f"{text} b")
                        if kind == "rollback":
                            raise Odd  # noqa: TRY301 - from inside the block
                    expected.update((f"{text} a", f"{text} b"))
                except Odd:
                    pass
            await asyncio.sleep(pause)

    kinds = ["write", "write", "read", "commit", "rollback"]
    plans = [[(rng.choice(kinds), rng.choice([0, 0, 0.001])) for _ in range(12)] for _ in range(12)]
    await asyncio.gather(*(work(task, plan) for task, plan in enumerate(plans)))
    assert set(await contents(store)) == expected


# --- another program on the file ---------------------------------------------------------------


async def test_read_behind_a_write_that_waits(tmp_path: Path, clock: Clock) -> None:
    """CO-17: reads are answered while a write waits for a lock that another program holds."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, clock=clock, lock_timeout_s=PATIENCE_S) as store:
        fact = await store.memories.remember("known")
        with foreign_writer(path) as other:
            writes = [asyncio.create_task(store.memories.remember(f"w{n}")) for n in range(5)]
            await asyncio.sleep(0.05)
            for _ in range(30):
                assert await store.memories.get(fact.id) == fact.entry
                assert await store.memories.count() == 1
            assert not any(write.done() for write in writes)
            other.execute("ROLLBACK")
        outcomes = [(await write).outcome for write in writes]
        assert outcomes == ["created"] * 5


async def test_loop_goes_on_behind_a_lock(tmp_path: Path, clock: Clock) -> None:
    """The event loop is not held up while a write waits for a lock."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, clock=clock, lock_timeout_s=PATIENCE_S) as store:
        with foreign_writer(path) as other:
            write = asyncio.create_task(store.memories.remember("w"))
            for _ in range(100):
                await asyncio.sleep(0.005)
            assert not write.done()
            other.execute("ROLLBACK")
        await write


@pytest.mark.parametrize("n_writes", [1, 20], ids=["alone", "group"])
async def test_lock_is_free_in_time(tmp_path: Path, clock: Clock, n_writes: int) -> None:
    """MP-04: writes that wait for another program's short lock succeed."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, clock=clock, lock_timeout_s=PATIENCE_S) as store:
        with foreign_writer(path) as other:
            writes = [store.memories.remember(f"fact {n}") for n in range(n_writes)]
            group = asyncio.gather(*writes)
            await asyncio.sleep(0.5)
            assert not group.done()
            other.execute("COMMIT")
        assert [result.outcome for result in await group] == ["created"] * n_writes
        assert await store.memories.count() == n_writes


async def test_lock_is_never_free(tmp_path: Path, clock: Clock) -> None:
    """MP-04: every write of a group that waits for a lock is told at its deadline; none is stored."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, clock=clock, lock_timeout_s=0.5) as store:
        with foreign_writer(path):
            start = time.perf_counter()
            results: list[Any] = await asyncio.gather(
                *(store.memories.remember(f"fact {n}") for n in range(100)),
                _begin(store),
                return_exceptions=True,
            )
            took = time.perf_counter() - start
        assert [type(result) for result in results] == [BusyError] * 101
        # One after the other, they would have waited for 50 seconds.
        assert 0.4 <= took < 25
        assert await store.memories.count() == 0
        assert (await store.memories.remember("a")).outcome == "created"


async def _begin(store: Store) -> None:
    async with store.transaction():
        pytest.fail("the block ran")


async def test_foreign_commit_is_seen(tmp_path: Path, clock: Clock) -> None:
    """MP-02: a block that reads and then writes works on what another program committed before it."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, clock=clock, lock_timeout_s=PATIENCE_S) as store:
        await store.memories.remember("a")
        with foreign_writer(path) as other:
            other.execute("UPDATE memory_entries SET category = 'foreign'")
            waiting = asyncio.create_task(_recategorize(store))
            await asyncio.sleep(0.05)
            other.execute("COMMIT")
        await waiting
        assert (await store.memories.get(1)).category == "foreign, and ours"


async def _recategorize(store: Store) -> None:
    async with store.transaction() as tx:
        entry = await tx.memories.get(1)
        await tx.memories.update(1, category=f"{entry.category}, and ours")


@pytest.mark.parametrize("kind", ["facts", "events"])
async def test_large_batch_lets_other_tasks_run(url: str, kind: str) -> None:
    """Before a batch is sent, and after it came back, other tasks have their turn all the time."""
    turns = 0
    seen: list[int] = []

    async def take_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    def now() -> datetime:
        seen.append(turns)
        return datetime.now(UTC)

    async with memrepo.connect(
        url, clock=now, on_statement=lambda _event: seen.append(turns)
    ) as store:
        other = asyncio.create_task(take_turns())
        await asyncio.sleep(0)
        began = turns
        seen.clear()
        if kind == "facts":
            await store.memories.remember_many([MemoryNew(content=f"{n}") for n in range(5_000)])
        else:
            await store.daily_logs.append_many([DailyLogNew(event_type="a") for _ in range(5_000)])
        other.cancel()
    sent, *_, came_back = seen
    # The first 1,000 values are taken in one go.
    assert sent - began >= 4_000 / 100
    assert turns - came_back >= 5_000 / 100


@pytest.mark.parametrize("kind", ["facts", "sessions", "events", "history"])
async def test_large_page_lets_other_tasks_run(url: str, kind: str) -> None:
    """While a large page or a long history is decoded, other tasks have their turn all the time."""
    turns = 0
    seen: list[int] = []

    async def take_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with memrepo.connect(url, on_statement=lambda _event: seen.append(turns)) as store:
        await store.memories.remember_many([MemoryNew(content=f"{n}") for n in range(2_000)])
        await store.daily_logs.append_many([DailyLogNew(event_type="a") for _ in range(2_000)])
        await store.connection.write((MANY_SESSIONS.bind(),))
        other = asyncio.create_task(take_turns())
        await asyncio.sleep(0)
        if kind == "facts":
            assert len(await store.memories.find_many(limit=2_000)) == 2_000
        elif kind == "sessions":
            assert len(await store.sessions.find_many(limit=2_000)) == 2_000
        elif kind == "history":
            await store.connection.write((CHAIN.bind(),))
            assert len(await store.memories.history(1)) == 1_999
        else:
            assert len(await store.daily_logs.find_many(limit=2_000)) == 2_000
        other.cancel()
    assert turns - seen[-1] >= 2_000 / 100


async def test_batch_is_what_it_was_when_it_was_given(store: Store) -> None:
    """A list that its owner changes while its facts are being checked is stored as it was."""
    facts = [MemoryNew(content=f"fact {n}") for n in range(300)]
    remembering = asyncio.create_task(store.memories.remember_many(facts))
    await asyncio.sleep(0)
    facts.clear()
    assert len(await remembering) == 300


async def test_two_stores_on_one_file(tmp_path: Path, clock: Clock) -> None:
    """Two stores of one process on one file are like two processes: nothing is lost or doubled."""
    path = tmp_path / "agent.db"
    async with (
        memrepo.connect(path, clock=clock) as one,
        memrepo.connect(path, clock=clock) as two,
    ):
        results = await asyncio.gather(
            *((one, two)[n % 2].memories.remember(f"fact {n // 2}") for n in range(60)),
            return_exceptions=True,
        )
        assert not [result for result in results if isinstance(result, MemrepoError)]
        assert await contents(one) == await contents(two)
        assert await one.memories.count() == 30
