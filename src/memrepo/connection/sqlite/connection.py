"""The driver for SQLite: a writer and, on a file, readers beside it."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Self

from memrepo.connection.affinity import Affinity
from memrepo.connection.contract import ConnectionInfo, Durability, Result
from memrepo.connection.errors import rolled_back, warn_unclosed
from memrepo.connection.instrumentation import OnStatement
from memrepo.connection.pending import PendingCall, Turn
from memrepo.connection.sqlite.busy import until_free
from memrepo.connection.sqlite.compaction import compact
from memrepo.connection.sqlite.copying import write_copy
from memrepo.connection.sqlite.health import advise
from memrepo.connection.sqlite.info import describe
from memrepo.connection.sqlite.inode import FileIdentity
from memrepo.connection.sqlite.job import Run
from memrepo.connection.sqlite.limits import StatementLimit
from memrepo.connection.sqlite.queue import ThreadQueue
from memrepo.connection.sqlite.readers import LongReaders
from memrepo.connection.sqlite.setup import open_first, open_writer
from memrepo.connection.sqlite.worker import WorkerConnection
from memrepo.connection.transaction import TransactionConnection
from memrepo.connection.url import Location
from memrepo.domain.codec import Row
from memrepo.errors import ClosedError, ReadOnlyError
from memrepo.queries.statement import BoundStatement, Unit, check_read, is_long

__all__ = ["SQLiteConnection"]

_logger = logging.getLogger(__name__)


class SQLiteConnection:
    """
    One SQLite database, shared by the tasks of one event loop.

    A file is in WAL mode: reads have a connection of their own, see only committed rows and never wait
    for a writer; long reads have others, so that quick ones never wait for them. In memory there is one
    connection, and reads wait for their turn among the writes.
    """

    def __init__(
        self,
        location: Location,
        *,
        durability: Durability,
        lock_timeout_s: float,
        on_statement: OnStatement | None,
        was_emptied: bool,
    ) -> None:
        self._writer: ThreadQueue | None = None
        self._reader: ThreadQueue | None = None
        self._long_readers: LongReaders | None = None
        self._affinity = Affinity()
        self._loop = asyncio.get_running_loop()
        self._file = FileIdentity(location.path)
        self.location = location
        self.lock_timeout_s = lock_timeout_s
        self._durability: Durability = durability
        self._on_statement = on_statement
        self._limit = StatementLimit(lock_timeout_s)
        self._was_emptied = was_emptied

    def __repr__(self) -> str:
        """Name the database."""
        return f"<{type(self).__name__} {self.location}>"

    def __str__(self) -> str:
        """Return the database's path, for logs."""
        return str(self.location)

    def __del__(self) -> None:
        """Warn of a forgotten close, and stop the threads."""
        queues = [queue for queue in (self._writer, self._reader) if queue is not None]
        if queues and not self._affinity.is_closed:
            warn_unclosed(self)
            for queue in (*queues, *(self._long_readers.queues if self._long_readers else ())):
                queue.thread.stop()

    # --- opening and closing -------------------------------------------------------------------

    @classmethod
    async def open(
        cls,
        location: Location,
        *,
        durability: Durability,
        lock_timeout_s: float,
        on_statement: OnStatement | None = None,
        was_emptied: bool = False,
    ) -> Self:
        """
        Open the database for reading; one in memory also for writing.

        A cancelled call leaves no thread and no file descriptor behind.

        Raises:
            CorruptDatabaseError: The file is not a database.
            DatabaseError: It cannot be opened.
        """
        connection = cls(
            location,
            durability=durability,
            lock_timeout_s=lock_timeout_s,
            on_statement=on_statement,
            was_emptied=was_emptied,
        )
        try:
            await connection._open()
        except (Exception, asyncio.CancelledError):
            await connection.close()
            raise
        _logger.debug("opened %s", location)
        return connection

    async def _open(self) -> None:
        thread = await open_first(self.location, self._file, self._limit)
        if self.location.path is None:
            self._writer = ThreadQueue(thread, WorkerConnection.run_group)
        else:
            self._reader = ThreadQueue(thread, WorkerConnection.run_reads)
            self._long_readers = LongReaders(self._reader, self.location, self._file, self._limit)

    async def allow_writing(self) -> None:
        """
        Open the writer of a file. Until then, the file is not changed.

        Raises:
            BusyError: Other processes kept the file locked.
            ReadOnlyError: The file is not writable.
        """
        path = self.location.path
        if path is not None and self._writer is None and not self.is_read_only:
            thread = await open_writer(
                self.location,
                self._file,
                self._limit,
                self._durability,
                self._deadline(),
                was_emptied=self._was_emptied,
            )
            self._writer = ThreadQueue(thread, WorkerConnection.run_group)
            await advise(path, self._durability)

    def end_opening(self) -> None:
        """From now on, a statement may run for as long as it takes; see `Driver`."""
        self._limit.seconds = None

    def call_when_free(self, told: Callable[[], None]) -> None:
        """Call *told* whenever nothing waits to be written; see `Driver`."""
        if self._writer is not None:
            self._writer.when_free = told

    async def close(self) -> None:
        """Finish running calls, refuse waiting ones, and close; see `Driver`."""
        await self._affinity.close(self, self._close)

    async def _close(self) -> None:
        async with AsyncExitStack() as stack:
            for queue in (self._writer, self._reader, self._long_readers):
                if queue is not None:
                    queue.refuse()
                    stack.push_async_callback(queue.close)
            if self._writer is not None:
                await self._writer.thread.run(WorkerConnection.undo)
        _logger.debug("closed %s", self.location)

    # --- reading and writing -------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether it is neither closed nor being closed."""
        return not self._affinity.is_closed

    @property
    def is_read_only(self) -> bool:
        """Whether it was opened with ``mode=ro``."""
        return self.location.mode == "ro"

    @property
    def is_lost(self) -> bool:
        """Whether the file was found removed or replaced: every call fails."""
        return self._file.is_lost

    async def write(self, unit: Unit) -> Sequence[Result]:
        """Run *unit* together with the units that wait at the same moment; see `Driver`."""
        self._affinity.check(self)
        queue = self._writer or self._require_writer()
        deadline = self._loop.time() + self.lock_timeout_s
        return await queue.run(unit, deadline, self._on_statement).wait()

    async def read(self, statement: BoundStatement) -> list[Row]:
        """Run one SELECT beside the writer; see `Driver`."""
        self._affinity.check(self)
        check_read(statement)
        queue = self._reader or self._require_writer()
        if is_long(statement) and self._long_readers is not None:
            queue = await self._long_readers.queue()
        return (await queue.run((statement,), self._deadline(), self._on_statement).wait())[0].rows

    async def give_way(self) -> bool:
        """Return once the quick reads that run now are done, and whether anybody else was at work."""
        if self._reader is not None and not self._reader.is_free:
            self._reader.release(await self._reader.take(math.inf))
            return True
        return self._writer is not None and not self._writer.is_free

    def _deadline(self, timeout_s: float | None = None) -> float:
        return self._loop.time() + (self.lock_timeout_s if timeout_s is None else timeout_s)

    # --- the database as a whole ---------------------------------------------------------------

    async def read_aside(self, statement: BoundStatement) -> list[Row]:
        """Run a long statement on a connection of its own, if it is on a file; see `Driver`."""
        return (await self._run_aside(WorkerConnection.run_reads, (statement,)))[0].rows

    async def back_up(self, path: Path) -> None:
        """Write a copy into an empty file; see `Driver`."""
        await write_copy(self._run_aside, path)

    async def compact(self) -> None:
        """Rebuild the file, and empty its log; see `Driver`."""
        self._affinity.check(self)
        await compact(self._require_writer(), self._deadline(), self._on_statement)

    async def _run_aside(self, run: Run, unit: Unit) -> list[Result]:
        self._affinity.check(self)
        call = PendingCall.of(unit, self._deadline(), self._on_statement)
        if self._long_readers is not None:
            return await self._long_readers.run_aside(run, call)
        # A database in memory has no other connection, so everything else waits.
        writer = self._require_writer()
        turn = await writer.take(call.deadline)
        try:
            return await writer.thread.call(run, call)
        finally:
            writer.release(turn)

    async def info(self) -> ConnectionInfo:
        """Return what it is connected to; see `Driver`."""
        self._affinity.check_open()
        thread = (self._writer or self._reader or self._require_writer()).thread
        return await describe(thread, self.location.path, self._durability)

    def _require_writer(self) -> ThreadQueue:
        if self._writer is None:
            raise ReadOnlyError("the database was opened for reading only")
        return self._writer

    # --- transactions --------------------------------------------------------------------------

    def transaction(self, *, timeout_s: float | None = None) -> TransactionConnection:
        """Hold the writer for a block; see `Driver`."""
        return TransactionConnection(self, timeout_s)

    async def begin(self, timeout_s: float | None) -> Turn:
        """Take the writer and the write lock, for a transaction, until its turn is ended."""
        self._affinity.check(self)
        writer, deadline = self._require_writer(), self._deadline(timeout_s)
        turn = await writer.take(deadline)
        try:
            await until_free(
                lambda: writer.thread.run(WorkerConnection.begin), deadline, self.location
            )
        except BaseException:
            writer.abandon(turn)
            raise
        return turn

    async def run_in_transaction(self, turn: Turn, unit: Unit) -> list[Result]:
        """Run *unit* inside the transaction that holds the writer."""
        self._affinity.check_open()
        writer = self._require_writer()
        if not writer.is_held_by(turn):
            raise rolled_back()
        call = PendingCall.of(unit, self._deadline(), self._on_statement)
        return await writer.thread.call(WorkerConnection.run_in_transaction, call)

    async def end(self, turn: Turn, *, commit: bool) -> None:
        """Commit or roll back, and release the writer."""
        writer = self._require_writer()
        is_over = self._affinity.is_closed or not writer.is_held_by(turn)
        try:
            if not is_over:
                end = WorkerConnection.commit if commit else WorkerConnection.undo
                await writer.thread.run(end)
        except BaseException:
            writer.abandon(turn)
            raise
        writer.release(turn)
        if commit and is_over:
            raise ClosedError("the store was closed: its transaction is rolled back")
