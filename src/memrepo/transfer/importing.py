"""Import the rows of an export."""

from __future__ import annotations

import json
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from typing import Final, NamedTuple

import attrs

from memrepo.connection.contract import Driver
from memrepo.domain.codec import Row, to_number
from memrepo.domain.hashing import SameFact
from memrepo.domain.jsontext import to_compact_json
from memrepo.domain.plain import PlainModel
from memrepo.errors import InvalidInputError
from memrepo.queries import copying as queries
from memrepo.queries.statement import BoundStatement
from memrepo.transfer.copy import CopyProgress, OnProgress, require_utf8
from memrepo.transfer.lines import Header, bad_line, read_line, to_row
from memrepo.transfer.pages import (
    PAGE_BYTES,
    PAGE_ROWS,
    conflict,
    insert_page,
    match_page,
)
from memrepo.transfer.slots import Holders, read_holders

__all__ = ["ImportReport", "ImportedTable", "import_rows"]

#: The longest line: the texts of the largest row as JSON, in which a character takes up to six bytes.
_LONGEST_LINE: Final = 100_000_000


@attrs.frozen(kw_only=True)
class ImportedTable(PlainModel):
    """The outcome of importing one table."""

    #: The table's name.
    table: str
    #: Rows that were read.
    n_rows: int
    #: Rows that this call stored.
    n_imported: int
    #: Rows that an earlier import of the same export had stored.
    n_present: int
    #: Facts that the target knew, and events whose key it had: it keeps its own.
    n_known: int


@attrs.frozen(kw_only=True)
class ImportReport(PlainModel):
    """The outcome of an import."""

    #: ``sessions``, ``memory_entries`` and ``daily_logs``, in this order.
    tables: tuple[ImportedTable, ...]
    #: Whether the rows have the ids of the export; if not, all are higher by one number for each table.
    has_ids: bool


class _Page(NamedTuple):
    """Rows of one table, in the order of their ids."""

    table: str
    rows: list[Row]


async def import_rows(
    target: Driver,
    parts: AsyncIterable[bytes],
    *,
    schema_version: int,
    same_fact: SameFact,
    now: str,
    tell: OnProgress,
) -> ImportReport:
    """Store the rows of an export that the target lacks; see `Store.import_lines`."""
    await require_utf8(target)
    lines = _lines(parts)
    header = _header(await anext(lines, b""), schema_version, same_fact)
    shifts = await _shifts(target, header)
    holders = await read_holders(target, now)
    done = {
        name: ImportedTable(table=name, n_rows=0, n_imported=0, n_present=0, n_known=0)
        for name in queries.TABLES
    }
    async for table, rows in _pages(lines):
        moved = [_moved(table, row, shifts) for row in rows]
        added = await _store(target, table, moved, holders, now)
        before = done[table]
        done[table] = ImportedTable(
            table=table,
            n_rows=before.n_rows + len(rows),
            n_imported=before.n_imported + added.n_imported,
            n_present=before.n_present + added.n_present,
            n_known=before.n_known + added.n_known,
        )
        n_done, n_rows = done[table].n_rows, header.n_rows[table]
        tell(CopyProgress(step="import", table=table, n_done=n_done, n_rows=n_rows))
    return ImportReport(tables=tuple(done.values()), has_ids=not any(shifts.values()))


def _header(line: bytes, schema_version: int, same_fact: SameFact) -> Header:
    header = Header.read(line)
    if header.schema_version > schema_version:
        raise bad_line(1, "is of a newer memrepo")
    if header.same_fact != same_fact:
        raise bad_line(1, f'has the rule "{header.same_fact}" for facts, this store "{same_fact}"')
    return header


# --- lines -------------------------------------------------------------------------------------


async def _lines(parts: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """Yield whole lines."""
    rest = b""
    async for part in parts:
        *lines, rest = (rest + part).split(b"\n")
        for line in lines:
            yield line
        if len(rest) > _LONGEST_LINE:
            raise InvalidInputError("parts", "have a line that no export has, so long it is")
    if rest:
        yield rest


async def _pages(lines: AsyncIterator[bytes]) -> AsyncIterator[_Page]:
    """
    Yield the rows of the lines after the first.

    Raises:
        InvalidInputError: They are not those of an export, or the last ones are missing.
    """
    tables = [*queries.TABLES]
    page, size, number, is_complete = _Page(tables[0], []), 0, 1, False
    last: tuple[int, int] | None = None
    async for line in lines:
        number += 1
        if is_complete:
            raise bad_line(number, "comes after the end")
        values = read_line(line, number)
        table = values.pop("table", None)
        if values.get("memrepo") == "end":
            is_complete = True
            continue
        if table not in tables:
            raise bad_line(number, "is not a row of a table that this memrepo knows")
        row = to_row(table, values, number)
        place = (tables.index(table), row[0])
        if last is not None and place <= last:
            raise bad_line(number, "is not in the order of tables and ids")
        last = place
        if page.rows and (table != page.table or len(page.rows) == PAGE_ROWS or size > PAGE_BYTES):
            yield page
            page, size = _Page(table, []), 0
        page = page if page.rows else _Page(table, [])
        page.rows.append(row)
        size += len(line)
    if page.rows:
        yield page
    if not is_complete:
        raise bad_line(
            number + 1, "is missing: the export is not complete; what is there was stored"
        )


# --- ids ---------------------------------------------------------------------------------------


async def _shifts(target: Driver, header: Header) -> dict[str, int]:
    """Return by how much the ids of each table are raised: by nothing, if the target is empty."""
    name = f"import.{header.id}"
    while not (noted := await target.read(queries.IMPORT.bind(name=name))):
        shifts = await _free_ids(target)
        note = queries.NOTE_IMPORT.bind(name=name, value=to_compact_json(shifts))
        await target.write((note, *await _raise_numbers(target, header, shifts)))
    found: dict[str, int] = json.loads(noted[0][0])
    return found


async def _free_ids(target: Driver) -> dict[str, int]:
    ((*bounds,),) = await target.read(queries.BOUNDS.bind())
    if not any(bounds[1::2]):
        return dict.fromkeys(queries.TABLES, 0)
    used = dict(zip(queries.TABLES, (number or 0 for number in bounds[::2]), strict=True))
    for name, number in await _numbers(target):
        if name in used:
            used[name] = max(used[name], number)
    return used


async def _numbers(target: Driver) -> list[Row]:
    has_numbers = to_number(await target.read(queries.HAS_NUMBERS.bind()))
    return await target.read(queries.NUMBERS.bind()) if has_numbers else []


async def _raise_numbers(
    target: Driver, header: Header, shifts: dict[str, int]
) -> list[BoundStatement]:
    """Keep others from taking the ids of the rows to come."""
    if not to_number(await target.read(queries.HAS_NUMBERS.bind())):
        return []
    return [
        statement.bind(name=name, seq=seq + shift)
        for name, shift in shifts.items()
        if (seq := header.last_ids[name]) is not None and seq > 0
        for statement in (queries.RAISE_NUMBER, queries.ADD_NUMBER)
    ]


#: When a row came into being.
_BEGINNINGS: Final = {
    "sessions": "started_at",
    "memory_entries": "created_at",
    "daily_logs": "timestamp",
}
#: The columns that refer to rows, and their tables; ``None`` for their own.
_REFERENCES: Final[Mapping[str, str | None]] = {
    "id": None,
    "session_id": "sessions",
    "superseded_by": "memory_entries",
}


def _moved(table: str, row: Row, shifts: dict[str, int]) -> Row:
    if not any(shifts.values()):
        return row
    values = list(row)
    for place, column in enumerate(queries.TABLES[table]):
        if column in _REFERENCES and type(values[place]) is int:
            values[place] += shifts[_REFERENCES[column] or table]
    return tuple(values)


# --- rows --------------------------------------------------------------------------------------


async def _store(
    target: Driver, table: str, rows: list[Row], holders: Holders, now: str
) -> ImportedTable:
    """Store what the target lacks of a page."""
    match = await match_page(target, table, rows, rows[0][0])
    missing: list[Row] = []
    for row in rows:
        if (theirs := match.different.get(row[0])) is not None:
            if _origin(table, row) != _origin(table, theirs):
                raise conflict(table, row[0], "the target has another row with this id")
        elif row[0] not in match.same:
            missing.append(row)
            if table == "memory_entries" and (holder := holders.of(row, now)) is not None:
                raise conflict(table, row[0], f"fact {holder} fills its slot there")
    inserted = await insert_page(target, table, missing)
    if inserted.refused and table == "sessions":
        raise conflict(table, inserted.refused[0], "another session of its thread is active there")
    return ImportedTable(
        table=table,
        n_rows=len(rows),
        n_imported=inserted.n_new,
        n_present=len(rows) - len(missing),
        n_known=len(inserted.refused),
    )


def _origin(table: str, row: Row) -> list[object]:
    """Return what of a row never changes: with one id, it tells that a row was changed since it was imported."""
    columns = queries.TABLES[table]
    return [row[columns.index(name)] for name in ("scope", _BEGINNINGS[table])]
