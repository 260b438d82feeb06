"""A fact as one line of a prompt, which it cannot break out of."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from memrepo.domain.memories import MemoryEntry
from memrepo.domain.one_line import one_line
from memrepo.domain.recall import PROMPT_HEADING

__all__ = ["line_of"]

#: What begins an item, a heading or a quotation at the start of a line.
_item_marks: Final = re.compile(r"(?:[-*+•#>]+ +)+")
#: A bracket that begins a tag, as in ``</user>``, ``<|im_start|>`` or ``<<SYS>>``.
_tag: Final = re.compile(r"(?<!<)<+(?=[a-z/!?|])", re.IGNORECASE)
#: Looks like the bracket, and is none.
_NO_TAG: Final = "\u2039"
_heading: Final = re.compile(
    re.escape(PROMPT_HEADING.removesuffix(":")) + r"(?:\s*[:\uff1a])+", re.IGNORECASE
)


def line_of(fact: MemoryEntry, age: str, explicit_sources: Collection[str]) -> str:
    """
    Return ``- Category: content (age, you told me)``, or ``inferred`` for any other source than the user.

    A fact that is pinned says so last.

    Whatever the fact holds, it is one line, and only its last parentheses say that.
    """
    told = "you told me" if fact.source in explicit_sources else "inferred"
    # The first colon ends the category.
    name = _inline(fact.category.replace(":", " "))
    end = f"{age}, {told}" if fact.pinned_at is None else f"{age}, {told}, pinned"
    return f"- {name[:1].upper()}{name[1:]}: {_content(fact.content)} ({end})"


def _content(text: str) -> str:
    shown = _heading.sub(PROMPT_HEADING.removesuffix(":"), _inline(text))
    marks = _item_marks.match(shown)
    return shown[marks.end() if marks else 0 :] or "…"


def _inline(text: str) -> str:
    return _tag.sub(lambda found: _NO_TAG * len(found[0]), one_line(text))
