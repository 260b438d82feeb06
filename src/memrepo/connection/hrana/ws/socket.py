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
from libsql_client.hrana.conn import (  # pyright: ignore[reportMissingTypeStubs]
    HranaConn,
    HranaStream,
)

from memrepo.connection.hrana.values import Json

__all__ = ["Link", "Sockets", "answer"]

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


@attrs.define(eq=False)
class Link:
    """A socket, and how many calls run on it."""

    #: libsql-client's socket.
    connection: HranaConn
    #: How many calls wait for an answer on it.
    n_running: int = 0
    #: Whether a call on it got no answer: the others may finish, but no new one begins.
    is_suspect: bool = False

    @property
    def is_good(self) -> bool:
        """Whether new calls may use it."""
        return not self.is_suspect and self.connection.exception is None


async def answer(stream: HranaStream, message: Json) -> Json:
    """Send a batch on a stream and return the answer; raises what libsql-client raises."""
    future: Future[Any] = stream.batch(cast(Any, message))
    # Otherwise asyncio logs an error that comes when nobody waits any more.
    future.add_done_callback(_mark_as_seen)
    # libsql-client itself fails if one of its futures is cancelled.
    return cast(Json, await asyncio.shield(future))


def _mark_as_seen(future: Future[Any]) -> None:
    if not future.cancelled():
        future.exception()
