"""How long ago something was: in whole days, and in words."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

__all__ = ["age_in_words", "days_between"]

_DAY: Final = timedelta(days=1)
_NAMES: Final = {0: "today", 1: "yesterday"}


def days_between(instant: datetime, now: datetime) -> int:
    """Return how many whole days have passed; below 0 if *instant* is in the future."""
    return (now - instant) // _DAY


def age_in_words(days: int) -> str:
    """Return how long ago a number of whole days is; months have 30 days, years 365."""
    if days < 0:
        return "in the future"
    if days in _NAMES:
        return _NAMES[days]
    for length, unit in ((365, "year"), (30, "month"), (7, "week")):
        if number := days // length:
            return f"{number} {unit}{'s' if number > 1 else ''} ago"
    return f"{days} days ago"
