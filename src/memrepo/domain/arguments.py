"""Check what callers pass, and encode it as statements bind it. Nothing is sent before that."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeAlias, TypeVar

from memrepo.domain.checks import (
    check_id,
    check_instant,
    check_json,
    check_name,
)
from memrepo.domain.daily_logs import DailyLogNew
from memrepo.domain.instants import encode_instant
from memrepo.domain.jsontext import JsonValue, to_compact_json
from memrepo.errors import InvalidInputError

__all__ = [
    "BATCH_LENGTH",
    "TAKEN_AT_ONCE",
    "Event",
    "batches",
    "check_ids",
    "encode_each",
    "encode_event",
    "encode_new_event",
    "event_rows",
]

T = TypeVar("T")
R = TypeVar("R")

#: Items whose values are taken before another task can change them.
TAKEN_AT_ONCE: Final = 1_000
#: Most rows and characters of one bulk statement; a libSQL server takes 5,000,000 bytes for a parameter.
_BATCH_ROWS: Final = 1_000
BATCH_LENGTH: Final = 1_000_000


#: An event, as `queries.daily_logs` binds it: session_id, event_type, event_data, key, and the timestamp, which
#: is ``None`` for now. No NamedTuple, because the garbage collector would look at each again and again.
Event: TypeAlias = tuple[int | None, str, str | None, str | None, str | None]


# --- events ------------------------------------------------------------------------------------


def encode_new_event(new: DailyLogNew) -> Event:
    """Check an event."""
    fields = encode_event(new.session_id, new.event_type, new.event_data, new.key)
    time = new.timestamp
    timestamp = None if time is None else encode_instant(check_instant("timestamp", time))
    return (*fields, timestamp)


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


def event_rows(events: Iterable[Event]) -> Iterator[str]:
    """Yield each event as `queries.daily_logs` takes it, a JSON array; what it lacks at the end is NULL."""
    for event in events:
        yield to_compact_json(event[:3] if event[3] is event[4] is None else event)


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
            raise type(error)(place, error.reason) from None


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
        if texts and (len(texts) == _BATCH_ROWS or length + len(text) > BATCH_LENGTH):
            yield f"[{','.join(texts)}]"
            texts, length = [], 0
        texts.append(text)
        length += len(text)
    if texts:
        yield f"[{','.join(texts)}]"
