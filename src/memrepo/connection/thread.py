"""One SQLite connection on its own worker thread, and how to wait for that thread properly."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import sys
import threading
from asyncio import CancelledError
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Any, Self, TypeVar

import aiosqlite

from memrepo.connection.call import Call
from memrepo.connection.worker import Errand, WorkerConnection

__all__ = ["WorkerThread", "finish"]

T = TypeVar("T")


async def finish(work: Coroutine[Any, Any, T]) -> T:
    """
    Await *work* to its end, whatever happens to the task that awaits it.

    If that task is cancelled meanwhile, the cancellation is raised when the work is done.
    """
    task = asyncio.ensure_future(work)
    cancelled: CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except CancelledError as error:
            cancelled = error
        except Exception:  # noqa: BLE001 - raised by task.result() below
            break
    if cancelled is not None:
        if not task.cancelled():
            task.exception()  # marks it as seen
        raise cancelled
    return task.result()


class WorkerThread:
    """aiosqlite's connection to one database, by its public methods only."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection
        self._loop = asyncio.get_running_loop()

    @classmethod
    async def open(cls, uri: str, *, busy_slice_s: float) -> Self:
        """
        Start a thread and open the database on it.

        Raises:
            sqlite3.Error: It cannot be opened; the thread has ended.
        """
        connect = partial(
            aiosqlite.connect,
            uri,
            uri=True,
            factory=WorkerConnection,
            isolation_level=None,
            timeout=busy_slice_s,
            cached_statements=256,
        )
        thread = cls(await _call_on_daemon(connect))
        await thread._connection
        failures: list[sqlite3.Error | None] = []
        await thread.run(lambda worker: failures.append(worker.failure))
        if (failure := failures[0]) is not None:
            await thread.close()
            raise failure
        return thread

    async def run(self, errand: Callable[[WorkerConnection], None]) -> None:
        """Run *errand* on the thread, after everything that was given to it before."""
        await self._connection.execute_fetchall("", Errand(errand, self._loop))

    async def run_calls(
        self, run: Callable[[WorkerConnection, Sequence[Call]], None], calls: Sequence[Call]
    ) -> None:
        """
        Run *calls*; if this task is cancelled, stop them and see them stopped.

        So a cancelled call leaves nothing running behind it: when its CancelledError is raised, it
        has happened or it has not.
        """
        errand = Errand(lambda worker: run(worker, calls), self._loop)
        try:
            await self._connection.execute_fetchall("", errand)
        except CancelledError:
            for call in calls:
                call.is_cancelled = True
            await self.settle()
            raise

    async def settle(self) -> None:
        """Wait until the thread has done everything it was given so far, or is closed."""
        # aiosqlite's word for a connection that was closed meanwhile.
        with contextlib.suppress(ValueError):
            await finish(self.run(_nothing))

    async def pragma(self, name: str, value: str | int | None = None) -> Any:
        """Set a pragma, if a value is given, and return what the database says it is."""
        sql = f"PRAGMA {name}" if value is None else f"PRAGMA {name}={value}"
        rows = list(await self._connection.execute_fetchall(sql))
        return rows[0][0] if rows else None

    async def has_module(self, name: str) -> bool:
        """Tell whether the kind of virtual table is built in."""
        sql = "SELECT 1 FROM pragma_module_list WHERE name = ?"
        return bool(await self._connection.execute_fetchall(sql, (name,)))

    async def close(self) -> None:
        """Close the database and end the thread."""
        await self._connection.close()

    def stop(self) -> None:
        """Let the thread close the database and end, without waiting: for a forgotten close."""
        connection: Any = self._connection  # its `stop` is not fully typed
        stop: Callable[[], object] = connection.stop
        if sys.is_finalizing():
            stop()
            return
        try:
            # On a thread without an event loop: aiosqlite would tell the one that runs here, which
            # may be closed by then, and print a traceback.
            threading.Thread(target=stop, daemon=True).start()
        except RuntimeError:
            # Python 3.12 starts no thread any more when functions registered with atexit run.
            stop()


async def _call_on_daemon(make: Callable[[], T]) -> T:
    """
    Call *make* on a daemon thread.

    The thread that aiosqlite makes would keep the interpreter from ending if the store is never
    closed. A thread inherits being a daemon from the one that makes it.
    """
    loop = asyncio.get_running_loop()
    made: asyncio.Future[T] = loop.create_future()
    threading.Thread(
        target=lambda: loop.call_soon_threadsafe(made.set_result, make()), daemon=True
    ).start()
    return await made


def _nothing(_worker: WorkerConnection) -> None:
    pass
