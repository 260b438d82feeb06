"""Ask a server for its version, and for the settings of a database on it."""

from __future__ import annotations

from typing import Final

from memrepo.connection.contract import ConnectionInfo
from memrepo.connection.hrana import batch as batches
from memrepo.connection.hrana.errors import reads_answer
from memrepo.connection.hrana.transport import Transport
from memrepo.connection.hrana.values import MAX_VALUE_BYTES
from memrepo.connection.server_url import ServerLocation
from memrepo.domain.codec import Row
from memrepo.errors import DatabaseError
from memrepo.queries.statement import Statement

__all__ = ["MAX_REPLY_BYTES", "describe", "require_foreign_keys"]

#: Most bytes that a server sends in one answer by default (``--max-response-size``).
MAX_REPLY_BYTES: Final = 10_000_000

_STATE: Final = Statement(
    "info.state",
    "SELECT sqlite_version(),`p`.`page_count`*`z`.`page_size`,`j`.`journal_mode`,`s`.`synchronous`,"
    "(SELECT count(*) FROM pragma_module_list AS `m` WHERE `m`.`name`='fts5'),"
    "(SELECT count(*) FROM pragma_function_list AS `f` WHERE `f`.`name`='vector32') "
    "FROM pragma_page_count AS `p`,pragma_page_size AS `z`,pragma_journal_mode AS `j`,"
    "pragma_synchronous AS `s`",
)
# As a table-valued function, because a read-only token does not allow the pragma itself.
_FOREIGN_KEYS: Final = Statement(
    "info.foreign_keys", "SELECT `foreign_keys` FROM pragma_foreign_keys"
)

#: https://sqlite.org/pragma.html#pragma_synchronous
_DURABILITY: Final = {0: "none", 1: "normal", 2: "full", 3: "full"}


async def require_foreign_keys(transport: Transport, timeout_s: float) -> None:
    """
    Check that a libSQL server answers and that foreign keys are enforced.

    Raises:
        DatabaseError: They are not, or no libSQL server answers.
    """
    reply = await transport.run(batches.statements((_FOREIGN_KEYS.bind(),)), timeout_s=timeout_s)
    if reply.result().rows != [(1,)]:
        raise DatabaseError("the server does not check foreign keys")


async def describe(
    transport: Transport, location: ServerLocation, timeout_s: float
) -> ConnectionInfo:
    """Ask the server for its version, and the database for its pragmas."""
    reply = await transport.run(batches.statements((_STATE.bind(),)), timeout_s=timeout_s)
    return _to_info(
        reply.result().rows,
        location,
        server_version=await transport.server_version(timeout_s=timeout_s),
        protocol=transport.protocol,
    )


@reads_answer
def _to_info(
    rows: list[Row], location: ServerLocation, *, server_version: str, protocol: str
) -> ConnectionInfo:
    ((version, size_bytes, journal_mode, synchronous, n_fts5, n_vector32),) = rows
    return ConnectionInfo(
        engine="libsql",
        engine_version=version,
        path=None,
        url=str(location),
        server_version=server_version,
        protocol=protocol,
        durability=_DURABILITY.get(synchronous, "normal"),
        journal_mode=journal_mode,
        synchronous=synchronous,
        file_system=None,
        size_bytes=size_bytes,
        wal_size_bytes=0,
        has_wal_reset_bug=False,
        has_full_text_search=n_fts5 > 0,
        has_vectors=n_vector32 > 0,
        max_value_bytes=MAX_VALUE_BYTES,
        max_reply_bytes=MAX_REPLY_BYTES,
    )
