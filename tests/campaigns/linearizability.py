"""
Is what many tasks saw explained by some order of their calls, one at a time?

The search of Wing and Gong (Testing and verifying concurrent objects, 1993), with Lowe's memory of
the places it has been (Testing for linearizability, 2017): any call that was made before the first
answer that is still to be explained may be the next; it is, if the model gives the same answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum
from typing import Protocol, TypeAlias

from .model.state import State, Unfinished

__all__ = ["DONE", "Done", "Progress", "Search", "Step", "UndecidedError"]

#: Places to look at before giving up; an ordinary history takes some hundred.
_LIMIT = 300_000


class Done(Enum):
    """The type of `DONE`."""

    DONE = "done"


DONE = Done.DONE
#: How far a step has come: not begun, in between its reads, done.
Progress: TypeAlias = Unfinished | Done | None


class Step(Protocol):
    """Something a task did: a call, or a whole transaction."""

    @property
    def begun(self) -> int:
        """When it was begun, in an order in which all beginnings and ends differ."""
        ...

    @property
    def ended(self) -> int:
        """When the task had its outcome."""
        ...

    def successors(
        self, state: State, progress: Unfinished | None
    ) -> Iterator[tuple[State, Unfinished | Done]]:
        """What the store can be after it, if it happens now and its outcome is the one recorded."""
        ...


_Place: TypeAlias = tuple[tuple[Progress, ...], State]


class UndecidedError(Exception):
    """The search took too long."""


class Search:
    """The orders that explain *steps*, begun in *state*."""

    def __init__(self, steps: Sequence[Step], state: State) -> None:
        self._steps = sorted(steps, key=lambda step: step.ended)
        self._start = state
        #: The steps that could not be explained where most of the others were.
        self.unexplained: Sequence[Step] = self._steps

    def ends(self) -> Iterator[State]:
        """
        Yield each state that the store can be in now; none if what was seen has no explanation.

        Raises:
            UndecidedError: It takes too long to say.
        """
        visited: set[_Place] = set()
        to_visit: list[_Place] = [((None,) * len(self._steps), self._start)]
        while to_visit:
            place = to_visit.pop()
            if place in visited:
                continue
            visited.add(place)
            if len(visited) > _LIMIT:
                raise UndecidedError(f"no explanation among {_LIMIT:,} places")
            left = [step for step, p in zip(self._steps, place[0], strict=True) if p is not DONE]
            if len(left) < len(self.unexplained):
                self.unexplained = left
            if left:
                # The last one that is put there is tried first: the one that ended first.
                to_visit += reversed(list(self._next(*place, before=left[0].ended)))
            else:
                yield place[1]

    def _next(self, progress: tuple[Progress, ...], state: State, before: int) -> Iterator[_Place]:
        for index, step in enumerate(self._steps):
            own = progress[index]
            if own is DONE or step.begun > before:
                continue
            for successor, further in step.successors(state, own):
                yield (*progress[:index], further, *progress[index + 1 :]), successor
