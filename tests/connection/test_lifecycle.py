"""Opening, closing, leaving: never a hang, never a leak, a clear error instead (failures.md, LI)."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import sqlite3
import subprocess
import sys
import time
import warnings
from collections.abc import Awaitable, Callable
from pathlib import Path
from textwrap import dedent
from typing import Any, Final

import pytest
import trio

import memrepo
from memrepo import ClosedError, Store, WrongLoopError
from memrepo.connection.sqlite.thread import WorkerThread
from tests import leaks
from tests.conftest import Clock
from tests.patience import PATIENCE_S

#: Seconds in which a program ends: far fewer than what it leaves waiting would take, and enough for a busy machine.
_SOON_S: Final = 25.0

PREAMBLE = """
import asyncio, os, sys, time
import memrepo

URL = sys.argv[1]

async def open_and_write():
    store = await memrepo.connect(URL)
    await store.memories.remember("kept")
    return store

def ready():
    print("ready", time.time(), flush=True)
"""


def leave(script: str, url: str, *, send: signal.Signals | None = None) -> tuple[int, str, float]:
    """Run a program; return its exit code, what it wrote to stderr, and the seconds it took to end."""
    with subprocess.Popen(
        [sys.executable, "-W", "always", "-c", PREAMBLE + dedent(script), url],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        if send is not None:
            process.send_signal(send)
        try:
            _, errors = process.communicate(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            pytest.fail(f"the program hangs: {process.communicate()[1]}")
    assert line.startswith("ready"), errors
    return process.returncode, errors, time.time() - float(line.split()[1])


def left_well(url: str) -> bool:
    """Tell whether the file holds what the program has written, and is whole."""

    async def check() -> bool:
        async with memrepo.connect(url) as store:
            texts = [entry.content for entry in await store.memories.find_many()]
            return texts == ["kept"]

    return asyncio.run(check())


# --- a forgotten close -------------------------------------------------------------------------

FORGOTTEN = {
    "dropped_at_exit": """
        import atexit
        kept = []
        async def main():
            kept.append(await open_and_write())
        asyncio.run(main())
        atexit.register(kept.clear)
        ready()
        """,
    "local": """
        async def main():
            store = await open_and_write()
        asyncio.run(main())
        ready()
        """,
    "global": """
        async def main():
            global store
            store = await open_and_write()
        asyncio.run(main())
        ready()
        """,
    "cycle": """
        class Owner: pass
        async def main():
            owner = Owner()
            owner.me, owner.store = owner, await open_and_write()
        asyncio.run(main())
        ready()
        """,
    "traceback": """
        async def main():
            store = await open_and_write()
            raise ZeroDivisionError
        try:
            asyncio.run(main())
        except ZeroDivisionError as error:
            sys.last_value = kept = error
        ready()
        """,
    "atexit": """
        import atexit
        async def main():
            store = await open_and_write()
            atexit.register(lambda: store)
        asyncio.run(main())
        ready()
        """,
    "loop by hand": """
        loop = asyncio.new_event_loop()
        store = loop.run_until_complete(open_and_write())
        ready()
        loop.close()
        """,
    "repository only": """
        async def main():
            global memories
            memories = (await open_and_write()).memories
        asyncio.run(main())
        ready()
        """,
    "open transaction": """
        async def main():
            global tx, block
            store = await open_and_write()
            block = store.transaction()
            tx = await block.__aenter__()
            await tx.memories.remember("not committed")
        asyncio.run(main())
        ready()
        """,
}


@pytest.mark.parametrize(
    ("program", "driver"),
    [*((program, "file") for program in FORGOTTEN), ("global", "memory"), ("cycle", "memory")],
)
@pytest.mark.slow
def test_forgotten_close(tmp_path: Path, program: str, driver: str) -> None:
    """LI-01, LI-02: a program that forgot to close ends within 2 seconds, with code 0 and no traceback."""
    url = ":memory:" if driver == "memory" else str(tmp_path / "agent.db")
    code, errors, took = leave(FORGOTTEN[program], url)
    assert code == 0, errors
    assert "Traceback" not in errors, errors
    assert "Exception" not in errors, errors
    assert errors.count("ResourceWarning: <") <= 1, errors
    assert took < _SOON_S
    assert driver == "memory" or left_well(url)


def test_forgotten_close_warns_once(tmp_path: Path) -> None:
    """LI-01: a program that forgot to close is told so once, with what to write instead."""
    _, errors, _ = leave(FORGOTTEN["local"], str(tmp_path / "agent.db"))
    assert errors.count("ResourceWarning: <") == 1, errors
    assert "use 'async with memrepo.connect(...)'" in errors


@pytest.mark.asyncio
async def test_forgotten_close_in_a_running_program(url: str, clock: Clock) -> None:
    """A store that is dropped without a close gives one ResourceWarning, and its threads end."""
    threads = leaks.threads()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        store: Store | None = await memrepo.connect(url, clock=clock)
        assert store is not None
        await store.memories.remember("a")
        store = None
        gc.collect()
        await leaks.settled(threads)
        gc.collect()
    found = [str(w.message) for w in caught if issubclass(w.category, ResourceWarning)]
    assert len(found) == 1
    assert "was never closed" in found[0]


def test_forgotten_close_after_the_event_loop(url: str) -> None:
    """The threads of a store that is dropped when its event loop is closed end, too."""

    async def open_store() -> Store:
        store = await memrepo.connect(url)
        await store.memories.remember("a")
        return store

    threads = leaks.threads()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        store: Store | None = asyncio.run(open_store())
        assert store is not None
        assert leaks.threads() > threads
        store = None
        gc.collect()
        asyncio.run(leaks.settled(threads))
        gc.collect()


# --- ways to leave -----------------------------------------------------------------------------


@pytest.mark.parametrize("is_open", [False, True], ids=["async with", "forgotten"])
def test_sys_exit(tmp_path: Path, *, is_open: bool) -> None:
    """LI: `sys.exit` from inside the program gives its code, within 2 seconds."""
    url = str(tmp_path / "agent.db")
    block = "async with memrepo.connect(URL) as store:" if not is_open else "if True:"
    script = f"""
        async def main():
            global store
            {"store = await memrepo.connect(URL)" if is_open else "pass"}
            {block}
                await store.memories.remember("kept")
                ready()
                sys.exit(7)
        asyncio.run(main())
        """
    code, errors, took = leave(script, url)
    assert code == 7, errors
    assert "Traceback" not in errors, errors
    assert took < _SOON_S
    assert left_well(url)


@pytest.mark.parametrize("driver", ["file", "memory"])
def test_end_with_calls_that_wait(tmp_path: Path, driver: str) -> None:
    """Calls that run and wait when `asyncio.run` ends are cancelled with their tasks, and silently."""
    url = ":memory:" if driver == "memory" else str(tmp_path / "agent.db")
    script = """
        async def hold(store):
            async with store.transaction():
                await asyncio.sleep(30)
        async def main():
            global store
            store = await memrepo.connect(URL)
            await store.memories.remember("kept")
            holder = asyncio.create_task(hold(store))
            await asyncio.sleep(0.1)
            tasks = [asyncio.create_task(store.memories.remember("cut off")) for _ in range(50)]
            tasks += [asyncio.create_task(store.memories.count()) for _ in range(50)]
            await asyncio.sleep(0)
            ready()
            return [holder, *tasks]
        tasks = asyncio.run(main())
        assert all(task.done() for task in tasks)
        """
    code, errors, took = leave(script, url)
    assert code == 0, errors
    assert "Traceback" not in errors, errors
    assert took < _SOON_S
    assert driver == "memory" or left_well(url)


def test_end_while_opening(url: str, caplog: pytest.LogCaptureFixture) -> None:
    """A program that ends while a store is being opened, at whatever moment, ends silently."""

    async def open_store() -> Store:
        return await memrepo.connect(url)

    async def main(n_passes: int) -> None:
        opening.append(asyncio.create_task(open_store()))
        for _ in range(n_passes):
            await asyncio.sleep(0)
            time.sleep(0.0005)  # for the threads

    opening: list[asyncio.Task[Store]] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        threads = leaks.threads()
        for n_passes in range(40):
            asyncio.run(main(n_passes))
        opening.clear()
        gc.collect()
        asyncio.run(leaks.settled(threads))
    assert [record for record in caplog.records if record.name == "asyncio"] == []


def test_end_while_opening_takes_no_time(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However slowly the program is told that its thread is to stop, it ends: before, it could hang."""
    stop = WorkerThread.stop

    def stop_slowly(thread: WorkerThread) -> None:
        stop(thread)
        time.sleep(0.01)  # meanwhile, the thread may end

    monkeypatch.setattr(WorkerThread, "stop", stop_slowly)

    async def main(n_passes: int) -> None:
        opening.append(asyncio.create_task(_open(url)))
        for _ in range(n_passes):
            await asyncio.sleep(0)
            time.sleep(0.0005)  # for the threads

    opening: list[asyncio.Task[Store]] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        for n_passes in range(20):
            asyncio.run(main(n_passes))
        opening.clear()
        gc.collect()


async def _open(url: str) -> Store:
    return await memrepo.connect(url)


@pytest.mark.parametrize("is_forgotten", [False, True], ids=["closed", "forgotten"])
def test_sys_exit_in_a_group(tmp_path: Path, *, is_forgotten: bool) -> None:
    """`sys.exit` in one of the tasks that a group answered ends the program with its code."""
    url = str(tmp_path / "agent.db")
    script = f"""
        async def write(store, number):
            await store.daily_logs.append(None, f"event {{number}}")
            if number == 5:
                ready()
                sys.exit(7)
        async def main():
            global store
            store = await memrepo.connect(URL)
            try:
                await store.memories.remember("kept")
                tasks = [asyncio.create_task(write(store, number)) for number in range(20)]
                await asyncio.sleep(30)
            finally:
                {"pass" if is_forgotten else "await store.close()"}
        asyncio.run(main())
        """
    code, errors, took = leave(script, url)
    assert code == 7, errors  # asyncio prints that nobody awaits the task
    assert took < _SOON_S
    assert left_well(url)


@pytest.mark.parametrize(
    ("sent", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, -signal.SIGTERM)]
)
def test_signal_in_a_transaction(tmp_path: Path, sent: signal.Signals, code: int) -> None:
    """LI-11: a signal inside a transaction ends the program at once, and undoes the block."""
    url = str(tmp_path / "agent.db")
    script = """
        async def main():
            async with memrepo.connect(URL) as store:
                await store.memories.remember("kept")
                async with store.transaction() as tx:
                    await tx.memories.remember("not committed")
                    ready()
                    await asyncio.sleep(30)
        try:
            asyncio.run(main())
        except KeyboardInterrupt:
            sys.exit(130)
        """
    found, errors, took = leave(script, url, send=sent)
    assert found == code, errors
    assert "Traceback" not in errors
    assert took < _SOON_S
    assert left_well(url)


def test_second_run_with_one_store(tmp_path: Path) -> None:
    """LI-07: a store that outlived its `asyncio.run` is refused in the next one, and nothing hangs."""
    script = """
        async def use(store):
            for call in (store.memories.count(), store.close(), store.sessions.start()):
                try:
                    await call
                except memrepo.WrongLoopError:
                    continue
                sys.exit(3)
        store = asyncio.run(open_and_write())
        ready()
        asyncio.run(use(store))
        """
    code, errors, took = leave(script, str(tmp_path / "agent.db"))
    assert code == 0, errors
    assert "Traceback" not in errors
    assert took < _SOON_S
    assert left_well(str(tmp_path / "agent.db"))


def test_fork(tmp_path: Path) -> None:
    """LI-10: a forked child is refused at once, and its own end harms neither parent nor file."""
    script = """
        import gc, warnings
        warnings.simplefilter("ignore")
        loop = asyncio.new_event_loop()
        store = loop.run_until_complete(memrepo.connect(URL))
        loop.run_until_complete(store.memories.remember("kept"))

        async def use():
            start = time.monotonic()
            async def begin():
                async with store.transaction():
                    pass
            for call in (store.memories.count(), store.memories.remember("x"), store.close(), begin()):
                try:
                    await call
                except memrepo.WrongLoopError:
                    continue
                sys.exit(3)
            if time.monotonic() - start > 25:
                sys.exit(4)

        for kind in ("normal", "collected", "at once"):
            if (child := os.fork()) == 0:
                asyncio.run(use())
                if kind == "collected":
                    del store
                    gc.collect()
                if kind == "at once":
                    os._exit(5)
                sys.exit(5)
            _, status = os.waitpid(child, 0)
            if os.waitstatus_to_exitcode(status) != 5:
                sys.exit(os.waitstatus_to_exitcode(status))
            fact = loop.run_until_complete(store.memories.remember(kind))
            loop.run_until_complete(store.memories.forget(fact.id))
        ready()
        loop.run_until_complete(store.close())
        loop.close()
        """
    code, errors, took = leave(script, str(tmp_path / "agent.db"))
    assert code == 0, errors
    assert "Traceback" not in errors, errors
    assert took < _SOON_S
    assert left_well(str(tmp_path / "agent.db"))


# --- closing -----------------------------------------------------------------------------------


async def _block(store: Store) -> None:
    async with store.transaction():
        pytest.fail("the block ran")


CALLS: dict[str, Callable[[Store], Awaitable[object]]] = {
    "remember": lambda store: store.memories.remember("late"),
    "get": lambda store: store.memories.get(1),
    "scoped": lambda store: store.scoped("user:1").sessions.get_or_start(),
    "append": lambda store: store.daily_logs.append(None, "x"),
    "migrate": lambda store: store.migrate(),
    "transaction": _block,
    "iterate": lambda store: anext(store.memories.iterate()),
}


@pytest.mark.asyncio
async def test_five_closes_at_once(url: str, clock: Clock) -> None:
    """LI-04: five closes at once, and a sixth after them, all return."""
    store = await memrepo.connect(url, clock=clock)
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*(store.close() for _ in range(5)))
        await store.close()


@pytest.mark.asyncio
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
async def test_use_after_close(
    url: str, clock: Clock, call: Callable[[Store], Awaitable[object]]
) -> None:
    """LI-05: whatever is called after the close is refused at once, and does not open it again."""
    store = await memrepo.connect(url, clock=clock)
    await store.close()
    async with asyncio.timeout(PATIENCE_S):
        for _ in range(2):
            with pytest.raises(ClosedError):
                await call(store)


@pytest.mark.asyncio
async def test_use_during_close(url: str, clock: Clock) -> None:
    """LI-05: what runs while the store is closed is done or refused, and what was done is stored."""
    store = await memrepo.connect(url, clock=clock)
    calls = [asyncio.create_task(store.memories.remember(f"fact {n}")) for n in range(50)]
    await asyncio.sleep(0)
    async with asyncio.timeout(PATIENCE_S):
        closing = asyncio.create_task(store.close())
        await asyncio.sleep(0)
        with pytest.raises(ClosedError):
            await store.memories.remember("late")
        results = await asyncio.gather(*calls, return_exceptions=True)
        await closing
    done = [result for result in results if isinstance(result, memrepo.Remembered)]
    assert all(isinstance(r, memrepo.Remembered | ClosedError) for r in results), results
    if url != ":memory:":
        async with memrepo.connect(url, clock=clock) as store:
            stored = {entry.id async for entry in store.memories.iterate()}
            assert stored == {result.id for result in done}


@pytest.mark.asyncio
async def test_close_behind_a_lock(tmp_path: Path, clock: Clock) -> None:
    """LI-05: closing does not wait for another program's lock; what waits for it is refused, not stored."""
    path = tmp_path / "agent.db"
    store = await memrepo.connect(path, clock=clock, lock_timeout_s=2 * PATIENCE_S)
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        calls = [asyncio.create_task(store.memories.remember(f"fact {n}")) for n in range(5)]
        calls.append(asyncio.create_task(_enter(store)))
        await asyncio.sleep(0.05)
        async with asyncio.timeout(PATIENCE_S):
            await store.close()
            results = await asyncio.gather(*calls, return_exceptions=True)
        assert [type(result) for result in results] == [ClosedError] * 6
        other.execute("ROLLBACK")
    async with memrepo.connect(path, clock=clock) as store:
        assert await store.memories.count() == 0


async def _enter(store: Store) -> Any:
    await _block(store)


@pytest.mark.asyncio
async def test_connect_twice(url: str, clock: Clock) -> None:
    """LI-14: one `connect(...)` that is used twice opens two stores, and closing one leaves the other."""
    opening = memrepo.connect(url, clock=clock)
    one, two = await opening, await opening
    await one.close()
    await two.memories.remember("a")
    await two.close()


def test_connect_not_awaited() -> None:
    """Whoever forgets to await a store is told so, and other objects are still told apart from it."""
    opening: Any = memrepo.connect(":memory:")
    for name in ("memories", "sessions", "daily_logs", "scoped", "transaction", "close"):
        with pytest.raises(AttributeError, match=f"{name}.*: await it, or use `async with`"):
            getattr(opening, name)
    assert not hasattr(opening, "__len__")


@pytest.mark.asyncio
async def test_connect_entered_twice(url: str, clock: Clock) -> None:
    """Two blocks at a time of one `connect(...)` are refused, and the first goes on; its store is closed once."""
    opening = memrepo.connect(url, clock=clock)
    async with opening as store:
        with pytest.raises(memrepo.UsageError, match="call connect for each block"):
            async with opening:
                pytest.fail("entered twice")
        await store.memories.remember("a")
    with pytest.raises(memrepo.ClosedError):
        await store.memories.count()
    both = await asyncio.gather(opening.__aenter__(), opening.__aenter__(), return_exceptions=True)
    assert [type(one) for one in both] == [Store, memrepo.UsageError]
    await opening.__aexit__(None, None, None)


@pytest.mark.asyncio
async def test_connect_entered_again_after_a_failure(tmp_path: Path) -> None:
    """What could not be opened can be tried again with the same object."""
    opening = memrepo.connect(tmp_path / "missing" / "agent.db")
    with pytest.raises(memrepo.MemrepoError):
        await opening.__aenter__()
    (tmp_path / "missing").mkdir()
    async with opening as store:
        assert await store.memories.count() == 0


def test_trio(url: str, tmp_path: Path) -> None:
    """Another event loop than asyncio's is told so, however a store is to be opened."""

    async def open_them() -> None:
        opening = memrepo.connect(url)
        with pytest.raises(memrepo.WrongLoopError, match="trio"):
            await opening
        with pytest.raises(memrepo.WrongLoopError, match="trio"):
            async with opening:
                pytest.fail("opened")
        pool = memrepo.StorePool(f"{tmp_path}/{{tenant}}.db")
        with pytest.raises(memrepo.WrongLoopError, match="trio"):
            async with pool:
                pytest.fail("opened")

    trio.run(open_them)

    async def use(store: memrepo.Store) -> None:
        with pytest.raises(memrepo.WrongLoopError, match="trio"):
            await store.memories.count()
        with pytest.raises(memrepo.WrongLoopError, match="trio"):
            await store.close()

    with asyncio.Runner() as runner:
        store = runner.run(_opened(url))
        trio.run(use, store)
        runner.run(store.close())


async def _opened(url: str) -> memrepo.Store:
    return await memrepo.connect(url)


@pytest.mark.asyncio
async def test_connect_cancelled_then_retried(url: str, clock: Clock) -> None:
    """LI-14: an opening that timed out can be tried again."""
    threads = leaks.threads()
    for delay in (0, 0.0005, 0.002, 0.005):
        try:
            store = await asyncio.wait_for(_connect(url, clock), delay)
        except TimeoutError:
            store = await _connect(url, clock)
        await store.memories.remember("a")
        assert await store.memories.count() == 1
        await store.close()
    await leaks.settled(threads)


async def _connect(url: str, clock: Clock) -> Store:
    return await memrepo.connect(url, clock=clock)


@pytest.mark.asyncio
async def test_two_in_memory(clock: Clock) -> None:
    """Two memories in one process are two databases."""
    async with memrepo.connect(":memory:") as one, memrepo.connect(":memory:") as two:
        await one.memories.remember("a")
        assert await two.memories.count() == 0


# --- event loops -------------------------------------------------------------------------------


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_another_loop(url: str, clock: Clock, call: Callable[[Store], Awaitable[object]]) -> None:
    """LI-07: a store is refused in another event loop, and goes on in its own."""

    async def use(store: Store) -> None:
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises(WrongLoopError):
                await call(store)
            with pytest.raises(WrongLoopError):
                await store.close()

    with asyncio.Runner() as own, asyncio.Runner() as other:
        store = own.run(_connect(url, clock))
        other.run(use(store))
        own.run(store.memories.remember("a"))
        assert own.run(store.memories.count()) == 1
        own.run(store.close())


def test_another_thread(url: str, clock: Clock) -> None:
    """A store is refused in an event loop of another thread, while its own loop runs."""
    caught: list[BaseException] = []

    def use(store: Store) -> None:
        try:
            asyncio.run(store.memories.count())
        except WrongLoopError as error:
            caught.append(error)

    async def main() -> None:
        async with memrepo.connect(url, clock=clock) as store:
            await asyncio.to_thread(use, store)
            await store.memories.remember("a")

    asyncio.run(main())
    assert len(caught) == 1


# --- nothing is left ---------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_open_and_close_often(tmp_path: Path, clock: Clock) -> None:
    """A hundred stores that are opened and closed leave no thread and no descriptor behind."""
    async with memrepo.connect(tmp_path / "agent.db", clock=clock):
        pass
    threads = leaks.threads()
    n_descriptors = leaks.descriptors()
    for n in range(100):
        url = ":memory:" if n % 2 else tmp_path / "agent.db"
        async with memrepo.connect(url, clock=clock) as store:
            await store.memories.remember("a")
    await leaks.settled(threads)
    assert leaks.descriptors() == n_descriptors


NO_DESCRIPTORS = """
    import gc, resource

    async def open_with(n_free):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        lowest = os.dup(0)
        os.close(lowest)
        resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + n_free, hard))
        try:
            store = await memrepo.connect(URL)
        except memrepo.DatabaseError:
            return False
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        await store.close()
        return True

    async def main():
        await (await open_and_write()).close()
        gc.collect()
        fds = os.listdir("/proc/self/fd")
        for n_free in range(24):
            has_opened = await open_with(n_free)
            for _ in range(1_000):  # what ends, ends soon
                gc.collect()
                if os.listdir("/proc/self/fd") == fds:
                    break
                await asyncio.sleep(0.05)
            else:
                sys.exit(f"leaked at {n_free}: {fds} before, {os.listdir('/proc/self/fd')} after")
            assert has_opened or n_free < 20
        await (await open_and_write()).close()
        ready()

    asyncio.run(main())
"""


def test_open_without_descriptors(tmp_path: Path) -> None:
    """A process that has run out of descriptors is told so by a typed error, at each that opening needs."""
    code, _, _ = leave(NO_DESCRIPTORS, str(tmp_path / "agent.db"))
    assert code == 0


FIXTURES = """
import os
import threading
import time

import pytest
import pytest_asyncio

import memrepo

# What the process holds while a store is open: on a file, and in memory.
seen = ([], [])


@pytest_asyncio.fixture
async def store(tmp_path_factory, request):
    folder = tmp_path_factory.getbasetemp()
    url = ":memory:" if request.param % 2 else folder / "agent.db"
    async with memrepo.connect(url) as store:
        yield store


@pytest.mark.asyncio
@pytest.mark.parametrize("store", range(200), indirect=True)
async def test_use(store, request):
    assert await store.memories.count() <= 1
    await store.memories.remember("a")
    number = request.node.callspec.params["store"]
    seen[number % 2].append((threading.active_count(), len(os.listdir("/proc/self/fd"))))


@pytest.mark.parametrize("driver", [0, 1], ids=["file", "memory"])
@pytest.mark.parametrize("what", [0, 1], ids=["threads", "descriptors"])
def test_flat(driver, what):
    held = [sample[what] for sample in seen[driver]]
    assert len(held) == 100
    # A sample can catch what is just ending, and count more than is held; it never counts less.
    assert min(held[-10:]) <= min(held[:10]), held


def test_nothing_is_left():
    deadline = time.monotonic() + 10
    while len(threads := threading.enumerate()) > 1:
        assert time.monotonic() < deadline, threads
        time.sleep(0.005)
"""


@pytest.mark.slow
def test_pytest_asyncio_fixtures(tmp_path: Path) -> None:
    """LI-12: 200 tests with a function fixture, each in its own loop, pass and leave nothing behind."""
    (tmp_path / "test_fixtures.py").write_text(FIXTURES)
    (tmp_path / "pytest.ini").write_text(
        "[pytest]\nasyncio_mode = strict\nasyncio_default_fixture_loop_scope = function\n"
        "filterwarnings = error\n"
    )
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *("-p", "pytest_asyncio.plugin", "."),
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},  # others take long to import
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "205 passed" in done.stdout


def test_event_loop_closed_while_a_transaction_ends(tmp_path: Path) -> None:
    """A loop that ends in the middle of a commit leaves no exception behind, though others wait for the writer."""
    script = """
        import gc
        loop = asyncio.new_event_loop()
        store = loop.run_until_complete(open_and_write())

        async def use():
            async with store.transaction() as tx:
                await tx.memories.find(1)
                loop.call_soon(loop.stop)  # after the step in which the commit begins

        tasks = [loop.create_task(use()) for _ in range(3)]
        ready()
        loop.run_forever()
        loop.close()
        time.sleep(0.1)  # until the thread has answered
        del tasks[0]  # those that wait stay
        gc.collect()
        """
    code, errors, _ = leave(script, str(tmp_path / "agent.db"))
    assert code == 0, errors
    assert "Traceback" not in errors, errors
    assert left_well(str(tmp_path / "agent.db"))
