"""Pages of raw rows: read, held against those of a target, and inserted where they are missing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

import attrs

from memrepo.connection.contract import Connection
from memrepo.domain.codec import Row, to_number
from memrepo.domain.paging import last_id
from memrepo.errors import ConflictError, ConstraintError
from memrepo.queries import copying as queries
from memrepo.transfer.rows import insertions

__all__ = [
    "PAGE_BYTES",
    "PAGE_ROWS",
    "Inserted",
    "Match",
    "Refuse",
    "count_rows",
    "insert_page",
    "match_page",
    "read_page",
]

#: Most rows of a page, and the bytes after which it ends: low enough for a server's limits even if the
#: last row is of the largest size.
PAGE_ROWS: Final = 1_000
PAGE_BYTES: Final = 1_000_000


#: Given the id of a row that the target cannot take, and why, returns the error that says so.
Refuse: TypeAlias = Callable[[int, str], ConflictError]


@attrs.frozen
class Match:
    """What the target has of a page of the source."""

    #: The ids of the rows that are the same there.
    same: frozenset[int]
    #: The rows there that have the id of another one.
    different: Mapping[int, Row]
    #: How many others there are between them.
    n_extra: int


@attrs.frozen
class Inserted:
    """What became of a page's rows in the target."""

    #: How many were inserted.
    n_new: int
    #: The ids of those that another row keeps out, in order.
    refused: tuple[int, ...]


async def read_page(
    connection: Connection, table: str, first: int, last: int, scope: str | None = None
) -> list[Row]:
    """Read the next rows with ids from *first* to *last*; only those of *scope*, if it is given."""
    if first > last:
        return []
    bounds = {"first": first, "last": last, "limit": PAGE_ROWS, "size": PAGE_BYTES}
    if scope is None:
        return await connection.read(queries.read(table).bind(**bounds))
    return await connection.read(queries.read(table, scoped=True).bind(**bounds, scope=scope))


async def count_rows(
    connection: Connection, table: str, first: int, last: int, scope: str | None = None
) -> int:
    """Count the rows with ids from *first* to *last*; only those of *scope*, if it is given."""
    bounds = {"first": first, "last": last}
    if scope is None:
        return to_number(await connection.read(queries.count(table).bind(**bounds)))
    scoped = queries.count(table, scoped=True).bind(**bounds, scope=scope)
    return to_number(await connection.read(scoped))


async def match_page(target: Connection, table: str, rows: list[Row], first: int) -> Match:
    """Look for *rows* among those of the target with ids from *first* to the last of *rows*."""
    wanted = {row[0]: row for row in rows}
    same: set[int] = set()
    different: dict[int, Row] = {}
    n_extra, last = 0, rows[-1][0]
    while found := await read_page(target, table, first, last):
        for row in found:
            if (mine := wanted.get(row[0])) is None:
                n_extra += 1
            elif row == mine:
                same.add(row[0])
            else:
                different[row[0]] = row
        first = last_id(found, first - 1) + 1
    return Match(frozenset(same), different, n_extra)


async def insert_page(target: Connection, table: str, rows: list[Row], refuse: Refuse) -> Inserted:
    """
    Insert *rows*, and say which of them were new.

    Raises:
        ConflictError: The target cannot take one of them; the error is what *refuse* returns for it.
    """
    if not rows:
        return Inserted(0, ())
    try:
        results = await target.write(tuple(insertions(table, rows)))
    except ConstraintError as error:
        if len(rows) > 1:
            each = [await insert_page(target, table, [row], refuse) for row in rows]
            refused = tuple(number for its in each for number in its.refused)
            return Inserted(sum(its.n_new for its in each), refused)
        raise refuse(rows[0][0], f"the target refuses it ({error.kind})") from error
    inserted = {number for result in results for (number,) in result.rows}
    # A row that was skipped has been stored meanwhile, or another row has its id, hash or key.
    passed_over = [row for row in rows if row[0] not in inserted]
    if not passed_over:
        return Inserted(len(inserted), ())
    match = await match_page(target, table, passed_over, passed_over[0][0])
    refused = tuple(row[0] for row in passed_over if row[0] not in match.same)
    return Inserted(len(inserted), refused)
