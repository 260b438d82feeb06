"""What comes in: every bad value is refused by its field before anything is stored, every good one comes back."""

from __future__ import annotations

import asyncio
import itertools
import math
import re
import tracemalloc
from collections import UserString
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from enum import Enum, IntEnum
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeAlias, get_args
from zoneinfo import ZoneInfo

import pytest
import pytz
from hypothesis import example, given, settings, strategies as st
from pypika import Field

import memrepo
from memrepo import (
    DailyLogFilter,
    DailyLogNew,
    InvalidInputError,
    MemoryFilter,
    MemoryNew,
    NotFoundError,
    SessionFilter,
    Store,
)
from memrepo.connection.contract import Result
from memrepo.domain.codec import Row
from memrepo.domain.glob import fold
from memrepo.queries.statement import BoundStatement, Unit
from tests.conftest import Clock
from tests.domain.test_glob import ALPHABET
from tests.domain.test_jsontext import json_values, nested

pytestmark = pytest.mark.asyncio

NOW = datetime(2026, 2, 2, 14, 16, 24, 123_000, tzinfo=UTC)
EVERYTHING = MemoryFilter(include_forgotten=True, include_expired=True, include_superseded=True)
#: The store's fixture is shared by the examples of one test; each example has a scope of its own.
shared_store = settings(max_examples=60)
_scopes = itertools.count()


def own_scope(store: Store) -> memrepo.ScopedStore:
    """Return a scope that nobody has used."""
    return store.scoped(f"example {next(_scopes)}")


class Text(str):
    """A str that prints itself as something else."""

    __slots__ = ()

    def __str__(self) -> str:
        return "printed"

    def __repr__(self) -> str:
        return "printed"

    def __format__(self, spec: str) -> str:
        return "printed"


class Kind(str, Enum):  # noqa: UP042 - the form that people use for categories
    FACT = "fact"


class Number(IntEnum):
    ONE = 1


class Plain(Enum):
    FACT = "fact"


# --- every parameter of the public API, by its kind ---------------------------------------------

#: Gives a value to one parameter.
Give: TypeAlias = Callable[[Store, Any], Awaitable[object]]


async def _entered(manager: Any) -> None:
    async with manager:
        pass


async def _scoped(store: Store, value: Any) -> None:
    store.scoped(value)


async def _iterated(iterator: Any) -> None:
    async for _ in iterator:
        pass


def _fact(**fields: Any) -> list[MemoryNew]:
    return [MemoryNew(content="first"), MemoryNew(**{"content": "second", **fields})]


def _event(**fields: Any) -> list[DailyLogNew]:
    return [DailyLogNew(event_type="a"), DailyLogNew(**{"event_type": "b", **fields})]


TEXTS: dict[str, Give] = {
    "content of remember": lambda s, v: s.memories.remember(v),
    "content of remember_many": lambda s, v: s.memories.remember_many(_fact(content=v)),
    "content of update": lambda s, v: s.memories.update(1, content=v),
    "content of find_by_content": lambda s, v: s.memories.find_by_content(v),
    "content of supersede": lambda s, v: s.memories.supersede(1, v),
}
OPTIONAL_TEXTS: dict[str, Give] = {
    "summary of summarize": lambda s, v: s.sessions.summarize(1, v),
    "summary of end": lambda s, v: s.sessions.end(1, summary=v),
}
NAMES: dict[str, Give] = {
    "category of update": lambda s, v: s.memories.update(1, category=v),
    "source of remember": lambda s, v: s.memories.remember("a", source=v),
    "source of remember_many": lambda s, v: s.memories.remember_many(_fact(source=v)),
    "source of supersede": lambda s, v: s.memories.supersede(1, "a", source=v),
    "trigger of end": lambda s, v: s.sessions.end(1, trigger=v),
    "event_type of append": lambda s, v: s.daily_logs.append(None, v),
    "event_type of append_many": lambda s, v: s.daily_logs.append_many(_event(event_type=v)),
    "scope of scoped": _scoped,
}
OPTIONAL_NAMES: dict[str, Give] = {
    "category of remember": lambda s, v: s.memories.remember("a", category=v),
    "category of remember_many": lambda s, v: s.memories.remember_many(_fact(category=v)),
    "category of find_many": lambda s, v: s.memories.find_many(MemoryFilter(category=v)),
    "category of supersede": lambda s, v: s.memories.supersede(1, "a", category=v),
    "source of find_many": lambda s, v: s.memories.find_many(MemoryFilter(source=v)),
    "source of count": lambda s, v: s.memories.count(MemoryFilter(source=v)),
    "end_trigger of find_many": lambda s, v: s.sessions.find_many(SessionFilter(end_trigger=v)),
    "event_type of find_many": lambda s, v: s.daily_logs.find_many(DailyLogFilter(event_type=v)),
    "key of append": lambda s, v: s.daily_logs.append(None, "a", key=v),
    "key of append_many": lambda s, v: s.daily_logs.append_many(_event(key=v)),
    "after of find_many": lambda s, v: s.memories.find_many(after=v),
    "after of forgotten": lambda s, v: s.memories.forgotten(after=v),
    "after of sessions": lambda s, v: s.sessions.find_many(after=v),
    "after of daily_logs": lambda s, v: s.daily_logs.find_many(after=v),
}
IDS: dict[str, Give] = {
    "id of get": lambda s, v: s.memories.get(v),
    "id of find": lambda s, v: s.memories.find(v),
    "id of touch": lambda s, v: s.memories.touch(v),
    "id of update": lambda s, v: s.memories.update(v, category="a"),
    "id of supersede": lambda s, v: s.memories.supersede(v, "a"),
    "id of history": lambda s, v: s.memories.history(v),
    "id of forget": lambda s, v: s.memories.forget(v),
    "id of restore": lambda s, v: s.memories.restore(v),
    "ids of get_many": lambda s, v: s.memories.get_many([1, v]),
    "ids of sessions.get_many": lambda s, v: s.sessions.get_many([1, v]),
    "ids of daily_logs.get_many": lambda s, v: s.daily_logs.get_many([1, v]),
    "id of sessions.get": lambda s, v: s.sessions.get(v),
    "id of sessions.find": lambda s, v: s.sessions.find(v),
    "id of sessions.end": lambda s, v: s.sessions.end(v),
    "id of sessions.summarize": lambda s, v: s.sessions.summarize(v, "a"),
    "id of daily_logs.get": lambda s, v: s.daily_logs.get(v),
    "id of daily_logs.find": lambda s, v: s.daily_logs.find(v),
}
OPTIONAL_IDS: dict[str, Give] = {
    "session_id of append": lambda s, v: s.daily_logs.append(v, "a"),
    "session_id of append_many": lambda s, v: s.daily_logs.append_many(_event(session_id=v)),
    "session_id of find_many": lambda s, v: s.daily_logs.find_many(DailyLogFilter(session_id=v)),
}
LIMITS: dict[str, Give] = {
    "limit of find_many": lambda s, v: s.memories.find_many(limit=v),
    "limit of forgotten": lambda s, v: s.memories.forgotten(limit=v),
    "limit of sessions": lambda s, v: s.sessions.find_many(limit=v),
    "limit of daily_logs": lambda s, v: s.daily_logs.find_many(limit=v),
}
FLAGS: dict[str, Give] = {
    "confirm of forget_all": lambda s, v: s.memories.forget_all(confirm=v),
    "dry_run of purge": lambda s, v: s.memories.purge(NOW, dry_run=v),
    "dry_run of daily_logs.purge": lambda s, v: s.daily_logs.purge(NOW, dry_run=v),
    "end_active of start": lambda s, v: s.sessions.start(end_active=v),
    "end_active of session": lambda s, v: _entered(s.sessions.session(end_active=v)),
    "newest_first of find_many": lambda s, v: s.daily_logs.find_many(newest_first=v),
    "newest_first of iterate": lambda s, v: _iterated(s.daily_logs.iterate(newest_first=v)),
    "include_forgotten of find_many": lambda s, v: s.memories.find_many(
        MemoryFilter(include_forgotten=v)
    ),
    "include_expired of find_many": lambda s, v: s.memories.find_many(
        MemoryFilter(include_expired=v)
    ),
    "include_superseded of count": lambda s, v: s.memories.count(
        MemoryFilter(include_superseded=v)
    ),
    "migrate of connect": lambda _, v: _entered(memrepo.connect(":memory:", migrate=v)),
}
INSTANTS: dict[str, Give] = {
    "before of purge": lambda s, v: s.memories.purge(v),
    "before of daily_logs.purge": lambda s, v: s.daily_logs.purge(v),
    "clock of connect": lambda _, v: _entered(memrepo.connect(":memory:", clock=lambda: v)),
}
OPTIONAL_INSTANTS: dict[str, Give] = {
    "expires_at of remember": lambda s, v: s.memories.remember("a", expires_at=v),
    "expires_at of remember_many": lambda s, v: s.memories.remember_many(_fact(expires_at=v)),
    "expires_at of update": lambda s, v: s.memories.update(1, expires_at=v),
    "expires_at of supersede": lambda s, v: s.memories.supersede(1, "a", expires_at=v),
    "created_from of find_many": lambda s, v: s.memories.find_many(MemoryFilter(created_from=v)),
    "created_before of find_many": lambda s, v: s.memories.find_many(
        MemoryFilter(created_before=v)
    ),
    "accessed_from of count": lambda s, v: s.memories.count(MemoryFilter(accessed_from=v)),
    "accessed_before of iterate": lambda s, v: _iterated(
        s.memories.iterate(MemoryFilter(accessed_before=v))
    ),
    "started_from of find_many": lambda s, v: s.sessions.find_many(SessionFilter(started_from=v)),
    "started_before of iterate": lambda s, v: _iterated(
        s.sessions.iterate(SessionFilter(started_before=v))
    ),
    "timestamp_from of find_many": lambda s, v: s.daily_logs.find_many(
        DailyLogFilter(timestamp_from=v)
    ),
    "timestamp_before of iterate": lambda s, v: _iterated(
        s.daily_logs.iterate(DailyLogFilter(timestamp_before=v))
    ),
}
DURATIONS: dict[str, Give] = {
    "idle_after of connect": lambda _, v: _entered(memrepo.connect(":memory:", idle_after=v)),
}
OPTIONAL_DURATIONS: dict[str, Give] = {
    "within of forgotten": lambda s, v: s.memories.forgotten(within=v),
    "idle_after of get_or_start": lambda s, v: s.sessions.get_or_start(idle_after=v),
}
SECONDS: dict[str, Give] = {
    "lock_timeout_s of connect": lambda _, v: _entered(
        memrepo.connect(":memory:", lock_timeout_s=v)
    ),
}
OPTIONAL_SECONDS: dict[str, Give] = {
    "timeout_s of transaction": lambda s, v: _entered(s.transaction(timeout_s=v)),
}
DAYS: dict[str, Give] = {
    "day of for_day": lambda s, v: s.daily_logs.for_day(v),
}
ZONES: dict[str, Give] = {
    "tz of count_by_day": lambda s, v: s.daily_logs.count_by_day(v),
}
OPTIONAL_ZONES: dict[str, Give] = {
    "tz of find_many": lambda s, v: s.daily_logs.find_many(
        DailyLogFilter(day=date(2026, 2, 2), tz=v)
    ),
    "day_boundary of get_or_start": lambda s, v: s.sessions.get_or_start(day_boundary=v),
}
VALUES: dict[str, Give] = {
    "event_data of append": lambda s, v: s.daily_logs.append(None, "a", v),
    "event_data of append_many": lambda s, v: s.daily_logs.append_many(_event(event_data=v)),
}
OBJECTS: dict[str, Give] = {
    "metadata of remember": lambda s, v: s.memories.remember("a", metadata=v),
    "metadata of remember_many": lambda s, v: s.memories.remember_many(_fact(metadata=v)),
    "metadata of update": lambda s, v: s.memories.update(1, metadata=v),
    "metadata of supersede": lambda s, v: s.memories.supersede(1, "a", metadata=v),
}
FILTERS: dict[str, Give] = {
    "where of find_many": lambda s, v: s.memories.find_many(v),
    "where of iterate": lambda s, v: _iterated(s.memories.iterate(v)),
    "where of count": lambda s, v: s.memories.count(v),
    "where of sessions": lambda s, v: s.sessions.find_many(v),
    "where of sessions.iterate": lambda s, v: _iterated(s.sessions.iterate(v)),
    "where of daily_logs": lambda s, v: s.daily_logs.find_many(v),
    "where of daily_logs.iterate": lambda s, v: _iterated(s.daily_logs.iterate(v)),
}

# --- what no parameter of a kind accepts --------------------------------------------------------

NOT_TEXT: tuple[Any, ...] = (
    *(b"a", bytearray(b"a"), memoryview(b"a"), Path("a"), UserString("a"), Plain.FACT),
    *(5, 1.5, True, math.nan, ["a"], ("a",), {"a": 1}, object(), Field("a"), str),
)
BAD_TEXT = ("", " ", "\t\n", "\u3000\u2003", "\0", "ab\0cd", "a\ud800b", "\udfff", "\ud83d")
BAD_NAMES = (*BAD_TEXT, "x" * 256, "é" * 256)
NOT_AN_ID: tuple[Any, ...] = (
    *("1", "a\0b", b"1", 1.0, 1.5, True, False, math.nan, math.inf, Number.ONE, [1], object()),
    *(0, -1, 2**63, -(2**63) - 1, 10**400),
)
NOT_A_LIMIT: tuple[Any, ...] = (
    -1,
    0,
    2**63,
    10_001,
    "5",
    None,
    1.5,
    5.0,
    True,
    False,
    math.nan,
    Number.ONE,
    b"5",
)
NOT_A_FLAG: tuple[Any, ...] = (None, 0, 1, "True", "", "yes", [], Plain.FACT, math.nan)
NOT_AN_INSTANT: tuple[Any, ...] = (
    datetime(2024, 1, 1),  # noqa: DTZ001 - naive on purpose
    date(2024, 1, 1),
    *("2026-02-02T14:16:24.123Z", 0, 1.5, math.nan, True, timedelta(1), b"2026", object()),
    datetime.min.replace(tzinfo=timezone(timedelta(hours=1))),
    datetime.max.replace(tzinfo=timezone(timedelta(hours=-1))),
)
NOT_A_DURATION: tuple[Any, ...] = (0, 5, 1.5, "5", True, math.nan, timedelta(0), timedelta(-1))
NOT_SECONDS: tuple[Any, ...] = (
    0,
    -1,
    -0.0,
    0.0,
    math.nan,
    math.inf,
    -math.inf,
    10**400,
    "5",
    True,
    timedelta(1),
)
NOT_A_DAY: tuple[Any, ...] = (None, "2026-02-02", 0, NOW, datetime(2026, 2, 2), True, date.max)  # noqa: DTZ001


class Timeless(tzinfo):
    """A zone that does not say its offset."""

    def utcoffset(self, when: datetime | None) -> timedelta | None:
        return None

    def dst(self, when: datetime | None) -> timedelta | None:
        return None

    def tzname(self, when: datetime | None) -> str | None:
        return None


NOT_A_ZONE: tuple[Any, ...] = (
    *("Europe/Berlin", 1, timedelta(hours=1), True, ZoneInfo),
    *(Timeless(), pytz.timezone("Europe/Berlin"), pytz.timezone("US/Eastern")),
)
NOT_JSON: tuple[Any, ...] = (
    *(math.nan, math.inf, {"v": math.nan}, [math.inf], 2**63, [-(2**63) - 1]),
    *(b"a", {1}, {"a": datetime.now(UTC)}, {("a", "b"): 1}, {1: "a"}, object(), Path("a")),
    *("a\ud800b", {"a\ud800b": 1}, ["\udfff"], nested(501), nested(2_000), nested(100_000)),
    *(Kind.FACT, Number.ONE, SimpleNamespace(a=1), MemoryNew(content="a"), Text("a")),
)
NOT_AN_OBJECT: tuple[Any, ...] = ("a", '{"a": 1}', 1, [], [("a", 1)], True, b"{}", {"v": math.nan})
NOT_A_FILTER: tuple[Any, ...] = (None, {"category": "fact"}, {"category__like": "%"}, "fact", 1, [])


async def n_rows(store: Store) -> tuple[int, int, int]:
    """Count what is stored, whatever its state."""
    return (
        await store.memories.count(EVERYTHING),
        len(await store.sessions.find_many()),
        len(await store.daily_logs.find_many()),
    )


def _shown(value: Any) -> str:
    try:
        return f"{type(value).__name__} {ascii(value)[:40]}"
    except (RecursionError, ValueError):
        return f"{type(value).__name__} that cannot be printed"


async def assert_refused(
    store: Store, parameters: Mapping[str, Give], values: Sequence[Any], field: str | None = None
) -> None:
    """Give each value to each parameter: InvalidInputError by its name, nothing stored, store usable."""
    problems: list[str] = []
    for (name, give), value in itertools.product(parameters.items(), values):
        expected = name.partition(" ")[0] if field is None else field
        shown = f"{name} = {_shown(value)}"
        try:
            await give(store, value)
        except InvalidInputError as error:
            # Of an item in a batch, the place comes before the name: facts[0].content.
            place = re.sub(r"^\w+\[\d+\]\.", "", error.field)
            if re.split(r"[.\[]", place)[0] != expected:
                problems.append(f"{shown}: names {error.field}")
        except Exception as error:  # noqa: BLE001 - the point is which
            problems.append(f"{shown}: {type(error).__name__}")
        else:
            problems.append(f"{shown}: accepted")
    assert problems == []
    assert await n_rows(store) == (0, 0, 0)
    assert (await store.memories.remember("still usable")).outcome == "created"


async def test_text_of_another_type_is_refused(store: Store) -> None:
    """IN-19, IN-30: bytes, paths, enums, numbers and None are never taken for text by printing them."""
    await assert_refused(store, {**TEXTS, **NAMES}, (*NOT_TEXT, None))
    await assert_refused_again(store, {**OPTIONAL_TEXTS, **OPTIONAL_NAMES}, NOT_TEXT)


async def assert_refused_again(store: Store, parameters: Mapping[str, Give], values: Any) -> None:
    """Go on where `assert_refused` has shown that the store is usable."""
    await store.memories.forget_all(confirm=True)
    await store.memories.purge(NOW + timedelta(days=1))
    await assert_refused(store, parameters, values)


async def test_text_that_cannot_be_kept_is_refused(store: Store) -> None:
    """IN-01, IN-03, IN-04, IN-18: blank text, NUL and lone surrogates are refused in every text."""
    await assert_refused(store, {**TEXTS, **OPTIONAL_TEXTS}, BAD_TEXT)


async def test_names_that_cannot_be_kept_are_refused(store: Store) -> None:
    """IN-01, IN-03, IN-18: the same for names, and those of more than 255 characters."""
    names = {name: give for name, give in NAMES.items() if name != "scope of scoped"}
    await assert_refused(store, {**names, **OPTIONAL_NAMES}, BAD_NAMES)
    await assert_refused_again(store, {"scope of scoped": _scoped}, BAD_NAMES[1:])


@pytest.mark.parametrize("text", ["...", "?!", " . ", "\ufeff", ". .", "! ?\u00a0;"])
async def test_content_of_nothing_but_marks_is_refused(store: Store, text: str) -> None:
    """IN-18: what nothing is left of when it is normalized is refused, and is never a "duplicate"."""
    contents = {name: give for name, give in TEXTS.items() if name.startswith("content")}
    await assert_refused(store, contents, [text])


async def test_content_of_combining_marks_is_stored(store: Store) -> None:
    """IN-18: text of nothing but combining or invisible marks is text; each is a fact of its own."""
    outcomes = [
        await store.memories.remember(text) for text in ("\u0301", "\u0302", "\u200b", "\u200d")
    ]
    assert [its.outcome for its in outcomes] == ["created"] * 4


async def test_ids_are_whole_numbers_that_fit(store: Store) -> None:
    """IN-04, IN-05, IN-06, IN-30: an id is an int from 1 to 2**63 - 1, and nothing like one."""
    await assert_refused(store, IDS, (*NOT_AN_ID, None))
    await assert_refused_again(store, OPTIONAL_IDS, NOT_AN_ID)


async def test_the_largest_id_is_not_found(store: Store) -> None:
    """IN-05: 2**63 - 1 is a number like any other."""
    assert await store.memories.find(2**63 - 1) is None
    assert await store.sessions.find(2**63 - 1) is None
    assert await store.daily_logs.find(2**63 - 1) is None
    with pytest.raises(NotFoundError):
        await store.memories.touch(2**63 - 1)


async def test_limits_are_checked(store: Store) -> None:
    """IN-32: no limit means everything: -1, 0, None and 2**63 are refused."""
    await assert_refused(store, LIMITS, NOT_A_LIMIT)


async def test_limits_are_kept(store: Store) -> None:
    """IN-32: a page has as many rows as were asked for, from 1 to 10,000."""
    await store.memories.remember_many(MemoryNew(content=f"fact {n}") for n in range(60))
    assert [len(await store.memories.find_many(limit=n)) for n in (1, 59, 60, 10_000)] == [
        1,
        59,
        60,
        60,
    ]
    assert len(await store.memories.find_many()) == 50


async def test_flags_are_true_or_false(store: Store) -> None:
    """IN-30: a flag is True or False, and nothing that is merely true or false."""
    await assert_refused(store, FLAGS, NOT_A_FLAG)
    with pytest.raises(InvalidInputError, match="confirm"):
        await store.memories.forget_all(confirm=False)
    with pytest.raises(InvalidInputError, match="is_ended"):
        await store.sessions.find_many(SessionFilter(is_ended=1))  # type: ignore[arg-type]


async def test_instants_have_a_time_zone(store: Store) -> None:
    """IN-06, IN-26: a naive datetime, a date, a text or a number is no instant."""
    await assert_refused(store, INSTANTS, (*NOT_AN_INSTANT, None))
    await assert_refused_again(store, OPTIONAL_INSTANTS, NOT_AN_INSTANT)


async def test_durations_are_above_zero(store: Store) -> None:
    """IN-06, IN-20: a duration is a timedelta above zero, one that does not reach before the year 1."""
    await assert_refused(store, DURATIONS, (*NOT_A_DURATION, None))
    await assert_refused_again(store, OPTIONAL_DURATIONS, (*NOT_A_DURATION, timedelta.max))


async def test_seconds_are_finite_and_above_zero(store: Store) -> None:
    """IN-05, IN-06, IN-07: NaN, infinity, zero, and ints that no float can hold are refused."""
    await assert_refused(store, SECONDS, (*NOT_SECONDS, None))
    await assert_refused_again(store, OPTIONAL_SECONDS, NOT_SECONDS)


@pytest.mark.parametrize("seconds", [1, 1e308, 0.5])
async def test_seconds_of_any_size_are_accepted(store: Store, seconds: float) -> None:
    """IN-07: a finite number of seconds above zero is accepted, however large."""
    async with store.transaction(timeout_s=seconds) as tx:
        await tx.memories.remember("tea")
    async with memrepo.connect(":memory:", lock_timeout_s=seconds):
        pass


async def test_days_and_zones_are_checked(store: Store) -> None:
    """IN-26, IN-30: a day is a date and a zone is a tzinfo."""
    await assert_refused(store, DAYS, NOT_A_DAY)
    await assert_refused_again(store, ZONES, (*NOT_A_ZONE, None))
    await assert_refused_again(store, OPTIONAL_ZONES, NOT_A_ZONE)


async def test_zones_of_pytz(store: Store, clock: Clock) -> None:
    """One whose offset changes is refused with the reason; one with a single offset has the right days."""
    with pytest.raises(InvalidInputError, match=r"^tz: is a zone of pytz: use zoneinfo\.ZoneInfo"):
        await store.daily_logs.for_day(date(2026, 2, 2), pytz.timezone("Europe/Berlin"))
    with pytest.raises(InvalidInputError, match=r"^day_boundary: is a zone of pytz"):
        await store.sessions.get_or_start(day_boundary=pytz.timezone("Europe/Berlin"))
    clock.now = datetime(2026, 2, 2, 23, 30, tzinfo=UTC)
    await store.daily_logs.append(None, "x")
    for zone, day in ((pytz.utc, 2), (pytz.FixedOffset(60), 3), (pytz.timezone("Etc/GMT-1"), 3)):
        assert await store.daily_logs.count_by_day(zone) == {date(2026, 2, day): 1}
        assert len(await store.daily_logs.for_day(date(2026, 2, day), zone)) == 1


async def test_days_at_the_end_of_the_calendar(store: Store, clock: Clock) -> None:
    """A day that a time zone puts past the year 9999, or before the year 1, is refused by its argument."""
    west, east = timezone(-timedelta(hours=12)), timezone(timedelta(hours=12))
    for day, tz in ((date.max, UTC), (date(9999, 12, 31), west), (date.min, east)):
        with pytest.raises(InvalidInputError, match=r"^day: "):
            await store.daily_logs.for_day(day, tz)
    assert list(await store.daily_logs.for_day(date(9999, 12, 30), west)) == []
    clock.now = datetime(9999, 12, 31, 23, 30, tzinfo=UTC)
    with pytest.raises(InvalidInputError, match=r"^day_boundary: .* 9999"):
        await store.sessions.get_or_start(day_boundary=east)
    clock.now = datetime(1, 1, 1, 3, tzinfo=UTC)
    with pytest.raises(InvalidInputError, match=r"^day_boundary: .* 9999"):
        await store.sessions.get_or_start(day_boundary=west, idle_after=timedelta(hours=1))


async def test_a_day_goes_with_no_other_range(store: Store) -> None:
    """A filter that contradicts itself is refused, and does not silently ignore one half."""
    day = date(2026, 2, 2)
    for where, field in (
        (DailyLogFilter(day=day, timestamp_from=NOW), "day"),
        (DailyLogFilter(day=day, timestamp_before=NOW), "day"),
        (DailyLogFilter(tz=UTC), "tz"),
    ):
        with pytest.raises(InvalidInputError) as caught:
            await store.daily_logs.find_many(where)
        assert caught.value.field == field


async def test_what_is_not_json_is_refused(store: Store) -> None:
    """IN-05, IN-08, IN-10, IN-11, IN-13: what JSON cannot hold exactly is refused before any SQL."""
    circular: dict[str, Any] = {}
    circular["d"] = circular
    await assert_refused(store, VALUES, (*NOT_JSON, circular))
    objects = [{"deep": {"er": value}} for value in (*NOT_JSON, circular)]
    await assert_refused_again(store, OBJECTS, (*NOT_AN_OBJECT, *objects))


async def test_the_place_in_json_is_named(store: Store) -> None:
    """IN-13: the error's field is the path to what is wrong."""
    with pytest.raises(InvalidInputError) as caught:
        await store.daily_logs.append(None, "a", {"steps": [0, 1, 2, {"at": {1}}]})  # type: ignore[dict-item]
    assert caught.value.field == "event_data.steps[3].at"


async def test_deep_json_is_stored_readably_or_refused(store: Store) -> None:
    """IN-10: 500 levels are stored and read back, by the repository and by SQLite's own functions."""
    value = nested(500)
    event = (await store.daily_logs.append(None, "a", value)).event
    (again,) = await store.daily_logs.append_many([DailyLogNew(event_type="a", event_data=value)])
    assert event.event_data == again.event.event_data == value
    read = [its async for its in store.daily_logs.iterate()]
    assert [(its.event_data == value, its.is_broken) for its in read] == [(True, False)] * 2


@pytest.mark.parametrize("text", ['{"a":', '{"a": 1}', "null", "", "NaN", '"', "\0"])
async def test_a_text_is_stored_as_a_json_string(store: Store, text: str) -> None:
    """IN-14: event_data that is a str is a JSON string, whatever is in it; it is never parsed."""
    event = await store.daily_logs.append(None, "a", text)
    read = await store.daily_logs.get(event.id)
    assert (read.event_data, read.is_broken) == (text, False)


async def test_filters_are_filters(store: Store) -> None:
    """SE-02: a filter is one of ours; a dict of fields and operators from a request is refused."""
    await assert_refused(store, FILTERS, NOT_A_FILTER, "where")


async def test_filters_have_no_other_fields() -> None:
    """SE-02: neither an operator nor an order can be named: there is no such field."""
    make: Callable[..., object] = MemoryFilter
    for field in ("order_by", "category__like", "content", "id", "where", "scope"):
        with pytest.raises(TypeError):
            make(**{field: "x"})


async def test_allow_lists_compare_texts() -> None:
    """SE-03: an object that claims to equal everything is not one of the allowed texts."""
    values: list[Any] = [Field("full"), "FULL", "", None, 1, b"full", ["full"]]
    for value in values:
        with pytest.raises(InvalidInputError) as caught:
            memrepo.connect(":memory:", durability=value)
        assert caught.value.field == "durability"


async def test_batches_hold_nothing_else(store: Store) -> None:
    """IN-30, IN-33: one wrong item refuses the whole batch, and the error says which it is."""
    bad: list[tuple[Any, str]] = [
        (None, "facts"),
        ("fact", "facts"),
        (b"fact", "facts"),
        (5, "facts"),
        (["fact"], "facts[0]"),
        ([MemoryNew(content="a"), None], "facts[1]"),
        ([MemoryNew(content="a"), {"content": "b"}], "facts[1]"),
        ([DailyLogNew(event_type="a")], "facts[0]"),
        ({"content": "a"}, "facts[0]"),
    ]
    for value, field in bad:
        with pytest.raises(InvalidInputError) as caught:
            await store.memories.remember_many(value)
        assert caught.value.field == field
    with pytest.raises(InvalidInputError) as caught:
        await store.daily_logs.append_many([DailyLogNew(event_type="a"), "b"])  # type: ignore[list-item]
    assert caught.value.field == "events[1]"
    assert await n_rows(store) == (0, 0, 0)


async def test_a_batch_of_none_and_of_one(store: Store) -> None:
    """IN-33: no item is no outcome, and one is one."""
    assert await store.memories.remember_many([]) == []
    assert await store.daily_logs.append_many(iter(())) == []
    assert len(await store.memories.remember_many(_fact()[:1])) == 1
    assert await n_rows(store) == (1, 0, 0)


@pytest.mark.slow
async def test_a_large_batch_is_counted_right(store: Store) -> None:
    """IN-33: 40,000 facts, a third of them repetitions, are one outcome each, in order."""
    contents = [f"fact number {n % 27_000}" for n in range(40_000)]
    outcomes = await store.memories.remember_many(MemoryNew(content=text) for text in contents)
    assert [its.entry.content for its in outcomes] == contents
    kinds = [its.outcome for its in outcomes]
    assert kinds == ["created"] * 27_000 + ["duplicate"] * 13_000
    assert await store.memories.count() == 27_000


async def test_an_unknown_session_is_not_found(store: Store) -> None:
    """IN-34: an event of a session that is not there, or is another scope's, stores nothing."""
    foreign = await store.scoped("b").sessions.start()
    for session_id in (99, 2**63 - 1, foreign.id):
        with pytest.raises(NotFoundError):
            await store.daily_logs.append(session_id, "a")
        with pytest.raises(NotFoundError):
            await store.daily_logs.append(session_id, "a", key="k")
        with pytest.raises(NotFoundError):
            await store.daily_logs.append_many(_event(session_id=session_id))
    assert await n_rows(store) == (0, 0, 0)
    assert (await store.daily_logs.append(None, "a", key="k")).event.key == "k"


# --- sizes -------------------------------------------------------------------------------------


async def test_content_has_a_limit_in_bytes(store: Store) -> None:
    """IN-16, IN-17: 4,000,000 bytes of UTF-8 are stored exactly; one more is refused."""
    for text in ("a" * 4_000_000, "é" * 2_000_000):
        remembered = await own_scope(store).memories.remember(text)
        assert remembered.entry.content == text
    for text in ("a" * 4_000_001, "é" * 2_000_000 + "a", "👍" * 1_000_001):
        with pytest.raises(
            InvalidInputError, match="content: must not be longer than 4,000,000 bytes"
        ):
            await store.memories.remember(text)
    with pytest.raises(InvalidInputError, match="event_data: must not be longer"):
        await store.daily_logs.append(None, "a", ["é" * 2_000_000])
    assert await n_rows(store) == (0, 0, 0)


async def test_huge_content_is_refused_without_copying_it(store: Store) -> None:
    """IN-16, IN-17: 100 MB are refused at once, and take no memory beside themselves."""
    huge = "é" * 50_000_000
    tracemalloc.start()
    try:
        with pytest.raises(InvalidInputError, match="content"):
            await store.memories.remember(huge)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()


async def test_names_have_a_limit_in_characters(store: Store) -> None:
    """IN-20: a name of 255 characters is kept, of whatever bytes."""
    name = "👍" * 255
    remembered = await store.scoped(name).memories.remember("tea", category=name, source=name)
    assert (remembered.entry.category, remembered.entry.source) == (name, name)
    assert remembered.entry.scope == name
    event = (await store.scoped(name).daily_logs.append(None, name, key=name)).event
    assert (event.event_type, event.key) == (name, name)


async def test_what_is_searched_for_has_a_limit(store: Store) -> None:
    """SE-05, SE-13: 1,000 characters are searched for; 1,001, 60,000 or none are refused."""
    await store.memories.remember("θ" * 2_000)
    assert await store.memories.count(MemoryFilter(contains="Θ" * 1_000)) == 1
    bad: tuple[Any, ...] = ("x" * 1_001, "%" * 60_000, "", "a\0b", "a\ud800b", 5, b"a", ["a"], True)
    for value in bad:
        with pytest.raises(InvalidInputError) as caught:
            await store.memories.find_many(MemoryFilter(contains=value))
        assert caught.value.field == "contains"


async def test_cursors_are_those_of_a_page(store: Store) -> None:
    """IN-32: what is not the cursor of a page is refused, not read as the beginning or the end."""
    bad = (
        "1",
        "~",
        "1~",
        "~2026",
        "-~2026",
        "+1~2026",
        f"{-(2**63) - 1}~2026",
        "1.5~2026",
        "٣~2026",
        f"{2**63}~2026",
        "a~2026",
        "1 ~2",
    )
    await assert_refused(
        store, {name: give for name, give in OPTIONAL_NAMES.items() if "after" in name}, bad
    )


# --- what is accepted, and comes back ----------------------------------------------------------


@pytest.mark.parametrize("text", [Text("FACT"), Kind.FACT])
async def test_a_subclass_of_str_is_its_text(store: Store, text: Any) -> None:
    """IN-30: of a str subclass the characters count, never what it prints itself as."""
    plain = str.__str__(text)[:] if type(text) is Text else "fact"
    remembered = await store.memories.remember(text, category=text, source=text)
    entry = await store.memories.get(remembered.id)
    assert (entry.content, entry.category, entry.source) == (plain, plain, plain)
    assert type(remembered.entry.content) is str
    assert (await store.memories.remember_many([MemoryNew(content=text)]))[0].id == entry.id
    assert await store.memories.find_by_content(text) is not None
    for where in (
        MemoryFilter(category=text),
        MemoryFilter(source=text),
        MemoryFilter(contains=text),
    ):
        assert [its.id for its in await store.memories.find_many(where)] == [entry.id], where
    event = await store.scoped(text).daily_logs.append(None, text, key=text)
    read = await store.scoped(plain).daily_logs.get(event.id)
    assert (read.scope, read.event_type, read.key) == (plain, plain, plain)


@shared_store
@given(content=st.text(min_size=1).filter(lambda text: "\0" not in text), other=st.text(min_size=1))
async def test_any_text_comes_back(store: Store, content: str, other: str) -> None:
    """Any text that is more than marks comes back as it was given, alone and in a batch."""
    texts = [text.replace("\0", "") + "x" for text in (content, other)]
    single, batch = own_scope(store), own_scope(store)
    alone = await single.memories.remember(texts[0])
    assert (alone.outcome, alone.entry.content) == ("created", texts[0])
    assert (await single.memories.get(alone.id)).content == texts[0]
    found = await single.memories.find_by_content(texts[0])
    assert found is not None
    assert found.id == alone.id
    await batch.memories.remember_many(MemoryNew(content=text) for text in texts)
    read = {its.content for its in await batch.memories.find_many()}
    assert read <= set(texts)
    assert texts[0] in read


@shared_store
@given(json_values, st.dictionaries(st.text(), json_values))
async def test_any_json_comes_back(store: Store, value: Any, metadata: dict[str, Any]) -> None:
    """Any JSON value comes back as event_data and in metadata, alone and in a batch, type by type."""
    mine = own_scope(store)
    event = (await mine.daily_logs.append(None, "a", value)).event
    many = await mine.daily_logs.append_many(_event(event_data=value))
    read = [await mine.daily_logs.get(its.id) for its in (event, many[1])]
    assert [repr(its.event_data) for its in (event, many[1].event, *read)] == [repr(value)] * 4
    one = await mine.memories.remember("one", metadata=metadata)
    (two,) = await mine.memories.remember_many([MemoryNew(content="two", metadata=metadata)])
    kept = [(await mine.memories.get(its.id)).metadata for its in (one, two)]
    assert [repr(its) for its in kept] == [repr(metadata)] * 2


offsets = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda m: timezone(timedelta(minutes=m)))
moments = st.builds(
    lambda naive, tz, fold: naive.replace(
        tzinfo=tz, fold=fold, microsecond=naive.microsecond // 1000 * 1000
    ),
    st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29)),  # noqa: DTZ001
    offsets | st.sampled_from([UTC, ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kolkata")]),
    st.integers(0, 1),
)


@shared_store
@given(moments)
async def test_any_instant_comes_back(store: Store, clock: Clock, moment: datetime) -> None:
    """IN-27: an aware datetime of any year and offset comes back as the same instant, in UTC."""
    mine = own_scope(store)
    clock.now = moment
    event = (await mine.daily_logs.append(None, "a")).event
    remembered = await mine.memories.remember("tea", expires_at=moment + timedelta(hours=1))
    read = await mine.daily_logs.get(event.id)
    assert event.timestamp == read.timestamp == moment == remembered.entry.created_at
    assert remembered.entry.expires_at == moment + timedelta(hours=1)
    assert read.timestamp.tzinfo is UTC


@shared_store
@given(st.lists(moments, min_size=2, max_size=8), moments, moments)
async def test_instants_are_in_order(
    store: Store, clock: Clock, given_moments: list[datetime], since: datetime, until: datetime
) -> None:
    """IN-27: whatever their offsets, events are read in the order of their instants, and by ranges."""
    mine = own_scope(store)
    for moment in given_moments:
        clock.now = moment
        await mine.daily_logs.append(None, "a")
    read = [its.timestamp async for its in mine.daily_logs.iterate()]
    assert read == sorted(given_moments)
    where = DailyLogFilter(timestamp_from=since, timestamp_before=until)
    ranged = [its.timestamp async for its in mine.daily_logs.iterate(where)]
    assert ranged == [its for its in sorted(given_moments) if since <= its < until]


async def test_what_is_below_a_millisecond_is_cut_and_ranges_stay_exact(
    store: Store, clock: Clock
) -> None:
    """IN-27: an instant is kept to the millisecond, and a bound of microseconds still divides exactly."""
    clock.now = NOW + timedelta(microseconds=999)
    entry = (await store.memories.remember("tea")).entry
    assert entry.created_at == NOW
    assert (await store.daily_logs.append(None, "a")).event.timestamp == NOW
    inside, outside = NOW + timedelta(microseconds=1), NOW
    assert await store.memories.count(MemoryFilter(created_before=inside)) == 1
    assert await store.memories.count(MemoryFilter(created_before=outside)) == 0
    assert await store.memories.count(MemoryFilter(created_from=inside)) == 0
    await store.memories.forget(entry.id)
    assert await store.memories.purge(outside, dry_run=True) == 0
    assert await store.daily_logs.purge(inside, dry_run=True) == 1
    assert await store.memories.purge(inside, dry_run=True) == 1


# --- what is one fact --------------------------------------------------------------------------


async def test_one_fact_in_many_forms(store: Store) -> None:
    """IN-21: NFC and NFD, a BOM around it, case and marks at the end are one fact; others are not."""
    forms = ["Café au lait", "Cafe\u0301 au lait", "\ufeffcafé  AU lait!\ufeff", "café au lait."]
    outcomes = [await store.memories.remember(text) for text in forms]
    assert [its.outcome for its in outcomes] == ["created", "duplicate", "duplicate", "duplicate"]
    assert {its.entry.content for its in outcomes} == {forms[0]}
    others = ["cafe au lait", "café\u200b au lait", "café au lait\u200f", "\u202ecafé au lait"]
    assert [(await store.memories.remember(text)).outcome for text in others] == ["created"] * 4


async def test_facts_of_every_script_are_kept_apart(store: Store) -> None:
    """IN-22: 300 Chinese, Arabic and emoji facts are 300 rows."""
    texts = [
        f"{chr(base + n)}{chr(base + n + 1)}"
        for base in (0x4E00, 0x0630, 0x1F600)
        for n in range(79)
    ]
    distinct = {memrepo.normalize_content(text) for text in texts}
    outcomes = await store.memories.remember_many(MemoryNew(content=text) for text in texts)
    assert sum(its.outcome == "created" for its in outcomes) == len(distinct)
    assert len(distinct) == len(texts)


async def test_marks_within_a_fact_matter(store: Store) -> None:
    """IN-23: "uses C", "uses C++" and "uses C#" are three facts."""
    for text in ("uses C", "uses C++", "uses C#"):
        assert (await store.memories.remember(text)).outcome == "created"


async def test_one_fact_in_two_scopes_is_two(store: Store) -> None:
    """IN-25: two owners can know the same fact, and neither sees the other's."""
    ids = {(await store.scoped(scope).memories.remember("tea")).id for scope in ("", "a", "b")}
    assert len(ids) == 3
    assert [await store.scoped(scope).memories.count() for scope in ("", "a", "b")] == [1, 1, 1]


# --- literal search ----------------------------------------------------------------------------

search_text = st.text(alphabet=st.sampled_from(ALPHABET), min_size=1, max_size=6)


@shared_store
@given(st.lists(search_text, min_size=1, max_size=12), search_text)
@example(["I"], "\u0131")
async def test_contains_is_the_plain_model(store: Store, contents: list[str], needle: str) -> None:
    """SE-05: contains finds literally, wild cards of LIKE and GLOB included, in any case of any script."""
    mine = own_scope(store)
    texts = [f"{text}." + "x" for text in contents]
    await mine.memories.remember_many(MemoryNew(content=text) for text in texts)
    stored = [its.content for its in await mine.memories.find_many()]
    folded = "".join(map(fold, needle))
    expected = {text for text in stored if folded in "".join(map(fold, text))}
    where = MemoryFilter(contains=needle)
    assert {its.content for its in await mine.memories.find_many(where)} == expected
    assert await mine.memories.count(where) == len(expected)


# --- injection ---------------------------------------------------------------------------------


class Trace:
    """A connection that notes the SQL of what it passes on."""

    def __init__(self, connection: memrepo.Connection) -> None:
        self._connection = connection
        self.sql: set[str] = set()

    async def write(self, unit: Unit) -> Sequence[Result]:
        self.sql |= {bound.statement.sql for bound in unit}
        return await self._connection.write(unit)

    async def read(self, statement: BoundStatement) -> list[Row]:
        self.sql.add(statement.statement.sql)
        return await self._connection.read(statement)

    async def give_way(self) -> bool:
        return await self._connection.give_way()


def injections() -> Iterator[str]:
    """Yield 10,000 texts that have broken somebody's SQL, JSON, pattern or template."""
    opening = (
        *("", "'", '"', "`", "''", "\\'", "')", '")', "]", "'))", "%' ", "\u02bc", "\uff07", "x'"),
        *("$[0]", "1;", "(", "\ufeff'"),
    )
    middle = (
        *(" OR 1=1", " OR '1'='1'", "; DROP TABLE memory_entries", "; DELETE FROM sessions"),
        *(" UNION SELECT * FROM memory_entries", " AND 1=(SELECT COUNT(*) FROM daily_logs)"),
        *("; ATTACH DATABASE 'x' AS x", "; PRAGMA writable_schema=1", "||load_extension('x')"),
        *(":scope", ":content_hash", "?1", "@now", "$now", "#{1}", "{0}", "{{7*7}}", "%s", "%(x)s"),
        *("NULL", "* NEAR/2 ^", "content: AND OR NOT", "[[:alpha:]]", "*?[a-z]", "%_%", "\\x27"),
        *(" COLLATE NOCASE", "/**/OR/**/1=1", "0x61", "1e999", "\t\r\n", "\x1a", "\x7f", "' --"),
        *('","scope":"b"', "]]],[[", "\\u0000", "\\", "\x1b[2J", "\u202e", "🏴"),
    )
    closing = ("", "--", "-- ", "/*", ";", "#", "'", '"', "`", ")", "*/", "]", "\\", "%", "\x1c")
    every = itertools.product(opening, middle, closing)
    for n, (first, second, third) in enumerate(itertools.islice(every, 10_000)):
        yield f"{n}{first}{second}{third}"


@pytest.mark.slow
async def test_no_text_is_ever_part_of_the_sql(clock: Clock) -> None:
    """SE-01: 10,000 injections in every text parameter leave the SQL as it is, and come back exactly."""
    texts = list(injections())
    assert len(set(texts)) == 10_000
    async with memrepo.connect(":memory:", clock=clock) as store:
        trace = Trace(store.connection)
        log = memrepo.DailyLogRepo(trace, clock=clock)
        sessions = memrepo.SessionRepo(trace, clock=clock)
        session = await sessions.start()

        async def use(text: str) -> None:
            facts = memrepo.MemoryRepo(trace, scope=text, clock=clock)
            fact = await facts.remember(
                text + "x", category=text, source=text, metadata={text: text}
            )
            entry = fact.entry
            assert (entry.content, entry.category, entry.source) == (text + "x", text, text)
            where = MemoryFilter(category=text, source=text, contains=text)
            assert [its.id for its in await facts.find_many(where)] == [entry.id]
            event = (await log.append(None, text, [text], key=text)).event
            assert (event.event_type, event.key, event.event_data) == (text, text, [text])

        async def use_more(text: str) -> None:
            facts = memrepo.MemoryRepo(trace, scope=text, clock=clock)
            known = await facts.find_by_content(text + "x")
            assert known is not None
            assert known.metadata == {text: text}
            assert (await facts.update(known.id, category=f"{text} 2")).category == f"{text} 2"
            new = await facts.supersede(known.id, f"{text} y", category=text, source=text)
            assert new.entry.content == f"{text} y"
            assert (await sessions.summarize(session.id, text)).summary == text
            assert not (await sessions.end(session.id, trigger=text, summary=text)).ended_now
            assert not (await sessions.find_many(SessionFilter(end_trigger=text))).items
            assert len(await log.find_many(DailyLogFilter(event_type=text), limit=2)) == 1
            assert len(await log.find_many(limit=1, after=f"1~{text}")) <= 1

        await sessions.end(session.id)
        await use("first")
        await use_more("first")
        before = set(trace.sql)
        for start in range(0, len(texts), 500):
            await asyncio.gather(*map(use, texts[start : start + 500]))
        # These read and write more, so that every tenth text has to do.
        for start in range(0, len(texts), 5_000):
            await asyncio.gather(*map(use_more, texts[start : start + 5_000 : 10]))
        assert trace.sql == before
        many = memrepo.MemoryRepo(trace, scope="batch", clock=clock)
        stored = await many.remember_many(
            MemoryNew(content=f"{text}x", category=text, source=text, metadata={"a": text})
            for text in texts
        )
        read = {its.id: its async for its in many.iterate()}
        assert [read[its.id].category for its in stored] == texts
        assert [(read[its.id].metadata or {})["a"] for its in stored] == texts
        events = await log.append_many(
            DailyLogNew(event_type=text, event_data=text, key=f"{text} batch") for text in texts
        )
        assert [(its.event.event_type, its.event.event_data) for its in events] == [
            (text, text) for text in texts
        ]
        assert trace.sql - before <= BATCH_SQL


def _batch_sql() -> set[str]:
    from memrepo.queries import (  # noqa: PLC0415
        daily_logs,
        memories,
        proposals,
        remembering_many,
        slots,
    )

    constants = (
        *(
            remembering_many.REVIVE_MANY,
            remembering_many.REFRESH_MANY,
            remembering_many.INSERT_MANY,
        ),
        *(remembering_many.HELD_BACK_MANY, slots.TAKE_OVER_MANY, slots.TAKE_MANY),
        *(proposals.APPROVE_MANY, proposals.RENEW_MANY),
        *(daily_logs.APPEND_MANY, daily_logs.GET_BY_KEYS),
    )
    current = frozenset({"now", "not_forgotten", "not_superseded"})
    pages = [memories.find_many(current, after=after) for after in (False, True)]
    return {its.sql for its in (*constants, *pages)}


BATCH_SQL = _batch_sql()


async def test_durability_is_one_of_two() -> None:
    """SE-03: the allow-list is what the type says."""
    assert get_args(memrepo.Durability) == ("full", "normal")
