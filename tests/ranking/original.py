"""What the original would choose: its rules, written down once more, independently of memrepo."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

__all__ = ["DAY", "Row", "candidates", "choose", "score", "surface"]

#: In milliseconds.
DAY = 24 * 60 * 60 * 1_000


class Row(NamedTuple):
    """A fact; its instants in milliseconds."""

    id: int
    content: str
    category: str
    source: str
    created_at: int
    last_accessed: int | None


def score(row: Row, now: int) -> int:
    since = row.created_at if row.last_accessed is None else row.last_accessed
    days = (now - since) // DAY
    if days == 0:
        recency = 50
    elif days == 1:
        recency = 40
    elif days <= 7:
        recency = 30
    elif days <= 30:
        recency = 15
    else:
        recency = 5
    category = {"preference": 30, "fact": 20, "pattern": 10}.get(row.category, 0)
    source = {"user_explicit": 20, "jarvis_inferred": 10}.get(row.source, 0)
    # What is in the future has not faded.
    age = max(now - since, 0)
    decay = 0.0 if row.source == "user_explicit" else 1 - 0.5 ** (age / DAY / 30)
    return math.floor((recency + category + source) * (1 - decay) + 0.5)


def candidates(rows: Iterable[Row]) -> list[Row]:
    """The 100 accessed last; without an access last; of two at the same instant the later row first."""
    newest = sorted(rows, key=lambda row: -row.id)
    return sorted(
        newest, key=lambda row: math.inf if row.last_accessed is None else -row.last_accessed
    )[:100]


def choose(
    rows: Iterable[Row], now: int, max_tokens: int = 1_000, max_entries: int = 10
) -> list[int]:
    """The ids of what it shows, in order."""
    by_score = sorted(candidates(rows), key=lambda row: -score(row, now))
    shown: list[int] = []
    n_tokens = 0
    for row in by_score:
        cost = -(-len(row.content) // 4)
        if len(shown) >= max_entries or n_tokens + cost > max_tokens:
            break
        shown.append(row.id)
        n_tokens += cost
    return shown


def surface(
    rows: Iterable[Row],
    now: int,
    max_pending: int,
    max_contextual: int,
    days: int,
    least: float,
    words: Iterable[str],
) -> tuple[list[int], list[int]]:
    """The ids of what it brings up: what is pending, and what may matter."""
    wanted = [*words]
    by_score = sorted(candidates(rows), key=lambda row: -score(row, now))
    pending: list[int] = []
    others: list[int] = []
    for row in by_score:
        since = row.created_at if row.last_accessed is None else row.last_accessed
        is_recent = 0 <= (now - since) // DAY <= days
        if is_recent and any(word in row.content.lower() for word in wanted):
            pending.append(row.id)
        elif score(row, now) >= least:
            others.append(row.id)
    return pending[:max_pending], others[:max_contextual]
