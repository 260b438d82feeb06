"""What is known of a scope as a whole, and what was erased of one."""

from __future__ import annotations

from datetime import datetime

import attrs

from memrepo.domain.plain import PlainModel

__all__ = ["EraseReport", "ScopeInfo"]


@attrs.frozen(kw_only=True)
class ScopeInfo(PlainModel):
    """What is stored of one owner."""

    #: Whose rows they are; ``""`` is the default scope.
    scope: str
    #: All facts, those that are forgotten, expired or superseded among them.
    n_facts: int
    #: All sessions.
    n_sessions: int
    #: All events.
    n_events: int
    #: When the latest fact was created, the latest session started, or the latest event happened, UTC;
    #: ``None`` if no such instant can be read.
    last_activity_at: datetime | None


@attrs.frozen(kw_only=True)
class EraseReport(PlainModel):
    """What one call of `ScopedStore.erase` deleted."""

    #: Facts, those that were forgotten, expired or superseded among them.
    n_facts: int
    #: Sessions.
    n_sessions: int
    #: Events.
    n_events: int
