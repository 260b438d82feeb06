"""Statements that remember one fact."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from pypika import Case, Criterion, Table
from pypika.functions import Coalesce
from pypika.queries import QueryBuilder
from pypika.terms import ExistsCriterion, NullValue, Term

from memrepo.domain.memories import INFERRED_SOURCES
from memrepo.queries.builder import (
    Query,
    ValueOf,
    columns_of,
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
    by_hash,
    current,
    gone,
    has_another_slot,
    in_scope,
    is_users,
    keeps_what_the_user_said,
    visible,
)

#: The version of the rule in `memrepo.domain.hashing`. When the rule changes, a migration must set the
#: version to 0 in every row whose hash may have changed.
HASH_VERSION: Final = 2

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


def _stated_now(value: ValueOf) -> ValueOf:
    """Return *value* for a fact that is stated when it is created."""
    return lambda name: value("created_at" if name == "now" else name)


_refused: Final = _stated_now(_excluded.field)


def _remember(query: QueryBuilder, *, is_said: bool, has_slot: bool) -> QueryBuilder:
    query = query.on_conflict(MEMORIES.content_hash)
    if is_said:
        is_inferred = MEMORIES.source.isin(INFERRED_SOURCES)
        query = query.do_update(MEMORIES.source, _raised(_excluded.source, is_inferred))
    query = (
        query.do_update(MEMORIES.last_accessed, _excluded.created_at)
        .do_update(MEMORIES.expires_at, later_expiry(_excluded.expires_at))
        .do_update(MEMORIES.n_restated, MEMORIES.n_restated + 1)
        .where(current(value=_refused))
        .where(in_scope(value=_refused))
    )
    if has_slot:
        query = query.do_update(MEMORIES.slot, Coalesce(MEMORIES.slot, _excluded.slot))
        query = query.where(Coalesce(has_another_slot(value=_refused), 0) == 0)
    return query.returning(*COLUMNS, MEMORIES.n_restated)


def session_in_scope(session_id: Term, scope: Term) -> Criterion:
    """Tell whether there is such a session."""
    found = Query.from_(_session).select(1).where(_session.id == session_id)
    return ExistsCriterion(found.where(_session.scope == scope))


def learnt(value: ValueOf) -> Term:
    """Return the text of a new fact, or NULL if its session is not in the scope."""
    session_id = value("session_id")
    is_learnt = session_id.isnull() | session_in_scope(session_id, value("scope"))
    # Without a text, the statement fails before it looks for a row that has the hash.
    return Case().when(is_learnt, value("content"))


def _new(names: Sequence[str], value: ValueOf) -> list[Term | int]:
    terms: dict[str, Term | int] = {
        "content": learnt(value),
        "last_accessed": value("created_at"),
        "hash_version": HASH_VERSION,
    }
    return [terms[name] if name in terms else value(name) for name in names]


def remembering(name: str, *, is_said: bool, has_slot: bool = False) -> CoalescibleStatement:
    """
    Return a statement that inserts a new fact or refreshes a current one, as `REMEMBER` does.

    With a slot, it leaves as it is a fact that fills another, and does nothing while `keeps_what_the_user_said`.
    """
    names = (*_NEW, "slot") if has_slot else _NEW
    guards = ("kept_slot",) if has_slot and not is_said else ()

    def into() -> QueryBuilder:
        return Query.into(MEMORIES).columns(*columns_of(MEMORIES, names))

    def guarded(query: QueryBuilder, value: ValueOf) -> QueryBuilder:
        return query.where(keeps_what_the_user_said(_stated_now(value)).negate())

    def remember_each(items: Values) -> QueryBuilder:
        # Without a WHERE, SQLite would take ON CONFLICT for the ON of a join.
        rows = into().from_(items).select(*_new(names, items.value)).where(items.number >= 0)
        rows = guarded(rows, items.value) if guards else rows
        return _remember(rows, is_said=is_said, has_slot=has_slot)

    values = _new(names, param)
    one = guarded(into().select(*values), param) if guards else into().insert(*values)
    return coalescible(
        statement(name, _remember(one, is_said=is_said, has_slot=has_slot)),
        [name for name in names if name not in ("last_accessed", "hash_version")] + [*guards],
        remember_each,
        rows_by_hash,
        apart=("content_hash", "slot") if has_slot else (),
    )


#: Return the fact, and how often it was restated: 0 if it is new. They fail with the constraint that a fact has
#: a text if the session is not in the scope. There are two, because the row that was
#: not inserted cannot tell who speaks for the user.
REMEMBER: Final = remembering("memories.remember", is_said=True)
REMEMBER_INFERRED: Final = remembering("memories.remember_inferred", is_said=False)
