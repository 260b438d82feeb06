"""
Hrana over a WebSocket, on libsql-client.

Only that package's socket and streams are used (``HranaConn``), which are not public: the package is
frozen at 0.3.1. Its client begins transactions deferred, takes no answer above 4 MiB, has no time-outs
and loses what it was told of a refused token.
"""

from __future__ import annotations

import asyncio
import json
from ssl import SSLContext
from typing import Any, Final, cast

import aiohttp
import attrs
from libsql_client import LibsqlError  # pyright: ignore[reportMissingTypeStubs]
from libsql_client.hrana.conn import (  # pyright: ignore[reportMissingTypeStubs]
    HranaConn,
    HranaStream,
)

from memrepo.connection.credentials import Credentials
from memrepo.connection.hrana.batch import Batch, BatchReply, Step
from memrepo.connection.hrana.errors import ServerError, deadline, lost, translate, unclear
from memrepo.connection.hrana.http import HttpTransport
from memrepo.connection.hrana.messages import batch as write_batch, read_batch
from memrepo.connection.hrana.replication import ReplicationMark, run_after_last_write
from memrepo.connection.hrana.session import drop_session, failed
from memrepo.connection.hrana.values import Json
from memrepo.connection.hrana.ws.socket import Link, Sockets, answer
from memrepo.connection.server_url import ServerLocation
from memrepo.connection.waiting import leave_to_loop
from memrepo.errors import AuthenticationError, DatabaseError, InvalidInputError, MemrepoError

__all__ = ["WebSocketStream", "WebSocketTransport"]

#: Seconds to connect, and to ask over HTTP why a socket was closed.
_CONNECT_S: Final = 5.0
#: Bytes of a message that a server takes; it closes the socket for a larger one.
_MAX_REQUEST_BYTES: Final = 16_000_000
#: What libsql-client calls a socket that is gone.
_GONE: Final = ("HRANA_WEBSOCKET_ERROR", "CLIENT_CLOSED", "STREAM_CLOSED")
#: What shows that a server answers.
_HELLO: Final = Step("SELECT 1", has_rows=True)
#: What only a token that may write is allowed; it deletes nothing, even if there is such a table.
_WRITE: Final = Step("DELETE FROM `memrepo_migrations` WHERE 0")


class WebSocketTransport:
    """One WebSocket to one database on a server, opened when it is needed, and again when it broke."""

    def __init__(
        self, location: ServerLocation, credentials: Credentials, ssl: SSLContext | None
    ) -> None:
        """Make ready; nothing is sent yet."""
        self._url = location.root
        self._credentials = credentials
        self._session = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        self._sockets = Sockets(self._session, location.headers, True if ssl is None else ssl)
        http = attrs.evolve(location, scheme=location.scheme.replace("ws", "http"))
        #: The same database over HTTP, for what a WebSocket cannot do.
        self._http = HttpTransport(http, credentials, ssl)
        self._link: Link | None = None
        self._connecting = asyncio.Lock()
        self._endings: set[asyncio.Task[None]] = set()
        #: How far a replica must have come.
        self.mark = ReplicationMark()
        self._loop = asyncio.get_running_loop()

    @property
    def protocol(self) -> str:
        """The second version; libsql-client knows no later one."""
        return "hrana2-ws"

    def stream(self) -> WebSocketStream:
        """Return a new stream."""
        return WebSocketStream(self)

    async def run(self, batch: Batch, *, timeout_s: float) -> BatchReply:
        """Run a batch on a stream of its own; see `Transport`."""
        return await run_after_last_write(self.mark, self._send_once, batch, timeout_s)

    async def _send_once(self, batch: Batch, index: int | None, timeout_s: float) -> BatchReply:
        stream = WebSocketStream(self)
        try:
            return await stream.run(batch, timeout_s=timeout_s, index=index)
        finally:
            await stream.abandon()

    async def run_large(self, batch: Batch, *, timeout_s: float) -> BatchReply:
        """Run a SELECT over HTTP, which has cursors; see `Transport`."""
        return await self._http.run_large(batch, timeout_s=timeout_s)

    async def server_version(self, *, timeout_s: float) -> str:
        """Ask the server what it is, over HTTP; see `Transport`."""
        return await self._http.server_version(timeout_s=timeout_s)

    async def close(self) -> None:
        """Close the socket."""
        if self._link is not None:
            self._retire(self._link)
        while self._endings:
            await asyncio.wait(self._endings)
        await self._session.close()
        await self._http.close()

    def forget(self) -> None:
        """Close the socket without waiting."""
        if not leave_to_loop(self._loop, self.close):
            drop_session(self._session)
            self._http.forget()

    # --- the socket ------------------------------------------------------------------------------

    async def link(self, timeout_s: float) -> Link:
        """
        Return the socket, connected.

        Raises:
            MemrepoError: It cannot be connected; nothing was sent on it.
        """
        async with self._connecting:
            if self._link is None or not self._link.is_good:
                if self._link is not None:
                    self._retire(self._link)
                try:
                    self._link = await self._connect(min(timeout_s, _CONNECT_S))
                except AuthenticationError:
                    if not await self._credentials.renew():
                        raise
                    self._link = await self._connect(min(timeout_s, _CONNECT_S))
            return self._link

    async def _connect(self, timeout_s: float) -> Link:
        token = await self._credentials.token()
        link = Link(HranaConn(cast(Any, self._sockets), self._url, token))
        try:
            async with asyncio.timeout(timeout_s):
                await link.connection.wait_connected()
                # Whether the token was refused is told later than that the socket is open.
                stream = link.connection.open_stream()
                await answer(stream, write_batch([_HELLO], {}, None))
                stream.close()
        except TimeoutError as error:
            self._retire(link)
            raise lost(error, was_sent=False) from error
        except (LibsqlError, aiohttp.ClientError, OSError) as error:
            self._retire(link)
            reason = await self.explain(error, timeout_s, was_sent=False)
            raise reason from reason.__cause__
        except BaseException:
            self._retire(link)
            raise
        return link

    def _retire(self, link: Link) -> None:
        """Use a socket no more; it is closed when the last call on it has ended."""
        link.is_suspect = True
        if link is self._link:
            self._link = None
        if link.n_running == 0:
            ending = asyncio.create_task(link.connection.close())
            self._endings.add(ending)
            ending.add_done_callback(self._endings.discard)

    async def exchange(
        self, link: Link, stream: HranaStream, message: Json, timeout_s: float, *, is_write: bool
    ) -> BatchReply:
        """
        Send a batch on a stream and wait for its reply.

        Raises:
            MemrepoError: There is no reply, or the batch as a whole failed.
        """
        link.n_running += 1
        try:
            async with asyncio.timeout(timeout_s):
                result = await answer(stream, message)
            return read_batch(result)
        except TimeoutError as error:
            link.is_suspect = True
            raise deadline(error) from error
        except (LibsqlError, aiohttp.ClientError, OSError) as error:
            reason = await self.explain(error, timeout_s, was_sent=True, is_write=is_write)
            raise reason from reason.__cause__
        except (ValueError, KeyError, TypeError) as error:
            raise unclear(error) from error
        finally:
            link.n_running -= 1
            if not link.is_good:
                self._retire(link)

    # --- what went wrong -------------------------------------------------------------------------

    async def explain(
        self, error: Exception, timeout_s: float, *, was_sent: bool, is_write: bool = False
    ) -> MemrepoError:
        """Return our error for one of libsql-client's or aiohttp's; asking takes *timeout_s* at most."""
        if isinstance(error, LibsqlError) and error.code not in _GONE:
            cause = ServerError(error.code, error.explanation)
            return translate(cause)
        if isinstance(error, aiohttp.ClientConnectorError):
            return failed(error)
        # A closed socket can mean a bad token, one that only reads, an unknown namespace or too much
        # work, and does not say which.
        probe = _WRITE if is_write else _HELLO
        try:
            await self._http.run(Batch([probe], [], 0), timeout_s=min(timeout_s, _CONNECT_S))
        except DatabaseError as reason:
            if not reason.retryable:
                return reason
        return lost(error, was_sent=was_sent)


class WebSocketStream:
    """A stream on a WebSocket."""

    def __init__(self, transport: WebSocketTransport) -> None:
        """Make ready; the first batch opens it."""
        self._transport = transport
        self._link: Link | None = None
        self._stream: HranaStream | None = None
        #: Whether its first batch took the write lock, for itself or for those to come.
        self._is_write = False

    async def run(
        self, batch: Batch, *, timeout_s: float, is_last: bool = False, index: int | None = None
    ) -> BatchReply:
        """Run a batch; see `Stream`."""
        message = write_batch(batch.steps, {}, index)
        if batch.size > _MAX_REQUEST_BYTES // 16 and _size(message) > _MAX_REQUEST_BYTES:
            raise InvalidInputError("size", f"a WebSocket takes {_MAX_REQUEST_BYTES:,} bytes")
        if self._link is None or self._stream is None:
            self._is_write = batch.is_write
            self._link = await self._transport.link(timeout_s)
            try:
                self._stream = self._link.connection.open_stream()
            except (LibsqlError, AssertionError) as error:
                raise lost(error, was_sent=False) from error
        try:
            reply = await self._transport.exchange(
                self._link, self._stream, message, timeout_s, is_write=self._is_write
            )
        finally:
            if is_last:
                await self.abandon()
        if self._is_write:
            self._transport.mark.wrote(reply)
        return reply

    @property
    def is_usable(self) -> bool:
        """Whether its socket is good; see `Stream`."""
        return self._link is not None and self._link.is_good

    async def abandon(self) -> None:
        """End it; see `Stream`."""
        if self._stream is not None:
            self._stream.close()


def _size(message: Json) -> int:
    # As libsql-client writes it, with six or twelve bytes for what is not ASCII.
    return len(json.dumps(message))
