"""Observations of patterns, and what is inferred from them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import attrs

from memrepo import Appended, DailyLog, MemoryEntry, Observed, Page, PendingInference, Remembered

from .state import Draft

__all__ = ["Patterns", "without_inner_ids"]

_WEEK = timedelta(days=7)


class Patterns:
    """The observations of one scope that count at one instant."""

    def __init__(self, draft: Draft, scope: str, now: datetime) -> None:
        self._draft = draft
        self._scope = scope
        self._now = now

    def count(self, pattern: str) -> int:
        return next((its.n for its in self.pending() if its.pattern == pattern), 0)

    def pending(self) -> list[PendingInference]:
        counts: Counter[str] = Counter()
        for event in self._events():
            pattern = json.loads(event.raw_event_data or "")["pattern"]
            if event.event_type == "pattern_inferred":
                counts.pop(pattern, None)
            else:
                counts[pattern] += 1
        return [
            PendingInference(pattern=pattern, n=n)
            for pattern, n in sorted(counts.items(), key=lambda its: (-its[1], its[0]))
        ]

    def evidence(self, pattern: str) -> list[str]:
        """What the last observations of a pattern were, as many as count."""
        data = [
            json.loads(event.raw_event_data or "")
            for event in self._events()
            if event.event_type == "pattern_observed"
        ]
        own = [its for its in data if its["pattern"] == pattern][-self.count(pattern) :]
        return [its["evidence"] for its in own if "evidence" in its]

    def append(self, event_type: str, data: Any) -> DailyLog:
        raw = _encode(data)
        event = DailyLog(
            id=self._draft.next_id("events", self._now, raw),
            scope=self._scope,
            session_id=None,
            event_type=event_type,
            raw_event_data=raw,
            timestamp=self._now,
            key=None,
        )
        self._draft.events[event.id] = event
        return event

    def _events(self) -> list[DailyLog]:
        return sorted(
            (
                event
                for event in self._draft.events.values()
                if event.scope == self._scope
                and event.event_type in ("pattern_observed", "pattern_inferred")
                and event.timestamp >= self._now - _WEEK
            ),
            key=lambda event: event.id,
        )


def without_inner_ids(value: Any) -> Any:
    """Return a result without the ids that stand in JSON: nobody may ever have seen their rows."""
    if isinstance(value, MemoryEntry):
        return attrs.evolve(value, raw_metadata=_without(value.raw_metadata, "events"))
    if isinstance(value, DailyLog) and value.event_type == "pattern_inferred":
        return attrs.evolve(value, raw_event_data=_without(value.raw_event_data, "memory_id"))
    if isinstance(value, Page):
        return attrs.evolve(value, items=tuple(map(without_inner_ids, value.items)))
    if isinstance(value, list):
        return [without_inner_ids(item) for item in value]
    if isinstance(value, Observed | Remembered | Appended):
        inner: Iterable[str] = ("event", "inferred", "entry", "replaced")
        names = [name for name in inner if hasattr(value, name)]
        return attrs.evolve(value, **{n: without_inner_ids(getattr(value, n)) for n in names})
    return value


def _without(text: str | None, key: str) -> str | None:
    if text is None or f'"{key}"' not in text:
        return text
    return _encode({name: its for name, its in json.loads(text).items() if name != key})


def _encode(data: Any) -> str:
    return json.dumps(data, separators=(",", ":"))
