"""A scope's rows, and what an index would know of them."""

from __future__ import annotations

from collections.abc import Sequence, Set as AbstractSet
from datetime import UTC, datetime, timedelta

import attrs

from memrepo.ranking.language import ENGLISH, Language
from memrepo.ranking.matching import look_through
from memrepo.ranking.question import Question, parse
from memrepo.ranking.relevance import DEFAULT_WEIGHTS, Ranked, rank
from memrepo.ranking.rows import Row, Scope
from memrepo.ranking.steps import finish
from memrepo.ranking.weights import Weights

START = datetime(2023, 5, 8, 13, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def told(
    *texts: str, start: datetime = START, session_id: int | None = None, first_id: int = 1
) -> list[Row]:
    """Return rows of one talk, a minute apart."""
    return [
        Row(first_id + place, text, start + place * MINUTE, session_id)
        for place, text in enumerate(texts)
    ]


def scope_of(
    question: Question, rows: Sequence[Row], subjects: AbstractSet[str] = frozenset()
) -> Scope:
    """Return what an index knows of all the rows of a scope, which is about *subjects*."""
    return attrs.evolve(look_through(question, rows), subjects=subjects)


def ask(
    text: str,
    rows: Sequence[Row],
    *,
    subjects: AbstractSet[str] = frozenset(),
    language: Language = ENGLISH,
    weights: Weights = DEFAULT_WEIGHTS,
    limit: int | None = None,
) -> list[Ranked]:
    """Rank all rows of a scope."""
    question = parse(text, language)
    scope = scope_of(question, rows, subjects)
    return finish(rank(question, rows, scope, weights=weights, limit=limit))
