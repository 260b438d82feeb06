"""A proxy in front of a server: passes bytes on, with TLS if wanted, and can lose them on purpose."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

import attrs

__all__ = ["Proxy", "proxy"]

#: Gets what one side sends, and returns what the other gets; ``None`` cuts the connection.
Filter: TypeAlias = Callable[[bytes], bytes | None]


def _pass(data: bytes) -> bytes | None:
    return data


@attrs.define
class Proxy:
    """What a running proxy does; change its attributes while it runs."""

    #: The port of the loopback that it listens on.
    port: int = 0
    #: What becomes of the client's bytes.
    on_request: Filter = _pass
    #: What becomes of the server's bytes.
    on_reply: Filter = _pass
    #: How many connections it has taken.
    n_connections: int = 0
    #: The ends of the connections that are open.
    writers: set[StreamWriter] = attrs.field(factory=set)

    def cut(self) -> None:
        """Break every connection."""
        for writer in self.writers:
            writer.transport.abort()
        self.writers.clear()

    def drop_next_reply(self) -> None:
        """Cut the connection in the place of the next answer to a batch."""

        def drop(data: bytes) -> bytes | None:
            if b'"step_results"' not in data:
                return data
            self.on_reply = _pass
            return None

        self.on_reply = drop


async def _copy(source: StreamReader, target: StreamWriter, choose: Callable[[], Filter]) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(65_536):
            changed = choose()(data)
            if changed is None:
                break
            target.write(changed)
            await target.drain()


@asynccontextmanager
async def proxy(to_port: int, tls: ssl.SSLContext | None = None) -> AsyncIterator[Proxy]:
    """Have a proxy in front of a port of the loopback for a block."""
    state = Proxy()

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        state.n_connections += 1
        state.writers.add(writer)
        try:
            back_reader, back_writer = await asyncio.open_connection("127.0.0.1", to_port)
        except OSError:
            writer.transport.abort()
            return
        state.writers.add(back_writer)
        copies = [
            asyncio.create_task(_copy(reader, back_writer, lambda: state.on_request)),
            asyncio.create_task(_copy(back_reader, writer, lambda: state.on_reply)),
        ]
        await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
        for end in (writer, back_writer):
            end.transport.abort()
        await asyncio.wait(copies)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    state.port = server.sockets[0].getsockname()[1]
    try:
        yield state
    finally:
        server.close()
        state.cut()
        # The connections' tasks see their ends.
        await asyncio.sleep(0.01)
