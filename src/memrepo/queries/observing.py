"""Statements that observe patterns, and infer facts from them."""

from __future__ import annotations

from typing import Final

from pypika import Case, Criterion, Table
from pypika.functions import Coalesce, Count, Max
from pypika.queries import QueryBuilder
from pypika.terms import CustomFunction, ExistsCriterion, NullValue, Term, ValueWrapper

from memrepo.domain.codec import DAILY_LOG_COLUMNS
from memrepo.domain.patterns import PATTERN_INFERRED, PATTERN_OBSERVED
from memrepo.queries.builder import Query, Scalar, columns_of, json_valid, param, statement
from memrepo.queries.daily_logs import session_in_scope
from memrepo.queries.facts import COLUMNS, MEMORIES, by_hash, current
from memrepo.queries.proposals import propose_expired, renew
from memrepo.queries.remembering import HASH_VERSION, NEW_COLUMNS, refresh, revive

__all__ = [
    "COUNT_OBSERVED",
    "INFER_INSERT",
    "INFER_PROPOSE_EXPIRED",
    "INFER_REFRESH",
    "INFER_RENEW",
    "INFER_REVIVE",
    "INFER_TELL",
    "OBSERVATIONS",
    "OBSERVE",
]

# A unit observes once: `OBSERVE` counts what was observed since the pattern was last inferred, and stores the
# number with the event. The statements after it look at that event, the last there is, and do something only if
# it makes the number full: so the log is gone through once, and of any number of tasks each is the n-th.

_d = Table("daily_logs")
_seen = Table("daily_logs").as_("seen")
_told = Table("daily_logs").as_("told")
_this = Table("daily_logs").as_("this")
_last = Table("daily_logs").as_("last")
_known = Table("memory_entries").as_("known")
_extract = CustomFunction("json_extract", ["json", "path"])
_group_array = CustomFunction("json_group_array", ["value"])
_json = CustomFunction("json", ["text"])
_json_set = CustomFunction("json_set", ["json", "path", "value"])

_COLUMNS = columns_of(_d, DAILY_LOG_COLUMNS)
_NEW = columns_of(_d, ("scope", "session_id", "event_type", "event_data", "timestamp"))


def _in_window(table: Table) -> Criterion:
    # By the index on (scope, timestamp).
    return (table.scope == param("scope")) & (table.timestamp >= param("since"))


def _pattern(table: Table) -> Term:
    # The function fails at text that is not JSON, as another program may have stored it.
    return Case().when(json_valid(table.event_data), _extract(table.event_data, "$.pattern"))


def _n(table: Table) -> Term:
    return _extract(table.event_data, "$.n")


def _of_pattern(table: Table, event_type: str) -> Criterion:
    is_its = _pattern(table) == param("pattern")
    return _in_window(table) & (table.event_type == event_type) & is_its


def _counted() -> QueryBuilder:
    """Begin a query of the observations that count: since the pattern was last inferred."""
    told = Query.from_(_told).select(Max(_told.id)).where(_of_pattern(_told, PATTERN_INFERRED))
    is_later: Criterion = _seen.id > Coalesce(Scalar(told), 0)
    return Query.from_(_seen).where(_of_pattern(_seen, PATTERN_OBSERVED)).where(is_later)


_n_counted = _counted().select(Count("*"))

COUNT_OBSERVED: Final = statement("memories.count_observed", _n_counted, is_long=True)
#: Which patterns were observed and inferred, in order, in the window.
OBSERVATIONS: Final = statement(
    "memories.observations",
    Query.from_(_seen)
    .select(_seen.event_type, _pattern(_seen))
    .where(_in_window(_seen))
    .where(_seen.event_type.isin((PATTERN_OBSERVED, PATTERN_INFERRED)))
    .orderby(_seen.id),
    is_long=True,
)
#: Appends the event, which has in ``n`` how many there are with it.
OBSERVE: Final = statement(
    "memories.observe",
    Query.into(_d)
    .columns(*_NEW)
    .insert(
        param("scope"),
        session_in_scope(param("session_id"), param("scope")),
        PATTERN_OBSERVED,
        _json_set(param("event_data"), "$.n", Scalar(_n_counted) + 1),
        param("now"),
    )
    .returning(*_COLUMNS, _n(_d)),
)


def _is_enough(this: Table = _this) -> Criterion:
    """Whether the last event is an observation that makes the number full."""
    newest = Query.from_(_last).select(Max(_last.id))
    is_newest: Criterion = this.id == Scalar(newest)
    return is_newest & (this.scope == param("scope")) & (_n(this) >= param("times"))


def _if_enough() -> Criterion:
    return ExistsCriterion(Query.from_(_this).select(1).where(_is_enough()))


INFER_REVIVE: Final = statement(
    "memories.infer_revive",
    revive(param("said_source"), NullValue())
    .where(by_hash())
    .where(_if_enough())
    .returning(*COLUMNS),
)
#: In its place, where the fact is only proposed.
INFER_PROPOSE_EXPIRED: Final = statement(
    "memories.infer_propose_expired", propose_expired(NullValue()).where(_if_enough())
)
#: Before all others.
INFER_RENEW: Final = statement(
    "memories.infer_renew", renew(NullValue()).where(by_hash()).where(_if_enough())
)
INFER_REFRESH: Final = statement(
    "memories.infer_refresh",
    refresh(param("said_source"), NullValue())
    .where(by_hash())
    .where(current())
    .where(_if_enough())
    .returning(*COLUMNS),
)


def _gathered() -> QueryBuilder:
    """The observations that the fact is inferred from, oldest first."""
    latest = (
        _counted()
        .select(_seen.id, _extract(_seen.event_data, "$.evidence").as_("evidence"))
        .orderby(_seen.id)
    )
    return Query.from_(latest.as_("part"))


_part = Table("part")
_events = Scalar(_gathered().select(_group_array(_part.id)))
_evidence = Scalar(_gathered().select(_group_array(_part.evidence)).where(_part.evidence.notnull()))


def _provenance() -> Term:
    with_pattern = _json_set(Coalesce(param("metadata"), "{}"), "$.pattern", param("pattern"))
    with_evidence = _json_set(with_pattern, "$.evidence", _json(_evidence))
    return _json_set(with_evidence, "$.events", _json(_events))


def _is_unknown() -> Criterion:
    known = Query.from_(_known).select(1).where(_known.content_hash == param("content_hash"))
    return ExistsCriterion(known).negate()


#: A fact with a ``:proposed_at`` is only proposed, which is why it is hidden.
INFER_INSERT: Final = statement(
    "memories.infer_insert",
    Query.into(MEMORIES)
    .columns(*NEW_COLUMNS, MEMORIES.deleted_at, MEMORIES.proposed_at)
    .from_(_this)
    .select(
        param("scope"),
        param("content"),
        param("content_hash"),
        param("category"),
        param("source"),
        param("now"),
        param("now"),
        _provenance(),
        NullValue(),
        HASH_VERSION,
        _this.session_id,
        param("proposed_at"),
        param("proposed_at"),
    )
    .where(_is_enough())
    .where(_is_unknown())
    .returning(*COLUMNS),
)
#: Appends an event that says so, from which on the count starts anew; the last statement of the unit.
INFER_TELL: Final = statement(
    "memories.infer_tell",
    Query.into(_d)
    .columns(*_NEW)
    .from_(_this)
    .select(
        param("scope"),
        _this.session_id,
        ValueWrapper(PATTERN_INFERRED),
        _json_set(
            param("event_data"),
            "$.memory_id",
            Scalar(Query.from_(MEMORIES).select(MEMORIES.id).where(by_hash())),
        ),
        param("now"),
    )
    .where(_is_enough())
    .returning(_d.id),
)
