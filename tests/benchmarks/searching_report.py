"""What the page says of W7."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Final

from tests.benchmarks.searching import Searching, Writes
from tests.benchmarks.stats import Spread, ratios, short, spread, with_ends
from tests.benchmarks.tables import table

__all__ = ["searching", "searching_verdicts"]

#: The most that a write may take with the index, as a share of what it takes without.
_MUST_WRITES: Final = 1.25


def searching(found: Searching) -> str:
    """Write the tables of the searches, and of the writes that the index follows."""
    texts = "recombined from the conversations" if found.is_talk else "of made-up words"
    answers = [
        [
            its.what,
            with_ends(_ms(its.p50)),
            with_ends(_ms(its.p99)),
            _pair(its.must_ms),
            _pair(its.reach_ms),
        ]
        for its in found.answers
    ]
    writes = [
        [
            its.what,
            f"{_micros(its.p50_without)} / {_micros(its.p99_without)}",
            f"{_micros(its.p50)} / {_micros(its.p99)}",
            *(with_ends(ratio) for ratio in _ratios(its)),
        ]
        for its in found.writes
    ]
    return (
        "## W7: search and recall\n\n"
        "How well it finds has [a page of its own](explanation/ranking.md); here is how long it takes."
        f" Two files of {found.n_rows:,} facts, in {found.n_scopes:,} scopes and in one, after `catch_up()`; the texts"
        f" are {texts}. One question after another, each once, `limit=10`.\n\n"
        + table(["", "p50, ms", "p99, ms", "must, p50 / p99", "to reach"], answers)
        + "\n\n### W7: writes that the index follows (synchronous=NORMAL)\n\n"
        "The same calls on a file with a search index, which catches up meanwhile, and on one without, by turns. At most"
        f" {_MUST_WRITES}.\n\n"
        + table(["", "without, p50 / p99, µs", "with, µs", "p50 by p50", "p99 by p99"], writes)
    )


def searching_verdicts(found: Searching) -> Iterator[list[str]]:
    """Yield where a figure is not reached."""
    for its in found.answers:
        for name, values, reach in zip(
            ("p50", "p99"), (its.p50, its.p99), its.reach_ms, strict=True
        ):
            if (ms := _ms(values).median) > reach:
                yield [f"W7 {its.what}, {name}, ms: {short(ms)}, to reach {reach}"]
    for write in found.writes:
        for name, ratio in zip(("p50", "p99"), _ratios(write), strict=True):
            if ratio.median > _MUST_WRITES:
                yield [
                    f"W7 {write.what} with the index, {name}: {short(ratio.median)}, to reach {_MUST_WRITES}"
                ]


def _ratios(its: Writes) -> tuple[Spread, Spread]:
    return ratios(its.p50, its.p50_without), ratios(its.p99, its.p99_without)


def _ms(seconds: Sequence[float]) -> Spread:
    return spread([second * 1e3 for second in seconds])


def _micros(seconds: Sequence[float]) -> str:
    return short(median(seconds) * 1e6)


def _pair(values: tuple[float, float]) -> str:
    return " / ".join(f"{value:g}" for value in values)
