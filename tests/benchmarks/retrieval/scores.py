"""How much of the evidence is found: recall, its spread over conversations, and what is found in vain."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from math import inf
from typing import Final

import attrs

from tests.benchmarks.retrieval.data import UNANSWERED, Corpus, Question
from tests.benchmarks.retrieval.search import Contender, Found

__all__ = ["DEPTHS", "Figures", "Run", "run"]

#: The first so many rows are looked at.
DEPTHS: Final = (1, 5, 10, 25)
_DEPTH: Final = 10
#: Least relevances that are tried, at equal shares of the rows.
_N_TRIED: Final = 200


@attrs.frozen
class Figures:
    """What some questions came to, with all rows of less than a given relevance left out."""

    #: Of the questions that have evidence: the share of it in the first rows, by `DEPTHS`, averaged.
    recall: tuple[float, ...]
    #: Of the first ten rows that they were answered with, the share that is evidence.
    precision: float
    #: Of the questions without an answer, the share for which nothing was found; ``None`` without any.
    empty: float | None


@attrs.frozen
class Run:
    """What a contender found for each question of each conversation."""

    answers: tuple[tuple[str, Question, tuple[Found, ...]], ...]

    @property
    def conversations(self) -> list[str]:
        return [*dict.fromkeys(name for name, _, _ in self.answers)]

    def figures(
        self, *, only: str | None = None, without: str | None = None, least: float = -inf
    ) -> Figures:
        """Sum up all conversations, one only, or all without one."""
        recalls: list[list[float]] = []
        n_shown = n_evidence = n_unanswered = n_empty = 0
        for name, question, found in self.answers:
            if name == without or only not in (None, name):
                continue
            ids = [row.id for row in found if row.relevance >= least]
            if question.category == UNANSWERED:
                n_unanswered += 1
                n_empty += not ids
            elif question.evidence:
                recalls.append([_recall(question, ids[:depth]) for depth in DEPTHS])
                n_shown += len(ids[:_DEPTH])
                n_evidence += len({*ids[:_DEPTH]} & frozenset[int]().union(*question.evidence))
        return Figures(
            tuple(
                sum(recall[place] for recall in recalls) / max(len(recalls), 1)
                for place in range(len(DEPTHS))
            ),
            n_evidence / max(n_shown, 1),
            n_empty / n_unanswered if n_unanswered else None,
        )

    def curve(self) -> list[float]:
        """Return R@1, R@2 and so on to the last of `DEPTHS`."""
        asked = [*self._with_evidence()]
        return [
            sum(_recall(question, ids[:depth]) for question, ids in asked) / max(len(asked), 1)
            for depth in range(1, DEPTHS[-1] + 1)
        ]

    def _with_evidence(self) -> Iterator[tuple[Question, list[int]]]:
        for _, question, found in self.answers:
            if question.category != UNANSWERED and question.evidence:
                yield question, [row.id for row in found]

    def keeping(self, share: float) -> Figures:
        """Return the figures at the highest least relevance that leaves this *share* of R@10."""
        place = DEPTHS.index(_DEPTH)
        wanted = share * self.figures().recall[place]
        known = sorted(row.relevance for _, _, found in self.answers for row in found[:_DEPTH])
        tried = [known[at * len(known) // _N_TRIED] for at in range(_N_TRIED)] if known else []
        # R@10 never rises with the least relevance.
        at = bisect_right(
            tried, 0, key=lambda least: self.figures(least=least).recall[place] < wanted
        )
        return self.figures(least=tried[at - 1]) if at else self.figures()

    def spread(self, depth: int) -> tuple[float, float]:
        """Return the lowest and the highest recall with one conversation left out."""
        place = DEPTHS.index(depth)
        recalls = [self.figures(without=name).recall[place] for name in self.conversations]
        return min(recalls), max(recalls)


def run(contender: Contender, corpora: Sequence[Corpus]) -> Run:
    """Ask a contender every question."""
    answers: list[tuple[str, Question, tuple[Found, ...]]] = []
    for corpus in corpora:
        with contender(corpus) as search:
            answers += (
                (corpus.name, question, tuple(search(question.text, DEPTHS[-1])))
                for question in corpus.questions
            )
    return Run(tuple(answers))


def _recall(question: Question, ids: Sequence[int]) -> float:
    pieces = question.evidence
    return sum(not piece.isdisjoint(ids) for piece in pieces) / len(pieces)
