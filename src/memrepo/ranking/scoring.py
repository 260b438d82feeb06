"""How much a fact matters when nothing is asked: the original's score."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from memrepo.domain.memories import EXPLICIT_SOURCE, MemoryEntry
from memrepo.domain.recall import Ranking, Score
from memrepo.domain.search import Hit
from memrepo.ranking.ages import days_between
from memrepo.ranking.matching import is_turn

__all__ = ["decay_of", "faded_since", "relevant_scores", "score_of", "unasked_score_of"]

#: What an access in the future counts as: the original does not tell it from one of this week.
_FUTURE_DAYS: Final = 7
_NO_TIME: Final = timedelta(0)


def score_of(
    fact: MemoryEntry, now: datetime, ranking: Ranking, explicit_sources: Collection[str]
) -> Score:
    """Return the score of a fact at *now*."""
    is_said = fact.source in explicit_sources
    since = fact.last_accessed or fact.created_at
    recency = _recency_points(days_between(since, now), ranking)
    category = ranking.categories.get(fact.category, 0)
    source = _source_points(fact, ranking, explicit_sources)
    fading = ranking.fading_sources
    fades = not is_said if fading is None else fact.source in fading
    decay = decay_of(now - since, ranking.half_life) if fades else 0.0
    # As JavaScript rounds, not as Python does: halves up.
    total = math.floor((recency + category + source) * (1 - decay) + 0.5)
    return Score(
        total=total,
        recency=recency,
        category=category,
        source=source,
        decay=decay,
        is_pinned=fact.pinned_at is not None,
    )


def relevant_scores(
    hits: Iterable[Hit[MemoryEntry]],
    now: datetime,
    ranking: Ranking,
    explicit_sources: Collection[str],
) -> Iterator[Score]:
    """Yield the score of each fact that a search has found."""
    categories, sources = _shares(ranking.categories), _shares(ranking.sources)
    said = sources.get(EXPLICIT_SOURCE, 0.0)
    for hit in hits:
        fact = hit.entry
        recency = 1 - decay_of(now - (fact.last_accessed or fact.created_at), ranking.half_life)
        category = categories.get(fact.category, 0.0)
        source = sources.get(fact.source, said if fact.source in explicit_sources else 0.0)
        total = hit.score
        total *= 1 + ranking.recency_weight * recency
        total *= 1 + ranking.category_weight * category
        total *= 1 + ranking.source_weight * source
        yield Score(
            total=total,
            recency=recency,
            category=category,
            source=source,
            decay=0.0,
            relevance=hit.relevance,
            why=hit.why,
            is_pinned=fact.pinned_at is not None,
            is_beside=not hit.has_word and not is_turn(fact.content),
        )


def unasked_score_of(
    fact: MemoryEntry, now: datetime, ranking: Ranking, explicit_sources: Collection[str]
) -> Score:
    """Return the score of a fact that is there although a search has not found it: 0."""
    hit = Hit(entry=fact, score=0.0, relevance=0.0, why="", highlights=())
    return next(relevant_scores((hit,), now, ranking, explicit_sources))


def _source_points(fact: MemoryEntry, ranking: Ranking, explicit_sources: Collection[str]) -> float:
    is_said = fact.source in explicit_sources
    said_points = ranking.sources.get(EXPLICIT_SOURCE, 0) if is_said else 0
    return ranking.sources.get(fact.source, said_points)


def _shares(table: Mapping[str, float]) -> dict[str, float]:
    """Return points as shares of the most that the table has, 0 to 1."""
    most = max(table.values(), default=0)
    if most <= 0:
        return {}
    return {name: min(max(points / most, 0.0), 1.0) for name, points in table.items()}


def _recency_points(days: int, ranking: Ranking) -> float:
    days = _FUTURE_DAYS if days < 0 else days
    return next((its for up_to, its in ranking.recency.items() if days <= up_to), ranking.older)


def decay_of(age: timedelta, half_life: timedelta) -> float:
    """Return how much has faded in *age*, from 0 (nothing, as in the future) to 1."""
    return 1 - math.pow(0.5, max(age, _NO_TIME) / half_life)


def faded_since(threshold: float, half_life: timedelta) -> timedelta:
    """Return the age from which at least *threshold*, below 1, has faded."""
    return half_life * -math.log2(1 - threshold)
