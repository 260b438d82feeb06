"""`SearchIndex`: makes the search index of a database, has it catch up, and compares it with the tables."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from time import perf_counter
from typing import Final, TypeAlias

from memrepo.connection.contract import Connection, Driver
from memrepo.domain.indexing import SearchIndexInfo, Tokenizer
from memrepo.errors import AuthenticationError, ReadOnlyError
from memrepo.index.making import making, read_index
from memrepo.index.merging import merges
from memrepo.index.slices import FILE_SLICE, SERVER_SLICE, taking_new, taking_noted
from memrepo.queries import drift, index_tables, indexing as queries
from memrepo.ranking.language import LANGUAGES, Language

__all__ = ["OnCaughtUp", "SearchIndex"]

#: Called with how many rows are done, and how many there were, at most.
OnCaughtUp: TypeAlias = Callable[[int, int], None]

#: Rows that are taken in until it is looked whether all should be merged.
_MERGED_ROWS: Final = 1_000


#: Rows that a search takes in before it looks.
_MOST_FOR_SEARCH: Final = 10_000


class SearchIndex:
    """
    The search index of one database.

    Whoever writes leaves a note at most. What is pending is taken in slice by slice, each in one unit, by any
    program that has the database open, or by several at once; an interruption leaves the rest pending.
    """

    def __init__(
        self,
        connection: Driver,
        tokenizer: Tokenizer | None,
        *,
        is_possible: bool,
        is_remote: bool,
        language: Language | None = None,
    ) -> None:
        self._connection = connection
        self._language = language
        #: Whether the database has the tables that the migrations make for it.
        self.is_possible = is_possible
        self._tokenizer: Tokenizer | None = tokenizer
        #: Called when it is known to have been made.
        self.when_made: Callable[[], None] | None = None
        self._turn = nullcontext() if is_remote else asyncio.Lock()
        self._slice = SERVER_SLICE if is_remote else FILE_SLICE
        self._has_fts5: bool | None = None
        self._n_taken = self._n_merged = 0
        self._taking_s = 0.0

    # --- what there is -------------------------------------------------------------------------

    @property
    def tokenizer(self) -> Tokenizer | None:
        """How it cuts texts into words; ``None`` if it was not made, as far as is known."""
        return self._tokenizer

    @property
    def language(self) -> Language:
        """That of the texts: the one that the store was given, if the index keeps words as they are."""
        if self._language is not None and self._tokenizer in {None, "unicode"}:
            return self._language
        return LANGUAGES[self._tokenizer or "english"]

    @property
    def _default(self) -> Tokenizer:
        return "english" if self._language is None else "unicode"

    def _note(self, tokenizer: Tokenizer | None) -> None:
        is_new = self._tokenizer is None
        self._tokenizer = tokenizer
        if is_new and tokenizer is not None and self.when_made is not None:
            self.when_made()

    async def has_fts5(self, connection: Connection | None = None) -> bool:
        """Tell whether this SQLite can make and read it; asked once."""
        if self._has_fts5 is None:
            reading = (connection or self._connection).read(index_tables.HAS_FTS5.bind())
            ((n_modules,),) = await reading
            self._has_fts5 = bool(n_modules)
        return self._has_fts5

    async def is_ready(self, connection: Connection | None = None) -> bool:
        """Tell whether it was made, here or by another program meanwhile, and can be used."""
        if self.tokenizer is None:
            await self._look(connection)
        return self.tokenizer is not None and await self.has_fts5(connection)

    async def _look(self, connection: Connection | None = None) -> None:
        if self.is_possible:
            self._note((await read_index(connection or self._connection)).usable)

    async def n_pending(self, connection: Connection | None = None) -> dict[str, int]:
        """Return how many rows of each table are pending, at most: gaps between ids count as rows."""
        (counts,) = await (connection or self._connection).read(queries.BACKLOG.bind())
        return {table: n_rows or 0 for table, n_rows in zip(queries.PARTS, counts, strict=True)}

    async def info(self) -> SearchIndexInfo | None:
        """Describe it; ``None`` if it was not made."""
        await self._look()  # another program may have made it, or made it anew
        if self.tokenizer is None or not await self.has_fts5():
            return None
        n_pending = sum((await self.n_pending()).values())
        rate = self._n_taken / self._taking_s if self._taking_s else None
        return SearchIndexInfo(tokenizer=self.tokenizer, n_pending=n_pending, rows_per_s=rate)

    def turn(self, connection: Connection) -> AbstractAsyncContextManager[None]:
        """
        Return what a search that reads by *connection* is in from its first read to its last step.

        On a file, searches take turns: together they would take as long, and a quick read would wait for each of them.
        Not in a transaction: the search whose turn it is may wait for its end.
        """
        return self._turn if connection is self._connection else nullcontext()

    # --- making it -----------------------------------------------------------------------------

    async def make(self, tokenizer: Tokenizer | None = None, *, anew: bool = False) -> bool:
        """
        Make it empty, with everything pending, unless it was made and is whole; *anew* even then.

        One that has lost its triggers keeps its tokenizer. Without *tokenizer*, it is for English, or keeps words
        as they are, if the store has a language of its own.

        Returns:
            Whether there is one now: not without FTS5, nor where it is left to a newer memrepo.
        """
        if not await self.has_fts5():
            return False
        async with self._connection.transaction() as transaction:
            found = await read_index(transaction)
            if found.is_newer:
                return False
            if anew or found.usable is None:
                known = None if anew else found.tokenizer
                tokenizer = known or tokenizer or self._default
                await transaction.write(making(tokenizer))
            else:
                tokenizer = found.usable
        self._note(tokenizer)
        return True

    # --- catching up ---------------------------------------------------------------------------

    async def catch_up(
        self,
        connection: Connection | None = None,
        *,
        tables: Iterable[str] = queries.PARTS,
        most: int | None = None,
        on_progress: OnCaughtUp | None = None,
    ) -> bool:
        """
        Take in what is pending, if it was made.

        Args:
            connection: The transaction in which to do so; the store's connection if ``None``.
            tables: Of which tables.
            most: Rows after which to stop, about; ``None`` for no limit.
            on_progress: Called after each slice.

        Returns:
            Whether nothing is left pending.
        """
        if not await self.is_ready(connection):
            return True
        pending = await self.n_pending(connection)
        n_rows, n_done = sum(pending[table] for table in tables), 0
        async for n_taken in self.slices(connection, tables=tables, pending=pending):
            n_done += n_taken
            if on_progress is not None:
                on_progress(n_done, max(n_rows, n_done))
            if most is not None and n_done >= most:
                left = await self.n_pending(connection)
                return not any(left[table] for table in tables)
        return True

    async def slices(
        self,
        connection: Connection | None = None,
        *,
        tables: Iterable[str] = queries.PARTS,
        pending: dict[str, int] | None = None,
    ) -> AsyncIterator[int]:
        """Take in what is pending, and yield after each slice how many rows it had."""
        connection = connection or self._connection
        if pending is None:
            pending = await self.n_pending(connection)
        for table in tables:
            if pending[table]:
                for next_ones, unit in (
                    (queries.next_notes(table), taking_noted),
                    (queries.next_rows(table), taking_new),
                ):
                    reading = next_ones.bind(limit=self._slice.n_rows)
                    while rows := await connection.read(reading):
                        ids = self._slice.first(rows)
                        started = perf_counter()
                        await connection.write(unit(table, ids))
                        self._taking_s += perf_counter() - started
                        self._n_taken += len(ids)
                        yield len(ids)

    async def merges(
        self, connection: Connection | None = None, *, is_thorough: bool = False
    ) -> AsyncIterator[None]:
        """
        Merge what slices have left, as `merging.merges` does.

        Args:
            connection: As for `catch_up`.
            is_thorough: Whether to look even if only few rows were taken in since the last time.
        """
        if is_thorough or self._n_taken - self._n_merged >= _MERGED_ROWS:
            async for _ in merges(connection or self._connection, self._slice.n_pages):
                yield
            self._n_merged = self._n_taken

    async def prepare(self, connection: Connection, table: str) -> bool:
        """Make it if there is none, and do what `take_in` does; return whether it can be searched."""
        return await self.is_there(connection) and await self.take_in(connection, table)

    async def is_there(self, connection: Connection) -> bool:
        """Tell whether there is one, or make it, where that may be done."""
        if await self.is_ready(connection):
            return True
        may_make = connection is self._connection and not self._connection.is_read_only
        return may_make and self.is_possible and await self._try_to_make()

    async def take_in(self, connection: Connection, table: str) -> bool:
        """
        Take in what is pending of *table*, at most some 10,000 rows, for a search.

        Returns:
            Whether it can be searched: not where something is pending that may not be taken in.
        """
        if not self._connection.is_read_only:
            with suppress(AuthenticationError, ReadOnlyError):
                await self.catch_up(connection, tables=(table,), most=_MOST_FOR_SEARCH)
                return True
        return not (await self.n_pending(connection))[table]

    async def _try_to_make(self) -> bool:
        with suppress(AuthenticationError, ReadOnlyError):  # a token that only reads
            return await self.make()
        return False

    # --- as a whole ----------------------------------------------------------------------------

    async def clean(self) -> None:
        """Take in what is pending, and leave no word of a row that is gone, if it was made."""
        if not await self.is_ready():
            return
        await self.catch_up()
        for table in queries.PARTS:
            await self._connection.write((drift.drop_orphans(table).bind(),))
            await self._connection.write((queries.optimize(table).bind(rank=0),))
