"""
Statements that make the tables of the search index, and the triggers that note for it what has changed.

That is not a migration: FTS5 may be missing, the tokenizer is chosen, and who never searches has none of it.
"""

# ruff: noqa: S608 - only names of ours are put into the SQL

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

from memrepo.domain.indexing import Tokenizer
from memrepo.queries.indexing import PARTS, index_table, taken_to, terms_table
from memrepo.queries.statement import Statement

__all__ = [
    "CREATE_NOTES",
    "CREATE_TAKEN",
    "DROP_NOTES",
    "DROP_TAKEN",
    "EVENTS",
    "FORMAT",
    "HAS_FTS5",
    "N_OBJECTS",
    "RECORD",
    "START",
    "STATE",
    "create",
    "create_terms",
    "drop",
    "drop_terms",
    "set_up",
    "unwatch",
    "watch",
]

#: The version of what is stored, and how. An index of another version is built anew.
FORMAT: Final = "1"

_TOKENIZE: Final[Mapping[Tokenizer, str]] = {
    "english": "porter unicode61",
    "unicode": "unicode61",
    "trigram": "trigram",
}

_TABLES: Final = tuple(name(table) for table in PARTS for name in (index_table, terms_table))

#: One row: whether FTS5 is built in.
HAS_FTS5: Final = Statement(
    "index_tables.has_fts5", "SELECT count(*) FROM pragma_module_list WHERE `name`='fts5'"
)
#: The tokenizer and the format of the index, and how many of its tables and triggers there are; no row if it was not made.
STATE: Final = Statement(
    "index_tables.state",
    "SELECT `t`.`value`,`f`.`value`,(SELECT count(*) FROM `sqlite_master` WHERE `type`='trigger' "
    "AND `name` GLOB 'tr_*__index_*' AND `tbl_name` IN ('memory_entries','sessions','daily_logs') "
    f"OR `type`='table' AND `name` IN ({','.join(map(repr, _TABLES))})) "
    "FROM `memrepo_settings` AS `t` "
    "JOIN `memrepo_settings` AS `f` ON `f`.`name`='search_format' WHERE `t`.`name`='search'",
)
#: How many there must be: nine triggers, which a table loses that another program rebuilds, and six tables.
N_OBJECTS: Final = 15
#: Records the tokenizer ``:tokenizer`` and the format ``:format``.
RECORD: Final = Statement(
    "index_tables.record",
    "INSERT INTO `memrepo_settings` (`name`,`value`) VALUES ('search',:tokenizer),('search_format',:format) "
    "ON CONFLICT (`name`) DO UPDATE SET `value`=`excluded`.`value`",
)
DROP_TAKEN: Final = Statement("index_tables.drop_taken", "DROP TABLE IF EXISTS `_cf_memrepo_taken`")
CREATE_TAKEN: Final = Statement(
    "index_tables.create_taken",
    "CREATE TABLE `_cf_memrepo_taken` (`number` INTEGER PRIMARY KEY NOT NULL,`taken_to` INTEGER NOT NULL)",
)
#: Has every row taken in from now on; ``:lowest`` is below all ids.
START: Final = Statement(
    "index_tables.start",
    "INSERT INTO `_cf_memrepo_taken` (`number`,`taken_to`) VALUES (1,:lowest),(2,:lowest),(3,:lowest)",
)
DROP_NOTES: Final = Statement("index_tables.drop_notes", "DROP TABLE IF EXISTS `_cf_memrepo_notes`")
#: Each row is noted once.
CREATE_NOTES: Final = Statement(
    "index_tables.create_notes",
    "CREATE TABLE `_cf_memrepo_notes` (`number` INTEGER NOT NULL,`id` INTEGER NOT NULL,"
    "PRIMARY KEY (`number`,`id`)) WITHOUT ROWID",
)

#: The events that are watched: which rows they have, and the lowest id among these.
_EVENTS: Final[Mapping[str, tuple[tuple[str, ...], str]]] = {
    "insert": (("NEW",), "NEW.`id`"),
    "update": (("OLD", "NEW"), "min(OLD.`id`,NEW.`id`)"),
    "delete": (("OLD",), "OLD.`id`"),
}
#: The names of the events.
EVENTS: Final = tuple(_EVENTS)


@cache
def unwatch(table: str, event: str) -> Statement:
    """Drop the trigger for an event, if there is one."""
    return Statement("index_tables.unwatch", f"DROP TRIGGER IF EXISTS `tr_{table}__index_{event}`")


@cache
def watch(table: str, event: str) -> Statement:
    """
    Make the trigger that notes the rows of an event, unless they are above what was taken in.

    The ``OR ...`` of a statement that fires a trigger takes the place of its own; `ON CONFLICT` stays. It names no
    column of ours in a way that would keep it from being dropped.
    """
    part = PARTS[table]
    rows, lowest = _EVENTS[event]
    watched = ",".join(f"`{column}`" for column in part.watched)
    what = f"UPDATE OF {watched}" if event == "update" else event.upper()
    notes = "".join(
        f"INSERT INTO `_cf_memrepo_notes` (`number`,`id`) VALUES ({part.number},{row}.`id`) "
        "ON CONFLICT DO NOTHING; "
        for row in rows
    )
    return Statement(
        "index_tables.watch",
        f"CREATE TRIGGER `tr_{table}__index_{event}` AFTER {what} ON `{table}` "
        f"WHEN {lowest}<={taken_to(table)} BEGIN {notes}END",
    )


@cache
def create(table: str, tokenizer: Tokenizer) -> Statement:
    """Make the FTS5 table beside *table*."""
    return Statement(
        "index_tables.create",
        f"CREATE VIRTUAL TABLE `{index_table(table)}` "
        f"USING fts5(scope_key,text,tokenize='{_TOKENIZE[tokenizer]}')",
    )


@cache
def set_up(table: str) -> Statement:
    """Have FTS5 merge nothing by itself, which may take long; `merge` does it in small steps."""
    name = index_table(table)
    return Statement(
        "index_tables.set_up",
        f"INSERT INTO `{name}` (`{name}`,`rank`) VALUES ('automerge',0),('crisismerge',:never)",
    )


@cache
def drop(table: str) -> Statement:
    """Drop the FTS5 table beside *table*, if there is one."""
    return Statement("index_tables.drop", f"DROP TABLE IF EXISTS `{index_table(table)}`")


@cache
def create_terms(table: str) -> Statement:
    """Make the table that has the words of the FTS5 table beside *table*; it stores nothing itself."""
    return Statement(
        "index_tables.create_terms",
        f"CREATE VIRTUAL TABLE `{terms_table(table)}` USING fts5vocab('{index_table(table)}','row')",
    )


@cache
def drop_terms(table: str) -> Statement:
    """Drop the table that has the words, if there is one."""
    return Statement("index_tables.drop_terms", f"DROP TABLE IF EXISTS `{terms_table(table)}`")
