"""The driver for databases on a libSQL server: one write at a time, reads beside it."""

from __future__ import annotations

import asyncio
from asyncio import CancelledError
from collections.abc import Callable, Sequence
from pathlib import Path
from ssl import SSLContext
from typing import Final, Self

from memrepo.connection.affinity import Affinity
from memrepo.connection.contract import ConnectionInfo, Result
from memrepo.connection.credentials import Credentials
from memrepo.connection.errors import warn_unclosed
from memrepo.connection.hrana.connect import open_transport
from memrepo.connection.hrana.info import describe, require_foreign_keys
from memrepo.connection.hrana.reader import ServerReader
from memrepo.connection.hrana.repeat import repeat
from memrepo.connection.hrana.transaction import ServerTransaction
from memrepo.connection.hrana.transport import Transport
from memrepo.connection.hrana.writer import ServerWriter
from memrepo.connection.instrumentation import OnStatement
from memrepo.connection.pending import PendingCall, Turn
from memrepo.connection.server_url import ServerLocation
from memrepo.connection.transaction import TransactionConnection
from memrepo.connection.waiting import GRACE_S, finish
from memrepo.domain.codec import Row
from memrepo.errors import ClosedError, ReadOnlyError, TransactionError, UsageError
from memrepo.queries.statement import BoundStatement, Unit, check_read

__all__ = ["LibSQLConnection"]

#: Seconds that a check of the whole database may take.
_ASIDE_S: Final = 600.0
_ONLY_READS: Final = "the database was opened for reading only"


class LibSQLConnection:
    """
    One database on a libSQL server, shared by the tasks of one event loop.

    Whatever it says of a write was said by the server after the commit. It connects again by itself.
    """

    def __init__(
        self,
        location: ServerLocation,
        transport: Transport,
        *,
        lock_timeout_s: float,
        request_timeout_s: float,
        on_statement: OnStatement | None,
    ) -> None:
        self._affinity = Affinity()
        self._transport = transport
        self._writer = ServerWriter(transport, request_timeout_s)
        self._reader = ServerReader(transport)
        self._transaction: ServerTransaction | None = None
        self._on_statement = on_statement
        self.location = location
        self.lock_timeout_s = lock_timeout_s
        self.request_timeout_s = request_timeout_s

    def __repr__(self) -> str:
        """Name the database, without its token."""
        return f"<{type(self).__name__} {self.location}>"

    def __str__(self) -> str:
        """Return the database's URL, without its token, for logs."""
        return str(self.location)

    def __del__(self) -> None:
        """Warn of a forgotten close, and let the sockets go."""
        if "_affinity" in self.__dict__ and not self._affinity.is_closed:
            self._transport.forget()
            warn_unclosed(self)

    # --- opening and closing -------------------------------------------------------------------

    @classmethod
    async def open(
        cls,
        location: ServerLocation,
        credentials: Credentials,
        *,
        ssl: SSLContext | None,
        lock_timeout_s: float,
        request_timeout_s: float,
        on_statement: OnStatement | None = None,
    ) -> Self:
        """
        Connect, and make sure that a libSQL server answers.

        Raises:
            UsageError: The extra for this kind of URL is not installed.
            ConnectionLostError: There is no server.
            AuthenticationError: It wants another token.
            DatabaseError: It is none, or has no such database.
        """
        transport = await open_transport(location, credentials, ssl)
        connection = cls(
            location,
            transport,
            lock_timeout_s=lock_timeout_s,
            request_timeout_s=request_timeout_s,
            on_statement=on_statement,
        )
        try:
            await repeat(
                lambda: require_foreign_keys(transport, request_timeout_s), connection._deadline()
            )
        except (Exception, CancelledError):
            await connection.close()
            raise
        return connection

    async def allow_writing(self) -> None:
        """Do nothing: the server knows what this store may do."""

    def end_opening(self) -> None:
        """Do nothing: each request has its own time limit, now and later."""

    def call_when_free(self, told: Callable[[], None]) -> None:
        """Call *told* whenever nothing waits to be written; see `Driver`."""
        self._writer.when_free = told

    async def close(self) -> None:
        """Finish what runs, refuse what waits, and close; see `Driver`."""
        await self._affinity.close(self, self._close)

    async def _close(self) -> None:
        self._writer.refuse()
        self._reader.refuse()
        try:
            await self._writer.drain()
            await self._reader.drain()
            if self._transaction is not None:
                await self._transaction.roll_back()
        finally:
            await self._transport.close()

    # --- reading and writing -------------------------------------------------------------------

    @property
    def is_open(self) -> bool:
        """Whether it is neither closed nor being closed."""
        return not self._affinity.is_closed

    @property
    def is_read_only(self) -> bool:
        """Whether it was opened with ``mode=ro``; a token or the server may refuse writes all the same."""
        return self.location.is_read_only

    @property
    def is_lost(self) -> bool:
        """Never: it connects again."""
        return False

    async def write(self, unit: Unit) -> Sequence[Result]:
        """Run *unit* together with the units that wait at the same moment; see `Driver`."""
        self._affinity.check(self)
        if self.location.is_read_only:
            raise ReadOnlyError(_ONLY_READS)
        deadline = asyncio.get_running_loop().time() + self.lock_timeout_s
        call = self._writer.run(unit, deadline, self._on_statement)
        try:
            return await call.wait(GRACE_S)
        except CancelledError:
            await self._writer.abort(call)
            raise

    async def read(self, statement: BoundStatement) -> list[Row]:
        """Run one SELECT beside the writer; see `Driver`."""
        return await self._read(statement, self.request_timeout_s)

    async def give_way(self) -> bool:
        """Return at once: no read needs a thread."""
        return False

    async def read_aside(self, statement: BoundStatement) -> list[Row]:
        """Run a long statement that changes nothing; see `Driver`."""
        return await self._read(statement, max(_ASIDE_S, self.request_timeout_s))

    async def _read(self, statement: BoundStatement, timeout_s: float) -> list[Row]:
        self._affinity.check(self)
        check_read(statement)
        call = PendingCall.of((statement,), self._deadline(), self._on_statement)
        await self._reader.run(call, timeout_s)
        return call.results()[0].rows

    async def back_up(self, path: Path) -> None:  # noqa: ARG002 - for files only
        """Refuse: see `Driver`."""
        raise UsageError(
            "a server makes its backups itself: fetch /dump from it, or fork the database"
        )

    async def compact(self) -> None:
        """Refuse: see `Driver`."""
        raise UsageError("a server compacts its databases itself, and refuses VACUUM")

    def _deadline(self, timeout_s: float | None = None) -> float:
        wait_s = self.lock_timeout_s if timeout_s is None else timeout_s
        return asyncio.get_running_loop().time() + wait_s

    async def info(self) -> ConnectionInfo:
        """Find out what it is connected to; see `Driver`."""
        self._affinity.check_open()
        return await describe(self._transport, self.location, self.request_timeout_s)

    # --- transactions --------------------------------------------------------------------------

    def transaction(self, *, timeout_s: float | None = None) -> TransactionConnection:
        """Hold the writer for a block; see `Driver`."""
        return TransactionConnection(self, timeout_s)

    async def begin(self, timeout_s: float | None) -> Turn:
        """Take the writer and the write lock, for a transaction, until its turn is ended."""
        self._affinity.check(self)
        if self.location.is_read_only:
            raise ReadOnlyError(_ONLY_READS)
        deadline = self._deadline(timeout_s)
        turn = await self._writer.take(deadline)
        try:
            self._affinity.check_open()
            await finish(repeat(self._begin, deadline), grace_s=GRACE_S)
        except BaseException:
            await self.end(turn, commit=False)
            raise
        return turn

    async def _begin(self) -> None:
        transaction = ServerTransaction(self._transport.stream(), self.request_timeout_s)
        await transaction.begin()
        self._transaction = transaction

    async def run_in_transaction(self, turn: Turn, unit: Unit) -> list[Result]:
        """Run *unit* inside the transaction that holds the writer."""
        self._affinity.check_open()
        if self._transaction is None or not self._writer.is_held_by(turn):
            raise TransactionError("the transaction has ended")
        call = PendingCall.of(unit, self._deadline(), self._on_statement)
        await self._transaction.run(call)
        return call.results()

    async def end(self, turn: Turn, *, commit: bool) -> None:
        """Commit or roll back, and give the writer to the next."""
        if not self._writer.is_held_by(turn):
            return
        transaction, self._transaction = self._transaction, None
        try:
            if transaction is None or self._affinity.is_closed:
                if commit:
                    raise ClosedError("the store was closed: its transaction is rolled back")
            else:
                await finish(transaction.commit() if commit else transaction.roll_back())
        finally:
            self._writer.release(turn)
