"""The original Porter stemmer, as FTS5's tokenizer ``porter`` has it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

__all__ = ["stem"]

#: Bytes of a word; FTS5 leaves shorter and longer ones as they are.
_SHORTEST: Final = 3
_LONGEST: Final = 64

#: Suffixes and what stands for them, by Porter's steps; in a step, the longest that fits counts.
_STEP_2: Final = {
    "ational": "ate",
    "tional": "tion",
    "enci": "ence",
    "anci": "ance",
    "izer": "ize",
    "logi": "log",
    "bli": "ble",
    "alli": "al",
    "entli": "ent",
    "eli": "e",
    "ousli": "ous",
    "ization": "ize",
    "ation": "ate",
    "ator": "ate",
    "alism": "al",
    "iveness": "ive",
    "fulness": "ful",
    "ousness": "ous",
    "aliti": "al",
    "iviti": "ive",
    "biliti": "ble",
}
_STEP_3: Final = {
    "icate": "ic",
    "ative": "",
    "alize": "al",
    "iciti": "ic",
    "ical": "ic",
    "ful": "",
    "ness": "",
}
_LAST_SUFFIXES: Final = (
    "al ance ence er ic able ible ant ement ment ent ion ou ism ate iti ous ive ize"
)
_STEP_4: Final[Mapping[str, str]] = dict.fromkeys(_LAST_SUFFIXES.split(), "")


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """
    Return the stem of a word in lower case.

    FTS5 looks at bytes: a letter that is not ASCII counts as several consonants.
    """
    if word.isascii():
        return _stem(word)
    return _stem(word.encode().decode("latin-1")).encode("latin-1").decode(errors="replace")


def _stem(word: str) -> str:
    if not _SHORTEST <= len(word) <= _LONGEST:
        return word
    word = _without_past(_without_plural(word))
    if word[-1] == "y" and _has_vowel(word[:-1]):
        word = f"{word[:-1]}i"
    word = _replace(word, _STEP_2, 1)
    word = _replace(word, _STEP_3, 1)
    word = _replace(word, _STEP_4, 2)
    return _without_last(word)


def _without_plural(word: str) -> str:
    if word.endswith(("sses", "ies")) and len(word) > len("ies"):
        # FTS5 wants a letter before "sses", too; of "sses" itself it takes one.
        return word[:-1] if word == "sses" else word[:-2]
    return word[:-1] if word[-1] == "s" and word[-2] != "s" else word


def _without_past(word: str) -> str:
    if word.endswith("eed") and word != "eed":
        return word[:-1] if _measure(word[:-3]) else word
    for suffix in ("ed", "ing"):
        rest = word.removesuffix(suffix)
        if rest and rest != word and _has_vowel(rest):
            return _mended(rest)
    return word


def _mended(rest: str) -> str:
    """Give back what a verb lost before ``ed`` or ``ing``: hop(p)ing, fil(e)ing."""
    if rest.endswith(("at", "bl", "iz")) and len(rest) > len("at"):
        return f"{rest}e"
    last = rest[-1]
    if last not in "aeioulsz" and last == rest[-2:-1]:
        return rest[:-1]
    return f"{rest}e" if _measure(rest) == 1 and _ends_short(rest) else rest


def _replace(word: str, suffixes: Mapping[str, str], least: int) -> str:
    """Replace the longest suffix that fits if what is left has a measure of at least *least*."""
    for length in range(min(7, len(word) - 1), 1, -1):
        suffix = word[-length:]
        if suffix in suffixes:
            rest = word[:-length]
            fits = _measure(rest) >= least and (suffix != "ion" or rest[-1] in "st")
            return f"{rest}{suffixes[suffix]}" if fits else word
    return word


def _without_last(word: str) -> str:
    if word[-1] == "e":
        rest = word[:-1]
        measure = _measure(rest)
        if measure > 1 or (measure == 1 and not _ends_short(rest)):
            word = rest
    return word[:-1] if word.endswith("ll") and _measure(word[:-1]) > 1 else word


def _shape(text: str) -> str:
    """Return a ``v`` for each vowel and a ``c`` for each consonant; y is a vowel after a consonant."""
    shape: list[str] = []
    kind = "v"
    for letter in text:
        kind = "v" if letter in "aeiou" or (letter == "y" and kind == "c") else "c"
        shape.append(kind)
    return "".join(shape)


def _measure(text: str) -> int:
    """Count how often consonants follow vowels, Porter's m."""
    return _shape(text).count("vc")


def _has_vowel(text: str) -> bool:
    return any(letter in "aeiou" for letter in text) or "y" in text[1:]


def _ends_short(text: str) -> bool:
    """Tell whether *text* ends in consonant, vowel, consonant other than w, x and y, Porter's *o."""
    return text[-1] not in "wxy" and _shape(text).endswith("cvc")
