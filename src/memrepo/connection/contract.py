"""The contract that every engine fulfils: `Connection`, `Driver`, `Result`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Literal, NamedTuple, Protocol, TypeAlias

import attrs

from memrepo.domain.codec import Row
from memrepo.domain.indexing import SearchIndexInfo
from memrepo.domain.plain import PlainModel
from memrepo.queries.statement import BoundStatement, Unit

__all__ = ["Connection", "ConnectionInfo", "Driver", "Durability", "Result"]

#: ``full``: acknowledged writes survive a power loss. ``normal``: they survive a crash of the process.
Durability: TypeAlias = Literal["full", "normal"]


class Result(NamedTuple):
    """The result of one statement."""

    #: The rows it returned, in its order; empty for a statement that returns none. On a file or in
    #: memory, a text that is not UTF-8, as another program may have stored it, comes as bytes.
    rows: list[Row]
    #: How many rows it inserted, updated or deleted; 0 for a SELECT.
    changes: int


class Connection(Protocol):
    """What can run statements: a connection, or a transaction on one. Repositories know only this."""

    def write(self, unit: Unit) -> Awaitable[Sequence[Result]]:
        """
        Run *unit*, a tuple of bound statements, all or nothing and isolated from every other task.

        A cancelled call has happened completely or not at all.

        Returns:
            One result for each statement, in order, once the unit is committed (in a transaction: once
            it has run).

        Raises:
            InvalidInputError: *unit* is no tuple of bound statements, or a value cannot be stored.
            ConstraintError: A constraint refused a row; nothing of the unit is stored.
            DatabaseError: The database failed; ``outcome_unknown`` says whether it may be stored.
        """
        ...

    def read(self, statement: BoundStatement) -> Awaitable[list[Row]]:
        """
        Run one SELECT and return its rows; it sees committed rows, and those of its transaction.

        On a file and on servers, no read waits for one whose statement is long.

        Raises:
            InvalidInputError: *statement* is no bound statement, or one that writes; or a value cannot be stored.
            DatabaseError: The database failed.
        """
        ...

    def give_way(self) -> Awaitable[bool]:
        """
        Return once the quick reads that run on another thread now are done, and whether anybody else was at work.

        For work between whose steps other tasks run: without it, a thread that asks for the interpreter's lock gets
        it only after 5 ms (`sys.setswitchinterval`).
        """
        ...


@attrs.frozen(kw_only=True)
class ConnectionInfo(PlainModel):
    """What a store is connected to, as `Store.info` found it; sizes in bytes, 0 for a database in memory."""

    #: ``sqlite``, or ``libsql`` for a database on a server.
    engine: str
    #: The version of SQLite, or of the SQLite in libSQL, as ``3.45.1``.
    engine_version: str
    #: The database file; ``None`` for a database in memory or on a server.
    path: Path | None
    #: The server's URL, without a token; ``None`` for a file or memory.
    url: str | None = None
    #: The server's name and version, as ``sqld 0.24.32``; ``""`` if it does not say, or for a file.
    server_version: str = ""
    #: The server's protocol: ``hrana3-http``, ``hrana2-http`` or ``hrana2-ws``; ``""`` for a file.
    protocol: str = ""
    #: ``full`` or ``normal``; ``none`` for a database in memory. A server decides itself: ``normal``
    #: unless it is told to sync each commit (``durability_mode: strong``).
    durability: str
    #: As read back from the database: ``wal`` for a file, ``memory``.
    journal_mode: str
    #: As read back from the database: 2 is FULL, 1 is NORMAL.
    synchronous: int
    #: The type of the file system that the file is on, as ``ext4`` or ``nfs4``. ``None`` if there is no
    #: file or the type is unknown, as it is outside Linux.
    file_system: str | None
    #: The length of the database file.
    size_bytes: int
    #: The length of the write-ahead log beside it.
    wal_size_bytes: int
    #: Whether this SQLite has the bug that can, rarely, corrupt a WAL file that several processes use
    #: (fixed in 3.51.3, 3.50.7 and 3.44.6; https://sqlite.org/wal.html).
    has_wal_reset_bug: bool
    #: Whether full-text search (FTS5) is built in.
    has_full_text_search: bool
    #: Whether libSQL's vectors are built in.
    has_vectors: bool
    #: Maximum length of one text.
    max_value_bytes: int
    #: The search index; ``None`` if it was not made, and inside a transaction of this task.
    search_index: SearchIndexInfo | None = None
    #: Maximum length of one answer of a server; ``None`` for no limit.
    max_reply_bytes: int | None = None


class Driver(Connection, Protocol):
    """One database that many tasks of one event loop share."""

    @property
    def is_open(self) -> bool:
        """Whether it is neither closed nor being closed."""
        ...

    @property
    def is_read_only(self) -> bool:
        """Whether it was opened for reading only."""
        ...

    @property
    def is_lost(self) -> bool:
        """Whether its file was found removed or replaced, so that every call fails from now on."""
        ...

    def transaction(
        self, *, timeout_s: float | None = None
    ) -> AbstractAsyncContextManager[Connection]:
        """
        Hold the writer for a block, and yield it: commit at its end, roll back on any exception.

        Args:
            timeout_s: Seconds to wait for the writer; the connection's lock timeout if ``None``.

        Raises:
            BusyError: The writer was not free in time.
            TransactionError: This task, or the one that started it, is already in a transaction.
        """
        ...

    async def info(self) -> ConnectionInfo:
        """Return what it is connected to."""
        ...

    async def read_aside(self, statement: BoundStatement) -> list[Row]:
        """Run a long statement that changes nothing, beside other calls if possible; return its rows."""
        ...

    async def back_up(self, path: Path) -> None:
        """Write a consistent copy of the whole database into an empty file; not on a server."""
        ...

    async def compact(self) -> None:
        """Give free space back to the file system, with what was deleted there; not on a server."""
        ...

    async def allow_writing(self) -> None:
        """Prepare for writing, unless it is read-only. Idempotent."""
        ...

    def call_when_free(self, told: Callable[[], None]) -> None:
        """Call *told* whenever nothing waits to be written any more; never if it is read-only."""
        ...

    def end_opening(self) -> None:
        """
        Take the database for one that is ours: until now, each statement had to end in time.

        A file's triggers, or a server that does not answer, must not keep the caller for ever.
        """
        ...

    async def close(self) -> None:
        """
        Finish running calls, refuse waiting ones, and close.

        Idempotent; several tasks may call it at once, and a cancelled call closes all the same.

        Raises:
            TransactionError: This task is inside a transaction.
            WrongLoopError: Another event loop runs, or this is a forked child.
        """
        ...
