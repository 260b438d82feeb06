"""Connections for long reads, so that quick ones need not wait for them."""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import AsyncExitStack, suppress
from typing import Final

from memrepo.connection.contract import Result
from memrepo.connection.errors import closed
from memrepo.connection.pending import PendingCall
from memrepo.connection.queue import Line
from memrepo.connection.sqlite.inode import FileIdentity
from memrepo.connection.sqlite.job import Run
from memrepo.connection.sqlite.limits import StatementLimit
from memrepo.connection.sqlite.queue import ThreadQueue
from memrepo.connection.sqlite.setup import open_reader, open_thread
from memrepo.connection.sqlite.worker import WorkerConnection
from memrepo.connection.url import Location
from memrepo.connection.waiting import OwnTask, outlast
from memrepo.errors import DatabaseError

__all__ = ["LongReaders"]


def _n_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


#: Long reads at once: one core is left for the event loop and quick reads.
MOST_READERS: Final = max(1, _n_cores() - 1)


#: What is added to the niceness of a thread of long reads. Without it, who is woken beside it often waits a millisecond
#: for its core, while another one is free: https://man7.org/linux/man-pages/man7/sched.7.html
_NICENESS: Final = 5


class LongReaders:
    """
    Runs each long read on a connection of its own, as many at once as there are cores to spare.

    The others wait in one line, in order. A connection is opened when a read first needs it, and then kept.
    """

    def __init__(
        self, quick: ThreadQueue, location: Location, file: FileIdentity, limit: StatementLimit
    ) -> None:
        """Read the database that *quick* has open; where no other connection can be, long reads queue there."""
        self._quick = quick
        self._location = location
        self._file = file
        self._limit = limit
        self._line = Line()
        #: One for each connection that was opened.
        self.queues: list[ThreadQueue] = []
        #: Opens another connection, whether or not anybody still waits for it.
        self._opening: OwnTask[None] | None = None
        #: Those who wait for it, in order: who comes when it is just open does not overtake them.
        self._entrance = asyncio.Lock()
        self._n_failed = 0
        self._is_closed = False

    async def queue(self) -> ThreadQueue:
        """
        Return the queue that runs the next long read first.

        Raises:
            ClosedError: The store was closed while a connection was opened.
        """
        n_failed = self._n_failed
        async with self._entrance:
            queue = self._next()
            if queue is None and n_failed == self._n_failed:
                await self._open_another()
                queue = self._next()
            if self._is_closed:
                raise closed()
            # None can be opened: that it failed for one is enough for all that waited then.
            return queue or (self.queues or [self._quick])[0]

    def refuse(self) -> None:
        """Refuse all that wait, because the store is closed."""
        self._is_closed = True
        for queue in self.queues:
            queue.refuse()

    async def close(self) -> None:
        """Close the connections, after what runs on them; also if it is cancelled, as with all tasks of the loop."""
        if self._opening is not None:
            await outlast(self._opening)
        async with AsyncExitStack() as stack:
            for queue in self.queues:
                stack.push_async_callback(queue.thread.close)

    async def run_aside(self, run: Run, call: PendingCall) -> list[Result]:
        """
        Run what may take minutes, such as a backup, on a connection for it alone.

        No long read waits for it, nor it for one.
        """
        await self._quick.thread.run(WorkerConnection.require_file)
        thread = await open_thread(self._location, self._file)
        try:
            return await thread.call(run, call)
        finally:
            await thread.close()

    def _next(self) -> ThreadQueue | None:
        """Return a queue whose turn it is; ``None`` if another one can be opened."""
        for queue in self.queues:
            if queue.is_free:
                return queue
        return self.queues[0] if len(self.queues) >= MOST_READERS else None

    def _let_quick_reads_pass(self, worker: WorkerConnection) -> None:
        worker.watch.is_awaited = lambda: not self._quick.is_free
        if sys.platform == "linux":  # elsewhere, it would be the whole process
            with suppress(OSError):  # a sandbox may refuse it
                os.nice(_NICENESS)

    async def _open_another(self) -> None:
        n_before = len(self.queues)
        if self._opening is None or self._opening.done():
            self._opening = OwnTask(self._open_one(), loop=asyncio.get_running_loop())
        await asyncio.wait({self._opening})
        if len(self.queues) == n_before:
            # Or it was cancelled, with all tasks of the loop.
            self._n_failed += 1

    async def _open_one(self) -> None:
        # The process may have no file descriptor left. If the reason is the file, reads will say so.
        with suppress(DatabaseError):
            await self._quick.thread.run(WorkerConnection.require_file)
            thread = await open_reader(self._location, self._file, self._limit)
            # Nothing is awaited from here on: a thread that is in no queue would never be closed.
            thread.put_errand(self._let_quick_reads_pass)
            queue = ThreadQueue(thread, WorkerConnection.run_reads, self._line, most=1)
            self.queues.append(queue)
