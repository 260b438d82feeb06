"""Facts that a target knows under other ids than an export: what these superseded there, they supersede here."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import Final

from memrepo.connection.contract import Connection
from memrepo.domain.codec import Row
from memrepo.domain.jsontext import to_compact_json
from memrepo.queries import copying as queries
from memrepo.transfer.rows import as_text

__all__ = ["KnownFacts", "find_known", "link"]

_HASH: Final = queries.TABLES["memory_entries"].index("content_hash")
_SUCCESSOR: Final = queries.TABLES["memory_entries"].index("superseded_by")


async def find_known(target: Connection, facts: Iterable[Row]) -> dict[int, int]:
    """Return, in order of the ids of raw rows, which of them the target knows, each with the id of its own."""
    hashes = [
        (row[0], its_hash)
        for row in facts
        if row[_HASH] is not None and (its_hash := as_text(row[_HASH])) is not None
    ]
    return dict(await target.read(queries.KNOWN.bind(facts=to_compact_json(hashes))))


async def link(target: Connection, known: Mapping[int, int], own: range) -> None:
    """Have the target's own facts supersede what the known ones would, of the facts with ids in *own*."""
    if known:
        links = to_compact_json([*known.items()])
        bound = queries.LINK_KNOWN.bind(links=links, first=own.start, last=own.stop - 1)
        await target.write((bound,))


class KnownFacts:
    """The known facts of the pages so far: a later page may have what they superseded. Each takes sixteen bytes."""

    def __init__(self) -> None:
        self._ids = array("q")
        self._theirs = array("q")

    def add(self, known: Mapping[int, int]) -> None:
        """Add those of the next page."""
        self._ids.extend(known)
        self._theirs.extend(known.values())

    def successors(self, facts: Iterable[Row]) -> dict[int, int]:
        """Return those that superseded any of *facts*, raw rows."""
        found: dict[int, int] = {}
        for row in facts:
            its = row[_SUCCESSOR]
            if type(its) is int:
                place = bisect_left(self._ids, its)
                if place < len(self._ids) and self._ids[place] == its:
                    found[its] = self._theirs[place]
        return found
