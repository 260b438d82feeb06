"""
Pydantic AI: a store that keeps conversations in memrepo. Needs ``pip install memrepo[pydantic-ai]``.

`memrepo` does not import it: ``from memrepo.contrib.pydantic_ai import MemrepoConversationStore``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, TypeVar, cast

import attrs

from memrepo.connection.waiting import list_in_slices
from memrepo.domain.checks import MAX_LIMIT, MAX_NAME_LENGTH, check_id, check_name
from memrepo.domain.daily_logs import DailyLog, DailyLogFilter, DailyLogNew
from memrepo.domain.jsontext import to_compact_json
from memrepo.errors import DecodeError, InvalidInputError, NotFoundError
from memrepo.queries.statement import Statement
from memrepo.repositories.scopes import Repositories, ScopedStore

try:
    from pydantic import ConfigDict, TypeAdapter, ValidationError
    from pydantic_ai.conversation_store import (
        ConversationConflict,
        ConversationEntry,
        ConversationRecord,
        ConversationStore,
    )
except ImportError as error:
    raise ImportError(
        "memrepo.contrib.pydantic_ai needs pydantic-ai-slim: pip install memrepo[pydantic-ai]"
    ) from error

__all__ = ["MESSAGE", "RECORD", "MemrepoConversationStore"]

T = TypeVar("T")

#: The type of the events that hold a message, and of those that hold what a conversation has beside its messages.
MESSAGE: Final = "pydantic_ai_message"
RECORD: Final = "pydantic_ai_record"

# With bytes as `ModelMessagesTypeAdapter` has them.
_CONFIG: Final = ConfigDict(defer_build=True, ser_json_bytes="base64", val_json_bytes="base64")
_entries: Final = TypeAdapter(list[ConversationEntry], config=_CONFIG)
_records: Final = TypeAdapter(list[ConversationRecord], config=_CONFIG)

#: Most messages of a history: a chain that another program has closed to a circle has no end.
_MOST: Final = 1_000_000

# The key of the message before the one in `log`, by the unique index on (scope, idempotency_key).
_PARENT: Final = f"""CASE WHEN json_valid(log.event_data) THEN
        '{MESSAGE}:' || json_extract(log.event_data, '$.parent_id') END"""

_HISTORY: Final = f"""WITH RECURSIVE chain (n, text, parent) AS (
    SELECT 1, log.event_data, {_PARENT}
    FROM daily_logs AS log WHERE log.scope = :scope AND log.idempotency_key = :key
    UNION ALL
    SELECT chain.n + 1, log.event_data, {_PARENT}
    FROM chain CROSS JOIN daily_logs AS log
    WHERE log.scope = :scope AND log.idempotency_key = chain.parent
    LIMIT :limit
)
SELECT text FROM chain ORDER BY n DESC"""  # noqa: S608 - constants
_READ: Final = Statement("pydantic_ai.read_history", _HISTORY)
_READ_ALL: Final = Statement("pydantic_ai.read_whole_history", _HISTORY, is_long=True)


def _chains(name: str) -> str:
    """Return the messages with the keys in a JSON array, and all before them, as a part of a statement."""
    return f"""{name} (id, parent) AS (
    SELECT log.id, {_PARENT}
    FROM json_each(:{name}) AS tip CROSS JOIN daily_logs AS log
    WHERE log.scope = :scope AND log.idempotency_key = tip.value
    UNION
    SELECT log.id, {_PARENT}
    FROM {name} CROSS JOIN daily_logs AS log WHERE log.scope = :scope AND log.idempotency_key = {name}.parent
)"""  # noqa: S608 - constants


_DELETE: Final = Statement(
    "pydantic_ai.delete_history",
    f"""WITH RECURSIVE {_chains("doomed")}, {_chains("kept")} DELETE FROM daily_logs
WHERE scope = :scope AND id IN (SELECT id FROM doomed) AND id NOT IN (SELECT id FROM kept)""",  # noqa: S608 - constants
)


class MemrepoConversationStore(ConversationStore):
    """
    Conversations of Pydantic AI, kept in a store of memrepo.

    A conversation is the thread of its id in the store's scope. Each message is an event of the type
    ``pydantic_ai_message``, stored once however many forks have it; what a conversation carries beside its messages is
    an event of the type ``pydantic_ai_record``. A save happens whole or not at all. Of two writers at once, in one
    program or in two, one gets `ConversationConflict`.

    Deleting a conversation deletes its messages for good, but for those that a fork of it, or what it was forked
    from, still has. Where older messages were purged, a history begins after them; where all were, it is empty.
    The store is the caller's, who opens and closes it.
    """

    def __init__(self, store: ScopedStore) -> None:
        """
        Keep conversations in *store*; in ``store.scoped("user:42")`` those of one owner.

        Raises:
            InvalidInputError: It is no open store.
        """
        if not isinstance(store, ScopedStore):
            raise InvalidInputError("store", f"must be an open store, not {type(store).__name__}")
        self._store = store

    async def read_record(self, conversation_id: str) -> ConversationRecord | None:
        """
        Return what a conversation has beside its messages, or ``None`` if it is not stored.

        Raises:
            DecodeError: Another program has changed it, so that it cannot be read.
            InvalidInputError: The id is no text of 1 to 236 characters.
        """
        event = await self._store.daily_logs.find_by_key(_key(RECORD, conversation_id))
        return None if event is None else _to_record(event)

    async def read_records(
        self, *, scope: str | None = None, limit: int | None = None
    ) -> Sequence[ConversationRecord]:
        """
        Return what each conversation has beside its messages, the one saved last first.

        Args:
            scope: Only those that were saved with this `ConversationRecord.scope`.
            limit: At most this many; the events of the store's scope are gone through, the latest first, until then.

        Raises:
            DecodeError: Another program has changed one, so that it cannot be read.
        """
        return [] if limit == 0 else await _find_records(self._store, scope, limit)

    async def write_record(
        self,
        record: ConversationRecord,
        *,
        new_entries: Sequence[ConversationEntry] = (),
        expected_revision: str | None,
    ) -> None:
        """
        Store new messages of a conversation and what it has beside them, all or nothing.

        Raises:
            ConversationConflict: Another revision is stored, or the message that it ends with is not there.
            InvalidInputError: The id is no text of 1 to 236 characters, or a message is not accepted, as one of
                more than 4,000,000 bytes.
        """
        new = _to_events(record, new_entries)
        async with self._store.transaction() as tx:
            stored = await _expect(tx, record.conversation_id, expected_revision)
            before = None if stored is None else _to_record(stored).head_id
            if not await _has_head(tx, record, before, *(its.id for its in new_entries)):
                raise ConversationConflict(record.conversation_id)
            if stored is not None:
                await tx.daily_logs.delete(stored.id)
            session = await tx.sessions.get_or_start(record.conversation_id)
            await tx.daily_logs.append_many(attrs.evolve(its, session_id=session.id) for its in new)

    async def delete_record(self, conversation_id: str, *, expected_revision: str) -> None:
        """
        Delete a conversation for good, with the messages that no other conversation has.

        Raises:
            ConversationConflict: Another revision is stored, or none.
        """
        async with self._store.transaction() as tx:
            stored = await _expect(tx, conversation_id, expected_revision)
            if stored is None:
                raise ConversationConflict(conversation_id)
            await tx.daily_logs.delete(stored.id)
            record = _to_record(stored)
            # Where neither is a fork, they have no message in common.
            kin = [its for its in await _find_records(tx) if record.forked_from or its.forked_from]
            bound = _DELETE.bind(scope=tx.scope, doomed=_tips(record), kept=_tips(*kin))
            await tx.connection.write((bound,))

    async def read_entry(self, entry_id: str) -> ConversationEntry:
        """
        Return a message with the id of the one before it.

        Raises:
            DecodeError: Another program has changed it, so that it cannot be read.
            NotFoundError: It is not stored.
        """
        if found := await self.read_history(entry_id, limit=1):
            return found[0]
        raise NotFoundError("no message with this id in this scope")

    async def read_history(
        self, head_id: str | None, *, limit: int | None = None
    ) -> list[ConversationEntry]:
        """
        Return the messages up to one, in their order, read by one statement; none if that one was purged.

        Args:
            head_id: The last of them; ``None`` for no messages.
            limit: Only the last, at most this many.

        Raises:
            DecodeError: Another program has changed one, so that it cannot be read.
            InvalidInputError: An argument is not accepted.
        """
        if head_id is None or limit == 0:
            return []
        statement = _READ_ALL if limit is None else _READ
        most = _MOST if limit is None else min(check_id("limit", limit), _MOST)
        bound = statement.bind(scope=self._store.scope, key=_key(MESSAGE, head_id), limit=most)
        rows = await self._store.connection.read(bound)
        return _read(_entries, (str(row[0]) for row in rows))

    async def _history_of(
        self, record: ConversationRecord, *, limit: int | None = None
    ) -> list[ConversationEntry] | None:
        if history := await self.read_history(record.head_id, limit=limit):
            return history
        # If the record is as it was, its messages were purged, and the next one begins anew.
        stored = await self.read_record(record.conversation_id)
        return history if stored is not None and stored.revision == record.revision else None


def _key(kind: str, id: str) -> str:
    """Return the idempotency key of a message or a record."""
    field = "conversation_id" if kind == RECORD else "entry_id"
    most = MAX_NAME_LENGTH - len(kind) - 1
    if len(check_name(field, id)) > most:
        raise InvalidInputError(field, f"must not be longer than {most} characters")
    return f"{kind}:{id}"


async def _expect(tx: Repositories, conversation_id: str, revision: str | None) -> DailyLog | None:
    """Return the event of a conversation's record, which must have this revision, or with ``None`` not be there."""
    stored = await tx.daily_logs.find_by_key(_key(RECORD, conversation_id))
    if revision != (None if stored is None else _to_record(stored).revision):
        raise ConversationConflict(conversation_id)
    return stored


async def _has_head(tx: Repositories, record: ConversationRecord, *known: str | None) -> bool:
    """Tell whether the message that a history ends with is stored, or known, also if it was purged."""
    if record.head_id is None or record.head_id in known:
        return True
    return await tx.daily_logs.find_by_key(_key(MESSAGE, record.head_id)) is not None


async def _find_records(
    store: Repositories, scope: str | None = None, limit: int | None = None
) -> list[ConversationRecord]:
    where = DailyLogFilter(event_type=RECORD, data=None if scope is None else {"scope": scope})
    log = store.daily_logs
    page = await log.find_many(where, limit=min(limit or MAX_LIMIT, MAX_LIMIT), newest_first=True)
    events = [*reversed(page)]
    if page.next_cursor is not None:
        # An event has milliseconds, a record has microseconds: so all of the last one's millisecond.
        since = page[-1].timestamp if len(page) == limit else None
        events = [its async for its in log.iterate(attrs.evolve(where, timestamp_from=since))]
    records = await list_in_slices(map(_to_record, events))
    latest = {its.conversation_id: its for its in records}  # one saved meanwhile came again
    return sorted(latest.values(), key=lambda record: record.updated_at)[::-1][:limit]


def _tips(*records: ConversationRecord) -> str:
    """Return the keys of the last messages of all histories and branches, as a JSON array."""
    tips = [tip for record in records for tip in (record.head_id, *record.branches)]
    return to_compact_json([f"{MESSAGE}:{tip}" for tip in tips if tip is not None])


def _to_events(
    record: ConversationRecord, new_entries: Sequence[ConversationEntry]
) -> list[DailyLogNew]:
    events = [
        DailyLogNew(event_type=MESSAGE, event_data=message, key=_key(MESSAGE, entry.id))
        for entry, message in zip(new_entries, _dump(_entries, [*new_entries]), strict=True)
    ]
    (data,) = _dump(_records, [record])
    key, at = _key(RECORD, record.conversation_id), record.updated_at
    return [*events, DailyLogNew(event_type=RECORD, event_data=data, key=key, timestamp=at)]


def _dump(kind: TypeAdapter[list[T]], values: list[T]) -> list[Any]:
    try:
        return cast("list[Any]", kind.dump_python(values, mode="json"))
    except ValueError:  # from None, because it may repeat what was said
        raise InvalidInputError("messages", "must have only values that JSON has") from None


def _to_record(event: DailyLog) -> ConversationRecord:
    return _read(_records, [event.raw_event_data or "null"])[0]


def _read(kind: TypeAdapter[list[T]], texts: Iterable[str]) -> list[T]:
    try:
        return kind.validate_json(f"[{','.join(texts)}]")
    except ValidationError:  # from None, as in `_dump`
        raise DecodeError("an event was changed, so that Pydantic AI cannot read it") from None
