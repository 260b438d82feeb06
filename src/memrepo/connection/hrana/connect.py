"""Which transport a URL needs, and the packages of that transport, which the core does without."""

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
    """Makes and deletes the databases of a server."""

    async def create(self, name: str) -> None:
        """Make an empty database; ConflictError if it is there already."""
        ...

    async def delete(self, name: str) -> None:
        """Delete a database with all that is in it; NotFoundError if it is not there."""
        ...


async def open_transport(
    location: ServerLocation, credentials: Credentials, ssl: SSLContext | None
) -> Transport:
    """
    Make the transport for *location*; it connects when it is used.

    Raises:
        UsageError: A package is missing. The message says how to install it.
    """
    if location.is_websocket:
        module, name, extra = (
            "memrepo.connection.hrana.ws.transport",
            "WebSocketTransport",
            "libsql",
        )
    else:
        module, name, extra = "memrepo.connection.hrana.http", "HttpTransport", "turso"
    make = getattr(await _import(module, location.scheme, extra), name)
    transport: Transport = make(location, credentials, ssl)
    return transport


async def open_namespaces(
    location: ServerLocation, credentials: Credentials, ssl: SSLContext | None, timeout_s: float
) -> Namespaces:
    """
    Make the client of a server's admin API; it connects when it is used.

    Raises:
        UsageError: A package is missing. The message says how to install it.
    """
    module = await _import("memrepo.connection.hrana.namespaces", location.scheme, "turso")
    namespaces: Namespaces = module.HttpNamespaces(location, credentials, ssl, timeout_s)
    return namespaces


async def _import(module: str, scheme: str, extra: str) -> Any:
    try:
        # On a thread: importing an HTTP client takes a third of a second.
        return await asyncio.to_thread(import_module, module)
    except ModuleNotFoundError as error:
        raise UsageError(
            f"{scheme}: URLs need a package that is not installed: pip install 'memrepo[{extra}]'"
        ) from error
