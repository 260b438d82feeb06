"""
Statements that forget, restore, list and purge facts together with what these have superseded.

A fact's chain is the fact, what it superseded, what that superseded, and so on, whatever state each is in.
`UNION` keeps no row twice, so that a chain ends even where another program has closed it to a circle:
https://sqlite.org/lang_with.html#recursive_query_examples
"""

from __future__ import annotations

from typing import Any, Final

from pypika import Criterion, JoinType, Table
from pypika.functions import Coalesce, Count
from pypika.queries import QueryBuilder
from pypika.terms import CustomFunction, ExistsCriterion, NullValue

from memrepo.queries.builder import JsonEach, Query, columns_of, param, statement
from memrepo.queries.facts import (
    COLUMNS,
    MEMORIES,
    also_in_scope,
    by_id,
    current,
    in_scope,
    may_fade,
    no_proposal,
    unexpired,
)
from memrepo.queries.spelling import is_instant

_chain = Table("chain")
_fact = Table("memory_entries").as_("fact")
_orphan = Table("memory_entries").as_("orphan")
_successor = Table("memory_entries").as_("successor")
_typeof = CustomFunction("typeof", ["value"])


class _Chains(Table):
    """
    The chains of the facts that *heads* select, each with its head's values of *names*, the id first.

    pypika cannot print WITH RECURSIVE, so it prints only the parts. It stands in a subquery, because Python's
    sqlite3 counts the changes only of a statement that begins with its verb.
    """

    def __init__(self, *heads: QueryBuilder, names: tuple[str, ...] = ("id",)) -> None:
        super().__init__("chain", alias="chain")
        self._heads = heads
        self._names = names

    def get_sql(self, **kwargs: Any) -> str:  # noqa: ARG002 - pypika's signature
        """Print the recursive query in parentheses."""
        _, *carried = self._names
        superseded = (
            Query.from_(_chain)
            .join(_fact, JoinType.cross)
            .cross()
            .select(_fact.id, *columns_of(_chain, carried))
            .where(_fact.superseded_by == _chain.id)
            .where(also_in_scope(_fact))
        )
        parts = " UNION ".join(part.get_sql() for part in (*self._heads, superseded))
        columns = ",".join(f"`{name}`" for name in self._names)
        everything = Query.from_(_chain).select(*columns_of(_chain, self._names))
        return f"(WITH RECURSIVE `chain`({columns}) AS ({parts}) {everything.get_sql()}) `chain`"


# --- one chain ---------------------------------------------------------------------------------

_head = Query.from_(MEMORIES).where(by_id()).where(unexpired()).where(no_proposal())
# All members get one instant, by which `RESTORE` knows them: the head's, if it is forgotten already.
_to_forget = _Chains(
    _head.select(MEMORIES.id, Coalesce(MEMORIES.deleted_at, param("now"))),
    names=("id", "deleted_at"),
)
_to_restore = _Chains(_head.select(MEMORIES.id, MEMORIES.deleted_at), names=("id", "deleted_at"))
_visible = _Chains(_head.where(MEMORIES.deleted_at.isnull()).select(MEMORIES.id))

FORGET: Final = statement(
    "memories.forget",
    Query.update(MEMORIES)
    .set(MEMORIES.deleted_at, _to_forget.deleted_at)
    .set(MEMORIES.proposed_at, NullValue())
    .from_(_to_forget)
    .where(MEMORIES.id == _to_forget.id)
    .where(MEMORIES.deleted_at.isnull()),
)
_ids = JsonEach("ids")
_sources = JsonEach("sources")
_faded = _Chains(
    Query.from_(MEMORIES)
    .select(MEMORIES.id)
    .where(MEMORIES.id.isin(Query.from_(_ids).select(_ids.value)))
    .where(also_in_scope())
    .where(current())
    .where(may_fade())
    # Somebody may have stated or touched it since it was read.
    .where(Coalesce(MEMORIES.last_accessed, MEMORIES.created_at) <= param("before"))
    .where(MEMORIES.source.isin(Query.from_(_sources).select(_sources.value)))
)
#: Forgets the facts with the ids in a JSON array, if they are of ``:sources`` and had no access since ``:before``.
#: Returns for each member what superseded it: nothing for a head.
FORGET_FADED: Final = statement(
    "memories.forget_faded",
    Query.update(MEMORIES)
    .set(MEMORIES.deleted_at, param("now"))
    .set(MEMORIES.proposed_at, NullValue())
    .from_(_faded)
    .where(MEMORIES.id == _faded.id)
    .where(MEMORIES.deleted_at.isnull())
    .returning(MEMORIES.superseded_by),
)
#: Brings back the members that were forgotten at the same instant as the head.
RESTORE: Final = statement(
    "memories.restore",
    Query.update(MEMORIES)
    .set(MEMORIES.deleted_at, NullValue())
    .from_(_to_restore)
    .where(MEMORIES.id == _to_restore.id)
    .where(MEMORIES.deleted_at == _to_restore.deleted_at)
    .where(no_proposal()),
)
#: The members that are neither forgotten nor expired, the head among them, oldest first.
HISTORY: Final = statement(
    "memories.history",
    Query.from_(_visible)
    .join(MEMORIES, JoinType.cross)
    .cross()
    .select(*COLUMNS)
    .where(MEMORIES.id == _visible.id)
    .where(MEMORIES.deleted_at.isnull())
    .where(unexpired())
    .orderby(MEMORIES.created_at)
    .orderby(MEMORIES.id),
)

# --- purging -----------------------------------------------------------------------------------


def _is_before(table: Table, column: str) -> Criterion:
    return (table[column] < param("before")) & is_instant(table[column])


def _has_successor(table: Table) -> ExistsCriterion:
    return ExistsCriterion(
        Query.from_(_successor).select(1).where(_successor.id == table.superseded_by)
    )


_forgotten_or_expired = (
    Query.from_(MEMORIES)
    .select(MEMORIES.id)
    .where(in_scope())
    # A proposal waits, however old it is, until it expires: then nobody can answer it any more.
    .where(
        (_is_before(MEMORIES, "deleted_at") & no_proposal())
        # Of an instant to come, too, only what has expired by now.
        | (_is_before(MEMORIES, "expires_at") & (MEMORIES.expires_at <= param("now")))
    )
)
# Facts whose successor was deleted alone: by another program, or by an earlier memrepo.
_left_behind = (
    Query.from_(_orphan)
    .select(_orphan.id)
    .where(_orphan.superseded_by > 0)
    # Another program may have stored a text, which is above all numbers.
    .where(_typeof(_orphan.superseded_by) == "integer")
    .where(_has_successor(_orphan).negate())
    .where(also_in_scope(_orphan))
    .where(_is_before(_orphan, "created_at"))
)
_purgeable = _Chains(_forgotten_or_expired, _left_behind)

PURGE: Final = statement(
    "memories.purge",
    Query.from_(MEMORIES)
    .delete()
    .where(MEMORIES.id.isin(Query.from_(_purgeable).select(_purgeable.id))),
)
COUNT_PURGEABLE: Final = statement(
    "memories.count_purgeable", Query.from_(_purgeable).select(Count("*")), is_long=True
)
