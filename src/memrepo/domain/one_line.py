"""Text as one line, in which nothing is that nobody sees."""

from __future__ import annotations

import re
from itertools import chain
from typing import Final
from unicodedata import category

__all__ = ["one_line"]

#: Invisible characters that words and emoji are made of.
_JOINERS: Final = "\u200c\u200d"
_no_joiner: Final = f"[^\\x00-\\x7f{_JOINERS}]"
#: A joiner that does not stand between two of these, as one does in a word of Hindi or in an emoji.
_loose_joiner: Final = re.compile(f"[{_JOINERS}](?!{_no_joiner})|(?<!{_no_joiner})[{_JOINERS}]")
#: What may not be seen: nothing of what is printed in ASCII.
_is_doubtful: Final = re.compile(r"[^ -~]")
#: Control characters, and those that format text, as what turns its direction.
_HIDDEN: Final = frozenset({"Cc", "Cf"})
#: Letters, marks and signs that are not seen: fillers, a blank of Braille, variation selectors, which can hold any bytes.
_UNSEEN: Final = frozenset(
    map(
        chr,
        chain(
            (0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0),
            range(0x180B, 0x1810),
            range(0xFE00, 0xFE10),
            range(0xE0100, 0xE01F0),
        ),
    )
)


def one_line(text: str) -> str:
    """
    Return *text* as one line.

    White space becomes single spaces, and is left out at both ends. Invisible characters are left out: what
    nobody sees should not be told to a model either. Joiners stay where they make a word or an emoji. Half of a
    surrogate pair becomes the replacement character.
    """
    text = _is_doubtful.sub(_visible, text)
    line = _loose_joiner.sub("", " ".join(text.split()))
    return " ".join(line.split())


def _visible(found: re.Match[str]) -> str:
    character = found[0]
    if character.isspace():
        return character
    kind = category(character)
    if kind == "Cs":
        return "\ufffd"
    is_hidden = character in _UNSEEN or (kind in _HIDDEN and character not in _JOINERS)
    return "" if is_hidden else character
