"""Statements of `repair`, across all scopes."""

from __future__ import annotations

from functools import cache
from typing import Final

from pypika import Table
from pypika.terms import ExistsCriterion, NullValue, ValueWrapper

from memrepo.queries import builder
from memrepo.queries.builder import JsonEach, Query, statement
from memrepo.queries.facts import FIRST_HANDED_ON, TAKE_OVER
from memrepo.queries.statement import Statement

_m = Table("memory_entries")
_s = Table("sessions")
_ids = JsonEach("ids")

# --- indexes -----------------------------------------------------------------------------------


#: The name and the SQL of each unique index that a table has, but for those of its own definition.
UNIQUE_INDEXES: Final = Statement(
    "repair.unique_indexes",
    "SELECT `i`.`name`,`s`.`sql` FROM pragma_index_list(:table) AS `i` "
    "JOIN `sqlite_master` AS `s` ON `s`.`type`='index' AND `s`.`name`=`i`.`name` "
    "WHERE `i`.`unique`=1 AND `s`.`sql` IS NOT NULL",
)


def drop_index(name: str) -> Statement:
    """Drop an index, which may be damaged."""
    return Statement("repair.drop_index", f"DROP INDEX {_quoted(name)}")


def create_index(sql: str) -> Statement:
    """Make an index again by the SQL that made it."""
    return Statement("repair.create_index", sql)


@cache
def reindex(table: str) -> Statement:
    """Build all indexes of a table anew from its rows (https://sqlite.org/lang_reindex.html)."""
    return Statement("repair.reindex", f"REINDEX {_quoted(table)}")


def _quoted(name: str) -> str:
    escaped = name.replace("`", "``")
    return f"`{escaped}`"


#: Of rows that a unique index of ours must not have twice, one keeps what makes them the same, and the
#: others, whose ids are returned, stay without it.
SPARE: Final = {
    # The current fact keeps the hash; adoption links the others to it, as superseded.
    "memory_entries": Statement(
        "repair.spare_facts",
        "UPDATE `memory_entries` SET `content_hash`=NULL,`hash_version`=0 WHERE `id` IN "
        "(SELECT `id` FROM (SELECT `id`,row_number() OVER (PARTITION BY `content_hash` "
        "ORDER BY `deleted_at` IS NOT NULL,`superseded_by` IS NOT NULL,`id`) AS `place` "
        "FROM `memory_entries` WHERE `content_hash` IS NOT NULL) WHERE `place`>1) RETURNING `id`",
    ),
    # The latest session stays the active one; the others are open, as those of the original are.
    "sessions": Statement(
        "repair.spare_sessions",
        "UPDATE `sessions` SET `is_exclusive`=0 WHERE `id` IN "
        "(SELECT `id` FROM (SELECT `id`,row_number() OVER (PARTITION BY `scope`,`thread` "
        "ORDER BY `started_at` DESC,`id` DESC) AS `place` "
        "FROM `sessions` WHERE `ended_at` IS NULL AND `is_exclusive`=1) WHERE `place`>1) RETURNING `id`",
    ),
    # The first event keeps the key.
    "daily_logs": Statement(
        "repair.spare_events",
        "UPDATE `daily_logs` SET `idempotency_key`=NULL WHERE `id` IN "
        "(SELECT `id` FROM (SELECT `id`,row_number() OVER (PARTITION BY `scope`,`idempotency_key` "
        "ORDER BY `id`) AS `place` "
        "FROM `daily_logs` WHERE `idempotency_key` IS NOT NULL) WHERE `place`>1) RETURNING `id`",
    ),
}

# --- facts -------------------------------------------------------------------------------------

_SPARE_HOLDERS: Final = (
    "SELECT `id`,`holder` FROM (SELECT `id`,max(`id`) OVER (PARTITION BY `scope`,`slot`) AS `holder` "
    "FROM `memory_entries` WHERE `slot` IS NOT NULL AND `deleted_at` IS NULL "
    "AND `superseded_by` IS NULL AND (`expires_at` IS NULL OR `expires_at`>:now)) "
    "WHERE `id`<`holder`"
)

#: Has adoption hash the facts in ``:ids``, a JSON array, anew.
HASH_ANEW: Final = statement(
    "repair.hash_anew",
    Query.update(_m)
    .set(_m.hash_version, ValueWrapper(0))
    .where(_m.id.isin(Query.from_(_ids).select(_ids.value))),
)
#: Does what the foreign key would have done for the facts of sessions that are gone; returns their ids.
RELEASE_FACTS: Final = statement(
    "repair.release_facts",
    Query.update(_m)
    .set(_m.session_id, NullValue())
    .where(_m.session_id.notnull())
    .where(ExistsCriterion(Query.from_(_s).select(1).where(_s.id == _m.session_id)).negate())
    .returning(_m.id),
    is_long=True,
)
#: Of the facts in ``:ids``, a JSON array, the id, the hash, and the fact that has superseded each.
OUTCOMES: Final = statement(
    "repair.outcomes", builder.by_ids(_m).select(_m.id, _m.content_hash, _m.superseded_by)
)
#: What another program has brought back into a slot beside the fact that fills it now: the id of each, and of the
#: newest, which counts.
SPARE_HOLDERS: Final = Statement(
    "repair.spare_holders",
    _SPARE_HOLDERS,
    is_long=True,
)
#: Has the newest fact of each slot supersede the others; returns their ids.
SUPERSEDE_SPARE: Final = Statement(
    "repair.supersede_spare",
    f"UPDATE `memory_entries` SET `superseded_by`=`spare`.`holder` FROM ({_SPARE_HOLDERS}) AS `spare` "  # noqa: S608
    "WHERE `memory_entries`.`id`=`spare`.`id` RETURNING `memory_entries`.`id`",
)
#: Has it take over the first pin and the first date of these; to be run before `SUPERSEDE_SPARE`.
HAND_ON_SPARE: Final = Statement(
    "repair.hand_on_spare",
    f"{TAKE_OVER} (SELECT `holder`,{FIRST_HANDED_ON} "  # noqa: S608
    f"FROM ({_SPARE_HOLDERS}) AS `its` CROSS JOIN `memory_entries` `fact` "
    "WHERE `fact`.`id`=`its`.`id` GROUP BY `holder`) AS `spare` "
    "WHERE `memory_entries`.`id`=`spare`.`holder` "
    "AND (`spare`.`pinned_at` IS NOT NULL OR `spare`.`due_at` IS NOT NULL)",
)
