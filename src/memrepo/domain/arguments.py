"""Check what callers pass, and encode it as statements bind it. Nothing is sent before that."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Final, NamedTuple, TypeVar

from memrepo.domain.checks import (
    check_id,
    check_instant,
    check_json,
    check_name,
    check_object,
    check_text,
)
from memrepo.domain.codec import Value
from memrepo.domain.daily_logs import DailyLogNew
from memrepo.domain.hashing import hash_normalized, normalize_content
from memrepo.domain.instants import encode_instant
from memrepo.domain.jsontext import JsonValue, decode_json
from memrepo.domain.memories import (
    DEFAULT_CATEGORY,
    INFERRED_SOURCES,
    MemoryEntry,
    MemoryNew,
)
from memrepo.domain.rules import FactRules
from memrepo.errors import InvalidInputError

__all__ = [
    "TAKEN_AT_ONCE",
    "Event",
    "Fact",
    "batches",
    "check_ids",
    "encode_each",
    "encode_event",
    "encode_expiry",
    "encode_fact",
    "encode_new_event",
    "encode_new_fact",
    "ignored",
    "merge_facts",
]

T = TypeVar("T")
R = TypeVar("R")

#: Items whose values are taken before another task can change them.
TAKEN_AT_ONCE: Final = 1_000
#: Most rows and characters of one bulk statement; a libSQL server takes 5,000,000 bytes for a parameter.
_BATCH_ROWS: Final = 1_000
_BATCH_LENGTH: Final = 1_000_000


class Fact(NamedTuple):
    """A fact, as `queries.remembering` binds it."""

    content: str
    content_hash: str
    #: ``None`` if none was given.
    category: str | None
    source: str
    metadata: str | None
    expires_at: str | None
    #: The source, if it speaks for the user.
    said_source: str | None
    #: ``None`` for now.
    created_at: str | None = None


class Event(NamedTuple):
    """An event, as `queries.daily_logs` binds it."""

    session_id: int | None
    event_type: str
    event_data: str | None
    timestamp: str | None
    key: str | None


# --- facts -------------------------------------------------------------------------------------


def encode_new_fact(new: MemoryNew, scope: str, rules: FactRules) -> Fact:
    """Check a fact and hash it for *scope*."""
    fact = encode_fact(
        scope, rules, new.content, new.category, new.source, new.metadata, new.expires_at
    )
    if (time := new.created_at) is None:
        return fact
    return fact._replace(created_at=encode_instant(check_instant("created_at", time)))


def encode_fact(
    scope: str,
    rules: FactRules,
    content: str,
    category: str | None,
    source: str,
    metadata: Mapping[str, JsonValue] | None,
    expires_at: datetime | None,
) -> Fact:
    """Check the arguments of `MemoryRepo.remember` and hash the content for *scope*."""
    content = check_text("content", content)
    normalized = normalize_content(content, same_fact=rules.same_fact)
    if not normalized:
        also = "" if rules.same_fact == "exact" else " and punctuation"
        raise InvalidInputError("content", f"must be more than white space{also}")
    return Fact(
        content,
        hash_normalized(normalized, scope, rules.same_fact),
        None if category is None else check_name("category", category),
        check_name("source", source),
        None if metadata is None else check_object("metadata", metadata),
        None if expires_at is None else encode_expiry(expires_at),
        source if source in rules.explicit_sources else None,
    )


def encode_expiry(expires_at: datetime | None) -> str | None:
    """Check and encode when a fact expires; ``None`` for never."""
    return None if expires_at is None else encode_instant(check_instant("expires_at", expires_at))


def merge_facts(facts: Iterable[Fact]) -> Iterator[tuple[Value, ...]]:
    """
    Yield a row for each different fact, in order of first mention, for `queries.remembering`.

    Several mentions count as one statement, which the user said if any of them was: that one's source is
    the last column, and outranks an inferred one. The latest expiry holds.
    """
    first: dict[str, Fact] = {}
    others: dict[str, list[Fact]] = {}
    for fact in facts:
        if first.setdefault(fact.content_hash, fact) is not fact:
            others.setdefault(fact.content_hash, []).append(fact)
    for content_hash, fact in first.items():
        if (same := others.get(content_hash)) is None:
            yield (*fact[:2], fact.category or DEFAULT_CATEGORY, *fact[3:])
        else:
            yield _merge(fact, *same)


def _merge(first: Fact, *others: Fact) -> tuple[Value, ...]:
    mentions = (first, *others)
    said_source = next((fact.said_source for fact in mentions if fact.said_source), None)
    expiries = [fact.expires_at for fact in mentions]
    return first._replace(
        category=first.category or DEFAULT_CATEGORY,
        source=said_source if said_source and first.source in INFERRED_SOURCES else first.source,
        expires_at=None if None in expiries else max(filter(None, expiries)),
        said_source=said_source,
    )


def ignored(fact: Fact, entry: MemoryEntry) -> tuple[str, ...]:
    """Return the names of what was given with *fact*, and is not what *entry* has."""
    is_ignored = {
        "content": fact.content != entry.content,
        "metadata": _is_other_json(fact.metadata, entry.raw_metadata),
        "category": fact.category not in (None, entry.category),
    }
    return tuple(name for name, is_other in is_ignored.items() if is_other)


def _is_other_json(given: str | None, stored: str | None) -> bool:
    if given is None or given == stored:
        return False
    return stored is None or _sorted_json(given) != _sorted_json(stored)


def _sorted_json(text: str) -> str:
    # As text, because 1, 1.0 and True are equal in Python and three values in JSON.
    return json.dumps(decode_json(text)[0], sort_keys=True)


# --- events ------------------------------------------------------------------------------------


def encode_new_event(new: DailyLogNew) -> Event:
    """Check an event."""
    session_id, event_type, event_data, key = encode_event(
        new.session_id, new.event_type, new.event_data, new.key
    )
    time = new.timestamp
    timestamp = None if time is None else encode_instant(check_instant("timestamp", time))
    return Event(session_id, event_type, event_data, timestamp, key)


def encode_event(
    session_id: int | None, event_type: str, event_data: JsonValue, key: str | None
) -> tuple[int | None, str, str | None, str | None]:
    """Check the arguments of `DailyLogRepo.append`; return the fields of an `Event` without a timestamp."""
    return (
        None if session_id is None else check_id("session_id", session_id),
        check_name("event_type", event_type),
        check_json("event_data", event_data),
        None if key is None else check_name("key", key),
    )


# --- many --------------------------------------------------------------------------------------


def encode_each(
    field: str, items: Iterable[T], kind: type[T], encode: Callable[[T], R]
) -> Iterator[R]:
    """Check and encode each item, which must be a *kind*; an error names the item."""
    if isinstance(items, str | bytes) or not isinstance(items, Iterable):
        raise InvalidInputError(field, f"must be a list of {kind.__name__}")
    # A copy, because the caller may change a list before the last item is encoded.
    for index, item in enumerate(tuple(items)):
        if not isinstance(item, kind):
            found = type(item).__name__
            raise InvalidInputError(f"{field}[{index}]", f"must be a {kind.__name__}, not {found}")
        try:
            yield encode(item)
        except InvalidInputError as error:
            place = f"{field}[{index}].{error.field}"
            raise InvalidInputError(place, error.reason) from None


def check_ids(ids: Iterable[int]) -> Iterator[int]:
    """Check each of many ids; an error names the item."""
    if isinstance(ids, str | bytes | bytearray) or not isinstance(ids, Iterable):
        raise InvalidInputError("ids", "must be a list of int")
    # A copy, as in `encode_each`.
    for index, number in enumerate(tuple(ids)):
        yield check_id(f"ids[{index}]", number)


def batches(rows: Iterable[str]) -> Iterator[str]:
    """Join JSON texts, in order, into JSON arrays that are small enough for one statement each."""
    texts: list[str] = []
    length = 0
    for text in rows:
        if texts and (len(texts) == _BATCH_ROWS or length + len(text) > _BATCH_LENGTH):
            yield f"[{','.join(texts)}]"
            texts, length = [], 0
        texts.append(text)
        length += len(text)
    if texts:
        yield f"[{','.join(texts)}]"
