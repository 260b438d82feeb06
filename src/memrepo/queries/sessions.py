"""Statements about sessions. Each is restricted to one scope."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

from pypika import Case, Criterion, Field, Order, Table
from pypika.functions import Coalesce
from pypika.queries import QueryBuilder
from pypika.terms import ExistsCriterion, Function, NullValue, Term, ValueWrapper

from memrepo.domain.codec import SESSION_COLUMNS
from memrepo.queries import builder
from memrepo.queries.activity import last_activity
from memrepo.queries.builder import Query, Scalar, Unindexed, columns_of, param, statement
from memrepo.queries.statement import Statement

_s = Table("sessions")
_log = Table("daily_logs").as_("log")
_event = Table("daily_logs")
_open = Table("sessions").as_("open")
_own = Table("sessions").as_("own")
_idle = Table("sessions").as_("idle")
_last = Table("sessions").as_("last")

#: What a session is read with.
COLUMNS: Final = (*columns_of(_s, SESSION_COLUMNS), last_activity(_s))


def _select() -> QueryBuilder:
    return Query.from_(_s).select(*COLUMNS)


def _in_scope(table: Table = _s) -> Criterion:
    return table.scope == param("scope")


def _in_thread(table: Table = _s) -> Criterion:
    return _in_scope(table) & (table.thread == param("thread"))


def _by_id(table: Table = _s) -> Criterion:
    return (table.id == param("id")) & _in_scope(table)


def _is_idle(table: Table = _s) -> Criterion:
    return last_activity(table) < param("active_from")


def _is_over(table: Table = _s) -> Criterion:
    """Has ended, or is abandoned."""
    return table.ended_at.notnull() | _is_idle(table)


# --- starting and ending -----------------------------------------------------------------------


def _not_before_start(instant: Term) -> Term:
    """Return the instant, or the start if that is later: the clock that wrote it may have been ahead."""
    return Function("max", instant, _s.started_at)


def _time_out(name: str, *which: Criterion) -> Statement:
    """End sessions with the trigger ``timeout`` at their last activity, and never before their start."""
    query = Query.update(_s).set(_s.ended_at, _not_before_start(last_activity(_s)))
    return statement(name, query.set(_s.end_trigger, "timeout").where(Criterion.all(which)))


def _end(name: str, instant: Term) -> Statement:
    return statement(
        name,
        Query.update(_s)
        .set(_s.ended_at, _not_before_start(instant))
        .set(_s.end_trigger, param("end_trigger"))
        .set(_s.summary, Coalesce(param("summary"), _s.summary))
        .set(_s.summarized_until, Case().when(param("summary").isnull(), _s.summarized_until))
        .where(_by_id())
        .where(_s.ended_at.isnull())
        .returning(_s.id),
    )


#: Ends what is abandoned in a thread.
TIME_OUT: Final = _time_out("sessions.time_out", _in_thread(), _s.ended_at.isnull(), _is_idle())
#: Ends the next ``:limit`` abandoned sessions of all threads.
END_ABANDONED: Final = _time_out(
    "sessions.end_abandoned",
    _s.id.isin(
        Query.from_(_idle)
        .select(_idle.id)
        .where(_in_scope(_idle))
        .where(_idle.ended_at.isnull())
        .where(_is_idle(_idle))
        .orderby(_idle.started_at)
        .limit(param("limit"))
    ),
)
END_OPEN: Final = statement(
    "sessions.end_open",
    Query.update(_s)
    .set(_s.ended_at, _not_before_start(param("now")))
    .set(_s.end_trigger, "explicit")
    .where(_in_thread())
    .where(_s.ended_at.isnull()),
)
START: Final = statement(
    "sessions.start",
    Query.into(_s)
    .columns(_s.scope, _s.thread, _s.started_at, _s.is_exclusive)
    .select(param("scope"), param("thread"), param("now"), 1)
    .where(
        ExistsCriterion(
            Query.from_(_open).select(1).where(_in_thread(_open)).where(_open.ended_at.isnull())
        ).negate()
    )
    .returning(_s.id),
)
END: Final = _end("sessions.end", param("now"))
END_AT_LAST_ACTIVITY: Final = _end("sessions.end_at_last_activity", last_activity(_s))
SUMMARIZE: Final = statement(
    "sessions.summarize",
    Query.update(_s)
    .set(_s.summary, param("summary"))
    .set(_s.summarized_until, NullValue())
    .where(_by_id()),
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

# --- resuming ----------------------------------------------------------------------------------


def _beside(table: Table) -> Criterion:
    """Is another open session of the thread that the session ``:id`` belongs to."""
    thread = Scalar(Query.from_(_own).select(_own.thread).where(_by_id(_own)))
    is_other = (table.id != param("id")) & table.ended_at.isnull()
    return _in_scope(table) & (table.thread == thread) & is_other


#: Ends what is abandoned beside the session ``:id``.
TIME_OUT_BESIDE: Final = _time_out("sessions.time_out_beside", _beside(_s), _is_idle())
_now_if_summarized = Case().when(_s.summary.notnull(), param("now"))
#: Opens a session again, unless another one is open in its thread.
RESUME: Final = statement(
    "sessions.resume",
    Query.update(_s)
    .set(_s.ended_at, NullValue())
    .set(_s.end_trigger, NullValue())
    .set(_s.is_exclusive, 1)
    .set(_s.active_at, param("now"))
    .set(_s.summarized_until, Coalesce(_s.summarized_until, _now_if_summarized))
    .where(_by_id())
    .where(ExistsCriterion(Query.from_(_open).select(1).where(_beside(_open))).negate())
    .returning(_s.id),
)
#: The id of the newest session that is open beside the session ``:id``.
OPEN_BESIDE: Final = statement(
    "sessions.open_beside",
    Query.from_(_s)
    .select(_s.id)
    .where(_beside(_s))
    .orderby(_s.started_at, order=Order.desc)
    .orderby(_s.id, order=Order.desc)
    .limit(1),
)

# --- reading -----------------------------------------------------------------------------------

GET: Final = statement("sessions.get", _select().where(_by_id()))


@cache
def get_many(*, is_large: bool = False) -> Statement:
    """Read the sessions with the ids in a JSON array, in any order, each once."""
    query = builder.by_ids(_s).select(*COLUMNS).where(_in_scope())
    return statement("sessions.get_many", query, is_long=is_large)


def _newest_open() -> QueryBuilder:
    query = _select().where(_in_thread()).where(_s.ended_at.isnull())
    query = query.orderby(_s.started_at, order=Order.desc)
    return query.orderby(_s.id, order=Order.desc).limit(1)


#: The newest session of a thread that has not ended, by the partial index on open ones.
NEWEST_OPEN: Final = statement("sessions.newest_open", _newest_open())
#: The newest of them that is not abandoned: the original leaves several open.
ACTIVE: Final = statement("sessions.active", _newest_open().where(_is_idle().negate()))

#: The conditions of a filter, by the name of their parameter (or, without one, a name of their own).
CONDITIONS: Final[Mapping[str, Callable[[], Criterion]]] = {
    "thread": lambda: _s.thread == param("thread"),
    "started_from": lambda: _s.started_at >= param("started_from"),
    "started_before": lambda: _s.started_at < param("started_before"),
    "end_trigger": lambda: _s.end_trigger == param("end_trigger"),
    "ended": _s.ended_at.notnull,
    "not_ended": _s.ended_at.isnull,
    "active": lambda: _is_idle().negate(),
    "abandoned": _is_idle,
    "summarized": _s.summary.notnull,
    "not_summarized": _s.summary.isnull,
    "over": _is_over,
    "min_events": lambda: _has_events(_s, skipping="n_skipped"),
}
#: Those that an index answers, or that few sessions do not meet. With another one, all sessions of the
#: scope may be read.
_INDEXED: Final = frozenset({"thread", "started_from", "started_before", "ended", "not_ended"})


def _has_events(session: Table, *, skipping: str | None = None) -> Criterion:
    """Has an event, after as many as the parameter *skipping* says."""
    events = Query.from_(_log).select(1).where(_log.session_id == session.id)
    return ExistsCriterion(events.limit(1).offset(param(skipping)) if skipping else events)


def _where(conditions: frozenset[str]) -> list[Criterion]:
    return [_in_scope(), *(make() for name, make in CONDITIONS.items() if name in conditions)]


@cache
def find_many(conditions: frozenset[str], *, after: bool, is_large: bool = False) -> Statement:
    """Read a page, newest first, by an index that ends with started_at."""
    return builder.page(
        "sessions.find_many",
        _select(),
        _where(conditions),
        by=_s.started_at,
        after=after,
        newest_first=True,
        is_long=is_large or not conditions <= _INDEXED,
    )


@cache
def count(conditions: frozenset[str]) -> Statement:
    """Count the sessions of a filter."""
    return builder.count("sessions.count", _s, _where(conditions))


def _latest(by: Field) -> Scalar:
    """Return the id of the session with the latest *by*, of those in a thread that leave something behind."""
    return Scalar(
        Query.from_(_last)
        .select(_last.id)
        .where(_in_thread(_last))
        # Is not NULL, as the partial index knows it: not by pypika's NOT ... IS NULL.
        .where(by > ValueWrapper(""))
        .where(_is_over(_last))
        .where(_last.summary.notnull() | _has_events(_last))
        .orderby(by, order=Order.desc)
        .orderby(_last.id, order=Order.desc)
        .limit(1)
    )


#: Of a thread, the session that was started or resumed last, is over, and has a summary or an event; after
#: its columns, until when its summary knows it.
LAST: Final = statement(
    "sessions.last",
    _select()
    .select(_s.summarized_until)
    .where(_in_scope())
    .where(_s.id.isin([_latest(_last.started_at), _latest(_last.active_at)]))
    .orderby(
        Function("max", _s.started_at, Coalesce(_s.active_at, ValueWrapper(""))), order=Order.desc
    )
    .orderby(_s.id, order=Order.desc)
    .limit(1),
)
