"""Statements that remember facts, one or many."""

from __future__ import annotations

from typing import Final

from pypika import Case, Criterion, JoinType, Table
from pypika.functions import Coalesce
from pypika.queries import QueryBuilder
from pypika.terms import ExistsCriterion, NullValue, Term

from memrepo.domain.memories import INFERRED_SOURCES
from memrepo.queries.builder import (
    JsonEach,
    Query,
    ValueOf,
    columns_of,
    json_item,
    param,
    statement,
)
from memrepo.queries.coalescing import (
    CoalescibleStatement,
    Values,
    coalescible,
    rows_by_hash,
)
from memrepo.queries.facts import (
    COLUMNS,
    MEMORIES,
    also_in_scope,
    by_hash,
    current,
    gone,
    hidden,
    in_scope,
    visible,
)

#: The version of the rule in `memrepo.domain.hashing`. When the rule changes, a migration must set the
#: version to 0 in every row whose hash may have changed.
HASH_VERSION: Final = 2

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
#: The columns of a new fact.
NEW_COLUMNS: Final = columns_of(MEMORIES, _NEW)

# --- remember ----------------------------------------------------------------------------------
# One statement inserts a new fact or refreshes a current one, and is all that most calls need. For a
# fact that is gone it returns no row. That fact is then revived, and the statement runs again.
#
# :said_source is the source if it speaks for the user. Where it is NULL, the fact is only inferred, which
# neither outranks another source nor brings back what was forgotten or superseded.


def _better_source(said_source: Term) -> Term:
    return _raised(said_source, said_source.notnull() & MEMORIES.source.isin(INFERRED_SOURCES))


def _raised(source: Term, condition: Criterion) -> Term:
    return Case().when(condition, source).else_(MEMORIES.source)


def _later_expiry(expires_at: Term) -> Term:
    return (
        Case()
        .when(expires_at.isnull(), NullValue())
        .when(MEMORIES.expires_at < expires_at, expires_at)
        .else_(MEMORIES.expires_at)
    )


def revive(said_source: Term, expires_at: Term) -> QueryBuilder:
    """Bring back a fact that is gone, if the user says it, or if it has only expired."""
    return (
        Query.update(MEMORIES)
        .set(MEMORIES.deleted_at, NullValue())
        .set(MEMORIES.superseded_by, NullValue())
        .set(MEMORIES.expires_at, expires_at)
        .set(MEMORIES.last_accessed, param("now"))
        .set(MEMORIES.source, _better_source(said_source))
        .set(MEMORIES.n_restated, MEMORIES.n_restated + 1)
        .where(gone())
        .where(said_source.notnull() | visible())
    )


def refresh(said_source: Term, expires_at: Term) -> QueryBuilder:
    """Make a fact that is current fresher."""
    return (
        Query.update(MEMORIES)
        .set(MEMORIES.last_accessed, param("now"))
        .set(MEMORIES.source, _better_source(said_source))
        .set(MEMORIES.expires_at, _later_expiry(expires_at))
        .set(MEMORIES.n_restated, MEMORIES.n_restated + 1)
    )


def _is_unknown(content_hash: Term) -> Criterion:
    # An insert that OR IGNORE skips would still use up an id, and write to count it.
    known = Query.from_(_known).select(1).where(_known.content_hash == content_hash)
    return ExistsCriterion(known).negate()


REVIVE: Final = statement(
    "memories.revive",
    revive(param("said_source"), param("expires_at")).where(by_hash()).returning(*COLUMNS),
)
#: What was not revived: the fact stays forgotten or superseded.
HELD_BACK: Final = statement(
    "memories.held_back",
    Query.from_(MEMORIES).select(*COLUMNS).where(by_hash()).where(hidden()),
)


def _refused(name: str) -> Term:
    return _excluded.created_at if name == "now" else _excluded.field(name)


def _remember(query: QueryBuilder, *, is_said: bool) -> QueryBuilder:
    query = query.on_conflict(MEMORIES.content_hash)
    if is_said:
        is_inferred = MEMORIES.source.isin(INFERRED_SOURCES)
        query = query.do_update(MEMORIES.source, _raised(_excluded.source, is_inferred))
    return (
        query.do_update(MEMORIES.last_accessed, _excluded.created_at)
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


def _remembering(name: str, *, is_said: bool) -> CoalescibleStatement:
    def remember_each(items: Values) -> QueryBuilder:
        # Without a WHERE, SQLite would take ON CONFLICT for the ON of a join.
        rows = Query.into(MEMORIES).columns(*NEW_COLUMNS).from_(items).select(*_new(items.value))
        return _remember(rows.where(items.number >= 0), is_said=is_said)

    one = Query.into(MEMORIES).columns(*NEW_COLUMNS).insert(*_new(param))
    return coalescible(
        statement(name, _remember(one, is_said=is_said)),
        [name for name in _NEW if name not in ("last_accessed", "hash_version")],
        remember_each,
        rows_by_hash,
    )


#: Return the fact, and how often it was restated: 0 if it is new. There are two, because the row that was
#: not inserted cannot tell who speaks for the user.
REMEMBER: Final = _remembering("memories.remember", is_said=True)
REMEMBER_INFERRED: Final = _remembering("memories.remember_inferred", is_said=False)

# The same for many facts: :batch is a JSON array of [content, content_hash, category, source, metadata,
# expires_at, said_source, created_at]. Refreshing comes before inserting, so that a new fact is not refreshed at once;
# an upsert could not tell source and said_source apart.

_items = JsonEach("batch")
(
    _item_content,
    _item_hash,
    _item_category,
    _item_source,
    _item_metadata,
    _item_expires_at,
    _item_said_source,
    _item_created_at,
) = (json_item(_items, position) for position in range(8))

REVIVE_MANY: Final = statement(
    "memories.revive_many",
    revive(_item_said_source, _item_expires_at)
    .from_(_items)
    .where(MEMORIES.content_hash == _item_hash)
    .where(also_in_scope())
    .returning(*COLUMNS),
)
REFRESH_MANY: Final = statement(
    "memories.refresh_many",
    refresh(_item_said_source, _item_expires_at)
    .from_(_items)
    .where(MEMORIES.content_hash == _item_hash)
    .where(also_in_scope())
    .where(current())
    .returning(*COLUMNS),
)
INSERT_MANY: Final = statement(
    "memories.insert_many",
    Query.into(MEMORIES)
    .columns(*NEW_COLUMNS)
    .from_(_items)
    .select(
        param("scope"),
        _item_content,
        _item_hash,
        _item_category,
        _item_source,
        Coalesce(_item_created_at, param("now")),
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
HELD_BACK_MANY: Final = statement(
    "memories.held_back_many",
    Query.from_(_items)
    .join(MEMORIES, JoinType.cross)
    .cross()
    .select(*COLUMNS)
    .where(MEMORIES.content_hash == _item_hash)
    .where(also_in_scope())
    .where(hidden()),
)
