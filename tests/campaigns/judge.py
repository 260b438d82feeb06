"""
Decide whether a database kept its promises, with nothing but the standard library's sqlite3.

The workloads write *units*: a few rows that must be there all or not at all. Each row names its
unit, which part of it it is and how many there are, in ``daily_logs.event_data`` (JSON) or in
``memory_entries.content`` (``unit TAG part I of N ...``). Before a unit is sent, the workload
writes the line ``start TAG`` to its marker; once it has been acknowledged, ``ack TAG``.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from .indexes import drift

__all__ = ["Contents", "Promises", "Verdict", "judge", "read_contents"]

_MEMORY = re.compile(r"unit (\S+) part (\d+) of (\d+)\b")


@dataclass(slots=True)
class Promises:
    """
    What a workload said, in order, as far as it got.

    Attributes:
        acknowledged: Tag of each acknowledged unit, in order.
        known_before: For each unit that was sent, how many had been acknowledged before it.
        refused: Tag of each unit whose error said that it surely did not happen.
    """

    acknowledged: list[str] = field(default_factory=list)
    known_before: dict[str, int] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, lines: Iterable[str]) -> Promises:
        """Take the lines of a marker; a last line without its end is not passed in."""
        promises = cls()
        for line in lines:
            word, _, tag = line.strip().partition(" ")
            promises.add(word, tag)
        return promises

    def add(self, word: str, tag: str) -> None:
        """Take one line: ``start``, ``ack`` or ``refused`` and the unit's tag."""
        if word == "start":
            self.known_before[tag] = len(self.acknowledged)
        elif word == "ack":
            self.acknowledged.append(tag)
        elif word == "refused":
            self.refused.add(tag)


@dataclass(frozen=True, slots=True)
class Contents:
    """
    What a database holds.

    Attributes:
        parts: For each unit, the parts that are there and how many there should be.
        logged: Units in the order of their first event: the order of their commits.
        remembered: Units in the order of their first fact.
        integrity: What ``PRAGMA integrity_check`` said; ``ok`` when sound.
        drift: Where the search index does not fit the tables, of what is not pending; slots that are filled
            twice, or whose chain leads to no fact.
    """

    parts: dict[str, tuple[frozenset[int], int]]
    logged: tuple[str, ...]
    remembered: tuple[str, ...]
    integrity: str
    drift: tuple[str, ...] = ()

    @property
    def whole(self) -> set[str]:
        """Units that are there with all their parts, each once."""
        return {tag for tag, (parts, n) in self.parts.items() if parts == frozenset(range(n))}


@dataclass(slots=True)
class Verdict:
    """
    How a database differs from what was promised.

    Attributes:
        lost: Acknowledged units that are not there.
        torn: Units that are there in part, or with a part twice.
        disordered: Units that are there although one that was acknowledged before they were even
            sent is not, or that break the order of commits.
        undead: Units that are there although an error said that they surely did not happen.
        corrupt: What is wrong with the file; empty when it is sound.
    """

    lost: set[str] = field(default_factory=set)
    torn: set[str] = field(default_factory=set)
    disordered: set[str] = field(default_factory=set)
    undead: set[str] = field(default_factory=set)
    corrupt: str = ""

    def broken(self, *, durable: bool = True) -> str:
        """
        Say what is wrong, or "" when nothing is.

        Args:
            durable: Whether a lost acknowledged unit counts (it does not for ``normal``).
        """
        found = {"torn": self.torn, "disordered": self.disordered, "undead": self.undead}
        if durable:
            found["lost"] = self.lost
        said = [f"{name} {sorted(tags)[:5]}" for name, tags in found.items() if tags]
        return "; ".join([f"corrupt {self.corrupt}"] * bool(self.corrupt) + said)


def read_contents(database: Path) -> Contents:
    """Open a database (recovering it as any program would), check it and read its units."""
    found: dict[str, list[int]] = {}
    sizes: dict[str, int] = {}
    logged: dict[str, None] = {}
    remembered: dict[str, None] = {}

    def take(tag: str, part: int, parts: int, order: dict[str, None]) -> None:
        found.setdefault(tag, []).append(part)
        sizes[tag] = parts
        order.setdefault(tag)

    with closing(sqlite3.connect(database, timeout=60)) as connection:
        integrity = str(connection.execute("PRAGMA integrity_check").fetchone()[0])
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
        if "daily_logs" in tables:
            query = "SELECT event_data FROM daily_logs ORDER BY id"
            for (text,) in connection.execute(query):
                event = json.loads(text)
                take(event["unit"], event["part"], event["parts"], logged)
        if "memory_entries" in tables:
            for (text,) in connection.execute("SELECT content FROM memory_entries ORDER BY id"):
                match = _MEMORY.match(text)
                if match:
                    take(match[1], int(match[2]), int(match[3]), remembered)
        drifted = (*drift(connection), *_torn_slots(connection))
    parts = {
        tag: (frozenset(numbers if len(set(numbers)) == len(numbers) else ()), sizes[tag])
        for tag, numbers in found.items()
    }
    return Contents(parts, tuple(logged), tuple(remembered), integrity, drifted)


def _torn_slots(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield what is wrong with slots, of a workload that forgets what fills one only by `revert`."""
    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    columns = {row[1] for row in connection.execute("PRAGMA table_info(memory_entries)")}
    if "memory_entries" not in tables or "slot" not in columns:
        return
    # A proposal that waits, or was rejected, never filled its slot.
    rows = connection.execute(
        "SELECT slot, sum(deleted_at IS NULL AND superseded_by IS NULL), sum(deleted_at IS NULL) "
        "FROM memory_entries WHERE slot IS NOT NULL GROUP BY scope, slot"
    )
    for slot, n_current, n_ever in rows:
        if n_current > 1 or (n_ever and not n_current):
            yield f"{slot}: {n_current} of {n_ever} facts fill it"
    orphans = connection.execute(
        "SELECT count(*) FROM memory_entries AS old JOIN memory_entries AS new "
        "ON new.id = old.superseded_by WHERE old.slot IS NOT new.slot AND new.slot IS NOT NULL"
    )
    yield from (f"{n} facts left their slot" for (n,) in orphans if n)


def judge(database: Path, promises: Promises, final: Contents | None = None) -> Verdict:
    """
    Compare a database with what was promised about it.

    Args:
        database: The file; when it is missing it counts as empty.
        promises: What the workload had said by the moment of the failure.
        final: The same run without the failure. When given, the units that are there must be a
            prefix of its commits.
    """
    verdict = Verdict()
    try:
        contents = read_contents(database)
    except (sqlite3.Error, ValueError, KeyError, TypeError) as error:
        verdict.corrupt = f"{type(error).__name__}: {error}"
        verdict.lost = set(promises.acknowledged)
        return verdict
    if contents.integrity != "ok":
        verdict.corrupt = contents.integrity
    if contents.drift:
        verdict.corrupt += f" drift: {contents.drift[:3]}"
    whole = contents.whole
    verdict.lost = set(promises.acknowledged) - whole
    verdict.torn = set(contents.parts) - whole
    verdict.undead = promises.refused & set(contents.parts)
    verdict.disordered = _out_of_order(contents, promises)
    if final is not None:
        verdict.disordered |= _not_prefix(contents.logged, final.logged)
        verdict.disordered |= _not_prefix(contents.remembered, final.remembered)
    return verdict


def _out_of_order(contents: Contents, promises: Promises) -> set[str]:
    """Units whose cause is missing: one acknowledged before they were sent is not there."""
    missing = [
        place for place, tag in enumerate(promises.acknowledged) if tag not in contents.parts
    ]
    first = min(missing, default=len(promises.acknowledged))
    return {tag for tag in contents.parts if promises.known_before.get(tag, 0) > first}


def _not_prefix(found: Sequence[str], final: Sequence[str]) -> set[str]:
    """Units that stand in another place than in the whole run."""
    return {tag for tag, expected in zip(found, final, strict=False) if tag != expected} | set(
        found[len(final) :]
    )
