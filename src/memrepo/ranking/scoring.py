"""How much a fact matters when nothing is asked: the original's score."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta

from memrepo.domain.memories import EXPLICIT_SOURCE, MemoryEntry
from memrepo.domain.recall import Ranking, Score
from memrepo.domain.search import Hit
from memrepo.ranking.ages import days_between
from memrepo.ranking.matching import is_turn

__all__ = ["decay_of", "faded_since", "relevant_score_of", "score_of", "unasked_score_of"]

#: What an access in the future counts as: the original does not tell it from one of this week.
_FUTURE_DAYS = 7


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


def relevant_score_of(
    hit: Hit[MemoryEntry], now: datetime, ranking: Ranking, explicit_sources: Collection[str]
) -> Score:
    """Return the score of a fact that a search has found."""
    fact = hit.entry
    since = fact.last_accessed or fact.created_at
    recency = 1 - decay_of(now - since, ranking.half_life)
    category = _share(ranking.categories.get(fact.category, 0), ranking.categories)
    source = _share(_source_points(fact, ranking, explicit_sources), ranking.sources)
    total = hit.score
    total *= 1 + ranking.recency_weight * recency
    total *= 1 + ranking.category_weight * category
    total *= 1 + ranking.source_weight * source
    return Score(
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
    return relevant_score_of(hit, now, ranking, explicit_sources)


def _source_points(fact: MemoryEntry, ranking: Ranking, explicit_sources: Collection[str]) -> float:
    is_said = fact.source in explicit_sources
    said_points = ranking.sources.get(EXPLICIT_SOURCE, 0) if is_said else 0
    return ranking.sources.get(fact.source, said_points)


def _share(points: float, table: Mapping[str, float]) -> float:
    """Return points as a share of the most that a table has, 0 to 1."""
    most = max(table.values(), default=0)
    return min(max(points / most, 0.0), 1.0) if most > 0 else 0.0


def _recency_points(days: int, ranking: Ranking) -> float:
    days = _FUTURE_DAYS if days < 0 else days
    return next((its for up_to, its in ranking.recency.items() if days <= up_to), ranking.older)


def decay_of(age: timedelta, half_life: timedelta) -> float:
    """Return how much has faded in *age*, from 0 (nothing, as in the future) to 1."""
    return 1 - math.pow(0.5, max(age, timedelta(0)) / half_life)


def faded_since(threshold: float, half_life: timedelta) -> timedelta:
    """Return the age from which at least *threshold*, below 1, has faded."""
    return half_life * -math.log2(1 - threshold)
