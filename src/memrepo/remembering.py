"""How facts come in: remembered once, one by one or many at a time, and replaced by newer ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Final

from memrepo.codec import MEMORY_COLUMNS, Row, Value, encode_instant, to_memory, to_remembered
from memrepo.connection.contract import Result
from memrepo.errors import ConflictError, DatabaseError, NotFoundError
from memrepo.gently import gently
from memrepo.inputs import (
    Fact,
    batches,
    encode_each,
    encode_fact,
    encode_new_fact,
    merge_facts,
)
from memrepo.jsontext import JsonValue, to_compact_json
from memrepo.models import MemoryEntry, MemoryNew, Remembered, RememberOutcome
from memrepo.queries import memories, remembering as queries
from memrepo.repository import Repository
from memrepo.validation import check_id, check_name

__all__ = ["Remembering", "found"]

_HASH: Final = MEMORY_COLUMNS.index("content_hash")
_LAST_ACCESSED: Final = MEMORY_COLUMNS.index("last_accessed")
#: What it means that the first, second or third statement of remembering many returned the fact.
_OUTCOMES: Final[tuple[RememberOutcome, ...]] = ("restored", "duplicate", "created")


class Remembering(Repository):
    """The part of `MemoryRepo` that takes facts in."""

    async def remember(
        self,
        content: str,
        *,
        category: str = "fact",
        source: str = "user_explicit",
        metadata: Mapping[str, JsonValue] | None = None,
        expires_at: datetime | None = None,
    ) -> Remembered:
        """
        Store a fact, unless it is known; then refresh it, or bring it back if it was gone.

        Two texts are the same fact when `normalize_content` makes them equal. A known fact keeps its
        id, text, category and metadata; its ``last_accessed`` becomes now; its source becomes
        ``user_explicit`` if it was inferred and is now said by the user; its expiry is put off, never
        moved closer. One that comes back takes the expiry given here.

        Args:
            content: The text: not blank, no NUL, at most 4,000,000 bytes of UTF-8.
            category: What kind of fact: 1 to 255 characters.
            source: Who says so: 1 to 255 characters.
            metadata: A JSON object that belongs to it.
            expires_at: From when on it is no longer returned; kept to the millisecond.

        Returns:
            The fact as it is stored now, and whether it was created, a duplicate, or restored.

        Raises:
            InvalidInputError: An argument is not accepted.

        Source:
            The unique index on ``content_hash``; https://sqlite.org/lang_conflict.html
        """
        fact = encode_fact(self._scope, content, category, source, metadata, expires_at)
        now = encode_instant(self._now())
        remember = queries.REMEMBER.bind(
            scope=self._scope,
            content=fact.content,
            content_hash=fact.content_hash,
            category=fact.category,
            source=fact.source,
            metadata=fact.metadata,
            expires_at=fact.expires_at,
            created_at=now,
        )
        (result,) = await self._connection.write((remember,))
        if result.rows:
            return _created_or_duplicate(result.rows[0], self._known)
        # It is gone, which the statement above left as it was: bring it back.
        revive = queries.REVIVE.bind(**self._refreshed(fact, now))
        revived, remembered = await self._connection.write((revive, remember))
        for row in revived.rows:
            return to_remembered("restored", row, self._known)
        for row in remembered.rows:
            return _created_or_duplicate(row, self._known)
        raise _not_stored()

    async def remember_many(self, facts: Iterable[MemoryNew]) -> list[Remembered]:
        """
        Remember any number of facts as one atomic unit.

        Returns:
            One outcome an item, in order. A fact that occurs again in the batch is a duplicate of
            its first mention. An empty list for no facts.

        Raises:
            InvalidInputError: An item is not accepted; nothing is stored.
        """
        encode = partial(encode_new_fact, scope=self._scope)
        each = encode_each("facts", facts, MemoryNew, encode)
        encoded = await gently(each)
        if not encoded:
            return []
        rows = await gently(map(to_compact_json, merge_facts(encoded)))
        bound: dict[str, Value] = {"scope": self._scope, "now": encode_instant(self._now())}
        unit = [
            statement.bind(batch=batch, **bound)
            for batch in batches(rows)
            for statement in (queries.REVIVE_MANY, queries.REFRESH_MANY, queries.INSERT_MANY)
        ]
        results = await self._connection.write(tuple(unit))
        returned = await gently(_returned(results, self._known))
        # The first statement to return a fact says what happened to it.
        stored = dict(reversed(returned))
        return await gently(_one_each(encoded, stored))

    async def supersede(
        self,
        id: int,
        content: str,
        *,
        category: str | None = None,
        source: str = "user_explicit",
        metadata: Mapping[str, JsonValue] | None = None,
        expires_at: datetime | None = None,
    ) -> Remembered:
        """
        Remember *content* and link the fact *id* to it, as one atomic unit.

        The old fact is no longer current; `get` and `history` still return it.

        Args:
            id: The fact that no longer holds.
            content: What holds instead, as in `remember`.
            category: The old fact's if ``None``.
            source: As in `remember`.
            metadata: The old fact's if ``None``.
            expires_at: As in `remember`.

        Returns:
            What became of the new fact, as in `remember`.

        Raises:
            ConflictError: The fact was superseded before, or *content* states the same fact.
            NotFoundError: There is none in this scope, or it is forgotten or expired.
        """
        number = check_id("id", id)
        fact = encode_fact(self._scope, content, category or "fact", source, metadata, expires_at)
        now = encode_instant(self._now())
        place: dict[str, Value] = {"id": number, "scope": self._scope, "now": now}
        refreshed = {**self._refreshed(fact, now), **place}
        kept = fact._asdict()
        kept["category"] = None if category is None else check_name("category", category)
        *remembered, link, old = await self._connection.write(
            (
                queries.SUPERSEDE_REVIVE.bind(**refreshed),
                queries.SUPERSEDE_REFRESH.bind(**refreshed),
                queries.SUPERSEDE_INSERT.bind(**kept, **place),
                queries.SUPERSEDE_LINK.bind(content_hash=fact.content_hash, **place),
                memories.GET.bind(**place),
            )
        )
        if link.rows:
            return _first_outcome((result.rows for result in remembered), self._known)
        before = found(to_memory(old.rows[0], self._known) if old.rows else None, id)
        if before.superseded_by is not None:
            raise ConflictError(f"memory {id} was superseded before")
        raise ConflictError(f"memory {id} states the same fact")

    def _refreshed(self, fact: Fact, now: str) -> dict[str, Value]:
        return {
            "scope": self._scope,
            "now": now,
            "content_hash": fact.content_hash,
            "source": fact.source,
            "expires_at": fact.expires_at,
        }


def found(entry: MemoryEntry | None, id: int) -> MemoryEntry:
    """Return *entry*, or raise NotFoundError for the one with this id."""
    if entry is None:
        raise NotFoundError(f"memory {id} is not there, or it is forgotten or expired")
    return entry


def _returned(results: Iterable[Result], known: Row) -> Iterator[tuple[str, Remembered]]:
    for index, result in enumerate(results):
        outcome = _OUTCOMES[index % len(_OUTCOMES)]
        for row in result.rows:
            yield row[_HASH], to_remembered(outcome, row, known)


def _created_or_duplicate(row: Row, known: Row) -> Remembered:
    outcome: RememberOutcome = "created" if row[_LAST_ACCESSED] is None else "duplicate"
    return to_remembered(outcome, row, known)


def _first_outcome(results: Iterable[list[Row]], known: Row) -> Remembered:
    for outcome, rows in zip(_OUTCOMES, results, strict=True):
        if rows:
            return to_remembered(outcome, rows[0], known)
    # INSERT OR IGNORE passes over more than duplicates; a fact that is not there is never one.
    raise _not_stored()


def _not_stored() -> DatabaseError:
    return DatabaseError("the database neither stored the fact nor has it")


def _one_each(facts: Iterable[Fact], stored: dict[str, Remembered]) -> Iterator[Remembered]:
    mentioned: set[str] = set()
    for fact in facts:
        first = stored.get(fact.content_hash)
        if first is None:
            raise _not_stored()
        if fact.content_hash in mentioned:
            yield Remembered(outcome="duplicate", entry=first.entry)
        else:
            mentioned.add(fact.content_hash)
            yield first
