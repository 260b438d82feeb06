"""A pending call: a unit that waits for its worker or is with it, and its outcome."""

from __future__ import annotations

from asyncio import CancelledError, Future, Task, get_running_loop
from typing import Any, Self

import attrs

from memrepo.connection.contract import Result
from memrepo.connection.errors import cut_off
from memrepo.connection.instrumentation import OnStatement, Record
from memrepo.connection.waiting import outlast
from memrepo.errors import MemrepoError
from memrepo.queries.statement import BoundStatement, Unit, not_a_unit

__all__ = ["PendingCall", "Turn"]


@attrs.define(eq=False, repr=False, weakref_slot=False)
class Turn:
    """A place in a queue, and the task that waits in it."""

    #: The event loop's time until which it may wait.
    deadline: float
    #: Done when the wait is over; `outcome` says how it ended.
    future: Future[None]
    #: The task that waits in it, if that is for a transaction.
    task: Task[Any] | None = attrs.field(default=None, kw_only=True)
    #: The results, or why there are none; ``None`` while it waits.
    outcome: list[Result] | MemrepoError | None = attrs.field(default=None, init=False)

    @property
    def is_over(self) -> bool:
        """Whether its task no longer waits."""
        return self.future.done()

    def tell(self) -> None:
        """Wake its task, which takes the outcome. Idempotent."""
        if not self.future.done():
            self.future.set_result(None)

    def refuse(self, error: MemrepoError) -> None:
        """End the wait with an error, unless it is over."""
        if not self.future.done():
            self.outcome = error
            self.future.set_result(None)

    async def wait(self) -> list[Result]:
        """Return the outcome once there is one, or raise it."""
        await self.future
        return self.results()

    def results(self) -> list[Result]:
        """Return the outcome, or raise it."""
        if isinstance(self.outcome, list):
            return self.outcome
        raise self.outcome or cut_off()


@attrs.define(eq=False, repr=False, weakref_slot=False)
class PendingCall(Turn):
    """A unit that waits for a worker, or is with one."""

    #: What to run.
    unit: Unit
    #: When its statements ran, if there is a hook.
    record: Record | None = None
    #: Whether a worker has it. Only the worker then says when it is over.
    is_running: bool = attrs.field(default=False, init=False)
    #: Set by the event loop when nobody waits for the outcome any more; the worker then stops.
    is_cancelled: bool = attrs.field(default=False, init=False)
    #: Whether an earlier attempt may have happened, because its answer was lost. Only on servers.
    may_have_run: bool = attrs.field(default=False, init=False)
    #: Done when the worker has stopped, if somebody waits for that.
    _stopped: Future[None] | None = attrs.field(default=None, init=False)

    @classmethod
    def of(cls, unit: Unit, deadline: float, on_statement: OnStatement | None) -> Self:
        """
        Return a call of *unit* for the current task: each call of every engine, before it runs.

        Raises:
            InvalidInputError: *unit* is no tuple of bound statements.
        """
        if type(unit) is not tuple:
            raise not_a_unit(unit)
        for statement in unit:
            if type(statement) is not BoundStatement:
                raise not_a_unit(unit)
        record = None if on_statement is None else Record(on_statement)
        return cls(deadline, get_running_loop().create_future(), unit, record)

    @property
    def is_waiting(self) -> bool:
        """Whether it has yet to run."""
        return self.outcome is None and not self.is_cancelled

    @property
    def has_failed(self) -> bool:
        """Whether its outcome is an error."""
        return isinstance(self.outcome, MemrepoError)

    def tell(self) -> None:
        """Wake its task, which takes the outcome: the worker is done with it. Idempotent."""
        self.is_running = False
        if not self.future.done():
            self.future.set_result(None)
        elif self._stopped is not None and not self._stopped.done():
            self._stopped.set_result(None)

    async def wait(self, grace_s: float | None = None) -> list[Result]:
        """
        Return the unit's results, or raise its error.

        If the waiting task is cancelled while a worker runs the unit, the cancellation is raised when
        the worker has stopped, so that the call has happened completely or not at all.

        Args:
            grace_s: Seconds to wait for a worker that cannot be stopped; ``None`` for no limit.
        """
        try:
            await self.future
        except CancelledError:
            self.is_cancelled = True
            if self.is_running:
                self._stopped = self.future.get_loop().create_future()
                await outlast(self._stopped, grace_s)
            raise
        if isinstance(self.outcome, list) and self.record is None:
            return self.outcome
        return self.results()

    def results(self) -> list[Result]:
        """Return the unit's results, or raise its error, after a report to the hook if there is one."""
        if self.record is not None:
            self.record.report(self.unit, self.outcome)
        return super().results()
