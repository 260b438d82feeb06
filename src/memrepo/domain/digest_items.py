"""What a digest is made of: sessions, facts, events and tools, each as far as a digest tells of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import attrs

from memrepo.domain.plain import PlainModel

__all__ = ["MAX_DIGEST_TEXT", "DigestEvent", "DigestFact", "DigestSession", "ToolUse"]

#: Most characters of a summary, a fact or an event in a digest; a longer one ends with ``…``.
MAX_DIGEST_TEXT: Final = 2_000


@attrs.frozen(kw_only=True)
class DigestSession(PlainModel):
    """A session in a digest."""

    #: Its id.
    id: int
    #: Which conversation it is; ``""`` is the default thread.
    thread: str
    #: When it began, UTC.
    started_at: datetime
    #: When it ended, UTC; ``None`` until then.
    ended_at: datetime | None
    #: Why it ended, or ``None``.
    end_trigger: str | None
    #: The time of its last activity, UTC.
    last_activity_at: datetime
    #: Its summary, of which at most 2,000 characters; or ``None``.
    summary: str | None
    #: How many of the digest's events are its.
    n_events: int

    @property
    def duration(self) -> timedelta:
        """How long it went on: until its end, or until its last activity while it has none."""
        return max((self.ended_at or self.last_activity_at) - self.started_at, timedelta(0))


@attrs.frozen(kw_only=True)
class DigestFact(PlainModel):
    """A fact in a digest."""

    #: Its id.
    id: int
    #: Its text, of which at most 2,000 characters.
    content: str
    #: ``preference``, ``fact``, ``pattern``, ... ; any text.
    category: str
    #: ``user_explicit``, ``inferred``, or what another program wrote.
    source: str
    #: When it was first remembered, UTC.
    created_at: datetime
    #: The text of the fact that it replaced, likewise; ``None`` if there is none, or it was forgotten.
    replaced: str | None


@attrs.frozen(kw_only=True)
class DigestEvent(PlainModel):
    """A topic, a user state or a failure in a digest: an event, in words."""

    #: Its id.
    id: int
    #: The session it belongs to, or ``None``.
    session_id: int | None
    #: When it happened, UTC.
    timestamp: datetime
    #: The topic, the sentiment, or the tool that failed; ``""`` if the event does not say.
    subject: str
    #: The context of the sentiment, or the error of the tool; ``""`` if the event does not say.
    detail: str


@attrs.frozen(kw_only=True)
class ToolUse(PlainModel):
    """How often a tool was used."""

    #: Its name; ``""`` if the events do not say.
    name: str
    #: How many times it was used.
    n_calls: int
    #: How many of these failed.
    n_failed: int
