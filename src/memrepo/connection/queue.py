"""
Queues: turns in order of arrival, each with a deadline.

`WaitingLine` is the order and the deadlines. `CallQueue` stands in front of one worker: a call that finds
it free goes ahead at once; those that arrive meanwhile wait, and form the next group. So the fuller the
queue, the fewer trips, transactions and syncs a call costs.
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

__all__ = ["CallQueue", "Slots"]

#: Calls that run as one group; more would only make the first of them wait for the last.
MAX_GROUP: Final = 1_000
#: Turns that may wait; beyond it one is refused, so that a stuck worker does not eat the memory.
MAX_WAITING: Final = 100_000
#: Seconds between two looks for turns whose deadline has come.
_SWEEP_S: Final = 0.05


class WaitingLine:
    """Turns that wait, in order of arrival; one whose deadline comes first is refused."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._sweeper: asyncio.TimerHandle | None = None
        #: The turns that wait; some of them may be over.
        self._turns: deque[Turn] = deque()
        self._is_closed = False

    def refuse(self) -> None:
        """Refuse what waits, and what is still to come."""
        self._is_closed = True
        while self._turns:
            self._turns.popleft().refuse(closed())

    def _join(self, turn: Turn) -> None:
        """
        Put *turn* at the end.

        Raises:
            BusyError: Too many turns wait already.
        """
        if len(self._turns) >= MAX_WAITING:
            raise BusyError(f"{MAX_WAITING:,} calls are waiting for this database already")
        self._turns.append(turn)
        # asyncio loses a callback that a KeyboardInterrupt meets before it begins.
        if self._sweeper is None or self._sweeper.when() + _SWEEP_S < self._loop.time():
            self._sweeper = self._loop.call_later(_SWEEP_S, self._sweep)

    async def _wait(self, deadline: float) -> None:
        """
        Wait at the end of the line until `_admit` is called for this turn.

        Raises:
            BusyError: The deadline came first, or too many wait already.
        """
        turn = Turn(deadline, self._loop.create_future())
        self._join(turn)
        try:
            await turn.wait()
        except CancelledError:
            if turn.outcome == []:
                self.release()  # the turn had come, and nobody is left to use it
            raise

    def release(self) -> None:
        """Let the next go ahead."""
        raise NotImplementedError

    def _admit(self) -> None:
        """Let the first turn go ahead."""
        turn = self._turns.popleft()
        turn.outcome = []
        turn.tell()

    def _first(self) -> Turn | None:
        """Return the first turn that is not over, without taking it; ``None`` if there is none."""
        turns = self._turns
        while turns and turns[0].is_over:
            turns.popleft()
        return turns[0] if turns else None

    def _sweep(self) -> None:
        now = self._loop.time()
        for turn in self._turns:
            if turn.deadline <= now:
                turn.refuse(BusyError("waited too long for its turn"))
        self._sweeper = None
        if self._turns:
            self._sweeper = self._loop.call_later(_SWEEP_S, self._sweep)


class Slots(WaitingLine):
    """A number of places, given out in order of arrival."""

    def __init__(self, n_slots: int) -> None:
        super().__init__()
        self._n_slots = n_slots
        self._n_free = n_slots
        self._all_free: asyncio.Future[None] | None = None

    async def acquire(self, deadline: float) -> None:
        """
        Wait for a slot, which must be released.

        Raises:
            BusyError: None was free in time.
            ClosedError: The store was closed meanwhile.
        """
        if self._is_closed:
            raise closed()
        if self._n_free:
            self._n_free -= 1
        else:
            await self._wait(deadline)

    def release(self) -> None:
        """Give a slot to the next, or set it free."""
        if self._first() is not None:
            self._admit()
            return
        self._n_free += 1
        if self._all_free is not None and self._n_free == self._n_slots:
            self._all_free.set_result(None)
            self._all_free = None

    async def drain(self) -> None:
        """Wait until every slot is free."""
        if self._n_free < self._n_slots:
            self._all_free = self._loop.create_future()
            await self._all_free


class CallQueue(WaitingLine):
    """
    The queue in front of one worker, which runs one group of calls at a time.

    A transaction takes the queue when its turn comes, and gives it back with `release`.

    An event loop may survive a KeyboardInterrupt, which comes at any moment, and can cut off what leads
    from one group to the next. So that can be done twice, and is, by the next sweep: a group that was
    not begun is begun, one that was not answered is answered.
    """

    def __init__(self) -> None:
        super().__init__()
        #: The calls that the worker has; empty while a transaction holds the queue, ``None`` if it is free.
        self._group: Sequence[PendingCall] | None = None

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
        """Wait for the queue and keep it, until `release`."""
        if self._group is None:
            self._group = ()
        else:
            await self._wait(deadline)

    def release(self) -> None:
        """Let the next in the queue go ahead."""
        turn = self._first()
        if turn is None:
            self._group = None
        elif isinstance(turn, PendingCall):
            self._group = self._next_group()
            self._start(self._group)
        else:
            self._group = ()
            self._admit()

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

    def _end(self, calls: Sequence[PendingCall]) -> None:
        if calls is self._group:
            self.release()

    def _start(self, calls: Sequence[PendingCall]) -> None:
        """
        Have the worker begin with *calls*, and mark them as running.

        The worker passes over calls that have an outcome. `answer` is called when all have.
        """
        raise NotImplementedError

    def _next_group(self) -> list[PendingCall]:
        turns = self._turns
        calls: list[PendingCall] = []
        while turns and len(calls) < MAX_GROUP and isinstance(call := turns[0], PendingCall):
            turns.popleft()
            if not call.is_over:
                calls.append(call)
        return calls

    def _sweep(self) -> None:
        super()._sweep()
        group = self._group
        if group and all(call.outcome is not None for call in group):
            self.answer(group)
        elif group and not any(call.is_running for call in group):
            self._start(group)
