"""The rows of a store as a value, and a draft of the next one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Literal, TypeAlias, TypeVar, cast

import attrs

from memrepo import (
    Appended,
    CarryOver,
    DailyLog,
    MemoryEntry,
    Observed,
    Page,
    Remembered,
    SameFact,
    Session,
    SessionEnd,
    ThreadInfo,
)
from memrepo.domain.instants import encode_instant, parse_instant
from memrepo.domain.paging import encode_cursor

__all__ = [
    "AnyRow",
    "Contradiction",
    "Draft",
    "Ids",
    "Instant",
    "Mark",
    "Row",
    "State",
    "Table",
    "Unfinished",
    "mark_of",
    "page_of",
    "rows_in",
]

Row = TypeVar("Row", MemoryEntry, Session, DailyLog)
#: Where a row has the instant that a page is ordered by.
Instant: TypeAlias = Callable[[Row], datetime]
AnyRow: TypeAlias = MemoryEntry | Session | DailyLog
Table: TypeAlias = Literal["facts", "sessions", "events"]
#: What tells a row from all others before its id is known: its table, the instant at which it was
#: made, which is that of one call only, and its text.
Mark: TypeAlias = tuple[Table, datetime, str | None]
#: The ids of the rows that somebody has seen. They grow, and are given once; which numbers they are
#: is SQLite's business, so the model takes them from what the store has shown.
Ids: TypeAlias = Mapping[Mark, int]

_TABLES: tuple[Table, ...] = ("facts", "sessions", "events")
#: What an id that nobody has seen is more than the one before.
_UNSEEN = 2.0**-20


class Contradiction(Exception):  # noqa: N818 - it is an outcome
    """The id that a row has was given before, so that it cannot have been made now."""


@attrs.frozen(cache_hash=True)
class State:
    """Everything that a store holds, of all scopes. Rows are in the order of their ids."""

    facts: tuple[MemoryEntry, ...] = ()
    #: Without their status, which depends on the time; their last activity is what no event tells: when
    #: they started, were resumed, or lost their latest event.
    sessions: tuple[Session, ...] = ()
    events: tuple[DailyLog, ...] = ()
    #: Until when the summary of a session knows it, of those that were resumed since.
    summarized_until: tuple[tuple[int, datetime], ...] = ()
    #: The highest id that each table is known to have given: facts, sessions, events.
    last_ids: tuple[int, int, int] = (0, 0, 0)
    #: The rule of the database.
    same_fact: SameFact = "folded"


@attrs.frozen
class Unfinished:
    """What a method has read so far that reads several times, with other calls in between."""

    so_far: tuple[object, ...]


class Draft:
    """A state to change."""

    def __init__(self, state: State, ids: Ids) -> None:
        self.facts = {fact.id: fact for fact in state.facts}
        self.sessions = {session.id: session for session in state.sessions}
        self.events = {event.id: event for event in state.events}
        self.summarized_until = dict(state.summarized_until)
        self._last_ids = dict(zip(_TABLES, state.last_ids, strict=True))
        self._ids = ids
        self.same_fact = state.same_fact

    def next_id(self, table: Table, instant: datetime, text: str | None = None) -> int:
        """
        Return the id of a row that is made now.

        Raises:
            Contradiction: A row that was made before has it, or a higher one.
        """
        last = self._last_ids[table]
        # No other row has it, and it keeps its row's place between those that were made before and later.
        number = self._ids.get((table, instant, text), cast("int", last + _UNSEEN))
        if number <= last:
            raise Contradiction
        self._last_ids[table] = number
        return number

    def state(self) -> State:
        """Return what it has become."""
        return State(
            facts=tuple(self.facts.values()),
            sessions=tuple(self.sessions.values()),
            events=tuple(self.events.values()),
            summarized_until=tuple(self.summarized_until.items()),
            last_ids=(
                self._last_ids["facts"],
                self._last_ids["sessions"],
                self._last_ids["events"],
            ),
            same_fact=self.same_fact,
        )


def mark_of(row: AnyRow) -> Mark:
    """Return what identifies a row that the store has shown."""
    if isinstance(row, MemoryEntry):
        return "facts", row.created_at, row.content_hash
    if isinstance(row, Session):
        return "sessions", row.started_at, None
    return "events", row.timestamp, row.raw_event_data


def rows_in(value: object) -> Iterator[AnyRow]:
    """Yield the rows that are in what a method returned."""
    if isinstance(value, AnyRow):
        yield value
    elif isinstance(value, Remembered):
        yield value.entry
    elif isinstance(value, Appended):
        yield value.event
    elif isinstance(value, Observed):
        yield value.event
        yield from rows_in(value.inferred)
    elif isinstance(value, SessionEnd):
        yield value.session
    elif isinstance(value, CarryOver):
        yield from rows_in([value.session, *value.events])
    elif isinstance(value, ThreadInfo):
        yield value.last_session
    elif isinstance(value, Page | list):
        for item in value:
            yield from rows_in(item)


def page_of(
    rows: Iterable[Row],
    instant: Instant[Row],
    *,
    limit: int,
    after: str | None,
    newest_first: bool = True,
) -> Page[Row]:
    """Return the page of *rows* that follows the cursor *after*, ordered by instant and id."""
    ordered = sorted(rows, key=lambda row: (instant(row), row.id), reverse=newest_first)
    if after is not None:
        number, _, text = after.partition("~")
        place = (parse_instant(text), int(number))
        ordered = [
            row
            for row in ordered
            if (instant(row), row.id) != place and ((instant(row), row.id) < place) is newest_first
        ]
    shown = tuple(ordered[:limit])
    is_last = len(ordered) <= limit
    cursor = None if is_last else encode_cursor(encode_instant(instant(shown[-1])), shown[-1].id)
    return Page(items=shown, next_cursor=cursor)
