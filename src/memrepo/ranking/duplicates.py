"""Which facts say the same in nearly the same words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

__all__ = ["EMPTY_WORDS", "wording"]

#: Words that say nothing by themselves. No word that negates, none that says when, whose or where to, and no "am",
#: which may be the morning.
EMPTY_WORDS: Final = frozenset({"a", "an", "the", "and", "also", "is", "are"})
#: By one of these at its beginning, a text may be a question.
_VERBS: Final = frozenset({"is", "are"})
#: What may stand before or after a word: not `+`, `-` or `$`, as in C++, -5 and $5, and not `?`, which asks.
_MARKS: Final = ".,;:!\"'()[]\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb\u2026"
_ARTICLES: Final = frozenset({"a", "an"})
#: Marks that are units behind a number.
_UNITS: Final = ("'", '"', "\u2019", "\u201d")
#: Most characters of a text that is compared word by word.
_MAX_LENGTH: Final = 1_000


def wording(content: str) -> tuple[str, ...]:
    """
    Return a key that two contents share if they have the same words but for case, marks and empty words.

    The words are in the same order, or what is at the beginning of one is at the end of the other: "On Mondays,
    Ada swims" is "Ada swims on Mondays", and "Ada pays Bob" is not "Bob pays Ada". A question is no statement: "Is
    Ada vegan" is not "Ada is vegan". Numbers and letters that name something stay: "Vitamin A", "6' tall".
    A long text is only like itself.
    """
    if len(content) > _MAX_LENGTH:
        return (content,)
    # To see that a word has no marks takes a third of the time that it takes to look for them.
    shown = [bare for word in content.split() if (bare := word if word.isalnum() else _bare(word))]
    folded = enumerate([word.casefold() for word in shown])
    words = [
        word for at, word in folded if word not in EMPTY_WORDS or not _is_empty(word, at, shown)
    ]
    if not words:
        return (content,)
    first = min(words)
    if words.count(first) == 1:
        return _turned(words, words.index(first))
    return min(_turned(words, at) for at, word in enumerate(words) if word == first)


def _turned(words: Sequence[str], first: int) -> tuple[str, ...]:
    return (*words[first:], *words[:first])


def _bare(word: str) -> str:
    """Return a word without marks; behind a number, quotation marks are feet, inches, minutes."""
    bare = word.strip(_MARKS)
    if not bare[-1:].isdigit():
        return bare
    number, _, behind = word.partition(bare)
    return bare + behind[:1] if behind[:1] in _UNITS and not number else bare


def _is_empty(folded: str, at: int, words: Sequence[str]) -> bool:
    """Tell whether one of the empty words says nothing where it stands."""
    if at == 0:
        return folded not in _VERBS
    # A capital, or a place at the end or behind a number: "Plan A", "Hepatitis a", "5 a".
    is_name = words[at] != folded or (folded in _ARTICLES and at == len(words) - 1)
    return not is_name and not words[at - 1][-1:].isdigit()
