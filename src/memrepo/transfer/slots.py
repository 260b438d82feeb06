"""Which slots two databases fill with different facts: no index would keep a copy from bringing both together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from memrepo.connection.contract import Connection, Driver
from memrepo.domain.checks import HIGHEST_ID, LOWEST_ID
from memrepo.domain.codec import Row, Value
from memrepo.domain.jsontext import to_compact_json
from memrepo.domain.paging import last_id
from memrepo.queries import copying as queries
from memrepo.transfer.rows import as_text

__all__ = ["Clash", "Wanted", "holder", "slots_of", "taken_slot"]

#: Most facts that fill slots, in one answer.
_PAGE_ROWS: Final = 10_000

#: Which facts fill each slot: more than one, where another program has restored one. A slot is the scope and its
#: name, each as hexadecimal digits, because they may be no text.
_Holders = dict[tuple[Value, ...], set[int]]


class Clash(NamedTuple):
    """The ids of two current facts that fill one slot."""

    mine: int
    theirs: int


class Wanted(NamedTuple):
    """The slot that a fact is to fill."""

    fact: int
    scope: str
    slot: str


async def taken_slot(source: Driver, target: Driver, now: str) -> Clash | None:
    """Return a fact of the source whose slot another one fills in the target, and that one."""
    mine = await _read_holders(source, now)
    for slot, theirs in (await _read_holders(target, now)).items():
        if slot in mine and (others := theirs - mine[slot]):
            return Clash(min(mine[slot]), min(others))
    return None


async def _read_holders(connection: Driver, now: str) -> _Holders:
    found: _Holders = {}
    first = LOWEST_ID
    while first <= HIGHEST_ID:
        bound = queries.HOLDERS.bind(first=first, now=now, limit=_PAGE_ROWS)
        if not (rows := await connection.read(bound)):
            break
        for number, *slot in rows:
            found.setdefault((*slot,), set()).add(number)
        first = last_id(rows, first - 1) + 1
    return found


# --- facts to come -----------------------------------------------------------------------------


def slots_of(facts: Sequence[Row], now: str) -> list[Wanted]:
    """Return the slots that raw rows fill; without those that are no text, which memrepo never stores."""
    wanted: list[Wanted] = []
    for row in facts:
        fact: dict[str, Any] = dict(zip(queries.TABLES["memory_entries"], row[:-1], strict=True))
        expires_at = fact["expires_at"]
        is_current = fact["deleted_at"] is None and fact["superseded_by"] is None
        if fact["slot"] is None or not is_current:
            continue
        if expires_at is not None and expires_at <= now.encode():
            continue
        scope, slot = as_text(fact["scope"]), as_text(fact["slot"])
        if scope is not None and slot is not None:
            wanted.append(Wanted(fact["id"], scope, slot))
    return wanted


async def holder(
    connection: Connection, wanted: Sequence[Wanted], own: range, now: str
) -> Clash | None:
    """Return the first that cannot fill its slot, because a fact does whose id is not in *own*; and that one."""
    slots = to_compact_json([[its.scope, its.slot] for its in wanted])
    bound = queries.HOLDER.bind(slots=slots, now=now, first=own.start, last=own.stop - 1)
    rows = await connection.read(bound)
    if not rows:
        return None
    place: int
    place, number = rows[0]
    return Clash(wanted[place].fact, number)
