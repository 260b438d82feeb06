"""Import the rows of an export."""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator
from functools import partial
from typing import Final, NamedTuple

import attrs

from memrepo.connection.contract import Driver
from memrepo.domain.codec import Row
from memrepo.domain.hashing import SameFact
from memrepo.domain.plain import PlainModel
from memrepo.errors import ConflictError, InvalidInputError
from memrepo.queries import copying as queries
from memrepo.transfer.copy import CopyProgress, OnProgress, require_utf8
from memrepo.transfer.ids import is_one_row, moved, own_ids, take_ids
from memrepo.transfer.known import KnownFacts, find_known, link
from memrepo.transfer.lines import Header, bad_line, read_line, to_row
from memrepo.transfer.pages import PAGE_BYTES, PAGE_ROWS, Refuse, insert_page, match_page
from memrepo.transfer.slots import holder, slots_of

__all__ = ["ImportReport", "ImportedTable", "import_rows"]

#: The longest line: the texts of the largest row as JSON, in which a character takes up to six bytes.
_LONGEST_LINE: Final = 100_000_000
_IS_EXCLUSIVE: Final = queries.TABLES["sessions"].index("is_exclusive")


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
    """Rows of one table, in the order of their ids, and the line that the first one stands in."""

    table: str
    rows: list[Row]
    line: int


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
    shifts = await take_ids(target, header)
    done = {
        name: ImportedTable(table=name, n_rows=0, n_imported=0, n_present=0, n_known=0)
        for name in queries.TABLES
    }
    known = KnownFacts()
    async for page in _pages(lines, header):
        table, rows, _ = page
        there = [moved(table, row, shifts) for row in rows]
        refuse = partial(_conflict, page, there)
        own = own_ids(header, shifts, table)
        added = await _store(target, table, there, known, own, now, refuse)
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
    begun = bytearray()
    async for part in parts:
        end, *lines = part.split(b"\n")
        begun += end
        if len(begun) > _LONGEST_LINE:
            raise InvalidInputError("parts", "must not have a line that is too long for an export")
        if lines:
            yield bytes(begun)
            for line in lines[:-1]:
                yield line
            begun = bytearray(lines[-1])
    if begun:
        yield bytes(begun)


async def _pages(lines: AsyncIterator[bytes], header: Header) -> AsyncIterator[_Page]:
    """
    Yield the rows of the lines after the first.

    Raises:
        InvalidInputError: They are not those of an export, or the last ones are missing.
    """
    tables = [*queries.TABLES]
    page, size, number, is_complete = _Page(tables[0], [], 2), 0, 1, False
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
        if row[0] > (header.last_ids[table] or 0):
            raise bad_line(number, "has a higher id than the first line says")
        if page.rows and (table != page.table or len(page.rows) == PAGE_ROWS or size > PAGE_BYTES):
            yield page
            page, size = _Page(table, [], number), 0
        page = page if page.rows else _Page(table, [], number)
        page.rows.append(row)
        size += len(line)
    if page.rows:
        yield page
    if not is_complete:
        raise bad_line(
            number + 1, "is missing: the export is not complete; what is there was stored"
        )


# --- rows --------------------------------------------------------------------------------------


def _conflict(page: _Page, there: list[Row], number: int, reason: str) -> ConflictError:
    """Return the error of the row with this id in the target, by its line, and by its id in the export."""
    place = next(place for place, row in enumerate(there) if row[0] == number)
    name = f"line {page.line + place}: {page.table} {page.rows[place][0]}"
    return ConflictError(f"{name} was not imported: {reason}")


async def _store(
    target: Driver,
    table: str,
    rows: list[Row],
    known: KnownFacts,
    own: range,
    now: str,
    refuse: Refuse,
) -> ImportedTable:
    """Store what the target lacks of a page."""
    if rows[0][0] not in own:
        raise refuse(rows[0][0], "only an empty store takes ids below 1")
    match = await match_page(target, table, rows, rows[0][0])
    missing: list[Row] = []
    for row in rows:
        if (theirs := match.different.get(row[0])) is not None:
            if not is_one_row(table, row, theirs):
                raise refuse(row[0], "the target has another row with this id")
        elif row[0] not in match.same:
            missing.append(row)
    if table == "memory_entries":
        n_new, n_known = await _insert_facts(target, rows, missing, known, own, now, refuse)
    elif table == "sessions":
        n_new, n_known = await _insert_sessions(target, missing, refuse), 0
    else:
        inserted = await insert_page(target, table, missing, refuse)
        n_new, n_known = inserted.n_new, len(inserted.refused)
    return ImportedTable(
        table=table,
        n_rows=len(rows),
        n_imported=n_new,
        n_present=len(rows) - len(missing),
        n_known=n_known,
    )


async def _insert_sessions(target: Driver, missing: list[Row], refuse: Refuse) -> int:
    """Insert what the target lacks, and return how many sessions that were."""
    inserted = await insert_page(target, "sessions", missing, refuse)
    # In their threads others are open there. Beside those they are open as sessions of the original are.
    beside = [
        (*row[:_IS_EXCLUSIVE], 0, *row[_IS_EXCLUSIVE + 1 :])
        for row in missing
        if row[0] in inserted.refused
    ]
    stored = await insert_page(target, "sessions", beside, refuse)
    if stored.refused:  # by a unique index of another program
        raise refuse(stored.refused[0], "another row there has what only one can have")
    return inserted.n_new + stored.n_new


async def _insert_facts(
    target: Driver,
    page: list[Row],
    missing: list[Row],
    known: KnownFacts,
    own: range,
    now: str,
    refuse: Refuse,
) -> tuple[int, int]:
    """Insert what the target lacks, and return how many facts that were, and how many it knew."""
    # Nobody can fill a slot, or state one of the facts, between the look and the insertion.
    async with target.transaction() as transaction:
        theirs = await find_known(transaction, missing)
        wanted = slots_of([row for row in missing if row[0] not in theirs], now)
        if wanted and (clash := await holder(transaction, wanted, own, now)) is not None:
            raise refuse(clash.mine, f"fact {clash.theirs} fills its slot there")
        inserted = await insert_page(transaction, "memory_entries", missing, refuse)
        await link(transaction, {**theirs, **known.successors(page)}, own)
    known.add(theirs)
    return inserted.n_new, len(inserted.refused)
