"""
Every error that memrepo raises.

::

    MemrepoError
    ├── UsageError                 the caller's mistake; nothing was sent to the database
    │   ├── InvalidInputError
    │   │   └── RefusedError
    │   ├── ClosedError
    │   ├── WrongLoopError
    │   ├── TransactionError
    │   └── UnsupportedURLError
    ├── NotFoundError
    ├── ConflictError
    ├── ConstraintError
    ├── DecodeError
    ├── DatabaseError              the database could not do it
    │   ├── BusyError
    │   ├── StorageFullError
    │   ├── ReadOnlyError
    │   ├── CorruptDatabaseError
    │   ├── ConnectionLostError
    │   ├── DeadlineError
    │   └── AuthenticationError
    └── MigrationError

The database's own exception is the ``__cause__``. Messages never hold stored text, parameters or tokens.

That of a `DatabaseError` names the file. So it is for those who look after the program, and not for the users of a
service.
"""

from __future__ import annotations

__all__ = [
    "AuthenticationError",
    "BusyError",
    "ClosedError",
    "ConflictError",
    "ConnectionLostError",
    "ConstraintError",
    "CorruptDatabaseError",
    "DatabaseError",
    "DeadlineError",
    "DecodeError",
    "InvalidInputError",
    "MemrepoError",
    "MigrationError",
    "NotFoundError",
    "ReadOnlyError",
    "RefusedError",
    "StorageFullError",
    "TransactionError",
    "UnsupportedURLError",
    "UsageError",
    "WrongLoopError",
]


class MemrepoError(Exception):
    """Every error of this library is one of these."""


class UsageError(MemrepoError):
    """The program asked for something that cannot be done; nothing was sent to the database."""


class InvalidInputError(UsageError, ValueError):
    """An argument has a type or a value that is not accepted."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        #: The argument's name, and the place inside it if there is one: ``event_data.steps[3]``.
        self.field = field
        #: What is wrong with it, without its value.
        self.reason = reason

    def __reduce__(self) -> tuple[type[InvalidInputError], tuple[str, str]]:
        return type(self), (self.field, self.reason)


class RefusedError(InvalidInputError):
    """The store's guard, `on_remember` of `connect`, refused a text or data; nothing was sent to the database."""


class ClosedError(UsageError):
    """The store was closed, or is being closed."""


class WrongLoopError(UsageError):
    """The store, or the pool, belongs to another event loop or to the process before a fork, or asyncio does not run."""


class TransactionError(UsageError):
    """A transaction was nested, bypassed from inside its block, or used after its end."""


class UnsupportedURLError(UsageError):
    """The URL names a database or an option that memrepo does not open."""


class NotFoundError(MemrepoError, LookupError):
    """There is no such row in this scope, or it is forgotten, expired or only proposed."""


class ConflictError(MemrepoError):
    """The row's state does not allow the call: a session is active, or a fact is already superseded."""

    def __init__(self, message: str, other_id: int | None = None) -> None:
        super().__init__(message)
        #: The id of the fact that is in the way, where it is another one.
        self.other_id = other_id

    def __reduce__(self) -> tuple[type[ConflictError], tuple[str, int | None]]:
        return type(self), (str(self), self.other_id)


class ConstraintError(MemrepoError):
    """The database refused a row that breaks one of its constraints."""

    def __init__(self, kind: str, place: str = "") -> None:
        super().__init__(
            f"the database refused the row: {kind} constraint{place and f' on {place}'}"
        )
        #: ``"unique"``, ``"foreign key"``, ``"not null"``, ``"check"`` or ``"other"``.
        self.kind = kind
        #: What it is on, in SQLite's words: ``contacts.scope, contacts.name``, or the name or the text of a
        #: check. ``""`` where SQLite does not say, as for foreign keys.
        self.place = place

    def __reduce__(self) -> tuple[type[ConstraintError], tuple[str, str]]:
        return type(self), (self.kind, self.place)


class DecodeError(MemrepoError):
    """Another program's instant, after which a page would have to begin, is no text; or a framework's event was changed."""


class DatabaseError(MemrepoError):
    """The database failed; ``__cause__`` says how."""

    #: Whether the same call may succeed later.
    retryable: bool = False
    #: Whether the rows may have been stored in spite of the error. Most calls store nothing twice when they are
    #: repeated, but some do something again: docs/how-to/retries.md has a table.
    outcome_unknown: bool = False


class BusyError(DatabaseError):
    """Another writer held the database for longer than ``lock_timeout_s``."""

    retryable = True


class StorageFullError(DatabaseError):
    """The disk, the quota or the database's page limit is full."""

    retryable = True


class ReadOnlyError(DatabaseError):
    """The database, its folder or its file system is not writable."""


class CorruptDatabaseError(DatabaseError):
    """The file is damaged, or it is not a database at all."""


class ConnectionLostError(DatabaseError):
    """Connection lost. Reopen a file store; server stores reconnect by themselves."""


class DeadlineError(DatabaseError):
    """The server did not answer in time, or ended a transaction that took too long."""

    retryable = True


class AuthenticationError(DatabaseError):
    """The server refused the token, or the token does not permit the call."""


class MigrationError(MemrepoError):
    """The schema cannot be migrated; the migration that the message names was not applied."""
