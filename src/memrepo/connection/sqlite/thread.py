"""
One SQLite connection on its own worker thread.

aiosqlite makes the thread and opens the database on it. The last thing it does with a connection is to
close it, and `WorkerConnection.close` does jobs from our own queue first. So a group of calls is one job
and one message back, and nothing of aiosqlite but its public methods is used::

    event loop            helper thread (daemon)            worker thread
        | open() ------------> aiosqlite.connect ------------> WorkerConnection(...)
        |                      connection.stop()  -----------> connection.close()
        | put(job) ------------------------------------------>   job.run(connection)
        | <-- call_soon_threadsafe(job.answer) ---------------   ... until stop()
        |                                                        sqlite3.Connection.close()

The helper thread has an event loop of its own, because the caller's may be closed at any moment. It is a
daemon, which makes the worker one, too, so that a store that was never closed does not keep the
interpreter from exiting.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from queue import SimpleQueue
from typing import Any, Protocol, Self, TypeAlias

import aiosqlite
import attrs

from memrepo.connection.contract import Result
from memrepo.connection.pending import PendingCall
from memrepo.connection.sqlite.errors import worker_failed
from memrepo.connection.sqlite.worker import WorkerConnection
from memrepo.domain.codec import Row, Value
from memrepo.errors import ClosedError

__all__ = ["Asker", "Job", "Run", "WorkerThread"]

#: Runs calls on the thread, and leaves an outcome in each.
Run: TypeAlias = Callable[[WorkerConnection, Sequence[PendingCall]], None]


class Asker(Protocol):
    """Gives the thread a job, and is told on the event loop when it is done, perhaps twice."""

    def answer(self, calls: Sequence[PendingCall], /) -> None:
        """Take note that the calls were run."""
        ...

    def fail(self, calls: Sequence[PendingCall], error: BaseException, /) -> None:
        """Take note that the job ended in an error; calls without an outcome may not have run."""
        ...


@attrs.define(eq=False)
class Job:
    """Something for the thread to do."""

    run: Run
    calls: Sequence[PendingCall]
    asker: Asker
    #: Whether the thread has begun with it, so that it is not done twice.
    has_begun: bool = False
    #: Whether the thread is done with it.
    has_ended: bool = False
    #: The error it ended in; ``None`` once it has succeeded.
    error: BaseException | None = attrs.field(factory=InterruptedError)


class _Errand:
    """Asks for a job that has no calls, and wakes the task that waits until it is done."""

    def __init__(self, future: asyncio.Future[None]) -> None:
        self.future = future

    def answer(self, _calls: Sequence[PendingCall]) -> None:
        if not self.future.done():
            self.future.set_result(None)

    def fail(self, _calls: Sequence[PendingCall], error: BaseException) -> None:
        if not self.future.done():
            self.future.set_exception(error)


class _Single:
    """Asks for a call that is in no queue."""

    def answer(self, calls: Sequence[PendingCall]) -> None:
        for call in calls:
            call.tell()

    def fail(self, calls: Sequence[PendingCall], error: BaseException) -> None:
        for call in calls:
            call.outcome = worker_failed(error)
            call.tell()


class WorkerThread:
    """A thread with one connection, which does one job after another."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._jobs: deque[Job] = deque()
        #: Wakes the thread: ``True`` for a job, ``False`` to end.
        self._wake: SimpleQueue[bool] = SimpleQueue()
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
            failures: list[sqlite3.Error | None] = []
            await thread.run(lambda worker: failures.append(worker.failure))
        except BaseException:
            thread.stop()
            raise
        if (failure := failures[0]) is not None:
            await thread.close()
            raise failure
        return thread

    def put(self, run: Run, calls: Sequence[PendingCall], asker: Asker) -> Job:
        """
        Run *calls* on the thread, after all earlier jobs.

        *asker* is then told on the event loop.
        """
        job = Job(run, calls, asker)
        if self._is_closed:
            self._loop.call_soon(asker.fail, calls, ClosedError("the connection is closed"))
            return job
        try:
            self._jobs.append(job)
        finally:  # a KeyboardInterrupt must not leave a job behind that the thread does not know of
            self._wake.put(True)
        return job

    async def call(self, run: Run, call: PendingCall) -> list[Result]:
        """Run *call* without queueing, and return its results, or raise its error."""
        call.is_running = True
        self.put(run, [call], _Single())
        return await call.wait()

    async def run(self, errand: Callable[[WorkerConnection], None]) -> None:
        """Run *errand* on the thread, after all earlier jobs."""
        await self._put_errand(errand)

    def _put_errand(self, errand: Callable[[WorkerConnection], None]) -> asyncio.Future[None]:
        future: asyncio.Future[None] = self._loop.create_future()
        self.put(lambda worker, _: errand(worker), (), _Errand(future))
        return future

    async def fetch(self, sql: str, *parameters: Value) -> list[Row]:
        """Run one statement, and return its rows."""
        rows: list[Row] = []
        await self.run(lambda worker: rows.extend(worker.execute(sql, parameters)))
        return rows

    async def pragma(self, name: str, value: str | int | None = None) -> Any:
        """Return the value of a pragma, after setting it if a value is given."""
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

    def stop(self) -> None:
        """Have the thread close the database and end; does not wait for it."""
        self._wake.put(False)

    # --- on the thread ---------------------------------------------------------------------------

    def _serve(self, worker: WorkerConnection) -> None:
        """
        Do one job after another, until the thread is stopped or the event loop is closed.

        A debugger can throw an exception into the thread at any moment. So a job stays in the queue
        until the event loop has been told of it, which may happen twice.
        """
        tell = self._loop.call_soon_threadsafe
        while not self._loop.is_closed():
            try:
                while not self._jobs:
                    if not self._wake.get():
                        tell(self._has_ended.set)
                        return
                job = self._jobs[0]
                if not job.has_begun:
                    job.has_begun = True
                    try:
                        job.run(worker, job.calls)
                        job.error = None
                    except BaseException as error:  # noqa: BLE001 - whoever waits is told
                        job.error = error
                job.has_ended = True
                if job.error is None:
                    tell(job.asker.answer, job.calls)
                else:
                    tell(job.asker.fail, job.calls, job.error)
                self._jobs.popleft()
                del job  # nothing of it is kept while the next is waited for
            except BaseException:  # noqa: BLE001, S112 - thrown into the thread, or the loop was closed
                continue


def _start(connect: Callable[[], aiosqlite.Connection]) -> None:
    """Have aiosqlite open a database on a thread; then stop it, which begins `WorkerConnection.close`."""
    connection: Any = connect()  # its `stop` is not fully typed
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(_wait_for(connection))
    connection.stop()


async def _wait_for(connection: aiosqlite.Connection) -> None:
    await connection


async def _on_daemon(work: Callable[[], None]) -> None:
    """Do *work* on a daemon thread: the threads that it starts are then daemons, too."""
    loop = asyncio.get_running_loop()
    done = _Errand(loop.create_future())

    def run() -> None:
        tell = partial(done.answer, ())
        try:
            work()
        except BaseException as raised:  # noqa: BLE001 - whoever waits is told
            tell = partial(done.fail, (), raised)
        with contextlib.suppress(RuntimeError):  # the event loop is closed
            loop.call_soon_threadsafe(tell)

    threading.Thread(target=run, daemon=True).start()
    await done.future
