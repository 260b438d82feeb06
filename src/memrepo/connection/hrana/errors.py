"""
Translate a server's errors into memrepo's.

SQLite's code decides where there is one. sqld has one code for all constraints, and a replica one
code for all errors of its primary: there the fixed texts of the server decide.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Final, ParamSpec, TypeVar

from memrepo.connection.errors import refused_row, statement_failed
from memrepo.errors import (
    AuthenticationError,
    BusyError,
    ConnectionLostError,
    CorruptDatabaseError,
    DatabaseError,
    DeadlineError,
    MemrepoError,
    ReadOnlyError,
    StorageFullError,
)
from memrepo.queries.statement import Statement

__all__ = [
    "ServerError",
    "again",
    "deadline",
    "has_status",
    "is_too_large",
    "lost",
    "of_status",
    "reads_answer",
    "refused",
    "translate",
    "unclear",
]


E = TypeVar("E", bound=MemrepoError)
P = ParamSpec("P")
T = TypeVar("T")


class ServerError(Exception):
    """What a server said of a failure; the cause of our errors."""

    def __init__(
        self,
        code: str,
        message: str,
        extended_code: str = "",
        *,
        status: int | None = None,
        statement: Statement | None = None,
    ) -> None:
        super().__init__(f"{code}: {message}")
        #: ``SQLITE_BUSY``, ``TRANSACTION_TIMEOUT``, ``HTTP 503``.
        self.code = code
        #: The server's sentence.
        self.message = message
        #: ``SQLITE_CONSTRAINT_UNIQUE`` where the server gives it.
        self.extended_code = extended_code
        #: The status of the HTTP response; ``None`` for an error that came inside a reply.
        self.status = status
        #: The statement that failed; ``None`` if it is not known.
        self.statement = statement


_CONSTRAINTS: Final = {
    "SQLITE_CONSTRAINT_UNIQUE": "unique",
    "SQLITE_CONSTRAINT_PRIMARYKEY": "unique",
    "SQLITE_CONSTRAINT_FOREIGNKEY": "foreign key",
    "SQLITE_CONSTRAINT_NOTNULL": "not null",
    "SQLITE_CONSTRAINT_CHECK": "check",
}
_constraint = re.compile(r"\b(UNIQUE|NOT NULL|CHECK|FOREIGN KEY) constraint failed").search
_is_busy_text = re.compile(r"\bdatabase (table )?is locked\b").search
# What a replica says when its primary has ended a transaction.
_is_timed_out_text = re.compile(r"\b[Tt]ransaction timed[- ]out\b").search

_ERRORS: Final[dict[str, tuple[type[DatabaseError], str]]] = {
    "SQLITE_BUSY": (BusyError, "the database is locked by another writer"),
    "SQLITE_LOCKED": (BusyError, "a table of the database is locked"),
    "TRANSACTION_BUSY": (BusyError, "the server has too many transactions"),
    "TRANSACTION_TIMEOUT": (DeadlineError, "the server ended a transaction that took too long"),
    "STREAM_EXPIRED": (ConnectionLostError, "the server ended a transaction that was idle"),
    "STREAM_LOST": (ConnectionLostError, "the server lost the transaction"),
    "SQLITE_FULL": (StorageFullError, "the storage is full"),
    "SQLITE_READONLY": (ReadOnlyError, "the database cannot be written"),
    "BLOCKED": (ReadOnlyError, "the server blocks this database"),
    "SQLITE_CORRUPT": (CorruptDatabaseError, "the database is damaged"),
    "SQLITE_NOTADB": (CorruptDatabaseError, "the file is not a database"),
    "SQLITE_AUTH": (AuthenticationError, "the server does not allow it"),
    "RESPONSE_TOO_LARGE": (DatabaseError, "the answer is larger than the server sends"),
}
#: After these nothing is stored, so that the call can be repeated.
_RETRYABLE: Final = {"STREAM_EXPIRED", "STREAM_LOST"}


def translate(error: ServerError) -> MemrepoError:
    """Return our error for one that came inside a reply, as its cause: nothing was stored."""
    code = error.code
    if (kind := _constraint_kind(error)) is not None:
        return _because(refused_row(kind, error.message), error)
    if code.startswith("AUTH_"):
        return refused(error)
    if _is_busy_text(error.message):
        code = "SQLITE_BUSY"
    elif _is_timed_out_text(error.message):
        code = "TRANSACTION_TIMEOUT"
    family = "_".join(code.split("_")[:2])  # SQLITE_BUSY_SNAPSHOT is SQLITE_BUSY
    found, sentence = _ERRORS.get(code) or _ERRORS.get(family, (DatabaseError, "the server failed"))
    if found is DatabaseError and error.statement is not None and code not in _ERRORS:
        sentence = statement_failed(error.statement.name, error.statement.sql, error.message)
    ours = found(f"{sentence} ({error.code})")
    ours.retryable = ours.retryable or code in _RETRYABLE
    return _because(ours, error)


def _constraint_kind(error: ServerError) -> str | None:
    if kind := _CONSTRAINTS.get(error.extended_code):
        return kind
    if match := _constraint(error.message):
        return "unique" if match[1] == "UNIQUE" else match[1].lower()
    return "other" if error.code.startswith("SQLITE_CONSTRAINT") else None


def of_status(status: int, error: ServerError) -> MemrepoError:
    """Return our error for an HTTP response whose status is not 200."""
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return refused(error)
    if status == HTTPStatus.NOT_FOUND:
        return _because(DatabaseError("the server has no such database (HTTP 404)"), error)
    if error.code in _ERRORS:
        return translate(error)
    if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
        return _because(BusyError(f"the server is overloaded (HTTP {status})"), error)
    if "with primary broken" in error.message:
        return lost(error, was_sent=True)  # a replica lost the primary that the stream was on
    ours = DatabaseError(f"the server failed (HTTP {status})")
    # sqld was seen to answer a write that it had stored with a bare 500.
    ours.outcome_unknown = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    ours.retryable = status in (HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT)
    return _because(ours, error)


def refused(cause: BaseException | None) -> AuthenticationError:
    """Return the error for a token that the server does not accept, or not for this."""
    return _because(AuthenticationError("the server refused the token, or what was asked"), cause)


def lost(cause: BaseException | None, *, was_sent: bool) -> ConnectionLostError:
    """Return the error for a connection that broke, before or after the request *was sent*."""
    text = "the connection broke before the answer came" if was_sent else "cannot connect"
    name = "" if cause is None else f" ({type(cause).__name__})"
    error = ConnectionLostError(text + name)
    error.retryable = True
    error.outcome_unknown = was_sent
    return _because(error, cause)


def deadline(cause: BaseException | None) -> DeadlineError:
    """Return the error for an answer that did not come in time."""
    error = DeadlineError("the server did not answer in time")
    error.outcome_unknown = True
    return _because(error, cause)


#: What Python raises for an answer that is not what it should be.
_MALFORMED: Final = (
    AttributeError,
    LookupError,
    OverflowError,
    RecursionError,
    StopIteration,
    TypeError,
    ValueError,
)


def unclear(reason: BaseException) -> DatabaseError:
    """Return the error for an answer that is not understood; without a cause, which might quote it."""
    error = DatabaseError(f"no libSQL server, or an answer unknown to us ({type(reason).__name__})")
    error.outcome_unknown = True
    return error


def reads_answer(read: Callable[P, T]) -> Callable[P, T]:
    """Have a function that reads an answer raise `unclear` for one that is not what it should be."""

    @wraps(read)
    def checked(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return read(*args, **kwargs)
        except MemrepoError:
            raise
        except _MALFORMED as error:
            failure = unclear(error)
        raise failure  # only here, so that Python's error is not its context either

    return checked


def is_too_large(error: MemrepoError) -> bool:
    """Tell whether the answer was larger than the server sends."""
    cause = error.__cause__
    return isinstance(cause, ServerError) and cause.code == "RESPONSE_TOO_LARGE"


def has_status(error: MemrepoError, *statuses: int) -> bool:
    """Tell whether the server failed with one of these HTTP statuses and gave no better reason."""
    cause = error.__cause__
    is_reason = type(error) is DatabaseError  # a subclass stands for a reason that was recognised
    return is_reason and isinstance(cause, ServerError) and cause.status in statuses


def again(error: DatabaseError, *, outcome_unknown: bool) -> DatabaseError:
    """Return the same error for another caller, so that each raises one of its own."""
    copy = type(error)(*error.args)
    copy.retryable = error.retryable
    copy.outcome_unknown = outcome_unknown
    copy.__cause__ = error.__cause__
    return copy


def _because(ours: E, cause: BaseException | None) -> E:
    ours.__cause__ = cause
    return ours
