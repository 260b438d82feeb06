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
_ABOUT: Final = """\
## W12: inside agent frameworks

The same calls to the framework's own class for SQLite and to memrepo's: `AsyncSQLiteSession` of the OpenAI Agents SDK beside
`MemrepoSession`, `SqliteMemoryService` of Google's ADK beside `MemrepoMemoryService`. Each operation's median of a round, by turns.
Both files are in WAL mode with the same `synchronous`; each call that writes is one commit on both sides, and at FULL one sync."""
_SLOWER: Final = """\
Slower are two, in which memrepo does more:

- **`clear_session`** takes about 2 µs an item. Of SQLite's time for it, about half is for the indexes by which events are also found
  by their time and their key, and a sixth for foreign keys; that what is deleted is overwritten (`secure_delete`) takes less than a
  twentieth.
- **`search_memory`** is a `recall`. ADK's class returns what has any word of the question, stop words too, by `bm25`. `recall` also
  compares the facts told just before and after, weighs how lately each was told, shows what says the same once, leaves out what
  is not relevant enough, and says why: about 70 facts are looked at for ten that are returned."""


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
    return f"{_ABOUT}\n\n{table(head, rows)}\n\n{_SLOWER}"


def doors_verdicts(found: Sequence[Door]) -> Iterator[list[str]]:
    """Yield what is slower than the framework's own."""
    for its in found:
        if (ratio := ratios(its.ours, its.theirs).median) > _REACH:
            where = f"W12 {its.framework}, {its.operation}, {its.durability.upper()}"
            yield [f"{where}: {short(ratio)} of theirs"]
