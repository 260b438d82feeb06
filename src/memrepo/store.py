"""`Store`: the three repositories over one shared connection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator
from datetime import datetime
from os import PathLike

import attrs

from memrepo.admin.adoption import adopt_facts
from memrepo.admin.backup import back_up
from memrepo.admin.drift import find_drift, repair_index
from memrepo.admin.examining import Examined, examine
from memrepo.admin.migrate import migrate
from memrepo.admin.migrations import load_migrations, read_folder
from memrepo.admin.repair import Repair, repair, repair_others
from memrepo.admin.rule import read_rule
from memrepo.admin.scopes import read_scopes
from memrepo.admin.verify import Problem, find_problems
from memrepo.connection import watching
from memrepo.connection.contract import ConnectionInfo, Driver
from memrepo.domain.checks import check_instant, check_scope, check_version_table
from memrepo.domain.findings import Finding
from memrepo.domain.hashing import SameFact
from memrepo.domain.indexing import Tokenizer, check_tokenizer
from memrepo.domain.instants import encode_instant
from memrepo.domain.paging import DEFAULT_LIMIT, ITERATE_LIMIT, Page, walk
from memrepo.domain.scopes import ScopeInfo
from memrepo.errors import InvalidInputError, MigrationError, TransactionError
from memrepo.index.index import OnCaughtUp
from memrepo.index.keeper import IndexKeeper
from memrepo.queries import versions
from memrepo.repositories.scopes import ScopedStore, Settings
from memrepo.repositories.spelling import respell_instants
from memrepo.transfer.copy import (
    CopyReport,
    OnProgress,
    copy_rows,
    require_another,
    say_nothing,
)
from memrepo.transfer.exporting import export_rows, new_header
from memrepo.transfer.importing import ImportReport, import_rows
from memrepo.transfer.lines import Header

__all__ = ["Store"]


class Store(ScopedStore):
    """
    An open database. Made by `connect`.

    Any number of tasks can use it at once, in the event loop in which it was opened.
    """

    def __init__(
        self,
        connection: Driver,
        schema_version: int,
        settings: Settings,
        *,
        accept_push: bool = False,
    ) -> None:
        super().__init__(connection, "", settings)
        self._accept_push = accept_push
        self._schema_version = schema_version
        self._index = settings.index
        self._keeper = IndexKeeper(connection, settings.index)
        if watching.on_open is not None:
            watching.on_open(connection)

    def __repr__(self) -> str:
        """Name the database."""
        return f"<memrepo.Store on {self._driver!r}>"

    @property
    def schema_version(self) -> int:
        """The number of the last migration applied; 0 for a database without our tables."""
        return self._schema_version

    @property
    def same_fact(self) -> SameFact:
        """When two texts are the same fact in this database: ``folded`` or ``exact``; see `connect`."""
        return self._settings.rules.same_fact

    @property
    def is_lost(self) -> bool:
        """
        Whether its file was found removed or replaced: every call fails, and a new store has to be opened.

        Never on a server, to which a store connects again by itself.
        """
        return self._driver.is_lost

    # --- schema ------------------------------------------------------------------------------

    async def migrate(self) -> int:
        """
        Bring the schema to this version of memrepo, and adopt what other programs stored.

        Their facts get a hash, and their instants memrepo's spelling. Until then a fact may not be found by
        its text, and an instant is compared as the text that it is. Idempotent, and safe when several
        processes do it at once.

        Returns:
            The `schema_version` it has now.

        Raises:
            InvalidInputError: The database has another `same_fact` than this store, which was opened before
                the database had one.
            MigrationError: The database is newer, its migrations are not this version's, it lacks a
                part of them, or has something of another program under our names. Nothing was written.
        """
        known = await asyncio.to_thread(load_migrations)
        now = self._instant()
        self._schema_version = await migrate(
            self._driver, known, now, accept_push=self._accept_push, same_fact=self.same_fact
        )
        await read_rule(self._driver, self._schema_version, self.same_fact)
        await adopt_facts(self._driver, self.same_fact)
        await respell_instants(self._driver)
        self._index.is_possible = True
        return self._schema_version

    async def apply_migrations(self, folder: str | PathLike[str], *, version_table: str) -> int:
        """
        Apply a folder of numbered SQL files that define tables of your own.

        The rules are those of memrepo's own migrations: files ``0001_verb_noun.sql``, ``0002_...``, with
        no gap; each is applied once, in one transaction together with its row in the version table; an
        applied file is never changed. Idempotent, and safe when several processes do it at once.

        Args:
            folder: Where the files are.
            version_table: The table that records which files were applied; memrepo's own is another.
                Its name: at most 63 lower-case letters, digits and ``_``. Each folder needs its own.

        Returns:
            The number of the last migration applied; 0 for a folder without any.

        Raises:
            InvalidInputError: *folder* is not a folder, or *version_table* is not accepted.
            MigrationError: A file has a wrong name, cannot be read as UTF-8 text, was changed after it
                was applied, or has a statement that fails, ends the transaction, needs a value or
                changes the version table; or the database has a migration that the folder does not
                have. The file it names was not applied.
        """
        table = versions.version_table(check_version_table(version_table))
        known = await asyncio.to_thread(read_folder, folder)
        now = self._instant()
        return await migrate(self._driver, known, now, table)

    # --- looking and copying -----------------------------------------------------------------

    async def info(self) -> ConnectionInfo:
        """Return what the store is connected to: engine, versions, durability and sizes."""
        info = await self._driver.info()
        try:
            return attrs.evolve(info, search_index=await self._index.info())
        except TransactionError:
            return info

    async def ping(self) -> None:
        """
        Check that the database is writable by committing a no-op update.

        A server may still answer reads when it no longer takes writes.

        Raises:
            DatabaseError: The database is not writable now, or does not answer in time.
        """
        await self._driver.write((versions.PING.bind(),))

    async def scopes(
        self, *, limit: int = DEFAULT_LIMIT, after: str | None = None
    ) -> Page[ScopeInfo]:
        """
        Return a page of the scopes that have any row, in the order of their texts, the default scope first.

        Args:
            limit: Most scopes wanted, 1 to 10,000; for all, use `iterate_scopes`.
            after: The ``next_cursor`` of the page before.

        Returns:
            At most *limit* scopes, with how much each has; an empty page for an empty database.

        Source:
            The indexes on (scope, ...) of the three tables: it takes as long as counting a scope's rows.
        """
        return await read_scopes(self._driver, limit=limit, after=after)

    def iterate_scopes(self) -> AsyncIterator[ScopeInfo]:
        """Yield all scopes in the order of `scopes`, reading a page at a time. Rows may come and go meanwhile."""
        return walk(lambda after: self.scopes(limit=ITERATE_LIMIT, after=after))

    async def copy_to(self, other: Store, *, on_progress: OnProgress | None = None) -> CopyReport:
        """
        Copy every row of all scopes, unchanged and with its id, into another open store; then compare both.

        It works from any engine to any other. An interrupted copy can be repeated: rows that the target already has
        are skipped, and nothing is overwritten. The target keeps rows of its own. New rows
        get ids above all those of this store.

        This store can be written meanwhile. The copy takes the rows up to the highest id at its
        beginning, each as it was when its page was read; the report says how many differed at the end.
        After later edits, copy into a fresh target: a row that changed since it was copied is a conflict.

        The search index is not copied: if this store has one, the target gets its own, which catches up later.

        Args:
            other: The target, opened by this version of memrepo. Text that another program stored
                there stays as it is until the target is opened again, which adopts it.
            on_progress: Called with a `CopyProgress` after each page, of 1,000 rows or a megabyte.

        Returns:
            What was copied, what the target already had, and what differed at the end.

        Raises:
            InvalidInputError: *other* is not a store, is the same database, or has another `same_fact`.
            MigrationError: One of the stores is not migrated to this memrepo's schema.
            ConflictError: The target has another row under the same id, hash or idempotency key, or
                not the session of an event; the message names the table and the id in it. Or another fact fills
                a slot there that one of this store's fills; then nothing was copied.
            UsageError: A database's text is not UTF-8.
        """
        if not isinstance(other, Store):
            raise InvalidInputError("other", f"must be a Store, not {type(other).__name__}")
        if other.same_fact != self.same_fact:
            reason = f'has the rule "{other.same_fact}" for facts, this store "{self.same_fact}"'
            raise InvalidInputError("other", reason)
        await require_another(self._driver, other._driver)
        known = await asyncio.to_thread(load_migrations)
        if (self.schema_version, other.schema_version) != (len(known), len(known)):
            raise MigrationError("both stores must be migrated to this memrepo's schema first")
        report = await copy_rows(self._driver, other._driver, on_progress, self._now())
        if await self._index.is_ready() and self._index.tokenizer is not None:
            await other._index.make(self._index.tokenizer)
        return report

    async def export_lines(
        self,
        *,
        scope: str | None = None,
        resume: tuple[bytes, bytes] | None = None,
        on_progress: OnProgress | None = None,
    ) -> AsyncIterator[bytes]:
        """
        Yield every row as a line of JSON, unchanged and with its id, for `import_lines`; write the parts to a file.

        Memory is bounded. The store can be written meanwhile: rows that come later are not exported, each of the
        others is as it was when its page was read. The format is in docs/how-to/export.md.

        Args:
            scope: Whose rows; all if ``None``.
            resume: To go on with an export that was interrupted: its first line, and the last that is whole,
                without line breaks. What follows is yielded.
            on_progress: Called with a `CopyProgress` after each part.

        Yields:
            Parts of up to a thousand whole lines. The last line of all says that it is complete.

        Raises:
            InvalidInputError: *resume* is not of an export of this database and *scope*.
            MigrationError: The store is not migrated to this memrepo's schema.
            UsageError: The database's text is not UTF-8.
        """
        its_scope = None if scope is None else check_scope(scope)
        await self._require_migrated()
        if resume is None:
            header = await new_header(
                self._driver,
                schema_version=self.schema_version,
                same_fact=self.same_fact,
                scope=its_scope,
                now=self._now(),
            )
        elif (header := Header.read(resume[0])).scope != its_scope:
            raise InvalidInputError("resume", "is an export of another scope")
        last_line = None if resume is None else resume[1]
        async for part in export_rows(self._driver, header, last_line, on_progress or say_nothing):
            yield part

    async def import_lines(
        self, parts: AsyncIterable[bytes], *, on_progress: OnProgress | None = None
    ) -> ImportReport:
        """
        Store the rows of an export, with their times and hashes.

        Ids are kept if the store is empty and has imported no other export. If not, those of each table are raised by
        one number, and so are references to them. Importing the same export again stores only what is missing; so an
        import that was interrupted is resumed. Nothing is overwritten, also where a row was changed since. A fact that
        the store knows, and an event whose key it has, stay as they are; what such a fact superseded in the export
        becomes its history. A session that has not ended comes in beside one that is active in its thread.

        Args:
            parts: The lines that `export_lines` has yielded, in parts of any size.
            on_progress: Called with a `CopyProgress` after each page.

        Returns:
            How many rows were stored, and how many were there.

        Raises:
            InvalidInputError: A line is not that of an export, or is out of order, or the last ones are missing: what
                came before was stored. Or the first line has another `same_fact`, or is of a newer memrepo: nothing
                was stored. No message shows a line.
            MigrationError: The store is not migrated to this memrepo's schema.
            ConflictError: Another fact fills a slot, or another row has an id; the message names the line, and the
                id that it has in the export. What came before was stored.
            UsageError: The database's text is not UTF-8.
        """
        await self._require_migrated()
        return await import_rows(
            self._driver,
            parts,
            schema_version=self.schema_version,
            same_fact=self.same_fact,
            now=self._now(),
            tell=on_progress or say_nothing,
        )

    async def _require_migrated(self) -> None:
        if self.schema_version != len(await asyncio.to_thread(load_migrations)):
            raise MigrationError("the store must be migrated to this memrepo's schema first")

    # --- maintenance -------------------------------------------------------------------------

    async def backup(self, path: str | PathLike[str]) -> None:
        """
        Write a consistent copy of the whole database, all scopes, while others read and write.

        The copy gets its name only once it is complete and synced to disk. Until then it is beside its
        target as ``NAME.*.partial``; a process that is killed leaves that behind, and nothing else. The
        copy is one file, whose rights are never wider than those of the database; of one in memory, 0600.

        Args:
            path: A new file in an existing folder: a path, never a URL.

        Raises:
            InvalidInputError: *path* is no path, or ends in ``-wal``, ``-shm`` or ``-journal``; or the file, or
                one that SQLite would take for a part of it, already exists.
            StorageFullError: The disk has no room for the copy.
            ReadOnlyError: The folder is not writable.
            DatabaseError: The copy cannot be written for another reason, as a missing folder.
            UsageError: The database is on a server, which makes its backups itself.

        Source:
            https://sqlite.org/lang_vacuum.html#vacuuminto; where an index calls a function that this SQLite
            lacks, as libSQL's vector index does, https://sqlite.org/backup.html
        """
        await back_up(self._driver, path)

    async def compact(self) -> None:
        """
        Give the space of deleted rows back to the file system, and empty the write-ahead log.

        memrepo overwrites what it deletes with zeros. But until the log is empty, it may hold the rows as they
        were. After this, no byte of what was purged is in the file, in the log or in a later backup. It rewrites
        the whole file, which needs free space of its size. Other writes wait meanwhile.

        Raises:
            BusyError: Another program read or wrote for longer than ``lock_timeout_s``. Repeat it later.
            DatabaseError: The file keeps its size, because an index calls a function that this SQLite
                lacks, as libSQL's vector index does. The log was emptied.
            ReadOnlyError: The store only reads.
            StorageFullError: The disk has no room for it.
            TransactionError: This task is inside a transaction on this store.
            UsageError: The database is on a server, which compacts it itself.

        Source:
            https://sqlite.org/lang_vacuum.html, https://sqlite.org/pragma.html#pragma_secure_delete
        """
        await self._index.clean()
        await self._driver.compact()

    async def verify(self) -> list[Problem]:
        """
        Check the file, the references between rows, each fact's text against its hash, slots, and each value.

        A slot that another program has filled beside the fact that filled it has a problem for the older one.

        Reads every row, so it takes a while; other tasks can read and write meanwhile. A table of another program
        may need more than this SQLite has, as libSQL's vector index: it is listed as not checked, and the other
        tables are checked one by one. The same is done if a page is damaged; rows that cannot be read
        are then skipped.

        Returns:
            What is wrong or could not be checked; an empty list if nothing is.

        Source:
            https://sqlite.org/pragma.html#pragma_integrity_check
        """
        same_fact = self._settings.rules.same_fact
        found = find_problems(self._driver, same_fact, self._now())
        problems = [problem async for problem in found]
        return problems + [problem async for problem in find_drift(self._driver, self._index)]

    async def examine(self) -> list[Finding]:
        """
        Say what is wrong with the database and around it, and which command cures it. Changes nothing.

        Beside what `verify` finds: the schema, SQLite, rights, the file system, the disk, the write-ahead log, the clock,
        sessions that were forgotten; or the server, its clock and how far a replica is behind. `diagnose` does so also
        for a database that cannot be opened.

        Returns:
            What is wrong, or should be known, the most harmful first; an empty list if nothing. If a server
            takes no writes, only that is reported, because reading every row could take for ever.
        """
        database = Examined(
            connection=self._driver,
            info=await self.info(),
            schema_version=self.schema_version,
            latest_version=len(await asyncio.to_thread(load_migrations)),
            # After all that takes a while: a server's clock is next compared with it.
            now=self._instant(),
            verify=self.verify,
        )
        return [finding async for finding in examine(database)]

    async def repair(
        self, *, search: Tokenizer | None = None, on_progress: OnCaughtUp | None = None
    ) -> list[Repair]:
        """
        Put right what another program, or a damaged disk, did to indexes and to the text of facts.

        A fact whose text was changed is hashed anew; if it now states what another fact states, it is superseded
        by that. Indexes that do not fit their table are built anew, also those of other programs' tables. Where a
        damaged unique index let rows be stored twice, the current fact keeps its hash, the latest session stays
        active, and the first event keeps its key. A fact whose session is gone loses its session id. Where two facts fill
        a slot, the newer one supersedes the other. No row is deleted. Writers wait for indexes.

        It does not change what only you can decide: another reference to a missing row, a value that cannot be
        read. If pages of a file are damaged, restore a backup. If damaged indexes keep `connect` from
        opening it, open it with ``connect(path, migrate=False)``.

        Returns:
            What was done; an empty list if nothing had to be. `verify` then finds none of it.

        Args:
            search: How the search index is to cut texts into words; see `connect`. Another one than it has builds it
                anew. ``None`` leaves that as it is.
            on_progress: Called with how many rows the search index has taken in, and of how many at most, while
                it is built anew.

        Raises:
            CorruptDatabaseError: Pages of the file are damaged.
            ConstraintError: Another program's table has rows twice that a unique index keeps apart: you must
                decide which one stays. memrepo's own tables are repaired.
            MigrationError: The database is not migrated to this memrepo's schema.
        """
        check_tokenizer(search)
        if not self._index.is_possible:
            raise MigrationError("the store must be migrated to this memrepo's schema first")
        done = await repair(self._driver, self._settings.rules.same_fact, self._now())
        done += await repair_index(self._driver, self._index, search, on_progress)
        return done + await repair_others(self._driver)

    async def catch_up(self, *, on_progress: OnCaughtUp | None = None) -> int:
        """
        Have the search index take in all that is pending now; make it if there is none, as `connect` was told.

        It does so by itself when nobody writes, and a search looks at what is pending. Call this after a large import,
        which leaves the index in one piece, where searches are fastest, or once for a database that was filled before it
        had an index.

        Args:
            on_progress: Called with how many rows are done, and of how many at most.

        Returns:
            How many rows are still pending, as others have written meanwhile; 0 where FTS5 is missing.

        Raises:
            MigrationError: The database is not migrated to this memrepo's schema.
        """
        if not self._index.is_possible:
            raise MigrationError("the store must be migrated to this memrepo's schema first")
        if not await self._index.is_ready() and not await self._index.make():
            return 0
        await self._index.catch_up(on_progress=on_progress)
        async for _ in self._index.merges(is_thorough=True):
            pass
        return sum((await self._index.n_pending()).values())

    async def close(self) -> None:
        """
        Finish running calls, refuse waiting ones, and close. Idempotent; several tasks may call it at once.

        Raises:
            TransactionError: This task is inside a transaction on this store.
            WrongLoopError: The store belongs to another event loop, or to the process before a fork.
        """
        await self._driver.close()
        await self._keeper.stop()

    def _instant(self) -> datetime:
        return check_instant("clock", self._settings.clock())

    def _now(self) -> str:
        return encode_instant(self._instant())
