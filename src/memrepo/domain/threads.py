"""Threads, as they come out."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

import attrs

from memrepo.domain.codec import Row, to_session
from memrepo.domain.instants import NO_INSTANT, parse_instant
from memrepo.domain.plain import PlainModel
from memrepo.domain.sessions import Session

__all__ = ["ThreadInfo", "to_thread"]


@attrs.frozen(kw_only=True)
class ThreadInfo(PlainModel):
    """A thread: one of an owner's conversations, from session to session."""

    #: Its name; ``""`` is the default thread.
    thread: str
    #: How many sessions it has.
    n_sessions: int
    #: The latest activity of them, UTC.
    last_activity_at: datetime
    #: The session that was started last.
    last_session: Session


def to_thread(row: Row, now: datetime, idle_after: timedelta) -> ThreadInfo:
    """Decode a row of `to_session`, the number of sessions of its thread, and their last activity."""
    *its, n_sessions, active_text = row
    session = to_session(tuple(its), now, idle_after)
    last_activity_at = session.last_activity_at
    with suppress(*NO_INSTANT):
        last_activity_at = parse_instant(active_text)
    return ThreadInfo(
        thread=session.thread,
        n_sessions=n_sessions,
        last_activity_at=last_activity_at,
        last_session=session,
    )
