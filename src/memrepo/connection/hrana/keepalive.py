"""A stream that is used again while one write follows another: opening one costs a server most."""

from __future__ import annotations

import asyncio
import math
from asyncio import Task, TimerHandle
from typing import Final

from memrepo.connection.hrana.batch import Batch, BatchReply
from memrepo.connection.hrana.transport import Stream, Transport
from memrepo.connection.waiting import GRACE_S

__all__ = ["KeptStream"]

#: Seconds without a write after which the stream is ended. A server has few connections, and ends a
#: stream over HTTP by itself after 10.
_IDLE_S: Final = 1.0


class KeptStream:
    """
    Runs batches that are transactions of their own, one at a time.

    A write that comes alone has a stream of its own, which ends with it. From the next one on, if it
    comes soon, the stream stays open; anything unclear ends it.
    """

    def __init__(self, transport: Transport) -> None:
        """Make ready; streams are *transport*'s."""
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._stream: Stream | None = None
        self._used_at = -math.inf
        self._timer: TimerHandle | None = None
        self._ending: Task[None] | None = None

    async def run(self, batch: Batch, *, timeout_s: float) -> BatchReply:
        """Run a batch; see `Transport.run`."""
        is_soon = self._loop.time() - self._used_at < _IDLE_S
        try:
            if not is_soon:
                return await self._transport.run(batch, timeout_s=timeout_s)
            return await self._run_kept(batch, timeout_s)
        finally:
            self._used_at = self._loop.time()

    async def _run_kept(self, batch: Batch, timeout_s: float) -> BatchReply:
        stream, self._stream = self._stream, None
        if stream is None or not stream.is_usable:
            stream = self._transport.stream()
        try:
            reply = await stream.run(batch, timeout_s=timeout_s)
        except BaseException:
            await stream.abandon()
            raise
        if stream.is_usable and _has_ended(batch, reply):
            self._stream = stream
            if self._timer is None:
                self._timer = self._loop.call_later(_IDLE_S, self._look)
        else:
            await stream.abandon()
        return reply

    def _look(self) -> None:
        """End the stream if it was not used for a while."""
        self._timer = None
        idle_s = self._loop.time() - self._used_at
        if idle_s < _IDLE_S:
            self._timer = self._loop.call_later(_IDLE_S - idle_s, self._look)
        elif self._stream is not None:
            self._ending = self._loop.create_task(self._end())

    async def close(self) -> None:
        """End the stream; a server that is silent ends it by itself."""
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


def _has_ended(batch: Batch, reply: BatchReply) -> bool:
    """Tell whether the transaction is surely over, so that the next statement is not run in it."""
    if reply.is_autocommit is not None:
        return reply.is_autocommit
    return reply.has_done(batch.decisive) or reply.has_done(len(batch.steps) - 1)
