"""Errors that are the same on every engine."""

from __future__ import annotations

from memrepo.errors import ClosedError, DatabaseError, TransactionError

__all__ = ["closed", "cut_off", "rolled_back"]


def closed() -> ClosedError:
    """Return the error for a call that was waiting when the store was closed, or came later."""
    return ClosedError("the store was closed before this could run")


def cut_off() -> DatabaseError:
    """Return the error for a call whose work another task cancelled, or that lost its answer."""
    error = DatabaseError("the call was cut off")
    error.outcome_unknown = True
    return error


def rolled_back() -> TransactionError:
    """Return the error for a call in a transaction that the database has rolled back."""
    return TransactionError("the database has rolled this transaction back")
