"""What is told and asked where search is timed: texts as people write them, each one different."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import accumulate, islice
from typing import Final

from tests.benchmarks.data import content_hash
from tests.benchmarks.retrieval.data import UNANSWERED, load, shared_data

__all__ = ["from_conversations", "questions", "texts"]

_SEED: Final = 20260202
_KIND: Final = "locomo turns"
#: Words of a made-up language, as many as a few people use.
_N_WORDS: Final = 20_000
#: Of those, as frequent as stop words: no question is about them.
_N_FREQUENT: Final = 60
_WORDS_OF_TEXT: Final = (8, 30)
_WORDS_OF_QUESTION: Final = (3, 8)
_SYLLABLES: Final = ("ba", "de", "fi", "go", "ku", "la", "me", "ni", "po", "ru", "sa", "ti")
_NAMES: Final = ("Ann", "Ben", "Cleo", "Dan")


def from_conversations() -> bool:
    """Tell whether the conversations are there; without them, texts are of made-up words."""
    return shared_data() is not None


def texts() -> Iterator[str]:
    """Yield texts without end, the same ones in every run, "speaker: text", each another fact."""
    seen: set[int] = set()
    for text in _texts():
        number = hash(content_hash(text))
        if number not in seen:
            seen.add(number)
            yield text


def _texts() -> Iterator[str]:
    chooser = random.Random(_SEED)
    folder = shared_data()
    if folder is None:
        while True:
            words = _words(chooser, _WORDS_OF_TEXT, first=0)
            yield f"{chooser.choice(_NAMES)}: {' '.join(words)}."
    told = [row.text for corpus in load(folder, _KIND) for row in corpus.rows]
    while True:
        yield _recombined(chooser.choice(told), chooser.choice(told))


def questions(count: int) -> list[str]:
    """Return *count* questions, the same ones in every run."""
    chooser = random.Random(_SEED + 1)
    folder = shared_data()
    if folder is None:
        return [_question(chooser) for _ in range(count)]
    asked = [
        question.text
        for corpus in load(folder, _KIND)
        for question in corpus.questions
        if question.category != UNANSWERED
    ]
    return [chooser.choice(asked) for _ in range(count)]


def _recombined(one: str, other: str) -> str:
    """Return the first half of one text, and the second half of another."""
    first, second = one.split(), other.split()
    return " ".join([*first[: (len(first) + 1) // 2], *second[len(second) // 2 :]])


def _question(chooser: random.Random) -> str:
    words = _words(chooser, _WORDS_OF_QUESTION, first=_N_FREQUENT)
    return f"What did {chooser.choice(_NAMES)} say about {' '.join(words)}?"


def _words(chooser: random.Random, lengths: tuple[int, int], first: int) -> Sequence[str]:
    words, weights = _vocabulary(first)
    return chooser.choices(words, cum_weights=weights, k=chooser.randint(*lengths))


@cache
def _vocabulary(first: int) -> tuple[list[str], list[float]]:
    """Return the words from the place *first* on, and their weights by Zipf's law, summed up."""
    ranks = range(first, _N_WORDS)
    words = islice(map(_word, ranks), len(ranks))
    return [*words], [*accumulate(1 / (rank + 3) for rank in ranks)]


def _word(rank: int) -> str:
    """Return the word of a rank: the more frequent, the shorter."""
    syllables = ""
    number = rank + len(_SYLLABLES)
    while number:
        number, digit = divmod(number, len(_SYLLABLES))
        syllables += _SYLLABLES[digit]
    return syllables
