"""A server's reads: a few at once, the others in order of arrival."""

from __future__ import annotations

import asyncio
from typing import Final

from memrepo.connection.errors import closed
from memrepo.connection.hrana import batch as batches
from memrepo.connection.hrana.errors import is_too_large
from memrepo.connection.hrana.repeat import repeat
from memrepo.connection.hrana.transport import Transport
from memrepo.connection.pending import PendingCall
from memrepo.errors import BusyError, DatabaseError, MemrepoError

__all__ = ["ServerReader"]

#: Requests at once; a server refuses work from a hundred or two on.
_MAX_REQUESTS: Final = 8
#: How many of them may be long, so that there is room for quick ones.
_MAX_LONG: Final = 4


class ServerReader:
    """Sends each read in a request of its own, and again where the server could not be reached."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._slots = asyncio.Semaphore(_MAX_REQUESTS)
        self._long_slots = asyncio.Semaphore(_MAX_LONG)
        self._is_closed = False

    async def run(self, call: PendingCall, timeout_s: float) -> None:
        """
        Give a call of one SELECT its outcome; a request may take *timeout_s* seconds.

        Raises:
            BusyError: Its turn did not come in time.
            ClosedError: The store was closed before it came.
        """
        if not call.unit[0].statement.is_long:
            await self._run_in_slot(call, timeout_s)
            return
        await _take(self._long_slots, call.deadline)
        try:
            await self._run_in_slot(call, timeout_s)
        finally:
            self._long_slots.release()

    async def _run_in_slot(self, call: PendingCall, timeout_s: float) -> None:
        await _take(self._slots, call.deadline)
        try:
            await self._run(call, timeout_s)
        finally:
            self._slots.release()

    async def _run(self, call: PendingCall, timeout_s: float) -> None:
        if self._is_closed:
            raise closed()
        try:
            await repeat(lambda: self._attempt(call, timeout_s), call.deadline)
        except MemrepoError as error:
            call.outcome = error

    def refuse(self) -> None:
        """Refuse what waits, and what is still to come."""
        self._is_closed = True

    async def drain(self) -> None:
        """Wait until what runs has its outcome."""
        # First the long ones: while those wait for each other, they do not wait for the others.
        for _ in range(_MAX_LONG):
            await self._long_slots.acquire()
        for _ in range(_MAX_REQUESTS):
            await self._slots.acquire()

    async def _attempt(self, call: PendingCall, timeout_s: float) -> None:
        batch = batches.statements(call.unit)
        try:
            reply = await self._transport.run(batch, timeout_s=timeout_s)
        except MemrepoError as error:
            if not is_too_large(error):
                raise
            reply = await self._transport.run_large(batch, timeout_s=timeout_s)
        reply.settle(call, batch.slices[0])
        if isinstance(call.outcome, DatabaseError) and call.outcome.retryable:
            raise call.outcome


async def _take(slots: asyncio.Semaphore, deadline: float) -> None:
    try:
        async with asyncio.timeout_at(deadline):
            await slots.acquire()
    except TimeoutError:
        raise BusyError("waited too long for its turn") from None
