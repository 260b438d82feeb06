"""Markdown that no data can break, within a number of tokens."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from typing import Any, Final, TypeAlias

import attrs

from memrepo.domain.carry_over import CountTokens, count_line
from memrepo.domain.one_line import one_line

__all__ = ["Section", "fit", "inline", "plural"]

#: Items that each section has before any has more.
_AT_ONCE: Final = 5
#: What would be markup inside a line. An underscore is markup at the edge of a word only.
_MARKUP: Final = re.compile(r"[\\`*\[\]~]|(?<![^\W_])_|_(?![^\W_])")
#: What would begin a heading, a list or a quotation at the start of a line.
_LEADING: Final = re.compile(r"^(?:[#>+=-]|\d+(?=[.)]))")
_ENTITY: Final = re.compile(r"&(?=#|\w+;)")


def inline(text: str, max_length: int) -> str:
    """
    Return *text* as a part of a line of Markdown that shows it and does nothing else.

    White space and invisible characters are as `one_line` has them.

    Args:
        text: Any text.
        max_length: Most characters of it; a longer one ends with ``…``.
    """
    shown = one_line(text)
    if len(shown) > max_length:
        shown = shown[: max_length - 1].rstrip() + "…"
    shown = _MARKUP.sub(r"\\\g<0>", shown)
    shown = _ENTITY.sub("&amp;", shown).replace("<", "&lt;")
    return _LEADING.sub(_escape_leading, shown)


def plural(number: int, noun: str, nouns: str | None = None) -> str:
    """Return how many there are of something, as ``1 fact`` or ``2 facts``."""
    return f"{number:,} {noun if number == 1 else nouns or f'{noun}s'}"


def _escape_leading(found: re.Match[str]) -> str:
    return f"{found[0]}\\" if found[0].isdigit() else f"\\{found[0]}"


@attrs.frozen
class Section:
    """A heading, and a list of items below it."""

    #: The heading.
    title: str
    #: What one item is called, and what several are.
    nouns: tuple[str, str]
    #: The items in the order in which they are shown.
    items: Sequence[Any]
    #: How many there are, of which *items* may be only some.
    n_all: int
    #: Returns the line of an item.
    write: Callable[[Any], str]
    #: Whether the first items are the most important ones, and not the last ones.
    is_ranked: bool = False


#: An item by its section's place and its own.
_Place: TypeAlias = tuple[int, int]


def fit(
    head: Sequence[str],
    sections: Sequence[Section],
    *,
    max_tokens: int | None,
    count_tokens: CountTokens,
) -> str:
    """
    Return the head and as many items as fit, and say how many do not.

    Of two sections the first is more important, but each has five items before any has a sixth one.

    Args:
        head: The lines that come first.
        sections: What follows, as it is shown.
        max_tokens: Most tokens, counted line by line, each of which has at least one; ``None`` for no limit.
        count_tokens: Returns how many tokens a line has, with its line break.

    Returns:
        Lines, each with a line break; ``""`` if not even the head fits.
    """

    def count(its_lines: Iterable[str]) -> int:
        return sum(count_line(line, count_tokens) for line in its_lines)

    order = _by_importance(sections)
    lines: dict[_Place, str] = {}
    begun: set[int] = set()
    spent = [count(head)]
    for place in order:
        section = sections[place[0]]
        lines[place] = f"- {section.write(section.items[place[1]])}"
        new = [lines[place]] if place[0] in begun else [*_heading(section), lines[place]]
        begun.add(place[0])
        spent.append(spent[-1] + count(new))
        if max_tokens is not None and spent[-1] > max_tokens:
            break
    for n_taken in range(len(lines), -1, -1):
        taken = order[:n_taken]
        note = _left_out(sections, taken)
        if max_tokens is None or spent[n_taken] + count(note) <= max_tokens:
            body = _lay_out(sections, sorted(taken), lines)
            return "".join(f"{line}\n" for line in chain(head, body, note))
    return ""


def _by_importance(sections: Sequence[Section]) -> list[_Place]:
    places: list[tuple[int, int, int]] = []
    for number, section in enumerate(sections):
        n_items = len(section.items)
        for item in range(n_items):
            rank = item if section.is_ranked else n_items - 1 - item
            places.append((rank // _AT_ONCE, number, rank))
    return [
        (number, rank if sections[number].is_ranked else len(sections[number].items) - 1 - rank)
        for _, number, rank in sorted(places)
    ]


def _heading(section: Section) -> list[str]:
    return ["", f"## {section.title}", ""]


def _lay_out(
    sections: Sequence[Section], places: Iterable[_Place], lines: dict[_Place, str]
) -> Iterable[str]:
    current = None
    for place in places:
        if place[0] != current:
            current = place[0]
            yield from _heading(sections[current])
        yield lines[place]


def _left_out(sections: Sequence[Section], taken: Iterable[_Place]) -> list[str]:
    n_taken = Counter(number for number, _ in taken)
    missing = [
        plural(n_missing, *section.nouns)
        for number, section in enumerate(sections)
        if (n_missing := section.n_all - n_taken[number])
    ]
    return ["", f"Left out: {', '.join(missing)}."] if missing else []
