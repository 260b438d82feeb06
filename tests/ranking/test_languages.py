"""What is known of other languages than English."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import memrepo
from memrepo import InvalidInputError, Language, UsageError

NAMES = ("french", "german", "italian", "portuguese", "spanish")


@pytest.mark.parametrize("name", NAMES)
def test_words_are_tokens(name: str) -> None:
    """Twelve months, a word that asks for a time, and stop words, all as an index has them."""
    known = memrepo.language(name)
    assert len(known.months) == len(set(known.months)) == 12
    assert len(known.when) == 1
    assert known.first_person <= known.stop_words
    assert known.when <= known.stop_words
    assert known.time_words.isdisjoint(known.stop_words)
    assert known.time_words >= {*known.months}
    assert len(known.stop_words) > 80
    assert all(known.words(word) == [word] for word in known.stop_words | known.time_words)


@pytest.mark.parametrize(
    ("word", "form"), [("häuser", "haus"), ("strassen", "straße"), ("bienen", "biene")]
)
def test_forms_begin_alike(word: str, form: str) -> None:
    """What an index is asked for, to find the forms of a word, is the beginning of each of them."""
    german = memrepo.language("german")
    (token,), (other,) = german.words(word), german.words(form)
    assert german.stem(token) == german.stem(other)
    for one, another in ((token, other), (other, token)):
        assert another.startswith(german.beginning_of(one))


def test_any_thread_may_ask_for_a_stem() -> None:
    """A stemmer keeps the word that it works at; of threads that ask at once each gets its own."""
    stem = memrepo.language("german").stem
    words = [f"{'x' * n}häuser" for n in range(300)]
    with ThreadPoolExecutor(4) as pool:
        assert [*pool.map(stem, words)] == [f"{'x' * n}haus" for n in range(300)]


@pytest.mark.parametrize(
    "arguments",
    [
        {"stop_words": "und"},
        {"stop_words": [1]},
        {"stem": "porter"},
        {"months": None},
        {"tokenizer": "trigram"},
        {"tokenizer": "porter unicode61"},
    ],
)
def test_what_is_no_language(arguments: dict[str, Any]) -> None:
    """Bad words, a stemmer that cannot be called, and another tokenizer are refused before anything is opened."""
    with pytest.raises(InvalidInputError):
        memrepo.connect(":memory:", search=Language(**arguments))


def test_an_unknown_language(monkeypatch: pytest.MonkeyPatch) -> None:
    """A language without a stemmer is refused with the names there are; without the package, the extra is named."""
    with pytest.raises(InvalidInputError, match=r"german.*spanish"):
        memrepo.language("klingon")
    monkeypatch.setitem(sys.modules, "snowballstemmer", None)
    with pytest.raises(UsageError, match=r"memrepo\[languages\]"):
        memrepo.language("german")
