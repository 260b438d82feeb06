"""`SessionRepo`, one call at a time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta, tzinfo
from typing import Any

import attrs

from memrepo import (
    IDLE_AFTER,
    ConflictError,
    NotFoundError,
    Page,
    Session,
    SessionEnd,
    SessionFilter,
    SessionStatus,
)

from .state import Draft, page_of

__all__ = ["Sessions"]

_ALL = SessionFilter()


class Sessions:
    """The sessions of one scope at one instant."""

    def __init__(self, draft: Draft, scope: str, now: datetime) -> None:
        self._sessions = draft.sessions
        self._draft = draft
        self._scope = scope
        self._now = now

    def start(self, *, end_active: bool = False) -> Session:
        self._time_out(IDLE_AFTER)
        active = self._open()
        if active is not None:
            if not end_active:
                raise ConflictError("a session is active")
            ended = max(self._now, active.started_at)
            self._change(active, ended_at=ended, end_trigger="explicit")
        return self._start()

    def get_or_start(
        self, *, idle_after: timedelta = IDLE_AFTER, day_boundary: tzinfo | None = None
    ) -> Session:
        self._time_out(idle_after, day_boundary)
        active = self._open()
        return self._start() if active is None else self._seen(active, idle_after)

    def end(self, id: int, *, trigger: str = "explicit", summary: str | None = None) -> SessionEnd:
        session = self.get(id)
        if session.ended_at is not None:
            return SessionEnd(ended_now=False, session=session)
        text = session.summary if summary is None else summary
        ended = max(self._now, session.started_at)
        changed = self._change(session, ended_at=ended, end_trigger=trigger, summary=text)
        return SessionEnd(ended_now=True, session=changed)

    def summarize(self, id: int, summary: str | None) -> Session:
        return self._change(self.get(id), summary=summary)

    def delete(self, id: int, *, events: str = "delete") -> int:
        self.get(id)
        its = [event for event in self._draft.events.values() if event.session_id == id]
        for event in its:
            if events == "keep":
                self._draft.events[event.id] = attrs.evolve(event, session_id=None)
            else:
                del self._draft.events[event.id]
        del self._sessions[id]
        return len(its)

    def get(self, id: int) -> Session:
        session = self.find(id)
        if session is None:
            raise NotFoundError("no such session")
        return session

    def find(self, id: int) -> Session | None:
        session = self._sessions.get(id)
        is_mine = session is not None and session.scope == self._scope
        return self._seen(session) if session is not None and is_mine else None

    def get_many(self, ids: Iterable[int]) -> list[Session | None]:
        return [self.find(number) for number in ids]

    def active(self) -> Session | None:
        session = self._open()
        seen = None if session is None else self._seen(session)
        return seen if seen is not None and seen.status == "active" else None

    def find_many(
        self, where: SessionFilter = _ALL, *, limit: int = 50, after: str | None = None
    ) -> Page[Session]:
        rows = [self._seen(session) for session in self._mine() if _matches(session, where)]
        return page_of(rows, lambda session: session.started_at, limit=limit, after=after)

    def iterate(self, where: SessionFilter = _ALL) -> list[Session]:
        return list(self.find_many(where, limit=10_000))

    # --- inside --------------------------------------------------------------------------------

    def _mine(self) -> list[Session]:
        return [session for session in self._sessions.values() if session.scope == self._scope]

    def _open(self) -> Session | None:
        return next((session for session in self._mine() if session.ended_at is None), None)

    def _last_activity(self, session: Session) -> datetime:
        events = self._draft.events.values()
        times = [event.timestamp for event in events if event.session_id == session.id]
        return max(times, default=session.started_at)

    def _seen(self, session: Session, idle_after: timedelta = IDLE_AFTER) -> Session:
        """Return the session as it is read now."""
        last = self._last_activity(session)
        is_idle = self._now - last >= idle_after
        status: SessionStatus = "abandoned" if is_idle else "active"
        if session.ended_at is not None:
            status = "ended"
        return attrs.evolve(session, last_activity_at=last, status=status)

    def _time_out(self, idle_after: timedelta, day_boundary: tzinfo | None = None) -> None:
        session = self._open()
        if session is None:
            return
        last = self._last_activity(session)
        local = self._now.astimezone(day_boundary)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        is_of_other_day = day_boundary is not None and last < midnight
        if self._now - last >= idle_after or is_of_other_day:
            ended = max(last, session.started_at)
            self._change(session, ended_at=ended, end_trigger="timeout")

    def _start(self) -> Session:
        session = Session(
            id=self._draft.next_id("sessions", self._now),
            scope=self._scope,
            thread="",
            started_at=self._now,
            ended_at=None,
            end_trigger=None,
            summary=None,
            last_activity_at=self._now,
            status="active",
        )
        self._sessions[session.id] = session
        return session

    def _change(self, session: Session, **values: Any) -> Session:
        stored = attrs.evolve(self._sessions[session.id], **values)
        self._sessions[session.id] = stored
        return self._seen(stored)


def _matches(session: Session, where: SessionFilter) -> bool:
    is_ended = session.ended_at is not None
    return (where.is_ended is None or is_ended is where.is_ended) and (
        where.end_trigger is None or session.end_trigger == where.end_trigger
    )
