"""The queue in front of SQLite's worker thread: retry if the file is locked, fail if a job failed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from memrepo.connection.errors import closed
from memrepo.connection.pending import PendingCall, Turn
from memrepo.connection.queue import MAX_GROUP, CallQueue, Line
from memrepo.connection.sqlite.busy import until_free
from memrepo.connection.sqlite.errors import is_busy, worker_failed
from memrepo.connection.sqlite.job import Job, Run
from memrepo.connection.sqlite.thread import WorkerThread
from memrepo.connection.sqlite.worker import WorkerConnection
from memrepo.connection.waiting import OwnTask, outlast
from memrepo.errors import BusyError

__all__ = ["ThreadQueue"]


class ThreadQueue(CallQueue):
    """A queue whose worker is a thread with a connection to SQLite."""

    def __init__(
        self,
        thread: WorkerThread,
        run: Run,
        line: Line | None = None,
        *,
        most: int = MAX_GROUP,
    ) -> None:
        super().__init__(line, most=most)
        #: The thread, for jobs that do not queue.
        self.thread = thread
        self._run = run
        self._job: Job | None = None
        self._retrying: OwnTask[None] | None = None

    async def close(self) -> None:
        """Close the connection, after what runs on it."""
        await self.thread.close()

    def _start(self, calls: Sequence[PendingCall]) -> None:
        self._job = self.thread.put(self._run, calls, self)
        for call in calls:
            call.is_running = True

    def _mend(self, calls: Sequence[PendingCall]) -> None:
        job = self._job
        if self._retrying is not None:
            if self._retrying.done():
                self._end_retrying(calls, self._retrying)
        elif job is None or job.calls is not calls:
            self._start(calls)
        elif job.has_ended:
            job.tell()

    def abandon(self, turn: Turn) -> None:
        """Roll back what *turn* may have left open, and release the queue."""
        if self.is_held_by(turn) and not self._loop.is_closed():
            self.thread.put_errand(WorkerConnection.undo)
            self.release(turn)

    def fail(self, calls: Sequence[PendingCall], error: BaseException) -> None:
        """Retry if the file was locked; otherwise give *calls* the error."""
        if calls is not self._group or self._retrying is not None:
            return  # already known: the thread may tell twice
        if is_busy(error):
            self._retry(calls)
        else:
            self._give_up(calls, error)
            self.answer(calls)

    def _retry(self, calls: Sequence[PendingCall]) -> None:
        self._retrying = OwnTask(self._run_when_free(calls), loop=self._loop)
        self._retrying.add_done_callback(partial(self._end_retrying, calls))

    def _end_retrying(self, calls: Sequence[PendingCall], retrying: asyncio.Task[None]) -> None:
        if retrying is not self._retrying:
            return  # already known
        self._retrying = None
        if retrying.cancelled() or retrying.exception() is not None:
            self._retry(calls)  # it was cut off, for instance with all tasks of the event loop
        else:
            self.answer(calls)

    async def _run_when_free(self, calls: Sequence[PendingCall]) -> None:
        """Run the calls, waiting for locks until each call's own deadline."""
        waiting = [call for call in calls if call.is_waiting]
        while waiting:
            try:
                await until_free(
                    lambda: self._attempt(calls), waiting[0].deadline, self.thread.location
                )
            except BusyError as busy:
                waiting = _expire(waiting, busy)
            except Exception as error:  # noqa: BLE001 - each waiting caller is told
                self._give_up(waiting, error)
                return
            else:
                return

    async def _attempt(self, calls: Sequence[PendingCall]) -> None:
        for call in calls:
            if call.is_cancelled:
                call.tell()  # a cancelled task need not wait for the lock
        # Even if this task is cancelled: the outcomes are not known before the worker has stopped.
        attempt = self.thread.put_errand(lambda worker: self._run(worker, calls))
        await outlast(attempt)
        attempt.result()

    def _give_up(self, calls: Sequence[PendingCall], cause: BaseException) -> None:
        for call in calls:
            call.outcome = closed() if self._is_closed else worker_failed(cause)


def _expire(calls: Sequence[PendingCall], busy: BusyError) -> list[PendingCall]:
    """Fail the calls whose deadline has come, and return those that may still wait."""
    now = asyncio.get_running_loop().time()
    for call in calls:
        if call.is_waiting and call.deadline <= now:
            call.outcome = BusyError(*busy.args)
            call.outcome.__cause__ = busy.__cause__
    return [call for call in calls if call.is_waiting]
