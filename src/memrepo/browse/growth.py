"""How much there is, and how it grew."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Final

import attrs
from starlette.responses import Response

from memrepo.browse.charts import Bar
from memrepo.browse.visit import Visit, day_name, month_name
from memrepo.connection.contract import ConnectionInfo
from memrepo.domain.days import start_of_day
from memrepo.errors import InvalidInputError

__all__ = ["show_growth"]

#: Facts are counted by days up to this span, and by months beyond it.
_MOST_DAYS: Final = 92
_MOST_MONTHS: Final = 120
#: Days of which the events are counted.
_EVENT_DAYS: Final = 60
#: Ranges that one statement counts, so that no other read waits for all of them.
_AT_ONCE: Final = 6


@attrs.frozen(kw_only=True)
class Growth:
    """What the page shows."""

    facts: Sequence[Bar]
    #: ``day`` or ``month``.
    unit: str
    events: Sequence[Bar]
    by_category: dict[str, int]
    n_rows: dict[str, int]
    info: ConnectionInfo
    counted_at: datetime


async def show_growth(visit: Visit) -> Response:
    """Show sizes and growth. To count a million facts takes longer than a page may: it is done beside it."""
    found = await visit.site.background.get(("growth", visit.scope), lambda: _count(visit))
    if found is None:
        return visit.answer("counting", headers={"Refresh": "1"}, title="Growth")
    return visit.answer("growth", growth=found, size=size)


async def _count(visit: Visit) -> Growth:
    unit, facts = await _facts(visit)
    return Growth(
        facts=facts,
        unit=unit,
        events=await _events(visit),
        by_category=await visit.rows.by_category(),
        n_rows=await visit.rows.n_rows(),
        info=await visit.site.store.info(),
        counted_at=visit.now,
    )


async def _facts(visit: Visit) -> tuple[str, Sequence[Bar]]:
    ends = await _days(visit, "facts")
    if ends is None:
        return "day", ()
    first, last = ends
    if last - first < timedelta(days=_MOST_DAYS):
        return "day", await _counted(visit, "facts", _each_day(first, last), day_name)
    months = [last.replace(day=1)]
    while months[-1] > first and len(months) < _MOST_MONTHS:
        months.append((months[-1] - timedelta(days=1)).replace(day=1))
    return "month", await _counted(visit, "facts", months[::-1], month_name)


async def _events(visit: Visit) -> Sequence[Bar]:
    ends = await _days(visit, "events")
    if ends is None:
        return ()
    first, last = ends
    if last - first >= timedelta(days=_EVENT_DAYS):
        first = last - timedelta(days=_EVENT_DAYS - 1)
    return await _counted(visit, "events", _each_day(first, last), day_name)


async def _days(visit: Visit, what: str) -> tuple[date, date] | None:
    """Return the first and the last day, which is not later than today, whatever a wrong clock has left."""
    ends = await visit.rows.ends(what)
    if ends is None:
        return None
    last = min(visit.local(ends[1]).date(), visit.today())
    return min(visit.local(ends[0]).date(), last), last


def _each_day(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


async def _counted(
    visit: Visit, what: str, starts: Sequence[date], name: Callable[[date], str]
) -> Sequence[Bar]:
    """Count what is between each of *starts* and the next; the last goes on until tomorrow."""
    today = visit.today()
    bounds = [_start(visit, day) for day in starts]
    bounds.append(max(_start(visit, today + timedelta(days=1)), bounds[-1]))
    ranges = [*pairwise(bounds)]
    counts: list[int] = []
    for n in range(0, len(ranges), _AT_ONCE):
        counts += await visit.rows.n_in_ranges(what, ranges[n : n + _AT_ONCE])
    latest = len(starts) - 1
    is_open = [place == latest and bounds[-1] > visit.now for place in range(len(starts))]
    return [Bar(name(day), n, its) for day, n, its in zip(starts, counts, is_open, strict=True)]


def _start(visit: Visit, day: date) -> datetime:
    try:
        return start_of_day(day, visit.site.tz)
    except InvalidInputError:  # at either end of the calendar
        return datetime(day.year, day.month, day.day, tzinfo=UTC)


_UNITS: Final = ("bytes", "kB", "MB", "GB", "TB")
_NEXT_UNIT: Final = 1_000


def size(n_bytes: int) -> str:
    """Return a number of bytes in a unit that suits it."""
    number, unit = float(n_bytes), 0
    while number >= _NEXT_UNIT and unit < len(_UNITS) - 1:
        number, unit = number / _NEXT_UNIT, unit + 1
    return f"{number:.3g} {_UNITS[unit]}"
