"""
The queue in front of one worker: calls in order of arrival, each with a deadline.

A call that finds the worker free runs at once. Calls that arrive meanwhile wait, and form the next group.
So the longer the queue, the fewer round trips, transactions and syncs each call costs.
"""

from __future__ import annotations

import asyncio
from asyncio import CancelledError
from collections import deque
from collections.abc import Sequence
from typing import Final

from memrepo.connection.errors import closed
from memrepo.connection.instrumentation import OnStatement, Record
from memrepo.connection.pending import PendingCall, Turn
from memrepo.errors import BusyError
from memrepo.queries.statement import Unit

__all__ = ["CallQueue"]

#: Most calls of a group; more would only make the first of them wait for the last.
MAX_GROUP: Final = 1_000
#: Most turns that may wait; more are refused, so that a stuck worker does not fill the memory.
MAX_WAITING: Final = 100_000
#: Seconds between two checks of the deadlines.
_SWEEP_S: Final = 0.05


class CallQueue:
    """
    The queue in front of one worker, which runs one group of calls at a time.

    A transaction takes the queue when its turn comes, and gives it back with `release`.

    A KeyboardInterrupt that the event loop survives may cut off the step from one group to the next. The
    next sweep repairs that: see `_mend`.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        #: The turns that wait; some may be over.
        self._turns: deque[Turn] = deque()
        #: The calls that the worker has; empty while a transaction holds the queue, ``None`` if it is free.
        self._group: Sequence[PendingCall] | None = None
        self._sweeper: asyncio.TimerHandle | None = None
        self._is_closed = False

    def run(self, unit: Unit, deadline: float, on_statement: OnStatement | None) -> PendingCall:
        """
        Run *unit* when its turn comes; return the call, which must be waited for.

        Raises:
            BusyError: Too many calls are waiting.
        """
        record = None if on_statement is None else Record(on_statement)
        call = PendingCall(deadline, self._loop.create_future(), unit, record)
        if self._group is None:
            self._group = [call]
            self._start(self._group)
        else:
            self._join(call)
        return call

    async def take(self, deadline: float) -> None:
        """
        Wait for the queue and keep it, until `release`.

        Raises:
            BusyError: The deadline came first, or too many calls are waiting.
        """
        if self._group is None:
            self._group = ()
            return
        turn = Turn(deadline, self._loop.create_future())
        self._join(turn)
        try:
            await turn.wait()
        except CancelledError:
            if turn.outcome == []:
                self.release()  # the turn had come, and nobody is left to use it
            raise

    def release(self) -> None:
        """Let the next in the queue go ahead."""
        if self._loop.is_closed():
            return  # no waiting task can go on
        turns = self._turns
        while turns and turns[0].is_over:
            turns.popleft()
        if not turns:
            self._group = None
        elif isinstance(turns[0], PendingCall):
            self._group = self._next_group()
            self._start(self._group)
        else:
            self._group = ()
            turn = turns.popleft()
            turn.outcome = []
            turn.tell()

    def answer(self, calls: Sequence[PendingCall]) -> None:
        """Wake the tasks of a group's *calls*, and start the next group."""
        if calls is not self._group:
            return
        for call in calls:
            call.tell()
        if len(calls) > 1:
            # After the tasks that were woken, so that their next calls form one group.
            self._loop.call_soon(self._end, calls)
        elif self._turns:
            self.release()
        else:
            self._group = None

    def refuse(self) -> None:
        """Refuse all waiting turns, because the store is closed."""
        self._is_closed = True
        while self._turns:
            self._turns.popleft().refuse(closed())

    def _start(self, calls: Sequence[PendingCall]) -> None:
        """
        Give *calls* to the worker, and mark them as running.

        `answer` is called when the worker is done with all of them.
        """
        raise NotImplementedError

    def _mend(self, calls: Sequence[PendingCall]) -> None:
        """Start *calls* if the worker does not have them; answer them if it is done with them."""
        raise NotImplementedError

    def _end(self, calls: Sequence[PendingCall]) -> None:
        if calls is self._group:
            self.release()

    def _next_group(self) -> list[PendingCall]:
        turns = self._turns
        calls: list[PendingCall] = []
        while turns and len(calls) < MAX_GROUP and isinstance(call := turns[0], PendingCall):
            turns.popleft()
            if not call.is_over:
                calls.append(call)
        return calls

    def _join(self, turn: Turn) -> None:
        if len(self._turns) >= MAX_WAITING:
            raise BusyError(f"{MAX_WAITING:,} calls are already waiting for this database")
        self._turns.append(turn)
        # An overdue sweep was lost: asyncio drops a callback if a KeyboardInterrupt comes just before it.
        if self._sweeper is None or self._sweeper.when() + _SWEEP_S < self._loop.time():
            self._sweeper = self._loop.call_later(_SWEEP_S, self._sweep)

    def _sweep(self) -> None:
        """Refuse turns whose deadline has come, and repair what a KeyboardInterrupt has cut off."""
        now = self._loop.time()
        for turn in self._turns:
            if turn.deadline <= now:
                turn.refuse(BusyError("waited too long for its turn"))
        self._sweeper = None
        if self._turns:
            self._sweeper = self._loop.call_later(_SWEEP_S, self._sweep)
        if self._group:
            self._mend(self._group)
