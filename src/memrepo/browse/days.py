"""The daily log: a day's events, or its digest."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final

from starlette.responses import Response

from memrepo.browse.visit import Visit
from memrepo.domain.daily_logs import DailyLogFilter
from memrepo.domain.days import day_range
from memrepo.errors import InvalidInputError

__all__ = ["show_day"]

_ON_A_PAGE: Final = 50
_ITEMS: Final = 20


async def show_day(visit: Visit) -> Response:
    """Show a day: the one that was asked for, or the latest with an event."""
    asked = visit.text("day")
    day = await _latest(visit) if asked is None else _read(asked)
    if day is None:
        return visit.answer("no_log")
    start, end = day_range(day, visit.site.tz)
    events = visit.store.daily_logs
    context: dict[str, Any] = {
        "day": day,
        "before": await _day_of(visit, DailyLogFilter(timestamp_before=start), newest_first=True),
        "after": await _day_of(visit, DailyLogFilter(timestamp_from=end), newest_first=False),
    }
    if visit.text("view") == "digest":
        digest = await visit.site.background.get(
            ("digest", visit.scope, day),
            lambda: events.digest(day, visit.site.tz, limit=_ITEMS),
        )
        if digest is None:
            return visit.answer("counting", headers={"Refresh": "1"}, title=f"{day}")
        return visit.answer("digest", **context, digest=digest)
    where = DailyLogFilter(timestamp_from=start, timestamp_before=end)
    page = await events.find_many(where, limit=_ON_A_PAGE, after=visit.text("after_event"))
    return visit.answer("day", **context, page=page, is_first=visit.text("after_event") is None)


def _read(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise InvalidInputError("day", "must be a day as 2026-02-28") from None
    if not date(1, 1, 3) <= day <= date(9999, 12, 29):  # with any time zone, and a day around it
        raise InvalidInputError("day", "is outside the calendar")
    return day


async def _latest(visit: Visit) -> date | None:
    return await _day_of(visit, DailyLogFilter(), newest_first=True)


async def _day_of(visit: Visit, where: DailyLogFilter, *, newest_first: bool) -> date | None:
    """Return the day of the first event that there is; ``None`` if there is none whose time can be read."""
    page = await visit.store.daily_logs.find_many(where, limit=1, newest_first=newest_first)
    if not page:
        return None
    found: datetime = visit.local(page[0].timestamp)
    return found.date()
