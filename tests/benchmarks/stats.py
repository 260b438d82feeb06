"""Medians and spreads of ratios, so that a noisy machine is seen to be one."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple


class Spread(NamedTuple):
    """The median of some rounds and the two ends."""

    median: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """Summarize the values of all rounds."""
    return Spread(median(values), min(values), max(values))


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """Summarize *ours* by *theirs*, each divided by what was measured in the same round."""
    return spread([a / b for a, b in zip(ours, theirs, strict=False)])


def percentile(samples: Sequence[float], share: float) -> float:
    """Return the sample that *share* of all samples do not exceed."""
    ranked = sorted(samples)
    return ranked[min(len(ranked) - 1, int(len(ranked) * share))]


def short(value: float) -> str:
    """Write a ratio or a number of microseconds with the digits that mean something."""
    if value >= 100:
        return f"{value:,.0f}"
    if value >= 10:
        return f"{value:.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"


def with_ends(values: Spread) -> str:
    """Write the median, and the lowest and highest round behind it."""
    return f"{short(values.median)} ({short(values.low)} to {short(values.high)})"
