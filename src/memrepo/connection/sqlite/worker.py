"""
Run groups of units on SQLite's worker thread, each group as one job.

aiosqlite makes a thread for a connection and opens the database on it. It passes a subclass of
`sqlite3.Connection` through (``factory=``), and the last thing it does with a connection is to close it. A
subclass that does jobs of its own before it closes needs nothing of aiosqlite but its public methods.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any

from memrepo.connection.coalescing import CoalescedCall, coalesce
from memrepo.connection.errors import rolled_back
from memrepo.connection.pending import PendingCall
from memrepo.connection.sqlite.errors import file_lost, is_busy, is_storage, translate
from memrepo.connection.sqlite.inode import FileIdentity
from memrepo.connection.sqlite.limits import StatementLimit, Watch, distrust
from memrepo.connection.sqlite.lost import keep_log, lose, refuse
from memrepo.connection.sqlite.statements import FAILURES, explain, run, run_whole
from memrepo.errors import DatabaseError

__all__ = ["WorkerConnection"]


class WorkerConnection(sqlite3.Connection):
    """A connection that runs units. Its methods block, and are for the worker thread only."""

    def __init__(
        self,
        database: str,
        *args: Any,
        serve: Callable[[WorkerConnection], None],
        limit: StatementLimit,
        **kwargs: Any,
    ) -> None:
        #: Why the database could not be opened; the connection is then to an empty database in memory.
        #: If this raised instead, aiosqlite would not wait for its thread to end, and the thread's last
        #: message could come after the event loop was closed.
        self._failure: sqlite3.Error | None = None
        try:
            super().__init__(database, *args, **kwargs)
        except sqlite3.Error as error:
            self._failure = error
            super().__init__(":memory:")
        self._serve = serve
        self.watch = Watch(limit)
        self._file = FileIdentity(None)
        self._look_every_s = 0.0
        #: Whether the database is closed.
        self.is_shut = False
        self.watch.stand_over(self)
        distrust(self)

    def close(self) -> None:
        """Do jobs until the thread is stopped, and only then close."""
        self._serve(self)
        self.shut()

    def shut(self) -> None:
        """Close the database at once; a lost one without a checkpoint, which would go to another file."""
        if not self.is_shut:
            if self._file.is_lost or not self._file.are_there():
                keep_log(self)
            super().close()
            self.is_shut = True

    def shut_if_lost(self) -> None:
        """Close a lost database now, unless that would do harm."""
        if not self.is_shut and not self._file.is_same() and keep_log(self):
            self.shut()

    def watch_file(self, file: FileIdentity, *, look_every_s: float) -> None:
        """
        From now on, do nothing once *file* is lost, and acknowledge no commit to it.

        Raises:
            ConnectionLostError: It is lost.
            sqlite3.Error: It could not be opened.
        """
        if self._failure is not None:
            raise self._failure
        with contextlib.suppress(sqlite3.Error):  # the first call will tell of it
            # SQLite looks at the log when it first reads; one that does not belong to the file, it deletes.
            self.execute("PRAGMA schema_version").fetchall()
        file.note()
        self._file, self._look_every_s = file, look_every_s
        self.require_file()

    def require_file(self) -> None:
        """
        Raise if the file is lost.

        Raises:
            ConnectionLostError: It is.
        """
        if not self._file.is_same():
            raise file_lost()

    def require_writable(self) -> None:
        """
        Raise if the file is read-only: SQLite opens such a file, and fails at the first write.

        Raises:
            sqlite3.OperationalError: SQLITE_READONLY.
        """
        try:
            self.begin()  # only for reading, if the file is in WAL mode and read-only
            self.execute("PRAGMA incremental_vacuum(1)")  # a write that changes nothing
        except sqlite3.OperationalError as error:
            if not is_busy(error):
                raise
        finally:
            self.undo()

    def run_group(self, calls: Sequence[PendingCall]) -> None:
        """
        Run each call's unit and commit them together; a unit that fails is undone alone.

        Raises:
            sqlite3.OperationalError: The write lock was not free; a call without an outcome has not run.
        """
        # On a retry, some may have run before the lock was found taken, or been cancelled since.
        waiting = [call for call in calls if call.outcome is None and not call.is_cancelled]
        if not self._file.is_same(look_every_s=self._look_every_s):
            refuse(waiting)
            return
        try:
            if len(waiting) == 1:
                self._run_alone(waiting[0])
            elif waiting:
                self._run_together(waiting)
        except BaseException:
            self.undo()
            if self._file.is_same():
                raise
            refuse(waiting)
        # At once after an error: what looks like damage to the file may only be the loss of its log.
        failed = [call for call in waiting if isinstance(call.outcome, DatabaseError)]
        if not self._file.is_same(look_every_s=0.0 if failed else self._look_every_s):
            lose(waiting)

    def run_reads(self, calls: Sequence[PendingCall]) -> None:
        """
        Run each call's unit; several share one read transaction, which takes the locks only once.

        Raises:
            sqlite3.OperationalError: The file was locked; a call without an outcome has not run.
        """
        waiting = [call for call in calls if call.outcome is None and not call.is_cancelled]
        if not self._file.is_same(look_every_s=self._look_every_s):
            refuse(waiting)
            return
        try:
            if len(waiting) > 1:
                self.execute("BEGIN")
            for call in coalesce(waiting):
                self._run_each(call, self._read)
            self.undo()
        except BaseException:
            self.undo()
            if self._file.is_same():
                raise
            refuse(waiting)
        failed = [call for call in waiting if isinstance(call.outcome, DatabaseError)]
        if failed and not self._file.is_same():
            lose(waiting)

    def run_in_transaction(self, calls: Sequence[PendingCall]) -> None:
        """Run each call's unit inside the open transaction; one that fails is undone alone."""
        if self._file.is_lost:
            refuse(calls)
            return
        for call in calls:
            if self.in_transaction:
                self._run_inside(call)
            else:
                # Going on would run, and commit, the rest of the block statement by statement.
                call.outcome = rolled_back()

    def begin(self) -> None:
        """
        Take the write lock.

        Raises:
            sqlite3.OperationalError: It was not free.
            ConnectionLostError: The file is lost.
        """
        if not self._file.is_same(look_every_s=self._look_every_s):
            raise file_lost()
        self.watch.failed = None
        try:
            self.execute("BEGIN IMMEDIATE")
        except sqlite3.Error:
            self.require_file()
            raise

    def commit(self) -> None:
        """Commit the open transaction; if that fails, roll it back and raise our error."""
        if self._file.is_lost:
            self.undo()
            raise file_lost()
        if not self.in_transaction:
            raise rolled_back()
        try:
            self.execute("COMMIT")
        except sqlite3.Error as error:
            self.undo()
            if not self._file.is_same():
                raise file_lost(outcome_unknown=True) from error
            raise translate(error, outcome_unknown=True) from error
        if not self._file.is_same(look_every_s=self._look_every_s):
            raise file_lost(outcome_unknown=True)

    def undo(self) -> None:
        """Roll back the open transaction, if there is one."""
        if not self.is_shut and self.in_transaction:
            self.execute("ROLLBACK")

    def _run_alone(self, call: PendingCall) -> None:
        # One statement is a transaction by itself; BEGIN and COMMIT would only cost.
        is_single = len(call.unit) == 1
        try:
            if not is_single:
                self.begin()
            call.outcome = run(self, call, self.watch)
        except FAILURES as error:
            self.undo()
            if is_busy(error):
                raise
            # A single statement commits in its own run, so that its failure may be the commit's.
            call.outcome = explain(
                error, self.watch, outcome_unknown=is_single and is_storage(error)
            )
            return
        if not is_single:
            self._commit([call])

    def _run_together(self, calls: Sequence[PendingCall]) -> None:
        self.begin()
        for call in coalesce(calls):
            self._run_each(call, self._run_inside)
            if not self.in_transaction:
                # SQLite has rolled back everything, as it does on a full disk, an I/O error or an
                # interrupted write. Nothing is committed yet, so the others get their own chance.
                self._run_one_by_one([call for call in calls if not call.has_failed])
                return
        self._commit(calls)

    def _run_one_by_one(self, calls: Sequence[PendingCall]) -> None:
        for call in calls:
            call.outcome = None
        for call in calls:
            self._run_alone(call)

    def _run_each(
        self, call: PendingCall | CoalescedCall, run_single: Callable[[PendingCall], None]
    ) -> None:
        """Run a call; if a coalesced one fails, it has done nothing, and its calls run one by one."""
        if isinstance(call, PendingCall):
            run_single(call)
            return
        try:
            call.succeed(run_whole(self, call, self.watch))
        except FAILURES:
            for single in call.calls:
                run_single(single)

    def _read(self, call: PendingCall) -> None:
        try:
            call.outcome = run(self, call, self.watch)
        except FAILURES as error:
            if is_busy(error):
                raise
            call.outcome = explain(error, self.watch)

    def _run_inside(self, call: PendingCall) -> None:
        """Run a unit inside the open transaction; if it fails, only the unit is undone."""
        if not self.in_transaction:
            return  # another unit's failure has ended it
        try:
            call.outcome = run_whole(self, call, self.watch)
        except FAILURES as error:
            call.outcome = explain(error, self.watch)

    def _commit(self, calls: Sequence[PendingCall]) -> None:
        try:
            self.execute("COMMIT")
        except sqlite3.Error as error:
            self.undo()
            for call in calls:
                if isinstance(call.outcome, list):
                    call.outcome = translate(error, outcome_unknown=True)
