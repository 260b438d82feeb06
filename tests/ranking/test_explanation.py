"""Why a row was found, in words, and where its words stand."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, strategies as st

from memrepo.ranking.explanation import explain, highlights
from memrepo.ranking.language import ENGLISH, TRIGRAM, UNICODE, Language
from memrepo.ranking.question import parse
from memrepo.ranking.unicode61 import find_tokens
from tests.ranking.model import ask, told


def test_a_row_is_explained_in_words() -> None:
    """What it has itself comes first, then what stands beside it, then what else counted."""
    rows = told(
        "Ann: My birthday!",
        "Ann: I saw bees",
        *["Ben: x"] * 8,
        *["Ann: x"] * 8,
        start=datetime(2023, 5, 8, tzinfo=UTC),
    )
    found = ask("Did Ann see bees on her birthday in May 2023?", rows, subjects={"ann", "ben"})
    assert found[0].row.id == 2
    assert explain(found[0]) == (
        "has 'see' and 'bees'; 'birthday' stands in the fact just before; begins with 'ann'; told in May 2023"
    )
    assert explain(found[0], noun="event").count("in the event just before") == 1
    last = explain(found[-1])
    assert "stand elsewhere in its session" in last


def test_doubt_is_explained() -> None:
    """Where another has what is asked, it is said."""
    rows = told("Ann: I ran a race", "Ben: Great!", *["Ann: x", "Ben: y"] * 9)
    (first, *_) = ask("When did Ben run a race?", rows, subjects={"ann", "ben"})
    assert explain(first) == (
        "'run' and 'race' stand in the fact just before; begins with 'ben'; "
        "but another's facts have more of what is asked"
    )


@pytest.mark.parametrize(
    ("question", "text", "marked"),
    [
        ("Who paints?", "She painted a PAINTING.", "She [painted] a [PAINTING]."),
        ("where did she go", "She went; they go.", "She [went]; they [go]."),
        ("cafés", "In the Café", "In the [Café]"),
        ("the bees", "The bees", "The [bees]"),
        ("?", "anything", "anything"),
    ],
)
def test_words_are_marked_in_any_form(question: str, text: str, marked: str) -> None:
    """Each form of a word of the question is marked where it stands, whole."""
    ranges = highlights(text, parse(question))
    for start, end in reversed(ranges):
        text = f"{text[:start]}[{text[start:end]}]{text[end:]}"
    assert text == marked


def test_pieces_that_overlap_are_marked_as_one() -> None:
    """By trigrams, what is found is marked inside words, too."""
    assert highlights("我在北京大学", parse("北京大学", TRIGRAM)) == ((2, 6),)
    assert highlights("Beekeeping", parse("keep", TRIGRAM)) == ((3, 7),)


_words = st.sampled_from(
    [
        "keep",
        "KEEPS",
        "kept",
        "keepers",
        "cafe",
        "Caf\u00e9s",
        "cafe\u0301",
        "\u0301",
        "a",
        "\u00fcber",
        "-",
        ". ",
    ]
)


@given(
    text=st.lists(_words | st.just(" ") | st.characters(exclude_categories=["Cs"])).map("".join),
    asked=st.lists(_words, min_size=1, max_size=4).map(" ".join),
    language=st.sampled_from([ENGLISH, UNICODE]),
)
def test_marks_are_all_words_of_the_question(text: str, asked: str, language: Language) -> None:
    """What is marked is each token that has a term of the question, and nothing else."""
    question = parse(asked, language)
    terms = {term for word in question.words for term in word.terms}
    found = [token for token in find_tokens(text) if language.stem(token.text) in terms]
    expected = {place for token in found for place in range(token.start, token.end)}
    assert {place for each in highlights(text, question) for place in range(*each)} == expected


@given(
    text=st.text(st.characters(exclude_categories=["Cs"]), max_size=30),
    language=st.sampled_from([ENGLISH, TRIGRAM]),
)
def test_marks_are_in_order_and_inside(text: str, language: object) -> None:
    """Of any text, ranges are in order, apart from each other, and never empty."""
    question = parse(text, ENGLISH if language is ENGLISH else TRIGRAM)
    ranges = highlights(text, question)
    flat = [place for each in ranges for place in each]
    assert flat == sorted(set(flat))
    assert all(0 <= place <= len(text) for place in flat)
    assert bool(ranges) is bool(question.words)
