"""Whose turn it is: many tasks, one worker, in order of arrival, and together where they wait together."""

from __future__ import annotations

import asyncio
from asyncio import CancelledError, Future
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, TypeAlias

from memrepo.connection.call import Call, Turn
from memrepo.connection.thread import finish
from memrepo.errors import BusyError, MemrepoError

__all__ = ["Lane"]

#: Calls that run as one group; more would only make the first of them wait for the last.
MAX_GROUP: Final = 1_000
#: Calls that may wait; beyond it a call is refused, so that a stuck writer does not eat the memory.
MAX_WAITING: Final = 100_000
#: Seconds between two looks for calls that have waited too long.
_SWEEP_S: Final = 0.05


#: Somebody in the queue; the future is done when their turn has come, or their call has run.
_Waiting: TypeAlias = tuple[Turn, Future[None]]
#: Runs a group's calls on the worker and leaves an outcome in each.
Send: TypeAlias = Callable[[list[Call]], Awaitable[None]]
#: Waits until the worker has done what it was given so far.
Settle: TypeAlias = Callable[[], Coroutine[Any, Any, None]]


class Lane:
    """
    The queue in front of one worker.

    A call that finds the lane free goes ahead at once, in its own task. What arrives while it runs
    waits, and forms the next group. A transaction takes the lane when its turn comes, and gives it
    back with `release`.
    """

    def __init__(self, send: Send, settle: Settle) -> None:
        self._send = send
        self._settle = settle
        self._loop = asyncio.get_running_loop()
        self._is_taken = False
        self._queue: deque[_Waiting] = deque()
        self._sweeper: asyncio.TimerHandle | None = None
        self._group: asyncio.Task[None] | None = None

    async def run(self, call: Call) -> None:
        """Run *call* when its turn comes; its outcome is in it when this returns."""
        if not self._is_taken:
            self._is_taken = True
            try:
                await self._send([call])
            finally:
                self.release()
            return
        try:
            await self._line_up(call)
        except CancelledError:
            call.is_cancelled = True
            if call.is_running:
                # So that it has happened, or never will, when its caller goes on.
                await finish(self._settle())
            raise

    async def take(self, deadline: float) -> None:
        """Wait for the lane and keep it, until `release`."""
        if not self._is_taken:
            self._is_taken = True
            return
        future = self._line_up(Turn(deadline))
        try:
            await future
        except CancelledError:
            if _is_granted(future):
                # The lane was ours already, and nobody is left to give it back.
                self.release()
            raise

    def release(self) -> None:
        """Let the next in the queue go ahead."""
        queue = self._queue
        while queue:
            turn, future = queue[0]
            if future.done():
                queue.popleft()
            elif isinstance(turn, Call):
                self._group = self._loop.create_task(self._run_group())
                return
            else:
                queue.popleft()
                future.set_result(None)
                return
        self._is_taken = False

    def refuse_all(self, error: Callable[[], MemrepoError]) -> None:
        """Refuse everything that waits."""
        while self._queue:
            _, future = self._queue.popleft()
            if not future.done():
                future.set_exception(error())

    def _line_up(self, turn: Turn) -> Future[None]:
        if len(self._queue) >= MAX_WAITING:
            raise BusyError(f"{MAX_WAITING:,} calls are waiting for this database already")
        future = self._loop.create_future()
        self._queue.append((turn, future))
        if self._sweeper is None:
            self._sweeper = self._loop.call_later(_SWEEP_S, self._sweep)
        return future

    async def _run_group(self) -> None:
        queue = self._queue
        calls: list[Call] = []
        futures: list[Future[None]] = []
        while queue and isinstance(call := queue[0][0], Call) and len(calls) < MAX_GROUP:
            _, future = queue.popleft()
            if not future.done():
                call.is_running = True
                calls.append(call)
                futures.append(future)
        try:
            await self._send(calls)
        finally:
            for future in futures:
                if not future.done():
                    future.set_result(None)
            # Behind the tasks that were just woken: what they call next makes one group.
            self._loop.call_soon(self.release)

    def _sweep(self) -> None:
        now = self._loop.time()
        for turn, future in self._queue:
            if turn.deadline <= now and not future.done():
                future.set_exception(BusyError("waited too long for its turn"))
        self._sweeper = None
        if self._queue:
            self._sweeper = self._loop.call_later(_SWEEP_S, self._sweep)


def _is_granted(future: Future[None]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None
