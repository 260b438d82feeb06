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
    HOLDER,
    MEMORIES,
    also_in_scope,
    by_hash,
    current,
    gone,
    hidden,
    in_scope,
    is_users,
    keeps_what_the_user_said,
    visible,
)

#: The version of the rule in `memrepo.domain.hashing`. When the rule changes, a migration must set the
#: version to 0 in every row whose hash may have changed.
HASH_VERSION: Final = 2

_known = Table("memory_entries").as_("known")
_session = Table("sessions").as_("session")
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
    "session_id",
)
#: The columns of a new fact.
NEW_COLUMNS: Final = columns_of(MEMORIES, _NEW)

# --- remember ----------------------------------------------------------------------------------
# One statement inserts a new fact or refreshes a current one, and is all that most calls need. For a
# fact that is gone it returns no row. That fact is then revived, and the statement runs again.
#
# :said_source is the source if it speaks for the user. Where it is NULL, the fact is only inferred, which
# neither outranks another source nor brings back what was forgotten or superseded.


def better_source(said_source: Term) -> Term:
    """Return the source that a fact has once it is stated again."""
    return _raised(said_source, said_source.notnull() & MEMORIES.source.isin(INFERRED_SOURCES))


def _raised(source: Term, condition: Criterion) -> Term:
    return Case().when(condition, source).else_(MEMORIES.source)


def later_expiry(expires_at: Term) -> Term:
    """Return when a fact that is stated again expires."""
    return (
        Case()
        .when(expires_at.isnull(), NullValue())
        .when(MEMORIES.expires_at < expires_at, expires_at)
        .else_(MEMORIES.expires_at)
    )


def _own_slot(said_source: Term) -> Term:
    """Return the slot that a fact takes back: none if it is only inferred, and the user's word fills it."""
    is_taken = is_users(MEMORIES.slot, other_than=HOLDER.id != MEMORIES.id)
    return Case().when(said_source.isnull() & is_taken, NullValue()).else_(MEMORIES.slot)


def revive(said_source: Term, expires_at: Term, slot: Term | None = None) -> QueryBuilder:
    """Bring back a fact that is gone, if the user says it, or if it has only expired."""
    own_slot = _own_slot(said_source)
    return (
        Query.update(MEMORIES)
        .set(MEMORIES.deleted_at, NullValue())
        .set(MEMORIES.superseded_by, NullValue())
        .set(MEMORIES.proposed_at, NullValue())
        .set(MEMORIES.expires_at, expires_at)
        .set(MEMORIES.last_accessed, param("now"))
        .set(MEMORIES.source, better_source(said_source))
        .set(MEMORIES.n_restated, MEMORIES.n_restated + 1)
        .set(MEMORIES.slot, own_slot if slot is None else Coalesce(slot, own_slot))
        .where(gone())
        .where(said_source.notnull() | visible())
    )


def refresh(said_source: Term, expires_at: Term) -> QueryBuilder:
    """Make a fact that is current fresher."""
    return (
        Query.update(MEMORIES)
        .set(MEMORIES.last_accessed, param("now"))
        .set(MEMORIES.source, better_source(said_source))
        .set(MEMORIES.expires_at, later_expiry(expires_at))
        .set(MEMORIES.n_restated, MEMORIES.n_restated + 1)
    )


def _is_unknown(content_hash: Term) -> Criterion:
    # An insert that OR IGNORE skips would still use up an id, and write to count it.
    known = Query.from_(_known).select(1).where(_known.content_hash == content_hash)
    return ExistsCriterion(known).negate()


#: Brings back the fact with ``:content_hash`` in ``:slot``, or in its own, but not while `keeps_what_the_user_said`.
REVIVE: Final = statement(
    "memories.revive",
    revive(param("said_source"), param("expires_at"), param("slot"))
    .where(by_hash())
    .where(keeps_what_the_user_said().negate())
    .returning(*COLUMNS),
)
#: The fact with a hash, whatever its state: before it is stated again, this tells what it was.
KNOWN: Final = statement("memories.known", Query.from_(MEMORIES).select(*COLUMNS).where(by_hash()))


def _refused(name: str) -> Term:
    return _excluded.created_at if name == "now" else _excluded.field(name)


def _remember(query: QueryBuilder, *, is_said: bool) -> QueryBuilder:
    query = query.on_conflict(MEMORIES.content_hash)
    if is_said:
        is_inferred = MEMORIES.source.isin(INFERRED_SOURCES)
        query = query.do_update(MEMORIES.source, _raised(_excluded.source, is_inferred))
    return (
        query.do_update(MEMORIES.last_accessed, _excluded.created_at)
        .do_update(MEMORIES.expires_at, later_expiry(_excluded.expires_at))
        .do_update(MEMORIES.n_restated, MEMORIES.n_restated + 1)
        .where(current(value=_refused))
        .where(in_scope(value=_refused))
        .returning(*COLUMNS, MEMORIES.n_restated)
    )


def _is_in_scope(session_id: Term, scope: Term) -> Criterion:
    found = Query.from_(_session).select(1).where(_session.id == session_id)
    return ExistsCriterion(found.where(_session.scope == scope))


def learnt(value: ValueOf) -> Term:
    """Return the text of a new fact, or NULL if its session is not in the scope."""
    session_id = value("session_id")
    is_learnt = session_id.isnull() | _is_in_scope(session_id, value("scope"))
    # Without a text, the statement fails before it looks for a row that has the hash.
    return Case().when(is_learnt, value("content"))


def _new(value: ValueOf) -> list[Term | int]:
    terms: dict[str, Term | int] = {
        "content": learnt(value),
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


#: Return the fact, and how often it was restated: 0 if it is new. They fail with the constraint that a fact has
#: a text if the session is not in the scope. There are two, because the row that was
#: not inserted cannot tell who speaks for the user.
REMEMBER: Final = _remembering("memories.remember", is_said=True)
REMEMBER_INFERRED: Final = _remembering("memories.remember_inferred", is_said=False)

# The same for many facts: :batch is a JSON array of [content, content_hash, category, source, metadata,
# expires_at, said_source, created_at, session_id]. Refreshing comes before inserting, so that a new fact is not refreshed at once;
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
    _item_session_id,
) = (json_item(_items, position) for position in range(9))
#: What is imported counts as accessed when it was first known, so that it has faded as it would have.
_item_known_since = Coalesce(_item_created_at, param("now"))
_sessions = JsonEach("sessions")

#: Fails as `REMEMBER` does if one of the sessions in a JSON array is not in the scope; otherwise it does nothing.
REQUIRE_SESSIONS: Final = statement(
    "memories.require_sessions",
    Query.into(MEMORIES)
    .columns(MEMORIES.scope, MEMORIES.content)
    .from_(_sessions)
    .select(param("scope"), NullValue())
    .where(_is_in_scope(_sessions.value, param("scope")).negate()),
)

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
        _item_known_since,
        _item_known_since,
        _item_metadata,
        _item_expires_at,
        HASH_VERSION,
        _item_session_id,
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
