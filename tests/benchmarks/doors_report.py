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
That was on a machine with nothing else to do. With a load of 2 to 5, `clear_session` took 2.4 to 2.8 of theirs (at FULL 1.7 to
2.1), `search_memory` 2.0 to 2.4, and at FULL `add_items` of 2 and `pop_item` 1.0 to 1.2 (once 1.7).

Slower are two, in which memrepo does more:

- **`clear_session`** takes about 2 µs an item. For 1,000, SQLite's DELETE takes 1.2 of 2.0 ms: 0.3 to find the rows and take them
  out of the table, 0.25 for each of the two indexes by which events are found, 0.15 for foreign keys, and 0.3 for a journal of
  the statement itself. SQLite keeps one, in a temporary file, where a statement of a transaction might fail halfway, as one might
  that calls a function: here `GLOB`, the condition of the index of instants in another spelling. The commit takes 0.3 to 0.5,
  the way to SQLite's thread and the statement that keeps the session's last activity the rest. Without journal and foreign keys,
  and with one index, as theirs, it would still take 1.1 ms. That what is deleted is overwritten (`secure_delete`) takes less
  than a twentieth, and is so in their file, too, where Python's SQLite was built so.
- **`search_memory`** is a `recall`. ADK's class returns what has any word of the question, stop words too, by `bm25`. `recall` also
  compares the facts told just before and after, weighs how lately each was told, shows what says the same once, leaves out what
  is not relevant enough, and says why: about 70 facts are looked at for ten that are returned. Of 3.6 ms, 0.65 are SQLite's, for
  three statements, and 0.6 the way to its threads and back; 0.3 is to take apart the question and what was found, 0.95 to rank,
  to decode and to explain, 0.65 to weigh and to choose, and 0.35 to make ADK's models."""


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
