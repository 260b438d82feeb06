"""Make GLOB patterns that find a text in any case of its letters, in any script."""

from __future__ import annotations

from typing import Final

__all__ = ["glob_containing"]

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
}


def glob_containing(text: str) -> str:
    """
    Return the GLOB pattern of texts that contain *text* literally, each letter in any case.

    SQLite's LIKE ignores the case of ASCII letters only. A GLOB class lists every form of a letter:
    ``é`` becomes ``[Éé]``. Letters whose case folding is several letters (``ß``) stand for themselves.
    """
    classes = {ord(char): _any_case(char) for char in set(text)}
    return f"*{text.translate(classes)}*"


def fold(char: str) -> str:
    """Return the letter to which all cases of *char* fold; *char* if that is several letters."""
    folded = char.casefold()
    return folded if len(folded) == 1 else char


def _any_case(char: str) -> str:
    # The forms are looked up for the letters at hand: a table of all of Unicode takes 35 ms to build.
    folded = fold(char)
    likely = {folded, folded.lower(), folded.upper(), folded.title()}
    forms = {form for form in likely if fold(form) == folded} | {*_IRREGULAR_FORMS.get(folded, "")}
    return f"[{''.join(sorted(forms))}]" if len(forms) > 1 or char in "*?[" else char
