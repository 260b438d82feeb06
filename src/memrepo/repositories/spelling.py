"""Bring the instants of other programs to our spelling, in which the order of texts is that of time."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final

from memrepo.connection.contract import Connection
from memrepo.domain.checks import LOWEST_ID
from memrepo.domain.codec import Row
from memrepo.domain.instants import NO_INSTANT, encode_instant, parse_instant
from memrepo.domain.jsontext import to_compact_json
from memrepo.domain.paging import last_id
from memrepo.errors import ReadOnlyError
from memrepo.queries import spelling
from memrepo.queries.statement import BoundStatement

__all__ = ["prepare_purge", "respell_instants"]

_logger = logging.getLogger(__name__)

#: Rows corrected in one unit.
_BATCH: Final = 500


async def respell_instants(
    connection: Connection, tables: Iterable[str] = spelling.INSTANTS
) -> int:
    """
    Bring every instant that can be read to the spelling ``2026-02-02T14:16:24.123Z``.

    Statements compare instants as texts, and would take ``2026-02-02 14:16:24`` for an earlier time.
    The instant stays the same, to the millisecond; one without an offset is taken for UTC. What is no
    instant stays as it is. An interrupted run goes on the next time.

    Returns:
        How many instants were changed.
    """
    n_changed = 0
    (found,) = await connection.read(spelling.HAS_OTHER.bind(after=LOWEST_ID))
    has_other = dict(zip(spelling.INSTANTS, found, strict=True))
    for table in filter(has_other.get, tables):
        after = LOWEST_ID
        while rows := await connection.read(spelling.other(table).bind(after=after, limit=_BATCH)):
            if unit := _corrections(table, rows):
                n_changed += sum(result.changes for result in await connection.write(unit))
            after = last_id(rows, after)
    if n_changed:
        _logger.info(
            "%s: brought %d instants of other programs to memrepo's spelling", connection, n_changed
        )
    return n_changed


async def prepare_purge(connection: Connection, table: str, *, dry_run: bool) -> None:
    """Bring a table's instants to our spelling, so that a purge deletes, and counts, what is old."""
    try:
        await respell_instants(connection, (table,))
    except ReadOnlyError:
        if not dry_run:
            raise


def _corrections(table: str, rows: list[Row]) -> tuple[BoundStatement, ...]:
    unit: list[BoundStatement] = []
    for place, column in enumerate(spelling.INSTANTS[table], start=1):
        changes = [
            (row[0], row[place], spelt)
            for row in rows
            if (spelt := _spelt(row[place])) not in (None, row[place])
        ]
        if changes:
            unit.append(spelling.respell(table, column).bind(batch=to_compact_json(changes)))
    return tuple(unit)


def _spelt(stored: object) -> str | None:
    try:
        return encode_instant(parse_instant(stored))
    except NO_INSTANT:
        return None
