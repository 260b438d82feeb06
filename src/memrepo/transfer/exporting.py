"""Export every row of a database, or of one scope, as lines."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from typing import Final

from memrepo.connection.contract import Driver
from memrepo.connection.waiting import list_in_slices
from memrepo.domain.checks import LOWEST_ID
from memrepo.domain.hashing import SameFact
from memrepo.domain.paging import last_id
from memrepo.errors import InvalidInputError
from memrepo.queries import copying as queries
from memrepo.transfer.copy import CopyProgress, OnProgress, require_utf8
from memrepo.transfer.lines import END, Header, read_line, to_line
from memrepo.transfer.pages import read_page

__all__ = ["export_rows", "new_header"]

#: Rows turned into lines before other tasks have their turn: about half a millisecond.
_SLICE: Final = 50


async def new_header(
    source: Driver, *, schema_version: int, same_fact: SameFact, scope: str | None, now: str
) -> Header:
    """Return the header of an export of what there is now."""
    await require_utf8(source)
    ((*bounds,),) = await source.read(queries.BOUNDS.bind())
    highest, counts = bounds[::2], bounds[1::2]
    if scope is not None:
        ((*counts,),) = await source.read(queries.COUNTS_OF_SCOPE.bind(scope=scope))
    return Header(
        id=secrets.token_hex(16),
        exported_at=now,
        schema_version=schema_version,
        same_fact=same_fact,
        scope=scope,
        n_rows=dict(zip(queries.TABLES, counts, strict=True)),
        last_ids=dict(zip(queries.TABLES, highest, strict=True)),
    )


async def export_rows(
    source: Driver, header: Header, last_line: bytes | None, tell: OnProgress
) -> AsyncIterator[bytes]:
    """Yield the lines after *last_line*, or all of them, as parts of up to a thousand lines."""
    if last_line == END.rstrip():
        return
    if last_line is None:
        yield header.to_line()
    table_done, id_done = _place(last_line)
    tables = [*queries.TABLES]
    for table in tables[tables.index(table_done) if table_done else 0 :]:
        first = id_done + 1 if table == table_done else LOWEST_ID
        n_done = 0
        last = LOWEST_ID if (its_last := header.last_ids[table]) is None else its_last
        while page := await read_page(source, table, first, last, header.scope):
            yield b"".join(await list_in_slices((to_line(table, row) for row in page), size=_SLICE))
            n_done += len(page)
            first = last_id(page, first - 1) + 1
            n_rows = header.n_rows[table]
            tell(CopyProgress(step="export", table=table, n_done=n_done, n_rows=n_rows))
    yield END


def _place(line: bytes | None) -> tuple[str | None, int]:
    """Return the table and the id of a line; no table for the first line."""
    if line is None:
        return None, LOWEST_ID
    values = read_line(line, 2)
    if values.get("memrepo") == "export":
        return None, LOWEST_ID
    table, number = values.get("table"), values.get("id")
    if not isinstance(table, str) or table not in queries.TABLES or type(number) is not int:
        raise InvalidInputError("resume", "is no row of an export")
    return table, number
