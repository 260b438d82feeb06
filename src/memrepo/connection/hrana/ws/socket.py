"""
Open libsql-client's sockets with our own options, and wait for their answers.

libsql-client opens a socket through a session of aiohttp that it is given. `Sockets` stands in for
that session, and adds headers, TLS, a larger limit for answers and a timeout for closing.
"""

from __future__ import annotations

import asyncio
from asyncio import Future
from ssl import SSLContext
from typing import Any, Final, cast

import aiohttp
import attrs
from libsql_client import LibsqlError  # pyright: ignore[reportMissingTypeStubs]
from libsql_client.hrana.conn import (  # pyright: ignore[reportMissingTypeStubs]
    HranaConn,
    HranaStream,
)

from memrepo.connection.hrana.values import Json
from memrepo.connection.waiting import see

__all__ = ["Link", "Socket", "Sockets"]

#: Seconds to wait for a server's part in closing a socket; a server that hangs never plays it.
_CLOSE_S: Final = 0.5
#: Most bytes of a message from the server, which sends at most 10 MB by default.
_MAX_REPLY_BYTES: Final = 64_000_000


@attrs.frozen
class Sockets:
    """What libsql-client takes for a session of aiohttp."""

    #: The session that opens the sockets.
    session: aiohttp.ClientSession
    #: The headers that each is opened with.
    headers: dict[str, str]
    #: The TLS context; ``True`` for the system's CAs.
    ssl: SSLContext | bool

    async def ws_connect(self, url: str, **options: Any) -> Any:
        """Open a socket."""
        return await self.session.ws_connect(  # pyright: ignore[reportUnknownVariableType]
            url,
            **options,
            headers=self.headers,
            ssl=self.ssl,
            max_msg_size=_MAX_REPLY_BYTES,
            timeout=aiohttp.ClientWSTimeout(ws_close=_CLOSE_S),  # pyright: ignore[reportCallIssue]
        )


class Socket(HranaConn):  # type: ignore[misc]  # libsql-client says nothing of its types
    """
    libsql-client's socket, which here also ends the calls whose answers it cannot read.

    It forgets a call before it reads the answer. If that fails, only the other calls would be told.
    """

    def __init__(self, sockets: Sockets, url: str, token: str | None) -> None:
        self._asked: set[Future[Any]] = set()
        super().__init__(cast(Any, sockets), url, token)

    def send_request(self, request: Any) -> Future[Any]:
        """Send a request; its future ends with the answer, or with the socket."""
        future: Future[Any] = super().send_request(request)
        # Otherwise asyncio logs an error that comes when nobody waits any more.
        future.add_done_callback(see)
        self._asked.add(future)
        future.add_done_callback(self._asked.discard)
        return future

    def _set_exception(self, e: BaseException) -> None:
        super()._set_exception(e)
        for future in tuple(self._asked):
            if not future.done():
                future.set_exception(e)


@attrs.define(eq=False)
class Link:
    """A socket, and how many calls run on it."""

    #: libsql-client's socket.
    connection: Socket
    #: How many calls wait for an answer on it.
    n_running: int = 0
    #: Whether a call on it got no answer: the others may finish, but no new one begins.
    is_suspect: bool = False

    @property
    def is_good(self) -> bool:
        """Whether new calls may use it."""
        return not self.is_suspect and self.connection.exception is None

    async def answer(self, stream: HranaStream, message: Json) -> object:
        """
        Send a batch on a stream and return its result, of whatever type it is.

        Not by the stream's own method, which waits without end where an answer has no result.

        Raises:
            Exception: What libsql-client raises for a socket that is closed, or for a message that it
                cannot read, which may be any error of Python's.
        """
        if stream.closed:
            raise LibsqlError("the stream was closed", "STREAM_CLOSED")
        stream_id = stream._state.stream_id  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
        request = {"type": "batch", "stream_id": stream_id, "batch": message}
        # Not awaited itself: libsql-client fails if one of its futures is cancelled.
        asked = self.connection.send_request(request)
        await asyncio.wait({asked})
        return asked.result()["result"]
