"""Texts as tokens, as FTS5's tokenizer ``unicode61`` has them: its letters, its folding, for any text."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from typing import Final, NamedTuple

from memrepo.ranking.separators import NEWER_LETTERS, SEPARATORS

__all__ = ["Token", "find_tokens", "in_line", "in_place", "lower", "tokens"]

#: Stands for an accent of its own; FTS5 leaves it out of a token, and it does not end one.
_ACCENT: Final = "\u0300"
_SEPARATOR: Final = " "
#: Characters that a letter with one accent is taken apart to.
_WITH_ACCENT: Final = 2
#: The accents that FTS5 leaves out.
_ACCENTS: Final = frozenset(
    map(ord, "\u0300\u0301\u0302\u0303\u0304\u0306\u0307\u0308\u0309\u030a\u030b\u030c\u030f\u0311")
) | frozenset(map(ord, "\u031b\u0323\u0324\u0325\u0326\u0327\u0328\u032d\u032e\u0330\u0331"))
#: Beyond these, FTS5 folds only the capitals of Deseret.
_LAST_OF_BMP: Final = 0xFFFF
_DESERET: Final = range(0x10400, 0x10428)

_find = re.compile(f"[^{_SEPARATOR}{_ACCENT}][^{_SEPARATOR}]*").finditer


class Token(NamedTuple):
    """A token, and where it stands in its text."""

    text: str
    start: int
    end: int


def tokens(text: str) -> list[str]:
    """Return the tokens of *text* in their order: runs of letters and digits, folded."""
    return _in_tokens(text).replace(_ACCENT, "").split()


def in_line(text: str) -> str:
    """Return the tokens of *text* in their order, each between two spaces; more may stand there."""
    return f" {_in_tokens(text).replace(_ACCENT, '')} "


def in_place(text: str) -> str | None:
    """Return the tokens of *text* as `in_line` does, each one further than in *text*; None where it has accents."""
    folded = _in_tokens(text)
    return None if _ACCENT in folded else f" {folded} "


def find_tokens(text: str) -> Iterator[Token]:
    """Yield the tokens of *text* with the places where they stand."""
    for match in _find(_in_tokens(text)):
        yield Token(match[0].replace(_ACCENT, ""), match.start(), match.end())


def lower(text: str) -> str:
    """Return *text* as the tokenizer ``trigram`` compares it: in lower case, with its accents."""
    return text.lower() if text.isascii() else "".join(map(_lower, text))


def _in_tokens(text: str) -> str:
    """Return *text* with its characters folded, and separators between its tokens."""
    # ASCII in a quarter of the time.
    return text.encode().translate(_ascii).decode() if text.isascii() else text.translate(_folded)


class _Folded(dict[int, str]):
    """One character for each: itself folded, a separator, or an accent; made when first asked for."""

    def __missing__(self, code: int) -> str:
        self[code] = folded = _fold(code)
        return folded


def _fold(code: int) -> str:
    if code in _ACCENTS:
        return _ACCENT
    if bisect_right(SEPARATORS, code) % 2:
        return _SEPARATOR
    folded = _lower(chr(code))
    # FTS5 knows no letter without accent but ASCII's, and leaves a letter with two accents as it is.
    parts = unicodedata.normalize("NFD", folded)
    is_plain = len(parts) == _WITH_ACCENT and parts[0].isascii()
    return parts[0].lower() if is_plain else folded  # \u0130 has no lower case of one letter


def _lower(char: str) -> str:
    code = ord(char)
    if code > _LAST_OF_BMP:
        return chr(code + len(_DESERET)) if code in _DESERET else char
    if bisect_right(NEWER_LETTERS, code) % 2:
        return char
    for folded in (char.casefold(), char.lower()):
        if len(folded) == 1:
            return folded
    return char


_folded: Final = _Folded()
_ascii: Final = "".join(map(_fold, range(128))).encode().ljust(256)
