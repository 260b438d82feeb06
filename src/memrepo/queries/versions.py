"""Statements about applied migrations and existing tables."""

from __future__ import annotations

from typing import Final

import attrs
from pypika import Table
from pypika.functions import Count
from pypika.queries import QueryBuilder
from pypika.terms import ExistsCriterion, NullValue

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
    #: Whether there is anything of its name: 1 or 0.
    exists: Statement
    #: The rows: number, name and checksum, in order.
    applied: Statement
    #: Adds a row.
    record: Statement
    #: Fails, and its unit with it, if the row ``:number`` is gone again, or the table is.
    confirm: Statement


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
            Query.from_(_master).select(Count("*")).where(_master.name == name),
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
        # A migration can drop the table or delete from it. Only a row that cannot be stored ends a unit.
        statement(
            f"{prefix}.confirm",
            Query.into(table)
            .columns(table.name, table.checksum, table.applied_at)
            .select(NullValue(), NullValue(), NullValue())
            .where(ExistsCriterion(_recorded(table)).negate()),
        ),
    )


def _recorded(table: Table) -> QueryBuilder:
    return Query.from_(table).select(1).where(table.number == param("number"))


#: The version table of our own schema.
OURS: Final = version_table("memrepo_migrations", "versions")
_v = Table(OURS.name)
#: A no-op update, which needs the write lock and a commit.
PING: Final = statement(
    "versions.ping", Query.update(_v).set(_v.applied_at, _v.applied_at).where(_v.number == 1)
)
#: The ``user_version`` of a database that memrepo has migrated: the letters ``memr``. It outlives
#: `drizzle-kit push`, which drops our tables and columns.
MARK: Final = 0x6D656D72
#: Sets it. (A pragma takes no placeholder.)
SET_MARK: Final = Statement("versions.set_mark", f"PRAGMA user_version={MARK}", is_pragma=True)
#: The names of everything that somebody made.
NAMES: Final = Statement(
    "versions.names", "SELECT lower(`name`) FROM `sqlite_master` WHERE `name` NOT GLOB 'sqlite_*'"
)
#: All that is known of the tables, and of whatever else, that has one of ``:names``, a JSON array, in
#: lower case. See `memrepo.admin.shape.read_shape`.
SHAPE: Final = Statement(
    "versions.shape",
    "WITH `ours` AS (SELECT `type`,`name`,`tbl_name` FROM `sqlite_master` "
    "WHERE lower(`name`) IN (SELECT `value` FROM json_each(:names))) "
    "SELECT 'column',lower(`t`.`name`),lower(`c`.`name`),upper(`c`.`type`),`c`.`notnull`,"
    "`c`.`dflt_value`,`c`.`pk`,`c`.`hidden` "
    "FROM `ours` AS `t` JOIN pragma_table_xinfo(`t`.`name`) AS `c` WHERE `t`.`type`='table' "
    "UNION ALL SELECT * FROM (SELECT 'index',lower(`t`.`name`),lower(`i`.`name`),lower(`c`.`name`),"
    "`i`.`unique`,NULL,`i`.`partial`,`c`.`seqno` "
    "FROM `ours` AS `t` JOIN pragma_index_list(`t`.`name`) AS `i` "
    "JOIN pragma_index_info(`i`.`name`) AS `c` WHERE `t`.`type`='table' "
    "ORDER BY `i`.`name`,`c`.`seqno`) "
    "UNION ALL SELECT 'name',lower(`tbl_name`),lower(`name`),`type`,NULL,NULL,NULL,NULL FROM `ours` "
    "UNION ALL SELECT 'user_version',NULL,NULL,NULL,NULL,NULL,NULL,`user_version` "
    "FROM pragma_user_version",
)
