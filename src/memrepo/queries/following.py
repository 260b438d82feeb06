"""Statements that follow the log. Ids grow from commit to commit, and times do not: an append may wait after it took its."""

from __future__ import annotations

from functools import cache
from typing import Final

from pypika import Criterion, Table
from pypika.functions import Max

from memrepo.domain.codec import DAILY_LOG_COLUMNS
from memrepo.queries.builder import Query, Unindexed, columns_of, param, statement
from memrepo.queries.daily_logs import CONDITIONS
from memrepo.queries.statement import Statement

__all__ = ["NEWEST", "stored"]

_d = Table("daily_logs")
#: By which SQLite would rather look events up, and then sort them all.
_INDEXED: Final = {name: Unindexed(_d[name]) == param(name) for name in ("scope", "session_id")}

#: The id of the event that was stored last, of all scopes.
NEWEST: Final = statement("following.newest", Query.from_(_d).select(Max(_d.id)))


@cache
def stored(conditions: frozenset[str]) -> Statement:
    """Read the next events of a filter, in the order in which they were stored: above one id, and up to another."""
    others = [CONDITIONS[name]() for name in sorted(conditions - _INDEXED.keys())]
    indexed = [its for name, its in _INDEXED.items() if name in conditions | {"scope"}]
    return statement(
        "following.stored",
        Query.from_(_d)
        .select(*columns_of(_d, DAILY_LOG_COLUMNS))
        .where((_d.id > param("above")) & (_d.id <= param("until")))
        .where(Criterion.all([*indexed, *others]))
        .orderby(_d.id)
        .limit(param("limit")),
        is_long=True,
    )
