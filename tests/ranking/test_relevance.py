"""The formula: what each part adds, and what holds for any rows and any question."""

from __future__ import annotations

import math
from collections import Counter
from datetime import UTC, datetime, timedelta

import attrs
import pytest
from hypothesis import given, strategies as st

from memrepo.domain.recall import DEFAULT_MIN_RELEVANCE
from memrepo.ranking.candidates import candidates, idf
from memrepo.ranking.language import ENGLISH, TRIGRAM, UNICODE
from memrepo.ranking.matching import look_through, subjects_of
from memrepo.ranking.question import parse
from memrepo.ranking.relevance import (
    DEFAULT_WEIGHTS,
    Ranked,
    rank,
)
from memrepo.ranking.rows import Posting, Row, Scope
from memrepo.ranking.steps import finish
from memrepo.ranking.weights import Weights
from tests.ranking.model import START, ask, scope_of, told

_DAY = timedelta(days=1)
_WEIGHTS = DEFAULT_WEIGHTS


def ids(found: list[Ranked]) -> list[int]:
    return [hit.row.id for hit in found]


def relevance(found: list[Ranked]) -> dict[int, float]:
    return {hit.row.id: round(hit.relevance, 3) for hit in found}


def test_a_row_with_all_words_is_wholly_relevant() -> None:
    """Relevance is 1 where a row has every word, and the share of their idf where it has some."""
    rows = [
        *told("We keep bees"),
        *told("We keep hens", start=START + _DAY, first_id=2),
        *told("Nothing else", start=START + 2 * _DAY, first_id=3),
    ]
    first, second = ask("Who keeps bees?", rows)
    assert (first.row.id, first.relevance, first.score) == (1, 1.0, 1.0)
    bees, keep = idf(3, 1), idf(3, 2)
    assert second.relevance == pytest.approx(keep / (bees + keep))
    assert idf(3, 1) == pytest.approx(math.log(1 + 2.5 / 1.5))


def test_what_was_told_together_is_found_together() -> None:
    """A word counts for the three rows after the one that has it and for the three before, less and less."""
    rows = told(*"abcd", "My birthday was great", *"efgh")
    assert relevance(ask("birthday", rows)) == {
        5: 1.0, 6: 0.7, 7: 0.5, 8: 0.35, 4: 0.5, 3: 0.35, 2: 0.25, 1: 0.2, 9: 0.2,
    }  # fmt: skip


def test_the_answer_to_a_question_is_nearer() -> None:
    """The row after a question has nearly as much of it as if it said it itself."""
    rows = told("What did you do for your birthday?", "We went hiking")
    assert relevance(ask("birthday", rows)) == {1: 1.0, 2: 0.9}


def test_neighbours_are_of_one_session() -> None:
    """Rows of another session are no neighbours; where no session is known, an hour ends one."""
    near = told("a birthday", "b")
    for row in (
        Row(2, "b", START + timedelta(minutes=1), 7),
        Row(2, "b", START + timedelta(minutes=61)),
    ):
        assert ids(ask("birthday", [near[0], row])) == [1]
    assert ids(ask("birthday", near)) == [1, 2]


def test_interleaved_sessions_are_kept_apart() -> None:
    """Of two talks at the same time, each row has the neighbours of its own."""
    one = told("a birthday", "b", "c", session_id=1)
    two = told("x", "y", "z", session_id=2, first_id=11)
    mixed = [row for pair in zip(one, two, strict=True) for row in pair]
    assert relevance(ask("birthday", mixed)) == {1: 1.0, 2: 0.7, 3: 0.5}


def test_rows_left_out_keep_others_apart() -> None:
    """Rows on both sides of a gap are no neighbours, though of one session."""
    first, *_, last = told("a birthday", "b", "c", "d", "e", "f")
    question = parse("birthday")
    found = finish(rank(question, [first, None, last], scope_of(question, [first, last])))
    assert relevance(found) == {1: 1.0, 6: 0.2}


def test_a_long_text_counts_less() -> None:
    """What stands in a text of more than 240 characters counts by the root of how much longer it is."""
    rows = [*told("bees"), *told("bees " + "x" * 955, start=START + _DAY, first_id=2)]
    assert relevance(ask("bees", rows)) == {1: 1.0, 2: 0.5}


def test_whom_the_question_names() -> None:
    """A row that begins with a name of the question comes first; the name is no word then."""
    rows = told("Ann: I like bees", "Ben: I like bees", *["Ann: ..."] * 9, *["Ben: ..."] * 9)
    subjects = {"ann", "ben"}
    found = ask("Does Ben like bees?", rows, subjects=subjects)
    assert ids(found)[:2] == [2, 1]
    assert found[0].score == pytest.approx(1.6)
    assert found[0].subject == "ben"
    assert found[1].subject is None
    assert [part.word for part in found[0].words] == ["like", "bees"]


def test_whoever_asks_is_the_user() -> None:
    """A question with "my" or "I" names the user, where rows begin with that word."""
    rows = told("assistant: bees are kept in hives", "user: bees are kept in hives")
    assert ids(ask("Where are my bees?", rows, subjects={"user", "assistant"})) == [2, 1]
    assert ids(ask("Where are bees?", rows, subjects={"user", "assistant"})) == [1, 2]


def test_a_name_alone_finds_the_latest() -> None:
    """A question of a name only is answered first with the rows that begin with it, the latest first."""
    rows = told(*["Ann: a", "Ben: b"] * 3)
    assert ids(ask("Ann?", rows, subjects={"ann", "ben"}))[:3] == [5, 3, 1]
    question = parse("Ann?")
    scope = scope_of(question, rows, {"ann", "ben"})
    assert finish(candidates(question, scope, 2)) == [5, 3]
    rare = [*told("Ann: a", "of Ann", "Ann: b"), *told(*"x" * 20, start=START + _DAY, first_id=9)]
    found = ask("Ann?", rare, subjects={"ann"})
    assert ids(found) == [3, 1, 2]


def test_a_rare_name_is_a_word_as_well() -> None:
    """A first word that few rows have is looked for in the others, too."""
    rows = told("Therapy is on Thursdays", "Ann goes to therapy", *["Ann: x"] * 10)
    found = ask("therapy Thursdays", rows, subjects={"therapy", "ann"})
    assert ids(found)[:2] == [1, 2]
    assert found[0].subject == "therapy"


def test_when_the_question_says_it_was() -> None:
    """A row of the period that is named, or of the ten days after it, counts double."""
    rows = [
        *told("bees", start=datetime(2023, 4, 2, tzinfo=UTC)),
        *told("bees", start=datetime(2023, 5, 2, tzinfo=UTC), first_id=2),
        *told("bees", start=datetime(2023, 6, 9, tzinfo=UTC), first_id=3),
        *told("bees", start=datetime(2023, 6, 11, tzinfo=UTC), first_id=4),
    ]
    found = ask("What of bees in May 2023?", rows)
    assert [(hit.row.id, hit.score, hit.period) for hit in found] == [
        (2, 2.0, "in May 2023"),
        (3, 2.0, "soon after May 2023"),
        (1, 1.0, None),
        (4, 1.0, None),
    ]


def test_a_question_for_a_time() -> None:
    """A row that tells a time counts by a fifth more for a question that begins with "when"."""
    rows = told("Got bees", "Got bees yesterday")
    found = ask("When did she get bees?", rows, limit=1)
    assert (found[0].row.id, found[0].tells_time) == (2, True)
    assert found[0].score == pytest.approx(1.2)
    assert not ask("Who got bees?", rows)[0].tells_time


def test_what_another_did_is_doubtful() -> None:
    """Who is named must have about as much of the question as others, else all is a tenth as relevant."""
    rows = told("Ann: I ran a race", "Ben: Great!", *["Ann: x", "Ben: y"] * 9)
    subjects = {"ann", "ben"}
    assert ask("Which race did Ann run?", rows, subjects=subjects)[0].relevance == 1.0
    found = ask("Which race did Ben run?", rows, subjects=subjects)
    assert all(hit.is_doubtful and hit.relevance < DEFAULT_MIN_RELEVANCE for hit in found)
    assert ids(found)[0] == 2


def test_another_may_tell_of_who_is_named() -> None:
    """A row of another that names the one who is asked about answers; a name inside a word names nobody."""
    others = ["Ben: x", "Ann: y"] * 9
    subjects = {"ann", "ben"}
    told_of = told("Ben: A medal for Ann in the race", *others)
    assert not ask("Which medal did Ann win in the race?", told_of, subjects=subjects)[
        0
    ].is_doubtful
    of_himself = told("Ben: A medal in the planned race", *others)
    assert ask("Which medal did Ann win in the race?", of_himself, subjects=subjects)[0].is_doubtful


def test_only_a_name_is_doubted() -> None:
    """What rows begin with need not be a name: in the question, a name has a capital."""
    rows = told("Works at Acme", "Likes tea", "Works from home", "Likes hiking")
    subjects = {"works", "likes"}
    assert not ask("What likes has she at Acme?", rows, subjects=subjects)[0].is_doubtful
    assert ask("What of Likes at Acme?", rows, subjects=subjects)[0].is_doubtful
    assert not ask("Have I a race?", told("ann: a race", "user: x"), subjects={"ann", "user"})[
        0
    ].is_doubtful


def test_a_question_that_was_answered_is_not_doubtful() -> None:
    """What another only asked of whom the question names may be known of him."""
    rows = told("Ann: Did you like it?", "Ben: A great race at school!", *["Ann: x", "Ben: y"] * 9)
    found = ask("Which race did Ben like at school?", rows, subjects={"ann", "ben"})
    assert found[0].row.id == 2
    assert not found[0].is_doubtful


def test_subjects_are_what_many_rows_begin_with() -> None:
    """The first word of two rows, and of one row in fifty, is a subject, in any spelling; no stop word is."""
    texts = ["Ann: a", "ann's b", "The x", "The y", "Ben: c", "Zo\u00eb d", "ZOE: e", "", ""]
    assert subjects_of(Counter(texts), ENGLISH.stop_words) == {"ann", "zoe"}
    assert (
        subjects_of(Counter([*texts, "Ben: x", *["..."] * 100]), ENGLISH.stop_words) == frozenset()
    )
    assert subjects_of(Counter(texts), UNICODE.stop_words) == {"ann", "zoe", "the"}


def test_without_an_index_the_rows_are_looked_through() -> None:
    """From the rows alone comes what an index would know of each word of the question."""
    rows = told("Ann: I keep bees", "Ann: kept hens", "Ben: x")
    assert look_through(parse("Who keeps bees?"), rows) == Scope(
        3, {"keeps": Posting(2, {1, 2}), "bees": Posting(1, {1})}, frozenset({"ann"})
    )


def test_each_part_can_be_left_out() -> None:
    """Weights of 0 leave nothing but the words that a row has itself."""
    rows = told("Ann: What about bees?", "Ann: yesterday we saw them", "x" * 900 + " bees")
    none = Weights(
        before=(), after=(), session=0, answer=0, long_from=10_000, subject=0, period=0, when=0
    )
    found = ask("When did Ann see bees in May 2023?", rows, subjects={"ann"}, weights=none)
    assert all(hit.score == hit.relevance for hit in found)
    assert {part.place for hit in found for part in hit.words} == {0}
    assert attrs.evolve(none, when=0.2) != none


def test_words_of_which_only_some_rows_are_known() -> None:
    """Where a posting is not complete, a row's text says whether it has the word."""
    rows = told("We keep bees", "We keep hens", "nothing")
    question = parse("keep bees")
    scope = Scope(3, {"keep": Posting(2, {1}, is_complete=False), "bees": Posting(1, {1})})
    assert finish(rank(question, rows, scope)) == finish(
        rank(question, rows, scope_of(question, rows))
    )


def test_candidates_have_the_most_of_the_question() -> None:
    """The candidates are those whose words say the most, at most so many; of names only, those with the name."""
    rows = told("We keep bees", "We keep hens", "bees", "Ann", *["We keep dogs"] * 5)
    question = parse("keep bees")
    assert finish(candidates(question, scope_of(question, rows), 3)) == [1, 3, 2]
    question = parse("Ann")
    assert finish(candidates(question, scope_of(question, rows, {"ann"}), 3)) == [4]


def test_trigrams() -> None:
    """By trigrams, a word is found inside others, and scripts without spaces are found."""
    rows = told("我们在北京大学见面", "Beekeeping is fun", "else")
    assert ids(ask("北京大学", rows, language=TRIGRAM))[0] == 1
    assert ids(ask("keep", rows, language=TRIGRAM))[0] == 2


def test_nothing_is_found_where_nothing_fits() -> None:
    """Without rows, without words, or without a row of any word, nothing is found."""
    assert ask("bees", []) == []
    assert ask("?!", told("bees")) == []
    assert ask("bees", told("hens")) == []
    assert ask("bees", told("bees"), limit=0) == []


_texts = st.lists(
    st.sampled_from(["ann", "ben", "bees", "race", "may", "yesterday", "?", "2023"]), max_size=6
)
_rows = st.lists(
    st.tuples(_texts.map(" ".join), st.integers(0, 400), st.sampled_from([None, 1, 2])), max_size=12
).map(
    lambda given: [
        Row(place, text, START + timedelta(minutes=at), session)
        for place, (text, at, session) in enumerate(sorted(given, key=lambda row: row[1]), 1)
    ]
)


@given(rows=_rows, text=_texts.map(" ".join), limit=st.integers(1, 12))
def test_the_order_is_total_and_stable(rows: list[Row], text: str, limit: int) -> None:
    """Whatever is asked: relevance is in 0..1, the order is total, and a limit only cuts it."""
    found = ask(text, rows, subjects={"ann", "ben"})
    assert all(0 < hit.relevance <= 1 + 1e-9 and hit.score >= hit.relevance for hit in found)
    assert [hit.score for hit in found] == sorted((hit.score for hit in found), reverse=True)
    assert ids(ask(text, rows, subjects={"ann", "ben"}, limit=limit)) == ids(found)[:limit]
    for hit in found:
        doubt = 0.1 if hit.is_doubtful else 1.0
        if hit.words:
            assert hit.relevance == pytest.approx(doubt * sum(part.share for part in hit.words))
