"""An MCP server over HTTP: with a token, for the hosts that it is told."""

from __future__ import annotations

import hmac
import re
from collections.abc import Collection
from typing import Final

from mcp.server import MCPServer
from mcp.server.transport_security import TransportSecuritySettings
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from memrepo.domain.checks import check_names
from memrepo.errors import InvalidInputError
from memrepo.serving import LOOPBACK

__all__ = ["http_app"]

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
    if not isinstance(token, str):
        raise InvalidInputError("token", f"must be a str, not {type(token).__name__}")
    if not _is_token(token):
        raise InvalidInputError("token", "must have at least 16 characters, all visible ASCII")
    hosts = [host.lower() for host in check_names("allowed_hosts", allowed_hosts)]
    if not all(map(_is_host, hosts)):
        raise InvalidInputError(
            "allowed_hosts",
            "must be names, such as memory.example.org, or addresses, without ports",
        )
    origins = [f"{scheme}://{host}" for scheme in ("http", "https") for host in hosts]
    settings = TransportSecuritySettings(
        allowed_hosts=_with_ports(hosts), allowed_origins=_with_ports(origins)
    )
    return _Entrance(server.streamable_http_app(transport_security=settings), token)


def _with_ports(names: Collection[str]) -> list[str]:
    return [*names, *(f"{name}:*" for name in names)]


class _Entrance:
    """Passes on requests that have the token, with host names in lower case, and answers all others."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or run the app's lifespan."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif self._has_token(scope):
            await self._app({**scope, "headers": _folded(scope)}, receive, send)
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


def _folded(scope: Scope) -> list[tuple[bytes, bytes]]:
    """Return the headers with host names in lower case: names have no case, but the SDK compares it."""
    return [
        (name, value.lower() if name in {b"host", b"origin"} else value)
        for name, value in scope["headers"]
    ]
