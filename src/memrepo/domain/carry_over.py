"""What the next conversation should know of the last one, as data and as text of a limited length."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

import attrs

from memrepo.domain.daily_logs import DailyLog
from memrepo.domain.instants import encode_instant
from memrepo.domain.plain import PlainModel
from memrepo.domain.sessions import Session
from memrepo.errors import InvalidInputError

__all__ = [
    "NOTHING",
    "CarryOver",
    "CarryOverDraft",
    "CountTokens",
    "count_line",
    "count_text",
    "estimate_tokens",
]

#: Returns how many tokens a text has.
CountTokens: TypeAlias = Callable[[str], int]

#: Characters of a token, as a rule of thumb for text that no model is there to count.
_CHARACTERS: Final = 4


def estimate_tokens(text: str) -> int:
    """Estimate how many tokens a text has: one for every four characters or less."""
    return -(-len(text) // _CHARACTERS)


def count_line(line: str, count_tokens: CountTokens) -> int:
    """Return how many tokens a line has with its line break: at least one, so that a text has an end."""
    return max(count_text(f"{line}\n", count_tokens), 1)


def count_text(text: str, count_tokens: CountTokens) -> int:
    """Return how many tokens a text has."""
    n_tokens = count_tokens(text)
    if type(n_tokens) is not int or n_tokens < 0:
        raise InvalidInputError("count_tokens", "must return an int that is not negative")
    return n_tokens


@attrs.frozen(kw_only=True)
class CarryOver(PlainModel):
    """What the next conversation should know of the last one; see `SessionRepo.carry_over`."""

    #: The last session; ``None`` if there is none.
    session: Session | None
    #: Its summary, if that is in the text, or ``None``.
    summary: str | None
    #: Those of its events that are in the text, in the order in which they happened; each with all of its data.
    events: tuple[DailyLog, ...]
    #: What to tell a model: plain text, without a line break at its end; ``""`` if there is nothing to tell.
    text: str
    #: How many tokens the text has, counted line by line; each line has at least one.
    n_tokens: int


NOTHING: Final = CarryOver(session=None, summary=None, events=(), text="", n_tokens=0)


class CarryOverDraft:
    """A `CarryOver` that takes what still fits, the latest first."""

    def __init__(self, session: Session, max_tokens: int, count_tokens: CountTokens) -> None:
        self._session = session
        self._left = self._max = max_tokens
        #: Tokens for events and their heading.
        self._for_events = max_tokens
        self._count = count_tokens
        self._summary: str | None = None
        self._head: list[str] = []
        #: The latest first.
        self._events: list[DailyLog] = []
        self._lines: list[str] = []

    def take_summary(self) -> bool:
        """Take the summary, if there is one and it fits; return whether it was taken."""
        if not self._session.summary:
            return False
        until = encode_instant(self._session.last_activity_at)
        lines = [f"Summary of the last conversation, until {until}:"]
        lines += self._session.summary.splitlines()
        if is_taken := self._spend(*lines):
            self._summary = self._session.summary
            self._head = lines
        return is_taken

    def take_event(self, event: DailyLog) -> bool:
        """
        Take the event before those that were taken, if it fits; return whether it was taken.

        One that could never fit would hide all that was before it: it is taken without its data.
        """
        if not self._events:
            self._for_events = self._left
        line = _line(event)
        if self._take_line(event, line):
            return True
        n_tokens = self._n_tokens(self._events_head(), line)
        return n_tokens > self._for_events and self._take_line(event, _name(event))

    def _take_line(self, event: DailyLog, line: str) -> bool:
        lines = (line,) if self._events else (self._events_head(), line)
        if is_taken := self._spend(*lines):
            self._events.append(event)
            self._lines.append(line)
        return is_taken

    def finish(self) -> CarryOver:
        """Return what was taken."""
        events = [self._events_head(), *reversed(self._lines)] if self._events else []
        return CarryOver(
            session=self._session,
            summary=self._summary,
            events=tuple(reversed(self._events)),
            text="\n".join([*self._head, *events]),
            n_tokens=self._max - self._left,
        )

    def _events_head(self) -> str:
        return "Since then:" if self._head else "The end of the last conversation:"

    def _spend(self, *lines: str) -> bool:
        n_tokens = self._n_tokens(*lines)
        if n_tokens > self._left:
            return False
        self._left -= n_tokens
        return True

    def _n_tokens(self, *lines: str) -> int:
        return sum(count_line(line, self._count) for line in lines)


def _line(event: DailyLog) -> str:
    words = _words(event)
    if event.raw_event_data is not None and not event.is_broken:
        words += event.raw_event_data.splitlines()
    return " ".join(words)


def _name(event: DailyLog) -> str:
    return " ".join([*_words(event), "(too long)"])


def _words(event: DailyLog) -> list[str]:
    # Line breaks, in the type or between the parts of another program's JSON, would seem to begin an event.
    return [encode_instant(event.timestamp), *event.event_type.split()]
