"""What the page says of W12."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median
from typing import Final

from tests.benchmarks.doors import Door
from tests.benchmarks.stats import ratios, short, with_ends
from tests.benchmarks.tables import table

__all__ = ["doors", "doors_verdicts"]

_REACH: Final = 1.0


def doors(found: Sequence[Door]) -> str:
    """Write the section; nothing if it was not measured."""
    if not found:
        return ""
    rows = [
        [
            its.framework,
            its.operation,
            its.durability.upper(),
            short(median(its.theirs) * 1e6),
            short(median(its.ours) * 1e6),
            with_ends(ratios(its.ours, its.theirs)),
        ]
        for its in found
    ]
    head = ["", "", "synchronous", "theirs, µs", "ours, µs", f"ratio, to reach ≤ {_REACH:g}"]
    return (
        "## W12: inside agent frameworks\n\n"
        "The same calls to the framework's own class for SQLite and to memrepo's: `AsyncSQLiteSession` of the OpenAI Agents"
        " SDK beside `MemrepoSession`, `SqliteMemoryService` of Google's ADK beside `MemrepoMemoryService`. Each operation's"
        " median of a round, by turns.\n\n" + table(head, rows)
    )


def doors_verdicts(found: Sequence[Door]) -> Iterator[list[str]]:
    """Yield what is slower than the framework's own."""
    for its in found:
        if (ratio := ratios(its.ours, its.theirs).median) > _REACH:
            where = f"W12 {its.framework}, {its.operation}, {its.durability.upper()}"
            yield [f"{where}: {short(ratio)} of theirs"]
