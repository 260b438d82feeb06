"""Tokens and stems are those of a real FTS5, for any text."""

from __future__ import annotations

import sqlite3
import string
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import example, given, settings, strategies as st

from memrepo.ranking import unicode61
from memrepo.ranking.language import ENGLISH, TRIGRAM, UNICODE, Language
from memrepo.ranking.matching import first_token, having_word, prepare
from memrepo.ranking.question import Word, parse
from memrepo.ranking.unicode61 import find_tokens, tokens

_SUFFIX_TEXT = (
    "ational tional enci anci izer logi bli alli entli eli ousli ization ation ator alism iveness "
    "fulness ousness aliti iviti biliti icate ative alize iciti ical ful ness al ance ence er ic able "
    "ible ant ement ment ent ion ou ism ate iti ous ive ize sses ies s ss eed ed ing y e ll"
)
_SUFFIXES = _SUFFIX_TEXT.split()
_settings = settings(max_examples=200)
any_text = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
#: Letters that are not simple: accents, joined letters, several cases, signs newer than FTS5's tables.
hard_text = st.text(
    st.sampled_from(
        "aB1 -'_éÉǣÀẤßẞſµΣςİıǅЁё\u0301\u0300\u0332\u033fA\u030a한かが今Ⅷ²🤖😀𐐀Ꭰꭰ\0\u200d\ufeff"
    ),
    max_size=20,
)
words = st.builds(
    "".join,
    st.tuples(
        st.text(st.sampled_from("aeioubcdlstwxyz退é"), max_size=6),
        st.sampled_from(_SUFFIXES),
        st.sampled_from(["", *_SUFFIXES]),
    ),
)


def _has(text: str, word: Word, language: Language) -> bool:
    """Whether the only text that is looked through has a word."""
    return having_word(word, language, [prepare(language)(text)]) == [0]


class Index:
    """An FTS5 table and its vocabulary."""

    def __init__(self, tokenizer: str) -> None:
        self._database = sqlite3.connect(":memory:")
        # Porter cuts between bytes, and may leave half a letter.
        self._database.text_factory = lambda data: data.decode(errors="replace")
        self._database.execute(f"CREATE VIRTUAL TABLE f USING fts5(t, tokenize = '{tokenizer}')")
        self._database.execute("CREATE VIRTUAL TABLE v USING fts5vocab(f, 'instance')")

    def tokens(self, *texts: str) -> list[list[str]]:
        """Return the terms of each text, in their order."""
        self._database.execute("DELETE FROM f")
        rows = enumerate(texts, 1)
        self._database.executemany("INSERT INTO f (rowid, t) VALUES (?, ?)", rows)
        found: list[list[str]] = [[] for _ in texts]
        for doc, term in self._database.execute("SELECT doc, term FROM v ORDER BY doc, offset"):
            found[doc - 1].append(term)
        return found

    def has(self, text: str, phrase: str) -> bool:
        self._database.execute("DELETE FROM f")
        self._database.execute("INSERT INTO f (t) VALUES (?)", (text,))
        quoted = '"' + phrase.replace('"', '""') + '"'
        sql = "SELECT count(*) FROM f WHERE f MATCH ?"
        return bool(self._database.execute(sql, (quoted,)).fetchone()[0])

    def close(self) -> None:
        self._database.close()


@pytest.fixture(scope="module")
def unicode() -> Iterator[Index]:
    with closing(Index("unicode61")) as index:
        yield index


@pytest.fixture(scope="module")
def english() -> Iterator[Index]:
    with closing(Index("porter unicode61")) as index:
        yield index


@pytest.fixture(scope="module")
def trigram() -> Iterator[Index]:
    with closing(Index("trigram")) as index:
        yield index


@_settings
@given(text=any_text | hard_text)
@example(text="Caroline's café, 3pm: ½ naïve Ǣ A\u030angstro\u0308m 退退ed")
def test_tokens_are_those_of_fts5(unicode: Index, text: str) -> None:
    """Whatever the text, its tokens are FTS5's, and each stands where it is said to stand."""
    assert [tokens(text)] == unicode.tokens(text)
    assert [UNICODE.terms(text)] == unicode.tokens(text)
    for token in find_tokens(text):
        assert tokens(text[token.start : token.end]) == [token.text]


def test_each_character_is_a_letter_or_not_as_for_fts5(unicode: Index) -> None:
    """Every character of the first plane, inside a word and alone, is what FTS5 takes it for."""
    codes = [code for code in range(1, 0x10000) if not 0xD800 <= code < 0xE000]
    pieces = [codes[at : at + 500] for at in range(0, len(codes), 500)]
    texts = [" ".join(f"a{chr(code)}b {chr(code)}" for code in piece) for piece in pieces]
    assert list(map(tokens, texts)) == unicode.tokens(*texts)


def test_characters_beyond_the_first_plane(unicode: Index) -> None:
    """A sample of all others, the capitals of Deseret among them, is what FTS5 takes it for."""
    codes = [*range(0x10400, 0x10450), *range(0x1F000, 0x20000, 3), *range(0x10000, 0x110000, 997)]
    texts = [f"a{chr(code)}b {chr(code)}" for code in codes]
    assert list(map(tokens, texts)) == unicode.tokens(*texts)


@_settings
@given(text=st.lists(words | st.text(string.ascii_letters, max_size=8), max_size=8).map(" ".join))
@example(
    text="sses ied ties skies agreed feed hopping hoping falling happy y yy sky relational caresses"
)
@example(text="a" * 64 + "ing " + "b" * 61 + "ing")
def test_stems_are_those_of_fts5(english: Index, text: str) -> None:
    """Whatever the words, their stems are FTS5's."""
    assert [ENGLISH.terms(text)] == english.tokens(text)


@_settings
@given(text=any_text | hard_text)
def test_terms_of_any_text_are_those_of_fts5(english: Index, text: str) -> None:
    """Whatever the text, its stems are FTS5's: of letters that are not ASCII, too."""
    assert [ENGLISH.terms(text)] == english.tokens(text)


@_settings
@given(text=any_text | hard_text, start=st.integers(0, 20), length=st.integers(3, 8))
def test_trigrams_find_what_fts5_finds(trigram: Index, text: str, start: int, length: int) -> None:
    """By the tokenizer trigram, a text has a word of three letters or more if FTS5 finds it there."""
    text = text.replace("\0", "")  # FTS5's trigrams end at it
    for word in parse(text[start : start + length], TRIGRAM).words:
        if len(word.text) >= 3:
            assert _has(text, word, TRIGRAM) is trigram.has(text, word.text)


@_settings
@given(text=any_text | hard_text | words, language=st.sampled_from([ENGLISH, UNICODE, TRIGRAM]))
@example(text="The abilities of naïve hoppers", language=ENGLISH)
def test_a_text_has_its_own_words(text: str, language: Language) -> None:
    """A text has each word of a question that is the text, whatever it is."""
    assert all(_has(text, word, language) for word in parse(text, language).words)


@_settings
@given(text=st.lists(words, max_size=5).map(" ".join), word=words)
def test_a_text_without_the_stem_has_not_the_word(text: str, word: str) -> None:
    """What is told apart by its first letters is told apart rightly."""
    (asked,) = parse(word, ENGLISH).words
    expected = not set(asked.terms).isdisjoint(ENGLISH.terms(text))
    assert _has(text, asked, ENGLISH) is expected


@_settings
@given(text=any_text | hard_text)
@example(text="Caroline: hello")
@example(text="Zoë, hello")
@example(text="  ")
@example(text="- Ann")
@example(text="-- Ann")
def test_first_token(text: str) -> None:
    """The word that a text begins with is its first token, before the first space or behind a mark."""
    before = text[:64].split(" ", maxsplit=1)[0]
    assert first_token(text) == next(iter(tokens(before if len(before) > 1 else text[:64])), "")


def test_lower_keeps_the_places_of_letters() -> None:
    """Each character folds to one, so that a place in the folded text is one in the text."""
    text = "".join(map(chr, (*range(1, 0xD800), *range(0xE000, 0x10FFFF, 61))))
    assert len(unicode61.lower(text)) == len(text)
