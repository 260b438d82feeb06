"""Delete everything of one scope, in units that others can come between."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from memrepo.connection.contract import Connection
from memrepo.domain.codec import Row, Value
from memrepo.domain.jsontext import to_compact_json
from memrepo.domain.scopes import EraseReport
from memrepo.errors import ConstraintError, DatabaseError
from memrepo.queries import erasing as queries
from memrepo.queries.statement import Unit
from memrepo.repositories.references import find_references, still_referred

__all__ = ["erase_scope"]

#: Most rows of one unit, and the length of their texts after which it ends: with `secure_delete`, SQLite
#: writes as much as it deletes.
_ROWS: Final = 500
_LENGTH: Final = 1_000_000


async def erase_scope(connection: Connection, scope: str) -> EraseReport:
    """Delete every event, session and fact of a scope; see `ScopedStore.erase`."""
    # Before anything is deleted; what comes later is noticed, too, when a unit fails.
    if tables := await find_references(connection, scope):
        raise still_referred("rows of this scope", tables)
    n_deleted: Counter[str] = Counter()
    try:
        for table in queries.TABLES:
            n_deleted += await _delete_all(connection, scope, table)
    except ConstraintError as error:
        if error.kind != "foreign key":
            raise
        tables = await find_references(connection, scope)
        raise still_referred("rows of this scope", tables) from error
    return EraseReport(
        n_facts=n_deleted["memory_entries"],
        n_sessions=n_deleted["sessions"],
        n_events=n_deleted["daily_logs"],
    )


async def _delete_all(connection: Connection, scope: str, table: str) -> Counter[str]:
    """Delete until no more rows are found; return how many rows of which table were deleted."""
    n_deleted: Counter[str] = Counter()
    before: list[Row] = []
    finding = queries.some(table).bind(scope=scope, limit=_ROWS)
    while rows := await connection.read(finding):
        if rows == before:  # as a trigger of another program may have it
            raise DatabaseError("the database does not delete the rows of this scope")
        for ids in _parts(rows):
            *late, own = await connection.write(_unit(table, {"scope": scope, "ids": ids}))
            n_deleted[table] += own.changes
            n_deleted["daily_logs"] += sum(result.changes for result in late)
        before = rows
    return n_deleted


def _parts(rows: list[Row]) -> Iterator[str]:
    """Yield the ids of as many rows as one unit may delete, as JSON arrays."""
    part: list[int] = []
    length = 0
    for number, its_length in rows:
        part.append(number)
        length += its_length
        if length >= _LENGTH:
            yield to_compact_json(part)
            part, length = [], 0
    if part:
        yield to_compact_json(part)


def _unit(table: str, place: dict[str, Value]) -> Unit:
    own = queries.delete(table).bind(**place)
    if table != "sessions":
        return (own,)
    # Together with the events that were appended to them since.
    return queries.EVENTS_OF_SESSIONS.bind(**place), own
