"""A store: the three repositories over one shared connection, and how to open it."""

from __future__ import annotations

import asyncio
import os
from asyncio import CancelledError
from collections.abc import Callable, Coroutine, Generator
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, Final, get_args

from memrepo.adoption import adopt_facts
from memrepo.clock import Clock, utc_now
from memrepo.connection.contract import Connection, ConnectionInfo
from memrepo.connection.hooks import OnStatement
from memrepo.connection.opening import Durability
from memrepo.connection.sqlite import SQLiteConnection
from memrepo.connection.url import parse_url
from memrepo.errors import InvalidInputError, MigrationError
from memrepo.maintenance import Problem, back_up, find_problems
from memrepo.migrations import load_migrations, migrate, read_version
from memrepo.models import IDLE_AFTER
from memrepo.scopes import ScopedStore, Settings
from memrepo.validation import check_duration, check_flag, check_instant, check_seconds

__all__ = ["OpeningStore", "Store", "connect", "from_env"]

#: Seconds to wait for the writer and for other processes.
DEFAULT_LOCK_TIMEOUT_S: Final = 10.0


class Store(ScopedStore):
    """
    An open database. Made by `connect`.

    All its methods can be called by any number of tasks of the event loop it was opened in.
    """

    def __init__(self, connection: Connection, schema_version: int, settings: Settings) -> None:
        super().__init__(connection, "", settings)
        self._schema_version = schema_version

    def __repr__(self) -> str:
        """Name the database."""
        return f"<memrepo.Store on {self.connection!r}>"

    @property
    def schema_version(self) -> int:
        """The number of the last migration applied; 0 for a database without our tables."""
        return self._schema_version

    async def migrate(self) -> int:
        """
        Bring the schema to this version of memrepo, and adopt what other programs stored.

        Idempotent, and safe when several processes do it at once.

        Returns:
            The `schema_version` it has now.

        Raises:
            MigrationError: The database is newer, has tables of another program with our names, or
                its migrations are not this version's. Nothing was written.
        """
        known = await asyncio.to_thread(load_migrations)
        now = check_instant("clock", self._settings.clock())
        self._schema_version = await migrate(self.connection, known, now)
        await adopt_facts(self.connection)
        return self._schema_version

    async def info(self) -> ConnectionInfo:
        """Return what the store is connected to: engine, versions, durability and sizes."""
        return await self.connection.info()

    async def backup(self, path: str | PathLike[str]) -> None:
        """
        Write a consistent copy of the whole database, all scopes, while others read and write.

        The copy has its name only when it is complete and synced to the disk.

        Args:
            path: A file that is not there yet, in a folder that is.

        Raises:
            InvalidInputError: There is a file already.
            StorageFullError: There is no room for the copy.

        Source:
            https://sqlite.org/lang_vacuum.html#vacuuminto
        """
        await back_up(self.connection, Path(path))

    async def verify(self) -> list[Problem]:
        """
        Check the file, the references between rows, and each fact's text against its hash.

        Reads every row, so it takes a while; others go on reading and writing.

        Returns:
            What is wrong; an empty list if nothing is.

        Source:
            https://sqlite.org/pragma.html#pragma_integrity_check
        """
        return [problem async for problem in find_problems(self.connection)]

    async def close(self) -> None:
        """
        Finish what runs, refuse what waits, and close. Idempotent; several tasks may call it at once.

        Raises:
            TransactionError: This task is inside a transaction on this store.
            WrongLoopError: The store belongs to another event loop, or to the process before a fork.
        """
        await self.connection.close()


class OpeningStore(AbstractAsyncContextManager[Store]):
    """What `connect` returns: ``await`` it for a store to close yourself, or use ``async with``."""

    def __init__(self, open_store: Callable[[], Coroutine[Any, Any, Store]]) -> None:
        self._open = open_store
        self._store: Store | None = None

    def __await__(self) -> Generator[Any, None, Store]:
        """Open the store."""
        return self._open().__await__()

    async def __aenter__(self) -> Store:
        """Open the store."""
        self._store = await self._open()
        return self._store

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the store."""
        if self._store is not None:
            await self._store.close()


def connect(
    url: str | PathLike[str],
    *,
    durability: Durability = "full",
    migrate: bool = True,
    lock_timeout_s: float = DEFAULT_LOCK_TIMEOUT_S,
    idle_after: timedelta = IDLE_AFTER,
    clock: Clock = utc_now,
    on_statement: OnStatement | None = None,
) -> OpeningStore:
    """
    Return a store to open: ``async with memrepo.connect("agent.db") as store: ...``.

    Or ``store = await memrepo.connect("agent.db")``, and ``await store.close()`` in the end.

    Args:
        url: A path (str or Path), ``:memory:``, ``file:agent.db?mode=ro``, ``sqlite:///relative.db``,
            ``sqlite:////absolute.db`` or ``sqlite+aiosqlite:///...``. The file is created if it is
            not there; its folder is not. ``mode=ro`` changes no row, but SQLite puts its ``-wal`` and
            ``-shm`` files beside a file in WAL mode.
        durability: ``"full"``: what an await acknowledged survives power loss. ``"normal"``: it
            survives a crash of the process, and power loss may cost the last moments.
        migrate: Whether to bring the schema to this version first; see `Store.migrate`.
        lock_timeout_s: Seconds that a call waits for its turn and for other processes.
        idle_after: How long a session may be idle before it is abandoned.
        clock: Returns the current instant, with its time zone.
        on_statement: Called after each statement with a `StatementEvent`, for tracing and metrics.

    Raises:
        InvalidInputError: An argument is not accepted.
        UnsupportedURLError: *url* is not one of the above. Both are raised by the call itself.
        BusyError: Other processes kept the file locked (raised, like the rest, while opening).
        CorruptDatabaseError: The file is not a database.
        DatabaseError: It cannot be opened.
        MigrationError: Its schema cannot be brought to this version. The file was not touched.
    """
    location = parse_url(url)
    if not isinstance(durability, str) or durability not in get_args(Durability):
        raise InvalidInputError("durability", 'must be "full" or "normal"')
    timeout_s = check_seconds("lock_timeout_s", lock_timeout_s)
    settings = Settings(clock=clock, idle_after=check_duration("idle_after", idle_after))
    is_migrating = check_flag("migrate", migrate)

    async def open_store() -> Store:
        connection = await SQLiteConnection.open(
            location,
            durability=durability,
            lock_timeout_s=timeout_s,
            on_statement=on_statement,
        )
        try:
            return await _prepare(connection, settings, migrate=is_migrating)
        except (Exception, CancelledError):
            await connection.close()
            raise

    return OpeningStore(open_store)


async def _prepare(connection: Connection, settings: Settings, *, migrate: bool) -> Store:
    known = await asyncio.to_thread(load_migrations)
    store = Store(connection, await read_version(connection, known), settings)
    await connection.allow_writing()
    if migrate and not connection.is_read_only:
        await store.migrate()
    elif migrate and store.schema_version < len(known):
        raise MigrationError("the database needs migrations, and was opened for reading only")
    return store


def from_env(
    *,
    durability: Durability = "full",
    migrate: bool = True,
    lock_timeout_s: float = DEFAULT_LOCK_TIMEOUT_S,
    idle_after: timedelta = IDLE_AFTER,
    clock: Clock = utc_now,
    on_statement: OnStatement | None = None,
) -> OpeningStore:
    """
    Return a store to open on the database that the environment names.

    The arguments are those of `connect`.

    ``TURSO_DATABASE_URL`` comes before ``DATABASE_URL``. They are read when this is called.

    Raises:
        InvalidInputError: Neither is set.
    """
    url = os.environ.get("TURSO_DATABASE_URL") or os.environ.get("DATABASE_URL")
    if not url:
        raise InvalidInputError("url", "set TURSO_DATABASE_URL or DATABASE_URL")
    return connect(
        url,
        durability=durability,
        migrate=migrate,
        lock_timeout_s=lock_timeout_s,
        idle_after=idle_after,
        clock=clock,
        on_statement=on_statement,
    )
