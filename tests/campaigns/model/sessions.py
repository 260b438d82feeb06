"""`SessionRepo`, one call at a time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, cast

import attrs

from memrepo import (
    IDLE_AFTER,
    CarryOver,
    ConflictError,
    DailyLog,
    Digest,
    NotFoundError,
    Page,
    Session,
    SessionEnd,
    SessionFilter,
    SessionStatus,
    ThreadInfo,
)
from memrepo.domain.carry_over import NOTHING, CarryOverDraft, estimate_tokens

from .digests import tell
from .state import Draft, Unfinished, page_of

__all__ = ["Sessions", "last_activity"]

_ALL = SessionFilter()
#: How far ahead of the clock activity counts.
_AHEAD = timedelta(minutes=1)


class Sessions:
    """The sessions of one scope at one instant."""

    def __init__(self, draft: Draft, scope: str, now: datetime) -> None:
        self._sessions = draft.sessions
        self._draft = draft
        self._scope = scope
        self._now = now

    def start(self, thread: str = "", *, end_active: bool = False) -> Session:
        self._time_out(thread, IDLE_AFTER)
        active = self._open(thread)
        if active is not None:
            if not end_active:
                raise ConflictError("a session is active")
            ended = max(self._now, active.started_at)
            self._change(active, ended_at=ended, end_trigger="explicit")
        return self._start(thread)

    def get_or_start(
        self,
        thread: str = "",
        *,
        idle_after: timedelta = IDLE_AFTER,
        day_boundary: tzinfo | None = None,
    ) -> Session:
        self._time_out(thread, idle_after, day_boundary)
        active = self._open(thread)
        return self._start(thread) if active is None else self._seen(active, idle_after)

    def end(self, id: int, *, trigger: str = "explicit", summary: str | None = None) -> SessionEnd:
        session = self.get(id)
        if session.ended_at is not None:
            return SessionEnd(ended_now=False, session=session)
        text = session.summary if summary is None else summary
        if summary is not None:
            self._draft.summarized_until.pop(id, None)
        instant = self._last_activity(session) if trigger == "timeout" else self._now
        ended = max(instant, session.started_at)
        changed = self._change(session, ended_at=ended, end_trigger=trigger, summary=text)
        return SessionEnd(ended_now=True, session=changed)

    def end_abandoned(self, *, idle_after: timedelta = IDLE_AFTER) -> int:
        idle = [
            session
            for session in self._mine()
            if session.ended_at is None and self._is_idle(session, idle_after)
        ]
        for session in idle:
            self._end_idle(session)
        return len(idle)

    def resume(self, id: int) -> Session:
        session = self.get(id)
        beside = [
            other
            for other in self._mine()
            if other.id != id and other.thread == session.thread and other.ended_at is None
        ]
        if any(not self._is_idle(other, IDLE_AFTER) for other in beside):
            raise ConflictError("another session is active")
        for other in beside:
            self._end_idle(other)
        if session.summary is not None:
            self._draft.summarized_until.setdefault(id, self._now)
        return self._change(session, ended_at=None, end_trigger=None, last_activity_at=self._now)

    def summarize(self, id: int, summary: str | None) -> Session:
        session = self.get(id)
        self._draft.summarized_until.pop(id, None)
        return self._change(session, summary=summary)

    def delete(self, id: int, *, events: str = "delete") -> int:
        self.get(id)
        its = [event for event in self._draft.events.values() if event.session_id == id]
        for event in its:
            if events == "keep":
                self._draft.events[event.id] = attrs.evolve(event, session_id=None)
            else:
                del self._draft.events[event.id]
        for fact in self._draft.facts.values():
            if fact.session_id == id:
                self._draft.facts[fact.id] = attrs.evolve(fact, session_id=None)
        del self._sessions[id]
        self._draft.summarized_until.pop(id, None)
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

    def active(self, thread: str = "") -> Session | None:
        session = self._open(thread)
        seen = None if session is None else self._seen(session)
        return seen if seen is not None and seen.status == "active" else None

    def find_many(
        self, where: SessionFilter = _ALL, *, limit: int = 50, after: str | None = None
    ) -> Page[Session]:
        rows = [session for session in map(self._seen, self._mine()) if _matches(session, where)]
        return page_of(rows, lambda session: session.started_at, limit=limit, after=after)

    def iterate(self, where: SessionFilter = _ALL) -> list[Session]:
        return list(self.find_many(where, limit=10_000))

    def count(self, where: SessionFilter = _ALL) -> int:
        return len(self.find_many(where, limit=10_000))

    def unsummarized(
        self, min_events: int = 15, *, limit: int = 50, after: str | None = None
    ) -> Page[Session]:
        rows = [
            session
            for session in map(self._seen, self._mine())
            if session.status != "active"
            and session.summary is None
            and len(self._events(session)) >= min_events
        ]
        return page_of(rows, lambda session: session.started_at, limit=limit, after=after)

    def carry_over(
        self, thread: str = "", *, max_tokens: int = 2_000, progress: Unfinished | None = None
    ) -> CarryOver | Unfinished:
        """Read which session was the last, and then what is told of it, unless its summary is all."""
        if progress is None:
            last = self._last(thread)
            if last is None:
                return NOTHING
            since = self._draft.summarized_until.get(last.id)
            progress = Unfinished((self._seen(last), since))
            draft = CarryOverDraft(self._seen(last), max_tokens, estimate_tokens)
            is_read_on = not draft.take_summary() or since is not None
            return progress if is_read_on else draft.finish()
        session, since = cast("tuple[Session, datetime | None]", progress.so_far)
        draft = CarryOverDraft(session, max_tokens, estimate_tokens)
        has_summary = draft.take_summary()
        events = sorted(self._events(session), key=lambda event: (event.timestamp, event.id))
        for event in reversed(events):
            is_told = has_summary and since is not None and event.timestamp < since
            if is_told or not draft.take_event(event):
                break
        return draft.finish()

    def digest(self, id: int, tz: tzinfo = UTC, *, limit: int = 200) -> Digest:
        session = self.get(id)
        end = session.ended_at
        if end is None:
            is_active = session.status == "active"
            end = self._now + _AHEAD if is_active else session.last_activity_at
        return tell(
            self._draft,
            self._scope,
            self._now,
            events=self._events(session),
            sessions=[session],
            has=lambda instant: session.started_at <= instant <= end,
            day=None,
            tz=tz,
            limit=limit,
        )

    def threads(self, *, limit: int = 50, after: str | None = None) -> Page[ThreadInfo]:
        last: dict[str, Session] = {}
        for session in sorted(self._mine(), key=lambda its: (its.started_at, its.id)):
            last[session.thread] = self._seen(session)
        page = page_of(last.values(), lambda its: its.started_at, limit=limit, after=after)
        return Page(items=tuple(map(self._thread_of, page)), next_cursor=page.next_cursor)

    def iterate_threads(self) -> list[ThreadInfo]:
        return list(self.threads(limit=10_000))

    # --- inside --------------------------------------------------------------------------------

    def _mine(self) -> list[Session]:
        return [session for session in self._sessions.values() if session.scope == self._scope]

    def _thread_of(self, last: Session) -> ThreadInfo:
        beside = [session for session in self._mine() if session.thread == last.thread]
        return ThreadInfo(
            thread=last.thread,
            n_sessions=len(beside),
            last_activity_at=max(map(self._last_activity, beside)),
            last_session=last,
        )

    def _open(self, thread: str) -> Session | None:
        of_thread = (session for session in self._mine() if session.thread == thread)
        return next((session for session in of_thread if session.ended_at is None), None)

    def _last(self, thread: str) -> Session | None:
        """Return the session that was started or resumed last, of those that leave something behind."""
        over = [
            session
            for session in self._mine()
            if session.thread == thread
            and (session.ended_at is not None or self._is_idle(session, IDLE_AFTER))
            and (session.summary is not None or self._events(session))
        ]
        return max(over, key=lambda its: (its.last_activity_at, its.id), default=None)

    def _events(self, session: Session) -> list[DailyLog]:
        return [event for event in self._draft.events.values() if event.session_id == session.id]

    def _last_activity(self, session: Session) -> datetime:
        return last_activity(self._draft, session, self._now)

    def _is_idle(self, session: Session, idle_after: timedelta) -> bool:
        return self._now - self._last_activity(session) >= idle_after

    def _end_idle(self, session: Session) -> None:
        ended = max(self._last_activity(session), session.started_at)
        self._change(session, ended_at=ended, end_trigger="timeout")

    def _seen(self, session: Session, idle_after: timedelta = IDLE_AFTER) -> Session:
        """Return the session as it is read now."""
        last = self._last_activity(session)
        is_idle = self._is_idle(session, idle_after)
        status: SessionStatus = "abandoned" if is_idle else "active"
        if session.ended_at is not None:
            status = "ended"
        return attrs.evolve(session, last_activity_at=last, status=status)

    def _time_out(
        self, thread: str, idle_after: timedelta, day_boundary: tzinfo | None = None
    ) -> None:
        session = self._open(thread)
        if session is None:
            return
        last = self._last_activity(session)
        local = self._now.astimezone(day_boundary)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        is_of_other_day = day_boundary is not None and last < midnight
        if self._is_idle(session, idle_after) or is_of_other_day:
            self._end_idle(session)

    def _start(self, thread: str) -> Session:
        session = Session(
            id=self._draft.next_id("sessions", self._now),
            scope=self._scope,
            thread=thread,
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


def last_activity(draft: Draft, session: Session, now: datetime) -> datetime:
    """Return when a session was last active; a stored one knows of what no event tells."""
    events = draft.events.values()
    times = [event.timestamp for event in events if event.session_id == session.id]
    known = (session.started_at, draft.sessions[session.id].last_activity_at, *times)
    return max((time for time in known if time <= now + _AHEAD), default=session.started_at)


def _matches(session: Session, where: SessionFilter) -> bool:
    is_ended = session.ended_at is not None
    return (
        (where.is_ended is None or is_ended is where.is_ended)
        and (where.end_trigger is None or session.end_trigger == where.end_trigger)
        and (where.thread is None or session.thread == where.thread)
        and (where.status is None or session.status == where.status)
        and (where.has_summary is None or (session.summary is not None) is where.has_summary)
    )
