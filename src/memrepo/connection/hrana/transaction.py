"""
A transaction on a server: one stream from BEGIN IMMEDIATE to COMMIT.

A server ends a transaction that keeps other writers waiting for 5 seconds. It would then run the
next statement on the same stream outside of any transaction, and keep what it writes. So the stream
is not used again after any error, except one that undid a unit and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Final

from memrepo.connection.contract import Result
from memrepo.connection.errors import rolled_back
from memrepo.connection.hrana import batch as batches
from memrepo.connection.hrana.batch import Batch, BatchReply, Step
from memrepo.connection.hrana.transport import Stream
from memrepo.connection.hrana.values import size_of
from memrepo.connection.pending import PendingCall
from memrepo.connection.waiting import GRACE_S, finish
from memrepo.errors import DatabaseError, MemrepoError
from memrepo.queries.statement import BoundStatement, Unit

__all__ = ["LARGE_UNIT", "ServerTransaction", "size_of_unit"]

#: Most bytes of values in one request: its rows may come back, and an answer has at most 10 MB.
LARGE_UNIT: Final = 1_000_000


def size_of_unit(unit: Unit) -> int:
    """Return about how many bytes a unit's values take in a message."""
    return sum(size_of(bound.parameters) for bound in unit)


class ServerTransaction:
    """
    A transaction on a stream of its own.

    Once it is broken, nothing more is sent on the stream, and calls end with TransactionError.
    """

    def __init__(self, stream: Stream, timeout_s: float) -> None:
        self._stream = stream
        self._timeout_s = timeout_s
        self._lock = asyncio.Lock()
        self._is_broken = False

    async def begin(self) -> None:
        """
        Take the write lock.

        Raises:
            MemrepoError: It could not be taken; the stream has ended.
        """
        try:
            await self._require(batches.BEGIN)
        except BaseException:
            await self.roll_back()
            raise

    async def run(self, call: PendingCall) -> None:
        """Run a call, one at a time; if its unit fails, it alone is undone."""
        async with self._lock:
            if self._is_broken:
                call.outcome = rolled_back()
                return
            try:
                await finish(self._run(call), grace_s=GRACE_S)
            except DatabaseError as error:
                # Nothing was committed, and nothing will be: the outcome is known.
                self._is_broken = True
                error.outcome_unknown = False
                call.outcome = error
            except MemrepoError as error:
                call.outcome = error
            except BaseException:
                self._is_broken = True
                raise

    async def _run(self, call: PendingCall) -> None:
        if size_of_unit(call.unit) > LARGE_UNIT and len(call.unit) > 1:
            await self._run_in_parts(call)
            return
        batch = batches.inside(call.unit)
        reply = await self._send(batch)
        reply.settle(call, batch.slices[0])
        if not reply.has_succeeded:
            self._is_broken = True
        elif reply.is_autocommit:
            self._is_broken = True
            call.outcome = rolled_back()

    async def _run_in_parts(self, call: PendingCall) -> None:
        await self._require(batches.SAVEPOINT)
        results: list[Result] = []
        for part in _parts(call.unit):
            batch = batches.statements(part)
            reply = await self._send(batch)
            if reply.is_autocommit:
                self._is_broken = True
            if not reply.has_succeeded:
                await self._require(batches.ROLLBACK_TO)
                call.outcome = reply.failure()
                break
            results += map(reply.result, range(len(part)))
        else:
            call.outcome = results
        await self._require(batches.RELEASE)

    async def _require(self, sql: str) -> None:
        reply = await self._send(Batch([Step(sql)], [], 0))
        if not reply.has_succeeded:
            raise reply.failure()

    async def commit(self) -> None:
        """
        Commit, and end the stream.

        Raises:
            MemrepoError: It is not committed, unless ``outcome_unknown`` is set.
        """
        if self._is_broken:
            await self._stream.abandon()
            raise rolled_back()
        self._is_broken = True
        reply = await self._stream.run(batches.commit(), timeout_s=self._timeout_s, is_last=True)
        if not reply.has_succeeded:
            raise reply.failure()

    async def roll_back(self) -> None:
        """Roll back by ending the stream; if that fails, the server does it by itself."""
        self._is_broken = True
        await self._stream.abandon()

    async def _send(self, batch: Batch) -> BatchReply:
        return await self._stream.run(batch, timeout_s=self._timeout_s)


def _parts(unit: Unit) -> Iterator[Unit]:
    """Cut a unit into parts of which each fits into one request."""
    part: list[BoundStatement] = []
    size = 0
    for bound in unit:
        own = size_of(bound.parameters)
        if part and size + own > LARGE_UNIT:
            yield tuple(part)
            part, size = [], 0
        part.append(bound)
        size += own
    if part:
        yield tuple(part)
