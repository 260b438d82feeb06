"""Facts: remembered once, found again, replaced, forgotten and restored."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from memrepo.codec import (
    MEMORY_COLUMNS,
    Value,
    encode_bound,
    encode_instant,
    to_memories,
    to_memory,
)
from memrepo.errors import InvalidInputError
from memrepo.inputs import (
    encode_expiry,
    encode_new_fact,
    memory_conditions,
)
from memrepo.jsontext import JsonValue
from memrepo.models import (
    UNSET,
    MemoryEntry,
    MemoryFilter,
    MemoryNew,
    Page,
    Unset,
)
from memrepo.paging import DEFAULT_LIMIT, ITERATE_LIMIT, page_parameters, to_page, walk
from memrepo.queries import memories as queries
from memrepo.queries.statement import BoundStatement, Statement
from memrepo.remembering import Remembering, found
from memrepo.validation import (
    check_duration,
    check_flag,
    check_id,
    check_instant,
    check_name,
    check_object as check_metadata,
)

__all__ = ["MemoryRepo"]

_ALL: Final = MemoryFilter()
_CREATED_AT: Final = MEMORY_COLUMNS.index("created_at")
_DELETED_AT: Final = MEMORY_COLUMNS.index("deleted_at")


class MemoryRepo(Remembering):
    """
    The facts of one scope. None is stored twice.

    A fact is *current* unless it is forgotten, expired or superseded. An expired fact is never
    returned, except by a filter that includes it; a sweeper is not needed.

    Source: ``memory_entries`` (schema/0001_initial.sql, schema/0002_add_scopes_and_lifecycle.sql).
    """

    async def get(self, id: int) -> MemoryEntry:
        """
        Return the fact with this id; also one that is superseded.

        Raises:
            NotFoundError: There is none in this scope, or it is forgotten or expired.
        """
        rows = await self._connection.read(self._get(id))
        return found(to_memory(rows[0], self._known) if rows else None, id)

    async def find(self, id: int) -> MemoryEntry | None:
        """Return the fact with this id, or ``None`` where `get` would raise."""
        rows = await self._connection.read(self._get(id))
        return to_memory(rows[0], self._known) if rows else None

    async def find_by_content(self, content: str) -> MemoryEntry | None:
        """Return the current fact that *content* states, in whatever form; ``None`` if unknown."""
        fact = encode_new_fact(MemoryNew(content=content), self._scope)
        for entry in await self._read_many(queries.GET_BY_HASH, content_hash=fact.content_hash):
            return entry
        return None

    async def find_many(
        self, where: MemoryFilter = _ALL, *, limit: int = DEFAULT_LIMIT, after: str | None = None
    ) -> Page[MemoryEntry]:
        """
        Return a page of current facts, newest first, ties by the higher id.

        Args:
            where: Which facts; by default all that are current.
            limit: Most facts wanted, 1 to 10,000.
            after: The ``next_cursor`` of the page before.

        Returns:
            At most *limit* facts; an empty page when nothing matches.

        Raises:
            InvalidInputError: An argument is not accepted.

        Source:
            The indexes on (scope, created_at) and (scope, category, created_at).
        """
        names, parameters = memory_conditions(where, encode_instant(self._now()))
        statement = queries.find_many(names, after=after is not None)
        paging = page_parameters(limit, after)
        bound = statement.bind(scope=self._scope, **parameters, **paging)
        known = tuple(map(bound.parameters.get, statement.known))
        rows = await self._connection.read(bound)
        return to_page(rows, limit, to_memories, known, instant=_CREATED_AT)

    def iterate(self, where: MemoryFilter = _ALL) -> AsyncIterator[MemoryEntry]:
        """
        Yield the facts of a filter in the order of `find_many`, reading a page at a time.

        Facts that are added or removed meanwhile never make it skip or repeat another.
        """
        memory_conditions(where, "")
        return walk(lambda after: self.find_many(where, limit=ITERATE_LIMIT, after=after))

    async def count(self, where: MemoryFilter = _ALL) -> int:
        """Return how many facts `find_many` would go through."""
        names, parameters = memory_conditions(where, encode_instant(self._now()))
        return await self._count(queries.count(names), **parameters)

    async def touch(self, id: int) -> MemoryEntry:
        """
        Set a fact's ``last_accessed`` to now, and return it.

        Raises:
            NotFoundError: There is none in this scope, or it is forgotten or expired.
        """
        return await self._write_one(queries.TOUCH, id)

    async def update(
        self,
        id: int,
        *,
        category: str | Unset = UNSET,
        metadata: Mapping[str, JsonValue] | Unset | None = UNSET,
        expires_at: datetime | Unset | None = UNSET,
    ) -> MemoryEntry:
        """
        Change a fact's category, metadata or expiry; what is not given stays. Return the fact.

        Raises:
            InvalidInputError: Nothing is given, or it is not accepted.
            NotFoundError: There is none in this scope, or it is forgotten or expired.
        """
        values: dict[str, Value] = {}
        if category is not UNSET:
            values["category"] = check_name("category", category)
        if metadata is not UNSET:
            values["metadata"] = check_metadata("metadata", metadata)
        if expires_at is not UNSET:
            values["expires_at"] = encode_expiry(expires_at)
        if not values:
            raise InvalidInputError("update", "needs category, metadata or expires_at")
        return await self._write_one(queries.update(frozenset(values)), id, **values)

    async def history(self, id: int) -> list[MemoryEntry]:
        """
        Return the facts that led to this one, oldest first: what it superseded, and what they did.

        Returns:
            Superseded facts only, without the fact itself; an empty list if it replaced none.

        Raises:
            NotFoundError: There is no such fact in this scope, or it is forgotten or expired.
        """
        await self.get(id)
        found: dict[int, MemoryEntry] = {}
        to_visit = [id]
        while to_visit:
            for entry in await self._read_many(queries.PREDECESSORS, id=to_visit.pop()):
                if entry.id not in found:
                    found[entry.id] = entry
                    to_visit.append(entry.id)
        return sorted(found.values(), key=lambda entry: (entry.created_at, entry.id))

    async def forget(self, id: int) -> MemoryEntry:
        """
        Mark a fact, also a superseded one, as forgotten: it is no longer returned. Idempotent.

        `restore` undoes it.

        Returns:
            The fact, with ``deleted_at`` of the first time it was forgotten.

        Raises:
            NotFoundError: There is none in this scope, or it is expired.
        """
        place: dict[str, Value] = {
            "id": check_id("id", id),
            "scope": self._scope,
            "now": encode_instant(self._now()),
        }
        _, after = await self._connection.write(
            (queries.FORGET.bind(**place), queries.GET_UNEXPIRED.bind(**place))
        )
        return found(to_memory(after.rows[0], self._known) if after.rows else None, id)

    async def restore(self, id: int) -> MemoryEntry:
        """
        Undo `forget`, and return the fact. Does nothing to one that is not forgotten.

        Raises:
            NotFoundError: There is none in this scope, or it is expired.
        """
        return await self._write_one(queries.RESTORE, id)

    async def forgotten(
        self,
        *,
        within: timedelta = timedelta(days=30),
        limit: int = DEFAULT_LIMIT,
        after: str | None = None,
    ) -> Page[MemoryEntry]:
        """
        Return a page of the facts that were forgotten *within* this time, the latest first.

        Returns:
            At most *limit* facts (1 to 10,000); an empty page when none was forgotten.
        """
        now = self._now()
        try:
            since = encode_instant(now - check_duration("within", within))
        except OverflowError:
            raise InvalidInputError("within", "reaches back before the year 1") from None
        bound = queries.forgotten(after=after is not None).bind(
            scope=self._scope,
            since=since,
            now=encode_instant(now),
            **page_parameters(limit, after),
        )
        rows = await self._connection.read(bound)
        return to_page(rows, limit, to_memories, self._known, instant=_DELETED_AT)

    async def forget_all(self, *, confirm: bool) -> int:
        """
        Mark every fact of this scope as forgotten, whether it is current or not.

        Args:
            confirm: Must be ``True``.

        Returns:
            How many facts were forgotten now.

        Raises:
            InvalidInputError: *confirm* is not ``True``.
        """
        if not check_flag("confirm", confirm):
            raise InvalidInputError("confirm", "must be True to forget every fact")
        statement = queries.FORGET_ALL.bind(scope=self._scope, now=encode_instant(self._now()))
        (result,) = await self._connection.write((statement,))
        return result.changes

    async def purge(self, before: datetime, *, dry_run: bool = False) -> int:
        """
        Delete for good the facts that were forgotten, or expired, before an instant.

        A superseded fact that is neither stays: it is the history of another.

        Returns:
            How many facts were deleted, or with *dry_run* would be.
        """
        bound = encode_bound("before", check_instant("before", before))
        if check_flag("dry_run", dry_run):
            return await self._count(queries.COUNT_PURGEABLE, before=bound)
        statement = queries.PURGE.bind(scope=self._scope, before=bound)
        (result,) = await self._connection.write((statement,))
        return result.changes

    def _get(self, id: int) -> BoundStatement:
        now = encode_instant(self._now())
        return queries.GET.bind(id=check_id("id", id), scope=self._scope, now=now)

    async def _read_many(self, statement: Statement, **parameters: Value) -> list[MemoryEntry]:
        now = encode_instant(self._now())
        bound = statement.bind(scope=self._scope, now=now, **parameters)
        return to_memories(await self._connection.read(bound), self._known)

    async def _write_one(self, statement: Statement, id: int, **values: Value) -> MemoryEntry:
        now = encode_instant(self._now())
        bound = statement.bind(id=check_id("id", id), scope=self._scope, now=now, **values)
        (result,) = await self._connection.write((bound,))
        return found(to_memory(result.rows[0], self._known) if result.rows else None, id)

    async def _count(self, statement: Statement, **parameters: Value) -> int:
        rows = await self._connection.read(statement.bind(scope=self._scope, **parameters))
        return int(rows[0][0])
