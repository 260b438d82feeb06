"""Find text whatever the case of its letters, in any script, with nothing but SQLite's GLOB."""

from __future__ import annotations

from functools import cache
from typing import Final

__all__ = ["glob_containing"]

#: Above it Unicode has no letters with case.
_LAST_CASED: Final = 0x1E943


def glob_containing(text: str) -> str:
    """
    Return the GLOB pattern for what contains *text* literally, each letter in any case.

    SQLite's LIKE ignores the case of ASCII letters only. A GLOB class lists every form of a letter:
    ``é`` becomes ``[Éé]``. Letters whose case folding is several letters (``ß``) stand for themselves.
    """
    forms = _forms()
    return f"*{''.join(forms.get(fold(char)) or _literal(char) for char in text)}*"


def fold(char: str) -> str:
    """Return the one letter that stands for all cases of *char*, or *char*."""
    folded = char.casefold()
    return folded if len(folded) == 1 else char


@cache
def _forms() -> dict[str, str]:
    """The class of each letter that has several forms, by its folded form."""
    forms: dict[str, list[str]] = {}
    for char in map(chr, range(_LAST_CASED + 1)):
        folded = fold(char)
        if folded != char:
            forms.setdefault(folded, [folded]).append(char)
    return {folded: f"[{''.join(sorted(chars))}]" for folded, chars in forms.items()}


def _literal(char: str) -> str:
    return f"[{char}]" if char in "*?[" else char
