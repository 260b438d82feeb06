"""One SQLite connection on its own worker thread."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from asyncio import CancelledError
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Self, TypeAlias, TypeVar

import aiosqlite

from memrepo.connection.pending import Call
from memrepo.connection.sqlite.bell import Bell, End, bell_of
from memrepo.connection.sqlite.jobs import JobQueue, new_queue
from memrepo.connection.sqlite.worker import WorkerConnection
from memrepo.connection.waiting import finish
from memrepo.domain.codec import Row, Value
from memrepo.errors import ClosedError

__all__ = ["Run", "WorkerThread"]

T = TypeVar("T")

#: What calls are for the worker: it leaves an outcome in each.
Run: TypeAlias = Callable[[WorkerConnection, Sequence[Call]], None]
_Job: TypeAlias = tuple[Run, Sequence[Call], End]


class WorkerThread:
    """
    A thread with one connection, which does one job after another.

    aiosqlite makes the thread and opens the database, but is not used for every call: with a queue and
    a bell of our own, the event loop learns of an outcome in one step instead of three.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        #: ``None`` stands at the end.
        self._jobs: JobQueue[_Job | None] = new_queue()
        self._bell: Bell | None = None
        self._is_closed = False
        self._has_ended = asyncio.Event()

    @classmethod
    async def open(cls, uri: str, *, busy_slice_s: float) -> Self:
        """
        Start a thread and open the database on it.

        Raises:
            sqlite3.Error: It cannot be opened; the thread has ended.
        """
        thread = cls()
        connect = partial(
            aiosqlite.connect,
            uri,
            uri=True,
            factory=partial(WorkerConnection, serve=thread._serve),
            isolation_level=None,
            timeout=busy_slice_s,
            cached_statements=256,
        )
        try:
            await _on_daemon(partial(_start, connect))
            thread._bell = bell_of(thread._loop)
            thread._bell.join()
            failures: list[sqlite3.Error | None] = []
            await thread.run(lambda worker: failures.append(worker.failure))
        except BaseException:
            thread.stop()
            raise
        if (failure := failures[0]) is not None:
            await thread.close()
            raise failure
        return thread

    def put(self, run: Run, calls: Sequence[Call], end: End) -> None:
        """
        Run *calls* on the thread, after everything that was given to it before.

        The event loop then calls *end* with them, and with what *run* raised.
        """
        if self._is_closed:
            self._loop.call_soon(end, calls, ClosedError("the connection is closed"))
        else:
            self._jobs.put((run, calls, end))

    async def run(self, errand: Callable[[WorkerConnection], None]) -> None:
        """Run *errand* on the thread, after everything that was given to it before."""
        await self._put_errand(errand)

    def _put_errand(self, errand: Callable[[WorkerConnection], None]) -> asyncio.Future[None]:
        future: asyncio.Future[None] = self._loop.create_future()

        def end(_calls: Sequence[Call], error: BaseException | None) -> None:
            _settle(future, error)

        self.put(lambda worker, _: errand(worker), (), end)
        return future

    async def run_calls(self, run: Run, calls: Sequence[Call]) -> None:
        """
        Run *calls*; if this task is cancelled, stop them and see them stopped.

        So a cancelled call leaves nothing running behind it: when its CancelledError is raised, it
        has happened or it has not.
        """
        try:
            await self.run(lambda worker: run(worker, calls))
        except CancelledError:
            for call in calls:
                call.is_cancelled = True
            await self.settle()
            raise

    async def settle(self) -> None:
        """Wait until the thread has done everything it was given so far, or is closed."""
        with contextlib.suppress(ClosedError):
            await finish(self.run(_nothing))

    async def fetch(self, sql: str, *parameters: Value) -> list[Row]:
        """Run one statement, and return its rows."""
        rows: list[Row] = []
        await self.run(lambda worker: rows.extend(worker.execute(sql, parameters)))
        return rows

    async def pragma(self, name: str, value: str | int | None = None) -> Any:
        """Set a pragma, if a value is given, and return what the database says it is."""
        rows = await self.fetch(f"PRAGMA {name}" if value is None else f"PRAGMA {name}={value}")
        return rows[0][0] if rows else None

    async def has_module(self, name: str) -> bool:
        """Tell whether the kind of virtual table is built in."""
        return bool(await self.fetch("SELECT 1 FROM pragma_module_list WHERE name = ?", name))

    async def close(self) -> None:
        """Close the database and end the thread."""
        if not self._is_closed:
            closing = self._put_errand(WorkerConnection.shut)
            self._is_closed = True
            self.stop()
            try:
                await closing
            finally:
                await self._has_ended.wait()
                self._jobs.close()

    def stop(self) -> None:
        """Let the thread close the database and end, without waiting: for a forgotten close."""
        self._jobs.put(None)

    # --- on the thread ---------------------------------------------------------------------------

    def _serve(self, worker: WorkerConnection) -> None:
        """Do one job after another, until there is none any more, or nobody to tell."""
        with contextlib.suppress(RuntimeError):  # the event loop is closed
            while self._has_done(self._jobs.get(), worker):
                pass
        if self._bell is not None:
            self._bell.leave(self._has_ended.set)

    def _has_done(self, job: _Job | None, worker: WorkerConnection) -> bool:
        # A function of its own, so that nothing of a job is kept while the next is waited for.
        if job is None or self._bell is None:
            return False
        run, calls, end = job
        error: BaseException | None = None
        try:
            run(worker, calls)
        except BaseException as raised:  # noqa: BLE001 - whoever waits is told
            error = raised
        self._bell.ring(end, calls, error)
        return True


def _start(connect: Callable[[], aiosqlite.Connection]) -> None:
    """
    Have aiosqlite open a database on a thread; then tell the thread to close the database and to end.

    That is put off by `WorkerConnection.close`. An event loop of its own stands between aiosqlite and
    the caller's, which may be closed by the time that aiosqlite has something to tell.
    """
    connection: Any = connect()  # its `stop` is not fully typed
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(_wait_for(connection))
    connection.stop()


async def _wait_for(connection: aiosqlite.Connection) -> None:
    await connection


async def _on_daemon(work: Callable[[], None]) -> None:
    """
    Do *work* on a daemon thread.

    The thread that aiosqlite makes would keep the interpreter from ending if the store is never
    closed. A thread inherits being a daemon from the one that makes it.
    """
    loop = asyncio.get_running_loop()
    done: asyncio.Future[None] = loop.create_future()

    def run() -> None:
        error: BaseException | None = None
        try:
            work()
        except BaseException as raised:  # noqa: BLE001 - whoever waits is told
            error = raised
        with contextlib.suppress(RuntimeError):  # the event loop is closed
            loop.call_soon_threadsafe(_settle, done, error)

    threading.Thread(target=run, daemon=True).start()
    await done


def _settle(future: asyncio.Future[None], error: BaseException | None) -> None:
    if future.done():
        return  # its task was cancelled
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)


def _nothing(_worker: WorkerConnection) -> None:
    pass
