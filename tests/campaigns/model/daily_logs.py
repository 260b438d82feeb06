"""`DailyLogRepo`, one call at a time."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, tzinfo

import attrs

from memrepo import (
    Appended,
    DailyLog,
    DailyLogFilter,
    DailyLogNew,
    Digest,
    JsonValue,
    NotFoundError,
    Page,
)

from .digests import tell
from .sessions import last_activity
from .state import Draft, Unfinished, page_of

__all__ = ["DailyLogs"]

_ALL = DailyLogFilter()


class DailyLogs:
    """The events of one scope at one instant."""

    def __init__(self, draft: Draft, scope: str, now: datetime) -> None:
        self._events = draft.events
        self._draft = draft
        self._scope = scope
        self._now = now

    def append(
        self,
        session_id: int | None,
        event_type: str,
        event_data: JsonValue = None,
        *,
        key: str | None = None,
    ) -> Appended:
        new = DailyLogNew(
            session_id=session_id, event_type=event_type, event_data=event_data, key=key
        )
        return self._append_once(new)

    def append_many(self, events: Iterable[DailyLogNew]) -> list[Appended]:
        return [self._append_once(new) for new in events]

    def find_by_key(self, key: str) -> DailyLog | None:
        return self._by_key(key)

    def pop_last(self, where: DailyLogFilter = _ALL) -> DailyLog | None:
        newest = next(iter(self.iterate(where, newest_first=True)), None)
        if newest is not None:
            self._keep_activity([newest.id])
            del self._events[newest.id]
        return newest

    def recent_tool_invocations(self, *, limit: int = 10) -> list[DailyLog]:
        where = DailyLogFilter(event_type="tool_invocation")
        return list(self.find_many(where, limit=limit, newest_first=True))

    def count(self, where: DailyLogFilter = _ALL) -> int:
        return len(self.iterate(where))

    def count_by_type(self, where: DailyLogFilter = _ALL) -> dict[str, int]:
        counts = Counter(event.event_type for event in self.iterate(where))
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    def get(self, id: int) -> DailyLog:
        event = self.find(id)
        if event is None:
            raise NotFoundError("no such event")
        return event

    def find(self, id: int) -> DailyLog | None:
        event = self._events.get(id)
        return event if event is not None and event.scope == self._scope else None

    def get_many(self, ids: Iterable[int]) -> list[DailyLog | None]:
        return [self.find(number) for number in ids]

    def find_many(
        self,
        where: DailyLogFilter = _ALL,
        *,
        limit: int = 50,
        after: str | None = None,
        newest_first: bool = False,
    ) -> Page[DailyLog]:
        return page_of(
            [event for event in self._mine() if _matches(event, where)],
            lambda event: event.timestamp,
            limit=limit,
            after=after,
            newest_first=newest_first,
        )

    def iterate(
        self, where: DailyLogFilter = _ALL, *, newest_first: bool = False
    ) -> list[DailyLog]:
        return list(self.find_many(where, limit=10_000, newest_first=newest_first))

    def for_day(self, day: date, tz: tzinfo = UTC) -> list[DailyLog]:
        return [event for event in self.iterate() if _day(event, tz) == day]

    def digest(self, day: date, tz: tzinfo = UTC, *, limit: int = 200) -> Digest:
        events = self.for_day(day, tz)
        ids = {event.session_id for event in events}
        sessions = [
            attrs.evolve(session, last_activity_at=last_activity(self._draft, session, self._now))
            for session in self._draft.sessions.values()
            if session.scope == self._scope
            and (session.id in ids or session.started_at.astimezone(tz).date() == day)
        ]
        return tell(
            self._draft,
            self._scope,
            self._now,
            events=events,
            sessions=sessions,
            has=lambda instant: instant.astimezone(tz).date() == day,
            day=day,
            tz=tz,
            limit=limit,
        )

    def count_by_day(
        self, tz: tzinfo = UTC, *, progress: Unfinished | None = None
    ) -> dict[date, int] | Unfinished:
        """Read which days of UTC there are, and then count what is on them and the days around."""
        if progress is None:
            return Unfinished(tuple(sorted({_day(event, UTC) for event in self._mine()})))
        near = {
            date.fromordinal(day.toordinal() + shift)
            for day in progress.so_far
            if isinstance(day, date)
            for shift in (-1, 0, 1)
        }
        counts = Counter(_day(event, tz) for event in self._mine())
        return {day: counts[day] for day in sorted(counts) if day in near}

    def delete(self, id: int) -> DailyLog:
        event = self.get(id)
        self._keep_activity([id])
        del self._events[id]
        return event

    def delete_many(self, where: DailyLogFilter, *, dry_run: bool = False) -> int:
        gone = [event.id for event in self._mine() if _matches(event, where)]
        if not dry_run:
            self._keep_activity(gone)
            for number in gone:
                del self._events[number]
        return len(gone)

    def purge(self, before: datetime, *, dry_run: bool = False) -> int:
        gone = [event.id for event in self._mine() if event.timestamp < before]
        if not dry_run:
            self._keep_activity(gone)
            for number in gone:
                del self._events[number]
        return len(gone)

    # --- inside --------------------------------------------------------------------------------

    def _keep_activity(self, gone: list[int]) -> None:
        """Have open sessions remember when they were active, if the latest event that says so goes."""
        for session in [*self._draft.sessions.values()]:
            last = last_activity(self._draft, session, self._now)
            times = [
                event.timestamp
                for event in map(self._events.__getitem__, gone)
                if event.session_id == session.id
            ]
            if session.ended_at is None and any(time >= last for time in times):
                kept = attrs.evolve(session, last_activity_at=last)
                self._draft.sessions[session.id] = kept

    def _mine(self) -> list[DailyLog]:
        return [event for event in self._events.values() if event.scope == self._scope]

    def _by_key(self, key: str | None) -> DailyLog | None:
        return next((event for event in self._mine() if key is not None and event.key == key), None)

    def _append_once(self, new: DailyLogNew) -> Appended:
        known = self._by_key(new.key)
        if known is not None:
            return Appended(outcome="duplicate", event=known)
        return Appended(outcome="created", event=self._append(new))

    def _append(self, new: DailyLogNew) -> DailyLog:
        if new.session_id is not None:
            session = self._draft.sessions.get(new.session_id)
            if session is None or session.scope != self._scope:
                raise NotFoundError("no such session")
        data = None if new.event_data is None else json.dumps(new.event_data)
        event = DailyLog(
            id=self._draft.next_id("events", self._now, data),
            scope=self._scope,
            session_id=new.session_id,
            event_type=new.event_type,
            raw_event_data=data,
            timestamp=self._now,
            key=new.key,
        )
        self._events[event.id] = event
        return event


def _day(event: DailyLog, tz: tzinfo) -> date:
    return event.timestamp.astimezone(tz).date()


def _matches(event: DailyLog, where: DailyLogFilter) -> bool:
    return (
        (where.session_id is None or event.session_id == where.session_id)
        and (where.event_type is None or event.event_type == where.event_type)
        and (where.timestamp_from is None or event.timestamp >= where.timestamp_from)
        and (where.timestamp_before is None or event.timestamp < where.timestamp_before)
    )
