"""What was learnt together is recalled together: a word counts for the rows beside those that have it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import attrs

from memrepo.ranking.matching import is_question
from memrepo.ranking.rows import Sequences
from memrepo.ranking.weights import Weights

__all__ = ["Kernel", "Spread"]


@attrs.frozen
class Spread:
    """How much a word counts for each row, and from where."""

    #: The places of the rows that have it.
    having: Sequence[int]
    #: 0 to 1, by the places of the rows.
    near: Sequence[float]
    #: How many rows further the row stands that has it: 0 for the row itself, -1 for the one before;
    #: ``None`` for another of the session.
    place: Sequence[int | None]


class Kernel:
    """How much a word of a row counts for the rows around it."""

    def __init__(self, told: Sequences, weights: Weights) -> None:
        self._told = told
        self._weights = weights
        #: What `_reach_of` has said: a row has several words of a question.
        self._reach: dict[int, list[tuple[int, float, int]]] = {}
        #: Distance and weight, nothing in between.
        own_and_after = [
            (0, 1.0),
            *((-distance, weight) for distance, weight in enumerate(weights.after, 1)),
        ]
        self._of_statement = [*own_and_after, *enumerate(weights.before, 1)]
        self._of_question = self._of_statement
        if weights.before:
            answer = max(weights.answer, weights.before[0])
            self._of_question = [*own_and_after, *enumerate((answer, *weights.before[1:]), 1)]

    def spread(self, having: Sequence[int]) -> Spread:
        """Return how much a word counts for each row that the rows at the places *having* have."""
        told, least, reach = self._told, self._weights.session, self._reach
        sessions = {told.sessions[at] for at in having}
        near = [least if session in sessions else 0.0 for session in told.sessions]
        place: list[int | None] = [None] * len(near)
        for at in having:
            if at not in reach:
                reach[at] = self._reach_of(at)
            for to, counts, step in reach[at]:
                if near[to] < counts:
                    near[to] = counts
                    place[to] = step
        return Spread(having, near, place)

    def _reach_of(self, at: int) -> list[tuple[int, float, int]]:
        """Return for which places a word of the row at *at* counts, how much, and from how far."""
        runs, text = self._told.runs, self._told.rows[at].text
        strength = self._strength(text)
        return [
            (at + distance, weight * strength, -distance)
            for distance, weight in (self._of_question if is_question(text) else self._of_statement)
            if 0 <= at + distance < len(runs) and runs[at + distance] == runs[at]
        ]

    def _strength(self, text: str) -> float:
        """Return how much a word of *text* counts: less in a long one."""
        long_from = self._weights.long_from
        return math.sqrt(long_from / len(text)) if len(text) > long_from else 1.0
