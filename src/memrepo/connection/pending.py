"""What waits for its turn on a connection: a unit on its way from a task to the worker and back."""

from __future__ import annotations

from asyncio import AbstractEventLoop
from collections.abc import Callable, Generator
from contextvars import Context, copy_context
from typing import Any, Self

import attrs

from memrepo.connection.contract import Result
from memrepo.connection.instrumentation import Record
from memrepo.domain.codec import Row
from memrepo.errors import DatabaseError, MemrepoError
from memrepo.queries.statement import Unit

__all__ = ["Call", "Reading"]


@attrs.define(eq=False, repr=False, weakref_slot=False)
class Call:
    """
    A unit on its way through the worker, and what became of it; awaited by the task that made it.

    To asyncio it is a future (https://docs.python.org/3/library/asyncio-future.html#asyncio.isfuture),
    with two differences. To cancel the task does not end its wait while the worker is at its unit.
    And the task can go on in the pass of the event loop that learns of the outcome, not in the next.
    """

    #: The event loop of the task that awaits it.
    loop: AbstractEventLoop
    #: The event loop's time until which it may wait for its turn and for locks.
    deadline: float
    #: What to run.
    unit: Unit
    #: What is noted of its statements, if somebody asks.
    record: Record | None = None
    #: Whether it is a transaction's, and has the lane, instead of running, when its turn has come.
    takes_lane: bool = False
    outcome: list[Result] | MemrepoError | None = attrs.field(default=None, init=False)
    #: Whether it was given to a worker that stops, and tells, when it is cancelled.
    is_running: bool = attrs.field(default=False, init=False)
    #: Set by the event loop when nobody waits for the outcome any more; the worker then stops.
    is_cancelled: bool = attrs.field(default=False, init=False)
    #: Whether its task was told to go on.
    is_over: bool = attrs.field(default=False, init=False)
    _wakeup: Callable[[Call], object] | None = attrs.field(default=None, init=False)
    _context: Context | None = attrs.field(default=None, init=False)
    #: ``None`` until it is awaited: before, asyncio is to take it for an awaitable like any other.
    _asyncio_future_blocking: bool | None = attrs.field(default=None, init=False)

    @property
    def is_waiting(self) -> bool:
        """Whether it is still to run."""
        return self.outcome is None and not self.is_cancelled

    @property
    def has_failed(self) -> bool:
        """Whether it ran, and what it gave is an error."""
        return isinstance(self.outcome, MemrepoError)

    def results(self) -> list[Result]:
        """Return what the unit gave, or raise its error."""
        if self.record is not None:
            self.record.report(self.unit, self.outcome)
        if isinstance(self.outcome, list):
            return self.outcome
        raise self.outcome or DatabaseError("the call was cut off")

    def __await__(self) -> Generator[Any, None, list[Result]]:
        """Wait until it is over; return what the unit gave, or raise its error."""
        return self  # type: ignore[return-value]  # an iterator will do

    def __iter__(self) -> Self:
        """Be the iterator that `__await__` returns."""
        return self

    def __next__(self) -> Self:
        """Have the task wait, or go on with the results."""
        if self.is_over:
            raise StopIteration(self.results())
        self._asyncio_future_blocking = True
        return self

    def refuse(self, error: MemrepoError) -> None:
        """End it with an error, unless it has ended."""
        if not self.is_over:
            self.outcome = error
            self.wake_soon()

    def wake(self) -> None:
        """Have its task go on at once. Only for callbacks of the event loop: no task may be running."""
        if not self.is_over:
            self.is_over = True
            if self._wakeup is not None and self._context is not None:
                self._context.run(self._wakeup, self)

    def wake_soon(self) -> None:
        """Have its task go on in the event loop's next pass."""
        if not self.is_over:
            self.is_over = True
            # A task that is thrown away with its closed loop gives back what it has, to nobody.
            if self._wakeup is not None and not self.loop.is_closed():
                self.loop.call_soon(self._wakeup, self, context=self._context)

    # --- what asyncio asks of a future -----------------------------------------------------------

    def get_loop(self) -> AbstractEventLoop:
        """Return the event loop, which is the one that runs: the connection has checked that."""
        return self.loop

    def add_done_callback(
        self, wakeup: Callable[[Call], object], *, context: Context | None = None
    ) -> None:
        """Remember how to have the task go on."""
        self._wakeup = wakeup
        self._context = copy_context() if context is None else context

    def cancel(self, msg: str | None = None) -> bool:  # noqa: ARG002 - the task keeps it
        """
        Note that nobody waits for the outcome any more.

        Returns:
            ``False``: the task raises its CancelledError when it goes on, which is in the event loop's
            next pass unless a worker is at the unit.
        """
        self.is_cancelled = True
        if not self.is_running:
            self.wake_soon()
        return False

    def result(self) -> None:
        """Raise nothing: the task is told of the outcome by `__await__`."""


@attrs.define(eq=False, repr=False, weakref_slot=False)
class Reading(Call):
    """A call of one SELECT: awaited, it gives the rows."""

    def __await__(self) -> Generator[Any, None, list[Row]]:  # type: ignore[override]
        """Wait until it is over; return the rows, or raise its error."""
        return self  # type: ignore[return-value]  # an iterator will do

    def __next__(self) -> Self:
        """Have the task wait, or go on with the rows."""
        if self.is_over:
            raise StopIteration(self.results()[0].rows)
        self._asyncio_future_blocking = True
        return self
