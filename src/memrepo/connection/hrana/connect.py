"""
Choose the transport that a URL needs, and import it.

aiohttp and libsql-client belong to extras: ``import memrepo`` must work without them, and so must
every module that other rooms import. So the modules that use them are imported here and nowhere
else, by name, when the first server is opened. That happens on a thread, since importing aiohttp
takes a third of a second. A package that is missing becomes a UsageError that says what to install.
"""

from __future__ import annotations

import asyncio
from importlib import import_module
from ssl import SSLContext
from typing import TYPE_CHECKING, Any, Protocol

from memrepo.connection.credentials import Credentials
from memrepo.connection.server_url import ServerLocation
from memrepo.errors import UsageError

if TYPE_CHECKING:
    from memrepo.connection.hrana.transport import Transport

__all__ = ["Namespaces", "open_namespaces", "open_transport"]


class Namespaces(Protocol):
    """Creates and deletes the databases of a server."""

    async def create(self, name: str) -> None:
        """Create an empty database; ConflictError if it exists."""
        ...

    async def delete(self, name: str) -> None:
        """Delete a database with all that is in it; NotFoundError if it does not exist."""
        ...


async def open_transport(
    location: ServerLocation, credentials: Credentials, ssl: SSLContext | None
) -> Transport:
    """
    Return the transport for *location*; it connects when it is first used.

    Raises:
        UsageError: A package is missing. The message says how to install it.
    """
    transport: Transport
    if location.is_websocket:
        module = await _import("ws.transport", location.scheme, "libsql")
        transport = module.WebSocketTransport(location, credentials, ssl)
    else:
        module = await _import("http", location.scheme, "turso")
        transport = module.HttpTransport(location, credentials, ssl)
    return transport


async def open_namespaces(
    location: ServerLocation, credentials: Credentials, ssl: SSLContext | None, timeout_s: float
) -> Namespaces:
    """
    Return the client of a server's admin API; it connects when it is first used.

    Raises:
        UsageError: A package is missing. The message says how to install it.
    """
    module = await _import("namespaces", location.scheme, "turso")
    namespaces: Namespaces = module.HttpNamespaces(location, credentials, ssl, timeout_s)
    return namespaces


async def _import(module: str, scheme: str, extra: str) -> Any:
    try:
        return await asyncio.to_thread(import_module, f"memrepo.connection.hrana.{module}")
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{scheme}: URLs need a package that is not installed: pip install 'memrepo[{extra}]'"
        ) from error
