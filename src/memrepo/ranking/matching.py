"""Which words a text has."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence, Set as AbstractSet
from typing import Final

from memrepo.ranking import unicode61
from memrepo.ranking.language import ENGLISH, UNICODE, Language
from memrepo.ranking.question import Question, Word
from memrepo.ranking.rows import Posting, Row, Scope

__all__ = [
    "SAMPLE",
    "find_words",
    "first_token",
    "has_time",
    "having_word",
    "is_question",
    "is_turn",
    "look_through",
    "matches",
    "prepare",
    "subjects_of",
]

#: So many of the newest texts of a scope tell its subjects.
SAMPLE: Final = 100
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
_AT_ONCE: Final = 25
#: The stemmers that leave most of a word as it is.
_KNOWN: Final = (ENGLISH.stem, UNICODE.stem)


def matches(
    words: Sequence[Word], rows: Sequence[Row], scope: Scope, language: Language
) -> Iterator[list[int] | None]:
    """Yield for each word the places, in *rows*, of those that have it; ``None`` between two steps of that."""
    place_of = {row.id: place for place, row in enumerate(rows)}
    yield None
    texts: list[str] = []
    if not all(scope.postings[word.text].is_complete for word in words):
        ready = prepare(language)
        for start in range(0, len(rows), _AT_ONCE):
            texts += [ready(row.text) for row in rows[start : start + _AT_ONCE]]
            yield None
    for word in words:
        posting = scope.postings[word.text]
        smaller = posting.ids if len(posting.ids) < len(place_of) else place_of
        having = {place_of[its] for its in smaller if its in place_of and its in posting.ids}
        if not posting.is_complete:
            yield None
            having |= {*having_word(word, language, texts)}
        yield sorted(having)


def look_through(question: Question, rows: Sequence[Row]) -> Scope:
    """Return what an index would know for *question*, from all rows of a scope, the newest first."""
    language = question.language
    texts = [*map(prepare(language), (row.text for row in rows))]
    postings: dict[str, Posting] = {}
    for word in question.words:
        ids = {rows[place].id for place in having_word(word, language, texts)}
        postings[word.text] = Posting(len(ids), ids)
    subjects = subjects_of(Counter(row.text for row in rows[:SAMPLE]), language.stop_words)
    return Scope(len(rows), postings, subjects)


def subjects_of(texts: Mapping[str, int], stop_words: AbstractSet[str]) -> frozenset[str]:
    """
    Return the words, as tokens, that many texts begin with: at least two of them, and one in fifty.

    Args:
        texts: Those of a scope's rows, or of a sample of them, or their beginnings; how many there are of each.
        stop_words: Those of the language, as tokens: they are no subjects.
    """
    counts = Counter[str]()
    for text, n_rows in texts.items():
        counts[first_token(text)] += n_rows
    least = max(_FEWEST, _SUBJECT_SHARE * counts.total())
    many = {token for token, n_texts in counts.items() if n_texts >= least}
    return frozenset(many - stop_words - {""})


def prepare(language: Language) -> Callable[[str], str]:
    """Return what makes of a text what `having_word` looks through."""
    if language.tokenizer == "trigram":
        return unicode61.lower
    return unicode61.in_line if language.stem in _KNOWN else str


def having_word(word: Word, language: Language, texts: Sequence[str]) -> list[int]:
    """Return the places, in *texts*, of those that have *word*; each was made ready by `prepare`."""
    if language.tokenizer == "trigram":
        return _having(word.text, texts)
    terms = frozenset(word.terms)
    if language.stem not in _KNOWN:
        # Nobody knows what it does to a word.
        return [at for at, its in enumerate(texts) if not terms.isdisjoint(language.terms(its))]
    return [
        place
        for beginning in _beginnings(terms)
        for place in _having(beginning, texts)
        if any(_forms(texts[place], beginning, terms, language.stem))
    ]


def find_words(text: str, terms: AbstractSet[str], language: Language) -> Iterator[tuple[int, int]]:
    """Yield where words stand in *text* that have one of *terms*, in any order, some of them more than once."""
    line = unicode61.in_place(text)
    if line is None or language.stem not in _KNOWN:
        for token in unicode61.find_tokens(text):
            if language.stem(token.text) in terms:
                yield token.start, token.end
    else:
        for beginning in _beginnings(terms):
            yield from _forms(line, beginning, terms, language.stem)


def _having(part: str, texts: Sequence[str]) -> list[int]:
    return [place for place, text in enumerate(texts) if part in text]


def _beginnings(terms: AbstractSet[str]) -> set[str]:
    """Return what stands in a line where a word has one of *terms*: only that is brought to its stem."""
    return {f" {term[: max(len(term) - _STEM_TAIL, 1)]}" for term in terms}


def _forms(
    line: str, beginning: str, terms: AbstractSet[str], stem: Callable[[str], str]
) -> Iterator[tuple[int, int]]:
    """Yield where words stand that begin so and have one of *terms* as their stem; 0 is behind the first space."""
    at = line.find(beginning)
    while at >= 0:
        end = line.index(" ", at + 1)
        if stem(line[at + 1 : end]) in terms:
            yield at, end - 1
        at = line.find(beginning, end)


def first_token(text: str) -> str:
    """
    Return the token that *text* begins with, or ``""``.

    It stands before the first space, or, where only a mark does, as in "- Ann", behind it.
    """
    head = text[:_HEAD]
    before = head.partition(" ")[0]
    word = before.rstrip(".,:;!?")
    if word.isascii() and word.isalnum():
        return word.lower()
    return next(iter(unicode61.tokens(before if len(before) > 1 else head)), "")


def has_time(text: str, language: Language) -> bool:
    """Tell whether *text* has a word of time."""
    return not language.time_words.isdisjoint(unicode61.tokens(text))


def is_turn(text: str) -> bool:
    """Tell whether *text* is a turn of a conversation, which begins with who says it: "Ann: ..."."""
    return _begins_as_turn(text) is not None


def is_question(text: str) -> bool:
    """Tell whether *text* ends with a question mark."""
    return text[-_TAIL:].rstrip().endswith(("?", "\uff1f"))
