"""Plots as inline SVG. Their words stand beside them, as HTML, so that they can be read at any width."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Final

import attrs
from markupsafe import Markup

__all__ = ["Bar", "Part", "area", "bars", "row", "stack", "sums", "total"]

#: Units of the drawing; it is stretched to the width of the page.
_HEIGHT: Final = 100
_GAP: Final = 0.25


@attrs.frozen
class Bar:
    """A number, and what it is of."""

    label: str
    n: int
    #: Whether it has not ended yet.
    is_open: bool = False


@attrs.frozen
class Part:
    """A part of a whole."""

    name: str
    value: float


def bars(items: Sequence[Bar], title: str) -> Markup:
    """Return bars beside each other, as high as their numbers."""
    most = max((bar.n for bar in items), default=0) or 1
    drawn = Markup().join(_bar(place, bar, most) for place, bar in enumerate(items))
    return _drawing(len(items), drawn, title)


def _bar(place: int, bar: Bar, most: int) -> Markup:
    # What is there at all can be seen.
    height = max(_HEIGHT * bar.n / most, 1.5) if bar.n else 0
    kind = "bar open" if bar.is_open else "bar"
    return Markup(
        '<rect class="{}" x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}"><title>{}: {}</title></rect>'
    ).format(kind, place + _GAP / 2, _HEIGHT - height, 1 - _GAP, height, bar.label, f"{bar.n:,}")


def area(items: Sequence[Bar], title: str) -> Markup:
    """Return the sum of the numbers up to each of them, as an area."""
    sums = [*accumulate(bar.n for bar in items)]
    most = max(sums, default=0) or 1
    heights = [_HEIGHT - _HEIGHT * n / most for n in [0, *sums]]
    line = " ".join(f"{x},{y:.2f}" for x, y in enumerate(heights))
    points = f"0,{_HEIGHT} {line} {len(items)},{_HEIGHT}"
    drawn = Markup('<polygon class="area" points="{}"/>').format(points)
    drawn += Markup('<polyline class="line" points="{}"/>').format(line)
    return _drawing(len(items), drawn, title)


def _drawing(width: int, drawn: Markup, title: str) -> Markup:
    return Markup(
        '<svg class="plot" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>'
    ).format(max(width, 1), _HEIGHT, title, drawn)


def row(n: int, most: int) -> Markup:
    """Return a bar that lies, for a row of a table that has the number itself."""
    width = max(100 * n / most, 0.5) if n and most else 0
    return Markup(
        '<svg class="lying" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="bar" width="{:.2f}" height="10"/></svg>'
    ).format(width)


def stack(parts: Sequence[Part], most: float, title: str) -> Markup:
    """Return the parts of a score after each other, as long as they are of the highest score."""
    drawn, at = Markup(), 0.0
    for part in parts:
        width = 100 * part.value / most if most > 0 else 0
        if width > 0:
            drawn += Markup(
                '<rect class="part {}" x="{:.2f}" width="{:.2f}" height="10"><title>{}: {}</title></rect>'
            ).format(part.name, at, width, part.name, f"{part.value:.2f}")
            at += width
    return Markup(
        '<svg class="stack" viewBox="0 0 100 10" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>'
    ).format(title, drawn)


def total(items: Sequence[Bar]) -> int:
    """Return the sum of the numbers."""
    return sum(bar.n for bar in items)


def sums(items: Sequence[Bar]) -> list[Bar]:
    """Return of each the sum up to it."""
    totals = accumulate(bar.n for bar in items)
    return [Bar(bar.label, n) for bar, n in zip(items, totals, strict=True)]
