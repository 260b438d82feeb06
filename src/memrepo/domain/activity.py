"""Until when activity counts, and since when a session must have been active: as statements bind it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from memrepo.domain.instants import encode_instant
from memrepo.errors import InvalidInputError

__all__ = ["activity_until", "activity_window"]

#: How far ahead of the clock activity still counts: the clocks of two machines differ, and a call that
#: waited for its turn has an older instant than what happened meanwhile.
_AHEAD: Final = timedelta(minutes=1)
_END_OF_TIME: Final = datetime.max.replace(tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)


def activity_until(now: datetime) -> str:
    """Return ``:latest``: what a clock that was wrong has put after it is no activity."""
    try:
        return encode_instant(now + _AHEAD)
    except OverflowError:
        return encode_instant(_END_OF_TIME)


def activity_window(now: datetime, idle_after: timedelta) -> dict[str, str]:
    """
    Return ``:latest`` and ``:active_from``: an open session that was last active before it is abandoned.

    Raises:
        InvalidInputError: *idle_after* reaches back before the year 1.
    """
    try:
        # Idle for exactly that long is abandoned, too, and instants are whole milliseconds.
        active_from = encode_instant(now - idle_after + _MILLISECOND)
    except OverflowError:
        raise InvalidInputError("idle_after", "reaches back before the year 1") from None
    return {"latest": activity_until(now), "active_from": active_from}
