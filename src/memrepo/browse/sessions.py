"""Sessions as a timeline, with their threads; and each with its events and what was learnt in it."""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby
from typing import Final

from starlette.responses import Response

from memrepo.browse.visit import Visit
from memrepo.domain.daily_logs import DailyLogFilter
from memrepo.domain.memories import MemoryFilter
from memrepo.domain.sessions import Session, SessionFilter

__all__ = ["list_sessions", "show_session"]

_ON_A_PAGE: Final = 30
_EVENTS: Final = 50
_FACTS: Final = 20
_THREADS: Final = 12


async def list_sessions(visit: Visit) -> Response:
    """Show the sessions, the latest first, by days."""
    thread = visit.query.get("thread")  # "" is the default thread
    where = SessionFilter(thread=thread)
    sessions = visit.store.sessions
    page = await sessions.find_many(where, limit=_ON_A_PAGE, after=visit.text("after"))
    days = groupby(page, key=lambda session: visit.local(session.started_at).date())
    return visit.answer(
        "sessions",
        page=page,
        days=[(day, [*its]) for day, its in days],
        amounts=await visit.rows.of_sessions([session.id for session in page]),
        thread=thread,
        threads=await visit.site.background.get(
            ("threads", visit.scope), lambda: sessions.threads(limit=_THREADS)
        ),
        duration=duration,
    )


async def show_session(visit: Visit) -> Response:
    """Show a session: its summary, what was learnt in it, its events."""
    session = await visit.store.sessions.get(visit.id)
    learnt = MemoryFilter(
        session_id=session.id,
        include_forgotten=True,
        include_expired=True,
        include_superseded=True,
    )
    events = DailyLogFilter(session_id=session.id)
    return visit.answer(
        "session",
        session=session,
        duration=duration(session),
        facts=await visit.store.memories.find_many(
            learnt, limit=_FACTS, after=visit.text("after_fact")
        ),
        events=await visit.store.daily_logs.find_many(
            events, limit=_EVENTS, after=visit.text("after")
        ),
        amounts=(await visit.rows.of_sessions([session.id]))[session.id],
        is_first=visit.text("after") is None,
    )


def duration(session: Session) -> str:
    """Return how long a session went on, in words."""
    took = (session.ended_at or session.last_activity_at) - session.started_at
    minutes = max(took, timedelta(0)) // timedelta(minutes=1)
    if minutes < 1:
        return "under a minute"
    hours, rest = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "d"), (hours, "h"), (rest if not days else 0, "min"))
    return " ".join(f"{n} {unit}" for n, unit in parts if n)
