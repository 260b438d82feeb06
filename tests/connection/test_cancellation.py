"""A cancelled call happened whole or not at all, and the store is usable at once (failures.md, CA)."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import random
import shutil
import sqlite3
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Generator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from contextvars import Context
from pathlib import Path
from typing import Any, Literal, TypeAlias

import anyio
import pytest

import memrepo
from memrepo import DailyLogNew, MemoryFilter, MemoryNew, Store
from memrepo.queries.statement import BoundStatement, Statement
from tests import leaks
from tests.conftest import Clock
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.asyncio

Method: TypeAlias = Callable[[Store], Coroutine[Any, Any, object]]
#: When a call is cancelled: while it waits, or when what it waits for is done and not yet delivered.
Moment: TypeAlias = Literal["running", "undelivered"]

ALL = MemoryFilter(include_forgotten=True, include_expired=True, include_superseded=True)
ENDLESS = BoundStatement(
    Statement(
        "test.endless",
        "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c",
    ),
    {},
)
ENDLESS_WRITE = BoundStatement(
    Statement(
        "test.endless_write",
        "INSERT INTO daily_logs (event_type, timestamp) "
        "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) "
        "SELECT 'endless', '2026-02-02T00:00:00.000Z' FROM c LIMIT 100000000",
    ),
    {},
)


# --- cancelling at a step ----------------------------------------------------------------------


class AtStep:
    """Awaits a call, and cancels the task that does so when the call waits for the n-th time."""

    def __init__(self, call: Awaitable[object], step: int, moment: Moment) -> None:
        self._call = call
        self._step = step
        self._moment = moment
        self.is_reached = False

    def __await__(self) -> Generator[Any, Any, object]:
        inner = self._call.__await__()
        resume: Callable[[], Any] = lambda: next(inner)  # noqa: E731
        for step in range(100_000):
            try:
                awaited = resume()
            except StopIteration as stop:
                return stop.value
            if step == self._step:
                awaited = self._cancel_soon(awaited)
            try:
                yield awaited
            except BaseException as error:  # noqa: BLE001 - handed on to the call
                resume = _thrower(inner, error)
            else:
                resume = lambda: next(inner)  # noqa: E731
        pytest.fail("the call never ends")

    def _cancel_soon(self, awaited: Any) -> Any:
        self.is_reached = True
        task = asyncio.current_task()
        assert task is not None
        if awaited is None or self._moment == "running":
            # When it has begun to wait: on uvloop, an outcome can overtake what `call_soon` was given.
            task.cancel()
        else:
            # Called before the task is woken: at that moment the outcome is there, undelivered.
            awaited.add_done_callback(lambda _: task.cancel())
        return awaited


def _thrower(inner: Any, error: BaseException) -> Callable[[], Any]:
    return lambda: inner.throw(error)


async def cancelled_at(call: Awaitable[object], step: int, moment: Moment) -> bool:
    """Cancel *call* at its n-th step; tell whether it had so many, and see CancelledError come out."""
    at_step = AtStep(call, step, moment)

    async def run() -> None:
        await at_step

    task = asyncio.create_task(run(), context=Context())
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.wait([task])
    assert task.cancelled() is at_step.is_reached, task
    if not at_step.is_reached:
        task.result()
    return at_step.is_reached


# --- every method ------------------------------------------------------------------------------


async def prepare(store: Store) -> None:
    """Fact 1 is current, 2 forgotten, 3 superseded by 4; session 1 is active; there are two events."""
    for n in (1, 2, 3):
        await store.memories.remember(f"fact {n}")
    await store.memories.forget(2)
    await store.memories.supersede(3, "fact 4")
    await store.sessions.start()
    await store.daily_logs.append(1, "x", 1, key="known")
    await store.daily_logs.append(None, "x", 2)


async def dump(store: Store) -> list[object]:
    """Everything that is stored."""
    return [
        *await store.memories.find_many(ALL, limit=10_000),
        *await store.sessions.find_many(limit=10_000),
        *await store.daily_logs.find_many(limit=10_000),
    ]


async def collect(rows: AsyncIterator[object]) -> list[object]:
    return [row async for row in rows]


async def block(store: Store) -> None:
    async with store.transaction() as tx:
        await tx.memories.remember("new")
        await tx.memories.forget(1)
        await tx.daily_logs.append(1, "x")
        await tx.memories.count()


def facts() -> Iterable[MemoryNew]:
    return (MemoryNew(content=f"fact {n}") for n in range(8))


def events() -> Iterable[DailyLogNew]:
    return (DailyLogNew(event_type="x", key=key) for key in (None, "known", "new"))


METHODS: dict[str, Method] = {
    "remember": lambda store: store.memories.remember("new"),
    "remember, known": lambda store: store.memories.remember("fact 1", source="user_explicit"),
    "remember_many": lambda store: store.memories.remember_many(facts()),
    "memories.get": lambda store: store.memories.get(1),
    "memories.find": lambda store: store.memories.find(99),
    "memories.get_many": lambda store: store.memories.get_many([1, 2, 1]),
    "find_by_content": lambda store: store.memories.find_by_content("fact 1"),
    "memories.find_many": lambda store: store.memories.find_many(limit=1),
    "memories.iterate": lambda store: collect(store.memories.iterate()),
    "count": lambda store: store.memories.count(),
    "touch": lambda store: store.memories.touch(1),
    "update": lambda store: store.memories.update(1, category="work"),
    "supersede": lambda store: store.memories.supersede(1, "new"),
    "history": lambda store: store.memories.history(4),
    "forget": lambda store: store.memories.forget(1),
    "restore": lambda store: store.memories.restore(2),
    "forgotten": lambda store: store.memories.forgotten(),
    "forget_all": lambda store: store.memories.forget_all(confirm=True),
    "memories.purge": lambda store: store.memories.purge(memrepo.utc_now()),
    "start": lambda store: store.sessions.start(end_active=True),
    "get_or_start": lambda store: store.scoped("new").sessions.get_or_start(),
    "end": lambda store: store.sessions.end(1, summary="done"),
    "summarize": lambda store: store.sessions.summarize(1, "done"),
    "sessions.get": lambda store: store.sessions.get(1),
    "sessions.get_many": lambda store: store.sessions.get_many([1]),
    "active": lambda store: store.sessions.active(),
    "sessions.find_many": lambda store: store.sessions.find_many(),
    "append": lambda store: store.daily_logs.append(1, "x"),
    "append, key": lambda store: store.daily_logs.append(1, "x", key="new"),
    "append_many": lambda store: store.daily_logs.append_many(events()),
    "daily_logs.get": lambda store: store.daily_logs.get(1),
    "daily_logs.get_many": lambda store: store.daily_logs.get_many([1, 2]),
    "daily_logs.find_many": lambda store: store.daily_logs.find_many(),
    "for_day": lambda store: store.daily_logs.for_day(memrepo.utc_now().date()),
    "count_by_day": lambda store: store.daily_logs.count_by_day(),
    "daily_logs.purge": lambda store: store.daily_logs.purge(memrepo.utc_now()),
    "transaction": block,
    "migrate": lambda store: store.migrate(),
}
every_method = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)


async def check_usable(store: Store) -> None:
    """Read, write and begin a transaction, each at once."""
    async with asyncio.timeout(PATIENCE_S):
        probe = await store.scoped("probe").memories.remember("probe")
        assert await store.scoped("probe").memories.find(probe.id) is not None
        async with store.transaction(timeout_s=PATIENCE_S) as tx:
            await tx.scoped("probe").memories.forget(probe.id)
        assert await store.scoped("probe").memories.count() == 0


@pytest.fixture
def urls(url: str) -> Callable[[], str]:
    """New databases on the test's driver, one after another."""
    numbers = iter(range(1_000))
    return lambda: url if url == ":memory:" else f"{url}.{next(numbers)}"


@pytest.fixture
def prepared(
    urls: Callable[[], str], clock: Clock
) -> Callable[[], AbstractAsyncContextManager[Store]]:
    """New databases with the rows of `prepare`; files are copies of the first, which takes less time."""
    templates: list[str] = []

    @asynccontextmanager
    async def open_new() -> AsyncIterator[Store]:
        url = urls()
        if url == ":memory:":
            async with memrepo.connect(url, clock=clock) as store:
                await prepare(store)
                yield store
            return
        if not templates:
            templates.append(urls())
            async with memrepo.connect(templates[0], clock=clock) as store:
                await prepare(store)
        shutil.copyfile(templates[0], url)
        async with memrepo.connect(url, clock=clock) as store:
            yield store

    return open_new


@every_method
@pytest.mark.slow
async def test_cancel_at_every_step(
    prepared: Callable[[], AbstractAsyncContextManager[Store]], method: Method
) -> None:
    """CA-01..09: at every await point, a running or a done call leaves all of its effect or none."""
    async with prepared() as store:
        before = await dump(store)
        await method(store)
        after = await dump(store)
    moments: tuple[Moment, ...] = ("running", "undelivered")
    for moment in moments:
        step = 0
        reached = True
        while reached:
            async with prepared() as store:
                reached = await cancelled_at(method(store), step, moment)
                assert await dump(store) in (before, after), (moment, step)
                await check_usable(store)
            step += 1
        assert step > 1


@every_method
async def test_cancel_in_the_queue(store: Store, method: Method) -> None:
    """CA-11: a call that is cancelled before its turn, or as its turn comes, leaves the queue in order."""
    await prepare(store)
    before = await dump(store)
    undelivered = None
    async with store.transaction():
        queued = [asyncio.create_task(_run(method, store), context=Context()) for _ in range(2)]
        last = asyncio.create_task(
            _run(lambda store: store.scoped("last").memories.remember("last"), store),
            context=Context(),
        )
        await asyncio.sleep(0.002)
        for task in queued:
            task.cancel()
        undelivered = asyncio.create_task(_run(method, store), context=Context())
        await asyncio.sleep(0)
    undelivered.cancel()
    async with asyncio.timeout(PATIENCE_S):
        results = await asyncio.gather(*queued, undelivered, last, return_exceptions=True)
    assert isinstance(results[-1], memrepo.Remembered)
    for result in results[:2]:
        # On a file a read does not queue behind a block: it may have been done before.
        assert isinstance(result, asyncio.CancelledError) or await dump(store) == before
    await check_usable(store)


async def _run(method: Method, store: Store) -> object:
    return await method(store)


@every_method
async def test_cancel_before_the_start(store: Store, method: Method) -> None:
    """A call that is cancelled before it began has not happened."""
    await prepare(store)
    before = await dump(store)
    task = asyncio.create_task(_run(method, store))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await dump(store) == before


async def test_cancel_open_at_every_step(urls: Callable[[], str], clock: Clock) -> None:
    """A session's block that is cancelled anywhere ends its session, unless the block never began."""
    for step in range(100):
        async with memrepo.connect(urls(), clock=clock) as store:
            entered: list[int] = []
            reached = await cancelled_at(_open(store, entered), step, "running")
            for session in await store.sessions.find_many():
                assert session.id not in entered or session.status == "ended"
            await check_usable(store)
        if not reached:
            break


async def _open(store: Store, entered: list[int]) -> None:
    async with store.sessions.session() as session:
        entered.append(session.id)
        await asyncio.sleep(0)
        await store.memories.count()


# --- the queue ---------------------------------------------------------------------------------


async def test_cancel_half_of_the_waiters(store: Store) -> None:
    """CA-11: of ten that wait for a block five are cancelled; the others go ahead, in order."""
    order: list[int] = []

    async def enter(n: int) -> None:
        async with store.transaction() as tx:
            order.append(n)
            await tx.memories.remember(f"fact {n}")

    async with store.transaction():
        tasks = [asyncio.create_task(enter(n), context=Context()) for n in range(10)]
        await asyncio.sleep(0.01)
        for task in tasks[::2]:
            task.cancel()
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.wait(tasks)
    assert [task.cancelled() for task in tasks] == [True, False] * 5
    assert order == [1, 3, 5, 7, 9]
    assert await store.memories.count() == 5


async def test_cancel_the_one_whose_turn_it_is(store: Store) -> None:
    """CA-11: a waiter that is cancelled at the very moment it gets the writer hands it on."""
    for _ in range(20):
        async with store.transaction():
            waiter = asyncio.create_task(block_of(store), context=Context())
            await asyncio.sleep(0.001)
        waiter.cancel()
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.wait([waiter])
            await store.memories.remember("free")
    await check_usable(store)


async def block_of(store: Store) -> None:
    async with store.transaction():
        await asyncio.sleep(0)


async def test_cancel_one_of_a_group(store: Store) -> None:
    """Of writes that are committed together the cancelled one does not take the others with it."""
    for victim in range(6):
        async with store.transaction():
            tasks = [
                asyncio.create_task(store.daily_logs.append(None, "x", n), context=Context())
                for n in range(6)
            ]
            await asyncio.sleep(0)
        # Now the group is on its way.
        await asyncio.sleep(0)
        tasks[victim].cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        kept = [r.event for r in results if isinstance(r, memrepo.Appended)]
        assert len(kept) >= 5
        for event in kept:
            assert await store.daily_logs.get(event.id) == event
    await check_usable(store)


async def test_cancelled_end_of_a_deleted_session(store: Store) -> None:
    """Where a block's end fails, and is cancelled meanwhile, the event loop hears of nothing else."""
    heard: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: heard.append(context))
    reached = False

    async def talk() -> None:
        nonlocal reached
        async with store.sessions.session() as session:
            await store.sessions.delete(session.id, events="delete")
            reached = True

    for _ in range(20):
        reached = False
        task = asyncio.create_task(talk())
        while not reached:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        results = await asyncio.gather(task, return_exceptions=True)
        assert results[0] is None or isinstance(results[0], asyncio.CancelledError)
        del task, results
        gc.collect()
    assert heard == []


@pytest.mark.parametrize("n_neighbours", [0, 3], ids=["alone", "group"])
async def test_cancelled_behind_a_lock(tmp_path: Path, clock: Clock, n_neighbours: int) -> None:
    """A write that is cancelled while it waits for another program's lock ends, and never happens."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, clock=clock, lock_timeout_s=2 * PATIENCE_S) as store:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            first = asyncio.create_task(store.memories.remember("first"))
            await asyncio.sleep(0.01)
            neighbours = [
                asyncio.create_task(store.memories.remember(f"neighbour {n}"))
                for n in range(n_neighbours)
            ]
            victim = asyncio.create_task(store.memories.remember("victim"))
            await asyncio.sleep(0.01)
            # Those behind it become a group, and it waits for the lock in its turn.
            first.cancel()
            await asyncio.wait([first])
            await asyncio.sleep(0.05)
            victim.cancel()
            with pytest.raises(asyncio.CancelledError):
                async with asyncio.timeout(PATIENCE_S):
                    await victim
            happened = await store.memories.find_by_content("victim") is not None
            other.execute("ROLLBACK")
        await asyncio.gather(*neighbours)
        await store.memories.remember("last")
        assert (await store.memories.find_by_content("victim") is not None) is happened
        assert await store.memories.find_by_content("first") is None
        assert await store.memories.count() == n_neighbours + 1 + happened


async def test_cancelled_block_behind_a_lock(tmp_path: Path, clock: Clock) -> None:
    """A block that was cancelled while it waited for another program's lock hands the writer on."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, clock=clock, lock_timeout_s=PATIENCE_S) as store:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            for pause in (0.0, 0.01, 0.1, 0.21):
                waiter = asyncio.create_task(block(store))
                await asyncio.sleep(pause)
                waiter.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await waiter
            other.execute("ROLLBACK")
        await check_usable(store)
        assert await store.memories.count() == 0


@pytest.mark.parametrize("is_spared", [False, True], ids=["cancelled", "spared"])
@pytest.mark.parametrize("pause_s", [0.01, 0.21, 0.35])
async def test_every_task_cancelled_behind_a_lock(
    tmp_path: Path, clock: Clock, pause_s: float, *, is_spared: bool
) -> None:
    """A program cancels all its tasks while another holds the lock: what then is stored was said to be."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, clock=clock, lock_timeout_s=2 * PATIENCE_S) as store:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            victim = asyncio.create_task(store.daily_logs.append(None, "x"))
            await asyncio.sleep(pause_s)
            spared = {asyncio.current_task(), *([victim] if is_spared else [])}
            for task in asyncio.all_tasks() - spared:
                task.cancel()
            await asyncio.sleep(0.02)
            other.execute("COMMIT")
        await asyncio.wait([victim])
        assert victim.cancelled() is not is_spared
        at_once = len(await store.daily_logs.find_many())
        await store.daily_logs.append(None, "last")
        assert len(await store.daily_logs.find_many()) == at_once + 1
        assert at_once == 1 or not is_spared


async def test_anyio_does_not_spin(tmp_path: Path, clock: Clock) -> None:
    """anyio cancels at every pass of the event loop: a call that outlasts it lets the loop rest."""
    path = tmp_path / "agent.db"
    passes = 0

    async def count_passes() -> None:
        nonlocal passes
        while True:
            await asyncio.sleep(0.001)
            passes += 1

    async with memrepo.connect(path, clock=clock, lock_timeout_s=2 * PATIENCE_S) as store:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            used_s = time.thread_time()
            with anyio.move_on_after(0.05) as scope:
                await store.memories.remember("victim")
            used_s = time.thread_time() - used_s
            other.execute("ROLLBACK")
        assert scope.cancelled_caught
        assert used_s < 0.1
        await check_usable(store)


async def test_cancelled_is_decided(store: Store) -> None:
    """When CancelledError comes out, the write has happened or it never will."""
    for round_ in range(60):
        keeper = asyncio.create_task(store.memories.remember(f"keeper {round_}"))
        await asyncio.sleep(0)
        group = [
            asyncio.create_task(store.memories.remember(f"fact {round_}.{n}")) for n in range(5)
        ]
        victim = asyncio.create_task(store.memories.remember(f"victim {round_}"))
        await keeper
        await asyncio.sleep(0.0001 * (round_ % 8))
        victim.cancel()
        await asyncio.wait([victim])
        at_once = await store.memories.find_by_content(f"victim {round_}")
        await asyncio.gather(*group)
        await store.memories.remember("last")
        assert await store.memories.find_by_content(f"victim {round_}") == at_once


# --- timeouts and retries ----------------------------------------------------------------------


async def test_timeout_then_retry(tmp_path: Path, clock: Clock) -> None:
    """CA-13: a write that timed out behind a lock and was tried again is there once."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, clock=clock) as store:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            for call in (
                store.daily_logs.append(None, "x", key="k"),
                store.memories.remember("Likes tea"),
            ):
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(call, 0.05)
            other.execute("ROLLBACK")
        await store.daily_logs.append(None, "x", key="k")
        await store.memories.remember("Likes tea")
        assert len(await store.daily_logs.find_many()) == 1
        assert await store.memories.count() == 1


async def test_timeouts_of_all_lengths(store: Store) -> None:
    """CA-13: whenever the timeout strikes, a retry with the key leaves one row."""
    rng = random.Random(13)
    for n in range(100):
        key = str(n)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(
                store.daily_logs.append(None, "x", n, key=key), rng.random() * 0.002
            )
        event = (await store.daily_logs.append(None, "x", n, key=key)).event
        assert event.event_data == n
    events = await store.daily_logs.find_many(limit=1000)
    assert [event.event_data for event in events] == list(range(100))


async def test_random_cancels(store: Store) -> None:
    """CA-19: random cancels, single and double, tear no block and lose nothing acknowledged."""
    rng = random.Random(19)
    acknowledged: set[str] = set()

    async def work(name: str) -> None:
        if rng.random() < 0.5:
            async with store.transaction() as tx:
                await tx.memories.remember(f"{name} a")
                await tx.memories.remember(f"{name} b")
        else:
            await store.memories.remember_many(
                [MemoryNew(content=f"{name} a"), MemoryNew(content=f"{name} b")]
            )
        acknowledged.update((f"{name} a", f"{name} b"))

    async def shoot(task: asyncio.Task[None]) -> None:
        for _ in range(rng.choice([1, 2])):
            await asyncio.sleep(rng.random() * 0.004)
            task.cancel()

    for round_ in range(60):
        tasks = [asyncio.create_task(work(f"{round_}.{n}")) for n in range(4)]
        shots = [shoot(task) for task in tasks[:3]]
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.gather(*tasks, *shots, return_exceptions=True)
    stored = {entry.content async for entry in store.memories.iterate()}
    assert acknowledged <= stored
    halves = [text.rsplit(" ", 1)[0] for text in stored]
    assert all(halves.count(half) == 2 for half in halves)
    await check_usable(store)


# --- long queries ------------------------------------------------------------------------------


async def _transact(store: Store) -> None:
    async with store.transaction() as tx:
        await tx.memories.remember("in a block")


NINE: dict[str, Callable[[Store], Awaitable[object]]] = {
    "remember": lambda store: store.memories.remember("new"),
    "get": lambda store: store.memories.get(1),
    "find_many": lambda store: store.memories.find_many(),
    "count": lambda store: store.memories.count(),
    "remember_many": lambda store: store.memories.remember_many(facts()),
    "append": lambda store: store.daily_logs.append(None, "x"),
    "get_or_start": lambda store: store.sessions.get_or_start(),
    "count_by_day": lambda store: store.daily_logs.count_by_day(),
    "transaction": _transact,
}


@pytest.mark.parametrize("kind", ["read", "write", "in a block"])
async def test_after_a_long_query(store: Store, kind: str) -> None:
    """CA-14: a long query that is cancelled stops, and nine kinds of call then answer within a second."""
    await store.memories.remember("known")

    async def run() -> None:
        if kind == "read":
            await store.connection.read(ENDLESS)
        elif kind == "write":
            await store.connection.write((ENDLESS_WRITE,))
        else:
            async with store._driver.transaction() as tx:
                await tx.write((ENDLESS_WRITE,))

    for call in NINE.values():
        task = asyncio.create_task(run(), context=Context())
        await asyncio.sleep(0.03)
        assert not task.done()
        task.cancel()
        async with asyncio.timeout(PATIENCE_S):
            await call(store)
        with pytest.raises(asyncio.CancelledError):
            await task
    assert "endless" not in [event.event_type for event in await store.daily_logs.find_many()]


async def test_long_query_beside_others(store: Store) -> None:
    """Cancelling a long query interrupts no other task's call, queued with it or behind it."""
    await store.memories.remember("known")
    first = asyncio.ensure_future(store.connection.read(ENDLESS))
    await asyncio.sleep(0.02)
    second = asyncio.ensure_future(store.connection.read(ENDLESS))
    others = [
        *(asyncio.create_task(store.memories.get(1)) for _ in range(5)),
        *(asyncio.create_task(store.memories.count()) for _ in range(5)),
    ]
    await asyncio.sleep(0.02)
    second.cancel()
    first.cancel()
    async with asyncio.timeout(PATIENCE_S):
        results = await asyncio.gather(*others)
    assert results[5:] == [1] * 5
    for task in (first, second):
        with pytest.raises(asyncio.CancelledError):
            await task


# --- opening and closing -----------------------------------------------------------------------


def descriptors(path: str) -> list[str]:
    """The open files of a database."""
    found = []
    for number in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{number}")
        except FileNotFoundError:
            continue
        if target.startswith(path):
            found.append(target)
    return found


async def check_nothing_left(threads: set[threading.Thread], path: str) -> None:
    """See the worker threads end, and the file closed."""
    await leaks.settled(threads)
    assert not descriptors(path)


@pytest.mark.parametrize("moment", ["running", "undelivered"])
@pytest.mark.parametrize("is_new", [True, False], ids=["new", "existing"])
@pytest.mark.slow
async def test_cancel_connect(
    urls: Callable[[], str], clock: Clock, moment: Moment, *, is_new: bool
) -> None:
    """CA-17: opening that is cancelled at any step leaves no thread and no descriptor; a retry works."""
    async with memrepo.connect(urls(), clock=clock):
        pass
    threads = leaks.threads()
    existing = urls()
    reached, step = True, 0
    while reached:
        url = urls() if is_new else existing
        opened: list[Store] = []
        reached = await cancelled_at(_connect(url, clock, opened), step, moment)
        for store in opened:
            await store.close()
        await check_nothing_left(threads, url)
        async with memrepo.connect(url, clock=clock) as store:
            await store.memories.remember("a")
        step += 1
    assert step > 2


async def _connect(url: str, clock: Clock, opened: list[Store]) -> None:
    opened.append(await memrepo.connect(url, clock=clock))


@pytest.mark.parametrize("moment", ["running", "undelivered"])
async def test_cancel_close(urls: Callable[[], str], clock: Clock, moment: Moment) -> None:
    """CA-18: closing that is cancelled at any step is completed, and a second close returns."""
    threads = leaks.threads()
    reached, step = True, 0
    while reached:
        url = urls()
        store = await memrepo.connect(url, clock=clock)
        await store.memories.remember("a")
        reached = await cancelled_at(store.close(), step, moment)
        async with asyncio.timeout(PATIENCE_S):
            await store.close()
        with pytest.raises(memrepo.ClosedError):
            await store.memories.count()
        await check_nothing_left(threads, url)
        step += 1
    assert step > 1


async def test_cancel_the_block_of_a_store(url: str, clock: Clock) -> None:
    """A task that is cancelled inside `async with connect(...)` closes the store on its way out."""
    threads = leaks.threads()

    async def run() -> None:
        async with memrepo.connect(url, clock=clock) as store:
            await store.memories.remember("a")
            await asyncio.Event().wait()

    task = asyncio.create_task(run())
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await check_nothing_left(threads, url)
