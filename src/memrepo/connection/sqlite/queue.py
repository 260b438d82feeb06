"""The queue in front of a SQLite connection's thread: what to do when the file is locked, or lost."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial

from memrepo.connection.errors import closed
from memrepo.connection.pending import Call
from memrepo.connection.queue import Lane
from memrepo.connection.sqlite.busy import until_free
from memrepo.connection.sqlite.errors import is_busy
from memrepo.connection.sqlite.thread import Run, WorkerThread
from memrepo.errors import BusyError, DatabaseError, MemrepoError

__all__ = ["ThreadLane"]


class ThreadLane(Lane):
    """A lane whose worker is a thread with a connection to SQLite."""

    def __init__(self, thread: WorkerThread, run: Run) -> None:
        super().__init__(self._begin)
        #: The thread, for what does not wait for its turn.
        self.thread = thread
        self._run_calls = run
        self._is_closed = False
        self._retry: asyncio.Task[None] | None = None

    def refuse(self) -> None:
        """Refuse what waits, and what is still to come."""
        self._is_closed = True
        self.refuse_all(closed)

    def _begin(self, calls: list[Call]) -> None:
        for call in calls:
            call.is_running = True
        self.thread.put(self._run_calls, calls, self._end)

    def _end(self, calls: Sequence[Call], error: BaseException | None) -> None:
        if error is not None and is_busy(error):
            self._retry = self._loop.create_task(self._run_when_free(calls))
            self._retry.add_done_callback(lambda _: self.answer(calls))
            return
        if error is not None:
            self._fail(calls, error)
        self.answer(calls)

    async def _run_when_free(self, calls: Sequence[Call]) -> None:
        """Run the calls, waiting for locks until each call's own deadline."""
        waiting = calls
        while waiting:
            attempt = partial(self._attempt, waiting)
            try:
                await until_free(attempt, waiting[0].deadline)
            except BusyError as busy:
                waiting = _expire(waiting, busy)
            except Exception as error:  # noqa: BLE001 - each waiting caller is told
                self._fail(waiting, error)
                return
            else:
                return

    async def _attempt(self, calls: Sequence[Call]) -> None:
        # Whoever was cancelled during the attempt before need not wait for the lock.
        for call in calls:
            if call.is_cancelled:
                call.wake_soon()
        await self.thread.run_calls(self._run_calls, calls)

    def _fail(self, calls: Sequence[Call], cause: BaseException) -> None:
        for call in calls:
            call.outcome = self._lost(cause)

    def _lost(self, cause: BaseException) -> MemrepoError:
        if self._is_closed:
            return closed()
        error = DatabaseError(f"the worker failed ({type(cause).__name__})")
        error.outcome_unknown = True
        error.__cause__ = cause
        return error


def _expire(calls: Sequence[Call], busy: BusyError) -> list[Call]:
    """Fail the calls whose deadline has come, and return those that may still wait."""
    now = asyncio.get_running_loop().time()
    for call in calls:
        if call.is_waiting and call.deadline <= now:
            call.outcome = BusyError(*busy.args)
            call.outcome.__cause__ = busy.__cause__
    return [call for call in calls if call.is_waiting]
