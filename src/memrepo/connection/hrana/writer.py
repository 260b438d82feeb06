"""The queue of a server's writes: groups of units, and what to try again when one fails."""

from __future__ import annotations

import asyncio
from asyncio import Task
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, TypeAlias

from memrepo.connection.backoff import Backoff, again
from memrepo.connection.coalescing import portions
from memrepo.connection.contract import Result
from memrepo.connection.errors import closed
from memrepo.connection.hrana import batch as batches
from memrepo.connection.hrana.batch import AnyCall
from memrepo.connection.hrana.errors import unclear
from memrepo.connection.hrana.keepalive import KeptStream
from memrepo.connection.hrana.transaction import LARGE_UNIT, ServerTransaction, size_of_unit
from memrepo.connection.hrana.transport import Transport
from memrepo.connection.pending import Call
from memrepo.connection.queue import Lane
from memrepo.connection.waiting import GRACE_S, finish, wind_up
from memrepo.errors import DatabaseError, DeadlineError, MemrepoError
from memrepo.queries.idempotent import is_repeatable

__all__ = ["ServerWriter"]

#: Units, or merged statements, of one request: each has its savepoint, and all are in one transaction,
#: which must not take 5 seconds.
_MAX_WORKS: Final = 250

#: Cuts calls into what one request does step by step: `portions`, or ``iter`` for each by itself.
_Cut: TypeAlias = Callable[[Sequence[Call]], Iterable[AnyCall]]


class ServerWriter(Lane):
    """
    A lane whose worker is a server: one write of this store at a time, grouped.

    Many writers at once are slower, and make some versions of the server stop taking writes.
    """

    def __init__(self, transport: Transport, timeout_s: float) -> None:
        """Write by *transport*; a request may take *timeout_s* seconds."""
        super().__init__(self._begin)
        self._transport = transport
        self._kept = KeptStream(transport)
        self._timeout_s = timeout_s
        self._running: Task[None] | None = None
        self._group: Sequence[Call] = ()

    async def send(self, call: Call) -> list[Result]:
        """
        Return what *call* gave when its turn had come.

        If this is cancelled while the server is at it, it is given a little time to answer.
        """
        try:
            self.run(call)
            return await call
        except asyncio.CancelledError:
            await finish(self._wind_up(call))
            raise

    def refuse(self) -> None:
        """Refuse what waits."""
        self.refuse_all(closed)

    async def drain(self) -> None:
        """Wait until what runs has its outcome, and let go of the server."""
        if self._running is not None:
            await asyncio.wait({self._running})
        await self._kept.close()

    def _begin(self, calls: list[Call]) -> None:
        self._group = calls
        self._running = self._loop.create_task(self._run_calls(calls, portions, set()))
        self._running.add_done_callback(self._end)

    def _end(self, _: Task[None]) -> None:
        calls, self._group = self._group, ()
        self.answer(calls)

    async def _wind_up(self, call: Call) -> None:
        if self._running is None or not any(call is one for one in self._group):
            return
        if len(self._group) == 1:
            await wind_up(self._running)
        else:  # the others go on
            await asyncio.wait({self._running}, timeout=GRACE_S)

    async def _run_calls(self, calls: Sequence[Call], cut: _Cut, doubtful: set[int]) -> None:
        if len(calls) == 1:
            await self._run_chunk(calls, iter, doubtful)
            return
        for chunk in _chunks(cut(calls)):
            await self._run_chunk(chunk, cut, doubtful)

    async def _run_chunk(self, calls: Sequence[Call], cut: _Cut, doubtful: set[int]) -> None:
        """
        Give each of *calls* its outcome, trying again what can be tried again.

        Args:
            calls: What one request can do.
            cut: How to cut them.
            doubtful: Holds the ids of calls that may have happened.
        """
        backoff = Backoff()
        while waiting := [call for call in calls if call.is_waiting]:
            works = list(cut(waiting))
            error = await self._attempt(works)
            undecided = [call for call in waiting if call.is_waiting]
            if error is None or (len(undecided) > 1 and _may_be_of_one(error)):
                if len(works) < len(waiting):
                    await self._run_calls(undecided, iter, doubtful)
                else:
                    for call in undecided:
                        await self._run_chunk([call], iter, doubtful)
                return
            for call in undecided:
                _judge(call, error, doubtful)
            if any(call.is_waiting for call in undecided):
                await backoff.pause()

    async def _attempt(self, works: Sequence[AnyCall]) -> MemrepoError | None:
        """
        Run *works* in one transaction.

        Returns:
            The error of the calls that have no outcome yet; ``None`` if one of the others is the
            reason, or that some were merged, so that each of them can run by itself.
        """
        try:
            first = works[0]
            if len(works) == 1 and isinstance(first, Call) and _is_large(first):
                return await self._run_alone(first)
            return await self._run_together(works)
        except MemrepoError as error:
            return error
        except Exception as error:  # noqa: BLE001 - each waiting caller is told
            return unclear(error)

    async def _run_together(self, works: Sequence[AnyCall]) -> MemrepoError | None:
        batch = batches.group(works)
        reply = await self._kept.run(batch, timeout_s=self._timeout_s)
        if reply.has_done(batch.decisive):
            for work, span in zip(works, batch.slices, strict=True):
                reply.settle(work, span)
            return None
        failure = reply.failure()
        culprits = [
            work
            for work, span in zip(works, batch.slices, strict=True)
            if reply.first_error(span) is not None
        ]
        if not culprits or getattr(failure, "retryable", False):
            return failure
        # Nothing runs after merged calls that fail; before them, a unit may have failed by itself.
        if isinstance(culprits[-1], Call) and isinstance(culprits[0], Call):
            culprits[0].outcome = failure
        return None

    async def _run_alone(self, call: Call) -> MemrepoError | None:
        """Run a unit that is too large for one request; only its commit can be in doubt."""
        transaction = ServerTransaction(self._transport.stream(), self._timeout_s)
        await transaction.begin()
        try:
            await transaction.run(call)
        except BaseException:
            await transaction.roll_back()
            raise
        if isinstance(call.outcome, MemrepoError):
            error, call.outcome = call.outcome, None
            await transaction.roll_back()
            return error
        results, call.outcome = call.outcome, None
        await transaction.commit()
        call.outcome = results
        return None


def _chunks(works: Iterable[AnyCall]) -> Iterator[Sequence[Call]]:
    """Cut a group into the calls of requests of bounded size, in order."""
    chunk: list[Call] = []
    n_works = size = 0
    for work in works:
        calls = [work] if isinstance(work, Call) else work.calls
        own = sum(size_of_unit(call.unit) for call in calls)
        if chunk and (n_works == _MAX_WORKS or size + own > LARGE_UNIT):
            yield chunk
            chunk, n_works, size = [], 0, 0
        chunk += calls
        n_works += 1
        size += own
    yield chunk


def _is_large(call: Call) -> bool:
    return len(call.unit) > 1 and size_of_unit(call.unit) > LARGE_UNIT


def _may_be_of_one(error: MemrepoError) -> bool:
    """Tell whether the units may succeed one by one where they did not together."""
    if not isinstance(error, DatabaseError):
        return True
    # A statement that the server cannot parse is an error of the whole request.
    return type(error) in (DatabaseError, DeadlineError) and not error.outcome_unknown


def _judge(call: Call, error: MemrepoError, doubtful: set[int]) -> None:
    """Give *call* the error for its outcome, unless it is to be tried again."""
    if not isinstance(error, DatabaseError):
        call.outcome = error
        return
    if error.outcome_unknown:
        doubtful.add(id(call))
    can_repeat = id(call) not in doubtful or is_repeatable(call.unit)
    if not error.retryable or not can_repeat or _is_late(call):
        call.outcome = again(error, outcome_unknown=id(call) in doubtful)


def _is_late(call: Call) -> bool:
    return asyncio.get_running_loop().time() >= call.deadline
