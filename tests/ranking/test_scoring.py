"""The score of a fact: the original's table, cell by cell, and a user's own."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from memrepo import InvalidInputError, MemoryRepo, Ranking
from memrepo.domain.recall import HALF_LIFE
from memrepo.ranking.scoring import decay_of, faded_since, score_of

from . import original
from .facts import NOW, fact, milliseconds
from .original import DAY, Row

SAID = frozenset({"user_explicit"})
DAYS = (-400, -1, 0, 1, 2, 7, 8, 30, 31, 60, 100, 3_650)
CATEGORIES = ("preference", "fact", "pattern", "schedule")
SOURCES = ("user_explicit", "jarvis_inferred", "calendar")


@pytest.mark.parametrize(("days", "category"), [*product(DAYS, CATEGORIES)])
@pytest.mark.parametrize("source", SOURCES)
def test_each_cell_of_the_table(days: int, category: str, source: str) -> None:
    """Recency, category, source and decay are the original's, by the last access or else the creation."""
    now = milliseconds(NOW)
    for offset in (0, 1, DAY - 1):
        row = Row(1, "tea", category, source, now - days * DAY - offset, None)
        since = NOW - timedelta(days=days, milliseconds=offset)
        created = fact(category=category, source=source, created_at=since, last_accessed=None)
        accessed = fact(category=category, source=source, last_accessed=since)
        scores = [score_of(its, NOW, Ranking(), SAID) for its in (created, accessed)]
        assert {score.total for score in scores} == {original.score(row, now)}


def test_parts_of_a_score() -> None:
    """A score says how it comes about, as numbers and in words."""
    old = fact(source="inferred", category="preference", last_accessed=NOW - HALF_LIFE)
    score = score_of(old, NOW, Ranking(), SAID)
    assert score.to_dict() == {
        "total": 28,
        "recency": 15,
        "category": 30,
        "source": 10,
        "decay": 0.5,
        "relevance": None,
        "why": "",
        "is_pinned": False,
        "is_beside": False,
    }
    assert str(score) == "recency 15 + category 30 + source 10, faded by 50 %: 28"
    assert str(score_of(fact(), NOW, Ranking(), SAID)) == "recency 50 + category 20 + source 20: 90"


def test_inferred_is_the_originals_inferred() -> None:
    """Our name for what was inferred counts as the original's does."""
    ages = [timedelta(days=days, hours=5) for days in DAYS]
    for age in ages:
        ours, theirs = (
            score_of(fact(source=source, last_accessed=NOW - age), NOW, Ranking(), SAID)
            for source in ("inferred", "jarvis_inferred")
        )
        assert ours == theirs


def test_explicit_sources() -> None:
    """A source that speaks for the user counts as the user, and does not fade."""
    old = NOW - timedelta(days=365)
    voice = fact(source="voice", last_accessed=old)
    said = score_of(voice, NOW, Ranking(), SAID | {"voice"})
    assert said == score_of(fact(last_accessed=old), NOW, Ranking(), SAID)
    assert score_of(voice, NOW, Ranking(), SAID).total == 0
    table = Ranking(sources={"voice": 1})
    assert score_of(voice, NOW, table, SAID | {"voice"}).source == 1


def test_tables_of_ones_own() -> None:
    """Each table, the half-life and which sources fade can be replaced."""
    ranking = Ranking(
        recency={10: 2, 3: 7},
        older=1,
        categories={"rule": 100},
        sources={"sensor": 0.5},
        half_life=timedelta(days=1),
        fading_sources=["user_explicit"],
    )
    points = [
        score_of(fact(last_accessed=NOW - timedelta(days=days)), NOW, ranking, SAID).recency
        for days in (0, 3, 4, 10, 11, -1)
    ]
    assert points == [7, 7, 2, 2, 1, 2]
    rule = fact(category="rule", source="sensor", last_accessed=NOW - timedelta(days=10))
    assert score_of(rule, NOW, ranking, SAID).total == 103
    assert score_of(fact(last_accessed=NOW - timedelta(days=2)), NOW, ranking, SAID).decay == 0.75


def test_a_ranking_keeps_its_tables() -> None:
    """Who changes the table that was given does not change the ranking."""
    table = {"rule": 1.0}
    ranking = Ranking(categories=table)
    table["rule"] = 2
    assert ranking.categories == {"rule": 1}
    assert ranking != Ranking()
    assert Ranking() == Ranking()


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"recency": {-1: 5}}, "recency: must have whole days from 0 as keys"),
        ({"recency": {1.5: 5}}, "recency: must have whole days from 0 as keys"),
        ({"recency": [1]}, "recency: must be a mapping, not list"),
        ({"categories": {"": 5}}, "categories: must not be empty or blank"),
        ({"categories": {"rule": float("nan")}}, "categories.rule: must be a finite number"),
        ({"sources": {"sensor": "5"}}, "sources.sensor: must be a finite number"),
        ({"sources": {"sensor": True}}, "sources.sensor: must be a finite number"),
        ({"older": None}, "older: must be a finite number"),
        ({"pinned_share": 1.5}, "pinned_share: must be from 0 to 1"),
        ({"half_life": timedelta(0)}, "half_life: must be longer than zero"),
        ({"fading_sources": "inferred"}, "fading_sources: must be a list of str"),
    ],
)
def test_a_ranking_that_is_refused(fields: dict[str, Any], complaint: str) -> None:
    """What would make scores that cannot be compared is refused when the ranking is made."""
    with pytest.raises(InvalidInputError) as caught:
        Ranking(**fields)
    assert str(caught.value) == complaint


@pytest.mark.parametrize("threshold", [0.01, 0.5, 0.9, 0.999])
def test_age_of_a_threshold(threshold: float) -> None:
    """The age from which so much has faded is the one at which the decay says so."""
    age = faded_since(threshold, HALF_LIFE)
    assert decay_of(age, HALF_LIFE) == pytest.approx(threshold, abs=1e-9)
    assert faded_since(0.5, HALF_LIFE) == HALF_LIFE


def test_default_ranking_is_shared() -> None:
    """The default of `recall` is `Ranking()`."""
    assert (MemoryRepo.recall.__kwdefaults__ or {})["ranking"] == Ranking()
