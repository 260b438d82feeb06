"""Quick reads beside long ones, on a file: none waits for a long one, which wait for each other."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import resource
import sys
import time
import warnings
from asyncio import CancelledError
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Final, TypeAlias

import pytest
import pytest_asyncio

import memrepo
from memrepo import DailyLogFilter, MemoryFilter, SessionFilter, Statement, Store
from memrepo.connection.sqlite import readers
from tests import leaks
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.asyncio

Method: TypeAlias = Callable[[Store], Awaitable[object]]

#: A read that ends when it is cancelled. A program's own statement, which has declared itself long.
ENDLESS: Final = Statement(
    "test.endless",
    "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c",
    is_long=True,
)
NOW: Final = memrepo.utc_now()


async def _all(rows: AsyncIterator[object]) -> list[object]:
    return [row async for row in rows]


QUICK: Final[dict[str, Method]] = {
    "get": lambda store: store.memories.get(1),
    "get_many": lambda store: store.memories.get_many(range(1, 200)),
    "find_by_content": lambda store: store.memories.find_by_content("fact 1"),
    "find_many": lambda store: store.memories.find_many(MemoryFilter(category="fact"), limit=100),
    "find_many, since": lambda store: store.memories.find_many(MemoryFilter(created_from=NOW)),
    "history": lambda store: store.memories.history(1),
    "forgotten": lambda store: store.memories.forgotten(),
    "active": lambda store: store.sessions.active(),
    "sessions.find_many": lambda store: store.sessions.find_many(),
    "sessions.find_many, open": lambda store: store.sessions.find_many(
        SessionFilter(is_ended=False)
    ),
    "daily_logs.find_many": lambda store: store.daily_logs.find_many(DailyLogFilter(session_id=1)),
    "daily_logs.find_many, of a type": lambda store: store.daily_logs.find_many(
        DailyLogFilter(session_id=1, event_type="x")
    ),
    "daily_logs.find_many, a day": lambda store: store.daily_logs.find_many(
        DailyLogFilter(day=NOW.date())
    ),
    "remember": lambda store: store.memories.remember("fact 1"),
    "supersede": lambda store: store.memories.supersede(2, "new"),
    "info": lambda store: store.info(),
    "backup": lambda store: store.backup(_beside(store)),
}
LONG: Final[dict[str, Method]] = {
    "count": lambda store: store.memories.count(),
    "count_by": lambda store: store.memories.count_by("category"),
    "daily_logs.count": lambda store: store.daily_logs.count(),
    "count_by_type": lambda store: store.daily_logs.count_by_type(),
    "metadata": lambda store: store.memories.find_many(MemoryFilter(metadata={"a": 1})),
    "contains": lambda store: store.memories.find_many(MemoryFilter(contains="fact 1")),
    "source": lambda store: store.memories.find_many(MemoryFilter(source="inferred")),
    "accessed": lambda store: store.memories.find_many(MemoryFilter(accessed_from=NOW)),
    "large page": lambda store: store.memories.find_many(limit=201),
    "large page of forgotten facts": lambda store: store.memories.forgotten(limit=201),
    "get_many": lambda store: store.memories.get_many(range(1, 202)),
    "iterate": lambda store: _all(store.memories.iterate()),
    "purge, dry run": lambda store: store.memories.purge(NOW, dry_run=True),
    "sessions, end_trigger": lambda store: store.sessions.find_many(
        SessionFilter(end_trigger="error")
    ),
    "sessions.get_many": lambda store: store.sessions.get_many(range(1, 202)),
    "sessions.iterate": lambda store: _all(store.sessions.iterate()),
    "event_type": lambda store: store.daily_logs.find_many(DailyLogFilter(event_type="x")),
    "daily_logs.get_many": lambda store: store.daily_logs.get_many(range(1, 202)),
    "daily_logs.iterate": lambda store: _all(store.daily_logs.iterate()),
    "count_by_day": lambda store: store.daily_logs.count_by_day(),
    "daily_logs.purge, dry run": lambda store: store.daily_logs.purge(NOW, dry_run=True),
    "verify": lambda store: store.verify(),
}


def _beside(store: Store) -> Path:
    path = getattr(store.connection, "location").path  # noqa: B009 - only a file has one
    return Path(f"{path}.backup")


class Endless:
    """Long reads that do not end, each begun or in its line when this returns."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.tasks: list[asyncio.Task[object]] = []

    async def begin(self, count: int = 1) -> None:
        await self._store.memories.count()  # a reader is open then
        for _ in range(count):
            read = self._store.connection.read(ENDLESS.bind())
            self.tasks.append(asyncio.ensure_future(read))
            await self._store.memories.find(
                1
            )  # passes the event loop, and the thread of quick reads
            await self._store.memories.find(1)

    async def end(self) -> None:
        for task in self.tasks:
            task.cancel()
        await asyncio.wait(self.tasks)


@pytest.fixture(autouse=True)
def most(monkeypatch: pytest.MonkeyPatch) -> int:
    """As many readers as on a machine with two cores."""
    monkeypatch.setattr(readers, "MOST_READERS", 1)
    return 1


@pytest_asyncio.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    """A store on a file, with two facts and an event of a session."""
    async with memrepo.connect(tmp_path / "agent.db", durability="normal") as store:
        await store.memories.remember("fact 1")
        await store.memories.remember("fact 2")
        session = await store.sessions.start()
        await store.daily_logs.append(session.id, "x")
        yield store


@pytest_asyncio.fixture
async def endless(store: Store) -> AsyncIterator[Endless]:
    """Long reads of the store, which are cancelled in the end."""
    endless = Endless(store)
    yield endless
    if endless.tasks:
        await endless.end()


async def test_quick_calls_beside_a_long_read(store: Store, endless: Endless) -> None:
    """While a read does not end, every call but those that may read many rows is answered."""
    await endless.begin()
    for name, method in QUICK.items():
        async with asyncio.timeout(PATIENCE_S):
            await method(store)
        assert not endless.tasks[0].done(), name


async def test_long_reads_wait_for_each_other(store: Store, endless: Endless) -> None:
    """Those that may read many rows wait while the readers are taken, and are then answered in order."""
    await endless.begin()
    answered: list[str] = []

    async def read(name: str, method: Method) -> None:
        await method(store)
        answered.append(name)

    tasks = []
    for name, method in LONG.items():
        tasks.append(asyncio.create_task(read(name, method)))
        await store.memories.get(1)
    for _ in range(3):
        await store.memories.get(1)
    assert answered == []
    await endless.end()
    await asyncio.gather(*tasks)
    in_one_step = ["count", "contains", "source", "accessed", "sessions, end_trigger", "event_type"]
    assert [name for name in answered if name in in_one_step] == in_one_step


async def test_none_overtakes_those_that_wait_for_a_reader(store: Store) -> None:
    """Long reads are answered in order, those that come when their connection is just open, too."""
    answered: list[int] = []

    async def count(number: int) -> None:
        await store.memories.count()
        answered.append(number)

    tasks = [asyncio.create_task(count(0))]
    while not tasks[0].done():
        tasks.append(asyncio.create_task(count(len(tasks))))
        await asyncio.sleep(0)
        time.sleep(1e-5)  # the opening thread goes on, or there would be thousands of tasks
    await asyncio.gather(*tasks)
    assert answered == [*range(len(tasks))]


async def test_readers_are_opened_when_they_are_needed(
    store: Store, endless: Endless, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Quick reads open none; long ones one for each that runs, and no more than there may be."""
    monkeypatch.setattr(readers, "MOST_READERS", 2)
    n_before = len(leaks.threads())
    for method in QUICK.values():
        await method(store)
    await _until_threads(n_before)
    for _ in range(3):
        await store.memories.count()
    await _until_threads(n_before + 1)
    await endless.begin(4)
    await _until_threads(n_before + 2)
    counting = asyncio.create_task(store.memories.count())
    await store.memories.get(1)
    for task in endless.tasks[:2]:  # those that run: the other two run now
        task.cancel()
    await asyncio.wait(endless.tasks[:2])
    await store.memories.get(1)
    assert not counting.done()
    endless.tasks[3].cancel()
    assert await counting == 2
    assert not endless.tasks[2].done()


async def _until_threads(count: int) -> None:
    """Wait until the threads that open a database have ended."""
    async with asyncio.timeout(PATIENCE_S):
        while len(leaks.threads()) != count:
            await asyncio.sleep(0.001)


async def test_reads_your_writes(store: Store) -> None:
    """A long read sees what was acknowledged before it, on whichever connection it runs."""
    for number in range(3, 30):
        fact = await store.memories.remember(f"fact {number}")
        assert await store.memories.count() == number
        (found,) = await store.memories.find_many(MemoryFilter(contains=f"fact {number}"))
        assert found == fact.entry


async def test_cancelled_in_the_line(store: Store, endless: Endless) -> None:
    """A long read that is cancelled before its turn leaves the line; those behind it are answered."""
    await endless.begin(3)
    counting = asyncio.create_task(store.memories.count())
    await store.memories.get(1)
    for task in (endless.tasks[1], endless.tasks[2], endless.tasks[0]):
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
    assert await counting == 2


async def test_turn_that_does_not_come(tmp_path: Path) -> None:
    """A long read waits for its turn as long as any call, and no longer."""
    async with memrepo.connect(tmp_path / "agent.db", lock_timeout_s=0.1) as store:
        endless = Endless(store)
        await endless.begin()
        with pytest.raises(memrepo.BusyError, match="waited too long for its turn"):
            await store.memories.count()
        await endless.end()
        assert await store.memories.count() == 0


async def test_close_while_long_reads_wait(store: Store, endless: Endless) -> None:
    """Closing refuses the long reads that wait, waits for those that run, and leaves no thread."""
    before = leaks.threads()
    await endless.begin()
    waiting = [asyncio.ensure_future(method(store)) for method in LONG.values()]
    await store.memories.get(1)
    closing = asyncio.create_task(store.close())
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert {type(result) for result in results} == {memrepo.ClosedError}
    assert not closing.done()
    await endless.end()
    await closing
    with pytest.raises(memrepo.ClosedError):
        await store.memories.count()
    await leaks.settled(before)
    assert leaks.threads() < before


async def test_close_while_a_reader_is_opened(tmp_path: Path) -> None:
    """Whenever a store is closed after a first long read has begun, it is answered or refused, and nothing leaks."""
    threads, n_descriptors = leaks.threads(), leaks.descriptors()
    for n_passes in range(12):
        store = await memrepo.connect(tmp_path / "agent.db")
        counts = [asyncio.ensure_future(store.memories.count()) for _ in range(3)]
        for _ in range(n_passes):
            await asyncio.sleep(0.0005)
        await store.close()
        for count in await asyncio.gather(*counts, return_exceptions=True):
            assert count == 0 or isinstance(count, memrepo.ClosedError), count
    await leaks.settled(threads)
    assert leaks.descriptors() == n_descriptors


@pytest.mark.parametrize("mode", ["", "?mode=ro"])
async def test_close_that_is_cancelled_with_all_tasks(tmp_path: Path, mode: str) -> None:
    """A close after a long read, cancelled with all tasks of the event loop, as after Ctrl-C, leaves no log behind."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path):
        pass
    for n_passes in range(6):
        store = await memrepo.connect(f"file:{path}{mode}")
        await store.memories.count()
        closing = asyncio.ensure_future(store.close())
        for _ in range(n_passes):
            await asyncio.sleep(0)
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        await asyncio.gather(closing, return_exceptions=True)
        await store.close()
        assert [its.name for its in tmp_path.iterdir()] == ["agent.db"]


async def test_cancelled_while_a_reader_is_opened(tmp_path: Path) -> None:
    """A first long read that is cancelled as its reader is opened keeps no other from one."""
    for n_passes in range(12):
        async with memrepo.connect(tmp_path / "agent.db") as store:
            first, second = (asyncio.ensure_future(store.memories.count()) for _ in range(2))
            for _ in range(n_passes):
                await asyncio.sleep(0.0005)
            first.cancel()
            assert await second == 0
            result = (await asyncio.gather(first, return_exceptions=True))[0]
            assert result == 0 or isinstance(result, CancelledError)


async def test_forgotten_store(tmp_path: Path) -> None:
    """The reader's thread of a store that was never closed ends, too, as soon as the store is collected."""
    before = leaks.threads()
    store = await memrepo.connect(tmp_path / "agent.db")
    await store.memories.count()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.disable()
        try:
            del store
            await leaks.settled(before)
        finally:
            gc.enable()


async def test_without_a_descriptor(store: Store) -> None:
    """Where no reader can be opened, a long read runs where quick ones do."""
    gc.collect()  # what earlier tests have left would be closed meanwhile
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    n_threads = len(leaks.threads())
    free = [os.dup(0) for _ in range(3)]  # for the event loop of the thread that opens a connection
    resource.setrlimit(resource.RLIMIT_NOFILE, (free[-1] + 1, before[1]))
    for descriptor in free:
        os.close(descriptor)
    try:
        assert await store.memories.count() == 2
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    await _until_threads(n_threads)
    assert await store.memories.count() == 2
    await _until_threads(n_threads + 1)


@pytest.mark.parametrize("is_open", [False, True], ids=["no reader", "a reader"])
async def test_lost_file(tmp_path: Path, *, is_open: bool) -> None:
    """After the file was replaced every long read fails, and closing leaves the new one whole."""
    path = tmp_path / "agent.db"
    store = await memrepo.connect(path)
    await store.memories.remember("old")
    if is_open:
        await store.memories.count()
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink()
    with pytest.raises(memrepo.ConnectionLostError):
        await store.memories.remember("lost")
    for method in LONG.values():
        with pytest.raises(memrepo.ConnectionLostError):
            await method(store)
    async with memrepo.connect(path) as other:
        await other.memories.remember("new")
        with pytest.raises(memrepo.ConnectionLostError):
            await store.memories.count()
        await store.close()
        assert [fact.content for fact in await other.memories.find_many()] == ["new"]
        assert await other.verify() == []


async def test_write_that_calls_itself_a_long_read(store: Store) -> None:
    """A program's statement that writes is refused as a long read, as it is as any."""
    delete = Statement("test.delete", "DELETE FROM memory_entries", is_long=True)
    with pytest.raises(memrepo.InvalidInputError):
        await store.connection.read(delete.bind())
    assert await store.memories.count() == 2


async def test_work_in_steps_gives_way_to_quick_reads(store: Store) -> None:
    """Who works between reads, as a search that ranks, goes on only after the quick reads that run."""
    quick = Statement("test.quick", ENDLESS.sql.replace("FROM c)", "FROM c LIMIT 300000)"))
    order: list[str] = []

    async def work() -> None:
        await store.connection.give_way()
        order.append("work")

    async def read() -> None:
        await store.connection.read(quick.bind())
        order.append("read")

    await asyncio.gather(work(), read(), work(), work())
    assert order == ["work", "read", "work", "work"]
    async with store.transaction() as tx:
        await tx.connection.give_way()


async def test_who_gives_way_waits_as_long_as_it_takes(tmp_path: Path) -> None:
    """A search that ranks does not fail because a quick read takes longer than a call may wait for a lock."""
    slow = Statement("test.slow", ENDLESS.sql.replace("FROM c)", "FROM c LIMIT 3000000)"))
    async with memrepo.connect(tmp_path / "slow.db", lock_timeout_s=0.1) as store:
        reading = asyncio.ensure_future(store.connection.read(slow.bind()))
        await asyncio.sleep(0)
        await store.connection.give_way()
        assert reading.done()


@pytest.mark.skipif(sys.platform != "linux", reason="threads have a priority of their own on Linux")
async def test_long_reads_have_a_lower_priority(store: Store) -> None:
    """The thread of long reads gives way to all others, whose priority stays as it was."""
    await store.memories.count()
    own = os.getpriority(os.PRIO_PROCESS, 0)

    def lower() -> list[int]:
        """By how much the priority of each thread with another one is lower."""
        found = []
        for thread in map(int, os.listdir("/proc/self/task")):
            with contextlib.suppress(ProcessLookupError):  # it has ended
                found.append(os.getpriority(os.PRIO_PROCESS, thread) - own)
        return [each for each in found if each]

    async with asyncio.timeout(PATIENCE_S):
        while lower() != [5]:  # until those of earlier tests have ended
            await asyncio.sleep(0.01)


async def test_long_read_beside_quick_ones_loses_no_row(store: Store) -> None:
    """Fetched a few rows at a time, it has them all in order, also those after a text that is not UTF-8."""
    rows = Statement(
        "test.rows",
        "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c LIMIT 1000)"
        " SELECT n, CASE n WHEN 500 THEN CAST(x'ff41' AS TEXT) ELSE 'text' END FROM c",
        is_long=True,
    )
    is_over = False

    async def read_on() -> None:
        while not is_over:
            await store.memories.find(1)

    async with asyncio.TaskGroup() as group:
        group.create_task(read_on())
        found = await store.connection.read(rows.bind())
        is_over = True
    assert found == [(n, b"\xffA" if n == 500 else "text") for n in range(1, 1001)]
