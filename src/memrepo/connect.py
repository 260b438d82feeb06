"""Open a store: by URL, or from the environment."""

from __future__ import annotations

import asyncio
import os
from asyncio import CancelledError
from collections.abc import Collection
from datetime import timedelta
from functools import partial
from os import PathLike
from ssl import SSLContext
from typing import TYPE_CHECKING, Unpack

from memrepo.admin.adoption import adopt_facts
from memrepo.admin.files import create_missing
from memrepo.admin.migrate import migrate, read_version
from memrepo.admin.migrations import load_migrations
from memrepo.admin.rule import read_rule
from memrepo.connection.contract import Driver, Durability
from memrepo.connection.credentials import AuthToken, Credentials
from memrepo.connection.instrumentation import OnStatement
from memrepo.connection.server_url import ServerLocation
from memrepo.connection.sqlite.connection import SQLiteConnection
from memrepo.connection.sqlite.emptied import find_emptied
from memrepo.connection.sqlite.reasons import name_file
from memrepo.connection.url import Location, parse_url
from memrepo.domain.checks import check_instant
from memrepo.domain.clock import Clock, utc_now
from memrepo.domain.guard import OnRemember
from memrepo.domain.indexing import Tokenizer
from memrepo.domain.rules import FactRules, SameFact
from memrepo.domain.sessions import IDLE_AFTER
from memrepo.errors import DatabaseError, InvalidInputError, MigrationError
from memrepo.index.index import SearchIndex
from memrepo.index.making import Recorded, read_index
from memrepo.opening import OpeningStore
from memrepo.options import (
    DEFAULT_LOCK_TIMEOUT_S,
    DEFAULT_REQUEST_TIMEOUT_S,
    CheckedOptions,
    ConnectOptions,
)
from memrepo.ranking.language import Language
from memrepo.repositories.scopes import Settings
from memrepo.repositories.spelling import respell_instants
from memrepo.store import Store

if TYPE_CHECKING:
    from memrepo.connection.hrana.connection import LibSQLConnection

__all__ = ["connect", "from_env"]


def connect(
    url: str | PathLike[str],
    *,
    auth_token: AuthToken | None = None,
    ssl_context: SSLContext | None = None,
    durability: Durability = "full",
    migrate: bool = True,
    accept_push: bool = False,
    private: bool = True,
    lock_timeout_s: float = DEFAULT_LOCK_TIMEOUT_S,
    request_timeout_s: float = DEFAULT_REQUEST_TIMEOUT_S,
    idle_after: timedelta = IDLE_AFTER,
    same_fact: SameFact | None = None,
    explicit_sources: Collection[str] = (),
    propose: Collection[str] = (),
    search: Tokenizer | Language | None = None,
    clock: Clock = utc_now,
    on_remember: OnRemember | None = None,
    on_statement: OnStatement | None = None,
) -> OpeningStore:
    """
    Return a store to open: ``async with memrepo.connect("agent.db") as store: ...``.

    Or ``store = await memrepo.connect("agent.db")``, and ``await store.close()`` in the end. Until then, the
    process must not open and close the file in other ways, as to copy or hash it: that drops SQLite's locks.

    Args:
        url: A path (str or Path), ``:memory:``, ``file:agent.db?mode=ro``, ``sqlite:///relative.db``,
            ``sqlite:////absolute.db`` or ``sqlite+aiosqlite:///...``. A missing file is created, a
            missing folder is not. ``mode=ro`` changes no row. SQLite has its ``-wal`` and ``-shm`` files beside a file
            in WAL mode meanwhile, and removes them when the last program closes it. Or a database on a libSQL server:
            ``libsql://host``, ``https://host`` or ``http://host:8080`` (with ``memrepo[turso]``),
            ``wss://host`` or ``ws://host`` (with ``memrepo[libsql]``), ``?namespace=name`` on a server
            that has namespaces, ``?mode=ro`` to only read.
        auth_token: The server's token, or a sync or async callable that returns one: it is called when
            the store connects, and again when the server refuses the last token. Overrides
            ``?authToken=`` in *url*. Never shown in a message, log or repr.
        ssl_context: TLS context; the system's CAs by default.
        durability: ``"full"``: acknowledged writes survive a power loss. ``"normal"``: they survive
            a crash of the process; a power loss may undo the latest. A server decides this itself.
        migrate: Whether to bring the schema to this version first; see `Store.migrate`.
        accept_push: Whether to go on with a database from which `drizzle-kit push`, or another program,
            has removed what memrepo had added, instead of raising `MigrationError`. What was forgotten,
            expired or replaced is then current again, and facts of other scopes are in the scope
            ``lost+found``. A backup is better.
        private: Whether only the owner can read and write a file that is made now, and SQLite's files
            beside it (mode 0600). ``False`` leaves their rights to the umask. Those of a file that exists
            stay as they are.
        lock_timeout_s: Maximum wait for the write lock, in seconds, including safe retries. While a
            file is opened, also the longest that one statement may run, so that an endless trigger in
            it is an error; to migrate a file of many gigabytes, give it more.
        request_timeout_s: Maximum wait for one answer of a server, in seconds.
        idle_after: How long a session may be idle before it is abandoned.
        same_fact: When two texts are the same fact: see `normalize_content`. It is chosen when a database
            is made, and holds for good: ``"folded"``, the original's rule, which is the default and the only
            one for a database that the original shares, or ``"exact"``. ``None`` opens a database with
            either.
        explicit_sources: The sources that speak for the user, beside ``user_explicit``. Only what the user
            says brings back a fact that was forgotten or superseded, and outranks what was inferred.
        propose: The sources whose facts are only proposals, as ``("inferred",)``: nobody sees them until
            `MemoryRepo.approve`, or until the user says them. None of them may speak for the user.
        search: With *migrate*, makes the search index if the database has none: ``"english"`` finds a word by its other forms,
            ``"unicode"`` only as it is, and ``"trigram"`` any three characters in a row, for Chinese, Japanese and Korean.
            ``None`` opens a database with any, or without one. `Store.repair` changes it. A `Language`, as of `language`, is
            ``"unicode"``, and words are found by their other forms all the same. Nothing of it is stored: give it
            whenever the database is opened.
        clock: Returns the current instant, with its time zone.
        on_remember: A guard: called with a `Draft` of each fact, slot, event, summary, trigger, key and thread before
            anything is hashed, indexed, logged or sent. It returns the draft, a changed one, or ``None`` to refuse it, which
            is a `RefusedError`; what it raises itself passes. What is read by a whole content, slot, pattern,
            key or thread passes it, too, so that it is found as it was stored. It must be quick, and not async.
        on_statement: Called after each statement with a `StatementEvent`, for tracing and metrics.

    Raises:
        InvalidInputError: An argument is not accepted.
        UnsupportedURLError: *url* is not one of the above. These two are raised by the call itself, the
            others while the store is opened; and so is the first if the database has another *same_fact* or
            *search*.
        BusyError: Other processes kept the file locked.
        UsageError: A server's URL needs an extra that is not installed.
        WrongLoopError: No event loop of asyncio runs.
        AuthenticationError: The server refused the token.
        ConnectionLostError: The server cannot be reached.
        CorruptDatabaseError: The file is not a database, or is empty beside a ``-wal`` file with data.
        ReadOnlyError: The file or its folder is not writable.
        DatabaseError: The database cannot be opened.
        MigrationError: The schema cannot be migrated to this version. Nothing was written. This and the
            errors above name the file or the server, and the reason if the system knows it.
    """
    options = CheckedOptions(
        auth_token=auth_token,
        ssl_context=ssl_context,
        durability=durability,
        migrate=migrate,
        accept_push=accept_push,
        private=private,
        lock_timeout_s=lock_timeout_s,
        request_timeout_s=request_timeout_s,
        idle_after=idle_after,
        same_fact=same_fact,
        explicit_sources=explicit_sources,
        propose=propose,
        search=search,
        clock=clock,
        on_remember=on_remember,
        on_statement=on_statement,
    )
    return connect_with(url, options)


def connect_with(url: str | PathLike[str], options: CheckedOptions) -> OpeningStore:
    """Return a store to open, as `connect` does."""
    location = parse_url(url)
    if isinstance(location, ServerLocation):
        token = options.auth_token if options.auth_token is not None else location.auth_token
        return OpeningStore(partial(_open_server, location, Credentials(token), options))
    if options.auth_token is not None or options.ssl_context is not None:
        raise InvalidInputError("url", "names no server, but auth_token and ssl_context need one")
    return OpeningStore(partial(_open_file, location, options))


def from_env(**options: Unpack[ConnectOptions]) -> OpeningStore:
    """
    Return a store to open on the database that the environment names.

    ``TURSO_DATABASE_URL`` takes precedence over ``DATABASE_URL``. If neither the options nor the URL have
    a token for a server, ``TURSO_AUTH_TOKEN`` is used. The environment is read when this is called.

    Args:
        options: Those of `connect`.

    Raises:
        InvalidInputError: Neither URL is set, or an option is not accepted.
    """
    url = os.environ.get("TURSO_DATABASE_URL") or os.environ.get("DATABASE_URL")
    if not url:
        raise InvalidInputError("url", "set TURSO_DATABASE_URL or DATABASE_URL")
    if options.get("auth_token") is None and isinstance(location := parse_url(url), ServerLocation):
        options["auth_token"] = location.auth_token or os.environ.get("TURSO_AUTH_TOKEN") or None
    return connect(url, **options)


# --- opening -----------------------------------------------------------------------------------


async def _open_file(location: Location, options: CheckedOptions) -> Store:
    # Before the file is made, and before SQLite reads it.
    was_emptied = location.path is not None and await find_emptied(location.path)
    if options.private and location.path is not None and location.mode == "rwc":
        await asyncio.to_thread(create_missing, location.path)
    try:
        connection = await SQLiteConnection.open(
            location,
            was_emptied=was_emptied,
            durability=options.durability,
            lock_timeout_s=options.lock_timeout_s,
            on_statement=options.on_statement,
        )
        return await _make_store(connection, options)
    except (DatabaseError, MigrationError) as error:
        await asyncio.to_thread(name_file, error, location)
        raise


async def _open_server(
    location: ServerLocation, credentials: Credentials, options: CheckedOptions
) -> Store:
    driver = await asyncio.to_thread(_import_server_driver)
    try:
        connection = await driver.open(
            location,
            credentials,
            ssl=options.ssl_context,
            lock_timeout_s=options.lock_timeout_s,
            request_timeout_s=options.request_timeout_s,
            on_statement=options.on_statement,
        )
        return await _make_store(connection, options)
    except (DatabaseError, MigrationError) as error:
        error.args = (f"{location}: {error}",)
        raise


def _import_server_driver() -> type[LibSQLConnection]:
    # Only for servers, because it would make importing memrepo a tenth slower.
    from memrepo.connection.hrana.connection import LibSQLConnection  # noqa: PLC0415

    return LibSQLConnection


async def _make_store(connection: Driver, options: CheckedOptions) -> Store:
    try:
        return await _prepare(connection, options)
    except (Exception, CancelledError):
        await connection.close()
        raise


async def _prepare(connection: Driver, options: CheckedOptions) -> Store:
    known = await asyncio.to_thread(load_migrations)
    version = await read_version(connection, known, accept_push=options.accept_push)
    rule = await read_rule(connection, version, options.same_fact)
    is_current = version == len(known)
    found = await read_index(connection, options.tokenizer) if is_current else Recorded()
    await connection.allow_writing()
    is_migrating = options.migrate and not connection.is_read_only
    if is_migrating and version < len(known):
        now = check_instant("clock", options.clock())
        version = await migrate(
            connection, known, now, accept_push=options.accept_push, same_fact=options.same_fact
        )
        # Another process may have made the database meanwhile.
        rule = await read_rule(connection, version, options.same_fact)
    elif options.migrate and version < len(known):
        raise MigrationError("the database needs migrations, but was opened for reading only")
    if is_migrating:
        await adopt_facts(connection, rule)
        await respell_instants(connection)
    index = SearchIndex(
        connection,
        found.usable,
        is_possible=version == len(known),
        is_remote=not isinstance(connection, SQLiteConnection),
        language=options.search if isinstance(options.search, Language) else None,
    )
    wanted = options.tokenizer or found.tokenizer
    if is_migrating and wanted is not None and found.usable is None:
        await index.make(wanted)
        # Another process may have made it meanwhile.
        await read_index(connection, options.tokenizer)
    connection.end_opening()
    rules = FactRules(
        same_fact=rule,
        explicit_sources=frozenset(options.explicit_sources),
        propose=frozenset(options.propose),
    )
    settings = Settings(
        clock=options.clock,
        idle_after=options.idle_after,
        rules=rules,
        index=index,
        on_remember=options.on_remember,
    )
    return Store(connection, version, settings, accept_push=options.accept_push)
