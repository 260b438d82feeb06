"""Statements that supersede facts."""

from __future__ import annotations

from typing import Final

from pypika import Criterion, Table
from pypika.functions import Coalesce
from pypika.terms import ExistsCriterion

from memrepo.queries.builder import Query, Scalar, param, statement
from memrepo.queries.facts import COLUMNS, MEMORIES, by_hash, by_id, current, visible
from memrepo.queries.remembering import HASH_VERSION, NEW_COLUMNS, refresh, revive

# What `remembering` does for one fact, but each statement only if the old fact exists, is current, and is
# another fact. A fact that is held back replaces none.

_old = Table("memory_entries").as_("old")
_successor = Table("memory_entries").as_("successor")


def _replaceable(table: Table) -> Criterion:
    differs = table.content_hash.isnull() | (table.content_hash != param("content_hash"))
    return by_id(table) & current(table) & differs


def _if_replaceable() -> Criterion:
    return ExistsCriterion(Query.from_(_old).select(1).where(_replaceable(_old)))


SUPERSEDE_REVIVE: Final = statement(
    "memories.supersede_revive",
    revive(param("said_source"), param("expires_at"))
    .where(by_hash())
    .where(_if_replaceable())
    .returning(*COLUMNS),
)
SUPERSEDE_REFRESH: Final = statement(
    "memories.supersede_refresh",
    refresh(param("said_source"), param("expires_at"))
    .where(by_hash())
    .where(current())
    .where(_if_replaceable())
    .returning(*COLUMNS),
)
SUPERSEDE_INSERT: Final = statement(
    "memories.supersede_insert",
    Query.into(MEMORIES)
    .columns(*NEW_COLUMNS)
    .from_(_old)
    .select(
        param("scope"),
        param("content"),
        param("content_hash"),
        Coalesce(param("category"), _old.category),
        param("source"),
        param("now"),
        param("now"),
        Coalesce(param("metadata"), _old.metadata),
        param("expires_at"),
        HASH_VERSION,
    )
    .where(_replaceable(_old))
    .or_ignore()
    .returning(*COLUMNS),
)
_successor_id = (
    Query.from_(_successor)
    .select(_successor.id)
    .where(by_hash(_successor))
    .where(visible(_successor))
)
SUPERSEDE_LINK: Final = statement(
    "memories.supersede_link",
    Query.update(MEMORIES)
    .set(MEMORIES.superseded_by, Scalar(_successor_id))
    .where(_replaceable(MEMORIES))
    .where(ExistsCriterion(_successor_id))
    .returning(MEMORIES.id),
)
