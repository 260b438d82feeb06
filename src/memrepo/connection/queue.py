"""
The queue in front of one worker: calls in order of arrival, each with a deadline.

A call that finds the worker free goes ahead at once. Those that arrive meanwhile wait, and form the next
group. So the longer the queue, the fewer trips, transactions and syncs each call costs.
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

#: Calls that run as one group; more would only make the first of them wait for the last.
MAX_GROUP: Final = 1_000
#: Turns that may wait; beyond it one is refused, so that a stuck worker does not eat the memory.
MAX_WAITING: Final = 100_000
#: Seconds between two looks for turns whose deadline has come.
_SWEEP_S: Final = 0.05


class CallQueue:
    """
    The queue in front of one worker, which runs one group of calls at a time.

    A transaction takes the queue when its turn comes, and gives it back with `release`.

    An event loop may survive a KeyboardInterrupt, which comes at any moment, and can cut off what leads
    from one group to the next. The next sweep has the worker look after that: see `_mend`.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        #: What waits; some of it may be over.
        self._turns: deque[Turn] = deque()
        #: The calls that the worker has; empty while a transaction holds the queue, ``None`` if it is free.
        self._group: Sequence[PendingCall] | None = None
        self._sweeper: asyncio.TimerHandle | None = None
        self._is_closed = False

    def run(self, unit: Unit, deadline: float, on_statement: OnStatement | None) -> PendingCall:
        """
        Run *unit* when its turn comes; return the call, which must be waited for.

        Raises:
            BusyError: Too many calls wait already.
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
            BusyError: The deadline came first, or too many calls wait already.
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
            return  # none of the tasks that wait can go on
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
        """Have the tasks of a group's *calls* go on, and the next group begin."""
        if calls is not self._group:
            return
        for call in calls:
            call.tell()
        if len(calls) > 1:
            # Behind the tasks that go on: what they call next makes one group.
            self._loop.call_soon(self._end, calls)
        elif self._turns:
            self.release()
        else:
            self._group = None

    def refuse(self) -> None:
        """Refuse what waits, and what is still to come."""
        self._is_closed = True
        while self._turns:
            self._turns.popleft().refuse(closed())

    def _start(self, calls: Sequence[PendingCall]) -> None:
        """
        Have the worker begin with *calls*, and mark them as running.

        `answer` is called when the worker is done with all of them.
        """
        raise NotImplementedError

    def _mend(self, calls: Sequence[PendingCall]) -> None:
        """Begin with *calls* if the worker does not have them, answer them if it is done with them."""
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
            raise BusyError(f"{MAX_WAITING:,} calls are waiting for this database already")
        self._turns.append(turn)
        # asyncio loses a callback that a KeyboardInterrupt meets before it begins.
        if self._sweeper is None or self._sweeper.when() + _SWEEP_S < self._loop.time():
            self._sweeper = self._loop.call_later(_SWEEP_S, self._sweep)

    def _sweep(self) -> None:
        """Refuse turns whose deadline has come, and mend what an interrupt has cut off."""
        now = self._loop.time()
        for turn in self._turns:
            if turn.deadline <= now:
                turn.refuse(BusyError("waited too long for its turn"))
        self._sweeper = None
        if self._turns:
            self._sweeper = self._loop.call_later(_SWEEP_S, self._sweep)
        if self._group:
            self._mend(self._group)
