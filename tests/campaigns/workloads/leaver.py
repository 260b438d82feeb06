"""
Leave a program without closing its store, in one of many ways.

usage: python -m workloads.leaver WAY DATABASE

Each way writes at least one unit, prints ``leaving`` and the time on the clock of
time.monotonic(), and leaves. What was acknowledged stands in the marker.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import gc
import multiprocessing
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import memrepo

from .units import Marker, write_unit

PATH = Path(sys.argv[2])
MARKER = Marker(PATH.with_name("marker"))
#: what outlives main() in the ways that keep something in a global
KEPT: list[Any] = []


async def use() -> memrepo.Store:
    """Open a store and write three units, one of them in a transaction."""
    store = await memrepo.connect(PATH)
    session = await store.sessions.start(end_active=True)
    for number in range(3):
        tag = f"u{number}-{time.monotonic_ns()}"
        MARKER.say("start", tag)
        await write_unit(store, session.id, number, tag)
        MARKER.say("ack", tag)
    return store


def leaving() -> None:
    """Say when the program begins to end."""
    print("leaving", time.monotonic(), flush=True)


def forgotten_local() -> None:
    """Keep the store in a local variable that goes with main()."""

    async def main() -> None:
        store = await use()
        assert store is not None
        leaving()

    asyncio.run(main())


def forgotten_global() -> None:
    """Keep the store in a global."""

    async def main() -> None:
        KEPT.append(await use())
        leaving()

    asyncio.run(main())


def kept_in_traceback() -> None:
    """Keep the store in the frame of a traceback that is kept."""

    async def main() -> None:
        store = await use()
        try:
            raise RuntimeError(f"with {store!r} in its frame")  # noqa: TRY301
        except RuntimeError as error:
            KEPT.append(error)
        leaving()

    asyncio.run(main())


def kept_in_cycle() -> None:
    """Keep the store in a cycle that nothing collects."""

    async def main() -> None:
        gc.disable()
        cycle: list[Any] = [await use()]
        cycle.append(cycle)
        leaving()

    asyncio.run(main())


def kept_by_atexit() -> None:
    """Keep the store as the argument of a function that runs at exit."""

    async def main() -> None:
        atexit.register(repr, await use())
        leaving()

    asyncio.run(main())


def closed_at_exit() -> None:
    """Close the store at exit, in a loop of its own: wrong, but it must not hang."""

    async def main() -> None:
        store = await use()

        def close() -> None:
            with contextlib.suppress(memrepo.MemrepoError):
                asyncio.run(store.close())

        atexit.register(close)
        leaving()

    asyncio.run(main())


def sys_exit() -> None:
    """Call sys.exit(3) in the middle."""

    async def main() -> None:
        KEPT.append(await use())
        leaving()
        sys.exit(3)

    asyncio.run(main())


def os_exit() -> None:
    """Call os._exit(4) in the middle."""

    async def main() -> None:
        KEPT.append(await use())
        leaving()
        os._exit(4)

    asyncio.run(main())


def unhandled_exception() -> None:
    """Raise something that nobody catches."""

    async def main() -> None:
        store = await use()
        leaving()
        raise RuntimeError(f"on purpose, {type(store).__name__}")

    asyncio.run(main())


async def _busy(store: memrepo.Store) -> None:
    """Write for as long as it is let."""
    number = 0
    while True:
        number += 1
        tag = f"busy{number}-{time.monotonic_ns()}"
        MARKER.say("start", tag)
        await write_unit(store, 1, number, tag)
        MARKER.say("ack", tag)


def interrupted() -> None:
    """Get a SIGINT in the middle of writing."""

    async def main() -> None:
        store = await use()
        tasks = [asyncio.create_task(_busy(store)) for _ in range(4)]
        await asyncio.sleep(0.1)
        leaving()
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.gather(*tasks)

    asyncio.run(main())


def terminated() -> None:
    """Get a SIGTERM in the middle of writing."""

    async def main() -> None:
        store = await use()
        tasks = [asyncio.create_task(_busy(store)) for _ in range(4)]
        await asyncio.sleep(0.1)
        leaving()
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.gather(*tasks)

    asyncio.run(main())


def in_cancelled_task() -> None:
    """Open the store in a task that is cancelled."""

    async def main() -> None:
        opened = asyncio.Event()

        async def agent() -> None:
            KEPT.append(await use())
            opened.set()
            await asyncio.sleep(60)

        task = asyncio.create_task(agent())
        await opened.wait()
        task.cancel()
        await asyncio.wait([task])
        leaving()

    asyncio.run(main())


def work_in_flight() -> None:
    """End main() while tasks are writing; asyncio.run cancels them."""

    async def main() -> None:
        store = await use()
        KEPT.extend(asyncio.create_task(_busy(store)) for _ in range(4))
        await asyncio.sleep(0.05)
        leaving()

    asyncio.run(main())


def loop_closed_in_flight() -> None:
    """Stop and close the loop while tasks are writing and nobody cancels them."""
    loop = asyncio.new_event_loop()

    async def main() -> None:
        store = await use()
        KEPT.extend(asyncio.create_task(_busy(store)) for _ in range(4))
        KEPT.append(store)
        await asyncio.sleep(0.05)

    loop.run_until_complete(main())
    leaving()
    loop.close()


def in_daemon_thread() -> None:
    """Run the loop in a daemon thread that never ends."""
    used = threading.Event()

    async def main() -> None:
        KEPT.append(await use())
        used.set()
        await asyncio.sleep(60)

    threading.Thread(target=asyncio.run, args=(main(),), daemon=True).start()
    used.wait(60)
    leaving()


def in_other_thread() -> None:
    """Run the loop in a thread that ends without closing."""

    async def main() -> None:
        KEPT.append(await use())
        leaving()

    thread = threading.Thread(target=asyncio.run, args=(main(),))
    thread.start()
    thread.join()


def in_transaction() -> None:
    """Leave with a transaction open: what it wrote must not be there."""

    async def main() -> None:
        store = await use()
        transaction = store.transaction()
        tx = await transaction.__aenter__()
        MARKER.say("start", "half")
        event: memrepo.JsonValue = {"unit": "half", "part": 0, "parts": 2}
        await tx.daily_logs.append(None, "unit", event)
        MARKER.say("refused", "half")
        KEPT.extend((store, transaction, tx))
        leaving()

    asyncio.run(main())


def in_iteration() -> None:
    """Leave in the middle of a stream of rows."""

    async def main() -> None:
        store = await use()
        rows = store.daily_logs.iterate()
        async for row in rows:
            KEPT.extend((rows, row))
            break
        leaving()

    asyncio.run(main())


def after_fork() -> None:
    """Fork with the store open; the child is told that it is not its store; both leave."""

    async def main() -> None:
        store = await use()
        KEPT.append(store)

        def in_child() -> None:
            try:
                asyncio.run(store.close())
            except memrepo.WrongLoopError:
                KEPT.clear()
                gc.collect()
                sys.exit(5)

        child = multiprocessing.get_context("fork").Process(target=in_child)
        child.start()
        child.join(timeout=60)
        assert child.exitcode == 5, child.exitcode
        tag = "after-the-fork"
        MARKER.say("start", tag)
        await write_unit(store, 1, 0, tag)
        MARKER.say("ack", tag)
        leaving()

    asyncio.run(main())


def while_opening() -> None:
    """End main() while the store is still being opened."""

    async def main() -> None:
        KEPT.append(asyncio.create_task(use()))
        await asyncio.sleep(random.uniform(0, 0.03))
        leaving()

    asyncio.run(main())


WAYS: dict[str, Callable[[], None]] = {
    way.__name__: way
    for way in (
        forgotten_local,
        forgotten_global,
        kept_in_traceback,
        kept_in_cycle,
        kept_by_atexit,
        closed_at_exit,
        sys_exit,
        os_exit,
        unhandled_exception,
        interrupted,
        terminated,
        in_cancelled_task,
        work_in_flight,
        loop_closed_in_flight,
        in_daemon_thread,
        in_other_thread,
        in_transaction,
        in_iteration,
        after_fork,
        while_opening,
    )
}

if __name__ == "__main__":
    WAYS[sys.argv[1]]()
