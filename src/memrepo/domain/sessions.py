"""Sessions, as they go in and come out: frozen, slotted, keyword-only."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias

import attrs

from memrepo.domain.plain import PlainModel

__all__ = ["IDLE_AFTER", "Session", "SessionEnd", "SessionFilter", "SessionStatus"]

#: The status of a session when it is read.
SessionStatus: TypeAlias = Literal["active", "ended", "abandoned"]

#: How long a session may be idle before it is abandoned, by default.
IDLE_AFTER: Final = timedelta(minutes=30)


@attrs.frozen(kw_only=True)
class Session(PlainModel):
    """A conversation with a beginning and an end: one row of ``sessions``."""

    #: The row's number.
    id: int
    #: Whose session it is; ``""`` is the default scope.
    scope: str
    #: Which conversation of its owner's it is: the caller's own name for it; ``""`` is the default thread.
    thread: str
    #: When it began, UTC.
    started_at: datetime
    #: When it ended, UTC; ``None`` until then.
    ended_at: datetime | None
    #: Why it ended: ``explicit``, ``timeout``, ``error``, ``cancelled``, ``browser_close``, or any text.
    end_trigger: str | None
    #: A summary of it, or ``None``.
    summary: str | None
    #: The time of its latest event, of its resumption or of its start, whichever is the latest, UTC. What lies
    #: more than a minute ahead of the clock is not counted.
    last_activity_at: datetime
    #: At the moment of reading: ``ended``; ``active``; or ``abandoned``, which is not ended but has
    #: been idle for the repository's ``idle_after``.
    status: SessionStatus
    _is_mended: bool = attrs.field(default=False, repr=False)

    @property
    def is_broken(self) -> bool:
        """Whether a stored value cannot be read, as in `MemoryEntry.is_broken`."""
        return self._is_mended


@attrs.frozen(kw_only=True)
class SessionFilter:
    """Which sessions to read; conditions that are given must all hold. Ranges are half-open."""

    #: Only those of this thread; ``""`` is the default thread.
    thread: str | None = None
    #: Only those that are ``active``, ``ended`` or ``abandoned`` now, by the repository's ``idle_after``.
    status: SessionStatus | None = None
    #: Only those that have a summary (``True``) or have none (``False``).
    has_summary: bool | None = None
    #: Only those that started at this instant or later.
    started_from: datetime | None = None
    #: Only those that started before this instant.
    started_before: datetime | None = None
    #: Only those that ended for this reason.
    end_trigger: str | None = None
    #: Only those that have ended (``True``) or have not (``False``).
    is_ended: bool | None = None


@attrs.frozen(kw_only=True)
class SessionEnd(PlainModel):
    """The outcome of `SessionRepo.end`."""

    #: Whether this call ended it; ``False`` if it had ended before.
    ended_now: bool
    #: The session as it is stored now.
    session: Session
