"""The lines of a digest in Markdown."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

from memrepo.domain.days import day_range
from memrepo.domain.digest_items import DigestEvent, DigestFact, DigestSession, ToolUse
from memrepo.domain.markdown import inline, plural
from memrepo.domain.memories import INFERRED_SOURCES

__all__ = ["Lines", "Times"]

#: Most characters of a summary, and of any other text.
_MAX_SUMMARY: Final = 1_000
_MAX_WORDS: Final = 300


class Times:
    """Writes instants as the clock of a time zone shows them, with the date where it is not the day."""

    def __init__(self, tz: tzinfo, day: date | None) -> None:
        self._tz = tz
        self._day = day
        # On a day on which clocks change, an hour may come twice.
        self._with_offset = day is not None and _clocks_change(day, tz)

    def __call__(self, instant: datetime) -> str:
        """Return ``09:05``, ``2026-02-01 23:50`` or, where clocks change on the day, ``02:30+02:00``."""
        try:
            local = instant.astimezone(self._tz)
        except (OverflowError, ValueError):  # as in `start_of_day`
            local = instant.astimezone(UTC)
        text = local.replace(tzinfo=None).isoformat(" ", "minutes")
        if local.date() == self._day:
            text = text.partition(" ")[2]
        return text + local.isoformat(timespec="minutes")[16:] * self._with_offset


def _clocks_change(day: date, tz: tzinfo) -> bool:
    first, last = (end.astimezone(tz) for end in day_range(day, tz))
    return first.utcoffset() != last.utcoffset()


class Lines:
    """Writes what a digest is made of, each as one line."""

    def __init__(self, time: Times) -> None:
        self._time = time

    def session(self, session: DigestSession) -> str:
        """Return when it was, how it ended, and its summary."""
        start = self._time(session.started_at)
        if session.ended_at is None:
            times = f"{start}, not ended, last active {self._time(session.last_activity_at)}"
        else:
            trigger = _words(session.end_trigger or "", "for no known reason")
            times = f"{start} to {self._time(session.ended_at)} ({_duration(session.duration)}, {trigger})"
        thread = f", thread {_words(session.thread)}" if session.thread else ""
        summary = f": {inline(session.summary, _MAX_SUMMARY)}" if session.summary else ""
        return f"{times}{thread}, {plural(session.n_events, 'event')}{summary}"

    def fact(self, fact: DigestFact) -> str:
        """Return its category, its text, and what it replaced."""
        category = _words(fact.category)
        text = f"{category[:1].upper()}{category[1:]}: {_words(fact.content)}"
        if fact.replaced is not None:
            text += f" (instead of: {_words(fact.replaced)})"
        return f"{text} (inferred)" if fact.source in INFERRED_SOURCES else text

    def event(self, event: DigestEvent) -> str:
        """Return when it happened, and what."""
        detail = f": {_words(event.detail)}" if event.detail else ""
        return f"{self._time(event.timestamp)} {_words(event.subject)}{detail}"

    def tool(self, tool: ToolUse) -> str:
        """Return how often it was used, and how often it failed."""
        failed = f", {tool.n_failed:,} failed" if tool.n_failed else ""
        return f"{_words(tool.name)}: {plural(tool.n_calls, 'call')}{failed}"

    def event_type(self, its: tuple[str, int]) -> str:
        """Return how many events a type has."""
        name, number = its
        return f"{_words(name)}: {number:,}"


def _words(text: str, otherwise: str = "(not told)") -> str:
    return inline(text, _MAX_WORDS) or otherwise


def _duration(duration: timedelta) -> str:
    minutes = duration // timedelta(minutes=1)
    hours, rest = divmod(minutes, 60)
    return f"{hours:,} h {rest} min" if hours else f"{minutes} min"
