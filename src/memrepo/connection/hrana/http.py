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
from memrepo.connection.hrana.errors import (
    ServerError,
    has_status,
    lost,
    of_status,
    reads_answer,
)
from memrepo.connection.hrana.messages import (
    CLOSE,
    GET_AUTOCOMMIT,
    batch as write_batch,
    batch_requests,
    decode,
    encode,
    read_cursor,
    read_refusal,
    read_reply,
)
from memrepo.connection.hrana.replication import ReplicationMark, run_after_last_write
from memrepo.connection.hrana.session import drop_session, failed
from memrepo.connection.hrana.values import Json
from memrepo.connection.server_url import ServerLocation
from memrepo.connection.waiting import leave_to_loop
from memrepo.errors import AuthenticationError, DatabaseError, MemrepoError

__all__ = ["HttpStream", "HttpTransport"]

#: The versions of the protocol, the best one first.
VERSIONS: Final = ("v3", "v2")
#: Seconds to connect.
_CONNECT_S: Final = 5.0
#: Most characters of what a server calls itself.
_MAX_VERSION: Final = 100
#: Bytes above which a message is encoded and decoded on a thread, not on the event loop.
_LARGE: Final = 262_144
#: The headers of every request; those that select the database go only to its own server.
_HEADERS: Final = {"Content-Type": "application/json", "Accept-Encoding": "identity"}


class HttpTransport:
    """The way to one database over HTTP; as many connections as requests run at once."""

    def __init__(
        self, location: ServerLocation, credentials: Credentials, ssl: SSLContext | None
    ) -> None:
        """Connect to nothing yet."""
        self._root = location.root
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
        self.version = VERSIONS[0]
        self._is_version_known = False
        #: The last write, for reads at a replica.
        self.mark = ReplicationMark()

    @property
    def protocol(self) -> str:
        """The version of the protocol in use; see `Transport`."""
        return f"hrana{self.version[1:]}-http"

    def stream(self) -> HttpStream:
        """Return a new stream."""
        return HttpStream(self)

    async def run(self, batch: Batch, *, timeout_s: float) -> BatchReply:
        """Run a batch that reads on a stream of its own; see `Transport`."""
        return await run_after_last_write(self.mark, self._send_once, batch, timeout_s)

    async def _send_once(self, batch: Batch, index: int | None, timeout_s: float) -> BatchReply:
        body: Json = {"requests": [*batch_requests(batch.steps, index), CLOSE]}
        is_large = batch.size > _LARGE
        reply = await self.pipeline(body, timeout_s=timeout_s, is_large=is_large)
        return read_reply(reply, batch.steps, self.hide)

    def hide(self, text: str) -> str:
        """Return *text* without the token."""
        return self._credentials.hide(text)

    async def run_large(self, batch: Batch, *, timeout_s: float) -> BatchReply:
        """Run a SELECT by a cursor, whose reply has no limit; see `Transport`."""
        if self.version == "v2":
            return await self.run(batch, timeout_s=timeout_s)
        body = encode({"batch": write_batch(batch.steps, {}, self.mark.index)})
        content = await self._send("cursor", body, self._root, timeout_s)
        lines = iter(content.splitlines())
        reply, baton = await asyncio.to_thread(read_cursor, lines, batch.steps, self.hide)
        await self.close_stream(baton, self._root)
        return reply

    async def pipeline(
        self, body: Json, *, timeout_s: float, root: str | None = None, is_large: bool = False
    ) -> Json:
        """
        Send a pipeline in the best version of the protocol that the server knows.

        Raises:
            MemrepoError: There is no reply.
        """
        content = await asyncio.to_thread(encode, body) if is_large else encode(body)
        try:
            answer = await self._send("pipeline", content, root or self._root, timeout_s)
        except DatabaseError as error:
            if self._is_version_known or not has_status(error, HTTPStatus.NOT_FOUND):
                raise
            answer = await self._fall_back(content, timeout_s, error)
        self._is_version_known = True
        return await asyncio.to_thread(decode, answer) if len(answer) > _LARGE else decode(answer)

    async def _fall_back(self, content: bytes, timeout_s: float, first: DatabaseError) -> bytes:
        for version in VERSIONS[1:]:
            self.version = version
            try:
                return await self._send("pipeline", content, self._root, timeout_s)
            except DatabaseError as error:
                if not has_status(error, HTTPStatus.NOT_FOUND):
                    raise
        self.version = VERSIONS[0]
        raise first

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
            body: Json = {"baton": baton, "requests": [CLOSE]}
            try:
                await self.pipeline(body, timeout_s=_CONNECT_S, root=root)
            except MemrepoError:
                return

    async def server_version(self, *, timeout_s: float) -> str:
        """Ask the server what it is; see `Transport`."""
        try:
            content = await self._exchange("GET", f"{self._root}/version", None, timeout_s)
        except DatabaseError as error:
            if isinstance(error.__cause__, ServerError):
                return ""
            raise
        said = self.hide(content.decode(errors="replace"))
        return " ".join(said.split()[:2])[:_MAX_VERSION]

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    def forget(self) -> None:
        """Close the connections without waiting."""
        if not leave_to_loop(self._loop, self.close):
            drop_session(self._session)

    # --- requests --------------------------------------------------------------------------------

    async def _send(self, path: str, content: bytes, root: str, timeout_s: float) -> bytes:
        url = f"{root}/{self.version}/{path}"
        try:
            return await self._exchange("POST", url, content, timeout_s)
        except AuthenticationError:
            if not await self._credentials.renew():
                raise
        return await self._exchange("POST", url, content, timeout_s)

    async def _exchange(
        self, method: str, url: str, content: bytes | None, timeout_s: float
    ) -> bytes:
        headers = dict(self._headers if url.startswith(self._root) else _HEADERS)
        if (token := await self._credentials.token()) is not None:
            headers["Authorization"] = f"Bearer {token}"
        try:
            async with self._session.request(
                method,
                url,
                # aiohttp writes a file piece by piece, but bytes in one go, which blocks the loop.
                data=content if content is None or len(content) <= _LARGE else BytesIO(content),
                headers=headers,
                timeout=aiohttp.ClientTimeout(total=timeout_s, sock_connect=_CONNECT_S),
                ssl=self._ssl,
                allow_redirects=False,  # they would take the token elsewhere
            ) as response:
                answer = await response.read()
        except (aiohttp.ClientError, OSError, RuntimeError) as error:
            failure: MemrepoError = failed(error, self._credentials)
        else:
            if response.status == HTTPStatus.OK:
                return answer
            refusal = read_refusal(response.status, answer, self.hide)
            failure = of_status(response.status, refusal)
        raise failure  # only here, so that aiohttp's error, which may quote the token, is not its context


class HttpStream:
    """A stream over HTTP; it lives as long as it has a baton for the next request."""

    def __init__(self, transport: HttpTransport) -> None:
        """Send nothing yet; the first batch opens it."""
        self._transport = transport
        self._baton: str | None = None
        self._root: str | None = None
        self._is_open = False

    async def run(self, batch: Batch, *, timeout_s: float, is_last: bool = False) -> BatchReply:
        """Run a batch; see `Stream`."""
        if self._is_open and self._baton is None:
            raise lost(None, was_sent=False)
        requests = batch_requests(batch.steps, None)
        if is_last:
            requests.append(CLOSE)
        elif self._transport.version != "v2":
            requests.append(GET_AUTOCOMMIT)
        body: Json = {"baton": self._baton, "requests": requests}
        # A baton is good for one request, even for one that fails.
        is_new, self._baton, self._is_open = self._baton is None, None, True
        try:
            reply = await self._transport.pipeline(
                body, timeout_s=timeout_s, root=self._root, is_large=batch.size > _LARGE
            )
        except DatabaseError as error:
            if is_new or not has_status(error, HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND):
                raise
            # The server was restarted and does not know the baton, so it ran nothing.
            raise lost(error.__cause__, was_sent=False) from error.__cause__
        baton = reply.get("baton")
        self._baton = baton if isinstance(baton, str) else None
        if (base_url := reply.get("base_url")) is not None:
            self._root = self._transport.follow(base_url)
        read = read_reply(reply, batch.steps, self._transport.hide)
        self._transport.mark.wrote(read)
        return read

    @property
    def is_usable(self) -> bool:
        """Whether there is a baton; see `Stream`."""
        return self._baton is not None

    async def abandon(self) -> None:
        """End it; see `Stream`."""
        baton, self._baton = self._baton, None
        await self._transport.close_stream(baton, self._root or "")
