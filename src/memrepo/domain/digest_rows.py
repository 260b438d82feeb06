"""The rows of a digest's statement, as a digest."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import date, datetime, tzinfo
from typing import Any, Final, TypeAlias, TypeVar, cast

from memrepo.domain.codec import (
    DAILY_LOG_COLUMNS,
    MEMORY_COLUMNS,
    SESSION_COLUMNS,
    Row,
    Value,
    to_daily_log,
    to_memory,
    to_named_counts,
    to_session,
)
from memrepo.domain.digest_items import (
    MAX_DIGEST_TEXT,
    DigestEvent,
    DigestFact,
    DigestSession,
    ToolUse,
)
from memrepo.domain.digests import Digest
from memrepo.domain.instants import NO_INSTANT, parse_instant
from memrepo.domain.jsontext import JsonValue, decode_json
from memrepo.domain.sessions import IDLE_AFTER
from memrepo.errors import DecodeError

__all__ = ["LENGTHS", "to_digest", "to_item"]

T = TypeVar("T")

#: The lengths at which the statement cuts a text, and from which on it leaves out an event's data.
LENGTHS: Final[Mapping[str, Value]] = {
    "max_text": MAX_DIGEST_TEXT + 1,
    "max_data": MAX_DIGEST_TEXT + 1,
}

#: The parts that have one row, of numbers.
_COUNTED: Final = ("n_events", "n_sessions", "n_facts", "n_forgotten")
_SESSION: Final = len(SESSION_COLUMNS) + 1
_FACT: Final = len(MEMORY_COLUMNS)
_EVENT: Final = len(DAILY_LOG_COLUMNS)


def to_item(row: Row, now: datetime) -> tuple[str, Any]:
    """Decode a row: the name of its part, and what it has of that."""
    part, values = row[0], row[1:]
    if part == "session":
        return part, _to_session(values, now)
    if part == "fact":
        return part, _to_fact(values)
    if part in {"topic", "user_state", "failure"}:
        return part, _to_event(values[:_EVENT])
    return part, values


def to_digest(
    items: Iterable[tuple[str, Any]], *, scope: str, day: date | None, tz: tzinfo
) -> Digest:
    """
    Make a digest of the decoded rows of its statement.

    Raises:
        DecodeError: It did not count, which only a server that lies can do.
    """
    parts: defaultdict[str, list[Any]] = defaultdict(list)
    for part, item in items:
        parts[part].append(item)
    if any(len(parts[name]) != 1 for name in _COUNTED):
        raise DecodeError("the database gave no numbers")
    events, sessions, facts, forgotten = (parts[name][0] for name in _COUNTED)
    n_events, *times, n_unreadable, n_topics, n_states, n_failures, n_types, n_tools = events[:9]
    times += [*sessions[1:3], *facts[1:3]]
    instants = [*_instants(times)]
    n_by_type = to_named_counts((name, number) for name, number, *_ in parts["type"])
    tools = _tools(parts["tool"])
    return Digest(
        scope=scope,
        day=day,
        tz=tz,
        sessions=_in_order(parts["session"]),
        n_sessions=sessions[0],
        facts=_in_order(parts["fact"]),
        n_facts=facts[0],
        n_outdated=facts[3],
        n_forgotten=forgotten[0],
        topics=_in_order(parts["topic"]),
        n_topics=n_topics,
        failures=_in_order(parts["failure"]),
        n_failures=n_failures,
        tools=tools,
        n_tools=n_tools - len(parts["tool"]) + len(tools),
        user_states=_in_order(parts["user_state"]),
        n_user_states=n_states,
        n_by_type=n_by_type,
        n_types=n_types - len(parts["type"]) + len(n_by_type),
        n_events=n_events,
        n_unreadable=n_unreadable,
        first_activity_at=min(instants, default=None),
        last_activity_at=max(instants, default=None),
    )


def _in_order(latest_first: list[T]) -> tuple[T, ...]:
    return tuple(reversed(latest_first))


def _instants(stored: Iterable[Value]) -> Iterator[datetime]:
    for text in stored:
        with suppress(*NO_INSTANT):
            yield parse_instant(text)


def _to_session(values: Row, now: datetime) -> DigestSession:
    session = to_session(values[:_SESSION], now, IDLE_AFTER)
    return DigestSession(
        id=session.id,
        thread=session.thread,
        started_at=session.started_at,
        ended_at=session.ended_at,
        end_trigger=session.end_trigger,
        last_activity_at=session.last_activity_at,
        summary=None if session.summary is None else _cut(session.summary),
        n_events=values[_SESSION],
    )


def _to_fact(values: Row) -> DigestFact:
    fact = to_memory(values[:_FACT])
    replaced = values[_FACT]
    return DigestFact(
        id=fact.id,
        content=_cut(fact.content),
        category=fact.category,
        source=fact.source,
        created_at=fact.created_at,
        replaced=None if replaced is None else _cut(_read(replaced)),
    )


def _to_event(values: Row) -> DigestEvent:
    event = to_daily_log(values)
    data = event.event_data
    subject, detail = _words[event.event_type](data if isinstance(data, Mapping) else {"": data})
    return DigestEvent(
        id=event.id,
        session_id=event.session_id,
        timestamp=event.timestamp,
        subject=subject,
        detail=detail,
    )


_Data: TypeAlias = Mapping[str, JsonValue]


def _tool_name(data: _Data) -> str:
    return _text(data.get("toolName")) or _text(data.get("tool"))


def _error(data: _Data) -> str:
    error = data.get("error")
    return _text(error.get("message") if isinstance(error, Mapping) else error)


#: What events of a type are about: a topic, a sentiment or a tool, and more of it. Data that is no object is
#: taken for the first.
_words: Final[Mapping[str, Callable[[_Data], tuple[str, str]]]] = {
    "topic_change": lambda data: (_text(data.get("topic", data.get(""))), ""),
    "user_state": lambda data: (
        _text(data.get("sentiment", data.get(""))),
        _text(data.get("context")),
    ),
    "tool_invocation": lambda data: (_tool_name(data), _error(data)),
    "error": lambda data: (_error(data) or _text(data.get("message", data.get(""))), ""),
}


def _tools(rows: Iterable[Row]) -> tuple[ToolUse, ...]:
    """Join what was counted by names that are the same in another spelling of JSON."""
    n_calls: Counter[str] = Counter()
    n_failed: Counter[str] = Counter()
    for stored, its_calls, its_failures, *_ in rows:
        name = "" if stored is None else _first_name(_read(stored))
        n_calls[name] += its_calls
        n_failed[name] += its_failures
    return tuple(
        ToolUse(name=name, n_calls=number, n_failed=n_failed[name])
        for name, number in sorted(n_calls.items(), key=lambda its: (-its[1], its[0]))
    )


def _first_name(names: str) -> str:
    """Return the first text in a JSON array; ``""`` if there is none."""
    values = cast("object", decode_json(names)[0])
    if isinstance(values, list):
        for value in cast("list[object]", values):
            if isinstance(value, str) and value:
                return value
    return ""


def _read(stored: Value) -> str:
    return stored.decode(errors="replace") if isinstance(stored, bytes) else str(stored)


def _text(value: JsonValue) -> str:
    return value if isinstance(value, str) else ""


def _cut(text: str) -> str:
    return text if len(text) <= MAX_DIGEST_TEXT else f"{text[: MAX_DIGEST_TEXT - 1]}…"
