"""Statements that list the threads of a scope."""

from __future__ import annotations

from functools import cache

from pypika import Criterion, Table
from pypika.functions import Count
from pypika.queries import QueryBuilder
from pypika.terms import ExistsCriterion, Function, Term, Tuple

from memrepo.domain.codec import SESSION_COLUMNS
from memrepo.queries import builder
from memrepo.queries.activity import last_activity
from memrepo.queries.builder import Query, Scalar, columns_of, param
from memrepo.queries.statement import Statement

__all__ = ["page"]

_s = Table("sessions")
_other = Table("sessions").as_("other")


@cache
def page(*, after: bool) -> Statement:
    """
    Read a page of threads: of each, the session that was started last, the latest first.

    After its columns, the time of its last activity among them, come the number of the thread's sessions and
    their last activity. By the indexes on (scope, started_at) and (scope, thread, started_at).
    """
    columns = [*columns_of(_s, SESSION_COLUMNS), last_activity(_s)]
    columns += [_of_all(Count("*")), _of_all(Function("max", last_activity(_other)))]
    return builder.page(
        "threads.page",
        Query.from_(_s).select(*columns),
        [_s.scope == param("scope"), _is_started_last()],
        by=_s.started_at,
        after=after,
        newest_first=True,
        is_long=True,
    )


def _is_started_last() -> Criterion:
    is_later = Tuple(_other.started_at, _other.id) > Tuple(_s.started_at, _s.id)
    return ExistsCriterion(_of_its_thread().select(1).where(is_later)).negate()


def _of_all(value: Term) -> Scalar:
    """Return a value over all sessions of the thread."""
    return Scalar(_of_its_thread().select(value))


def _of_its_thread() -> QueryBuilder:
    is_in_scope = _other.scope == param("scope")
    return Query.from_(_other).where(is_in_scope).where(_other.thread == _s.thread)
