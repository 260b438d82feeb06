"""Stored texts as HTML: nothing in them is markup, nothing is hidden, and none is longer than a page can bear."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final
from unicodedata import category, name

import attrs
from markupsafe import Markup, escape

from memrepo.domain.daily_logs import DailyLog
from memrepo.domain.jsontext import JsonValue

__all__ = ["LONG", "SHORT", "Excerpt", "data_of", "excerpt", "fields_of", "pretty", "shown"]

#: Most characters of a text in a list, and on a page of its own.
SHORT: Final = 400
LONG: Final = 20_000
#: Characters before the first word that a search has found.
_BEFORE_MATCH: Final = 120
#: What words and emoji are made of, and is not seen by itself.
_JOINERS: Final = frozenset("\u200c\u200d\ufe0e\ufe0f")
_KEPT: Final = frozenset("\n\t")
#: Control characters, those that turn the direction of a text or format it, halves of surrogate pairs.
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
#: Letters and marks that nobody sees.
_is_unseen: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0\U000e0100-\U000e01ef]"
).search


@attrs.frozen
class Excerpt:
    """A part of a text as HTML."""

    html: Markup
    #: Characters that it leaves out.
    n_left_out: int = 0


def excerpt(text: str, most: int = SHORT, highlights: Sequence[tuple[int, int]] = ()) -> Excerpt:
    """
    Return a text, or the first part of it, as HTML.

    Args:
        text: Any text.
        most: Characters to show.
        highlights: Ranges of it, in order, which are marked; it begins shortly before the first.
    """
    begin = 0
    if len(text) > most and highlights:
        begin = max(0, min(highlights[0][0] - _BEFORE_MATCH, len(text) - most))
    end = min(len(text), begin + most)
    within = [(max(a, begin), min(b, end)) for a, b in highlights if a < end and b > begin]
    html = Markup().join(_marked(text, begin, end, within))
    before, after = "…" if begin else "", "…" if end < len(text) else ""
    return Excerpt(before + html + after, len(text) - (end - begin))


def _marked(text: str, begin: int, end: int, ranges: Iterable[tuple[int, int]]) -> Iterator[Markup]:
    at = begin
    for first, last in ranges:
        yield shown(text[at:first])
        yield Markup("<mark>{}</mark>").format(shown(text[first:last]))
        at = last
    yield shown(text[at:end])


def shown(text: str) -> Markup:
    """Return a text as HTML, with a sign for each character that nobody would see."""
    if text.isprintable() and not _is_unseen(text):
        return escape(text)
    return Markup().join(map(_sign, text))


def _sign(character: str) -> Markup:
    is_hidden = category(character) in _HIDDEN and character not in _KEPT
    if not is_hidden and not _is_unseen(character):
        return escape(character)
    if character in _JOINERS:
        return escape(character)
    code = f"U+{ord(character):04X}"
    title = name(character, "control character").lower()
    return Markup('<span class="unseen" title="{}">{}</span>').format(title, code)


# --- JSON ---------------------------------------------------------------------------------------

#: Characters of JSON that are shown on one line.
_LINE: Final = 120
_SCALARS: Final = (str, int, float, type(None))


def fields_of(event: DailyLog) -> list[tuple[str, str]]:
    """Return the data of an event as names and values; empty if it is no flat object, or a long one."""
    data = None if event.is_broken else event.event_data
    raw = event.raw_event_data or ""
    if not isinstance(data, dict) or len(raw) > SHORT:
        return []
    if not all(isinstance(value, _SCALARS) for value in data.values()):
        return []
    return [
        (name, value if isinstance(value, str) else pretty(value)) for name, value in data.items()
    ]


def data_of(event: DailyLog) -> str:
    """Return the data of an event as text: JSON that is easy to read, or what is there in its place."""
    if event.raw_event_data is None:
        return ""
    return event.raw_event_data if event.is_broken else pretty(event.event_data)


def pretty(value: JsonValue) -> str:
    """Return JSON on a line, or on several if it is long."""
    line = json.dumps(value, ensure_ascii=False)
    return line if len(line) <= _LINE else json.dumps(value, ensure_ascii=False, indent=2)
