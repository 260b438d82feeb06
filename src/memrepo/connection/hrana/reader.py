"""A server's reads: a few at once, and those of one kind that wait together in one request."""

from __future__ import annotations

import asyncio
from asyncio import Future, Task
from collections import deque
from collections.abc import Sequence
from typing import Final

import attrs

from memrepo.connection.backoff import again, retry
from memrepo.connection.coalescing import merge_of, portions
from memrepo.connection.errors import closed
from memrepo.connection.hrana import batch as batches
from memrepo.connection.hrana.errors import is_too_large
from memrepo.connection.hrana.transport import Transport
from memrepo.connection.pending import Call
from memrepo.errors import BusyError, DatabaseError, MemrepoError
from memrepo.queries.statement import Merge

__all__ = ["ServerReader"]

#: Requests at once; a server refuses work from a hundred or two on.
_MAX_REQUESTS: Final = 8
#: Reads of one request; of more, the answer could become too large for the server.
_MAX_GROUP: Final = 256


@attrs.frozen(eq=False)
class _Waiting:
    """A read in the queue."""

    call: Call
    #: How it can run together with others; ``None`` if it cannot, or did in vain.
    merge: Merge | None
    #: Is done when it has a place (``True``), or has run in another's.
    future: Future[bool]


class ServerReader:
    """
    The places for reads.

    A read that finds a place free is sent at once, alone. Those that wait for one are taken in order:
    reads of one merged statement as many as there are, any other alone, since it may be long.
    """

    def __init__(self, transport: Transport, timeout_s: float) -> None:
        """Read by *transport*; a request of several reads may take *timeout_s* seconds."""
        self._transport = transport
        self._timeout_s = timeout_s
        self._loop = asyncio.get_running_loop()
        self._n_free = _MAX_REQUESTS
        self._queue: deque[_Waiting] = deque()
        self._groups: set[Task[None]] = set()
        self._is_closed = False
        self._all_free: Future[None] | None = None

    async def run(self, call: Call, timeout_s: float) -> None:
        """Run a call of one SELECT, alone within *timeout_s*; its outcome is in it when this returns."""
        merge = merge_of(call)
        while call.outcome is None:
            if await self._has_place(call, merge):
                try:
                    await retry(lambda: self._run_alone(call, timeout_s), call.deadline)
                except MemrepoError as error:
                    call.outcome = error
                finally:
                    self._release()
            merge = None

    def refuse(self) -> None:
        """Refuse what waits, and what comes."""
        self._is_closed = True
        for waiting in self._queue:
            if not waiting.future.done():
                waiting.future.set_exception(closed())
        self._queue.clear()

    async def drain(self) -> None:
        """Wait until what runs has its outcome."""
        if self._n_free < _MAX_REQUESTS:
            self._all_free = self._loop.create_future()
            await self._all_free

    # --- places ----------------------------------------------------------------------------------

    async def _has_place(self, call: Call, merge: Merge | None) -> bool:
        """Wait for a place, which must be released, or until the call has run in another's."""
        if self._is_closed:
            raise closed()
        if self._n_free:
            self._n_free -= 1
            return True
        future: Future[bool] = self._loop.create_future()
        self._queue.append(_Waiting(call, merge, future))
        try:
            return await self._turn(call, future)
        except BaseException:
            if not future.cancel() and _is_granted(future):
                self._release()  # nobody is left to give it back
            raise

    async def _turn(self, call: Call, future: Future[bool]) -> bool:
        await asyncio.wait((future,), timeout=call.deadline - self._loop.time())
        if not future.done() and not call.is_running:
            raise BusyError("waited too long for its turn")
        return await future

    def _release(self) -> None:
        """Give a place to the next, or set it free."""
        while self._queue:
            group = self._next_group()
            if len(group) == 1:
                group[0].future.set_result(True)
                return
            if group:
                for waiting in group:
                    waiting.call.is_running = True
                task = self._loop.create_task(self._run_group(group))
                self._groups.add(task)
                task.add_done_callback(self._groups.discard)
                return
        self._n_free += 1
        if self._all_free is not None and self._n_free == _MAX_REQUESTS:
            self._all_free.set_result(None)
            self._all_free = None

    def _next_group(self) -> list[_Waiting]:
        queue = self._queue
        group: list[_Waiting] = []
        while queue and len(group) < _MAX_GROUP:
            if not queue[0].future.done():
                merge = queue[0].merge
                if group and (merge is None or merge is not group[0].merge):
                    break
                group.append(queue[0])
            queue.popleft()
        return group

    # --- running ---------------------------------------------------------------------------------

    async def _run_group(self, group: Sequence[_Waiting]) -> None:
        """Run reads in a task of their own, so that each of them can be cancelled without the others."""
        try:
            await self._run_together([waiting.call for waiting in group])
        finally:
            for waiting in group:
                waiting.call.is_running = False
                if not waiting.future.done():
                    waiting.future.set_result(False)
            # Behind the tasks that were just woken: what they read next makes one group.
            self._loop.call_soon(self._release)

    async def _run_together(self, calls: Sequence[Call]) -> None:
        """Try once to give *calls* their outcomes; any that is left without has to run alone."""
        works = list(portions(calls))
        try:
            batch = batches.beside(works)
            reply = await self._transport.run(batch, timeout_s=self._timeout_s)
            for work, span in zip(works, batch.slices, strict=True):
                if reply.has_done(span.start):
                    reply.settle(work, span)
        except DatabaseError as error:
            for call in calls:
                if call.deadline <= self._loop.time():
                    call.outcome = again(error, outcome_unknown=False)
        except Exception:  # noqa: BLE001 - that of one of them, which meets it again alone
            return

    async def _run_alone(self, call: Call, timeout_s: float) -> None:
        batch = batches.statements(call.unit)
        try:
            reply = await self._transport.run(batch, timeout_s=timeout_s)
        except MemrepoError as error:
            if not is_too_large(error):
                raise
            reply = await self._transport.run_large(batch, timeout_s=timeout_s)
        reply.settle(call, batch.slices[0])
        outcome = call.outcome
        if isinstance(outcome, DatabaseError) and outcome.retryable:
            call.outcome = None
            raise outcome


def _is_granted(future: Future[bool]) -> bool:
    return not future.cancelled() and future.exception() is None and future.result()
