"""What a question is taken apart to: words, periods, who is meant."""

from __future__ import annotations

from datetime import MAXYEAR, UTC, date, datetime, time, timedelta

import pytest
from hypothesis import example, given, strategies as st

from memrepo.ranking import porter
from memrepo.ranking.language import ENGLISH, TRIGRAM, UNICODE, Language
from memrepo.ranking.periods import Period, find_periods
from memrepo.ranking.question import parse

NOW = datetime(2024, 3, 6, 12, tzinfo=UTC)  # a Wednesday
any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


def words(text: str, language: Language = ENGLISH) -> list[str]:
    return [word.text for word in parse(text, language).words]


@given(
    text=any_text | st.lists(st.sampled_from(sorted(ENGLISH.stop_words)), max_size=4).map(" ".join),
    language=st.sampled_from([ENGLISH, UNICODE, TRIGRAM]),
)
@example(text="what was it like?", language=ENGLISH)
@example(text='"; DROP TABLE --* NEAR(', language=ENGLISH)
@example(text="30 February 2023, 99 May, 0000-13-45 ago", language=ENGLISH)
def test_any_text_is_a_question(text: str, language: Language) -> None:
    """Whatever is asked is taken apart, and has words if it has tokens: stop words never empty it."""
    question = parse(text, language, now=NOW)
    assert bool(question.words) is bool(question.tokens)
    assert len({word.terms for word in question.words}) == len(question.words)


def test_stop_words_are_left_out() -> None:
    """What says nothing is no word of a question, unless there is nothing else."""
    assert words("When did Caroline's mother go to the museum?") == [
        "caroline",
        "mother",
        "go",
        "museum",
    ]
    assert words("Who are you?") == ["who", "are", "you"]
    assert words("") == words("?! ...") == []


def test_forms_of_a_word_are_one_word() -> None:
    """Regular and irregular forms count once, and each is found by any other."""
    question = parse("paints painting; go, went and gone; children of a child")
    assert [word.text for word in question.words] == ["paints", "go", "children"]
    assert set(question.words[1].terms) == {"go", "goe", "gone", "went"}
    assert set(question.words[2].terms) == {"child", "children"}


def test_without_a_language_every_word_counts() -> None:
    """The tokenizer of Unicode knows no stop words."""
    assert words("the cats", UNICODE) == ["the", "cats"]


def test_scripts_without_spaces_are_asked_for_in_pieces() -> None:
    """By trigrams, a run of Chinese is looked for by three characters at a time, other words whole."""
    assert words("他们去北京 Restaurant", TRIGRAM) == ["他们去", "们去北", "去北京", "restaurant"]


def test_stem_of_each_step() -> None:
    """Porter's own examples."""
    stems = {"caresses": "caress", "ponies": "poni", "hopping": "hop", "relational": "relat"}
    assert {word: porter.stem(word) for word in stems} == stems


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("What happened in May 2023?", ["May 2023"]),
        ("what happened in may 2023", ["May 2023"]),
        ("What did she do on 7 May, 2023?", ["7 May 2023"]),
        ("What did she do on May 7th 2023?", ["7 May 2023"]),
        ("On the 7th of May?", ["7 May"]),
        ("Which trips in July and August 2022?", ["July 2022", "August 2022"]),
        ("in 2022 or 2023", ["2022", "2023"]),
        ("on 2023-05-07", ["2023-05-07"]),
        ("in 2023-05", ["2023-05"]),
        ("She may march in June", ["June"]),
        ("May I ask?", []),
        ("at 7, room 2150, on 31 February 2023", []),
        ("last week, two months ago", []),
    ],
)
def test_periods_that_a_question_names(text: str, names: list[str]) -> None:
    """Dates, months and years are understood as people write them; verbs and other numbers are not."""
    assert [period.name for period in parse(text).periods] == names


@pytest.mark.parametrize(
    ("text", "first", "n_days"),
    [
        ("today", "2024-03-06", 1),
        ("yesterday", "2024-03-05", 1),
        ("this week", "2024-03-04", 7),
        ("last week", "2024-02-26", 7),
        ("two weeks ago", "2024-02-19", 7),
        ("3 days ago", "2024-03-03", 1),
        ("last month", "2024-02-01", 29),
        ("a month ago", "2024-02-01", 29),
        ("last year", "2023-01-01", 365),
        ("99 years ago", "1925-01-01", 365),
    ],
)
def test_times_past_need_to_know_when_they_are_said(text: str, first: str, n_days: int) -> None:
    """A time told from today is understood if it is known what today is."""
    (period,) = parse(f"What did I do {text}?", now=NOW).periods
    assert str(period.first) == first
    assert period.end - period.first == timedelta(days=n_days)
    assert parse(f"What did I do {text}?").periods == ()


def test_when_something_was_told() -> None:
    """A period is told of while it lasts and ten days longer, in every year if none is named."""
    (may,) = find_periods("May 2023", ENGLISH.months)
    told = {
        day: may.when_told(datetime.fromisoformat(f"{day}T12:00:00Z"))
        for day in (
            "2023-04-30",
            "2023-05-01",
            "2023-05-31",
            "2023-06-10",
            "2023-06-11",
            "2024-05-01",
        )
    }
    assert [*told.values()] == [
        None,
        "in May 2023",
        "in May 2023",
        "soon after May 2023",
        None,
        None,
    ]
    (december,) = find_periods("in December", ENGLISH.months)
    assert december.when_told(datetime(2021, 1, 5, tzinfo=UTC)) == "soon after December"
    (day,) = find_periods("on 7 May 2023", ENGLISH.months)
    assert isinstance(day, Period)
    assert day.when_told(datetime(2023, 5, 7, 23, tzinfo=UTC)) == "on 7 May 2023"


@given(
    told=st.dates(min_value=date(1900, 1, 1)) | st.dates(date(2023, 2, 1), date(2024, 3, 31)),
    month=st.integers(1, 12),
    day=st.none() | st.integers(1, 31),
)
@example(told=date(2025, 5, 3), month=5, day=3)
@example(told=date(2025, 6, 1), month=5, day=None)
@example(told=date(2023, 3, 1), month=2, day=None)
@example(told=date(9999, 12, 31), month=12, day=31)
def test_a_day_or_month_of_any_year(told: date, month: int, day: int | None) -> None:
    """Without a year, a day or month is that of each year, leap year or not."""
    name = ENGLISH.months[month - 1].capitalize()
    question = f"What happened on {day} {name}?" if day else f"What happened in {name}?"
    periods = find_periods(question, ENGLISH.months)
    for period in periods:
        when = period.when_told(datetime.combine(told, time(12), UTC))
        is_then = told.month == month and day in {None, told.day}
        assert is_then == (when in {f"on {day} {name}", f"in {name}"}) or told.year == MAXYEAR
    assert periods or (month, day) in {(2, 30), (2, 31), (4, 31), (6, 31), (9, 31), (11, 31)}


@pytest.mark.parametrize("day", [date.min, date.max])
def test_times_past_at_the_ends_of_the_calendar(day: date) -> None:
    """What would lie before the first year or behind the last is not understood, and is no error."""
    now = datetime.combine(day, time(12), UTC)
    for text in ("yesterday", "last week", "last year", "this month", "this year", "2 weeks ago"):
        assert len(parse(f"What did I do {text}?", now=now).periods) <= 1


def test_who_asks() -> None:
    """Who says "my" means himself; a question that begins with "when" asks for a time."""
    assert parse("When is my therapy?").is_first_person
    assert parse("When is my therapy?").asks_when
    assert not parse("What happened when Ann came?").asks_when
    assert not parse("What did Ann do?").is_first_person
    assert parse("What did Ann's sister do in Oslo?").capitalized == {"ann", "oslo"}
