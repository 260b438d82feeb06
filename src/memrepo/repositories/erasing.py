"""Delete everything of one scope, in units that others can come between."""

from __future__ import annotations

from typing import Final

from memrepo.connection.contract import Connection
from memrepo.domain.scopes import EraseReport
from memrepo.errors import ConstraintError
from memrepo.queries import erasing as queries
from memrepo.queries.statement import Statement
from memrepo.repositories.references import find_references, still_referred

__all__ = ["erase_scope"]

#: Rows deleted in one unit.
_BATCH: Final = 500


async def erase_scope(connection: Connection, scope: str) -> EraseReport:
    """Delete every event, session and fact of a scope; see `ScopedStore.erase`."""
    # Before anything is deleted; what comes later is noticed, too, when a unit fails.
    if tables := await find_references(connection, scope):
        raise still_referred("rows of this scope", tables)
    try:
        (n_events,) = await _delete_all(connection, scope, queries.EVENTS)
        n_late, n_sessions = await _delete_all(
            connection, scope, queries.SESSIONS_EVENTS, queries.SESSIONS
        )
        (n_facts,) = await _delete_all(connection, scope, queries.FACTS)
    except ConstraintError as error:
        if error.kind != "foreign key":
            raise
        tables = await find_references(connection, scope)
        raise still_referred("rows of this scope", tables) from error
    return EraseReport(n_facts=n_facts, n_sessions=n_sessions, n_events=n_events + n_late)


async def _delete_all(connection: Connection, scope: str, *statements: Statement) -> list[int]:
    """Run the statements as a unit until the last one finds no more; return what each has deleted."""
    unit = tuple(statement.bind(scope=scope, limit=_BATCH) for statement in statements)
    totals = [0] * len(unit)
    while True:
        results = await connection.write(unit)
        totals = [total + result.changes for total, result in zip(totals, results, strict=True)]
        if results[-1].changes < _BATCH:
            return totals
