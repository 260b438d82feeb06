"""Errors that are the same on every engine."""

from __future__ import annotations

from memrepo.errors import ClosedError, TransactionError

__all__ = ["closed", "rolled_back"]


def closed() -> ClosedError:
    """Return the error for a call that was waiting when the store was closed, or came later."""
    return ClosedError("the store was closed before this could run")


def rolled_back() -> TransactionError:
    """Return the error for a call in a transaction that the database has rolled back."""
    return TransactionError("the database has rolled this transaction back")
