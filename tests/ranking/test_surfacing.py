"""What is brought up, over generated facts."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, strategies as st

from memrepo import ACTION_WORDS, MemoryEntry, Ranking, Surfacing
from memrepo.ranking.surfacing import SurfacingRule, surface

from . import original
from .facts import NOW, fact, milliseconds, of_row
from .original import DAY, Row

SAID = frozenset({"user_explicit"})
RULE = SurfacingRule(
    action_words=ACTION_WORDS,
    max_pending=5,
    max_contextual=3,
    within=timedelta(days=3),
    least_score=50,
)
_now = milliseconds(NOW)
_ages = st.integers(-2 * DAY, 40 * DAY) | st.sampled_from([n * DAY for n in (0, 1, 3, 4)])


@st.composite
def rows(draw: st.DrawFn) -> list[Row]:
    return [
        Row(
            number,
            draw(st.sampled_from([*ACTION_WORDS, "Need To", "spending", "tea"])),
            draw(st.sampled_from(["preference", "fact", "pattern", "schedule"])),
            draw(st.sampled_from(["user_explicit", "jarvis_inferred", "calendar"])),
            _now - draw(_ages),
            draw(st.none() | _ages.map(lambda age: _now - age)),
        )
        for number in range(1, draw(st.integers(0, 25)) + 1)
    ]


def brought_up(*others: MemoryEntry, due: tuple[MemoryEntry, ...] = ()) -> Surfacing:
    return surface(due, others, NOW, RULE, Ranking(), SAID)


def ids(surfacing: Surfacing) -> tuple[list[int], list[int]]:
    pending = [its.entry.id for its in surfacing.pending]
    return pending, [its.entry.id for its in surfacing.contextual]


@given(rows=rows())
def test_the_lists_of_the_original(rows: list[Row]) -> None:
    """Of facts without a date, the same ones in the same order, whatever their ages and texts."""
    facts = [of_row(row) for row in original.candidates(rows)]
    expected = original.surface(rows, _now, 5, 3, 3, 50, ACTION_WORDS)
    assert ids(brought_up(*facts)) == expected


def test_what_has_a_date_or_was_brought_up_is_left_out() -> None:
    """It waits for its date, or it was said; a score of exactly the least is enough."""
    dated = fact(id=1, content="need to vote", due_at=NOW + timedelta(days=1))
    said = fact(id=2, content="need to vote", surfaced_at=NOW)
    enough = fact(id=3, category="x", source="x")
    too_little = fact(id=4, category="x", source="x", last_accessed=NOW - timedelta(days=1))
    assert ids(brought_up(dated, said, enough, too_little)) == ([], [3])


@pytest.mark.parametrize(
    ("days", "words"),
    [(0, "due today"), (1, "due yesterday"), (6, "due 6 days ago"), (14, "due 2 weeks ago")],
)
def test_line_of_what_is_due(days: int, words: str) -> None:
    """It says since when; the age is still that of the fact."""
    due = fact(due_at=NOW - timedelta(days=days), created_at=NOW - timedelta(days=60))
    (shown,) = brought_up(due=(due,)).due
    assert shown.line == f"- Fact: Likes tea ({words}, you told me)"
    assert shown.age == "2 months ago"
