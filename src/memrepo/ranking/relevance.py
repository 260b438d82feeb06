"""How relevant each row is to a question: the formula."""

from __future__ import annotations

from collections.abc import Sequence, Set as AbstractSet
from heapq import nlargest
from typing import Final, NamedTuple

import attrs

from memrepo.ranking.candidates import idf, leading, named, tie_sign, weighed
from memrepo.ranking.contiguity import Kernel, Spread
from memrepo.ranking.matching import first_token, has_time, is_question, matches
from memrepo.ranking.question import Question
from memrepo.ranking.rows import Row, Scope, Sequences, sequences
from memrepo.ranking.steps import Steps, collect
from memrepo.ranking.unicode61 import tokens
from memrepo.ranking.weights import Weights

__all__ = [
    "DEFAULT_WEIGHTS",
    "Ranked",
    "WordPart",
    "rank",
]

DEFAULT_WEIGHTS: Final = Weights()
#: Rows that are looked at in one step.
_AT_ONCE: Final = 32
#: Whoever is named must have at least so much of the question as another has; see `_is_of_another`.
_AS_MUCH: Final = 0.95
#: What the relevance of all rows is multiplied by, where that is not so.
_DOUBT: Final = 0.1


class WordPart(NamedTuple):
    """What a word of the question adds to the relevance of a row."""

    word: str
    #: What it adds.
    share: float
    #: Where it stands: 0 in the row, -1 in the row before, 1 in the row after, and so on; ``None`` elsewhere
    #: in its session.
    place: int | None


@attrs.frozen
class Ranked:
    """A row, how relevant it is, and why."""

    row: Row
    #: By what rows are ordered: relevance times all factors.
    score: float
    #: 0 to 1; 1 where the row has every word of the question.
    relevance: float
    #: What each word adds, in the order of the question; words that add nothing are left out.
    words: tuple[WordPart, ...]
    #: The name that the row begins with, if the question names it.
    subject: str | None
    #: How it was told to the period that the question names: "in May 2023", "soon after May 2023".
    period: str | None
    #: Whether it tells a time, and the question asks for one.
    tells_time: bool
    #: Whether the question names somebody, and another's rows have more of what it asks: *relevance* is a
    #: tenth then.
    is_doubtful: bool

    @property
    def has_word(self) -> bool:
        """Whether the row has a word of the question itself."""
        return any(part.place == 0 for part in self.words)


def rank(
    question: Question,
    rows: Sequence[Row | None],
    scope: Scope,
    *,
    weights: Weights = DEFAULT_WEIGHTS,
    among: AbstractSet[int] | None = None,
    limit: int | None = None,
) -> Steps[list[Ranked]]:
    """
    Return, in steps, the rows that have something of *question*, the most relevant first.

    Args:
        question: What is asked; see `parse`.
        rows: Those that are compared, in the order of (told_at, id); ``None`` where some are left out.
        scope: What is known of all rows of the scope.
        weights: How much each part counts.
        among: The ids of the rows that may be returned; ``None`` for all.
        limit: So many at most; ``None`` for all.

    Returns:
        Rows of equal score in the order in which they were told; where only names are asked for, the
        latest first.
    """
    if not question.words or limit == 0:
        return []
    told = yield from sequences(rows)
    yield
    ranking = _Ranking(question, told, scope, weights)
    yield from ranking.score()
    return (yield from ranking.best(among, limit))


class _Ranking:
    """The rows and their scores, of one question."""

    def __init__(self, question: Question, told: Sequences, scope: Scope, weights: Weights) -> None:
        self._question = question
        self._told = told
        self._scope = scope
        self._weights = weights
        self._names = named(question, scope)
        self._words = weighed(question, scope) or question.words
        idfs = [idf(scope.n_rows, scope.postings[word.text].n_rows) for word in self._words]
        total = sum(idfs) or 1.0
        self._shares = [weight / total for weight in idfs]
        self._spreads: list[Spread] = []
        self._firsts: list[str] = []
        self._is_doubtful = False
        self._relevance: list[float] = []

    def score(self) -> Steps[None]:
        """Find out how relevant each row is, in steps."""
        rows = self._told.rows
        kernel = Kernel(self._told, self._weights)
        for having in matches(self._words, rows, self._scope, self._question.language):
            if having is not None:
                yield
                self._spreads.append(kernel.spread(having))
            yield
        if self._names:
            firsts = (first_token(row.text) for row in rows)
            self._firsts = yield from collect(firsts, _AT_ONCE)
        self._is_doubtful = self._is_of_another()
        yield
        doubt = _DOUBT if self._is_doubtful else 1.0
        # Rounded, because a sum of shares may be a little more than 1.
        sums = yield from self._sum()
        self._relevance = [round(doubt * so_far, 12) if so_far else 0.0 for so_far in sums]
        yield

    def best(self, among: AbstractSet[int] | None, limit: int | None) -> Steps[list[Ranked]]:
        """Return those with the highest scores, in steps."""
        rows = self._told.rows
        scores: dict[int, float] = {}
        for place, relevance in enumerate(self._relevance):
            if relevance and (among is None or rows[place].id in among):
                scores[place] = relevance * self._factor(place)
            if place % _AT_ONCE == 0:
                yield
        if self._question.asks_when and self._weights.when:
            self._add_when(scores, limit)
        sign = tie_sign(self._question, self._names)

        def order(place: int) -> tuple[float, int]:
            row = rows[place]
            return sign * row.told_at.timestamp(), sign * row.id

        chosen = yield from leading(scores, len(scores) if limit is None else limit, order)
        yield
        return (yield from collect(self._ranked(place, scores[place]) for place in chosen))

    def _sum(self) -> Steps[list[float]]:
        sums = [0.0] * len(self._told.rows)
        for share, word in zip(self._shares, self._spreads, strict=True):
            sums = [so_far + share * near for so_far, near in zip(sums, word.near, strict=True)]
            yield
        return sums

    def _is_of_another(self) -> bool:
        """
        Tell whether another than those named has what is asked.

        "What did Ann do after her race?", where Ben ran it: Ben's rows have more of the question in
        themselves than Ann's have, in themselves or in a question that they answer.
        """
        # Where facts begin with verbs, a verb may seem to be a subject; and what "I" ask, others may have told.
        if self._names.isdisjoint(self._question.capitalized):
            return False
        own, answered = self._own_and_answered()
        of_named = of_others = 0.0
        for place, first in enumerate(self._firsts):
            if first in self._names:
                of_named = max(of_named, own[place] + answered[place])
            elif (
                # The text is looked at last: that takes the longest by far.
                own[place] > of_others
                and first in self._scope.subjects
                and not self._names_somebody(place)
            ):
                of_others = own[place]
        return of_named < _AS_MUCH * of_others

    def _names_somebody(self, place: int) -> bool:
        """Tell whether a row tells of those named, whoever it begins with: "Ben said that Ann won"."""
        return not self._names.isdisjoint(tokens(self._told.rows[place].text))

    def _own_and_answered(self) -> tuple[list[float], list[float]]:
        """Return how much of the question each row has in itself, and in a question that it answers."""
        rows = self._told.rows
        own = [0.0] * len(rows)
        answered = [0.0] * (len(rows) + 1)
        for share, word in zip(self._shares, self._spreads, strict=True):
            for at in word.having:
                if word.place[at] == 0:
                    own[at] += share * word.near[at]
                if word.place[at + 1 : at + 2] == [-1] and is_question(rows[at].text):
                    answered[at + 1] += share * word.near[at + 1]
        return own, answered

    def _factor(self, place: int) -> float:
        factor = 1.0
        if self._names and self._firsts[place] in self._names:
            factor += self._weights.subject
        if self._question.periods and self._period(place):
            factor += self._weights.period
        return factor

    def _period(self, place: int) -> str | None:
        told_at = self._told.rows[place].told_at
        told = (period.when_told(told_at) for period in self._question.periods)
        return next(filter(None, told), None)

    def _add_when(self, scores: dict[int, float], limit: int | None) -> None:
        """Raise the scores of rows that tell a time; only those are looked at that could come to the top."""
        weight = self._weights.when
        least = 0.0
        if limit is not None and limit < len(scores):
            least = nlargest(limit, scores.values())[-1]
        for place, score in scores.items():
            raised = score + weight * self._relevance[place]
            if raised >= least and self._tells_time(place):
                scores[place] = raised

    def _tells_time(self, place: int) -> bool:
        return has_time(self._told.rows[place].text, self._question.language)

    def _ranked(self, place: int, score: float) -> Ranked:
        parts = [
            WordPart(word.text, share * found.near[place], found.place[place])
            for word, share, found in zip(self._words, self._shares, self._spreads, strict=True)
            if found.near[place]
        ]
        first = self._firsts[place] if self._names else ""
        return Ranked(
            row=self._told.rows[place],
            score=score,
            relevance=self._relevance[place],
            words=tuple(parts),
            subject=first if first in self._names else None,
            period=self._period(place),
            tells_time=self._question.asks_when and self._tells_time(place),
            is_doubtful=self._is_doubtful,
        )
