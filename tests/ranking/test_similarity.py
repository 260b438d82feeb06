"""How similar two texts are, and what leads from one to the other."""

from __future__ import annotations

import pytest

from memrepo.ranking.language import ENGLISH, TRIGRAM, UNICODE
from memrepo.ranking.similarity import Rarity, count_all, is_led_by_rare_words, take_apart


def share(one: str, other: str, *others: str) -> float:
    """Return how similar two texts are, where there are *others*, too."""
    texts = [take_apart(n, its, ENGLISH) for n, its in enumerate((one, other, *others))]
    return count_all(texts).similarity(texts[0], texts[1])


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("Ada swims", "ada SWIMS!", 1.0),
        ("On Mondays, Ada swims", "Ada swims on Mondays", 1.0),
        ("Ada pays Bob", "Bob pays Ada", 0.99),
        ("She swam", "He swims", 0.99),
        ("Likes coffee", "Likes tea", 0.416),
        ("Likes coffee", "Doesn't like coffee", 0.0),
        ("Likes coffee", "Never likes coffee", 0.0),
        ("Never drinks coffee", "Does not drink coffee", 0.740),
        ("Knows C++", "Knows C", 0.0),
        ("Knows C++.", "He knows C++", 0.99),
        ("Owes $5", "Owes 5", 0.0),
        ("Takes 5 mg of warfarin", "Takes 10 mg of warfarin", 0.0),
        ("The meeting is at 3pm", "The meeting is at 3 pm, weekly", 0.262),
        ("It is", "Likes tea", 0.0),
        ("\u00e9t\u00e9", "ete", 0.99),
    ],
)
def test_similarity(one: str, other: str, expected: float) -> None:
    """The share of the words of both, in any order and form; nothing if one of the two negates."""
    assert share(one, other) == pytest.approx(expected, abs=0.001)
    assert share(other, one) == share(one, other)


def test_rare_words() -> None:
    """The more texts have a word, the less it takes away that one of the two lacks it."""
    pair = ("zither lesson", "zither lesson weekly")
    often = [f"weekly thing{n}" for n in range(50)]
    assert share(*pair, *often) > share(*pair, *(f"thing{n}" for n in range(50)))


def test_long_texts() -> None:
    """A text of more than 2,000 characters is only like itself."""
    long = "word " * 401
    assert share(long, f"{long}more") == 0.0
    assert share(long, long) == 1.0


def test_words_that_an_index_lacks() -> None:
    """By three characters in a row, shorter words do not count; by words as they are, forms differ."""
    assert not take_apart(1, "ab cd", TRIGRAM).terms
    assert {*take_apart(1, "The cats", UNICODE).terms} == {("cats",)}
    assert {*take_apart(1, "The cats", ENGLISH).terms} == {("cat",)}


def test_led_by_rare_words() -> None:
    """A text whose words are all common is led to by none of them; one rare word may be enough."""
    texts = [take_apart(n, its, ENGLISH) for n, its in enumerate(["likes tea", "zither tea"])]
    known = count_all(texts).postings
    common = {
        term: posting if term == ("zither",) else type(posting)(90, frozenset(), is_complete=False)
        for term, posting in known.items()
    }
    rarity = Rarity(100, common)
    assert not is_led_by_rare_words(texts[0], rarity, 0.8)
    assert is_led_by_rare_words(texts[1], rarity, 0.8)
