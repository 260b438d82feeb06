"""Statements about sessions. Each is restricted to one scope."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

from pypika import Criterion, Order, Table
from pypika.functions import Coalesce, Max
from pypika.queries import QueryBuilder
from pypika.terms import ExistsCriterion, Function, NullValue, Term

from memrepo.domain.codec import SESSION_COLUMNS
from memrepo.queries import builder
from memrepo.queries.builder import Query, Scalar, Unindexed, columns_of, param, statement
from memrepo.queries.statement import Statement

_s = Table("sessions")
_log = Table("daily_logs").as_("log")
_event = Table("daily_logs")
_open = Table("sessions").as_("open")


def _latest_event() -> Scalar:
    """Return the time of the latest event, by the index on (session_id, timestamp)."""
    return Scalar(Query.from_(_log).select(Max(_log.timestamp)).where(_log.session_id == _s.id))


_COLUMNS: Final = (*columns_of(_s, SESSION_COLUMNS), _latest_event())


def _select() -> QueryBuilder:
    return Query.from_(_s).select(*_COLUMNS)


def _in_scope(table: Table = _s) -> Criterion:
    return table.scope == param("scope")


def _by_id() -> Criterion:
    return (_s.id == param("id")) & _in_scope()


# --- starting and ending -----------------------------------------------------------------------


def _last_activity() -> Coalesce:
    return Coalesce(_latest_event(), _s.started_at)


def _not_before_start(instant: Term) -> Term:
    """Return the instant, or the start if that is later: the clock that wrote it may have been ahead."""
    return Function("max", instant, _s.started_at)


#: Ends sessions that have been idle since ``:idle_since``, or were last active before ``:day_start``
#: (``''`` for no day boundary), at their last activity, and never before their start.
TIME_OUT: Final = statement(
    "sessions.time_out",
    Query.update(_s)
    .set(_s.ended_at, _not_before_start(_last_activity()))
    .set(_s.end_trigger, "timeout")
    .where(_in_scope())
    .where(_s.ended_at.isnull())
    .where((_last_activity() <= param("idle_since")) | (_last_activity() < param("day_start"))),
)
END_OPEN: Final = statement(
    "sessions.end_open",
    Query.update(_s)
    .set(_s.ended_at, _not_before_start(param("now")))
    .set(_s.end_trigger, "explicit")
    .where(_in_scope())
    .where(_s.ended_at.isnull()),
)
START: Final = statement(
    "sessions.start",
    Query.into(_s)
    .columns(_s.scope, _s.started_at, _s.is_exclusive)
    .select(param("scope"), param("now"), 1)
    .where(
        ExistsCriterion(
            Query.from_(_open).select(1).where(_in_scope(_open)).where(_open.ended_at.isnull())
        ).negate()
    )
    .returning(_s.id),
)
END: Final = statement(
    "sessions.end",
    Query.update(_s)
    .set(_s.ended_at, _not_before_start(param("now")))
    .set(_s.end_trigger, param("end_trigger"))
    .set(_s.summary, Coalesce(param("summary"), _s.summary))
    .where(_by_id())
    .where(_s.ended_at.isnull())
    .returning(_s.id),
)
SUMMARIZE: Final = statement(
    "sessions.summarize",
    Query.update(_s).set(_s.summary, param("summary")).where(_by_id()),
)

# --- deleting ----------------------------------------------------------------------------------
# The events go first, because of the foreign key, and only if the session is of this scope.


def _events() -> Criterion:
    session = Query.from_(_s).select(_s.id).where(_by_id())
    return (_event.session_id == Scalar(session)) & (Unindexed(_event.scope) == param("scope"))


DELETE_EVENTS: Final = statement(
    "sessions.delete_events", Query.from_(_event).delete().where(_events())
)
RELEASE_EVENTS: Final = statement(
    "sessions.release_events",
    Query.update(_event).set(_event.session_id, NullValue()).where(_events()),
)
DELETE: Final = statement(
    "sessions.delete", Query.from_(_s).delete().where(_by_id()).returning(_s.id)
)

# --- reading -----------------------------------------------------------------------------------

GET: Final = statement("sessions.get", _select().where(_by_id()))
#: The sessions with the ids in a JSON array, in any order, each once.
GET_MANY: Final = statement(
    "sessions.get_many", builder.by_ids(_s).select(*_COLUMNS).where(_in_scope())
)
#: The newest session that has not ended, by the partial index on open ones.
NEWEST_OPEN: Final = statement(
    "sessions.newest_open",
    _select()
    .where(_in_scope())
    .where(_s.ended_at.isnull())
    .orderby(_s.started_at, order=Order.desc)
    .orderby(_s.id, order=Order.desc)
    .limit(1),
)

#: The conditions of a filter, by the name of their parameter (or, without one, a name of their own).
CONDITIONS: Final[Mapping[str, Callable[[], Criterion]]] = {
    "started_from": lambda: _s.started_at >= param("started_from"),
    "started_before": lambda: _s.started_at < param("started_before"),
    "end_trigger": lambda: _s.end_trigger == param("end_trigger"),
    "ended": _s.ended_at.notnull,
    "not_ended": _s.ended_at.isnull,
}


def _where(conditions: frozenset[str]) -> list[Criterion]:
    return [_in_scope(), *(make() for name, make in CONDITIONS.items() if name in conditions)]


@cache
def find_many(conditions: frozenset[str], *, after: bool) -> Statement:
    """Read a page, newest first, by the index on (scope, started_at)."""
    return builder.page(
        "sessions.find_many",
        _select(),
        _where(conditions),
        by=_s.started_at,
        after=after,
        newest_first=True,
    )
