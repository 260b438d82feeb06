"""What waits for its turn on a connection: a unit on its way from a task to the worker and back."""

from __future__ import annotations

import attrs

from memrepo.connection.contract import Result
from memrepo.errors import DatabaseError, MemrepoError
from memrepo.queries.statement import Unit

__all__ = ["Call", "Turn"]


@attrs.define(eq=False, weakref_slot=False)
class Turn:
    """A place in the queue. One that is no `Call` is of a transaction, which takes the lane."""

    #: The event loop's time until which it may wait for its turn and, a call, for locks.
    deadline: float


@attrs.define(eq=False, weakref_slot=False)
class Call(Turn):
    """A unit on its way through the worker, and what became of it."""

    unit: Unit
    #: When each statement began and how long it took, in `perf_counter`'s seconds, if somebody asks.
    timings: list[tuple[float, float]] | None = None
    #: Whether it was given to the worker.
    is_running: bool = attrs.field(default=False, init=False)
    #: Set by the event loop when nobody waits for the outcome any more; the worker then stops.
    is_cancelled: bool = attrs.field(default=False, init=False)
    outcome: list[Result] | MemrepoError | None = attrs.field(default=None, init=False)

    @property
    def is_waiting(self) -> bool:
        """Whether it is still to run."""
        return self.outcome is None and not self.is_cancelled

    @property
    def has_failed(self) -> bool:
        """Whether it ran, and what it gave is an error."""
        return isinstance(self.outcome, MemrepoError)

    def result(self) -> list[Result]:
        """Return what the unit gave, or raise its error."""
        if isinstance(self.outcome, list):
            return self.outcome
        raise self.outcome or DatabaseError("the call was cut off")
