"""Make GLOB patterns that find a text in any case of its letters, in any script."""

from __future__ import annotations

import unicodedata
from typing import Final

__all__ = ["glob_containing", "globs_containing"]

#: Letters that fold to another without being its upper, lower or title case, by the letter they fold to.
_IRREGULAR_FORMS: Final = {
    "k": "\u212a",  # Kelvin sign
    "s": "\u017f",  # long s
    "å": "\u212b",  # Angstrom sign
    "ṡ": "\u1e9b",  # long s with dot above
    "β": "\u03d0",
    "ε": "\u03f5",
    "θ": "\u03d1\u03f4",
    "ι": "\u0345\u1fbe",  # noqa: RUF001 - the iota below a letter, and the one beside it
    "κ": "\u03f0",
    "μ": "\u00b5",  # micro sign
    "π": "\u03d6",
    "ρ": "\u03f1",  # noqa: RUF001
    "σ": "\u03c2",  # noqa: RUF001
    "φ": "\u03d5",
    "ω": "\u2126",  # ohm sign
    "в": "\u1c80",
    "д": "\u1c81",
    "о": "\u1c82",  # noqa: RUF001
    "с": "\u1c83",  # noqa: RUF001
    "т": "\u1c84\u1c85",
    "ъ": "\u1c86",
    "ѣ": "\u1c87",
    "ꙋ": "\u1c88",
    "ß": "\u1e9e",
}


def globs_containing(text: str) -> list[str]:
    """
    Return the GLOB patterns of texts that contain *text*, each letter in any case and Unicode form.

    Of texts that are wholly in NFC or in NFD, they find all in whose folded form the folded *text* is; but
    not one in NFC that has both cases of letters that are composed in one case only, as \u01f0 and \u0130.

    Returns:
        At least one pattern and at most four; of ASCII, one.
    """
    if text.isascii():
        return [glob_containing(text)]
    composed = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower())
    decomposed = unicodedata.normalize("NFD", composed)
    # Some letters are composed in one case only: \u0130, and \u01f0.
    capital = unicodedata.normalize("NFC", "".join(map(_capital, decomposed)))
    forms = (text, composed, decomposed, capital)
    return [*dict.fromkeys(map(glob_containing, forms))]


def glob_containing(text: str) -> str:
    """
    Return the GLOB pattern of texts that contain *text* literally, each letter in any case.

    SQLite's LIKE ignores the case of ASCII letters only. A GLOB class lists every form of a letter:
    ``é`` becomes ``[Éé]``. A letter whose lower case is several letters (``İ``) stands for itself.
    """
    classes = {ord(char): _any_case(char) for char in set(text)}
    return f"*{text.translate(classes)}*"


def fold(char: str) -> str:
    """Return the letter to which all cases of *char* fold; *char* if that is several letters."""
    for folded in (char.casefold(), char.lower()):
        if len(folded) == 1:
            return folded
    return char


def _capital(char: str) -> str:
    upper = char.upper()
    # The capital of \u0131, the i without a dot, is that of another letter.
    is_its = len(upper) == 1 and fold(upper) == fold(char)
    return upper if is_its and not unicodedata.combining(char) else char


def _any_case(char: str) -> str:
    # The forms are looked up for the letters at hand: a table of all of Unicode takes 35 ms to build.
    folded = fold(char)
    likely = {folded, folded.lower(), folded.upper(), folded.title()}
    forms = {form for form in likely if fold(form) == folded} | {*_IRREGULAR_FORMS.get(folded, "")}
    return f"[{''.join(sorted(forms))}]" if len(forms) > 1 or char in "*?[" else char
