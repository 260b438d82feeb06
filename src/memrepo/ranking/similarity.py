"""How similar two texts are: the share of their words that both have, rare words counting more."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Final, TypeAlias

import attrs

from memrepo.ranking import unicode61
from memrepo.ranking.duplicates import EMPTY_WORDS, wording
from memrepo.ranking.language import TRIGRAM, Language
from memrepo.ranking.rows import Posting

__all__ = [
    "Rarity",
    "Term",
    "Text",
    "count_all",
    "earlier",
    "is_led_by_rare_words",
    "may_be_similar",
    "rarest",
    "spellings",
    "take_apart",
]

#: What the forms of a word have in common, as `Language.terms_of` returns it.
Term: TypeAlias = tuple[str, ...]

#: Words that say nothing; "user" is what extracted facts call whom they are about.
_EMPTY: Final = EMPTY_WORDS | {"user"}
#: A longer text is similar to none.
_LONGEST: Final = 2_000
#: Words that turn a text round; "t" is what is left of "don't".
_NEGATIONS: Final = frozenset({"no", "nor", "not", "never", "without", "cannot", "t"})
#: Words with a sign that counts, as C++ and $5.
_find_signed = re.compile(r"\S*[+#%$\u00a2-\u00a5\u20a0-\u20bf]\S*").findall
_find_numbers = re.compile(r"\d+(?:[.,:]\d+)*").findall
#: The most that two texts share whose words are in another order, or of which one has more that say little.
_ANOTHER_WORDING: Final = 0.99
#: Sums of the same floats in another order differ in their last digits.
_ROUNDING: Final = 1e-9
#: The tokenizer ``trigram`` has no shorter words in an index.
_SHORTEST_TRIGRAM: Final = 3


@attrs.frozen
class Text:
    """A text, as far as it is compared."""

    id: int
    #: Its words, each with how it is spelled here.
    terms: Mapping[Term, str]
    wording: tuple[str, ...]
    #: What two similar texts must have in common.
    marks: frozenset[str]
    #: The numbers in it.
    numbers: frozenset[str]


def take_apart(number: int, content: str, language: Language) -> Text:
    """Return what is compared of a text; a text of more than 2,000 characters has no words."""
    words = language.words(content) if len(content) <= _LONGEST else []
    shortest = _SHORTEST_TRIGRAM if language is TRIGRAM else 1
    terms: dict[Term, str] = {}
    for word in words:
        if len(word) >= shortest and word not in _EMPTY:
            terms.setdefault(language.terms_of(word), word)
    marks = {*_find_signed(content.casefold().rstrip(".,;:!?"))} if terms else set[str]()
    if terms and not _NEGATIONS.isdisjoint(unicode61.tokens(content)):
        marks.add("not")
    numbers = _find_numbers(content) if terms else ()
    return Text(number, terms, wording(content), frozenset(marks), frozenset(numbers))


@attrs.frozen
class Rarity:
    """How much each word says."""

    n_rows: int
    #: Which rows of the scope have a word, among them those that are compared.
    postings: Mapping[Term, Posting]

    def of(self, term: Term) -> float:
        """Return 1 for a word that all rows have, and more for a rarer one."""
        posting = self.postings.get(term)
        n_with = 1 if posting is None else posting.n_rows
        return 1 + math.log((1 + max(self.n_rows, n_with)) / (1 + n_with))

    def sum(self, terms: Iterable[Term]) -> float:
        """Return how much several words say together."""
        return math.fsum(map(self.of, terms))

    def similarity(self, one: Text, other: Text) -> float:
        """
        Return the share of the words of both that both have, 0 to 0.99; 1 if they have the same `wording`.

        0 if one negates and the other does not, or a sign or a number differs.
        """
        if one.wording == other.wording:
            return 1.0
        if one.marks != other.marks or not (one.terms and other.terms):
            return 0.0
        # One may tell a number that the other leaves out.
        if not (one.numbers <= other.numbers or other.numbers <= one.numbers):
            return 0.0
        shared = self.sum(one.terms.keys() & other.terms.keys())
        share = 2 * shared / (self.sum(one.terms) + self.sum(other.terms))
        return min(round(share, 6), _ANOTHER_WORDING)


def rarest(text: Text, rarity: Rarity, limit: int) -> list[str]:
    """Return the rarest words of *text*, as they are spelled in it."""
    return [text.terms[term] for term in _by_rarity(text, rarity)[:limit]]


def is_led_by_rare_words(text: Text, rarity: Rarity, threshold: float) -> bool:
    """
    Tell whether every text that is similar to *text* has one of its words with a complete posting.

    A text that has none of them lacks more than it may: of two texts that share s of the words of both, each has at
    least s / (2 - s) of the other's words.
    """
    may_lack = (1 - _least_share(threshold)) * rarity.sum(text.terms)
    rare = (term for term in text.terms if rarity.postings[term].is_complete)
    return not text.terms or rarity.sum(rare) > may_lack + _ROUNDING


def earlier(text: Text, rarity: Rarity, threshold: float, limit: int) -> list[int]:
    """
    Return the ids of the rows below that of *text* that may be so similar to it, as far as postings tell.

    Args:
        text: All its words have a posting.
        rarity: A row may have any word whose posting is not complete.
        threshold: How similar.
        limit: So many at most, those that have the most of the words; ties go to the higher id.
    """
    unknown = rarity.sum(term for term in text.terms if not rarity.postings[term].is_complete)
    sums: dict[int, float] = {}
    for term in sorted(text.terms):
        if (posting := rarity.postings[term]).is_complete:
            weight = rarity.of(term)
            for number in posting.ids:
                if number < text.id:
                    sums[number] = sums.get(number, unknown) + weight
    least = _least_share(threshold) * rarity.sum(text.terms) - _ROUNDING
    found = [number for number, weight in sums.items() if weight >= least]
    return sorted(found, key=lambda number: (-round(sums[number], 6), -number))[:limit]


def count_all(texts: Collection[Text]) -> Rarity:
    """Return which of *texts* have each word, where these are all there are."""
    having: dict[Term, set[int]] = {}
    for text in texts:
        for term in text.terms:
            having.setdefault(term, set()).add(text.id)
    return Rarity(len(texts), {term: Posting(len(ids), ids) for term, ids in having.items()})


def _by_rarity(text: Text, rarity: Rarity) -> list[Term]:
    return sorted(text.terms, key=lambda term: (-rarity.of(term), term))


def may_be_similar(text: Text, other: Text, rarity: Rarity, threshold: float) -> bool:
    """Tell whether *other* has enough of the words of *text*, whatever else it has."""
    shared = rarity.sum(text.terms.keys() & other.terms.keys())
    return shared >= _least_share(threshold) * rarity.sum(text.terms) - _ROUNDING


def _least_share(threshold: float) -> float:
    return threshold / (2 - threshold)


def spellings(texts: Iterable[Text], known: Collection[Term] = ()) -> dict[Term, str]:
    """Return the words of *texts* that are not among those *known*, each with a spelling of it."""
    return {term: word for text in texts for term, word in text.terms.items() if term not in known}
