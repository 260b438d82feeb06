"""The clock, injected everywhere, so that tests never sleep."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

__all__ = ["Clock", "utc_now"]

#: Returns the current instant, with its time zone.
Clock: TypeAlias = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the system's current time, in UTC."""
    return datetime.now(UTC)
