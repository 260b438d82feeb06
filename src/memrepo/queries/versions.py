"""Statements about applied migrations and existing tables."""

from __future__ import annotations

from typing import Final

import attrs
from pypika import Table
from pypika.functions import Count

from memrepo.queries.builder import Query, param, statement
from memrepo.queries.statement import Statement

_master = Table("sqlite_master")


@attrs.frozen
class VersionTable:
    """The statements about one version table, which has a row for each applied migration."""

    #: Its name.
    name: str
    #: Creates it, unless it exists.
    create: Statement
    #: Whether it exists: 1 or 0.
    exists: Statement
    #: The rows: number, name and checksum, in order.
    applied: Statement
    #: Adds a row.
    record: Statement


def version_table(name: str, prefix: str | None = None) -> VersionTable:
    """Return the statements about the table *name*, an identifier; *prefix* begins their names."""
    table = Table(name)
    prefix = name if prefix is None else prefix
    return VersionTable(
        name,
        Statement(
            f"{prefix}.create",
            f"CREATE TABLE IF NOT EXISTS `{name}` (`number` INTEGER PRIMARY KEY NOT NULL, "
            "`name` TEXT NOT NULL, `checksum` TEXT NOT NULL, `applied_at` TEXT NOT NULL)",
        ),
        statement(
            f"{prefix}.exists",
            Query.from_(_master)
            .select(Count("*"))
            .where(_master.type == "table")
            .where(_master.name == name),
        ),
        statement(
            f"{prefix}.applied",
            Query.from_(table)
            .select(table.number, table.name, table.checksum)
            .orderby(table.number),
        ),
        statement(
            f"{prefix}.record",
            Query.into(table)
            .columns(table.number, table.name, table.checksum, table.applied_at)
            .insert(param("number"), param("name"), param("checksum"), param("now")),
        ),
    )


#: The version table of our own schema.
OURS: Final = version_table("memrepo_migrations", "versions")
_v = Table(OURS.name)
#: A no-op update, which needs the write lock and a commit.
PING: Final = statement(
    "versions.ping", Query.update(_v).set(_v.applied_at, _v.applied_at).where(_v.number == 1)
)
#: Whatever has the name of one of our tables: name, kind, column, type, NOT NULL, default, primary key.
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
