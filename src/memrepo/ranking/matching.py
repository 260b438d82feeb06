"""Which words a text has."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence, Set as AbstractSet
from functools import cache
from typing import Final

from memrepo.ranking import unicode61
from memrepo.ranking.language import ENGLISH, UNICODE, Language
from memrepo.ranking.question import Question, Word
from memrepo.ranking.rows import Posting, Row, Scope

__all__ = [
    "SAMPLE",
    "first_token",
    "has_time",
    "is_question",
    "is_turn",
    "look_through",
    "matches",
    "subjects_of",
    "text_has",
]

#: So many of the newest texts of a scope tell its subjects.
SAMPLE: Final = 200
#: So many letters at its end may a stem differ in from its word.
_STEM_TAIL: Final = 2
#: A text's first word is looked for in so many of its first characters.
_HEAD: Final = 64
#: A subject is what at least so many texts begin with, and at least this share of them.
_FEWEST: Final = 2
_SUBJECT_SHARE: Final = 0.02
_begins_as_turn: Final = re.compile(r"\w[\w .'-]{0,40}:\s").match
#: White space after a question mark is looked through for so many characters.
_TAIL: Final = 8
#: Texts that are looked through in one step.
_AT_ONCE: Final = 8
#: The stemmers that leave most of a word as it is.
_KNOWN: Final = (ENGLISH.stem, UNICODE.stem)


def matches(
    words: Sequence[Word], rows: Sequence[Row], scope: Scope, language: Language
) -> Iterator[list[int] | None]:
    """Yield for each word the places, in *rows*, of those that have it; ``None`` between two steps of that."""
    place_of = {row.id: place for place, row in enumerate(rows)}
    in_line = cache(unicode61.in_line)  # often several words are common
    yield None
    for word in words:
        known = scope.postings[word.text].ids
        if scope.postings[word.text].is_complete:
            smaller: Iterable[int] = known if len(known) < len(place_of) else place_of
            yield sorted(place_of[its] for its in smaller if its in place_of and its in known)
            continue
        has = text_has(word, language, in_line)
        having: list[int] = []
        for start in range(0, len(rows), _AT_ONCE):
            some = enumerate(rows[start : start + _AT_ONCE], start)
            having += (place for place, row in some if row.id in known or has(row.text))
            yield None
        yield having


def look_through(question: Question, rows: Sequence[Row]) -> Scope:
    """Return what an index would know for *question*, from all rows of a scope, the newest first."""
    language = question.language
    postings: dict[str, Posting] = {}
    for word in question.words:
        has = text_has(word, language)
        ids = {row.id for row in rows if has(row.text)}
        postings[word.text] = Posting(len(ids), ids)
    subjects = subjects_of([row.text for row in rows[:SAMPLE]], language.stop_words)
    return Scope(len(rows), postings, subjects)


def subjects_of(texts: Sequence[str], stop_words: AbstractSet[str]) -> frozenset[str]:
    """
    Return the words, as tokens, that many of *texts* begin with: at least two of them, and one in fifty.

    Args:
        texts: Those of a scope's rows, or of a sample of them.
        stop_words: Those of the language, as tokens: they are no subjects.
    """
    counts = Counter(map(first_token, texts))
    least = max(_FEWEST, _SUBJECT_SHARE * len(texts))
    many = {token for token, n_texts in counts.items() if n_texts >= least}
    return frozenset(many - stop_words - {""})


def text_has(
    word: Word, language: Language, in_line: Callable[[str], str] = unicode61.in_line
) -> Callable[[str], bool]:
    """Return a function that tells whether a text has *word*; *in_line* as `unicode61.in_line`."""
    if language.tokenizer == "trigram":
        return lambda text: word.text in unicode61.lower(text)
    terms = frozenset(word.terms)
    if language.stem not in _KNOWN:
        # Nobody knows what it does to a word.
        return lambda text: not terms.isdisjoint(language.terms(text))
    # Only what begins as a term does is brought to its stem.
    beginnings = tuple({f" {term[: max(len(term) - _STEM_TAIL, 1)]}" for term in terms})

    def has(text: str) -> bool:
        line = in_line(text)
        for beginning in beginnings:
            at = line.find(beginning)
            while at >= 0:
                end = line.index(" ", at + 1)
                if language.stem(line[at + 1 : end]) in terms:
                    return True
                at = line.find(beginning, end)
        return False

    return has


def first_token(text: str) -> str:
    """Return the token that *text* begins with, or ``""``."""
    head = text[:_HEAD]
    word = head.partition(" ")[0].rstrip(".,:;!?")
    if word.isascii() and word.isalnum():
        return word.lower()
    return next(iter(unicode61.tokens(head)), "")


def has_time(text: str, language: Language) -> bool:
    """Tell whether *text* has a word of time."""
    return not language.time_words.isdisjoint(unicode61.tokens(text))


def is_turn(text: str) -> bool:
    """Tell whether *text* is a turn of a conversation, which begins with who says it: "Ann: ..."."""
    return _begins_as_turn(text) is not None


def is_question(text: str) -> bool:
    """Tell whether *text* ends with a question mark."""
    return text[-_TAIL:].rstrip().endswith(("?", "\uff1f"))
