"""When a session was last active, for every statement that goes by it."""

from __future__ import annotations

from pypika import Case, Criterion, Table
from pypika.functions import Coalesce, Max, NullIf
from pypika.terms import ExistsCriterion, Field, Function, Term, ValueWrapper

from memrepo.queries.builder import Query, Scalar, param, statement
from memrepo.queries.statement import Statement

__all__ = ["keep", "last_activity"]

_log = Table("daily_logs").as_("log")
_s = Table("sessions")


def last_activity(session: Table) -> Term:
    """
    Return the latest of a session's start, its resumption and its events, of those up to ``:latest``.

    If all of them are later, a clock was wrong, and it is the start.
    """
    # The scalar max is NULL if anything is; '' sorts before every instant.
    known = Function(
        "max", _up_to_latest(session.started_at), _up_to_latest(session.active_at), _event(session)
    )
    return Coalesce(NullIf(known, ValueWrapper("")), session.started_at)


def _up_to_latest(instant: Field) -> Term:
    return Case().when(instant <= param("latest"), instant).else_(ValueWrapper(""))


def _event(session: Table) -> Term:
    """Return the time of the latest event, by the index on (session_id, timestamp)."""
    latest = (
        Query.from_(_log)
        .select(Max(_log.timestamp))
        .where(_log.session_id == session.id)
        .where(_log.timestamp <= param("latest"))
    )
    return Coalesce(Scalar(latest), ValueWrapper(""))


def keep(
    name: str,
    events: Table,
    doomed: Criterion,
    *,
    of: Term | None = None,
    in_thread: bool = False,
) -> Statement:
    """
    Note the last activity of each open session whose latest event is about to be deleted.

    To be run before the events go, in the same unit: or else the session would seem abandoned.

    Args:
        name: The statement's name.
        events: ``daily_logs``, as *doomed* names it.
        doomed: Which events of the scope will be deleted.
        of: The id of the session that they belong to, if it is only one; or else all open sessions are looked at.
        in_thread: Whether they belong to sessions of ``:thread``; or else those of all threads are looked at.
    """
    its_latest = (
        Query.from_(events)
        .select(1)
        .where(events.session_id == _s.id)
        .where(events.timestamp >= last_activity(_s))
        .where(doomed)
    )
    query = Query.update(_s).set(_s.active_at, last_activity(_s)).where(_s.scope == param("scope"))
    if of is not None:
        query = query.where(_s.id == of)
    if in_thread:
        query = query.where(_s.thread == param("thread"))
    return statement(name, query.where(_s.ended_at.isnull()).where(ExistsCriterion(its_latest)))
