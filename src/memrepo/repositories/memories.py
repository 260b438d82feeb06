"""`MemoryRepo`: facts, each stored once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Final, Literal

from memrepo.connection.contract import Connection, Result
from memrepo.connection.waiting import list_in_slices
from memrepo.domain.arguments import (
    TAKEN_AT_ONCE,
    Fact,
    batches,
    check_ids,
    encode_each,
    encode_expiry,
    encode_fact,
    encode_new_fact,
    ignored,
    merge_facts,
)
from memrepo.domain.checks import (
    check_duration,
    check_flag,
    check_id,
    check_instant,
    check_name,
    check_object as check_metadata,
)
from memrepo.domain.clock import Clock, utc_now
from memrepo.domain.codec import MEMORY_COLUMNS, Row, Value, to_memory, to_named_counts, to_number
from memrepo.domain.conditions import memory_conditions
from memrepo.domain.instants import encode_bound, encode_instant
from memrepo.domain.jsontext import JsonValue, to_compact_json
from memrepo.domain.memories import (
    DEFAULT_CATEGORY,
    MemoryEntry,
    MemoryFilter,
    MemoryNew,
    Remembered,
    RememberOutcome,
)
from memrepo.domain.paging import (
    DEFAULT_LIMIT,
    ITERATE_LIMIT,
    Page,
    is_large,
    page_parameters,
    walk,
)
from memrepo.domain.rules import ORIGINAL_RULES, FactRules
from memrepo.domain.unset import UNSET, Unset
from memrepo.errors import ConflictError, DatabaseError, InvalidInputError
from memrepo.queries import chains, memories as queries, remembering, superseding
from memrepo.queries.statement import BoundStatement, Statement
from memrepo.repositories.repository import Repository, decode_page, found, not_found
from memrepo.repositories.spelling import prepare_purge

__all__ = ["MemoryRepo"]

_ALL: Final = MemoryFilter()
#: Why a fact may not be found, beside its id.
_GONE: Final = ", or it is forgotten or expired"
_CREATED_AT: Final = MEMORY_COLUMNS.index("created_at")
_DELETED_AT: Final = MEMORY_COLUMNS.index("deleted_at")
_HASH: Final = MEMORY_COLUMNS.index("content_hash")
#: Sorts before every stored instant.
_ALWAYS: Final = ""
#: What happened to a fact that the first, second or third statement of a batch of `remember_many` returned.
_OUTCOMES: Final[tuple[RememberOutcome, ...]] = ("restored", "duplicate", "created")
_HELD_BACK: Final = ("forgotten", "superseded")


class MemoryRepo(Repository):
    """
    The facts of one scope. No fact is stored twice.

    A fact is *current* unless it is forgotten, expired or superseded. An expired fact is never
    returned, except by a filter that includes expired facts. No cleanup job is needed.

    Source: ``memory_entries`` (schema/0001_initial.sql, schema/0002_add_scopes_and_lifecycle.sql).
    """

    def __init__(
        self,
        connection: Connection,
        *,
        scope: str = "",
        clock: Clock = utc_now,
        rules: FactRules = ORIGINAL_RULES,
    ) -> None:
        """
        Bind a repository to one owner's facts.

        Args:
            connection: As in `Repository`.
            scope: As in `Repository`.
            clock: As in `Repository`.
            rules: Those of the store.

        Raises:
            InvalidInputError: *scope* is not accepted.
        """
        super().__init__(connection, scope=scope, clock=clock)
        self._rules = rules

    # --- remembering -------------------------------------------------------------------------

    async def remember(
        self,
        content: str,
        *,
        category: str | None = None,
        source: str = "user_explicit",
        metadata: Mapping[str, JsonValue] | None = None,
        expires_at: datetime | None = None,
    ) -> Remembered:
        """
        Store a new fact, refresh a known one, or bring back one that was gone.

        Two texts are the same fact when `normalize_content` makes them equal. A known fact keeps its
        id, text, category and metadata: ``ignored`` names those of them that were given in vain, and
        `update` changes them. Its ``last_accessed`` becomes now; its source becomes ``user_explicit`` if
        it was inferred and the user now says it; its expiry can only move later.

        A fact that was forgotten or superseded comes back only if the user says it, that is if *source*
        is ``user_explicit`` or one of the store's ``explicit_sources``. Otherwise it stays as it is, and
        nothing is stored. An expired fact always comes back. It takes the expiry given here.

        Args:
            content: The text: not blank, no NUL, at most 4,000,000 bytes of UTF-8.
            category: What kind of fact: 1 to 255 characters; ``fact`` for a new one if ``None``.
            source: Who says so: 1 to 255 characters.
            metadata: A JSON object that belongs to it.
            expires_at: Expiry time, kept to the millisecond; never by default.

        Returns:
            The fact as it is stored now, whether it was created, a duplicate, restored, or stays forgotten
            or superseded, and what of the arguments was ignored because it was known.

        Raises:
            InvalidInputError: An argument is not accepted.

        Source:
            The unique index on ``content_hash``; https://sqlite.org/lang_upsert.html
        """
        fact = encode_fact(self.scope, self._rules, content, category, source, metadata, expires_at)
        now = encode_instant(self.now())
        statement = remembering.REMEMBER if fact.said_source else remembering.REMEMBER_INFERRED
        remember = statement.bind(
            scope=self.scope,
            content=fact.content,
            content_hash=fact.content_hash,
            category=fact.category or DEFAULT_CATEGORY,
            source=fact.source,
            metadata=fact.metadata,
            expires_at=fact.expires_at,
            created_at=now,
        )
        (result,) = await self.connection.write((remember,))
        if not result.rows:
            # The statement above leaves a fact that is gone as it is: bring it back, if that is allowed.
            revive = remembering.REVIVE.bind(**self._refreshed(fact, now))
            hold_back = remembering.HELD_BACK.bind(scope=self.scope, content_hash=fact.content_hash)
            revived, result, held = await self.connection.write((revive, remember, hold_back))
            for row in revived.rows:
                return _remembered("restored", fact, row)
            for row in held.rows:
                return _held_back(fact, row)
        for row in result.rows:
            if row[-1] == 0:
                return Remembered(outcome="created", entry=to_memory(row[:-1]))
            return _remembered("duplicate", fact, row[:-1])
        raise _not_stored()

    async def remember_many(self, facts: Iterable[MemoryNew]) -> list[Remembered]:
        """
        Remember any number of facts as one atomic unit.

        The values are taken when the call takes its first step, of the first 1,000 facts in one go; the rest
        follow while other tasks run: do not change them meanwhile.

        Returns:
            One outcome for each item, in order. Several mentions of a fact count as one statement, which
            the user made if any of them says so; the second is a duplicate, unless the fact stays forgotten
            or superseded. An empty list for no facts.

        Raises:
            InvalidInputError: An item is not accepted; nothing is stored.
        """
        encode = partial(encode_new_fact, scope=self.scope, rules=self._rules)
        each = encode_each("facts", facts, MemoryNew, encode)
        encoded = await list_in_slices(each, first=TAKEN_AT_ONCE)
        if not encoded:
            return []
        rows = await list_in_slices(map(to_compact_json, merge_facts(encoded)))
        bound: dict[str, Value] = {"scope": self.scope, "now": encode_instant(self.now())}
        texts = list(batches(rows))
        unit = [
            statement.bind(batch=batch, **bound)
            for batch in texts
            for statement in (
                remembering.REVIVE_MANY,
                remembering.REFRESH_MANY,
                remembering.INSERT_MANY,
            )
        ]
        if any(fact.said_source is None for fact in encoded):
            hold_back = remembering.HELD_BACK_MANY
            unit += [hold_back.bind(batch=batch, scope=self.scope) for batch in texts]
        results = await self.connection.write(tuple(unit))
        returned = await list_in_slices(_returned(results, len(texts)))
        # The first statement to return a fact says what happened to it.
        stored = dict(reversed(returned))
        return await list_in_slices(_one_each(encoded, stored))

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
            What became of the new fact, as in `remember`. If it stays forgotten or superseded, it replaces
            nothing: the fact *id* is still current.

        Raises:
            ConflictError: The fact is already superseded, or *content* is the same fact.
            NotFoundError: No fact with this id in this scope, or it is forgotten or expired.
        """
        number = check_id("id", id)
        fact = encode_fact(self.scope, self._rules, content, category, source, metadata, expires_at)
        now = encode_instant(self.now())
        place: dict[str, Value] = {"id": number, "scope": self.scope, "now": now}
        refreshed = {**self._refreshed(fact, now), **place}
        new = fact._asdict()
        del new["said_source"], new["created_at"]
        *remembered, link, old, held = await self.connection.write(
            (
                superseding.SUPERSEDE_REVIVE.bind(**refreshed),
                superseding.SUPERSEDE_REFRESH.bind(**refreshed),
                superseding.SUPERSEDE_INSERT.bind(**new, **place),
                superseding.SUPERSEDE_LINK.bind(content_hash=fact.content_hash, **place),
                queries.GET.bind(**place),
                remembering.HELD_BACK.bind(scope=self.scope, content_hash=fact.content_hash),
            )
        )
        if link.rows:
            return _first_outcome(fact, (result.rows for result in remembered))
        before = _found(to_memory(old.rows[0]) if old.rows else None, id)
        if before.superseded_by is not None:
            raise ConflictError(f"fact {id} is already superseded", before.superseded_by)
        for row in held.rows:
            return _held_back(fact, row)
        raise ConflictError(f"the content is the same fact as fact {id}")

    # --- reading, changing, forgetting -------------------------------------------------------

    async def get(self, id: int) -> MemoryEntry:
        """
        Return the fact with this id, even if it is superseded.

        Raises:
            NotFoundError: No fact with this id in this scope, or it is forgotten or expired.
        """
        rows = await self.connection.read(self._get(id))
        return _found(to_memory(rows[0]) if rows else None, id)

    async def find(self, id: int) -> MemoryEntry | None:
        """Return the fact with this id, or ``None`` where `get` would raise."""
        rows = await self.connection.read(self._get(id))
        return to_memory(rows[0]) if rows else None

    async def get_many(self, ids: Iterable[int]) -> list[MemoryEntry | None]:
        """
        Return the facts with these ids, read by one statement.

        Args:
            ids: Any number of ids, in any order; one may occur several times.

        Returns:
            One item for each id, in the order given: the fact, or ``None`` where `find` returns ``None``.
            An empty list for no ids.

        Raises:
            InvalidInputError: An id is not accepted; the error's field names it, as in ``ids[3]``.

        Source:
            The primary key.
        """
        wanted = await list_in_slices(check_ids(ids))
        if not wanted:
            return []
        distinct = to_compact_json([*dict.fromkeys(wanted)])
        now = encode_instant(self.now())
        statement = queries.get_many(is_large=is_large(len(wanted)))
        bound = statement.bind(ids=distinct, scope=self.scope, now=now)
        rows = await self.connection.read(bound)
        facts = await list_in_slices(to_memory(row) for row in rows)
        by_id = {fact.id: fact for fact in facts}
        return [by_id.get(number) for number in wanted]

    async def find_by_content(self, content: str) -> MemoryEntry | None:
        """Return the current fact that is the same as *content*; ``None`` if there is none."""
        fact = encode_new_fact(MemoryNew(content=content), self.scope, self._rules)
        for entry in await self._read_many(queries.GET_BY_HASH, content_hash=fact.content_hash):
            return entry
        return None

    async def find_many(
        self, where: MemoryFilter = _ALL, *, limit: int = DEFAULT_LIMIT, after: str | None = None
    ) -> Page[MemoryEntry]:
        """
        Return a page of current facts, newest first, ties by the higher id.

        For all facts, however many there are, use `iterate`: a page ends at *limit*.

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
        names, parameters = memory_conditions(where, encode_instant(self.now()))
        paging = page_parameters(limit, after)
        statement = queries.find_many(names, after=after is not None, is_large=is_large(limit))
        bound = statement.bind(scope=self.scope, **parameters, **paging)
        rows = await self.connection.read(bound)
        return await decode_page(rows, limit, to_memory, instant=_CREATED_AT)

    def iterate(self, where: MemoryFilter = _ALL) -> AsyncIterator[MemoryEntry]:
        """
        Yield all facts of a filter in the order of `find_many`, reading a page at a time.

        Facts that are added or removed meanwhile never make it skip or repeat another.
        """
        memory_conditions(where, "")
        return walk(lambda after: self.find_many(where, limit=ITERATE_LIMIT, after=after))

    async def count(self, where: MemoryFilter = _ALL) -> int:
        """Return how many facts match a filter; by default, how many are current."""
        names, parameters = memory_conditions(where, encode_instant(self.now()))
        return await self._count(queries.count(names), **parameters)

    async def count_by(
        self, field: Literal["category", "source"], where: MemoryFilter = _ALL
    ) -> dict[str, int]:
        """
        Return how many facts of a filter each category or source has, the most frequent first, ties by name.

        Returns:
            Only those that have facts; empty if there are none.

        Raises:
            InvalidInputError: An argument is not accepted.
        """
        if field not in ("category", "source"):
            raise InvalidInputError("field", "must be 'category' or 'source'")
        names, parameters = memory_conditions(where, encode_instant(self.now()))
        bound = queries.count_by(field, names).bind(scope=self.scope, **parameters)
        return to_named_counts(await self.connection.read(bound))

    async def touch(self, id: int) -> MemoryEntry:
        """
        Set a fact's ``last_accessed`` to now, and return it.

        Raises:
            NotFoundError: No fact with this id in this scope, or it is forgotten or expired.
        """
        return await self._write_one(queries.TOUCH, id)

    async def update(
        self,
        id: int,
        *,
        content: str | Unset = UNSET,
        category: str | Unset = UNSET,
        metadata: Mapping[str, JsonValue] | Unset | None = UNSET,
        expires_at: datetime | Unset | None = UNSET,
    ) -> MemoryEntry:
        """
        Change a fact's text, category, metadata or expiry, and return the fact. What is not given stays.

        A new *content* is for correcting a text under its id, also in what makes no other fact, such as
        its case. If the old text was true until now, `supersede` keeps it as history.

        Raises:
            ConflictError: Another fact of this scope states *content*; its id is ``other_id``. It may be
                forgotten, expired or superseded. Nothing was changed.
            InvalidInputError: No field is given, or one is not accepted.
            NotFoundError: No fact with this id in this scope, or it is forgotten or expired.
        """
        values: dict[str, Value] = {}
        if content is not UNSET:
            fact = encode_new_fact(MemoryNew(content=content), self.scope, self._rules)
            values["content"], values["content_hash"] = fact.content, fact.content_hash
        if category is not UNSET:
            values["category"] = check_name("category", category)
        if metadata is not UNSET:
            values["metadata"] = check_metadata("metadata", metadata)
        if expires_at is not UNSET:
            values["expires_at"] = encode_expiry(expires_at)
        if not values:
            raise InvalidInputError("update", "needs content, category, metadata or expires_at")
        statement = queries.update(frozenset(values))
        if content is not UNSET:
            return await self._correct(statement, id, values)
        return await self._write_one(statement, id, **values)

    async def history(self, id: int) -> list[MemoryEntry]:
        """
        Return the facts that this one superseded, directly or not, oldest first.

        Returns:
            Superseded facts only, without the fact itself, and without those that are forgotten or
            expired; an empty list if it replaced none.

        Raises:
            NotFoundError: No fact with this id in this scope, or it is forgotten or expired.

        Source:
            The index on superseded_by; https://sqlite.org/lang_with.html
        """
        number = check_id("id", id)
        chain = await self._read_many(chains.HISTORY, id=number)
        before = [entry for entry in chain if entry.id != number]
        if len(before) == len(chain):
            raise not_found("fact", id, also=_GONE)
        return before

    async def forget(self, id: int) -> MemoryEntry:
        """
        Forget a fact, and all that it superseded, so that they are no longer returned. Idempotent.

        All get the same ``deleted_at``, by which `restore` brings them back. Works on a superseded fact,
        too; its successors stay. What had been forgotten before stays as it was.

        Returns:
            The fact; its ``deleted_at`` is when it was first forgotten.

        Raises:
            NotFoundError: No fact with this id in this scope, or it is expired.

        Source:
            The index on superseded_by; https://sqlite.org/lang_with.html
        """
        return await self._write_chain(chains.FORGET, id)

    async def restore(self, id: int) -> MemoryEntry:
        """
        Undo `forget`, and return the fact. Does nothing if the fact is not forgotten.

        What was forgotten at the same instant of what it superseded comes back with it. A superseded
        fact comes back as one: `remember` its text to make it current.

        Raises:
            NotFoundError: No fact with this id in this scope, or it is expired.
        """
        return await self._write_chain(chains.RESTORE, id)

    async def forgotten(
        self,
        *,
        within: timedelta | None = None,
        limit: int = DEFAULT_LIMIT,
        after: str | None = None,
    ) -> Page[MemoryEntry]:
        """
        Return a page of forgotten facts, latest first, without expired ones.

        A fact that was forgotten together with its successor is not listed beside it: `restore` of the
        successor brings back both.

        Args:
            within: Only facts forgotten this recently; all if ``None``.
            limit: Most facts wanted, 1 to 10,000.
            after: The ``next_cursor`` of the page before.

        Returns:
            At most *limit* facts; an empty page when none was forgotten.
        """
        now = self.now()
        paging = page_parameters(limit, after)
        bound = queries.forgotten(after=after is not None, is_large=is_large(limit)).bind(
            scope=self.scope,
            deleted_from=_ALWAYS if within is None else _before(now, within),
            now=encode_instant(now),
            **paging,
        )
        rows = await self.connection.read(bound)
        return await decode_page(rows, limit, to_memory, instant=_DELETED_AT)

    async def forget_all(self, *, confirm: bool) -> int:
        """
        Mark every fact of this scope as forgotten, whether it is current or not.

        The facts stay in the database until `purge`; `ScopedStore.erase` deletes them.

        Args:
            confirm: Must be ``True``.

        Returns:
            How many facts were forgotten now.

        Raises:
            InvalidInputError: *confirm* is not ``True``.
        """
        if not check_flag("confirm", confirm):
            raise InvalidInputError("confirm", "must be True to forget every fact")
        statement = queries.FORGET_ALL.bind(scope=self.scope, now=encode_instant(self.now()))
        (result,) = await self.connection.write((statement,))
        return result.changes

    async def purge(self, before: datetime, *, dry_run: bool = False) -> int:
        """
        Delete for good this scope's forgotten and expired facts of before an instant, and what they superseded.

        So a superseded fact stays as long as its successor does, unless it was forgotten, or has expired,
        itself. One whose successor is no longer there goes, too, if it was created before the instant.

        A fact with an instant that cannot be read stays. Other programs' instants get memrepo's spelling
        first, by a dry run, too, unless the store is read-only.

        Returns:
            How many facts were deleted, or with *dry_run* would be.
        """
        bound = encode_bound("before", check_instant("before", before))
        await prepare_purge(
            self.connection, "memory_entries", dry_run=check_flag("dry_run", dry_run)
        )
        if dry_run:
            return await self._count(chains.COUNT_PURGEABLE, before=bound)
        statement = chains.PURGE.bind(scope=self.scope, before=bound)
        (result,) = await self.connection.write((statement,))
        return result.changes

    def _get(self, id: int) -> BoundStatement:
        now = encode_instant(self.now())
        return queries.GET.bind(id=check_id("id", id), scope=self.scope, now=now)

    async def _read_many(self, statement: Statement, **parameters: Value) -> list[MemoryEntry]:
        now = encode_instant(self.now())
        bound = statement.bind(scope=self.scope, now=now, **parameters)
        return [to_memory(row) for row in await self.connection.read(bound)]

    async def _write_one(self, statement: Statement, id: int, **values: Value) -> MemoryEntry:
        now = encode_instant(self.now())
        bound = statement.bind(id=check_id("id", id), scope=self.scope, now=now, **values)
        (result,) = await self.connection.write((bound,))
        return _found(to_memory(result.rows[0]) if result.rows else None, id)

    async def _write_chain(self, statement: Statement, id: int) -> MemoryEntry:
        place: dict[str, Value] = {
            "id": check_id("id", id),
            "scope": self.scope,
            "now": encode_instant(self.now()),
        }
        _, after = await self.connection.write(
            (statement.bind(**place), queries.GET_UNEXPIRED.bind(**place))
        )
        return _found(to_memory(after.rows[0]) if after.rows else None, id)

    async def _correct(
        self, statement: Statement, id: int, values: dict[str, Value]
    ) -> MemoryEntry:
        place: dict[str, Value] = {"id": check_id("id", id), "scope": self.scope}
        now = encode_instant(self.now())
        changed, before, other = await self.connection.write(
            (
                statement.bind(now=now, **place, **values),
                queries.GET.bind(now=now, **place),
                queries.HOLDER.bind(content_hash=values["content_hash"], **place),
            )
        )
        for row in changed.rows:
            return to_memory(row)
        _found(to_memory(before.rows[0]) if before.rows else None, id)
        for (other_id,) in other.rows:
            raise ConflictError(f"fact {other_id} states what fact {id} would", other_id)
        raise _not_stored()

    async def _count(self, statement: Statement, **parameters: Value) -> int:
        rows = await self.connection.read(statement.bind(scope=self.scope, **parameters))
        return to_number(rows)

    def _refreshed(self, fact: Fact, now: str) -> dict[str, Value]:
        return {
            "scope": self.scope,
            "now": now,
            "content_hash": fact.content_hash,
            "said_source": fact.said_source,
            "expires_at": fact.expires_at,
        }


def _found(entry: MemoryEntry | None, id: int) -> MemoryEntry:
    """Return *entry*, or say that there is no fact with this id."""
    return found(entry, "fact", id, also=_GONE)


def _before(now: datetime, within: timedelta) -> str:
    try:
        return encode_instant(now - check_duration("within", within))
    except OverflowError:
        raise InvalidInputError("within", "reaches back before the year 1") from None


def _returned(results: Iterable[Result], n_batches: int) -> Iterator[tuple[str, Remembered]]:
    n_outcomes = len(_OUTCOMES)
    for index, result in enumerate(results):
        # After those of all batches come the facts that were held back.
        outcome = _OUTCOMES[index % n_outcomes] if index < n_batches * n_outcomes else None
        for row in result.rows:
            entry = to_memory(row)
            yield row[_HASH], Remembered(outcome=outcome or _why_held_back(entry), entry=entry)


def _why_held_back(entry: MemoryEntry) -> RememberOutcome:
    return "superseded" if entry.deleted_at is None else "forgotten"


def _held_back(fact: Fact, row: Row) -> Remembered:
    entry = to_memory(row)
    outcome = _why_held_back(entry)
    return Remembered(outcome=outcome, entry=entry, ignored=ignored(fact, entry))


def _remembered(outcome: RememberOutcome, fact: Fact, row: Row) -> Remembered:
    entry = to_memory(row)
    passed_over = () if outcome == "created" else ignored(fact, entry)
    return Remembered(outcome=outcome, entry=entry, ignored=passed_over)


def _first_outcome(fact: Fact, results: Iterable[list[Row]]) -> Remembered:
    for outcome, rows in zip(_OUTCOMES, results, strict=True):
        if rows:
            return _remembered(outcome, fact, rows[0])
    # INSERT OR IGNORE skips a row for other reasons, too: a fact that was not stored is no duplicate.
    raise _not_stored()


def _not_stored() -> DatabaseError:
    return DatabaseError("the database did not store the fact")


def _one_each(facts: Iterable[Fact], stored: dict[str, Remembered]) -> Iterator[Remembered]:
    mentioned: set[str] = set()
    for fact in facts:
        first = stored.get(fact.content_hash)
        if first is None:
            raise _not_stored()
        is_repeated = fact.content_hash in mentioned
        if first.outcome == "created" and not is_repeated:
            yield first
        else:
            is_again = is_repeated and first.outcome not in _HELD_BACK
            yield Remembered(
                outcome="duplicate" if is_again else first.outcome,
                entry=first.entry,
                ignored=ignored(fact, first.entry),
            )
        mentioned.add(fact.content_hash)
