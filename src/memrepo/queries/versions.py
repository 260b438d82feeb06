"""The statements about the schema's version, and about what a database holds already."""

from __future__ import annotations

from typing import Final

from pypika import Table
from pypika.functions import Count

from memrepo.queries.builder import Query, param, statement
from memrepo.queries.statement import Statement

_v = Table("memrepo_migrations")
_master = Table("sqlite_master")

#: The version table: a row for each migration that is applied.
CREATE: Final = Statement(
    "versions.create",
    "CREATE TABLE IF NOT EXISTS `memrepo_migrations` (`number` INTEGER PRIMARY KEY NOT NULL, "
    "`name` TEXT NOT NULL, `checksum` TEXT NOT NULL, `applied_at` TEXT NOT NULL)",
)
#: Whether there is a version table: 1 or 0.
EXISTS: Final = statement(
    "versions.exists",
    Query.from_(_master)
    .select(Count("*"))
    .where(_master.type == "table")
    .where(_master.name == "memrepo_migrations"),
)
APPLIED: Final = statement(
    "versions.applied", Query.from_(_v).select(_v.number, _v.name, _v.checksum).orderby(_v.number)
)
RECORD: Final = statement(
    "versions.record",
    Query.into(_v)
    .columns(_v.number, _v.name, _v.checksum, _v.applied_at)
    .insert(param("number"), param("name"), param("checksum"), param("now")),
)
#: Writes what is there already; it takes the write lock and a commit to do so.
PING: Final = statement(
    "versions.ping", Query.update(_v).set(_v.applied_at, _v.applied_at).where(_v.number == 1)
)
#: What has our tables' names: name, kind, column, type, NOT NULL, default, primary key.
COLUMNS: Final = Statement(
    "versions.columns",
    "SELECT lower(`t`.`name`),`t`.`type`,`c`.`name`,upper(`c`.`type`),`c`.`notnull`,"
    "`c`.`dflt_value`,`c`.`pk` "
    "FROM `sqlite_master` AS `t` LEFT JOIN pragma_table_info(`t`.`name`) AS `c` "
    "WHERE lower(`t`.`name`) IN ('memory_entries','sessions','daily_logs') "
    "ORDER BY `t`.`name`,`c`.`cid`",
)
#: 1 if the facts have the original's unique index on content_hash, else 0.
HAS_HASH_INDEX: Final = Statement(
    "versions.has_hash_index",
    "SELECT count(*) FROM pragma_index_list('memory_entries') AS `i` WHERE `i`.`unique`=1 "
    "AND `i`.`partial`=0 AND (SELECT group_concat(`c`.`name`) FROM "
    "pragma_index_info(`i`.`name`) AS `c`)='content_hash'",
)
