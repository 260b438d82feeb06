"""What cancelling led to: transactions left open, units in part, acknowledged changes that are gone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import attrs

from .calls import Returned
from .journal import Block, BlockEnd, Made, explain
from .linearizability import DONE, Done, Search, Step, UndecidedError
from .model.state import State, Unfinished
from .scale import Figures

__all__ = ["Tally"]

#: The methods that change nothing; an answer of theirs cannot be lost.
_READS = frozenset(
    [
        "get",
        "find",
        "find_by_content",
        "search",
        "search_as_you_type",
        "find_to_forget",
        "recall",
        "near_duplicates",
        "iterate_near_duplicates",
        "surface",
        "would_infer",
        "pending_inferences",
        "fading",
        "get_many",
        "find_many",
        "iterate",
        "count",
        "history",
        "forgotten",
        "active",
        "for_day",
        "count_by_day",
        "last",
    ]
)
#: Things that went wrong after which there is no need for more.
_ENOUGH = 5


@attrs.define
class Tally:
    """Counts what went wrong."""

    _faults: Counter[str] = attrs.Factory(Counter)
    _details: list[str] = attrs.Factory(list)

    @property
    def is_full(self) -> bool:
        """Whether so much went wrong that there is no need for more."""
        return len(self._details) >= _ENOUGH

    def add(self, kind: str, where: str, details: Sequence[str]) -> None:
        """Note what went wrong, if anything."""
        if details:
            self._faults[kind] += 1
            self._details += [f"{where}: {kind}: {detail}" for detail in details]

    def judge(self, where: str, steps: Sequence[Made | Block], state: State) -> State | None:
        """Return the state that explains what was done since *state*, or note that there is none."""
        found = explain(steps, state)
        if isinstance(found, State):
            return found
        self.add(_fault(steps, state), where, [found])
        return None

    def report(self, figures: Figures, campaign: str, **values: object) -> None:
        """Report the figures, and fail if anything went wrong."""
        kinds = {kind: self._faults[kind] for kind in ("leaked", "torn", "lost")}
        figures(campaign, **values, **kinds)
        assert not self._details, "\n\n".join(self._details)


@attrs.frozen
class _Forgiven:
    """A step whose changes may be missing although they were acknowledged."""

    step: Made | Block

    @property
    def begun(self) -> int:
        return self.step.begun

    @property
    def ended(self) -> int:
        return self.step.ended

    def successors(
        self, state: State, progress: Unfinished | None
    ) -> Iterator[tuple[State, Unfinished | Done]]:
        yield from self.step.successors(state, progress)
        yield state, DONE


def _is_acknowledged_change(step: Made | Block) -> bool:
    if isinstance(step, Block):
        return step.end is BlockEnd.COMMITTED
    return isinstance(step.outcome, Returned) and step.call.method not in _READS


def _fault(steps: Sequence[Made | Block], state: State) -> str:
    """What has an explanation once acknowledged changes may be missing is lost, all else torn."""
    forgiven: list[Step] = [
        _Forgiven(step) if _is_acknowledged_change(step) else step for step in steps
    ]
    try:
        return "lost" if any(True for _ in Search(forgiven, state).ends()) else "torn"
    except UndecidedError:
        return "torn"
