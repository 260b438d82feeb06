"""libsql-client's sockets, opened and waited for as a library should."""

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

#: Seconds for a server to agree to the end of a socket; a frozen one does not.
_CLOSE_S: Final = 0.5
#: Bytes of a message from the server, which sends 10 MB in one answer at most.
_MAX_REPLY_BYTES: Final = 64_000_000


@attrs.frozen
class Sockets:
    """What libsql-client takes for aiohttp's session, to open sockets as we want them."""

    #: Where the sockets come from.
    session: aiohttp.ClientSession
    #: What each is opened with.
    headers: dict[str, str]
    #: How to check the certificate.
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
    """A socket, and how many calls are on it."""

    #: libsql-client's socket.
    connection: HranaConn
    #: How many calls wait on it.
    n_running: int = 0
    #: Whether a call on it has not been answered: the others may finish, and no new one begins.
    is_suspect: bool = False

    @property
    def is_good(self) -> bool:
        """Whether new calls may use it."""
        return not self.is_suspect and self.connection.exception is None


async def answer(stream: HranaStream, message: Json) -> Json:
    """Send a batch on a stream, and return the answer, or raise what libsql-client raises."""
    future: Future[Any] = stream.batch(cast(Any, message))
    # If nobody waits any more when it fails.
    future.add_done_callback(_see)
    # libsql-client fails where one of its futures is cancelled.
    return cast(Json, await asyncio.shield(future))


def _see(future: Future[Any]) -> None:
    if not future.cancelled():
        future.exception()
