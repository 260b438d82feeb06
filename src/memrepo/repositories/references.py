"""Say which rows of other tables keep a row of ours from being deleted."""

from __future__ import annotations

from memrepo.connection.contract import Connection
from memrepo.domain.codec import Value
from memrepo.errors import ConflictError
from memrepo.queries import references as queries

__all__ = ["find_references", "still_referred"]


async def find_references(connection: Connection, scope: str, id: int | None = None) -> list[str]:
    """
    Return the tables with rows that refer to rows of a scope, by a foreign key that does not give way.

    Args:
        connection: What to read with.
        scope: Whose rows.
        id: Only the session with this id, and its events; every row of the scope if ``None``.
    """
    place: dict[str, Value] = {"scope": scope} if id is None else {"scope": scope, "id": id}
    found: list[str] = []
    for table, column, parent in await connection.read(queries.FOREIGN_KEYS.bind()):
        if id is not None and parent == "memory_entries":
            continue
        statement = queries.refers(table, column, parent, one_session=id is not None)
        if table not in found and await connection.read(statement.bind(**place)):
            found.append(table)
    return found


def still_referred(what: str, tables: list[str]) -> ConflictError:
    """Return the error for *what* cannot be deleted, because of rows in *tables*."""
    named = ", ".join(
        "daily_logs of another scope" if table == "daily_logs" else table for table in tables
    )
    return ConflictError(f"rows of {named or 'another table'} refer to {what}")
