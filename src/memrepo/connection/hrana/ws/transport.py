"""
Hrana over a WebSocket, on libsql-client.

Of that package only the socket and its streams are used (``HranaConn``). They are not public, but
the package no longer changes and is pinned to 0.3.1. Its client begins transactions deferred, fails
at answers above 4 MiB, has no timeouts, and does not say why a token was refused.

One socket carries all calls. After a call that got no answer it is replaced: the other calls on it
may finish, and new ones go to the next socket. A server that closes a socket does not say why, so
the reason is asked over HTTP.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from ssl import SSLContext
from typing import Final

import aiohttp
import attrs
from libsql_client import LibsqlError  # pyright: ignore[reportMissingTypeStubs]
from libsql_client.hrana.conn import HranaStream  # pyright: ignore[reportMissingTypeStubs]

from memrepo.connection.credentials import Credentials
from memrepo.connection.hrana.batch import Batch, BatchReply, Step
from memrepo.connection.hrana.errors import deadline, lost, translate, unclear
from memrepo.connection.hrana.http import HttpTransport
from memrepo.connection.hrana.messages import (
    only_statement,
    read_batch,
    read_error,
    write_batch,
)
from memrepo.connection.hrana.replication import run_after_last_write
from memrepo.connection.hrana.session import drop_session, failed
from memrepo.connection.hrana.values import Json
from memrepo.connection.hrana.ws.socket import Link, Socket, Sockets
from memrepo.connection.server_url import ServerLocation
from memrepo.connection.waiting import OwnTask, leave_to_loop
from memrepo.errors import AuthenticationError, DatabaseError, InvalidInputError, MemrepoError

__all__ = ["WebSocketStream", "WebSocketTransport"]

#: Seconds to connect, and to ask over HTTP why a socket was closed.
_CONNECT_S: Final = 5.0
#: Most bytes of a message that a server takes; for a larger one it closes the socket.
_MAX_REQUEST_BYTES: Final = 16_000_000
#: libsql-client's codes for a socket that is closed.
_GONE: Final = ("HRANA_WEBSOCKET_ERROR", "CLIENT_CLOSED", "STREAM_CLOSED")
#: Its code for a message that is none of Hrana.
_NO_HRANA: Final = "HRANA_PROTO_ERROR"
#: What a connection breaks with; all else is an answer that cannot be read.
_BROKEN: Final = (LibsqlError, aiohttp.ClientError, aiohttp.WebSocketError, OSError)
#: Asks whether the server answers.
_HELLO: Final = Batch([Step("SELECT 1")], [], 0)
#: Asks whether the token may write; it deletes nothing, even where the table exists.
_WRITE: Final = Batch([Step("DELETE FROM `memrepo_migrations` WHERE 0")], [], 0)


class WebSocketTransport:
    """The way to one database over a WebSocket, which is opened by the first call and again when it broke."""

    def __init__(
        self, location: ServerLocation, credentials: Credentials, ssl: SSLContext | None
    ) -> None:
        """Connect to nothing yet."""
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
        #: The replication index of the last write; ``None`` for none.
        self.mark: int | None = None
        self._loop = asyncio.get_running_loop()

    @property
    def protocol(self) -> str:
        """Version 2 of the protocol, the only one that libsql-client speaks."""
        return "hrana2-ws"

    def stream(self) -> WebSocketStream:
        """Return a new stream, for writes."""
        return WebSocketStream(self, is_write=True)

    async def run(self, batch: Batch, *, timeout_s: float) -> BatchReply:
        """Run a batch that reads on a stream of its own; see `Transport`."""
        return await run_after_last_write(self, batch, timeout_s)

    async def send_read(self, batch: Batch, index: int | None, timeout_s: float) -> BatchReply:
        """Run it at a replica that has reached *index*."""
        stream = WebSocketStream(self, is_write=False)
        return await stream.run(batch, timeout_s=timeout_s, is_last=True, index=index)

    async def run_large(self, batch: Batch, *, timeout_s: float) -> BatchReply:
        """Run a SELECT over HTTP, which has cursors; see `Transport`."""
        return await self._http.run_large(batch, timeout_s=timeout_s)

    async def server_version(self, *, timeout_s: float) -> str:
        """Ask the server what it is, over HTTP; see `Transport`."""
        return await self._http.server_version(timeout_s=timeout_s)

    async def close(self) -> None:
        """Close the socket."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._http.close)
            stack.push_async_callback(self._session.close)
            if self._link is not None:
                self._retire(self._link)
            while self._endings:
                await asyncio.wait(self._endings)

    def forget(self) -> None:
        """Close the socket without waiting."""
        if not leave_to_loop(self._loop, self.close):
            drop_session(self._session)
            self._http.forget()

    # --- the socket ------------------------------------------------------------------------------

    async def link(self, timeout_s: float) -> Link:
        """
        Return a socket that is connected.

        Raises:
            MemrepoError: It cannot be connected; nothing was sent.
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
        link = Link(Socket(self._sockets, self._url, token))
        try:
            async with asyncio.timeout(timeout_s):
                await link.connection.wait_connected()
                # The socket opens before the server checks the token, so ask something.
                stream = link.connection.open_stream()
                await link.answer(stream, write_batch(_HELLO, {}, None))
                stream.close()
        except Exception as error:  # noqa: BLE001 - libsql-client lets any error of Python's through
            self._retire(link)
            failure: BaseException = error
        except BaseException:
            self._retire(link)
            raise
        else:
            return link
        # Only here, so that libsql-client's error, which may quote the token, is not the context of ours.
        if isinstance(failure, TimeoutError):
            raise lost(failure, was_sent=False)
        raise await self._explain(failure, timeout_s, was_sent=False)

    def _retire(self, link: Link) -> None:
        """Begin no more calls on a socket, and close it when the last one on it has ended."""
        link.is_suspect = True
        if link is self._link:
            self._link = None
        if link.n_running == 0:
            ending = OwnTask(link.connection.close(), loop=self._loop)
            self._endings.add(ending)
            ending.add_done_callback(self._endings.discard)

    async def exchange(
        self,
        link: Link,
        stream: HranaStream,
        batch: Batch,
        message: Json,
        timeout_s: float,
        *,
        is_write: bool,
    ) -> BatchReply:
        """
        Send a batch, written as a message, on a stream and wait for its reply.

        Raises:
            MemrepoError: There is no reply, or the batch as a whole failed.
        """
        link.n_running += 1
        try:
            async with asyncio.timeout(timeout_s):
                result = await link.answer(stream, message)
        except TimeoutError as error:
            link.is_suspect = True
            raise deadline(error) from error
        except Exception as error:  # noqa: BLE001 - as in `_connect`
            failure = error
        else:
            return read_batch(result, batch, self._credentials.hide)
        finally:
            link.n_running -= 1
            if not link.is_good:
                self._retire(link)
        raise await self._explain(failure, timeout_s, was_sent=True, is_write=is_write, batch=batch)

    # --- what went wrong -------------------------------------------------------------------------

    async def _explain(
        self,
        error: BaseException,
        timeout_s: float,
        *,
        was_sent: bool,
        is_write: bool = False,
        batch: Batch | None = None,
    ) -> MemrepoError:
        """
        Return our error for one of libsql-client's or aiohttp's.

        A socket is closed for a bad token, for one that only reads, for an unknown namespace and for too
        much work. Which it was is asked over HTTP, for *timeout_s* at most.
        """
        if isinstance(error, LibsqlError) and error.code not in _GONE:
            if error.code == _NO_HRANA:
                return unclear(error)
            said = {"code": error.code, "message": error.explanation}
            statement = None if batch is None else only_statement(batch)
            return translate(read_error(said, self._credentials.hide, statement=statement))
        if isinstance(error, aiohttp.ClientConnectorError):
            return failed(error, self._credentials)
        if not isinstance(error, _BROKEN):
            return unclear(error)
        probe = _WRITE if is_write else _HELLO
        try:
            await self._http.run(probe, timeout_s=min(timeout_s, _CONNECT_S))
        except DatabaseError as reason:
            if not reason.retryable:
                return reason
        return lost(self._credentials.without(error), was_sent=was_sent)


class WebSocketStream:
    """A stream on a WebSocket."""

    def __init__(self, transport: WebSocketTransport, *, is_write: bool) -> None:
        """Send nothing yet; the first batch opens it."""
        self._transport = transport
        self._is_write = is_write
        self._link: Link | None = None
        self._stream: HranaStream | None = None

    async def run(
        self, batch: Batch, *, timeout_s: float, is_last: bool = False, index: int | None = None
    ) -> BatchReply:
        """Run a batch; see `Stream`. A replica must have reached *index* before it answers."""
        message = write_batch(batch, {}, index)
        if _is_too_large(batch, message):
            raise InvalidInputError("size", f"a WebSocket takes {_MAX_REQUEST_BYTES:,} bytes")
        if self._link is None or self._stream is None:
            self._link = await self._transport.link(timeout_s)
            try:
                self._stream = self._link.connection.open_stream()
            except (LibsqlError, AssertionError) as error:
                raise lost(error, was_sent=False) from error
        try:
            reply = await self._transport.exchange(
                self._link, self._stream, batch, message, timeout_s, is_write=self._is_write
            )
        finally:
            if is_last:
                await self.abandon()
        if self._is_write and reply.index is not None:
            self._transport.mark = reply.index
        return reply

    @property
    def is_usable(self) -> bool:
        """Whether its socket is good; see `Stream`."""
        return self._link is None or self._link.is_good

    async def abandon(self) -> None:
        """End it; see `Stream`."""
        if self._stream is not None:
            self._stream.close()


def _is_too_large(batch: Batch, message: Json) -> bool:
    n_characters = sum(
        len(step.sql) + sum(len(str(part)) for value in step.values for part in value.values())
        for step in batch.steps
    )
    # libsql-client writes a character in up to twelve bytes. To count them exactly is slow.
    return n_characters > _MAX_REQUEST_BYTES // 16 and len(json.dumps(message)) > _MAX_REQUEST_BYTES
