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
from collections.abc import Callable, Sequence
from typing import Final

from memrepo.connection.instrumentation import OnStatement, Record
from memrepo.connection.pending import PendingCall, Turn
from memrepo.errors import BusyError, ClosedError, MemrepoError
from memrepo.queries.statement import Unit

__all__ = ["CallQueue", "Slots", "WaitingLine", "closed"]

#: Calls that run as one group; more would only make the first of them wait for the last.
MAX_GROUP: Final = 1_000
#: Turns that may wait; beyond it one is refused, so that a stuck worker does not eat the memory.
MAX_WAITING: Final = 100_000
#: Seconds between two looks for turns whose deadline has come.
_SWEEP_S: Final = 0.05


def closed() -> ClosedError:
    """Return the error for what still waits when a store is closed."""
    return ClosedError("the store was closed before this could run")


class WaitingLine:
    """Turns that wait, in order of arrival; one whose deadline comes first is refused."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._sweeper: asyncio.TimerHandle | None = None
        #: The turns; some of them may be over.
        self.turns: deque[Turn] = deque()

    def join(self, turn: Turn) -> None:
        """
        Put *turn* at the end.

        Raises:
            BusyError: Too many turns wait already.
        """
        if len(self.turns) >= MAX_WAITING:
            raise BusyError(f"{MAX_WAITING:,} calls are waiting for this database already")
        self.turns.append(turn)
        if self._sweeper is None:
            self._sweeper = self._loop.call_later(_SWEEP_S, self._sweep)

    async def wait(self, deadline: float, hand_on: Callable[[], None]) -> None:
        """
        Wait at the end of the line until `admit` is called for this turn.

        Args:
            deadline: The event loop's time until which to wait.
            hand_on: Called if the turn has come, and nobody is left to use it.

        Raises:
            BusyError: The deadline came first, or too many wait already.
        """
        turn = Turn(deadline, self._loop.create_future())
        self.join(turn)
        try:
            await turn.wait()
        except CancelledError:
            if turn.outcome == []:
                hand_on()
            raise

    def admit(self) -> None:
        """Let the first turn go ahead."""
        turn = self.turns.popleft()
        turn.outcome = []
        turn.tell()

    def first(self) -> Turn | None:
        """Return the first turn that is not over, without taking it; ``None`` if there is none."""
        turns = self.turns
        while turns and turns[0].is_over:
            turns.popleft()
        return turns[0] if turns else None

    def refuse_all(self, error: Callable[[], MemrepoError]) -> None:
        """Refuse everything that waits."""
        while self.turns:
            self.turns.popleft().refuse(error())

    def _sweep(self) -> None:
        now = self._loop.time()
        for turn in self.turns:
            if turn.deadline <= now:
                turn.refuse(BusyError("waited too long for its turn"))
        self._sweeper = None
        if self.turns:
            self._sweeper = self._loop.call_later(_SWEEP_S, self._sweep)


class Slots:
    """A number of places, given out in order of arrival."""

    def __init__(self, n_slots: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._line = WaitingLine()
        self._n_slots = n_slots
        self._n_free = n_slots
        self._is_closed = False
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
            await self._line.wait(deadline, self.release)

    def release(self) -> None:
        """Give a slot to the next, or set it free."""
        if self._line.first() is not None:
            self._line.admit()
            return
        self._n_free += 1
        if self._all_free is not None and self._n_free == self._n_slots:
            self._all_free.set_result(None)
            self._all_free = None

    def refuse(self) -> None:
        """Refuse what waits, and what is still to come."""
        self._is_closed = True
        self._line.refuse_all(closed)

    async def drain(self) -> None:
        """Wait until every slot is free."""
        if self._n_free < self._n_slots:
            self._all_free = self._loop.create_future()
            await self._all_free


class CallQueue:
    """
    The queue in front of one worker, which runs one group of calls at a time.

    A transaction takes the queue when its turn comes, and gives it back with `release`.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._line = WaitingLine()
        self._is_taken = False
        self._is_closed = False

    def run(self, unit: Unit, deadline: float, on_statement: OnStatement | None) -> PendingCall:
        """
        Run *unit* when its turn comes; return the call, which must be waited for.

        Raises:
            BusyError: Too many calls wait already.
        """
        record = None if on_statement is None else Record(on_statement)
        call = PendingCall(deadline, self._loop.create_future(), unit, record)
        if self._is_taken:
            self._line.join(call)
        else:
            self._is_taken = True
            self._start([call])
        return call

    async def take(self, deadline: float) -> None:
        """Wait for the queue and keep it, until `release`."""
        if not self._is_taken:
            self._is_taken = True
        else:
            await self._line.wait(deadline, self.release)

    def release(self) -> None:
        """Let the next in the queue go ahead."""
        turn = self._line.first()
        if turn is None:
            self._is_taken = False
        elif isinstance(turn, PendingCall):
            self._start(self._next_group())
        else:
            self._line.admit()

    def answer(self, calls: Sequence[PendingCall]) -> None:
        """Have the tasks of a group's *calls* go on, and the next group begin."""
        try:
            for call in calls:
                call.tell()
        except BaseException:  # a KeyboardInterrupt, which the event loop may survive
            self._loop.call_soon(self.answer, calls)
            raise
        if len(calls) > 1:
            # Behind the tasks that go on: what they call next makes one group.
            self._loop.call_soon(self.release)
        elif self._line.turns:
            self.release()
        else:
            self._is_taken = False

    def refuse(self) -> None:
        """Refuse what waits, and what is still to come."""
        self._is_closed = True
        self._line.refuse_all(closed)

    def _start(self, calls: list[PendingCall]) -> None:
        """Have the worker begin with *calls*; `answer` is called when each has its outcome."""
        raise NotImplementedError

    def _next_group(self) -> list[PendingCall]:
        turns = self._line.turns
        calls: list[PendingCall] = []
        while turns and len(calls) < MAX_GROUP and isinstance(call := turns[0], PendingCall):
            turns.popleft()
            if not call.is_over:
                calls.append(call)
        return calls
