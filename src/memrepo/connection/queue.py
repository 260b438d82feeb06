"""Whose turn it is: many tasks, one worker, in order of arrival, and together where they wait together."""

from __future__ import annotations

import asyncio
from asyncio import CancelledError
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from memrepo.connection.pending import Call
from memrepo.errors import BusyError, MemrepoError

__all__ = ["Lane"]

#: Calls that run as one group; more would only make the first of them wait for the last.
MAX_GROUP: Final = 1_000
#: Calls that may wait; beyond it a call is refused, so that a stuck writer does not eat the memory.
MAX_WAITING: Final = 100_000
#: Seconds between two looks for calls that have waited too long.
_SWEEP_S: Final = 0.05


#: Has the worker begin with a group's calls; `Lane.answer` is called when each has its outcome.
Start: TypeAlias = Callable[[list[Call]], None]


class Lane:
    """
    The queue in front of one worker.

    A call that finds the lane free goes ahead at once. What arrives while it runs waits, and forms
    the next group. A transaction takes the lane when its turn comes, and gives it back with `release`.
    """

    def __init__(self, start: Start) -> None:
        self._start = start
        self._loop = asyncio.get_running_loop()
        self._is_taken = False
        self._queue: deque[Call] = deque()
        self._sweeper: asyncio.TimerHandle | None = None

    def run(self, call: Call) -> None:
        """
        Run *call*, which is to be awaited, when its turn comes.

        Raises:
            BusyError: Too many calls wait already.
        """
        if self._is_taken:
            self._line_up(call)
        else:
            self._is_taken = True
            self._start([call])

    async def take(self, deadline: float) -> None:
        """Wait for the lane and keep it, until `release`."""
        if not self._is_taken:
            self._is_taken = True
            return
        turn = Call(self._loop, deadline, (), takes_lane=True)
        self._line_up(turn)
        try:
            await turn
        except CancelledError:
            if turn.outcome == []:
                # The lane was ours already, and nobody is left to give it back.
                self.release()
            raise

    def release(self) -> None:
        """Let the next in the queue go ahead."""
        queue = self._queue
        while queue:
            call = queue[0]
            if call.is_over:
                queue.popleft()
            elif call.takes_lane:
                queue.popleft()
                call.outcome = []
                call.wake_soon()
                return
            else:
                self._start(self._next_group())
                return
        self._is_taken = False

    def answer(self, calls: Sequence[Call]) -> None:
        """Have the tasks of *calls* go on, and the next group begin. Only for the loop's callbacks."""
        if len(calls) == 1:
            self.release()
            calls[0].wake()
            return
        ended = iter(calls)
        try:
            for call in ended:
                call.wake()
        finally:
            for call in ended:  # one task has ended the event loop
                call.wake_soon()
            # After the tasks: what they called next makes one group.
            self.release()

    def refuse_all(self, error: Callable[[], MemrepoError]) -> None:
        """Refuse everything that waits."""
        while self._queue:
            self._queue.popleft().refuse(error())

    def _line_up(self, call: Call) -> None:
        if len(self._queue) >= MAX_WAITING:
            raise BusyError(f"{MAX_WAITING:,} calls are waiting for this database already")
        self._queue.append(call)
        if self._sweeper is None:
            self._sweeper = self._loop.call_later(_SWEEP_S, self._sweep)

    def _next_group(self) -> list[Call]:
        queue = self._queue
        calls: list[Call] = []
        while queue and not (call := queue[0]).takes_lane and len(calls) < MAX_GROUP:
            queue.popleft()
            if not call.is_over:
                calls.append(call)
        return calls

    def _sweep(self) -> None:
        now = self._loop.time()
        for call in self._queue:
            if call.deadline <= now:
                call.refuse(BusyError("waited too long for its turn"))
        self._sweeper = None
        if self._queue:
            self._sweeper = self._loop.call_later(_SWEEP_S, self._sweep)
