"""What a question asks: its words, who is named, which time, whether it asks when."""

from __future__ import annotations

from datetime import datetime

import attrs

from memrepo.ranking import unicode61
from memrepo.ranking.language import ENGLISH, Language
from memrepo.ranking.periods import Period, find_periods

__all__ = ["Question", "Word", "parse"]


@attrs.frozen
class Word:
    """A word of a question."""

    #: As a token, or, by the tokenizer ``trigram``, as letters that a text must contain.
    text: str
    #: What an index by words has of it: a row that has any of them has the word.
    terms: tuple[str, ...]


@attrs.frozen
class Question:
    """A question, taken apart."""

    text: str
    language: Language
    #: What a row is looked for by, in their order, each once; none if *text* has no letter and no digit.
    words: tuple[Word, ...]
    #: All its tokens.
    tokens: tuple[str, ...]
    #: Those of them that have a capital, as names have, but for the first word of the question.
    capitalized: frozenset[str]
    #: The times that it names.
    periods: tuple[Period, ...]
    #: Whether it begins by asking for a time.
    asks_when: bool
    #: Whether whoever asks means himself: "my", "I".
    is_first_person: bool


def parse(
    text: str,
    language: Language = ENGLISH,
    *,
    now: datetime | None = None,
    most: int | None = None,
) -> Question:
    """
    Take a question apart; any text is one.

    Args:
        text: The question, or just some words.
        language: That of the index.
        now: When it is asked, for "last week"; without it such times are not understood.
        most: Words that are looked for, the first; ``None`` for all.
    """
    found = [*unicode61.find_tokens(text)]
    tokens = tuple(token.text for token in found)
    words: dict[tuple[str, ...], Word] = {}
    for word in language.words(text):
        # "paints" and "painting" are one word.
        words.setdefault(terms := language.terms_of(word), Word(word, terms))
    return Question(
        text=text,
        language=language,
        words=tuple(words.values())[:most],
        tokens=tokens,
        capitalized=frozenset(each.text for each in found[1:] if text[each.start].isupper()),
        periods=find_periods(text, language.months, now),
        asks_when=not language.when.isdisjoint(tokens[:1]),
        is_first_person=not language.first_person.isdisjoint(tokens),
    )
