"""Translate SQLite's errors into memrepo's, by result code, never by text."""

from __future__ import annotations

import errno
import sqlite3
from typing import Final

from memrepo.connection.errors import refused_row, statement_failed
from memrepo.errors import (
    BusyError,
    ConnectionLostError,
    CorruptDatabaseError,
    DatabaseError,
    MemrepoError,
    ReadOnlyError,
    StorageFullError,
)
from memrepo.queries.statement import Statement

__all__ = [
    "file_lost",
    "is_busy",
    "is_storage",
    "lacks_function",
    "primary_code",
    "translate",
    "worker_failed",
]

# https://sqlite.org/rescode.html; the low byte is the primary code.
_PRIMARY: Final = 0xFF

_ERRORS: Final[dict[int, tuple[type[DatabaseError], str]]] = {
    sqlite3.SQLITE_BUSY: (BusyError, "the database is locked by another writer"),
    sqlite3.SQLITE_PROTOCOL: (BusyError, "the database is locked by other processes"),
    sqlite3.SQLITE_LOCKED: (BusyError, "a table of the database is locked"),
    sqlite3.SQLITE_FULL: (StorageFullError, "the storage is full"),
    sqlite3.SQLITE_READONLY_DBMOVED: (
        ConnectionLostError,
        "the database file was removed or replaced",
    ),
    sqlite3.SQLITE_READONLY: (ReadOnlyError, "the database cannot be written"),
    sqlite3.SQLITE_PERM: (ReadOnlyError, "the database cannot be written"),
    sqlite3.SQLITE_CORRUPT: (CorruptDatabaseError, "the database file is damaged"),
    sqlite3.SQLITE_NOTADB: (CorruptDatabaseError, "the file is not a database"),
    sqlite3.SQLITE_CANTOPEN: (DatabaseError, "the database file cannot be opened"),
    sqlite3.SQLITE_IOERR: (DatabaseError, "reading or writing the database file failed"),
    # Otherwise only cancelled calls are interrupted, and nobody sees their errors.
    sqlite3.SQLITE_INTERRUPT: (
        DatabaseError,
        "while the store was opened, a statement took longer than lock_timeout_s: is a trigger endless?",
    ),
}

_UNKNOWN: Final = (DatabaseError, "the database failed")

_CONSTRAINTS: Final = {
    sqlite3.SQLITE_CONSTRAINT_UNIQUE: "unique",
    sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY: "unique",
    sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY: "foreign key",
    sqlite3.SQLITE_CONSTRAINT_NOTNULL: "not null",
    sqlite3.SQLITE_CONSTRAINT_CHECK: "check",
}


def is_busy(error: BaseException) -> bool:
    """Tell whether the statement failed only because another process holds a lock."""
    # SQLITE_PROTOCOL: too many processes began to read a WAL file at the same moment.
    return primary_code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_PROTOCOL)


def is_storage(error: BaseException) -> bool:
    """Tell whether writing to the disk failed: a commit with this error may have happened."""
    return primary_code(error) in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL)


def lacks_function(error: MemrepoError) -> bool:
    """
    Tell whether a statement of ours was refused because of the schema it met.

    Where an index calls a function that this SQLite does not have, as libSQL's vector index does, SQLite
    can neither rebuild the database nor check that index.
    """
    return primary_code(error.__cause__) == sqlite3.SQLITE_ERROR


def primary_code(error: BaseException | None) -> int:
    """Return SQLite's result code without its extension; 0 if the error is not SQLite's."""
    return _code(error) & _PRIMARY


def translate(
    error: sqlite3.Error | OSError,
    *,
    statement: Statement | None = None,
    outcome_unknown: bool = False,
) -> MemrepoError:
    """Return our error for SQLite's or the system's, with it as the cause; *statement* had it, if known."""
    code = _code(error)
    ours: MemrepoError
    if code & _PRIMARY == sqlite3.SQLITE_CONSTRAINT:
        ours = refused_row(_CONSTRAINTS.get(code, "other"), str(error))
    else:
        name = getattr(error, "sqlite_errorname", None) or _system_name(error)
        kind, sentence = _ERRORS.get(code) or _ERRORS.get(code & _PRIMARY, _UNKNOWN)
        if statement is not None and code & _PRIMARY not in _ERRORS:
            sentence = statement_failed(statement.name, statement.sql, str(error))
        ours = kind(f"{sentence} ({name})")
        ours.outcome_unknown = outcome_unknown
    ours.__cause__ = error
    return ours


def file_lost(*, outcome_unknown: bool = False) -> ConnectionLostError:
    """Return the error for a call on a file that was removed or replaced while it was open."""
    error = ConnectionLostError(
        "the database file was removed or replaced: close this store, open it anew"
    )
    error.outcome_unknown = outcome_unknown
    return error


def worker_failed(cause: BaseException) -> MemrepoError:
    """Return our error for whatever ended a job of the worker; see `translate` for SQLite's errors."""
    if isinstance(cause, MemrepoError):
        return cause
    if isinstance(cause, sqlite3.Error):
        return translate(cause)
    error = DatabaseError(f"the worker failed ({type(cause).__name__})")
    error.outcome_unknown = True
    error.__cause__ = cause
    return error


def _system_name(error: BaseException) -> str:
    number = error.errno if isinstance(error, OSError) else None
    return errno.errorcode.get(number or 0, type(error).__name__)


def _code(error: BaseException | None) -> int:
    return getattr(error, "sqlite_errorcode", 0)
