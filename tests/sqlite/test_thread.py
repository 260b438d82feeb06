"""A store's threads: on every kind of event loop, no outcome lost, nothing left open, no loop held up."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import random
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Coroutine
from contextlib import closing
from pathlib import Path
from types import FrameType
from typing import Any, Final, Never, Self

import pytest

import memrepo
from memrepo import Store
from memrepo.queries import versions
from tests import leaks
from tests.patience import PATIENCE_S

#: As in `make bench`, W11.
_N_STORES: Final = 30
_N_TASKS: Final = 20


_SOURCE: Final = str(Path(memrepo.__file__).parent)


class Unwatching(asyncio.SelectorEventLoop):
    """An event loop that cannot watch a descriptor, as Windows' own cannot."""

    def add_reader(self, fd: Any, callback: Any, *args: Any) -> Never:  # type: ignore[override]
        raise NotImplementedError


async def _open(path: Path) -> Store:
    store = await memrepo.connect(path)
    await store.memories.remember("a")
    return store


async def _use(path: Path) -> None:
    threads = leaks.threads()
    async with memrepo.connect(path) as store:
        told = await asyncio.gather(*(store.memories.remember(f"{n}") for n in range(100)))
        assert [known.outcome for known in told] == ["created"] * 100
        assert await asyncio.gather(*(store.memories.get(known.id) for known in told)) == [
            known.entry for known in told
        ]
    await leaks.settled(threads)


def test_event_loop_that_cannot_watch(tmp_path: Path) -> None:
    """A store works on an event loop that has no `add_reader`."""
    with asyncio.Runner(loop_factory=Unwatching) as runner:
        runner.run(_use(tmp_path / "agent.db"))


@pytest.mark.slow
def test_descriptors_after_close(tmp_path: Path) -> None:
    """A store works and no descriptor is open when it is closed."""
    n_descriptors = leaks.descriptors()
    for _ in range(3):
        asyncio.run(_use(tmp_path / "agent.db"))
        (tmp_path / "agent.db").unlink()
        assert leaks.descriptors() == n_descriptors


@pytest.mark.slow
def test_descriptors_of_forgotten_stores(tmp_path: Path) -> None:
    """Stores that are forgotten, before or after their event loop is closed, leave none open."""

    path = tmp_path / "agent.db"

    async def forget() -> None:
        await _open(path)
        gc.collect()

    threads = leaks.threads()
    n_descriptors = leaks.descriptors()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        for _ in range(5):
            asyncio.run(forget())
            asyncio.run(_open(path))
            gc.collect()
    asyncio.run(leaks.settled(threads))
    assert leaks.descriptors() == n_descriptors


def test_descriptors_without_a_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no thread can be started, opening a store fails, and leaves no descriptor open."""

    async def fail_to_open() -> None:
        n_descriptors = leaks.descriptors()
        with pytest.raises(RuntimeError, match="can't start new thread"):
            await memrepo.connect(tmp_path / "agent.db")
        await asyncio.sleep(0)
        assert leaks.descriptors() == n_descriptors

    monkeypatch.setattr(threading.Thread, "start", _refuse_to_start)
    with closing(asyncio.new_event_loop()) as loop:  # asyncio.run would need a thread in the end
        loop.run_until_complete(fail_to_open())


def _refuse_to_start(_: threading.Thread) -> Never:
    raise RuntimeError("can't start new thread")


def test_outcome_behind_one_that_ends_the_loop(tmp_path: Path) -> None:
    """What a task that ends the event loop leaves unheard is heard when the loop runs again."""

    async def leave(store: Store) -> None:
        await store.memories.remember("last words")
        raise SystemExit(7)

    async def both(store: Store) -> None:
        tasks.append(asyncio.create_task(leave(store)))
        tasks.append(asyncio.create_task(store.info()))
        await asyncio.sleep(0)
        time.sleep(0.3)  # meanwhile the thread does what both asked for
        await asyncio.sleep(60)

    tasks: list[asyncio.Task[Any]] = []
    with closing(asyncio.new_event_loop()) as loop:
        store = loop.run_until_complete(_open(tmp_path / "agent.db"))
        waiting = loop.create_task(both(store))
        with pytest.raises(SystemExit):
            loop.run_until_complete(waiting)
        info = loop.run_until_complete(asyncio.wait_for(tasks[1], PATIENCE_S))
        assert info.engine == "sqlite"
        assert isinstance(tasks[0].exception(), SystemExit)
        waiting.cancel()
        loop.run_until_complete(asyncio.wait({waiting}))
        loop.run_until_complete(store.close())


@pytest.mark.asyncio
async def test_descriptors_of_a_store(tmp_path: Path) -> None:
    """A store has five files open: two connections to the file, two to its log, and the log's index."""
    async with memrepo.connect(tmp_path / "first.db"):
        pass  # what is opened once in a process
    n_descriptors = leaks.descriptors()
    stores = [await memrepo.connect(tmp_path / f"{n}.db") for n in range(20)]
    for store in stores:
        await store.memories.remember("a")
    assert leaks.descriptors() == n_descriptors + 20 * 5
    for store in stores:
        await store.close()
    assert leaks.descriptors() == n_descriptors


@pytest.mark.asyncio
async def test_more_outcomes_than_fit(tmp_path: Path) -> None:
    """Ten thousand outcomes that come while the event loop is busy are all told."""
    async with memrepo.connect(tmp_path / "agent.db") as store:
        known = await store.memories.remember("a")
        async with store.transaction() as tx:
            tasks = [asyncio.create_task(tx.memories.get(known.id)) for _ in range(10_000)]
            await asyncio.sleep(0)
            time.sleep(1.0)  # meanwhile the thread does most of them
            assert await asyncio.gather(*tasks) == [known.entry] * 10_000


@pytest.mark.asyncio
async def test_busy_stores_do_not_hold_up_the_loop(tmp_path: Path) -> None:
    """Thirty stores with twenty tasks each let the event loop pass: timers, sockets and others have their turn."""
    stores = [
        await memrepo.connect(tmp_path / f"{n}.db", durability="normal") for n in range(_N_STORES)
    ]
    n_done = 0
    most_at_once = 0

    async def use(store: Store) -> None:
        nonlocal n_done
        for n in range(20):
            await store.daily_logs.append(None, f"{n}")
            n_done += 1

    async def look() -> None:
        nonlocal most_at_once
        while True:
            before = n_done
            await asyncio.sleep(0)
            most_at_once = max(most_at_once, n_done - before)

    looker = asyncio.create_task(look())
    await asyncio.gather(*(use(store) for store in stores for _ in range(_N_TASKS)))
    looker.cancel()
    for store in stores:
        await store.close()
    # One call a task: whoever goes on within a pass of the loop waits for the next to go on again.
    assert 0 < most_at_once <= _N_STORES * _N_TASKS


#: Each task runs the event loop itself as soon as it has been answered.
_NESTED: Final = """
import asyncio, sys
import memrepo, nest_asyncio

nest_asyncio.apply()

async def inner(store, n):
    await store.memories.remember(f"inner {n}")
    await store.memories.find(1)

async def outer(store, n):
    await store.memories.remember(f"outer {n}")
    asyncio.get_running_loop().run_until_complete(inner(store, n))
    await store.memories.find(1)

async def main():
    async with memrepo.connect(sys.argv[1]) as store, asyncio.timeout(60):
        await asyncio.gather(*(outer(store, n) for n in range(5)))
        print(await store.memories.count())

asyncio.run(main())
"""


def test_loop_that_is_entered_again(tmp_path: Path) -> None:
    """A task that has just been answered may run the event loop itself, as nest_asyncio's users do."""
    command = [sys.executable, "-c", _NESTED, str(tmp_path / "agent.db")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "10\n"), done.stderr


@pytest.mark.asyncio
async def test_call_awaited_by_two_tasks(tmp_path: Path) -> None:
    """Of two tasks that await one call, one has its outcome; the other is told that it cannot."""
    async with memrepo.connect(tmp_path / "agent.db") as store:
        call = store.connection.write((versions.PING.bind(),))

        async def wait() -> object:
            return await call

        async with asyncio.timeout(PATIENCE_S):
            told = await asyncio.gather(wait(), wait(), return_exceptions=True)
        assert [type(outcome) for outcome in told] == [list, RuntimeError]


class InterruptAt:
    """Raises KeyboardInterrupt where memrepo's code, on this thread, is entered or left for the n-th time."""

    def __init__(self, step: int) -> None:
        self._left = step
        self.is_reached = False

    def __enter__(self) -> Self:
        gc.disable()  # Python crashes if this raises in the finalizer of a coroutine
        sys.setprofile(self._look)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)
        gc.enable()

    def _look(self, frame: FrameType, event: str, _argument: object) -> None:
        if event in ("call", "return") and frame.f_code.co_filename.startswith(_SOURCE):
            self._left -= 1
            if self._left < 0:
                sys.setprofile(None)
                self.is_reached = True
                raise KeyboardInterrupt


async def _at_once(store: Store, name: str, n_calls: int) -> None:
    await asyncio.gather(*(store.memories.remember(f"{name} {n}") for n in range(n_calls)))
    await asyncio.gather(*(store.memories.find(n + 1) for n in range(n_calls)))


async def _long_reads(store: Store, _name: str, n_calls: int) -> None:
    await asyncio.gather(*(store.memories.count() for _ in range(n_calls)))


async def _blocks(store: Store, name: str, n_blocks: int) -> None:
    async def block(n: int) -> None:
        async with store.transaction() as tx:
            await tx.memories.remember(f"{name} {n}")

    # A task holds the writer until it has ended, as it does where the interrupt goes on to end a program.
    blocks = [asyncio.create_task(block(n)) for n in range(n_blocks)]
    await asyncio.wait(blocks)


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
@pytest.mark.parametrize(
    ("use", "n_calls"), [(_at_once, 1), (_at_once, 3), (_blocks, 1), (_blocks, 3), (_long_reads, 2)]
)
@pytest.mark.slow
def test_interrupted_at_any_step(
    tmp_path: Path, use: Callable[[Store, str, int], Coroutine[Any, Any, None]], n_calls: int
) -> None:
    """Wherever a KeyboardInterrupt comes that the event loop survives, the store answers the next call."""
    with closing(asyncio.new_event_loop()) as loop:
        loop.set_exception_handler(lambda *_: None)  # asyncio tells of the interrupted callbacks
        store = loop.run_until_complete(_open(tmp_path / "agent.db"))
        for step in range(1_000):
            task = loop.create_task(use(store, f"{step}", n_calls))
            with contextlib.suppress(KeyboardInterrupt), InterruptAt(step) as interrupt:
                loop.run_until_complete(task)
            # Where a task gets the interrupt from one that it waits for, it may wait for good.
            with contextlib.suppress(KeyboardInterrupt):
                loop.run_until_complete(asyncio.wait({task}, timeout=0.02))
            task.cancel()
            after = _at_once if use is _blocks else use
            loop.run_until_complete(asyncio.wait_for(after(store, f"after {step}", 3), PATIENCE_S))
            if not interrupt.is_reached:
                break
        assert step > 30
        loop.run_until_complete(asyncio.wait_for(store.close(), PATIENCE_S))
    gc.collect()  # the coroutines that were cut off before they began: Python warns of them


def test_interrupted_task_in_a_group(tmp_path: Path) -> None:
    """A KeyboardInterrupt that the loop survives ends the task it hit; its neighbours have their outcome."""

    async def remember(store: Store, n: int) -> None:
        await store.memories.remember(f"{n}")
        if n == 3:
            raise KeyboardInterrupt

    with closing(asyncio.new_event_loop()) as loop:
        store = loop.run_until_complete(_open(tmp_path / "agent.db"))
        tasks = [loop.create_task(remember(store, n)) for n in range(10)]
        with pytest.raises(KeyboardInterrupt):
            loop.run_until_complete(asyncio.wait(tasks))
        loop.run_until_complete(asyncio.wait_for(asyncio.wait(tasks), PATIENCE_S))
        assert [isinstance(task.exception(), KeyboardInterrupt) for task in tasks].count(True) == 1
        assert loop.run_until_complete(asyncio.wait_for(store.memories.count(), PATIENCE_S)) == 11
        loop.run_until_complete(store.close())


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, RuntimeError, ValueError])
@pytest.mark.asyncio
async def test_exception_thrown_into_an_idle_thread(
    tmp_path: Path, error: type[BaseException]
) -> None:
    """A debugger may throw an exception into a thread that has nothing to do: the next call is answered."""
    before = leaks.threads()
    async with memrepo.connect(tmp_path / "agent.db") as store:
        await store.memories.remember("a")
        for n in range(5):
            await asyncio.sleep(0.02)  # until the threads sleep
            for thread in leaks.threads() - before:
                throw = ctypes.pythonapi.PyThreadState_SetAsyncExc
                assert throw(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(error)) == 1
            async with asyncio.timeout(PATIENCE_S):
                assert (await store.memories.remember(f"{n}")).outcome == "created"
                assert await store.memories.count() == n + 2
    await leaks.settled(before)


@pytest.mark.asyncio
async def test_exception_thrown_into_an_idle_thread_of_a_forgotten_store(tmp_path: Path) -> None:
    """It does not keep the threads of a store that is then forgotten, nor its file, open."""
    before = leaks.threads()
    store = await memrepo.connect(tmp_path / "agent.db")
    await asyncio.sleep(0.02)  # until the threads sleep
    for thread in leaks.threads() - before:
        throw = ctypes.pythonapi.PyThreadState_SetAsyncExc
        assert throw(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(ValueError)) == 1
    with pytest.warns(ResourceWarning, match="was never closed"):
        del store
    gc.collect()
    await leaks.settled(before)


@pytest.mark.asyncio
async def test_exceptions_thrown_into_busy_threads(tmp_path: Path) -> None:
    """Thrown at any moment, they fail calls at worst: none hangs, and none that was acknowledged is lost."""
    before = leaks.threads()
    kept: list[str] = []

    async def use(store: Store, name: str) -> None:
        for n in range(50):
            with contextlib.suppress(memrepo.DatabaseError):
                await store.memories.remember(f"{name} {n}")
                kept.append(f"{name} {n}")

    async with memrepo.connect(tmp_path / "agent.db", durability="normal") as store:
        tasks = [asyncio.create_task(use(store, f"{n}")) for n in range(10)]
        chance = random.Random(12)
        while not all(task.done() for task in tasks):
            for thread in leaks.threads() - before:
                throw = ctypes.pythonapi.PyThreadState_SetAsyncExc
                throw(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(ValueError))
            await asyncio.sleep(chance.uniform(0, 0.003))
        await asyncio.gather(*tasks)
        found = {entry.content async for entry in store.memories.iterate()}
        assert found >= set(kept)
        assert len(kept) > 100
    await leaks.settled(before)
