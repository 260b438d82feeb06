"""What can be searched: the texts of facts, events and summaries, and when they were told."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from operator import itemgetter
from typing import Final, Generic, TypeVar

import attrs

from memrepo.domain.activity import activity_until
from memrepo.domain.codec import (
    MEMORY_COLUMNS,
    Row,
    Value,
    to_daily_log,
    to_memory,
    to_session,
)
from memrepo.domain.instants import NO_INSTANT, parse_instant
from memrepo.domain.jsontext import JsonValue
from memrepo.domain.sessions import Session
from memrepo.queries import search as queries
from memrepo.queries.search import Searched
from memrepo.ranking.rows import Row as Told

__all__ = ["EVENTS", "FACTS", "Source", "summaries"]

T = TypeVar("T")


@attrs.frozen
class Source(Generic[T]):
    """What is searched."""

    table: Searched
    #: What one of its rows is called.
    noun: str
    decode: Callable[[Row], T]
    #: What ranking looks at of a row, behind whose columns stands whether it meets the filter: of many rows, only few
    #: are decoded.
    tell: Callable[[Row], Told]
    #: What its columns need.
    parameters: dict[str, Value] = attrs.field(factory=dict[str, Value])


_fact_values: Final = itemgetter(
    *map(MEMORY_COLUMNS.index, ("id", "content", "created_at", "session_id"))
)


def _fact(row: Row) -> Told:
    number, content, created_at, session_id = _fact_values(row)
    try:
        told_at = parse_instant(created_at)
    except NO_INSTANT:
        told_at = None
    is_plain = type(content) is str and (session_id is None or type(session_id) is int)
    if is_plain and told_at is not None:
        return Told(number, content, told_at, session_id)
    entry = to_memory(row[:-1])
    return Told(entry.id, entry.content, entry.created_at, entry.session_id)


def _event(row: Row) -> Told:
    event = to_daily_log(row[:-1])
    return Told(event.id, "\n".join(_texts(event.event_data)), event.timestamp, event.session_id)


def _texts(value: JsonValue) -> Iterator[str]:
    if isinstance(value, str):
        yield value.encode(errors="replace").decode()  # half an emoji, as JavaScript may cut it
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, Sequence):
        for item in value:
            yield from _texts(item)


FACTS: Final = Source(queries.FACTS, "fact", to_memory, _fact)
EVENTS: Final = Source(queries.EVENTS, "event", to_daily_log, _event)


def summaries(now: datetime, idle_after: timedelta) -> Source[Session]:
    """Return the source of sessions, whose status is that at *now*."""
    decode = partial(to_session, now=now, idle_after=idle_after)

    def tell(row: Row) -> Told:
        # Each is a session of its own, so that none lends its words to the next.
        session = decode(row[:-1])
        return Told(session.id, session.summary or "", session.started_at, session.id)

    parameters: dict[str, Value] = {"latest": activity_until(now)}
    return Source(queries.SUMMARIES, "session", decode, tell, parameters)
