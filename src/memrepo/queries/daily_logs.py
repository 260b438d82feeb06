"""Statements about events. Each is restricted to one scope."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

from pypika import Case, Criterion, Field, Order, Table
from pypika.functions import Coalesce, Count, Substring
from pypika.queries import QueryBuilder
from pypika.terms import ExistsCriterion, NullValue, Term

from memrepo.domain.codec import DAILY_LOG_COLUMNS
from memrepo.queries import activity, builder
from memrepo.queries.builder import JsonEach, Query, Scalar, Unindexed, json_item, param, statement
from memrepo.queries.coalescing import Values, coalescible, rows_in_order
from memrepo.queries.spelling import is_instant
from memrepo.queries.statement import Statement

_d = Table("daily_logs")
_s = Table("sessions").as_("session")
_known = Table("daily_logs").as_("known")
_COLUMNS = builder.columns_of(_d, DAILY_LOG_COLUMNS)
_NEW = ("scope", "session_id", "event_type", "event_data", "timestamp", "idempotency_key")
_NEW_COLUMNS = builder.columns_of(_d, _NEW)


def _in_scope() -> Criterion:
    return _d.scope == param("scope")


# --- appending ---------------------------------------------------------------------------------


def session_in_scope(session_id: Term, scope: Term) -> Term:
    """
    Return the session's id if it is in this scope, and otherwise -1.

    No session has the id -1, so that the foreign key fails, and the unit with it, as it does for a
    session that does not exist.
    """
    found = Query.from_(_s).select(_s.id).where(_s.id == session_id).where(_s.scope == scope)
    return Case().when(session_id.isnull(), NullValue()).else_(Coalesce(Scalar(found), -1))


def _is_new(key: Term) -> Criterion:
    # An insert that OR IGNORE skips would still use up an id, and write to count it.
    known = Query.from_(_known).select(1).where(_known.scope == param("scope"))
    return ExistsCriterion(known.where(_known.idempotency_key == key)).negate()


def _new(value: builder.ValueOf) -> list[Term]:
    session_id = session_in_scope(value("session_id"), value("scope"))
    rest = map(value, ("event_type", "event_data", "now", "key"))
    return [value("scope"), session_id, *rest]


def _append_each(items: Values) -> QueryBuilder:
    rows = Query.into(_d).columns(*_NEW_COLUMNS).from_(items).select(*_new(items.value))
    return rows.returning(_d.id)


APPEND: Final = coalescible(
    statement(
        "daily_logs.append",
        Query.into(_d).columns(*_NEW_COLUMNS).insert(*_new(param)).returning(_d.id),
        returns_little=True,
    ),
    ("scope", "session_id", "event_type", "event_data", "now", "key"),
    _append_each,
    rows_in_order,
)
#: Appends an event with an idempotency key; returns no row if the key was used before.
APPEND_ONCE: Final = statement(
    "daily_logs.append_once",
    Query.into(_d)
    .columns(*_NEW_COLUMNS)
    .select(*_new(param))
    .where(_is_new(param("key")))
    .or_ignore()
    .returning(*_COLUMNS),
)
GET_BY_KEY: Final = statement(
    "daily_logs.get_by_key",
    Query.from_(_d).select(*_COLUMNS).where(_in_scope()).where(_d.idempotency_key == param("key")),
)

# :batch is a JSON array of [session_id, event_type, event_data, key, timestamp]; the last two may be left out.
_items = JsonEach("batch")
_item_session, _item_type, _item_data, _item_key, _item_time = (
    json_item(_items, n) for n in range(5)
)

APPEND_MANY: Final = statement(
    "daily_logs.append_many",
    Query.into(_d)
    .columns(*_NEW_COLUMNS)
    .from_(_items)
    .select(
        param("scope"),
        session_in_scope(_item_session, param("scope")),
        _item_type,
        _item_data,
        Coalesce(_item_time, param("now")),
        _item_key,
    )
    .where(_item_key.isnull() | _is_new(_item_key))
    # So that ids grow in the order of the array.
    .orderby(_items.key)
    .or_ignore()
    .returning(_d.id, _d.idempotency_key),
)
_keys = JsonEach("keys")
#: The events that have one of the keys in a JSON array of [key].
GET_BY_KEYS: Final = statement(
    "daily_logs.get_by_keys",
    Query.from_(_d)
    .select(*_COLUMNS)
    .where(_in_scope())
    .where(_d.idempotency_key.isin(Query.from_(_keys).select(json_item(_keys, 0)))),
)

# --- reading -----------------------------------------------------------------------------------

GET: Final = statement(
    "daily_logs.get",
    Query.from_(_d).select(*_COLUMNS).where(_d.id == param("id")).where(_in_scope()),
)


@cache
def get_many(*, is_large: bool = False) -> Statement:
    """Read the events with the ids in a JSON array, in any order, each once."""
    query = builder.by_ids(_d).select(*_COLUMNS).where(_in_scope())
    return statement("daily_logs.get_many", query, is_long=is_large)


_types = JsonEach("event_types")
#: The conditions of a filter, by the name of their parameter.
CONDITIONS: Final[Mapping[str, Callable[[], Criterion]]] = {
    "session_id": lambda: _d.session_id == param("session_id"),
    "thread": lambda: _d.session_id.isin(_sessions_of_thread()),
    "event_type": lambda: _d.event_type == param("event_type"),
    "event_types": lambda: _d.event_type.isin(Query.from_(_types).select(_types.value)),
    "data": lambda: builder.has_pairs(_d.event_data, "data"),
    "timestamp_from": lambda: _d.timestamp >= param("timestamp_from"),
    "timestamp_before": lambda: _d.timestamp < param("timestamp_before"),
}
#: Those by time, which an index answers. With another one, all events of the scope may be read; those of one
#: session, or of one thread, are taken for few.
BY_TIME: Final = frozenset({"timestamp_from", "timestamp_before"})


def _sessions_of_thread() -> QueryBuilder:
    sessions = Query.from_(_s).select(_s.id).where(_s.scope == param("scope"))
    return sessions.where(_s.thread == param("thread"))


def _where(conditions: frozenset[str]) -> list[Criterion]:
    # SQLite would walk through the events of the whole scope, which are in order, to find those of a thread.
    in_scope = Unindexed(_d.scope) == param("scope") if "thread" in conditions else _in_scope()
    return [in_scope, *(make() for name, make in CONDITIONS.items() if name in conditions)]


@cache
def find_many(
    conditions: frozenset[str], *, after: bool, newest_first: bool, is_large: bool = False
) -> Statement:
    """
    Read a page by the index on (scope, timestamp) or, for a session's, on (session_id, timestamp).

    The sessions of a thread are sorted together, and of each SQLite reads no more than the page may need.
    """
    return builder.page(
        "daily_logs.find_many",
        Query.from_(_d).select(*_COLUMNS),
        _where(conditions),
        by=_d.timestamp,
        after=after,
        newest_first=newest_first,
        is_long=is_large or not (conditions <= BY_TIME or conditions & {"session_id", "thread"}),
    )


def _is_newest(conditions: frozenset[str]) -> Criterion:
    newest = Query.from_(_d).select(_d.id).where(Criterion.all(_where(conditions)))
    newest = newest.orderby(_d.timestamp, order=Order.desc).orderby(_d.id, order=Order.desc)
    is_newest: Criterion = _d.id == Scalar(newest.limit(1))
    return is_newest


@cache
def keep_before_pop(conditions: frozenset[str]) -> Statement:
    """Keep the activity of the event's session; to be run before `pop_last`."""
    newest = _is_newest(conditions)
    return activity.keep("daily_logs.keep_before_pop", _d, newest, of=_session_of(newest))


def _session_of(event: Criterion) -> Term:
    return Scalar(Query.from_(_d).select(_d.session_id).where(event))


@cache
def pop_last(conditions: frozenset[str]) -> Statement:
    """Delete the newest event of a filter, and return it; no row if there is none."""
    return statement(
        "daily_logs.pop_last",
        Query.from_(_d).delete().where(_is_newest(conditions)).returning(*_COLUMNS),
    )


@cache
def count(conditions: frozenset[str]) -> Statement:
    """Count the events of a filter."""
    return builder.count("daily_logs.count", _d, _where(conditions))


@cache
def count_by_type(conditions: frozenset[str]) -> Statement:
    """Count the events of a filter by their type."""
    return builder.count_by("daily_logs.count_by_type", _d, _d.event_type, _where(conditions))


#: The UTC days that have events, as the first ten characters of their instants.
DAYS: Final = statement(
    "daily_logs.days",
    Query.from_(_d)
    .select(Substring(_d.timestamp, 1, 10).as_("day"))
    .distinct()
    .where(_in_scope())
    .orderby(Field("day")),
    is_long=True,
)

_days = JsonEach("days")
_in_day = (
    Query.from_(_d)
    .select(Count("*"))
    .where(_in_scope())
    .where(_d.timestamp >= json_item(_days, 0))
    .where(_d.timestamp < json_item(_days, 1))
)
#: The number of events in each of a JSON array's [from, before], in its order.
COUNT_BY_DAY: Final = statement(
    "daily_logs.count_by_day",
    Query.from_(_days).select(Scalar(_in_day)).orderby(_days.key),
    is_long=True,
)

# --- deleting ----------------------------------------------------------------------------------

_its = (_d.id == param("id")) & _in_scope()
#: Keeps the activity of the event's session; to be run before `DELETE`.
KEEP_BEFORE_DELETE: Final = activity.keep(
    "daily_logs.keep_before_delete", _d, _its, of=_session_of(_its)
)
DELETE: Final = statement(
    "daily_logs.delete", Query.from_(_d).delete().where(_its).returning(*_COLUMNS)
)


def _deletable(conditions: frozenset[str]) -> Criterion:
    # An instant in another spelling would be compared as the text that it is.
    is_sure = [is_instant(_d.timestamp)] * bool(conditions & BY_TIME)
    return Criterion.all([*_where(conditions), *is_sure])


@cache
def keep_before_delete_many(conditions: frozenset[str]) -> Statement:
    """Keep the activity of sessions; to be run before `delete_many`."""
    doomed = _deletable(conditions)
    of = param("session_id") if "session_id" in conditions else None
    name, in_thread = "daily_logs.keep_before_delete_many", "thread" in conditions
    return activity.keep(name, _d, doomed, of=of, in_thread=in_thread)


@cache
def delete_many(conditions: frozenset[str]) -> Statement:
    """Delete the events of a filter."""
    return statement(
        "daily_logs.delete_many", Query.from_(_d).delete().where(_deletable(conditions))
    )


@cache
def count_deletable(conditions: frozenset[str]) -> Statement:
    """Count the events that `delete_many` would delete."""
    return builder.count("daily_logs.count_deletable", _d, [_deletable(conditions)])


_old = (_in_scope(), _d.timestamp < param("before"), is_instant(_d.timestamp))
#: Keeps the activity of sessions; to be run before `PURGE`.
KEEP_BEFORE_PURGE: Final = activity.keep("daily_logs.keep_before_purge", _d, Criterion.all(_old))
PURGE: Final = statement("daily_logs.purge", Query.from_(_d).delete().where(Criterion.all(_old)))
COUNT_PURGEABLE: Final = builder.count("daily_logs.count_purgeable", _d, _old)
