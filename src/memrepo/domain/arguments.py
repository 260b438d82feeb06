"""Check what callers pass, and encode it as statements bind it. Nothing is sent before that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple, TypeVar

from memrepo.domain.checks import (
    check_date,
    check_flag,
    check_id,
    check_instant,
    check_json,
    check_name,
    check_object,
    check_text,
    check_tz,
)
from memrepo.domain.codec import Value
from memrepo.domain.days import day_range
from memrepo.domain.glob import glob_containing
from memrepo.domain.hashing import hash_normalized, normalize_content
from memrepo.domain.instants import encode_bound, encode_instant
from memrepo.domain.jsontext import JsonValue
from memrepo.domain.models import (
    EXPLICIT_SOURCE,
    INFERRED_SOURCES,
    DailyLogFilter,
    DailyLogNew,
    MemoryFilter,
    MemoryNew,
    SessionFilter,
)
from memrepo.errors import InvalidInputError

__all__ = [
    "Conditions",
    "Event",
    "Fact",
    "batches",
    "check_ids",
    "daily_log_conditions",
    "encode_each",
    "encode_event",
    "encode_expiry",
    "encode_fact",
    "encode_new_event",
    "encode_new_fact",
    "memory_conditions",
    "merge_facts",
    "session_conditions",
]

T = TypeVar("T")
R = TypeVar("R")

#: Most rows and characters of one bulk statement; a libSQL server takes 5,000,000 bytes for a parameter.
_BATCH_ROWS: Final = 1_000
_BATCH_LENGTH: Final = 1_000_000
#: Most characters of `MemoryFilter.contains`: a letter takes up to 20 of the 50,000 bytes that SQLite
#: allows for a pattern.
_MAX_CONTAINS: Final = 1_000


class Fact(NamedTuple):
    """A fact, as `queries.memories` binds it."""

    content: str
    content_hash: str
    category: str
    source: str
    metadata: str | None
    expires_at: str | None


class Event(NamedTuple):
    """An event, as `queries.daily_logs` binds it."""

    session_id: int | None
    event_type: str
    event_data: str | None
    key: str | None


class Conditions(NamedTuple):
    """A filter: which conditions its statement has, and what is bound for them."""

    names: frozenset[str]
    parameters: dict[str, Value]


# --- facts -------------------------------------------------------------------------------------


def encode_new_fact(new: MemoryNew, scope: str) -> Fact:
    """Check a fact and hash it for *scope*."""
    return encode_fact(scope, new.content, new.category, new.source, new.metadata, new.expires_at)


def encode_fact(
    scope: str,
    content: str,
    category: str,
    source: str,
    metadata: Mapping[str, JsonValue] | None,
    expires_at: datetime | None,
) -> Fact:
    """Check the arguments of `MemoryRepo.remember` and hash the content for *scope*."""
    content = check_text("content", content)
    normalized = normalize_content(content)
    if not normalized.strip(" .,;:!?"):
        raise InvalidInputError("content", "must be more than white space and punctuation")
    return Fact(
        content,
        hash_normalized(normalized, scope),
        check_name("category", category),
        check_name("source", source),
        None if metadata is None else check_object("metadata", metadata),
        None if expires_at is None else encode_expiry(expires_at),
    )


def encode_expiry(expires_at: datetime | None) -> str | None:
    """Check and encode when a fact expires; ``None`` for never."""
    return None if expires_at is None else encode_instant(check_instant("expires_at", expires_at))


def merge_facts(facts: Iterable[Fact]) -> Iterator[tuple[Value, ...]]:
    """
    Yield a row for each different fact, in order of first mention, for `queries.remembering`.

    Repetitions count as if they were remembered afterwards, one by one: they may raise the fact's
    source and put off its expiry. The last column is the source that a stored fact is raised to.
    """
    first: dict[str, Fact] = {}
    others: dict[str, list[Fact]] = {}
    for fact in facts:
        if first.setdefault(fact.content_hash, fact) is not fact:
            others.setdefault(fact.content_hash, []).append(fact)
    for content_hash, fact in first.items():
        same = others.get(content_hash)
        yield (*fact, fact.source) if same is None else _merge(fact, *same)


def _merge(first: Fact, *others: Fact) -> tuple[Value, ...]:
    is_said = any(fact.source == EXPLICIT_SOURCE for fact in (first, *others))
    is_upgrade = is_said and first.source in INFERRED_SOURCES
    expiries = [fact.expires_at for fact in (first, *others)]
    merged = first._replace(
        source=EXPLICIT_SOURCE if is_upgrade else first.source,
        expires_at=None if None in expiries else max(filter(None, expiries)),
    )
    return (*merged, EXPLICIT_SOURCE if is_said else first.source)


# --- events ------------------------------------------------------------------------------------


def encode_new_event(new: DailyLogNew) -> Event:
    """Check an event."""
    return Event(*encode_event(new.session_id, new.event_type, new.event_data, new.key))


def encode_event(
    session_id: int | None, event_type: str, event_data: JsonValue, key: str | None
) -> tuple[int | None, str, str | None, str | None]:
    """Check the arguments of `DailyLogRepo.append`; return the fields of an `Event`."""
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


# --- filters -----------------------------------------------------------------------------------


def memory_conditions(where: MemoryFilter, now: str) -> Conditions:
    """Check a filter of facts."""
    _check_filter(where, MemoryFilter)
    parameters = _ranges(
        where, "created_from", "created_before", "accessed_from", "accessed_before"
    )
    for field in ("category", "source"):
        if (value := getattr(where, field)) is not None:
            parameters[field] = check_name(field, value)
    if where.contains is not None:
        parameters["contains"] = _contains(where.contains)
    if not check_flag("include_expired", where.include_expired):
        parameters["now"] = now
    flags: set[str] = set()
    if not check_flag("include_forgotten", where.include_forgotten):
        flags.add("not_forgotten")
    if not check_flag("include_superseded", where.include_superseded):
        flags.add("not_superseded")
    return Conditions(frozenset(parameters) | flags, parameters)


def session_conditions(where: SessionFilter) -> Conditions:
    """Check a filter of sessions."""
    _check_filter(where, SessionFilter)
    parameters = _ranges(where, "started_from", "started_before")
    if where.end_trigger is not None:
        parameters["end_trigger"] = check_name("end_trigger", where.end_trigger)
    names = set(parameters)
    if where.is_ended is not None:
        names.add("ended" if check_flag("is_ended", where.is_ended) else "not_ended")
    return Conditions(frozenset(names), parameters)


def daily_log_conditions(where: DailyLogFilter) -> Conditions:
    """Check a filter of events."""
    _check_filter(where, DailyLogFilter)
    parameters = _ranges(where, "timestamp_from", "timestamp_before")
    if where.day is not None:
        if parameters:
            raise InvalidInputError(
                "day", "cannot be given together with timestamp_from or timestamp_before"
            )
        tz = UTC if where.tz is None else check_tz("tz", where.tz)
        start, end = day_range(check_date("day", where.day), tz)
        parameters["timestamp_from"] = encode_bound("day", start)
        parameters["timestamp_before"] = encode_bound("day", end)
    elif where.tz is not None:
        raise InvalidInputError("tz", "is the time zone of day, which is not given")
    if where.session_id is not None:
        parameters["session_id"] = check_id("session_id", where.session_id)
    if where.event_type is not None:
        parameters["event_type"] = check_name("event_type", where.event_type)
    return Conditions(frozenset(parameters), parameters)


def _check_filter(where: object, kind: type) -> None:
    if not isinstance(where, kind):
        found = type(where).__name__
        raise InvalidInputError("where", f"must be a {kind.__name__}, not {found}")


def _ranges(where: object, *fields: str) -> dict[str, Value]:
    parameters: dict[str, Value] = {}
    for field in fields:
        if (instant := getattr(where, field)) is not None:
            parameters[field] = encode_bound(field, check_instant(field, instant))
    return parameters


def _contains(text: str) -> str:
    if not isinstance(text, str) or not text:
        raise InvalidInputError("contains", "must be a str that is not empty")
    if len(text) > _MAX_CONTAINS:
        raise InvalidInputError("contains", f"must not be longer than {_MAX_CONTAINS:,} characters")
    # With the dot, `check_text` accepts blank text, which may be looked for like any other.
    return glob_containing(check_text("contains", "." + text)[1:])
