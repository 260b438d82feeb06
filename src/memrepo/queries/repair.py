"""Statements of `repair`, across all scopes."""

from __future__ import annotations

from functools import cache
from typing import Final

from pypika import Table
from pypika.terms import ValueWrapper

from memrepo.queries import builder
from memrepo.queries.builder import JsonEach, Query, statement
from memrepo.queries.statement import Statement

_m = Table("memory_entries")
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
    escaped = name.replace("`", "``")
    return Statement("repair.drop_index", f"DROP INDEX `{escaped}`")


def create_index(sql: str) -> Statement:
    """Make an index again by the SQL that made it."""
    return Statement("repair.create_index", sql)


@cache
def reindex(table: str) -> Statement:
    """Build all indexes of a table anew from its rows (https://sqlite.org/lang_reindex.html)."""
    return Statement("repair.reindex", f"REINDEX `{table}`")


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

#: Has adoption hash the facts in ``:ids``, a JSON array, anew.
HASH_ANEW: Final = statement(
    "repair.hash_anew",
    Query.update(_m)
    .set(_m.hash_version, ValueWrapper(0))
    .where(_m.id.isin(Query.from_(_ids).select(_ids.value))),
)
#: Of the facts in ``:ids``, a JSON array, the id, the hash, and the fact that has superseded each.
OUTCOMES: Final = statement(
    "repair.outcomes", builder.by_ids(_m).select(_m.id, _m.content_hash, _m.superseded_by)
)
