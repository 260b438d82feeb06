"""
Keep-alive for the stream that writes go through.

Opening a stream makes the server connect to the database, which costs it more than a small write.
So a stream is kept while one write soon follows another. A write that comes alone has a stream that
ends with its request, so that an idle store holds nothing open. A stream is used again only if its
last transaction is surely over: otherwise the next write would run inside that transaction.
"""

from __future__ import annotations

import asyncio
import math
from asyncio import Task, TimerHandle
from typing import Final

from memrepo.connection.hrana.batch import Batch, BatchReply
from memrepo.connection.hrana.transport import Stream, Transport
from memrepo.connection.waiting import GRACE_S, OwnTask

__all__ = ["KeptStream"]

#: Seconds without a write after which the stream is ended. A server has few connections to give; over
#: HTTP it ends an idle stream itself after 10 seconds.
_IDLE_S: Final = 1.0


class KeptStream:
    """
    Runs batches that are transactions by themselves, one at a time.

    The second of two writes within `_IDLE_S` seconds opens the stream that is kept. An error, or a
    transaction that may still be open, ends it.
    """

    def __init__(self, transport: Transport) -> None:
        """Open no stream yet; *transport* gives them."""
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._stream: Stream | None = None
        self._used_at = -math.inf
        self._timer: TimerHandle | None = None
        self._ending: Task[None] | None = None

    async def run(self, batch: Batch, *, timeout_s: float) -> BatchReply:
        """Run a batch; see `Stream.run`."""
        is_soon = self._loop.time() - self._used_at < _IDLE_S
        stream, self._stream = self._stream, None
        if stream is None or not stream.is_usable:
            stream = self._transport.stream()
        try:
            reply = await stream.run(batch, timeout_s=timeout_s, is_last=not is_soon)
        except BaseException:
            await stream.abandon()
            raise
        finally:
            self._used_at = self._loop.time()
        has_ended = reply.is_autocommit
        if has_ended is None:
            # It is over if the step that commits has succeeded, or the last one, which rolls back.
            has_ended = reply.has_succeeded or reply.results[-1] is not None
        if is_soon and has_ended and stream.is_usable:
            self._stream = stream
            if self._timer is None:
                self._timer = self._loop.call_later(_IDLE_S, self._end_if_idle)
        else:
            await stream.abandon()
        return reply

    def _end_if_idle(self) -> None:
        self._timer = None
        idle_s = self._loop.time() - self._used_at
        if idle_s < _IDLE_S:
            self._timer = self._loop.call_later(_IDLE_S - idle_s, self._end_if_idle)
        elif self._stream is not None:
            self._ending = OwnTask(self._end(), loop=self._loop)

    async def close(self) -> None:
        """End the stream; if the server does not answer, leave it to the server."""
        if self._timer is not None:
            self._timer.cancel()
        if self._ending is not None:
            await asyncio.wait({self._ending}, timeout=GRACE_S)
        await self._end()

    async def _end(self) -> None:
        stream, self._stream = self._stream, None
        if stream is not None:
            try:
                async with asyncio.timeout(GRACE_S):
                    await stream.abandon()
            except TimeoutError:
                return
