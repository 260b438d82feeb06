"""
Hrana over HTTP, on aiohttp.

Each batch is one request. A batch that runs on a stream of its own closes it in the same request. A
stream that lives on, for a transaction or between writes, is held together by batons: each reply
brings one, and the next request must show it. The transport speaks version 3 of the protocol, and
version 2 if the first answer is 404.

Source: https://github.com/tursodatabase/libsql/blob/main/docs/HRANA_3_SPEC.md
"""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from io import BytesIO
from ssl import SSLContext
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from memrepo.connection.credentials import Credentials
from memrepo.connection.hrana.batch import Batch, BatchReply
from memrepo.connection.hrana.errors import has_status, lost, of_status, reads_answer
from memrepo.connection.hrana.messages import (
    CLOSE,
    GET_AUTOCOMMIT,
    decode,
    read_cursor,
    read_refusal,
    read_reply,
    write_close,
    write_cursor,
    write_pipeline,
)
from memrepo.connection.hrana.replication import run_after_last_write
from memrepo.connection.hrana.session import drop_session, failed
from memrepo.connection.server_url import ServerLocation
from memrepo.connection.waiting import leave_to_loop
from memrepo.errors import DatabaseError, MemrepoError

__all__ = ["HttpStream", "HttpTransport"]

#: The versions of the protocol: the better one, and the one that older servers speak.
_BEST: Final = "v3"
_OLDER: Final = "v2"
#: Seconds to connect.
_CONNECT_S: Final = 5.0
#: Most characters of what a server calls itself.
_MAX_VERSION: Final = 100
#: Bytes above which aiohttp is given a message as a file, which it writes piece by piece. Bytes it would
#: write in one go, which blocks the event loop.
_LARGE: Final = 262_144
#: Statuses for a token that the server does not accept.
_REFUSED: Final = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
#: The headers of every request; those that select the database go only to its own server.
_HEADERS: Final = {"Content-Type": "application/json", "Accept-Encoding": "identity"}


class HttpTransport:
    """The way to one database over HTTP; as many connections as requests run at once."""

    def __init__(
        self, location: ServerLocation, credentials: Credentials, ssl: SSLContext | None
    ) -> None:
        """Connect to nothing yet."""
        #: The URL of the database.
        self.root = location.root
        self._scheme = location.scheme
        self._headers = _HEADERS | location.headers
        self._credentials = credentials
        self._ssl: SSLContext | bool = True if ssl is None else ssl
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
        )
        self._loop = asyncio.get_running_loop()
        #: The version of the protocol in use.
        self.version = _BEST
        self._is_version_known = False
        #: The replication index of the last write; ``None`` for none.
        self.mark: int | None = None

    @property
    def protocol(self) -> str:
        """The version of the protocol in use; see `Transport`."""
        return f"hrana{self.version[1:]}-http"

    def stream(self) -> HttpStream:
        """Return a new stream, for writes."""
        return HttpStream(self, is_write=True)

    async def run(self, batch: Batch, *, timeout_s: float) -> BatchReply:
        """Run a batch that reads on a stream of its own; see `Transport`."""
        return await run_after_last_write(self, batch, timeout_s)

    async def send_read(self, batch: Batch, index: int | None, timeout_s: float) -> BatchReply:
        """Run it at a replica that has reached *index*."""
        stream = HttpStream(self, is_write=False)
        return await stream.run(batch, timeout_s=timeout_s, is_last=True, index=index)

    def hide(self, text: str) -> str:
        """Return *text* without the token."""
        return self._credentials.hide(text)

    async def run_large(self, batch: Batch, *, timeout_s: float) -> BatchReply:
        """Run a SELECT by a cursor, whose reply has no limit; see `Transport`."""
        if self.version == _OLDER:
            return await self.run(batch, timeout_s=timeout_s)
        message = write_cursor(batch, self.mark)
        answer = await self.send("cursor", message, self.root, timeout_s)
        # On a thread, because it may have tens of thousands of lines.
        lines = iter(answer.splitlines())
        reply, baton = await asyncio.to_thread(read_cursor, lines, batch, self.hide)
        await self.close_stream(baton, self.root)
        return reply

    @reads_answer
    def follow(self, base_url: object) -> str:
        """
        Return the URL at which a server wants a stream to go on.

        Raises:
            DatabaseError: It is not a URL of HTTP, or would send the token without TLS.
        """
        if not isinstance(base_url, str):
            raise TypeError("base_url")
        if urlsplit(base_url).scheme not in ("https", self._scheme):
            raise ValueError("base_url")
        return base_url.rstrip("/")

    async def close_stream(self, baton: str | None, root: str) -> None:
        """End a stream; if that fails, the server ends it 10 seconds later."""
        if baton is not None and not self._session.closed:
            try:
                await self.send("pipeline", write_close(baton), root, _CONNECT_S)
            except MemrepoError:
                return

    async def server_version(self, *, timeout_s: float) -> str:
        """Ask the server what it is; see `Transport`."""
        status, answer = await self._exchange(f"{self.root}/version", None, timeout_s)
        if status != HTTPStatus.OK:
            return ""
        said = self.hide(answer.decode(errors="replace"))
        return " ".join(said.split()[:2])[:_MAX_VERSION]

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    def forget(self) -> None:
        """Close the connections without waiting."""
        if not leave_to_loop(self._loop, self.close):
            drop_session(self._session)

    # --- requests --------------------------------------------------------------------------------

    async def send(self, path: str, message: bytes, root: str, timeout_s: float) -> bytes:
        """
        Send a message, in the best version of the protocol that the server knows; return its answer.

        Raises:
            MemrepoError: There is none, or one with another status than 200.
        """
        status, answer = await self._exchange(f"{root}/{self.version}/{path}", message, timeout_s)
        if status == HTTPStatus.NOT_FOUND and not self._is_version_known:
            url = f"{root}/{_OLDER}/{path}"
            older_status, older_answer = await self._exchange(url, message, timeout_s)
            if older_status != HTTPStatus.NOT_FOUND:
                self.version, status, answer = _OLDER, older_status, older_answer
        if status in _REFUSED and await self._credentials.renew():
            url = f"{root}/{self.version}/{path}"
            status, answer = await self._exchange(url, message, timeout_s)
        if status != HTTPStatus.OK:
            raise of_status(status, read_refusal(status, answer, self.hide))
        self._is_version_known = True
        return answer

    async def _exchange(
        self, url: str, message: bytes | None, timeout_s: float
    ) -> tuple[int, bytes]:
        """Post a message, or get what is at *url*; return the status and the body of the response."""
        headers = dict(self._headers if url.startswith(f"{self.root}/") else _HEADERS)
        if (token := await self._credentials.token()) is not None:
            headers["Authorization"] = f"Bearer {token}"
        try:
            async with self._session.request(
                "GET" if message is None else "POST",
                url,
                data=message if message is None or len(message) <= _LARGE else BytesIO(message),
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=timeout_s, sock_connect=_CONNECT_S),
                ssl=self._ssl,
                allow_redirects=False,  # they would take the token elsewhere
            ) as response:
                return response.status, await response.read()
        except (aiohttp.ClientError, OSError, RuntimeError) as error:
            failure = failed(error, self._credentials)
        raise failure  # only here, so that aiohttp's error, which may quote the token, is not its context


class HttpStream:
    """A stream over HTTP; it lives as long as it has a baton for the next request."""

    def __init__(self, transport: HttpTransport, *, is_write: bool) -> None:
        """Send nothing yet; the first batch opens it."""
        self._transport = transport
        self._is_write = is_write
        self._root = transport.root
        self._baton: str | None = None
        #: See `Stream`.
        self.is_usable = True

    async def run(
        self, batch: Batch, *, timeout_s: float, is_last: bool = False, index: int | None = None
    ) -> BatchReply:
        """Run a batch; see `Stream`. A replica must have reached *index* before it answers."""
        if not self.is_usable:
            raise lost(None, was_sent=False)
        transport = self._transport
        last = CLOSE if is_last else None if transport.version == _OLDER else GET_AUTOCOMMIT
        message = write_pipeline(batch, baton=self._baton, index=index, last=last)
        # A baton is good for one request, even for one that fails.
        is_new, self._baton, self.is_usable = self._baton is None, None, False
        try:
            answer = await transport.send("pipeline", message, self._root, timeout_s)
        except DatabaseError as error:
            if is_new or not has_status(error, HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND):
                raise
            # The server was restarted and does not know the baton, so it ran nothing.
            raise lost(error.__cause__, was_sent=False) from error.__cause__
        reply = decode(answer)
        if isinstance(baton := reply.get("baton"), str):
            self._baton, self.is_usable = baton, True
        if (base_url := reply.get("base_url")) is not None:
            self._root = transport.follow(base_url)
        read = read_reply(reply, batch, transport.hide)
        if self._is_write and read.index is not None:
            transport.mark = read.index
        return read

    async def abandon(self) -> None:
        """End it; see `Stream`."""
        baton, self._baton, self.is_usable = self._baton, None, False
        await self._transport.close_stream(baton, self._root)
