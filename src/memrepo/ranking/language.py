"""How texts become terms, in which language: the values that a database chooses from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final, Literal, TypeAlias

import attrs

from memrepo.domain.checks import check_function, check_names
from memrepo.domain.indexing import Tokenizer
from memrepo.ranking import porter, unicode61
from memrepo.ranking.irregular import IRREGULAR

__all__ = ["ENGLISH", "LANGUAGES", "TRIGRAM", "UNICODE", "Language"]

#: FTS5's tokenizers that an index may have, by FTS5's names.
FTS5Tokenizer: TypeAlias = Literal["porter unicode61", "unicode61", "trigram"]

#: What forms of a word begin with has so many letters, or fewer if they have fewer in common.
_SHORT: Final = 3
#: Letters at its end that a stem may have otherwise than a form.
_CHANGED: Final = 2
#: Beyond this length, a run of letters is asked for in pieces by the tokenizer ``trigram``.
_PIECE: Final = 3
#: Letters of scripts that are written without spaces between words.
_unspaced = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+"
)


def _same(word: str) -> str:
    return word


def _tokens(words: Iterable[str]) -> tuple[str, ...]:
    """Return words as the index has them: in lower case, without accents."""
    known = check_names("words", words)
    return tuple(token for word in known for token in unicode61.tokens(word))


def _token_set(words: Iterable[str]) -> frozenset[str]:
    return frozenset(_tokens(words))


@attrs.frozen(kw_only=True)
class Language:
    """
    What a search knows of the language of texts and questions; see `connect` and `language`.

    A token is a word as the search index has it: a run of letters and digits in lower case, Latin letters without
    their accents. All words can be given as they are written.
    """

    #: Brings the forms of a word together: takes a token, returns its stem. It may be called in several threads.
    stem: Callable[[str], str] = _same
    #: Words that say nothing of what is asked for.
    stop_words: frozenset[str] = attrs.field(default=frozenset(), converter=_token_set)
    #: Words by which whoever asks means himself: "I", "my".
    first_person: frozenset[str] = attrs.field(default=frozenset(), converter=_token_set)
    #: Each irregular form, to all forms of its word.
    forms: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict[str, tuple[str, ...]])
    #: The names of the twelve months in their order; none where they are not known.
    months: tuple[str, ...] = attrs.field(default=(), converter=_tokens)
    #: Words that ask for a time: "when".
    when: frozenset[str] = attrs.field(default=frozenset(), converter=_token_set)
    #: Words by which a text tells a time: "yesterday".
    time_words: frozenset[str] = attrs.field(default=frozenset(), converter=_token_set)
    #: FTS5's tokenizer of the index: only that for English has stems, of English words.
    tokenizer: FTS5Tokenizer = "unicode61"

    def __attrs_post_init__(self) -> None:
        """Accept a stemmer only if it can be called."""
        check_function("stem", self.stem)

    def terms(self, text: str) -> list[str]:
        """Return the terms of *text* in their order, as an index by words has them."""
        return [self.stem(token) for token in unicode61.tokens(text)]

    def is_of_date(self, word: str) -> bool:
        """Return whether a word of a question is a month or begins with a digit, as dates do."""
        return word[0].isdigit() or word in self.months

    def words(self, text: str) -> list[str]:
        """Return the words of a question, in their order, each once; never none if it has a letter or digit."""
        if self.tokenizer == "trigram":
            return [*dict.fromkeys(_pieces(unicode61.lower(text)))]
        words = dict.fromkeys(unicode61.tokens(text))
        return [word for word in words if word not in self.stop_words] or [*words]

    def terms_of(self, word: str) -> tuple[str, ...]:
        """Return the terms that stand for a word of a question, sorted: the stems of all its forms."""
        return tuple(sorted({*map(self.stem, self.forms_of(word))}))

    def beginning_of(self, word: str) -> str:
        """Return what an index is asked for to find the other forms of *word*, or ``""`` if its stems do."""
        if self.tokenizer != "unicode61" or self.stem is _same:
            return ""
        stem = self.stem(word)
        same = next(
            (at for at, (one, other) in enumerate(zip(word, stem, strict=False)) if one != other),
            min(len(word), len(stem)),
        )
        # A stemmer may change the last letters of what stays: "happi" of "happy", "strass" of "straße".
        return word[: max(min(same, _SHORT), same - _CHANGED)]

    def forms_of(self, word: str) -> tuple[str, ...]:
        """Return a word of a question, and the forms of it that its stem does not find."""
        forms = self.forms.get(word) or self.forms.get(self.stem(word), ())  # "keeps": "keep"
        return (word, *forms)


def _pieces(text: str) -> list[str]:
    pieces: list[str] = []
    for token in unicode61.find_tokens(text):
        word = text[token.start : token.end]
        if _unspaced.fullmatch(word) and len(word) > _PIECE:
            pieces += (word[at : at + _PIECE] for at in range(len(word) - _PIECE + 1))
        else:
            pieces.append(word)
    return pieces


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_MONTHS: Final = """
    january february march april may june july august september october november december
"""

ENGLISH: Final = Language(
    tokenizer="porter unicode61",
    stem=porter.stem,
    stop_words=_set(
        """
        a about above after again against all also am an and any are as at be because been before being below
        between both but by can could d did do does doing down during each ever few for from further had has
        have having he her here hers him his how i if in into is it its just ll m many may me might mine more
        most much must my no nor not now of off on once only or other our ours out over own re s same shall she
        should so some such t than that the their theirs them then there these they this those through to too
        under until up us ve very was we were what when where which while who whom whose why will with would
        you your yours
        """
    ),
    first_person=_set("i me my mine"),
    forms=IRREGULAR,
    months=tuple(_MONTHS.split()),
    when=_set("when"),
    time_words=_set(_MONTHS)
    | _set(
        """
        ago day friday last monday month morning next night recently saturday sunday thursday today tomorrow
        tuesday wednesday week weekend year yesterday
        """
    ),
)
UNICODE: Final = Language(tokenizer="unicode61")
TRIGRAM: Final = Language(tokenizer="trigram")
#: What is known where no language is given, by the tokenizer.
LANGUAGES: Final[Mapping[Tokenizer, Language]] = {
    "english": ENGLISH,
    "unicode": UNICODE,
    "trigram": TRIGRAM,
}
