"""
A server's writes: one request at a time, each with as many calls as fit.

What fails is tried again, where that can store nothing twice; what one call may be the reason of is tried
again in finer pieces, so that only that call fails: first the calls of a request without coalescing, then
each by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, TypeAlias

from memrepo.connection.backoff import Backoff
from memrepo.connection.coalescing import coalesce
from memrepo.connection.hrana import batch as batches
from memrepo.connection.hrana.batch import AnyCall
from memrepo.connection.hrana.errors import again, unclear
from memrepo.connection.hrana.keepalive import KeptStream
from memrepo.connection.hrana.transaction import LARGE_UNIT, ServerTransaction, size_of_unit
from memrepo.connection.hrana.transport import Transport
from memrepo.connection.pending import PendingCall
from memrepo.connection.queue import CallQueue
from memrepo.connection.waiting import OwnTask, outlast
from memrepo.errors import DatabaseError, DeadlineError, MemrepoError
from memrepo.queries.idempotent import is_repeatable

__all__ = ["ServerWriter"]

#: Pending and coalesced calls of one request: each has its savepoint, and all are in one transaction,
#: which must not take 5 seconds.
_MAX_CALLS: Final = 250

#: Makes of pending calls what runs step by step: `coalesce`, or ``iter`` to leave them single.
_Cut: TypeAlias = Callable[[Sequence[PendingCall]], Iterable[AnyCall]]


class ServerWriter(CallQueue):
    """
    A queue whose worker is a server: one write of this store at a time, grouped.

    Many writers at once are slower, and make some versions of the server stop taking writes.
    """

    def __init__(self, transport: Transport, timeout_s: float) -> None:
        """Write by *transport*; a request may take *timeout_s* seconds."""
        super().__init__()
        self._transport = transport
        self._kept = KeptStream(transport)
        self._timeout_s = timeout_s
        #: The calls that were begun last, and the task that runs them.
        self._begun: Sequence[PendingCall] | None = None
        self._running: OwnTask[object] | None = None

    async def abort(self, call: PendingCall) -> None:
        """Abort the request of a *call* that was cancelled, if the server is at it and nobody else waits."""
        running = self._running
        if call.is_running and running is not None and self._group == [call]:
            running.cancel()
            await outlast(running)

    async def drain(self) -> None:
        """Wait until what runs has its outcome, and let go of the server."""
        if self._running is not None:
            await asyncio.wait({self._running})
        await self._kept.close()

    def _start(self, calls: Sequence[PendingCall]) -> None:
        self._begun = (
            calls  # first: cut off here, they may end with an unknown outcome, but never run twice
        )
        for call in calls:
            call.is_running = True
        is_lone = len(calls) == 1
        work = self._settle(calls, iter) if is_lone else self._run_group(calls)
        self._running = OwnTask(work, loop=self._loop)
        self._running.add_done_callback(lambda _: self.answer(calls))

    def _mend(self, calls: Sequence[PendingCall]) -> None:
        if self._begun is not calls:
            self._start(calls)
        elif self._running is None or self._running.done():
            self.answer(calls)

    async def _run_group(self, calls: Sequence[PendingCall]) -> None:
        for request in _requests(coalesce(calls)):
            if not await self._settle(request, coalesce):
                await self._run_finer(request)

    async def _run_finer(self, calls: Sequence[PendingCall]) -> None:
        for request in _requests(call for call in calls if call.is_waiting):
            if not await self._settle(request, iter):
                for call in request:
                    await self._settle([call], iter)

    async def _settle(self, calls: Sequence[PendingCall], cut: _Cut) -> bool:
        """
        Give *calls*, which fit one request, their outcomes, trying again what can be tried again.

        Returns:
            ``False`` if one of them may be the reason that others have none: they are to run in finer
            pieces.
        """
        backoff: Backoff | None = None
        while waiting := [call for call in calls if call.is_waiting]:
            first = waiting[0].unit
            try:
                if len(waiting) == 1 and len(first) > 1 and size_of_unit(first) > LARGE_UNIT:
                    await self._run_large(waiting[0])
                else:
                    await self._run_together(list(cut(waiting)))
            except Exception as error:  # noqa: BLE001 - each call is told
                failure = error if isinstance(error, MemrepoError) else unclear(error)
                undecided = [call for call in waiting if call.is_waiting]
                if len(undecided) > 1 and _may_be_of_one(failure):
                    return False
                for call in undecided:
                    _judge(call, failure)
                if any(call.is_waiting for call in undecided):
                    backoff = backoff or Backoff()
                    await backoff.pause()
            else:
                return not any(call.is_waiting for call in waiting)
        return True

    async def _run_together(self, calls: Sequence[AnyCall]) -> None:
        """
        Run *calls* in one transaction, and give those that are decided their outcomes.

        Raises:
            MemrepoError: The request failed; it is of those calls that have no outcome.
        """
        batch = batches.group(calls)
        reply = await self._kept.run(batch, timeout_s=self._timeout_s)
        if reply.has_succeeded:
            for call, own in zip(calls, batch.slices, strict=True):
                reply.settle(call, own)
            return
        failure = reply.failure()
        failed = [
            call
            for call, own in zip(calls, batch.slices, strict=True)
            if reply.first_error(own) is not None
        ]
        if not failed or getattr(failure, "retryable", False):
            raise failure
        # Nothing runs after a coalesced call that fails; before it, a unit may have failed by itself.
        if isinstance(failed[-1], PendingCall) and isinstance(failed[0], PendingCall):
            failed[0].outcome = failure

    async def _run_large(self, call: PendingCall) -> None:
        """Run a unit that is too large for one request; only its commit can be in doubt."""
        transaction = ServerTransaction(self._transport.stream(), self._timeout_s)
        await transaction.begin()
        try:
            await transaction.run(call)
        except BaseException:
            await transaction.roll_back()
            raise
        outcome, call.outcome = call.outcome, None
        if isinstance(outcome, MemrepoError):
            await transaction.roll_back()
            raise outcome
        await transaction.commit()
        call.outcome = outcome


def _requests(calls: Iterable[AnyCall]) -> Iterator[Sequence[PendingCall]]:
    """Yield the pending calls of each request, in order: as many as fit."""
    request: list[PendingCall] = []
    n_calls = size = 0
    for call in calls:
        single = [call] if isinstance(call, PendingCall) else call.calls
        own = sum(size_of_unit(one.unit) for one in single)
        if request and (n_calls == _MAX_CALLS or size + own > LARGE_UNIT):
            yield request
            request, n_calls, size = [], 0, 0
        request += single
        n_calls += 1
        size += own
    if request:
        yield request


def _may_be_of_one(error: MemrepoError) -> bool:
    """Tell whether the units may succeed one by one where they did not together."""
    if not isinstance(error, DatabaseError):
        return True
    # A statement that the server cannot parse is an error of the whole request.
    return type(error) in (DatabaseError, DeadlineError) and not error.outcome_unknown


def _judge(call: PendingCall, error: MemrepoError) -> None:
    """Give *call* the error for its outcome, unless it is to be tried again."""
    if not isinstance(error, DatabaseError):
        call.outcome = error
        return
    call.may_have_run = call.may_have_run or error.outcome_unknown
    can_repeat = not call.may_have_run or is_repeatable(call.unit)
    is_late = asyncio.get_running_loop().time() >= call.deadline
    if not error.retryable or not can_repeat or is_late:
        call.outcome = again(error, outcome_unknown=call.may_have_run)
