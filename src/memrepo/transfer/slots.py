"""Which slots two databases fill with different facts: no index would keep a copy from bringing both together."""

from __future__ import annotations

from typing import Final, NamedTuple

import attrs

from memrepo.connection.contract import Driver
from memrepo.domain.checks import HIGHEST_ID, LOWEST_ID
from memrepo.domain.codec import Row, Value
from memrepo.domain.paging import last_id
from memrepo.queries import copying as queries

__all__ = ["Clash", "Holders", "read_holders", "taken_slot"]

#: Most facts that fill slots, in one answer.
_PAGE_ROWS: Final = 10_000


class Clash(NamedTuple):
    """The ids of two current facts that fill one slot."""

    mine: int
    theirs: int


@attrs.frozen
class Holders:
    """
    Which facts fill each slot of a database: more than one, where another program has restored one.

    A slot is the scope and its name, each as hexadecimal digits, because they may be no text.
    """

    by_slot: dict[tuple[Value, ...], set[int]]

    def of(self, row: Row, now: str) -> int | None:
        """Return the fact that fills the slot of a raw row, if the row is current and is none that fills it."""
        fact = dict(zip(queries.TABLES["memory_entries"], row[:-1], strict=True))
        scope, slot, expires_at = fact["scope"], fact["slot"], fact["expires_at"]
        is_current = fact["deleted_at"] is None and fact["superseded_by"] is None
        if (
            slot is None
            or not is_current
            or (expires_at is not None and expires_at <= now.encode())
        ):
            return None
        theirs = self.by_slot.get((scope.hex().upper(), slot.hex().upper()), set())
        return min(theirs) if theirs and fact["id"] not in theirs else None


async def taken_slot(source: Driver, target: Driver, now: str) -> Clash | None:
    """Return a fact of the source whose slot another one fills in the target, and that one."""
    mine = (await read_holders(source, now)).by_slot
    for slot, theirs in (await read_holders(target, now)).by_slot.items():
        if slot in mine and (others := theirs - mine[slot]):
            return Clash(min(mine[slot]), min(others))
    return None


async def read_holders(connection: Driver, now: str) -> Holders:
    """Read which facts fill slots."""
    found: dict[tuple[Value, ...], set[int]] = {}
    first = LOWEST_ID
    while first <= HIGHEST_ID:
        bound = queries.HOLDERS.bind(first=first, now=now, limit=_PAGE_ROWS)
        if not (rows := await connection.read(bound)):
            break
        for number, *slot in rows:
            found.setdefault((*slot,), set()).add(number)
        first = last_id(rows, first - 1) + 1
    return Holders(found)
