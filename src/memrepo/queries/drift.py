"""Statements that compare the search index with the tables."""

# ruff: noqa: S608 - only names of ours are put into the SQL

from __future__ import annotations

from functools import cache
from typing import Final

from memrepo.queries.indexing import PARTS, command, expected, index_table, taken_to
from memrepo.queries.statement import Statement

__all__ = ["COUNT", "check_words", "drop_orphans"]


def _count(table: str) -> str:
    index, number = index_table(table), PARTS[table].number
    not_noted = (
        "NOT EXISTS (SELECT 1 FROM `_cf_memrepo_notes` AS `n` "
        f"WHERE `n`.`number`={number} AND `n`.`id`="
    )
    return (
        f"SELECT * FROM (WITH `row` AS MATERIALIZED ({expected(table, f'`m`.`id`<={taken_to(table)}')}),"
        "`pair` AS (SELECT `f`.`rowid` AS `there`,"
        "`f`.`text` IS NOT `r`.`text` OR `f`.`scope_key` IS NOT `r`.`key` AS `differs` "
        f"FROM `row` AS `r` LEFT JOIN `{index}` AS `f` ON `f`.`rowid`=`r`.`id` "
        f"WHERE `r`.`text` IS NOT NULL AND {not_noted}`r`.`id`)) "
        f"SELECT '{table}',ifnull(sum(`there` IS NULL),0),ifnull(sum(`there` IS NOT NULL AND `differs`),0),"
        f"(SELECT count(*) FROM `{index}` AS `f` WHERE {not_noted}`f`.`rowid`) "
        "AND `f`.`rowid` NOT IN (SELECT `id` FROM `row` WHERE `text` IS NOT NULL)) FROM `pair`)"
    )


#: Compares the index with the tables: of each its name, and how many rows the index lacks, has otherwise, and has in
#: vain. What is pending does not count.
COUNT: Final = Statement("drift.count", " UNION ALL ".join(map(_count, PARTS)), is_long=True)


@cache
def drop_orphans(table: str) -> Statement:
    """Remove what the index has of rows that are gone, as after another program's ``INSERT OR REPLACE``."""
    return Statement(
        "drift.drop_orphans",
        f"DELETE FROM `{index_table(table)}` WHERE `rowid` IN (SELECT `f`.`rowid` "
        f"FROM `{index_table(table)}` AS `f` WHERE NOT EXISTS "
        f"(SELECT 1 FROM `{table}` AS `m` WHERE `m`.`id`=`f`.`rowid`))",
    )


@cache
def check_words(table: str) -> Statement:
    """Fail unless the words are those of the texts that the index has a copy of."""
    return command("drift.check_words", table, "'integrity-check',:rank")
