"""
The queue in front of one worker: calls in order of arrival, each with a deadline.

A call that finds the worker free runs at once. Calls that arrive meanwhile wait, and form the next group.
So the longer the queue, the fewer round trips, transactions and syncs each call costs.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from memrepo.connection.errors import closed
from memrepo.connection.instrumentation import OnStatement
from memrepo.connection.pending import PendingCall, Turn
from memrepo.errors import BusyError
from memrepo.queries.statement import Unit

__all__ = ["CallQueue", "Line"]

#: Most calls of a group; more would only make the first of them wait for the last.
MAX_GROUP: Final = 1_000
#: Most turns that may wait; more are refused, so that a stuck worker does not fill the memory.
MAX_WAITING: Final = 100_000
#: Seconds between two checks of the deadlines.
_SWEEP_S: Final = 0.05

# Others wait with a deadline, too, and what they wait for is of another kind. The reads of a server, in `hrana/reader`,
# wait for one of several equal places: a semaphore of asyncio. The blocks of a pool, in `pool/slots`, wait for the store
# of a tenant, which one that came later may get first. Here calls leave in groups, and a sweep goes on after a
# KeyboardInterrupt, as asyncio's own primitives do not.


class Line:
    """The turns that wait, in order of arrival, for one worker or for whichever of several is free first."""

    def __init__(self) -> None:
        #: Some may be over.
        self.turns: deque[Turn] = deque()

    def drop_turns_that_are_over(self) -> None:
        """Make room."""
        if any(turn.is_over for turn in self.turns):
            self.turns = deque(turn for turn in self.turns if not turn.is_over)


class CallQueue:
    """
    The queue in front of one worker, which runs one group of calls at a time.

    A transaction takes the queue when its turn comes, and gives it back with `release`.

    A KeyboardInterrupt that the event loop survives may cut off any step. So each step leaves a state from
    which the next sweep can go on, and a sweep comes as long as the queue is in use.
    """

    def __init__(self, line: Line | None = None, *, most: int = MAX_GROUP) -> None:
        """Serve *line*, which other queues may share; a group has at most *most* calls."""
        self._loop = asyncio.get_running_loop()
        self._line = line or Line()
        self._most = most
        #: The calls that the worker has; empty while a transaction holds the queue, ``None`` if it is free.
        self._group: Sequence[PendingCall] | None = None
        #: The turn of the transaction that holds the queue.
        self._holder: Turn | None = None
        self._sweeper: asyncio.TimerHandle | None = None
        self._is_closed = False
        #: Called whenever the worker has nothing to do any more.
        self.when_free: Callable[[], None] | None = None

    @property
    def is_free(self) -> bool:
        """Whether the worker has nothing to do."""
        return self._group is None

    def run(self, unit: Unit, deadline: float, on_statement: OnStatement | None) -> PendingCall:
        """
        Run *unit* when its turn comes; return the call, which must be waited for.

        Raises:
            BusyError: Too many calls are waiting.
        """
        call = PendingCall.of(unit, deadline, on_statement)
        if self._sweeper is None:
            self._sweep_soon()
        if self._group is None:
            self._group = [call]
            self._start(self._group)
        else:
            self._join(call)
        return call

    async def take(self, deadline: float) -> Turn:
        """
        Wait for the queue and keep it, until the turn that this returns is given to `release`.

        Raises:
            BusyError: The deadline came first, or too many calls are waiting.
        """
        turn = Turn(deadline, self._loop.create_future(), task=asyncio.current_task())
        self._sweep_soon()
        if self._group is None:
            self._holder, self._group = turn, ()
            return turn
        self._join(turn)
        try:
            await turn.wait()
        except BaseException:
            self.release(turn)  # it may have come, and nobody is left to use it
            raise
        return turn

    def is_held_by(self, turn: Turn) -> bool:
        """Tell whether *turn* still holds the queue."""
        return turn is self._holder

    def release(self, turn: Turn) -> None:
        """Let the next in the queue go ahead, if *turn* still holds it."""
        if turn is self._holder:
            self._advance()

    def abandon(self, turn: Turn) -> None:
        """Roll back what *turn* may have left open, and release the queue."""
        self.release(turn)

    def _advance(self) -> None:
        if self._loop.is_closed():
            return  # no waiting task can go on
        self._holder = self._group = None
        turns = self._line.turns
        while turns and turns[0].is_over:
            turns.popleft()
        if turns and isinstance(turns[0], PendingCall):
            calls: list[PendingCall] = []
            self._group = calls
            self._move_turns_to(calls)
            self._start(calls)
        elif turns:
            turn = turns[0]
            turn.outcome = []
            self._holder, self._group = turn, ()
            turn.tell()
            turns.popleft()
        elif self.when_free is not None:
            self.when_free()

    def answer(self, calls: Sequence[PendingCall]) -> None:
        """Wake the tasks of a group's *calls*, and start the next group."""
        if calls is not self._group:
            return
        for call in calls:
            call.tell()
        if len(calls) > 1:
            # After the tasks that were woken, so that their next calls form one group.
            self._loop.call_soon(self._end, calls)
        elif self._line.turns or self.when_free is not None:
            self._advance()
        else:
            self._group = None

    def refuse(self) -> None:
        """Refuse all waiting turns, because the store is closed."""
        self._is_closed = True
        turns = self._line.turns
        while turns:
            turns[0].refuse(closed())
            turns.popleft()

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
            self._advance()

    def _move_turns_to(self, calls: list[PendingCall]) -> None:
        turns = self._line.turns
        while turns and len(calls) < self._most and isinstance(call := turns[0], PendingCall):
            if not call.is_over:
                calls.append(call)
            turns.popleft()

    def _join(self, turn: Turn) -> None:
        if len(self._line.turns) >= MAX_WAITING:
            self._line.drop_turns_that_are_over()
        if len(self._line.turns) >= MAX_WAITING:
            raise BusyError(f"{MAX_WAITING:,} calls are already waiting for this database")
        self._line.turns.append(turn)
        self._sweep_soon()

    def _sweep_soon(self) -> None:
        # An overdue sweep was lost: asyncio drops a callback if a KeyboardInterrupt comes just before it.
        if self._sweeper is None or self._sweeper.when() < self._loop.time():
            self._sweeper = self._loop.call_later(_SWEEP_S, self._sweep)

    def _sweep(self) -> None:
        """Refuse turns whose deadline has come, and go on where a KeyboardInterrupt has cut off a step."""
        now = self._loop.time()
        if late := [turn for turn in self._line.turns if turn.deadline <= now]:
            for turn in late:
                turn.refuse(BusyError("waited too long for its turn"))
            self._line.drop_turns_that_are_over()
        self._sweeper = None
        if self._line.turns or self._group is not None:
            self._sweep_soon()
        if self._group is None:
            self._advance()
        elif self._holder is None:
            self._mend(self._group)
        elif _was_interrupted(self._holder.task):
            self.abandon(self._holder)
        else:
            self._holder.tell()


def _was_interrupted(task: asyncio.Task[object] | None) -> bool:
    if task is None or not task.done() or task.cancelled():
        return False
    return isinstance(task.exception(), KeyboardInterrupt | SystemExit)
