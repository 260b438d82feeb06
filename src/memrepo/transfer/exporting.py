"""Export every row of a database, or of one scope, as lines."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from typing import Final

from memrepo.connection.contract import Driver
from memrepo.connection.waiting import list_in_slices
from memrepo.domain.checks import LOWEST_ID
from memrepo.domain.codec import Row
from memrepo.domain.hashing import SameFact
from memrepo.domain.paging import last_id
from memrepo.errors import InvalidInputError
from memrepo.queries import copying as queries
from memrepo.transfer.copy import CopyProgress, OnProgress, require_utf8
from memrepo.transfer.ids import is_one_row, references, used_ids
from memrepo.transfer.lines import END, Header, read_line, to_line, to_row
from memrepo.transfer.pages import count_rows, read_page

__all__ = ["export_rows", "new_header"]

#: Rows turned into lines before other tasks have their turn: about half a millisecond.
_SLICE: Final = 50
_ANOTHER: Final = "is an export of another database"
_NO_ROW: Final = "is no row of an export"


async def new_header(
    source: Driver, *, schema_version: int, same_fact: SameFact, scope: str | None, now: str
) -> Header:
    """Return the header of an export of what there is now."""
    await require_utf8(source)
    ((*bounds,),) = await source.read(queries.BOUNDS.bind())
    counts = bounds[1::2]
    if scope is not None:
        ((*counts,),) = await source.read(queries.COUNTS_OF_SCOPE.bind(scope=scope))
    return Header(
        id=secrets.token_hex(16),
        exported_at=now,
        schema_version=schema_version,
        same_fact=same_fact,
        scope=scope,
        n_rows=dict(zip(queries.TABLES, counts, strict=True)),
        last_ids=await used_ids(source),
    )


async def export_rows(
    source: Driver, header: Header, last_line: bytes | None, tell: OnProgress
) -> AsyncIterator[bytes]:
    """Yield the lines after *last_line*, or all of them, as parts of up to a thousand lines."""
    table_done, id_done = None, LOWEST_ID
    if last_line is None:
        yield header.to_line()
    else:
        await _require_source(source, header)
        if last_line == END.rstrip():
            return
        if (row := _read_row(last_line)) is not None:
            table_done, id_done = row[0], row[1][0]
            await _require_row(source, *row)
    tables = [*queries.TABLES]
    for table in tables[tables.index(table_done) if table_done else 0 :]:
        first, n_done = LOWEST_ID, 0
        if table == table_done:
            first = id_done + 1
            n_done = await count_rows(source, table, LOWEST_ID, id_done, header.scope)
        last = LOWEST_ID if (its_last := header.last_ids[table]) is None else its_last
        while page := await read_page(source, table, first, last, header.scope):
            page = await _as_it_was(source, header, table, page)
            yield b"".join(await list_in_slices((to_line(table, row) for row in page), size=_SLICE))
            n_done += len(page)
            first = last_id(page, first - 1) + 1
            n_rows = header.n_rows[table]
            tell(CopyProgress(step="export", table=table, n_done=n_done, n_rows=n_rows))
    yield END


async def _as_it_was(source: Driver, header: Header, table: str, page: list[Row]) -> list[Row]:
    """Return rows without references to what was added since the export began, because that is not in it."""
    later = [
        (row, place, its_table)
        for place, its_table in references(table)
        for row in page
        if type(row[place]) is int and row[place] > (header.last_ids[its_table] or 0)
    ]
    if not later:
        return page
    used = await used_ids(source)
    changed = {row[0]: [*row] for row, _, _ in later}
    for row, place, its_table in later:
        if row[place] <= (used[its_table] or 0):
            changed[row[0]][place] = None
    return [tuple(changed.get(row[0], row)) for row in page]


# --- going on ----------------------------------------------------------------------------------


async def _require_source(source: Driver, header: Header) -> None:
    """Refuse to go on with an export of ids that this database has never used."""
    used = await used_ids(source)
    if any((its or 0) > (used[table] or 0) for table, its in header.last_ids.items()):
        raise InvalidInputError("resume", _ANOTHER)


async def _require_row(source: Driver, table: str, row: Row) -> None:
    """Refuse to go on after a row that is another one here; one that is not here may have been deleted since."""
    found = await read_page(source, table, row[0], row[0])
    if found and not is_one_row(table, row, found[0]):
        raise InvalidInputError("resume", _ANOTHER)


def _read_row(line: bytes) -> tuple[str, Row] | None:
    """Return the table and the row of a line; ``None`` for the first line."""
    values = read_line(line, 2)
    if values.get("memrepo") == "export":
        return None
    table = values.pop("table", None)
    if not isinstance(table, str) or table not in queries.TABLES:
        raise InvalidInputError("resume", _NO_ROW)
    try:
        return table, to_row(table, values, 2)
    except InvalidInputError:
        raise InvalidInputError("resume", _NO_ROW) from None
