"""Jobs for a worker thread, and those who ask for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol, TypeAlias

import attrs

from memrepo.connection.pending import PendingCall
from memrepo.connection.sqlite.errors import worker_failed
from memrepo.connection.sqlite.worker import WorkerConnection
from memrepo.connection.waiting import see

__all__ = ["Asker", "Errand", "Job", "Run", "Single"]

#: Runs calls on the thread, and leaves an outcome in each.
Run: TypeAlias = Callable[[WorkerConnection, Sequence[PendingCall]], None]


class Asker(Protocol):
    """Gives the thread a job, and is told on the event loop when it is done, perhaps twice."""

    def answer(self, calls: Sequence[PendingCall], /) -> None:
        """Take note that the calls were run."""
        ...

    def fail(self, calls: Sequence[PendingCall], error: BaseException, /) -> None:
        """Take note that the job ended in an error; calls without an outcome may not have run."""
        ...


@attrs.define(eq=False)
class Job:
    """Something for the thread to do."""

    run: Run
    calls: Sequence[PendingCall]
    asker: Asker
    #: Whether the thread has begun with it, so that it is not done twice.
    has_begun: bool = False
    #: Whether the thread is done with it.
    has_ended: bool = False
    #: The error it ended in; ``None`` once it has succeeded.
    error: BaseException | None = attrs.field(factory=InterruptedError)

    def tell(self) -> None:
        """Tell the asker, on the event loop, how it ended."""
        if self.error is None:
            self.asker.answer(self.calls)
        else:
            self.asker.fail(self.calls, self.error)


class Errand:
    """Asks for a job that has no calls."""

    def __init__(self, future: asyncio.Future[None]) -> None:
        self.future = future

    def answer(self, _calls: Sequence[PendingCall]) -> None:
        """End the wait."""
        if not self.future.done():
            self.future.set_result(None)

    def fail(self, _calls: Sequence[PendingCall], error: BaseException) -> None:
        """End the wait with the error."""
        if not self.future.done():
            self.future.set_exception(error)
            see(self.future)  # asyncio logs nothing where nobody waits


class Single:
    """Asks for a job of one call that is in no queue."""

    def answer(self, calls: Sequence[PendingCall]) -> None:
        """Wake the task that waits for the call."""
        for call in calls:
            call.tell()

    def fail(self, calls: Sequence[PendingCall], error: BaseException) -> None:
        """Give the call the error, and wake its task."""
        for call in calls:
            call.outcome = worker_failed(error)
            call.tell()
