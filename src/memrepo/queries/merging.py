"""Statements that merge one fact into another."""

from __future__ import annotations

from functools import cache

from pypika import Case, Criterion, Table
from pypika.functions import Coalesce
from pypika.terms import ExistsCriterion, Term, ValueWrapper

from memrepo.domain.memories import INFERRED_SOURCES
from memrepo.queries.builder import Query, param, statement
from memrepo.queries.facts import COLUMNS, MEMORIES, current, in_scope
from memrepo.queries.memories import other_holder
from memrepo.queries.remembering import HASH_VERSION, later_expiry
from memrepo.queries.statement import Statement

__all__ = ["keep", "link"]

# Both facts must be current, and not fill different slots: otherwise neither statement changes anything. A new content
# must be that of no other fact.

_dropped = Table("memory_entries").as_("dropped")
_kept = Table("memory_entries").as_("kept")


def _is(table: Table, name: str) -> Criterion:
    return (table.id == param(name)) & in_scope(table) & current(table)


def _in_one_slot(one: Table, other: Table) -> Criterion:
    return one.slot.isnull() | other.slot.isnull() | (one.slot == other.slot)


def _source() -> Term:
    is_inferred = MEMORIES.source.isin(INFERRED_SOURCES)
    is_better = is_inferred & _dropped.source.notin(INFERRED_SOURCES)
    return Case().when(is_better, _dropped.source).else_(MEMORIES.source)


def _last_accessed() -> Term:
    either = Coalesce(MEMORIES.last_accessed, _dropped.last_accessed)
    is_later = _dropped.last_accessed > MEMORIES.last_accessed
    return Case().when(is_later, _dropped.last_accessed).else_(either)


def _of_open_date(name: str) -> Term:
    """A column of the only one that has a date, or whose date is still to come up; else of the fact that is kept."""
    is_open = _dropped.due_at.notnull() & _dropped.surfaced_at.isnull()
    is_done = MEMORIES.surfaced_at.notnull() & is_open
    is_only = MEMORIES.due_at.isnull() & _dropped.due_at.notnull()
    return Case().when(is_only | is_done, _dropped[name]).else_(MEMORIES[name])


@cache
def keep(*, content: bool) -> Statement:
    """Give the fact ``:keep`` what only ``:drop`` has and, with *content*, a new text; return it."""
    query = Query.update(MEMORIES).from_(_dropped)
    if content:
        query = query.set(MEMORIES.content, param("content"))
        query = query.set(MEMORIES.content_hash, param("content_hash"))
        query = query.set(MEMORIES.hash_version, ValueWrapper(HASH_VERSION))
        query = query.where(ExistsCriterion(other_holder("keep")).negate())
    for name in ("slot", "pinned_at"):
        query = query.set(MEMORIES[name], Coalesce(MEMORIES[name], _dropped[name]))
    for name in ("due_at", "surfaced_at"):
        query = query.set(MEMORIES[name], _of_open_date(name))
    query = (
        query.set(MEMORIES.source, _source())
        .set(MEMORIES.expires_at, later_expiry(_dropped.expires_at))
        .set(MEMORIES.last_accessed, _last_accessed())
        .where(_is(MEMORIES, "keep"))
        .where(_is(_dropped, "drop"))
        .where(_in_one_slot(MEMORIES, _dropped))
    )
    return statement("merging.keep", query.returning(*COLUMNS))


@cache
def link(*, content: bool) -> Statement:
    """Supersede the fact ``:drop`` by ``:keep``, which with *content* has got its new text."""
    query = (
        Query.update(MEMORIES)
        .set(MEMORIES.superseded_by, param("keep"))
        .from_(_kept)
        .where(_is(MEMORIES, "drop"))
        .where(_is(_kept, "keep"))
        .where(_in_one_slot(MEMORIES, _kept))
    )
    if content:
        query = query.where(_kept.content_hash == param("content_hash"))
    return statement("merging.link", query.returning(MEMORIES.id))
