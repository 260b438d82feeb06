"""Which ids the rows of an export have in a target, and which rows they refer to."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final

from memrepo.connection.contract import Connection, Driver
from memrepo.domain.checks import HIGHEST_ID, LOWEST_ID
from memrepo.domain.codec import Row, Value, to_number
from memrepo.domain.instants import NO_INSTANT, encode_instant, parse_instant
from memrepo.domain.jsontext import to_compact_json
from memrepo.queries import copying as queries
from memrepo.queries.statement import BoundStatement
from memrepo.transfer.lines import Header, bad_line

__all__ = ["is_one_row", "moved", "own_ids", "references", "take_ids", "used_ids"]

#: The columns that refer to rows, and the tables of these.
_REFERENCES: Final = {"session_id": "sessions", "superseded_by": "memory_entries"}
#: When a row came into being.
_BEGINNINGS: Final = {
    "sessions": "started_at",
    "memory_entries": "created_at",
    "daily_logs": "timestamp",
}


def references(table: str) -> Iterator[tuple[int, str]]:
    """Yield the place of each column that refers to rows, and their table."""
    for place, column in enumerate(queries.TABLES[table]):
        if column in _REFERENCES:
            yield place, _REFERENCES[column]


def is_one_row(table: str, row: Row, other: Row) -> bool:
    """Tell whether two rows with one id are the same row, which may have been changed, by what never changes."""
    scope, beginning = (queries.TABLES[table].index(its) for its in ("scope", _BEGINNINGS[table]))
    return row[scope] == other[scope] and _instant(row[beginning]) == _instant(other[beginning])


def _instant(stored: Value) -> Value:
    """Return an instant in memrepo's spelling, to which it may have been brought; what is none, as it is."""
    if not isinstance(stored, bytes):
        return stored
    try:
        return encode_instant(parse_instant(stored.decode()))
    except NO_INSTANT:
        return stored


async def used_ids(connection: Connection) -> dict[str, int | None]:
    """Return the highest id that each table has ever used; ``None`` if none."""
    ((*bounds,),) = await connection.read(queries.BOUNDS.bind())
    used: dict[str, int | None] = dict(zip(queries.TABLES, bounds[::2], strict=True))
    if await _has_numbers(connection):
        for name, number in await connection.read(queries.NUMBERS.bind()):
            if name in used and number > 0:
                used[name] = max(used[name] or 0, number)
    return used


async def _has_numbers(connection: Connection) -> bool:
    return bool(to_number(await connection.read(queries.HAS_NUMBERS.bind())))


# --- an import ---------------------------------------------------------------------------------


async def take_ids(target: Driver, header: Header) -> dict[str, int]:
    """Return by how much the ids of each table are raised: by nothing, if it is empty and nothing is to come."""
    name = f"import.{header.id}"
    # Nobody may store a row, or note another import, between the look at the ids and taking them.
    async with target.transaction() as transaction:
        if noted := await transaction.read(queries.IMPORT.bind(name=name)):
            found: dict[str, int] = json.loads(noted[0][0])
            return found
        shifts = await _free_ids(transaction)
        if any(shifts[table] + (last or 0) > HIGHEST_ID for table, last in header.last_ids.items()):
            raise bad_line(1, "has ids that are too high to be raised above those of this store")
        note = queries.NOTE_IMPORT.bind(name=name, value=to_compact_json(shifts))
        await transaction.write((note, *await _raise_numbers(transaction, header, shifts)))
        return shifts


def own_ids(header: Header, shifts: Mapping[str, int], table: str) -> range:
    """Return the ids in the target that belong to the export."""
    shift = shifts[table]
    return range(shift + 1 if shift else LOWEST_ID, shift + (header.last_ids[table] or 0) + 1)


def moved(table: str, row: Row, shifts: Mapping[str, int]) -> Row:
    """Return a row with its ids in the target."""
    if not any(shifts.values()):
        return row
    values = list(row)
    for place, its_table in ((0, table), *references(table)):
        # What another program stores as a successor may be any number; one below 1 is that of no row of the export.
        if type(values[place]) is int and values[place] > 0:
            values[place] = min(values[place] + shifts[its_table], HIGHEST_ID)
    return tuple(values)


async def _free_ids(target: Connection) -> dict[str, int]:
    ((*bounds,),) = await target.read(queries.BOUNDS.bind())
    # Another import that was cut off early has ids to which its rows are still to come.
    if not any(bounds[1::2]) and not await target.read(queries.ANY_IMPORT.bind()):
        return dict.fromkeys(queries.TABLES, 0)
    return {table: number or 0 for table, number in (await used_ids(target)).items()}


async def _raise_numbers(
    target: Connection, header: Header, shifts: Mapping[str, int]
) -> list[BoundStatement]:
    """Keep others from taking the ids of the rows to come."""
    if not await _has_numbers(target):
        return []
    return [
        statement.bind(name=name, seq=seq + shift)
        for name, shift in shifts.items()
        if (seq := header.last_ids[name]) is not None and seq > 0
        for statement in (queries.RAISE_NUMBER, queries.ADD_NUMBER)
    ]
