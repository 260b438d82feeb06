"""Filters, checked, as the conditions of their statements."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple, get_args

from memrepo.domain.activity import activity_window
from memrepo.domain.checks import (
    check_date,
    check_flag,
    check_id,
    check_instant,
    check_name,
    check_names,
    check_pairs,
    check_text,
    check_thread,
    check_tz,
)
from memrepo.domain.codec import Value
from memrepo.domain.daily_logs import DailyLogFilter
from memrepo.domain.days import day_range
from memrepo.domain.glob import globs_containing
from memrepo.domain.instants import encode_bound
from memrepo.domain.jsontext import JsonValue, to_compact_json
from memrepo.domain.memories import MemoryFilter
from memrepo.domain.sessions import SessionFilter, SessionStatus
from memrepo.errors import InvalidInputError

__all__ = [
    "CONTAINS",
    "Conditions",
    "daily_log_conditions",
    "memory_conditions",
    "session_conditions",
]

#: Most characters of `MemoryFilter.contains`: a letter takes up to 20 of the 50,000 bytes that SQLite
#: allows for a pattern.
_MAX_CONTAINS: Final = 1_000

#: The names of the patterns of a text that is looked for.
CONTAINS: Final = ("contains", "contains_2", "contains_3", "contains_4")


class Conditions(NamedTuple):
    """A filter: which conditions its statement has, and what is bound for them."""

    names: frozenset[str]
    parameters: dict[str, Value]


def memory_conditions(where: MemoryFilter, now: str) -> Conditions:
    """Check a filter of facts."""
    _check_filter(where, MemoryFilter)
    parameters = _ranges(
        where,
        *("created_from", "created_before"),
        *("accessed_from", "accessed_before"),
        *("due_from", "due_before"),
    )
    for field in ("category", "source", "slot"):
        if (value := getattr(where, field)) is not None:
            parameters[field] = check_name(field, value)
    if where.session_id is not None:
        parameters["session_id"] = check_id("session_id", where.session_id)
    parameters |= _pairs("metadata", where.metadata)
    if not check_flag("include_expired", where.include_expired):
        parameters["now"] = now
    names = set(parameters)
    if where.contains is not None:
        patterns = dict(zip(CONTAINS, _contains(where.contains), strict=False))
        # One condition, which has all patterns up to the last of them.
        names.add([*patterns][-1])
        parameters |= patterns
    # A proposal is stored as if it were forgotten.
    is_forgotten_too = check_flag("include_forgotten", where.include_forgotten)
    names.add("not_proposed" if is_forgotten_too else "not_forgotten")
    if not check_flag("include_superseded", where.include_superseded):
        names.add("not_superseded")
    return Conditions(frozenset(names), parameters)


def session_conditions(where: SessionFilter, now: datetime, idle_after: timedelta) -> Conditions:
    """Check a filter of sessions, whose status is that at *now*."""
    _check_filter(where, SessionFilter)
    parameters = _ranges(where, "started_from", "started_before")
    if where.end_trigger is not None:
        parameters["end_trigger"] = check_name("end_trigger", where.end_trigger)
    if where.thread is not None:
        parameters["thread"] = check_thread(where.thread)
    names = set(parameters)
    if where.is_ended is not None:
        names.add("ended" if check_flag("is_ended", where.is_ended) else "not_ended")
    if where.has_summary is not None:
        has_summary = check_flag("has_summary", where.has_summary)
        names.add("summarized" if has_summary else "not_summarized")
    if where.status is not None:
        names |= _status_conditions(where.status)
        if where.status != "ended":
            parameters |= activity_window(now, idle_after)
    return Conditions(frozenset(names), parameters)


def _status_conditions(status: SessionStatus) -> set[str]:
    if status not in get_args(SessionStatus):
        raise InvalidInputError("status", "must be active, ended or abandoned")
    return {"ended"} if status == "ended" else {"not_ended", status}


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
    if where.thread is not None:
        parameters["thread"] = check_thread(where.thread)
    if where.event_type is not None:
        parameters["event_type"] = check_name("event_type", where.event_type)
    if where.event_types is not None:
        names = check_names("event_types", where.event_types)
        parameters["event_types"] = to_compact_json(names)
    parameters |= _pairs("data", where.data)
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


def _pairs(field: str, pairs: Mapping[str, JsonValue] | None) -> dict[str, Value]:
    if pairs is None:
        return {}
    text = check_pairs(field, pairs)
    # None at all are no condition: who deletes by them would delete everything.
    return {} if text == "{}" else {field: text}


def _contains(text: str) -> list[str]:
    if not isinstance(text, str) or not text:
        raise InvalidInputError("contains", "must be text that is not empty")
    if len(text) > _MAX_CONTAINS:
        raise InvalidInputError("contains", f"must not be longer than {_MAX_CONTAINS:,} characters")
    # With the dot, `check_text` accepts blank text, which may be looked for like any other.
    return globs_containing(check_text("contains", "." + text)[1:])
