"""What does no harm twice, a read or the beginning of a transaction, is tried until it succeeds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from memrepo.connection.backoff import retry
from memrepo.connection.hrana.errors import again
from memrepo.errors import DatabaseError

__all__ = ["repeat"]


async def repeat(attempt: Callable[[], Awaitable[None]], deadline: float) -> None:
    """
    Make *attempt* until it succeeds, or the loop's time reaches *deadline*.

    Raises:
        MemrepoError: That of the last attempt. Its outcome is never unknown.
    """
    try:
        await retry(attempt, deadline, is_temporary=_is_temporary)
    except DatabaseError as error:
        raise again(error, outcome_unknown=False) from error.__cause__


def _is_temporary(error: Exception) -> bool:
    return isinstance(error, DatabaseError) and error.retryable
