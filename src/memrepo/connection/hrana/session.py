"""aiohttp's sessions: their errors as ours, and how to let go of one."""

from __future__ import annotations

import aiohttp

from memrepo.connection.hrana.errors import deadline, lost
from memrepo.errors import DatabaseError

__all__ = ["drop_session", "failed"]


def drop_session(session: aiohttp.ClientSession) -> None:
    """Close a session whose event loop runs no more, so that nobody complains that it is open."""
    connector = session.connector
    session.detach()
    if connector is not None:
        # As far as it goes without a loop: that is all there is to do.
        next(connector.close().__await__(), None)


def failed(error: Exception) -> DatabaseError:
    """Return our error for one of aiohttp's."""
    if isinstance(error, aiohttp.ClientSSLError):
        ours = lost(error, was_sent=False)
        ours.retryable = False  # a certificate does not become good by waiting
        return ours
    if isinstance(error, aiohttp.ConnectionTimeoutError | aiohttp.ClientConnectorError):
        return lost(error, was_sent=False)
    if isinstance(error, TimeoutError):
        return deadline(error)
    return lost(error, was_sent=True)
