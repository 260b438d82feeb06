"""Create and delete the namespaces of a libSQL server through its admin API."""

from __future__ import annotations

from http import HTTPStatus
from ssl import SSLContext
from types import SimpleNamespace
from typing import Final

import aiohttp

from memrepo.connection.credentials import Credentials
from memrepo.connection.hrana.errors import of_status
from memrepo.connection.hrana.messages import read_refusal
from memrepo.connection.hrana.session import failed
from memrepo.connection.server_url import ServerLocation
from memrepo.errors import ConflictError, NotFoundError

__all__ = ["HttpNamespaces"]

#: Seconds to connect.
_CONNECT_S: Final = 5.0


class HttpNamespaces:
    """Creates and deletes the namespaces of one server; keeps no connection open."""

    def __init__(
        self,
        location: ServerLocation,
        credentials: Credentials,
        ssl: SSLContext | None,
        timeout_s: float,
    ) -> None:
        """Make ready; nothing is sent yet. The token is the server's ``--admin-auth-key``."""
        self._location = location
        self._credentials = credentials
        self._ssl: SSLContext | bool = True if ssl is None else ssl
        self._timeout_s = timeout_s

    async def create(self, name: str) -> None:
        """
        Create an empty namespace.

        Raises:
            ConflictError: It exists already.
            DatabaseError: The server did not do it; ``outcome_unknown`` tells whether it may have.
        """
        status, answer = await self._send("POST", f"{name}/create")
        # The server has no code for this, only this text.
        if status == HTTPStatus.BAD_REQUEST and b"already exists" in answer:
            raise ConflictError("the tenant already exists")
        self._require_ok(status, answer)

    async def delete(self, name: str) -> None:
        """
        Delete a namespace with all that is in it.

        Raises:
            NotFoundError: It does not exist.
            DatabaseError: The server did not do it; ``outcome_unknown`` tells whether it may have.
        """
        status, answer = await self._send("DELETE", name)
        if status == HTTPStatus.NOT_FOUND and b"doesn't exist" in answer:
            raise NotFoundError("no such tenant")
        self._require_ok(status, answer)

    def _require_ok(self, status: int, answer: bytes) -> None:
        if status != HTTPStatus.OK:
            raise of_status(status, read_refusal(status, answer, self._credentials.hide))

    async def _send(self, method: str, path: str) -> tuple[int, bytes]:
        headers: dict[str, str] = {}
        if (token := await self._credentials.token()) is not None:
            headers["Authorization"] = f"Basic {token}"
        timeout = aiohttp.ClientTimeout(total=self._timeout_s, sock_connect=_CONNECT_S)
        try:
            async with (
                aiohttp.ClientSession(
                    cookie_jar=aiohttp.DummyCookieJar(), trace_configs=[_one_connection()]
                ) as session,
                session.request(
                    method,
                    f"{self._location.root}/v1/namespaces/{path}",
                    json={} if method == "POST" else None,
                    headers=headers,
                    timeout=timeout,
                    ssl=self._ssl,
                    allow_redirects=False,  # they would take the token elsewhere
                ) as response,
            ):
                return response.status, await response.read()
        except (aiohttp.ClientError, OSError, RuntimeError) as error:
            failure = failed(error, self._credentials)
        raise failure  # only here, so that aiohttp's error, which may quote the token, is not its context


def _one_connection() -> aiohttp.TraceConfig:
    """
    Let a session connect only once, because aiohttp resends a DELETE whose answer is lost.

    The second DELETE would be told that there is no such namespace, which the first one has deleted.
    """
    n_connections = 0

    async def refuse_second(
        _session: aiohttp.ClientSession,
        _context: SimpleNamespace,
        _parameters: aiohttp.TraceConnectionCreateStartParams,
    ) -> None:
        nonlocal n_connections
        n_connections += 1
        if n_connections > 1:
            raise aiohttp.ClientConnectionError("the answer was lost")

    config = aiohttp.TraceConfig()
    config.on_connection_create_start.append(refuse_second)
    return config
