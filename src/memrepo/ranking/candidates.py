"""Which rows a search compares: those that have the most of the question, as far as the index knows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Set as AbstractSet
from heapq import nlargest, nsmallest
from itertools import chain, islice
from typing import Final

from memrepo.ranking.question import Question, Word
from memrepo.ranking.rows import Scope
from memrepo.ranking.steps import Steps

__all__ = ["candidates", "idf", "leading", "named", "tie_sign", "weighed"]

#: As a word, a name says nothing if more than this share of the rows have it.
_COMMON: Final = 0.2
#: Rows that are looked at in one step.
_AT_ONCE: Final = 250
#: What facts call whoever asks, as chats and extracted facts do.
_ASKER: Final = "user"


def idf(n_rows: int, n_with: int) -> float:
    """Return how much a word says that so many rows of a scope have."""
    return math.log(1 + (n_rows - n_with + 0.5) / (n_with + 0.5))


def candidates(question: Question, scope: Scope, limit: int = 50) -> Steps[list[int]]:
    """
    Return, in steps, the ids of the rows that are known to have the most of the question, the best first.

    Args:
        question: Its words are weighed by their idf in *scope*.
        scope: Only the ids of its postings are looked at.
        limit: So many at most. Ties go to the lower id; if only names are asked for, to the higher.
    """
    sums: dict[int, float] = {}
    for word in weighed(question, scope) or question.words:
        posting = scope.postings[word.text]
        weight = idf(scope.n_rows, posting.n_rows)
        ids = iter(posting.ids)
        while some := [*islice(ids, _AT_ONCE)]:
            for row_id in some:
                sums[row_id] = sums.get(row_id, 0.0) + weight
            yield
    sign = tie_sign(question, named(question, scope))
    first = iter((yield from leading(sums, limit)))
    best: list[tuple[float, int]] = []
    while pairs := [(-sums[row_id], sign * row_id) for row_id in islice(first, _AT_ONCE)]:
        best = nsmallest(limit, chain(best, pairs))
        yield
    return [sign * number for _, number in best]


def leading(sums: Mapping[int, float], limit: int) -> Steps[Iterable[int]]:
    """Return, in steps, whatever has one of the *limit* highest sums: to put these in order is less work."""
    if not 0 < limit < len(sums):
        return sums
    highest: list[float] = []
    values = iter(sums.values())
    while some := [*islice(values, _AT_ONCE)]:
        highest = nlargest(limit, chain(highest, some))
        yield
    least = highest[-1]
    chosen: list[int] = []
    items = iter(sums.items())
    while pairs := [*islice(items, _AT_ONCE)]:
        chosen += [each for each, its in pairs if its >= least]
        yield
    return chosen


def tie_sign(question: Question, names: AbstractSet[str]) -> int:
    """Return -1 where the latest of equal rows comes first: where only names are asked for."""
    return -1 if all(word.text in names for word in question.words) else 1


def weighed(question: Question, scope: Scope) -> list[Word]:
    """Return the words of *question* without those that are factors only: common names, unknown dates."""
    names = named(question, scope)
    most = _COMMON * scope.n_rows
    kept: list[Word] = []
    for word in question.words:
        n_rows = scope.postings[word.text].n_rows
        is_common_name = word.text in names and n_rows > most
        is_date = n_rows == 0 and question.periods and question.language.is_of_date(word.text)
        if not (is_common_name or is_date):
            kept.append(word)
    # Where nobody has the others, those with the name are the answer.
    return kept if any(scope.postings[word.text].n_rows for word in kept) else []


def named(question: Question, scope: Scope) -> frozenset[str]:
    """Return the subjects of *scope* that *question* names; "I" and "my" name the user."""
    tokens = {*question.tokens} - question.language.stop_words
    if question.is_first_person:
        tokens.add(_ASKER)
    return frozenset(scope.subjects & tokens)
