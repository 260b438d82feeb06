"""Events, as they go in and come out: frozen, slotted, keyword-only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, tzinfo
from typing import Literal, TypeAlias

import attrs

from memrepo.domain.jsontext import JsonValue, decode_json
from memrepo.domain.plain import PlainModel

__all__ = ["AppendOutcome", "Appended", "DailyLog", "DailyLogFilter", "DailyLogNew"]

#: What `DailyLogRepo.append` did with an event.
AppendOutcome: TypeAlias = Literal["created", "duplicate"]


@attrs.frozen(kw_only=True, weakref_slot=False)
class DailyLog(PlainModel):
    """An event: one row of ``daily_logs``."""

    #: The row's number.
    id: int
    #: Whose event it is; ``""`` is the default scope.
    scope: str
    #: The session it belongs to, or ``None``.
    session_id: int | None
    #: ``tool_invocation``, ``topic_change``, ``user_state``, ... ; any text.
    event_type: str
    #: `event_data` as it is stored: JSON text, or ``None``.
    raw_event_data: str | None
    #: When it happened, UTC.
    timestamp: datetime
    #: The idempotency key it was appended with, or ``None``.
    key: str | None
    _is_mended: bool = attrs.field(default=False, repr=False)

    @property
    def event_data(self) -> JsonValue:
        """`raw_event_data`, decoded anew each time; ``None`` if there is none or `is_broken`."""
        if self.raw_event_data is None or self._is_mended:
            return None
        return decode_json(self.raw_event_data)[0]

    @property
    def is_broken(self) -> bool:
        """
        Whether `raw_event_data` is not JSON, as another program may have stored it.

        Or another stored value cannot be read, as in `MemoryEntry.is_broken`.
        """
        if self._is_mended:
            return True
        return self.raw_event_data is not None and not decode_json(self.raw_event_data)[1]


@attrs.frozen(kw_only=True)
class DailyLogNew:
    """An event to append: the arguments of `DailyLogRepo.append`, and when it happened."""

    #: The session it belongs to, or ``None``.
    session_id: int | None = None
    #: What kind of event it is.
    event_type: str
    #: What happened, as JSON.
    event_data: JsonValue = None
    #: The idempotency key, or ``None``.
    key: str | None = None
    #: When it happened, as an import knows it; now if ``None``.
    timestamp: datetime | None = None


def _kept(names: Iterable[str] | None) -> Iterable[str] | None:
    """Keep what an iterator returns, because a filter is read for each page; anything else is refused then."""
    return tuple(names) if isinstance(names, Iterator) else names


@attrs.frozen(kw_only=True)
class DailyLogFilter:
    """Which events to read; conditions that are given must all hold. Ranges are half-open."""

    #: Only those of this session.
    session_id: int | None = None
    #: Only those of the sessions of this thread; ``""`` is the default thread.
    thread: str | None = None
    #: Only this type.
    event_type: str | None = None
    #: Only these types, any number of them; none at all if it is empty.
    event_types: Iterable[str] | None = attrs.field(default=None, converter=_kept)
    #: Only those whose data is an object that has all of these keys, each with this text, number, bool or
    #: ``None``: ``{"conversation": "c1"}``. No keys are no condition.
    data: Mapping[str, str | float | bool | None] | None = None
    #: Only those that happened at this instant or later.
    timestamp_from: datetime | None = None
    #: Only those that happened before this instant.
    timestamp_before: datetime | None = None
    #: Only those of this calendar day in `tz`; not together with a range.
    day: date | None = None
    #: The time zone of `day`; UTC if ``None``.
    tz: tzinfo | None = None


@attrs.frozen(kw_only=True, weakref_slot=False)
class Appended(PlainModel):
    """The outcome of `DailyLogRepo.append`."""

    #: ``created``; or ``duplicate`` (an event has the key already, and nothing was stored).
    outcome: AppendOutcome
    #: The event as it is stored.
    event: DailyLog

    @property
    def id(self) -> int:
        """The event's id."""
        return self.event.id
