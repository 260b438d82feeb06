"""How long the campaigns run: ``MEMREPO_CAMPAIGN=short`` (the default) or ``long``."""

from __future__ import annotations

import os
from collections.abc import Callable

__all__ = ["Figures", "is_long", "pick"]

#: ``figures("kill -9", rounds=50, lost=0)`` prints one line and keeps it for the summary.
Figures = Callable[..., None]


def is_long() -> bool:
    """Whether the long form was asked for."""
    form = os.environ.get("MEMREPO_CAMPAIGN", "short")
    if form not in ("short", "long"):
        raise ValueError(f"MEMREPO_CAMPAIGN is {form!r}; it can be 'short' or 'long'")
    return form == "long"


def pick(short: int, long: int) -> int:
    """The number that belongs to the form that was asked for."""
    return long if is_long() else short
