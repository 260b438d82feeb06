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
import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from queue import SimpleQueue
from typing import Any, Final

import aiosqlite

from memrepo.connection.contract import Result
from memrepo.connection.pending import PendingCall
from memrepo.connection.sqlite.inode import FileIdentity
from memrepo.connection.sqlite.job import Asker, Errand, Job, Run, Single
from memrepo.connection.sqlite.limits import StatementLimit
from memrepo.connection.sqlite.reasons import name_file
from memrepo.connection.sqlite.worker import WorkerConnection
from memrepo.connection.url import Location
from memrepo.connection.waiting import settle
from memrepo.domain.codec import Row, Value
from memrepo.errors import ClosedError, ConnectionLostError, DatabaseError

__all__ = ["WorkerThread"]

#: Seconds to wait for the thread of another store, which may have a long job.
_SHUT_S: Final = 5.0
#: Seconds between two looks whether a stopped thread has closed its database.
_LOOK_S: Final = 0.005
#: Seconds after which an asker that is in no queue is told again.
_REPEAT_S: Final = 0.05


class WorkerThread:
    """A thread with one connection, which does one job after another."""

    def __init__(self, location: Location, file: FileIdentity) -> None:
        self._loop = asyncio.get_running_loop()
        self._jobs: deque[Job] = deque()
        #: Wakes the thread, for a job or to end.
        self._wake: SimpleQueue[None] = SimpleQueue()
        #: The database it has open, which its errors name.
        self.location = location
        #: The same as a file.
        self.file = file
        self._worker: WorkerConnection | None = None
        self._is_stopped = False
        self._is_closed = False
        #: Done when the thread does no more jobs.
        self._has_ended: asyncio.Future[None] = self._loop.create_future()
        #: Jobs that are in no `CallQueue`, some of which may have been answered.
        self._asked: list[Job] = []
        self._repeater: asyncio.TimerHandle | None = None

    async def open(
        self,
        begin: Callable[[WorkerConnection], None],
        *,
        busy_slice_s: float,
        limit: StatementLimit,
    ) -> None:
        """
        Start the thread, open the database on it, and have it *begin*; a cancelled call leaves no thread behind.

        *limit* holds for each statement, and can be changed later.

        Raises:
            sqlite3.Error: It cannot be opened, or another error of *begin*; the thread has ended.
        """
        connect = partial(
            aiosqlite.connect,
            self.location.uri,
            uri=True,
            factory=partial(WorkerConnection, serve=self._serve, limit=limit),
            isolation_level=None,
            timeout=busy_slice_s,
            cached_statements=256,
        )
        started = _on_daemon(partial(_start, connect))
        try:
            await settle(started)
            await self.run(begin)
        except BaseException:
            is_open = started.done() and started.exception() is None
            # Not both in turn: a thread that was stopped does no more jobs.
            await self.close() if is_open else self.stop()
            raise

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
            self._wake.put(None)
        return job

    async def call(self, run: Run, call: PendingCall) -> list[Result]:
        """Run *call* without queueing, and return its results, or raise its error."""
        call.is_running = True
        self._ask(run, [call], Single())
        return await call.wait()

    async def run(self, errand: Callable[[WorkerConnection], None]) -> None:
        """Run *errand* on the thread, after all earlier jobs; a cancelled call waits until it is done."""
        await settle(self.put_errand(errand))

    def put_errand(self, errand: Callable[[WorkerConnection], None]) -> asyncio.Future[None]:
        """Run *errand* on the thread, after all earlier jobs; the future is done when it is."""
        future: asyncio.Future[None] = self._loop.create_future()
        self._ask(lambda worker, _: errand(worker), (), Errand(future))
        return future

    def _ask(self, run: Run, calls: Sequence[PendingCall], asker: Asker) -> None:
        """Put a job that is in no queue, and tell its asker again, in case an interrupt cuts that off."""
        self._asked.append(self.put(run, calls, asker))
        if self._repeater is None or self._repeater.when() < self._loop.time():
            self._repeater = self._loop.call_later(_REPEAT_S, self._tell_again)

    def _tell_again(self) -> None:
        running: list[Job] = []
        for job in self._asked:
            if job.has_ended:
                job.tell()
            else:
                running.append(job)
        self._asked = running
        self._repeater = None
        if self._asked:
            self._repeater = self._loop.call_later(_REPEAT_S, self._tell_again)

    async def fetch(self, sql: str, *parameters: Value) -> list[Row]:
        """Run one statement, and return its rows."""
        rows: list[Row] = []
        await self.run(lambda worker: rows.extend(worker.execute(sql, parameters)))
        return rows

    async def pragma(self, name: str) -> Any:
        """Return the value of a pragma."""
        return (await self.fetch(f"PRAGMA {name}"))[0][0]

    async def close(self) -> None:
        """Close the database and end the thread."""
        if not self._is_closed:
            closing = self.put_errand(WorkerConnection.shut)
            self._is_closed = True
            self.stop()
            try:
                await settle(closing)
            finally:
                await settle(self._has_ended)

    @property
    def is_open(self) -> bool:
        """Whether its database is open; that of a forgotten store is so for a moment longer."""
        return self._worker is not None and not self._worker.is_shut

    async def shut_if_lost(self) -> None:
        """
        Close the database if its file is lost; from any event loop.

        Raises:
            ConnectionLostError: That would do harm, so it is still open.
        """
        loop = asyncio.get_running_loop()
        if self._is_stopped or self._loop.is_closed():
            deadline = loop.time() + _SHUT_S
            while self.is_open and loop.time() < deadline:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(_LOOK_S)
        else:
            done: asyncio.Future[None] = loop.create_future()

            def shut(worker: WorkerConnection, _: object) -> None:
                worker.shut_if_lost()
                loop.call_soon_threadsafe(done.set_result, None)

            self.put(shut, (), Errand(self._loop.create_future()))
            await asyncio.wait({done}, timeout=_SHUT_S)
        if self.file.is_lost and self.is_open:
            raise ConnectionLostError(f"a store that lost {self.file.path} still has it open")

    def stop(self) -> None:
        """Have the thread close the database and end; does not wait for it."""
        self._is_stopped = True
        self._wake.put(None)

    # --- on the thread ---------------------------------------------------------------------------

    def _serve(self, worker: WorkerConnection) -> None:
        """
        Do one job after another, until the thread is stopped or the event loop is closed.

        A debugger can throw an exception into the thread at any moment. So a job stays in the queue
        until the event loop has been told of it, which may happen twice.
        """
        self._worker = worker
        tell = self._loop.call_soon_threadsafe
        while not self._loop.is_closed():
            try:
                while not self._jobs:
                    if self._is_stopped:
                        tell(self._end)
                        return
                    self._wake.get()
                job = self._jobs[0]
                if not job.has_begun:
                    job.has_begun = True
                    try:
                        job.run(worker, job.calls)
                        job.error = None
                    except BaseException as error:  # noqa: BLE001 - whoever waits is told
                        job.error = error
                        self._name_file(error)
                    for call in job.calls:
                        if isinstance(call.outcome, DatabaseError):
                            self._name_file(call.outcome)
                job.has_ended = True
                if job.error is None:
                    tell(job.asker.answer, job.calls)
                else:
                    tell(job.asker.fail, job.calls, job.error)
                self._jobs.popleft()
                del job  # nothing of it is kept while the next is waited for
            except BaseException:  # noqa: BLE001, S112 - thrown into the thread, or the loop was closed
                continue

    def _name_file(self, failure: BaseException) -> None:
        """Have it say which of a program's databases has failed."""
        if isinstance(failure, DatabaseError):
            with contextlib.suppress(OSError):  # of the look for a reason
                name_file(failure, self.location)

    def _end(self) -> None:
        if not self._has_ended.done():
            self._has_ended.set_result(None)


def _start(connect: Callable[[], aiosqlite.Connection]) -> None:
    """Have aiosqlite open a database on a thread; then stop it, which begins `WorkerConnection.close`."""
    connection: Any = connect()  # its `stop` is not fully typed
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        runner.run(_wait_for(connection))
    connection.stop()


async def _wait_for(connection: aiosqlite.Connection) -> None:
    await connection


def _on_daemon(work: Callable[[], None]) -> asyncio.Future[None]:
    """Do *work* on a daemon thread: the threads that it starts are then daemons, too."""
    loop = asyncio.get_running_loop()
    done = Errand(loop.create_future())

    def run() -> None:
        tell = partial(done.answer, ())
        try:
            work()
        except BaseException as raised:  # noqa: BLE001 - whoever waits is told
            tell = partial(done.fail, (), raised)
        with contextlib.suppress(RuntimeError):  # the event loop is closed
            loop.call_soon_threadsafe(tell)

    threading.Thread(target=run, daemon=True).start()
    return done.future
