"""A unit on its way from a task to the worker thread and back."""

from __future__ import annotations

import attrs

from memrepo.connection.contract import Result
from memrepo.errors import DatabaseError, MemrepoError
from memrepo.queries.statement import Unit

__all__ = ["Call"]


@attrs.define(eq=False)
class Call:
    """A unit on its way through the worker, and what became of it."""

    unit: Unit
    #: The event loop's time until which it may wait for its turn and for locks.
    deadline: float
    #: Set by the event loop when nobody waits for the outcome any more; the worker then stops.
    is_cancelled: bool = False
    outcome: list[Result] | MemrepoError | None = None
    #: When each statement began and how long it took, in `perf_counter`'s seconds, if somebody asks.
    timings: list[tuple[float, float]] | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether it is still to run."""
        return self.outcome is None and not self.is_cancelled

    def result(self) -> list[Result]:
        """Return what the unit gave, or raise its error."""
        if isinstance(self.outcome, list):
            return self.outcome
        raise self.outcome or DatabaseError("the call was cut off")
