"""Which contents say the same."""

from __future__ import annotations

from time import thread_time

import pytest

from memrepo.ranking.duplicates import wording


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Therapy Thursdays at 3pm", "The therapy is Thursdays, at 3pm."),
        ("Ada swims on Mondays", "On Mondays, Ada swims"),
        ("Prefers brief responses", "prefers (brief) responses!"),
        ('Calls her cat "Tom"', "Calls her cat Tom"),
        ("Is Ada vegan?", "is the Ada vegan?"),
        ("A cat is in the house", "Cat in house"),
        ('Says "born in 95"', 'Says born in 95"'),
    ],
)
def test_same_wording(one: str, other: str) -> None:
    """Empty words, case, marks, and a beginning that stands at the end make no other fact."""
    assert wording(one) == wording(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ada pays Bob", "Bob pays Ada"),
        ("Likes tea", "Likes no tea"),
        ("Likes tea", "Does not like tea"),
        ("Ada is vegan", "Ada was vegan"),
        ("Flies to Rome", "Flies from Rome"),
        ("Writes C", "Writes C++"),
        ("It is 5 degrees", "It is -5 degrees"),
        ("Owes $5", "Owes 5"),
        ("the", "a"),
        ("Alarm at 6 am", "Alarm at 6"),
        ("Alarm at 6 AM", "Alarm at 6"),
        ("Takes vitamin A", "Takes vitamin"),
        ("Takes Vitamin A daily", "Takes Vitamin daily"),
        ("Had hepatitis a", "Had hepatitis"),
        ("Lives in 5 a", "Lives in 5"),
        ('The screen has 6"', "The screen has 6"),
        ("Is Ada vegan?", "Ada is vegan"),
        ("Is Ada vegan", "Ada is vegan"),
        ("Ada is vegan?", "Ada is vegan"),
        ("Are you Bob's friends", "You are Bob's friends"),
        ("!", "?"),
    ],
)
def test_other_wording(one: str, other: str) -> None:
    """What says something else is never joined, however few words differ."""
    assert wording(one) != wording(other)


def test_long_and_repetitive_contents() -> None:
    """However long a content is, or often it repeats a word, its wording is found at once."""
    began = thread_time()  # of this thread: other programs' work does not count
    for content in ("word " * 800_000, "a b " * 240, "x" * 4_000_000):
        assert wording(content) == wording(content)
    assert thread_time() - began < 10
