"""The dates, months, years and times past that a question names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from itertools import product
from typing import Final

import attrs

from memrepo.ranking import unicode61

__all__ = ["Period", "find_periods"]

#: Days after a period in which it is still told of: last week's trip, the month that is over.
_STILL_TOLD: Final = 10
_YEARS: Final = range(1900, 2100)
#: A leap year, for months and days of any year.
_ANY_YEAR: Final = 2000

_is_year = re.compile(r"(?:19|20)\d\d").fullmatch
_day = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?").fullmatch
_iso = re.compile(r"(?<![\d-])(\d{4})-(\d\d)(?:-(\d\d))?(?![\d-])").finditer
_ago = re.compile(r"\b(an?|one|two|three|four|\d{1,2}) (day|week|month|year)s? ago\b").finditer
_last = re.compile(r"\b(yesterday|today|(last|this) (week|month|year))\b").finditer
_NUMBERS: Final = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4}


@attrs.frozen
class Period:
    """Some days, from *first* until before *end*; of every year if it is yearly."""

    #: As a person reads it: "May 2023".
    name: str
    first: date
    end: date
    is_yearly: bool = False

    def when_told(self, told_at: datetime) -> str | None:
        """Return how *told_at* lies to the period, "in May 2023", or ``None`` if it is not of it."""
        told = told_at.date()
        if (latest := self._latest(told)) is None:
            return None
        first, end = latest
        days, length = (told - first).days, (end - first).days
        if 0 <= days < length:
            return f"on {self.name}" if length == 1 else f"in {self.name}"
        return f"soon after {self.name}" if length <= days < length + _STILL_TOLD else None

    def _latest(self, told: date) -> tuple[date, date] | None:
        """Return the days of a yearly period in the year in which it began last; ``None`` if that year lacks one."""
        if not self.is_yearly:
            return self.first, self.end
        is_ahead = (told.month, told.day) < (self.first.month, self.first.day)
        n_years = told.year - self.first.year - is_ahead
        try:
            return _years_later(self.first, n_years), _years_later(self.end, n_years)
        except ValueError:
            return None


def find_periods(
    text: str, months: Sequence[str], now: datetime | None = None
) -> tuple[Period, ...]:
    """
    Return the periods that *text* names, each once.

    Args:
        text: A question.
        months: The names of the twelve months, as tokens; without any, only numbers are understood.
        now: Whose yesterday, last week and two months ago is meant; without it, these are not understood.
    """
    found = [*_iso_dates(text), *_calendar(text, months)]
    if now is not None:
        found += _relative(unicode61.lower(text), now.date())
    return tuple(dict.fromkeys(found))


def _iso_dates(text: str) -> Iterator[Period]:
    for match in _iso(text):
        year, month, day = (int(part) if part else None for part in match.groups())
        yield from _period(year, month, day, match[0])


def _calendar(text: str, months: Sequence[str]) -> Iterator[Period]:
    found = [*unicode61.find_tokens(text)]
    words = [token.text for token in found]
    years: list[int | None] = [int(word) for word in dict.fromkeys(words) if _is_year(word)]
    named: list[tuple[int, int | None]] = []
    for at, word in enumerate(words):
        if word not in months:
            continue
        day = _day_beside(words, at)
        beside = (*words[max(at - 1, 0) : at], *words[at + 1 : at + 2])
        # "may" and "march" are verbs, too: a month has a capital or a number beside it.
        is_name = at > 0 and text[found[at].start].isupper()
        if is_name or day or any(map(_is_year, beside)):
            named.append((months.index(word) + 1, day))
    if named:
        for year, (month, day) in product(years or [None], named):
            parts = (day, months[month - 1].capitalize(), year)
            yield from _period(year, month, day, " ".join(str(part) for part in parts if part))
    elif not any(_iso(text)):
        for year in years:
            yield from _period(year, None, None, str(year))


def _day_beside(words: Sequence[str], at: int) -> int | None:
    before = [word for word in words[max(at - 2, 0) : at] if word != "of"][-1:]
    for word in (*before, *words[at + 1 : at + 2]):
        match = _day(word)
        if match and 1 <= int(match[1]) <= 31:  # noqa: PLR2004 - a month's days
            return int(match[1])
    return None


def _period(year: int | None, month: int | None, day: int | None, name: str) -> Iterator[Period]:
    if year is not None and year not in _YEARS:
        return
    try:
        first = date(year or _ANY_YEAR, month or 1, day or 1)
    except ValueError:
        return
    yield Period(name, first, _end(first, month, day), is_yearly=year is None)


def _end(first: date, month: int | None, day: int | None) -> date:
    if day:
        return first + timedelta(days=1)
    return _months_later(first, 1 if month else 12)


def _months_later(first: date, n_months: int) -> date:
    """Return the first of a month so many months later, or earlier."""
    months = first.year * 12 + first.month - 1 + n_months
    return date(months // 12, months % 12 + 1, 1)


def _years_later(day: date, n_years: int) -> date:
    return day.replace(year=day.year + n_years)


def _relative(text: str, today: date) -> Iterator[Period]:
    named = [
        (match[1], match[3] or "day", int(match[1] == "yesterday" or match[2] == "last"))
        for match in _last(text)
    ]
    named += [(match[0], match[2], _NUMBERS.get(match[1]) or int(match[1])) for match in _ago(text)]
    for words, unit, number in named:
        with suppress(ValueError, OverflowError):  # there are no such dates
            yield _back(words, unit, number, today)


def _back(words: str, unit: str, number: int, today: date) -> Period:
    """Return the day, week, month or year that was so many of them before today's."""
    name = f'the time meant by "{words}"'
    if unit == "day":
        first = today - timedelta(days=number)
        return Period(name, first, first + timedelta(days=1))
    if unit == "week":
        first = today - timedelta(weeks=number, days=today.weekday())
        return Period(name, first, first + timedelta(weeks=1))
    n_months = 1 if unit == "month" else 12
    start = today.replace(day=1) if unit == "month" else date(today.year, 1, 1)
    first = _months_later(start, -n_months * number)
    return Period(name, first, _months_later(first, n_months))
