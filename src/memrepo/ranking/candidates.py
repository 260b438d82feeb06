"""Which rows a search compares: those that have the most of the question, as far as the index knows."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Set as AbstractSet
from heapq import nlargest, nsmallest
from itertools import chain, islice
from typing import Any, Final

from memrepo.ranking.question import Question, Word
from memrepo.ranking.rows import Scope
from memrepo.ranking.steps import Steps

__all__ = ["candidates", "idf", "leading", "named", "tie_sign", "weighed"]

#: As a word, a name says nothing if more than this share of the rows have it.
_COMMON: Final = 0.2
#: Rows that are looked at in one step.
_AT_ONCE: Final = 500
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
        again = sums.keys() & posting.ids
        yield
        for row_id in again:
            sums[row_id] += weight
        yield
        sums.update(dict.fromkeys(posting.ids - again, weight))
        yield
    sign = tie_sign(question, named(question, scope))
    return (yield from leading(sums, limit, lambda row_id: sign * row_id))


def leading(sums: Mapping[int, float], limit: int, order: Callable[[int], Any]) -> Steps[list[int]]:
    """Return, in steps, what has the highest *limit* sums, the highest first; ties by *order*, the lowest first."""
    highest: list[float] = []
    values = iter(sums.values())
    while some := [*islice(values, _AT_ONCE)]:
        highest = nlargest(limit, chain(highest, some))
        yield
    if not highest:
        return []
    least = highest[-1]
    above: list[int] = []
    equal: list[int] = []
    items = iter(sums.items())
    while some_items := [*islice(items, _AT_ONCE)]:
        above += [each for each, its in some_items if its > least]
        equal += [each for each, its in some_items if its == least]
        yield
    above.sort(key=lambda each: (-sums[each], order(each)))
    return above + nsmallest(limit - len(above), equal, order)


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
