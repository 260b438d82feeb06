"""Digests of what a model has stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, datetime, tzinfo

import attrs

from memrepo import DailyLog, Digest, DigestFact, DigestSession, MemoryEntry, Session, ToolUse

from .state import Draft

__all__ = ["tell", "without_ids"]


def tell(
    draft: Draft,
    scope: str,
    now: datetime,
    *,
    events: Iterable[DailyLog],
    sessions: Iterable[Session],
    has: Callable[[datetime], bool],
    day: date | None,
    tz: tzinfo,
    limit: int,
) -> Digest:
    """Return the digest of events and sessions, and of the facts whose instants it *has*."""
    own = [*events]
    types = Counter(event.event_type for event in own)
    their = sorted(sessions, key=lambda session: (session.started_at, session.id))
    mine = [its for its in draft.facts.values() if its.scope == scope and not its.proposed_at]
    new = sorted(
        (fact for fact in mine if has(fact.created_at)), key=lambda fact: (fact.created_at, fact.id)
    )
    current = [fact for fact in new if _is_current(fact, now)]
    n_tools = types["tool_invocation"]
    by_type = sorted(types.items(), key=lambda its: (-its[1], its[0]))
    times = [
        *(event.timestamp for event in own),
        *(session.started_at for session in their if has(session.started_at)),
        *(fact.created_at for fact in new),
    ]
    return Digest(
        scope=scope,
        day=day,
        tz=tz,
        sessions=tuple(_session(session, own) for session in their[-limit:]),
        n_sessions=len(their),
        facts=tuple(_fact(fact, mine, now) for fact in current[-limit:]),
        n_facts=len(current),
        n_outdated=len(new) - len(current),
        n_forgotten=sum(
            has(fact.deleted_at) and not _went_with_successor(fact, mine)
            for fact in mine
            if fact.deleted_at is not None
        ),
        topics=(),
        n_topics=0,
        failures=(),
        n_failures=0,
        tools=(ToolUse(name="", n_calls=n_tools, n_failed=0),) if n_tools else (),
        n_tools=1 if n_tools else 0,
        user_states=(),
        n_user_states=0,
        n_by_type=dict(by_type[:limit]),
        n_types=len(types),
        n_events=len(own),
        n_unreadable=0,
        first_activity_at=min(times, default=None),
        last_activity_at=max(times, default=None),
    )


def without_ids(digest: Digest) -> Digest:
    """Return it without ids: those of the model and of the store are other ones."""
    return attrs.evolve(
        digest,
        sessions=tuple(attrs.evolve(session, id=0) for session in digest.sessions),
        facts=tuple(attrs.evolve(fact, id=0) for fact in digest.facts),
    )


def _is_current(fact: MemoryEntry, now: datetime) -> bool:
    return fact.deleted_at is None and fact.superseded_by is None and not _is_expired(fact, now)


def _is_expired(fact: MemoryEntry, now: datetime) -> bool:
    return fact.expires_at is not None and fact.expires_at <= now


def _went_with_successor(fact: MemoryEntry, mine: Iterable[MemoryEntry]) -> bool:
    return any(its.id == fact.superseded_by and its.deleted_at == fact.deleted_at for its in mine)


def _session(session: Session, events: Iterable[DailyLog]) -> DigestSession:
    return DigestSession(
        id=0,
        thread=session.thread,
        started_at=session.started_at,
        ended_at=session.ended_at,
        end_trigger=session.end_trigger,
        last_activity_at=session.last_activity_at,
        summary=session.summary,
        n_events=sum(event.session_id == session.id for event in events),
    )


def _fact(fact: MemoryEntry, mine: Iterable[MemoryEntry], now: datetime) -> DigestFact:
    replaced = [
        old
        for old in mine
        if old.superseded_by == fact.id and old.deleted_at is None and not _is_expired(old, now)
    ]
    newest = max(replaced, key=lambda old: old.id, default=None)
    return DigestFact(
        id=0,
        content=fact.content,
        category=fact.category,
        source=fact.source,
        created_at=fact.created_at,
        replaced=None if newest is None else newest.content,
    )
