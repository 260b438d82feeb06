"""How long ago something was, in words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from memrepo.ranking.ages import age_in_words, days_between

from .facts import NOW


@pytest.mark.parametrize(
    ("days", "words"),
    [
        *((-400, "in the future"), (-1, "in the future"), (0, "today"), (1, "yesterday")),
        *((2, "2 days ago"), (6, "6 days ago"), (7, "1 week ago"), (13, "1 week ago")),
        *((14, "2 weeks ago"), (27, "3 weeks ago"), (28, "4 weeks ago"), (29, "4 weeks ago")),
        *((30, "1 month ago"), (59, "1 month ago"), (60, "2 months ago"), (359, "11 months ago")),
        *((360, "12 months ago"), (364, "12 months ago"), (365, "1 year ago")),
        *((729, "1 year ago"), (730, "2 years ago"), (36_500, "100 years ago")),
    ],
)
def test_age_in_words(days: int, words: str) -> None:
    """Every range has its words, and none says that something was no months or years ago."""
    assert age_in_words(days) == words


@pytest.mark.parametrize(
    ("age", "days"),
    [
        (timedelta(0), 0),
        (timedelta(hours=23, minutes=59), 0),
        (timedelta(days=1), 1),
        (timedelta(days=2, microseconds=-1), 1),
        (timedelta(milliseconds=-1), -1),
        (timedelta(days=-1), -1),
    ],
)
def test_days_between(age: timedelta, days: int) -> None:
    """Days are whole ones that have passed; an instant of any later moment is in the future."""
    assert days_between(NOW - age, NOW) == days
