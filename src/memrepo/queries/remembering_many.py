"""
Statements that remember many facts.

``:batch`` is a JSON array of ``[content, content_hash, category, source, metadata, expires_at, said_source, created_at,
session_id]``. Refreshing comes before inserting, so that a new fact is not refreshed at once; an upsert could not tell source and
said_source apart.
"""

from __future__ import annotations

from typing import Final

from pypika import Criterion, JoinType, Table
from pypika.functions import Coalesce
from pypika.terms import ExistsCriterion, NullValue, Term

from memrepo.queries.builder import JsonEach, Query, json_item, param, statement
from memrepo.queries.facts import COLUMNS, MEMORIES, also_in_scope, current, hidden
from memrepo.queries.remembering import (
    HASH_VERSION,
    NEW_COLUMNS,
    refresh,
    revive,
    session_in_scope,
)

_known = Table("memory_entries").as_("known")
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

#: Fails as `remembering.REMEMBER` does if one of the sessions in a JSON array is not in the scope; otherwise it does nothing.
REQUIRE_SESSIONS: Final = statement(
    "memories.require_sessions",
    Query.into(MEMORIES)
    .columns(MEMORIES.scope, MEMORIES.content)
    .from_(_sessions)
    .select(param("scope"), NullValue())
    .where(session_in_scope(_sessions.value, param("scope")).negate()),
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


def _is_unknown(content_hash: Term) -> Criterion:
    # An insert that OR IGNORE skips would still use up an id, and write to count it.
    known = Query.from_(_known).select(1).where(_known.content_hash == content_hash)
    return ExistsCriterion(known).negate()


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
