"""
The arc of a day or of a session, read by one statement: one snapshot, and one round trip to a server.

Its rows are of several parts, each with the part's name first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Final, NamedTuple, TypeAlias

from pypika import Case, Criterion, Order, Table
from pypika.functions import Coalesce, Count, Length, Max, Min, Substring, Sum
from pypika.queries import QueryBuilder
from pypika.terms import Field, Function, NullValue, Term, ValueWrapper

from memrepo.domain.codec import DAILY_LOG_COLUMNS, MEMORY_COLUMNS, SESSION_COLUMNS
from memrepo.queries import facts
from memrepo.queries.activity import last_activity
from memrepo.queries.builder import Query, Scalar, Unindexed, json_valid, param
from memrepo.queries.statement import Statement

__all__ = ["day", "session"]

_d = Table("daily_logs")
_s = Table("sessions")
_own = Table("sessions").as_("own")
_log = Table("daily_logs").as_("its")
_old = Table("memory_entries").as_("old")
_m = facts.MEMORIES

#: The columns of the widest part: a fact's, and what it replaced.
_WIDTH: Final = len(MEMORY_COLUMNS) + 1

_On: TypeAlias = Callable[[Table], Criterion]


class _Span(NamedTuple):
    """What a digest is of: the conditions of its rows."""

    #: Of its events, by their table.
    events: _On
    #: Of its sessions.
    sessions: Criterion
    #: Of an instant that is in it.
    has: Callable[[Field], Criterion]


def _digest(name: str, span: _Span) -> Statement:
    parts = (
        _part("n_events", *_count_events(span)),
        _part("n_sessions", *_count_sessions(span)),
        _part("n_facts", *_count_facts(span)),
        _part("n_forgotten", *_count_forgotten(span)),
        _part("type", *_types(span)),
        _part("tool", *_tools(span)),
        _part("session", *_sessions(span)),
        _part("fact", *_facts(span)),
        _part("topic", *_events(span, _is_topic)),
        _part("user_state", *_events(span, _is_user_state)),
        _part("failure", *_events(span, _is_failure())),
    )
    return Statement(name, " UNION ALL ".join(parts), is_long=True)


def _part(name: str, query: QueryBuilder, terms: Iterable[Term]) -> str:
    """Select the part's name, *terms*, and NULLs up to the width of the widest part."""
    columns = [*terms]
    query = query.select(ValueWrapper(name), *columns, *[NullValue()] * (_WIDTH - len(columns)))
    # Of the parts of a union, only a subquery can have an order and a limit.
    return str(Query.from_(query.as_("part")).select("*").get_sql())


def _latest(query: QueryBuilder, *by: Field) -> QueryBuilder:
    for field in by:
        query = query.orderby(field, order=Order.desc)
    return query.limit(param("limit"))


def _number_of(criterion: Criterion) -> Term:
    return Coalesce(Sum(Case().when(criterion, 1).else_(0)), 0)


def _short(text: Field) -> Term:
    # One character more than is shown, to see that there are more.
    return Substring(text, 1, param("max_text"))


# --- events ------------------------------------------------------------------------------------

#: The data, if it is JSON: functions fail at any other text.
_json = Case().when(json_valid(_d.event_data), _d.event_data)
_is_topic = _d.event_type == "topic_change"
_is_user_state = _d.event_type == "user_state"
_is_tool = _d.event_type == "tool_invocation"


def _in_json(*paths: str) -> Term:
    return Function("json_extract", _json, *paths)


def _has_text(path: str) -> Criterion:
    is_text = Function("json_type", _json, path) == "text"
    return is_text & (_in_json(path) != ValueWrapper(""))


#: The tool's name, as the original's events or ours have it, twice in an array; NULL if there is none. As JSON, it
#: keeps the half of a surrogate pair escaped, which as text would not be UTF-8.
_name = (
    Case()
    .when(_has_text("$.toolName"), _in_json("$.toolName", "$.toolName"))
    .when(_has_text("$.tool"), _in_json("$.tool", "$.tool"))
)
_tool = Case().when(Length(_name) < param("max_text"), _name)


def _is_failure() -> Criterion:
    # Whether it went well; where that is not told, an error tells.
    has_error = Case().when(_in_json("$.error").notnull(), 0).else_(1)
    ok = Coalesce(_in_json("$.success"), _in_json("$.ok"), has_error)
    return (_d.event_type == "error") | (_is_tool & (ok == 0))


def _of_events(span: _Span, *which: Criterion) -> QueryBuilder:
    return Query.from_(_d).where(Criterion.all([span.events(_d), *which]))


def _count_events(span: _Span) -> tuple[QueryBuilder, list[Term]]:
    is_readable = _d.event_data.isnull() | json_valid(_d.event_data)
    return _of_events(span), [
        Count("*"),
        Min(_d.timestamp),
        Max(_d.timestamp),
        _number_of(is_readable.negate()),
        _number_of(_is_topic),
        _number_of(_is_user_state),
        _number_of(_is_failure()),
        Count(_d.event_type).distinct(),
        Count(Case().when(_is_tool, Coalesce(_tool, ValueWrapper("")))).distinct(),
    ]


def _types(span: _Span) -> tuple[QueryBuilder, list[Term]]:
    query = _of_events(span).groupby(_d.event_type)
    query = query.orderby(Count("*"), order=Order.desc).orderby(_d.event_type)
    return query.limit(param("limit")), [_short(_d.event_type), Count("*")]


def _tools(span: _Span) -> tuple[QueryBuilder, list[Term]]:
    query = _of_events(span, _is_tool).groupby(_tool)
    query = query.orderby(Count("*"), order=Order.desc).orderby(_tool).limit(param("limit"))
    return query, [_tool, Count("*"), _number_of(_is_failure())]


def _events(span: _Span, which: Criterion) -> tuple[QueryBuilder, list[Term]]:
    shorter = {
        "event_data": Case().when(Length(_d.event_data) < param("max_data"), _d.event_data),
        "event_type": _short(_d.event_type),
        "idempotency_key": NullValue(),
    }
    columns = [shorter.get(name, _d[name]) for name in DAILY_LOG_COLUMNS]
    return _latest(_of_events(span, which), _d.timestamp, _d.id), columns


# --- sessions ----------------------------------------------------------------------------------


def _count_sessions(span: _Span) -> tuple[QueryBuilder, list[Term]]:
    start = Case().when(span.has(_s.started_at), _s.started_at)
    return Query.from_(_s).where(span.sessions), [Count("*"), Min(start), Max(start)]


def _sessions(span: _Span) -> tuple[QueryBuilder, list[Term]]:
    its_events = Query.from_(_log).select(Count("*")).where(_log.session_id == _s.id)
    its_events = its_events.where(span.events(_log))
    columns = [_short(_s.summary) if name == "summary" else _s[name] for name in SESSION_COLUMNS]
    query = _latest(Query.from_(_s).where(span.sessions), _s.started_at, _s.id)
    return query, [*columns, last_activity(_s), Scalar(its_events)]


# --- facts -------------------------------------------------------------------------------------


def _new_facts(span: _Span) -> QueryBuilder:
    query = Query.from_(_m).where(facts.in_scope()).where(span.has(_m.created_at))
    return query.where(facts.no_proposal())


def _count_facts(span: _Span) -> tuple[QueryBuilder, list[Term]]:
    return _new_facts(span), [
        _number_of(facts.current()),
        Min(_m.created_at),
        Max(_m.created_at),
        _number_of(facts.gone()),
    ]


def _count_forgotten(span: _Span) -> tuple[QueryBuilder, list[Term]]:
    query = Query.from_(_m).where(facts.in_scope()).where(span.has(_m.deleted_at))
    with_another = facts.was_forgotten_with_successor()
    return query.where(facts.no_proposal()).where(with_another.negate()), [Count("*")]


def _facts(span: _Span) -> tuple[QueryBuilder, list[Term]]:
    replaced = (
        Query.from_(_old)
        .select(_short(_old.content))
        .where(_old.superseded_by == _m.id)
        .where(facts.also_in_scope(_old))
        .where(_old.deleted_at.isnull())
        .where(facts.unexpired(_old))
        .orderby(_old.id, order=Order.desc)
        .limit(1)
    )
    shorter = {"content": _short(_m.content), "metadata": NullValue()}
    columns = [shorter.get(name, _m[name]) for name in MEMORY_COLUMNS]
    query = _latest(_new_facts(span).where(facts.current()), _m.created_at, _m.id)
    return query, [*columns, Scalar(replaced)]


# --- of a day ----------------------------------------------------------------------------------


def _on_the_day(instant: Field) -> Criterion:
    return (instant >= param("start")) & (instant < param("end"))


def _events_of_the_day(events: Table) -> Criterion:
    return (events.scope == param("scope")) & _on_the_day(events.timestamp)


def _sessions_of_the_day() -> Criterion:
    started = Query.from_(_own).select(_own.id).where(_own.scope == param("scope"))
    started = started.where(_on_the_day(_own.started_at))
    with_events = Query.from_(_log).select(_log.session_id).where(_events_of_the_day(_log))
    is_of_the_day = _s.id.isin(started) | _s.id.isin(with_events)
    return is_of_the_day & (Unindexed(_s.scope) == param("scope"))


@cache
def day() -> Statement:
    """Read the arc of a day. Not made until it is asked for: both take a twentieth of importing memrepo."""
    span = _Span(_events_of_the_day, _sessions_of_the_day(), _on_the_day)
    return _digest("daily_logs.digest", span)


# --- of a session ------------------------------------------------------------------------------


def _events_of_the_session(events: Table) -> Criterion:
    return (events.session_id == param("id")) & (Unindexed(events.scope) == param("scope"))


def _of_the_session(value: Term) -> Term:
    its = (_own.id == param("id")) & (_own.scope == param("scope"))
    return Scalar(Query.from_(_own).select(value).where(its))


def _during_the_session(instant: Field) -> Criterion:
    active = last_activity(_own)
    is_idle = active < param("active_from")
    end = Coalesce(_own.ended_at, Case().when(is_idle, active).else_(param("latest")))
    return (instant >= _of_the_session(_own.started_at)) & (instant <= _of_the_session(end))


@cache
def session() -> Statement:
    """Read the arc of a session."""
    is_the_session = (_s.id == param("id")) & (_s.scope == param("scope"))
    span = _Span(_events_of_the_session, is_the_session, _during_the_session)
    return _digest("sessions.digest", span)
