"""Statements that remember facts, one or many, and that supersede them."""

from __future__ import annotations

from typing import Final

from pypika import Case, Criterion, Table
from pypika.functions import Coalesce
from pypika.queries import QueryBuilder
from pypika.terms import ExistsCriterion, NullValue, Term

from memrepo.domain.memories import EXPLICIT_SOURCE, INFERRED_SOURCES
from memrepo.queries.builder import (
    JsonEach,
    Query,
    Scalar,
    ValueOf,
    columns_of,
    json_item,
    param,
    statement,
)
from memrepo.queries.coalescing import Values, coalescible, rows_by_hash
from memrepo.queries.facts import (
    COLUMNS,
    MEMORIES,
    also_in_scope,
    by_hash,
    by_id,
    current,
    gone,
    in_scope,
)

#: The version of the rule in `memrepo.domain.hashing`. When the rule changes, a migration must set every
#: row's version to 0.
HASH_VERSION: Final = 1

_known = Table("memory_entries").as_("known")
#: The row that was not inserted, because a row has its hash: https://sqlite.org/lang_upsert.html
_excluded = Table("excluded")
_NEW = (
    "scope",
    "content",
    "content_hash",
    "category",
    "source",
    "created_at",
    "last_accessed",
    "metadata",
    "expires_at",
    "hash_version",
)
_NEW_COLUMNS = columns_of(MEMORIES, _NEW)

# --- remember ----------------------------------------------------------------------------------
# One statement inserts a new fact or refreshes a current one, and is all that most calls need. For a
# fact that is gone it returns no row. That fact is then revived, and the statement runs again.


def _better_source(source: Term) -> Term:
    upgrade = (source == EXPLICIT_SOURCE) & MEMORIES.source.isin(INFERRED_SOURCES)
    return Case().when(upgrade, source).else_(MEMORIES.source)


def _later_expiry(expires_at: Term) -> Term:
    return (
        Case()
        .when(expires_at.isnull(), NullValue())
        .when(MEMORIES.expires_at < expires_at, expires_at)
        .else_(MEMORIES.expires_at)
    )


def _revive(source: Term, expires_at: Term) -> QueryBuilder:
    return (
        Query.update(MEMORIES)
        .set(MEMORIES.deleted_at, NullValue())
        .set(MEMORIES.superseded_by, NullValue())
        .set(MEMORIES.expires_at, expires_at)
        .set(MEMORIES.last_accessed, param("now"))
        .set(MEMORIES.source, _better_source(source))
        .set(MEMORIES.n_restated, MEMORIES.n_restated + 1)
    )


def _refresh(source: Term, expires_at: Term) -> QueryBuilder:
    return (
        Query.update(MEMORIES)
        .set(MEMORIES.last_accessed, param("now"))
        .set(MEMORIES.source, _better_source(source))
        .set(MEMORIES.expires_at, _later_expiry(expires_at))
        .set(MEMORIES.n_restated, MEMORIES.n_restated + 1)
    )


def _is_unknown(content_hash: Term) -> Criterion:
    # An insert that OR IGNORE skips would still use up an id, and write to count it.
    known = Query.from_(_known).select(1).where(_known.content_hash == content_hash)
    return ExistsCriterion(known).negate()


REVIVE: Final = statement(
    "memories.revive",
    _revive(param("source"), param("expires_at"))
    .where(by_hash())
    .where(gone())
    .returning(*COLUMNS),
)


def _refused(name: str) -> Term:
    return _excluded.created_at if name == "now" else _excluded.field(name)


def _remember(query: QueryBuilder) -> QueryBuilder:
    return (
        query.on_conflict(MEMORIES.content_hash)
        .do_update(MEMORIES.last_accessed, _excluded.created_at)
        .do_update(MEMORIES.source, _better_source(_excluded.source))
        .do_update(MEMORIES.expires_at, _later_expiry(_excluded.expires_at))
        .do_update(MEMORIES.n_restated, MEMORIES.n_restated + 1)
        .where(current(value=_refused))
        .where(in_scope(value=_refused))
        .returning(*COLUMNS, MEMORIES.n_restated)
    )


def _new(value: ValueOf) -> list[Term | int]:
    terms: dict[str, Term | int] = {
        "last_accessed": value("created_at"),
        "hash_version": HASH_VERSION,
    }
    return [terms[name] if name in terms else value(name) for name in _NEW]


def _remember_each(items: Values) -> QueryBuilder:
    # Without a WHERE, SQLite would take ON CONFLICT for the ON of a join.
    rows = Query.into(MEMORIES).columns(*_NEW_COLUMNS).from_(items).select(*_new(items.value))
    return _remember(rows.where(items.number >= 0))


#: Returns the fact, and how often it was restated: 0 if it is new.
REMEMBER: Final = coalescible(
    statement(
        "memories.remember",
        _remember(Query.into(MEMORIES).columns(*_NEW_COLUMNS).insert(*_new(param))),
    ),
    [name for name in _NEW if name not in ("last_accessed", "hash_version")],
    _remember_each,
    rows_by_hash,
)

# The same for many facts: :batch is a JSON array of [content, content_hash, category, source, metadata,
# expires_at, source of a restatement]. Refreshing comes before inserting, so that a new fact is not
# refreshed at once; an upsert could not tell the two sources apart.

_items = JsonEach("batch")
(
    _item_content,
    _item_hash,
    _item_category,
    _item_source,
    _item_metadata,
    _item_expires_at,
    _item_restated,
) = (json_item(_items, position) for position in range(7))

REVIVE_MANY: Final = statement(
    "memories.revive_many",
    _revive(_item_restated, _item_expires_at)
    .from_(_items)
    .where(MEMORIES.content_hash == _item_hash)
    .where(also_in_scope())
    .where(gone())
    .returning(*COLUMNS),
)
REFRESH_MANY: Final = statement(
    "memories.refresh_many",
    _refresh(_item_restated, _item_expires_at)
    .from_(_items)
    .where(MEMORIES.content_hash == _item_hash)
    .where(also_in_scope())
    .where(current())
    .returning(*COLUMNS),
)
INSERT_MANY: Final = statement(
    "memories.insert_many",
    Query.into(MEMORIES)
    .columns(*_NEW_COLUMNS)
    .from_(_items)
    .select(
        param("scope"),
        _item_content,
        _item_hash,
        _item_category,
        _item_source,
        param("now"),
        param("now"),
        _item_metadata,
        _item_expires_at,
        HASH_VERSION,
    )
    .where(_is_unknown(_item_hash))
    # So that ids grow in the order of the array.
    .orderby(_items.key)
    .or_ignore()
    .returning(*COLUMNS),
)


# --- supersede ---------------------------------------------------------------------------------
# The same again, but each statement only if the old fact exists, is current, and is another fact.

_old = Table("memory_entries").as_("old")
_successor = Table("memory_entries").as_("successor")


def _replaceable(table: Table) -> Criterion:
    differs = table.content_hash.isnull() | (table.content_hash != param("content_hash"))
    return by_id(table) & current(table) & differs


def _if_replaceable() -> Criterion:
    return ExistsCriterion(Query.from_(_old).select(1).where(_replaceable(_old)))


SUPERSEDE_REVIVE: Final = statement(
    "memories.supersede_revive",
    _revive(param("source"), param("expires_at"))
    .where(by_hash())
    .where(gone())
    .where(_if_replaceable())
    .returning(*COLUMNS),
)
SUPERSEDE_REFRESH: Final = statement(
    "memories.supersede_refresh",
    _refresh(param("source"), param("expires_at"))
    .where(by_hash())
    .where(current())
    .where(_if_replaceable())
    .returning(*COLUMNS),
)
SUPERSEDE_INSERT: Final = statement(
    "memories.supersede_insert",
    Query.into(MEMORIES)
    .columns(*_NEW_COLUMNS)
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
SUPERSEDE_LINK: Final = statement(
    "memories.supersede_link",
    Query.update(MEMORIES)
    .set(
        MEMORIES.superseded_by,
        Scalar(Query.from_(_successor).select(_successor.id).where(by_hash(_successor))),
    )
    .where(_replaceable(MEMORIES))
    .returning(MEMORIES.id),
)
