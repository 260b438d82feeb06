"""Translate the errors of aiohttp, and drop a session that was never closed."""

from __future__ import annotations

import aiohttp

from memrepo.connection.credentials import Credentials
from memrepo.connection.hrana.errors import deadline, lost
from memrepo.errors import DatabaseError

__all__ = ["drop_session", "failed"]


def drop_session(session: aiohttp.ClientSession) -> None:
    """Close a session whose event loop has stopped, so that aiohttp does not warn about it."""
    connector = session.connector
    session.detach()
    if connector is not None:
        # Without a loop the coroutine can only run to its first wait, by when the sockets are closed.
        next(connector.close().__await__(), None)


def failed(error: BaseException, credentials: Credentials) -> DatabaseError:
    """Return our error for one of aiohttp's, which is its cause unless it quotes the token."""
    ours = _failed(error)
    ours.__cause__ = credentials.without(error)
    return ours


def _failed(error: BaseException) -> DatabaseError:
    if isinstance(error, aiohttp.ClientSSLError):
        ours = lost(error, was_sent=False)
        ours.retryable = False  # waiting does not repair a certificate
        return ours
    if isinstance(error, aiohttp.ConnectionTimeoutError | aiohttp.ClientConnectorError):
        return lost(error, was_sent=False)
    if isinstance(error, TimeoutError):
        return deadline(error)
    return lost(error, was_sent=True)
