"""
Statements that have the search index catch up with the tables.

Each of the three tables has an FTS5 table beside it, with a copy of its own of what can be found: of a row, the
key of its scope and its text. So a row can leave the index by its id alone, whatever its text has become.

`_cf_memrepo_taken` has the id up to which the rows of each table were taken in. Ids grow, so that new rows need no
note. What has changed below is noted in `_cf_memrepo_notes` by triggers, in plain SQL, whoever changes it.

`drizzle-kit push` leaves alone what begins with ``_cf_``. It would drop ``memrepo_...``, but not the triggers, and then
the original could not write any more.
"""

# ruff: noqa: S608 - only names of ours are put into the SQL

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

import attrs

from memrepo.queries.statement import Statement

__all__ = [
    "ADVANCE",
    "BACKLOG",
    "CLEAR_NOTES",
    "PARTS",
    "REPEATABLE",
    "Part",
    "command",
    "expected",
    "index_table",
    "merge",
    "n_pending",
    "next_notes",
    "next_rows",
    "optimize",
    "scope_key",
    "segments",
    "take_noted",
    "take_rows",
    "taken_to",
    "terms_table",
]


@attrs.frozen
class Part:
    """What the index has of one table."""

    #: Its number in the tables of the index.
    number: int
    #: The columns whose change is noted.
    watched: tuple[str, ...]
    #: The column that the text comes from.
    source: str
    #: The text that can be found, or NULL, of a row ``m``.
    text: str
    #: Whether the row can be found.
    can_be_found: str = "1"


def _plain_text(column: str) -> str:
    return f"CASE WHEN typeof(`m`.`{column}`)='text' THEN `m`.`{column}` END"


#: The parts, by their tables.
PARTS: Final[Mapping[str, Part]] = {
    "memory_entries": Part(
        1,
        ("id", "scope", "content", "deleted_at", "superseded_by"),
        "content",
        _plain_text("content"),
        "`m`.`deleted_at` IS NULL AND `m`.`superseded_by` IS NULL",
    ),
    "sessions": Part(2, ("id", "scope", "summary"), "summary", _plain_text("summary")),
    # The texts in its JSON, without the keys.
    "daily_logs": Part(
        3,
        ("id", "scope", "event_data"),
        "event_data",
        "(SELECT group_concat(`leaf`.`value`,char(10)) FROM json_tree("
        "CASE WHEN typeof(`m`.`event_data`)='text' AND json_valid(`m`.`event_data`) "
        "THEN `m`.`event_data` END) AS `leaf` WHERE `leaf`.`type`='text')",
    ),
}

#: The scope as one token that no stemmer changes, and that is in no other as a part.
_KEY: Final = "'ss'||lower(hex(`m`.`scope`))||'q'"


def scope_key(scope: str) -> str:
    """Return *scope* as the index has it; see `_KEY`."""
    return f"ss{scope.encode().hex()}q"


def index_table(table: str) -> str:
    """Return the name of the FTS5 table beside *table*."""
    return f"_cf_memrepo_fts_{table}"


def terms_table(table: str) -> str:
    """Return the name of the table that has the words of the FTS5 table beside *table*."""
    return f"_cf_memrepo_terms_{table}"


def expected(table: str, condition: str) -> str:
    """Return a query for what the index should have of the rows of *table* for which *condition* holds."""
    part = PARTS[table]
    return (
        f"SELECT `m`.`id` AS `id`,{_KEY} AS `key`,{part.text} AS `text` "
        f"FROM `{table}` AS `m` WHERE {condition} AND {part.can_be_found}"
    )


def taken_to(table: str) -> str:
    """Return the term for the id up to which the index has taken in the rows of *table*."""
    return f"(SELECT `taken_to` FROM `_cf_memrepo_taken` WHERE `number`={PARTS[table].number})"


# --- catching up -------------------------------------------------------------------------------


def n_pending(table: str) -> str:
    """Return the term for how many rows of *table* are pending, at most: new ids, gaps between them too, and notes."""
    number = PARTS[table].number
    highest = f"(SELECT max(`id`) FROM `{table}`)"
    before_all = f"(SELECT min(`id`) FROM `{table}`)-1"
    return (
        f"(SELECT CASE WHEN `taken_to`<{highest} THEN {highest}-max(`taken_to`,{before_all}) ELSE 0 END"
        f"+(SELECT count(*) FROM `_cf_memrepo_notes` WHERE `number`={number}) "
        f"FROM `_cf_memrepo_taken` WHERE `number`={number})"
    )


#: How many rows are pending, at most, of each table, in the order of `PARTS`.
BACKLOG: Final = Statement("indexing.backlog", f"SELECT {','.join(map(n_pending, PARTS))}")


@cache
def next_rows(table: str) -> Statement:
    """Read the next ``:limit`` rows that the index has not taken in: of each its id and its text's length."""
    return Statement(
        "indexing.next_rows",
        f"SELECT `id`,ifnull(length(`{PARTS[table].source}`),0) FROM `{table}` "
        f"WHERE `id`>{taken_to(table)} ORDER BY `id` LIMIT :limit",
    )


@cache
def take_rows(table: str) -> Statement:
    """Take in the rows up to ``:last``; what another program has taken in meanwhile is left out."""
    return _take("indexing.take_rows", table, f"`m`.`id`>{taken_to(table)} AND `m`.`id`<=:last")


#: Notes that the part ``:number`` has come to ``:last``.
ADVANCE: Final = Statement(
    "indexing.advance",
    "UPDATE `_cf_memrepo_taken` SET `taken_to`=:last WHERE `number`=:number AND `taken_to`<:last",
)


@cache
def next_notes(table: str) -> Statement:
    """Read the next ``:limit`` notes: of each the row's id, and its text's length."""
    source = PARTS[table].source
    return Statement(
        "indexing.next_notes",
        f"SELECT `n`.`id`,ifnull(length(`m`.`{source}`),0) FROM `_cf_memrepo_notes` AS `n` "
        f"LEFT JOIN `{table}` AS `m` ON `m`.`id`=`n`.`id` "
        f"WHERE `n`.`number`={PARTS[table].number} ORDER BY `n`.`id` LIMIT :limit",
    )


@cache
def remove(table: str) -> Statement:
    """Remove what the index has of the rows with ``:ids``, a JSON array."""
    return Statement(
        "indexing.remove",
        f"DELETE FROM `{index_table(table)}` "
        "WHERE `rowid` IN (SELECT `value` FROM json_each(:ids))",
    )


@cache
def take_noted(table: str) -> Statement:
    """Take in the rows with ``:ids``, a JSON array, as they are now."""
    return _take("indexing.take_noted", table, "`m`.`id` IN (SELECT `value` FROM json_each(:ids))")


#: Removes the notes of the rows of the part ``:number`` with ``:ids``, a JSON array.
CLEAR_NOTES: Final = Statement(
    "indexing.clear_notes",
    "DELETE FROM `_cf_memrepo_notes` WHERE `number`=:number "
    "AND `id` IN (SELECT `value` FROM json_each(:ids))",
)


def _take(name: str, table: str, condition: str) -> Statement:
    # Materialized, so that a text is not made twice.
    return Statement(
        name,
        f"WITH `row` AS MATERIALIZED ({expected(table, condition)}) "
        f"INSERT OR REPLACE INTO `{index_table(table)}` (`rowid`,`scope_key`,`text`) "
        "SELECT `id`,`key`,`text` FROM `row` WHERE `text` IS NOT NULL",
    )


@cache
def merge(table: str) -> Statement:
    """Go on merging what small steps have left, for about ``:pages`` pages; for all of it if negative."""
    return command("indexing.merge", table, "'merge',:pages")


@cache
def segments(table: str) -> Statement:
    """Read how many pages each segment of the index has, about, the most first."""
    return Statement(
        "indexing.segments",
        f"SELECT count(*) AS `n_pages` FROM `{index_table(table)}_idx` "
        "GROUP BY `segid` ORDER BY `n_pages` DESC",
    )


@cache
def optimize(table: str) -> Statement:
    """Merge everything, so that no deleted word is left (https://sqlite.org/fts5.html#the_optimize_command)."""
    return command("indexing.optimize", table, "'optimize',:rank")


def command(name: str, table: str, values: str) -> Statement:
    """Return a command to FTS5, and what belongs to it."""
    index = index_table(table)
    return Statement(name, f"INSERT INTO `{index}` (`{index}`,`rank`) VALUES ({values})")


#: The names of the statements of which a unit may run twice.
REPEATABLE: Final = frozenset(
    statement.name
    for statement in (
        ADVANCE,
        CLEAR_NOTES,
        *(build("sessions") for build in (take_rows, remove, take_noted, merge, optimize)),
    )
)
