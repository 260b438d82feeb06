"""Patterns: what is observed again and again, and what is inferred from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

import attrs

from memrepo.domain.daily_logs import DailyLog
from memrepo.domain.memories import Remembered
from memrepo.domain.plain import PlainModel
from memrepo.domain.values import Row

__all__ = [
    "OBSERVED_WITHIN",
    "PATTERN_INFERRED",
    "PATTERN_OBSERVED",
    "Observed",
    "PendingInference",
    "to_pending",
]

#: The type of the event that a pattern was observed: its data has ``pattern``, ``evidence`` and ``n``.
PATTERN_OBSERVED: Final = "pattern_observed"
#: The type of the event that a fact was inferred from a pattern: its data has ``pattern`` and ``memory_id``.
PATTERN_INFERRED: Final = "pattern_inferred"
#: How long an observation counts: the original's seven days.
OBSERVED_WITHIN: Final = timedelta(days=7)


@attrs.frozen(kw_only=True)
class Observed(PlainModel):
    """What came of an observation; see `MemoryRepo.observe`."""

    #: How many observations of the pattern count, this one among them.
    n: int
    #: What became of the fact, as `MemoryRepo.remember` says it, if this observation made the number full.
    inferred: Remembered | None
    #: The event in the daily log.
    event: DailyLog


@attrs.frozen(kw_only=True)
class PendingInference(PlainModel):
    """A pattern that was observed, but not often enough yet."""

    #: The pattern.
    pattern: str
    #: How many observations of it count.
    n: int


def to_pending(rows: Iterable[Row]) -> list[PendingInference]:
    """Count what was observed since each pattern was last inferred, the most first, ties by name."""
    counts: Counter[str] = Counter()
    for event_type, pattern in rows:
        # Another program may have stored an event of this type without one.
        if not isinstance(pattern, str):
            continue
        if event_type == PATTERN_INFERRED:
            del counts[pattern]
        else:
            counts[pattern] += 1
    ordered = sorted(counts.items(), key=lambda its: (-its[1], its[0]))
    return [PendingInference(pattern=pattern, n=n) for pattern, n in ordered]
