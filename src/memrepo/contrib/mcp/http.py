"""An MCP server over HTTP: with a token, for the hosts that it is told."""

from __future__ import annotations

import asyncio
import hmac
import re
import signal
import socket
from collections.abc import Collection
from contextlib import suppress
from typing import Final

import uvicorn
from mcp.server import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from memrepo.errors import InvalidInputError, UsageError

__all__ = ["LOOPBACK", "http_app", "listen", "serve"]

#: The names of this machine for itself.
LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")
#: Seconds that streams have for ending when the server is stopped.
_GRACE_S: Final = 5
_is_token: Final = re.compile(r"[!-~]{16,}").fullmatch
_is_host: Final = re.compile(r"[a-z0-9._-]+|\[[0-9a-f:.]+\]").fullmatch


def http_app(
    server: MCPServer, *, token: str, allowed_hosts: Collection[str] = LOOPBACK
) -> ASGIApp:
    """
    Return an ASGI app that serves an MCP server at ``/mcp``, by Streamable HTTP.

    Its lifespan must run: that of an app that is mounted does not by itself. Then let the program's own lifespan enter
    ``server.session_manager.run()``.

    Args:
        server: The server.
        token: What each request must have as ``Authorization: Bearer ...``: at least 16 visible ASCII characters, which
            nobody can guess. Otherwise the answer is 401.
        allowed_hosts: The names under which clients reach it, without ports. A request for another one, as of a web
            page that has its name point here (DNS rebinding), is answered with 421.

    Raises:
        InvalidInputError: *token* or *allowed_hosts* is not accepted.
    """
    if not _is_token(token):
        raise InvalidInputError("token", "must have at least 16 characters, all visible ASCII")
    hosts = [host.lower() for host in allowed_hosts]  # as clients send them
    if not all(map(_is_host, hosts)):
        raise InvalidInputError(
            "allowed_hosts",
            "must be names, such as memory.example.org, or addresses, without ports",
        )
    origins = [f"{scheme}://{host}" for scheme in ("http", "https") for host in hosts]
    settings = TransportSecuritySettings(
        allowed_hosts=_with_ports(hosts), allowed_origins=_with_ports(origins)
    )
    return _TokenRequired(server.streamable_http_app(transport_security=settings), token)


def _with_ports(names: Collection[str]) -> list[str]:
    return [*names, *(f"{name}:*" for name in names)]


class _TokenRequired:
    """Passes on requests that have the token, and answers all others."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or run the app's lifespan."""
        if scope["type"] == "lifespan" or self._has_token(scope):
            await self._app(scope, receive, send)
        else:
            refusal = PlainTextResponse(
                "a bearer token is needed", 401, {"WWW-Authenticate": "Bearer"}
            )
            await refusal(scope, receive, send)

    def _has_token(self, scope: Scope) -> bool:
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        if len(given) != 1:
            return False
        scheme, _, token = given[0].partition(b" ")
        # In constant time, so that it cannot be guessed byte by byte.
        return scheme.lower() == b"bearer" and hmac.compare_digest(token.strip(), self._token)


def listen(host: str, port: int) -> socket.socket:
    """
    Return a socket that listens on an address; port 0 is any that is free.

    Raises:
        UsageError: The address cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family)
    except OSError as error:
        raise UsageError(f"cannot listen on {host}, port {port}: {error.strerror}") from error
    # asyncio only turns Nagle's algorithm off where a socket says that it is of TCP: 40 ms for each answer.
    return socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP, listener.detach())


async def serve(app: ASGIApp, listener: socket.socket) -> None:
    """Serve an app on a socket until the process is told to stop."""
    config = uvicorn.Config(
        app,
        log_config=None,  # its own would write to stdout
        access_log=False,
        timeout_graceful_shutdown=_GRACE_S,
    )
    # uvicorn ends, and raises the signal once more: that must not end us before the store is closed.
    with suppress(NotImplementedError):  # on Windows
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, lambda: None)
    await uvicorn.Server(config).serve([listener])
