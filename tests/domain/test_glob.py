"""Literal text search whatever the case, by SQLite's own GLOB, compared with plain Python."""

from __future__ import annotations

import sqlite3
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import example, given, settings, strategies as st

from memrepo import normalize_content
from memrepo.domain import glob
from memrepo.domain.glob import fold, glob_containing, globs_containing

#: Wild cards of LIKE and GLOB, quotes, and letters whose case is not simple.
ALPHABET = "aAbB01 %_*?[]\\^-!'\"`.äÄéÉßẞſsSkK\u212aiIİıΣσςДдЁёﬁǅǆǄΩω\u2126θϑ\u03f4𐐀𐐨今👍\u0301"  # noqa: RUF001
#: SQLite reads these two, which are no characters, as U+FFFD when it compares patterns.
_NO_CHARACTERS = "\ufffe\uffff\ufffd"

any_text = st.text(alphabet=st.sampled_from(ALPHABET), max_size=8) | st.text(
    alphabet=st.characters(exclude_categories=["Cs"], exclude_characters=_NO_CHARACTERS + "\0"),
    max_size=8,
)


#: Letters and accents whose case or Unicode form is not simple, and neither white space nor marks.
_hard_text = st.text(
    "aJHTKßẞéÉİ\u01f0\u03aaςΣ\u1f88\u1fa2\u212a\u0301\u030c\u0331\u0345각", min_size=1, max_size=5
)


def folded(text: str) -> str:
    return "".join(map(fold, text))


@pytest.fixture(scope="module")
def database() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as database:
        yield database


def matches(database: sqlite3.Connection, text: str, pattern: str) -> bool:
    return bool(database.execute("SELECT ? GLOB ?", (text, pattern)).fetchone()[0])


@settings(max_examples=500)
@given(before=any_text, needle=any_text, after=any_text, other=any_text, swap=st.booleans())
@example(before="", needle="[", after="", other="x", swap=False)
@example(before="", needle="[^a]", after="", other="b", swap=False)
@example(before="", needle="]", after="", other="[]]", swap=True)
@example(before="a", needle="*", after="", other="b", swap=True)
def test_glob_is_the_plain_model(
    database: sqlite3.Connection, before: str, needle: str, after: str, other: str, *, swap: bool
) -> None:
    """A pattern matches exactly the texts in which Python finds the folded needle, and no others."""
    text = before + (needle.swapcase() if swap else needle) + after
    for haystack in (text, other, needle):
        is_there = folded(needle) in folded(haystack)
        assert matches(database, haystack, glob_containing(needle)) is is_there, (haystack, needle)


def test_every_letter_is_found_by_its_other_cases(database: sqlite3.Connection) -> None:
    """Each of Unicode's letters with case is found by every form that folds to the same letter."""
    letters = [chr(code) for code in range(0x1E944) if not 0xD800 <= code < 0xE000]
    cased = [char for char in letters if fold(char) != char]
    assert len(cased) > 1_000
    for char in cased:
        assert matches(database, f"x{char}y", glob_containing(fold(char))), hex(ord(char))
        assert matches(database, f"x{fold(char)}y", glob_containing(char)), hex(ord(char))


@pytest.mark.slow
def test_each_class_is_that_of_a_table_of_all_letters() -> None:
    """Each character's pattern is the one that a search through all of Unicode for its forms gives."""
    everything = [chr(code) for code in range(sys.maxunicode + 1)]
    forms: dict[str, list[str]] = {}
    for char in everything:
        if fold(char) != char:
            forms.setdefault(fold(char), [fold(char)]).append(char)
    table = {folded: f"[{''.join(sorted(chars))}]" for folded, chars in forms.items()}
    literal = {char: f"[{char}]" for char in "*?["}
    for start in range(0, len(everything), 256):
        some = everything[start : start + 256]
        expected = [table.get(fold(char)) or literal.get(char, char) for char in some]
        assert glob_containing("".join(some)) == f"*{''.join(expected)}*", hex(start)


def test_only_the_letters_at_hand_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """A first search costs a few foldings for each different letter in it, not one for each in Unicode."""
    looked_at: list[str] = []

    def counting(char: str) -> str:
        looked_at.append(char)
        return fold(char)

    monkeypatch.setattr(glob, "fold", counting)
    assert glob_containing("éé" * 100) == f"*{'[Éé]' * 200}*"
    assert len(looked_at) <= 5


@settings(max_examples=300)
@given(text=_hard_text, before=_hard_text, after=_hard_text, is_upper=st.booleans())
@example(text="J\u030cazz", before="", after="", is_upper=True)
@example(text="straẞe", before="x", after="", is_upper=False)
@example(text="İstanbul", before="", after="", is_upper=True)
@example(text="H\u0331\u00c9", before="", after="", is_upper=True)
def test_what_is_the_same_is_found(
    database: sqlite3.Connection, text: str, before: str, after: str, *, is_upper: bool
) -> None:
    """A text is found in NFC and in NFD by each text that states the same, whatever is around it."""
    text = text.upper() if is_upper else text.lower()
    same = {text, text.lower(), normalize_content(text), unicodedata.normalize("NFD", text)}
    for needle in (its for its in same if normalize_content(its) == normalize_content(text)):
        patterns = globs_containing(needle)
        for form in ("NFC", "NFD"):
            # A space, so that what is before or after does not compose with it.
            whole = unicodedata.normalize(form, f"{before} {text} {after}")
            assert any(matches(database, whole, its) for its in patterns), (whole, needle)


@pytest.mark.parametrize("char", ["İ", "ŉ", "ﬁ"])
def test_letters_that_fold_to_several_stand_for_themselves(char: str) -> None:
    """A letter whose folding is several letters, and so is its lower case, is compared as it is."""
    assert fold(char) == char
    assert glob_containing(char) == f"*{char}*"


@pytest.mark.parametrize(
    ("text", "pattern"),
    [
        ("a", "*[Aa]*"),
        ("5%", "*5%*"),
        ("*?[", "*[*][?][[]*"),
        ("]^\\_", "*]^\\_*"),
        ("é", "*[Éé]*"),
    ],
)
def test_patterns(text: str, pattern: str) -> None:
    """Wild cards are put in classes of their own; every form of a letter is in one."""
    assert glob_containing(text) == pattern


def test_the_longest_pattern_is_below_the_limit_of_sqlite(database: sqlite3.Connection) -> None:
    """A thousand of the letters with the longest classes still make a pattern that SQLite takes."""
    chars = {fold(chr(code)) for code in range(0x1E944) if not 0xD800 <= code < 0xE000}
    longest = max(chars, key=lambda char: len(glob_containing(char).encode()))
    pattern = glob_containing(longest * 1_000)
    assert len(pattern.encode()) < 50_000
    assert matches(database, longest * 1_000, pattern)
