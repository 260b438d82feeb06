"""Why a row was found, in words that a person reads, and where in its text the words stand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import Final

from memrepo.ranking import unicode61
from memrepo.ranking.matching import find_words
from memrepo.ranking.question import Question
from memrepo.ranking.relevance import Ranked

__all__ = ["explain", "highlights"]

_share: Final = attrgetter("share")
_DISTANCES: Final = ("just", "two", "three", "four", "five")


def explain(ranked: Ranked, *, noun: str = "fact") -> str:
    """
    Return the parts of a row's score as one line.

    Args:
        ranked: The row.
        noun: What a row is called: ``fact``, ``event`` or ``session``.

    Returns:
        As ``has 'bees'; 'birthday' stands in the fact just before; told in May 2023``.
    """
    return "; ".join(_parts(ranked, noun))


def _parts(ranked: Ranked, noun: str) -> Iterator[str]:
    places: dict[int | None, list[str]] = {}
    for part in sorted(ranked.words, key=_share, reverse=True):
        places.setdefault(part.place, []).append(f"'{part.word}'")
    if own := places.pop(0, None):
        yield f"has {_listed(own)}"
    elsewhere = places.pop(None, None)
    for place, words in places.items():
        verb = "stands" if len(words) == 1 else "stand"
        yield f"{_listed(words)} {verb} {_where(place or 0, noun)}"
    if elsewhere:
        verb = "stands" if len(elsewhere) == 1 else "stand"
        yield f"{_listed(elsewhere)} {verb} elsewhere in its session"
    if ranked.subject:
        yield f"begins with '{ranked.subject}'"
    if ranked.period:
        yield f"told {ranked.period}"
    if ranked.tells_time:
        yield "tells a time"
    if ranked.is_doubtful:
        yield f"but another's {noun}s have more of what is asked"


def _where(place: int, noun: str) -> str:
    side = "before" if place < 0 else "after"
    distance = _DISTANCES[min(abs(place), len(_DISTANCES)) - 1]
    return f"in the {noun} just {side}" if abs(place) == 1 else f"{distance} {noun}s {side}"


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def highlights(text: str, question: Question) -> tuple[tuple[int, int], ...]:
    """
    Return where words of *question* stand in *text*, as ranges of characters, in their order.

    Stop words are left out, forms of a word are found, too. No two ranges overlap or touch.
    """
    language = question.language
    if language.tokenizer == "trigram":
        ranges = _pieces(text, question)
    else:
        terms = frozenset(term for word in question.words for term in word.terms)
        ranges = find_words(text, terms, language)
    joined: list[tuple[int, int]] = []
    for start, end in sorted(ranges):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(end, joined[-1][1])
        else:
            joined.append((start, end))
    return tuple(joined)


def _pieces(text: str, question: Question) -> Iterator[tuple[int, int]]:
    lower = unicode61.lower(text)
    for word in question.words:
        start = lower.find(word.text)
        while start >= 0:
            yield start, start + len(word.text)
            start = lower.find(word.text, start + 1)
