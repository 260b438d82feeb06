"""Statements that copy raw rows of all scopes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Final

from memrepo.domain.codec import DAILY_LOG_COLUMNS, MEMORY_COLUMNS, SESSION_COLUMNS
from memrepo.queries.statement import Statement

__all__ = [
    "ADD_NUMBER",
    "ANY_IMPORT",
    "BOUNDS",
    "COUNTS_OF_SCOPE",
    "ENCODING",
    "HAS_NUMBERS",
    "HOLDER",
    "HOLDERS",
    "IMPORT",
    "INTEGERS",
    "KNOWN",
    "LINK_KNOWN",
    "NOTE_IMPORT",
    "NUMBERS",
    "RAISE_NUMBER",
    "REQUIRED",
    "TABLES",
    "count",
    "insert_many",
    "insert_one",
    "read",
    "texts",
]

#: The tables in an order that foreign keys allow, and all their columns, the id first.
TABLES: Final = {
    "sessions": (*SESSION_COLUMNS, "is_exclusive", "active_at", "summarized_until"),
    "memory_entries": (*MEMORY_COLUMNS, "hash_version", "n_restated"),
    "daily_logs": DAILY_LOG_COLUMNS,
}
#: The columns that do not hold text.
INTEGERS: Final = frozenset(
    {"id", "session_id", "superseded_by", "hash_version", "n_restated", "is_exclusive"}
)
#: The columns that are NOT NULL: ``INSERT OR IGNORE`` would pass over a row without a value there.
REQUIRED: Final = frozenset(
    {"id", "scope", "thread", "started_at", "is_exclusive", "content", "category", "source"}
    | {"created_at", "hash_version", "n_restated", "event_type", "timestamp"}
)


def _join(*parts: str) -> str:
    return " ".join(parts)


def _each(columns: Iterable[str], show: Callable[[str], str], between: str = ",") -> str:
    return between.join(show(column) for column in columns)


def _quoted(name: str) -> str:
    return f"`{name}`"


def texts(table: str) -> list[str]:
    """Return the columns of a table that hold text, in its order."""
    return [column for column in TABLES[table] if column not in INTEGERS]


# --- sizes and ids -----------------------------------------------------------------------------

#: The highest id and the number of rows of each table, at one moment.
BOUNDS: Final = Statement(
    "copying.bounds",
    _join(
        "SELECT",
        _each(
            TABLES,
            lambda table: _join(
                "(SELECT max(`id`) FROM",
                f"{_quoted(table)}),",
                "(SELECT count(*) FROM",
                f"{_quoted(table)})",
            ),
        ),
    ),
    is_long=True,
)
#: How many rows of each table ``:scope`` has.
COUNTS_OF_SCOPE: Final = Statement(
    "copying.counts_of_scope",
    _join(
        "SELECT",
        _each(
            TABLES,
            lambda table: _join("(SELECT count(*) FROM", _quoted(table), "WHERE `scope`=:scope)"),
        ),
    ),
    is_long=True,
)
#: Where the rows of the import ``:name`` went.
IMPORT: Final = Statement(
    "copying.import", "SELECT `value` FROM `memrepo_settings` WHERE `name`=:name"
)
#: A row, if any import has been noted.
ANY_IMPORT: Final = Statement(
    "copying.any_import",
    "SELECT 1 FROM `memrepo_settings` WHERE `name` GLOB 'import.*' LIMIT 1",
)
#: Notes it, unless it is noted.
NOTE_IMPORT: Final = Statement(
    "copying.note_import",
    "INSERT OR IGNORE INTO `memrepo_settings` (`name`,`value`) VALUES (:name,:value)",
)
#: ``UTF-8``, unless another program created the file with another encoding.
ENCODING: Final = Statement("copying.encoding", "SELECT `encoding` FROM pragma_encoding")
#: A page of the current facts that fill slots, by the partial index: of each the id, the scope and the slot.
HOLDERS: Final = Statement(
    "copying.holders",
    _join(
        "SELECT `id`,hex(`scope`),hex(`slot`) FROM `memory_entries` WHERE `slot` IS NOT NULL",
        "AND `deleted_at` IS NULL AND `superseded_by` IS NULL",
        "AND (`expires_at` IS NULL OR `expires_at`>:now) AND `id`>=:first ORDER BY `id` LIMIT :limit",
    ),
    is_long=True,
)
#: The first of ``:slots``, a JSON array of pairs of a scope and a slot, that a current fact fills whose id is none from
#: ``:first`` to ``:last``: its place in the array, and the fact.
HOLDER: Final = Statement(
    "copying.holder",
    _join(
        "SELECT `item`.`key`,`fact`.`id` FROM json_each(:slots) `item` CROSS JOIN `memory_entries` `fact`",
        "ON `fact`.`scope`=json_extract(`item`.`value`,'$[0]')",
        "AND `fact`.`slot`=json_extract(`item`.`value`,'$[1]') AND `fact`.`slot` IS NOT NULL",
        "AND `fact`.`deleted_at` IS NULL AND `fact`.`superseded_by` IS NULL",
        "WHERE (`fact`.`expires_at` IS NULL OR `fact`.`expires_at`>:now)",
        "AND NOT (`fact`.`id` BETWEEN :first AND :last) ORDER BY `item`.`key`,`fact`.`id` LIMIT 1",
    ),
)
#: Of ``:facts``, a JSON array of pairs of an id and a hash, those whose hash a fact with another id has: both ids.
KNOWN: Final = Statement(
    "copying.known",
    _join(
        "SELECT json_extract(`item`.`value`,'$[0]'),`fact`.`id`",
        "FROM json_each(:facts) `item` CROSS JOIN `memory_entries` `fact`",
        "ON `fact`.`content_hash`=json_extract(`item`.`value`,'$[1]')",
        "WHERE `fact`.`id`<>json_extract(`item`.`value`,'$[0]') ORDER BY `item`.`key`",
    ),
)
#: For each of ``:links``, a JSON array of pairs of ids, has the facts with ids from ``:first`` to ``:last`` that the first
#: one supersedes be superseded by the second; but for those that come after this one, which would close a circle.
LINK_KNOWN: Final = Statement(
    "copying.link_known",
    _join(
        "UPDATE `memory_entries` SET `superseded_by`=json_extract(`item`.`value`,'$[1]')",
        "FROM json_each(:links) `item`",
        "WHERE `memory_entries`.`superseded_by`=json_extract(`item`.`value`,'$[0]')",
        "AND +`memory_entries`.`id` BETWEEN :first AND :last AND `memory_entries`.`id` NOT IN",
        "(WITH RECURSIVE `chain`(`id`) AS (SELECT json_extract(`item`.`value`,'$[1]') UNION",
        "SELECT `fact`.`superseded_by` FROM `chain` CROSS JOIN `memory_entries` `fact`",
        "WHERE `fact`.`id`=`chain`.`id` AND `fact`.`superseded_by` IS NOT NULL)",
        "SELECT `id` FROM `chain`)",
    ),
)
#: Whether SQLite keeps the highest id that each table has used: 1 or 0; https://sqlite.org/autoinc.html
HAS_NUMBERS: Final = Statement(
    "copying.has_numbers", "SELECT count(*) FROM `sqlite_master` WHERE `name`='sqlite_sequence'"
)
#: The highest id that each table has used, even if its row is gone.
NUMBERS: Final = Statement("copying.numbers", "SELECT `name`,`seq` FROM `sqlite_sequence`")
RAISE_NUMBER: Final = Statement(
    "copying.raise_number",
    "UPDATE `sqlite_sequence` SET `seq`=:seq WHERE `name`=:name AND `seq`<:seq",
)
ADD_NUMBER: Final = Statement(
    "copying.add_number",
    "INSERT INTO `sqlite_sequence` (`name`,`seq`) SELECT :name,:seq "
    "WHERE NOT EXISTS (SELECT 1 FROM `sqlite_sequence` WHERE `name`=:name)",
)


@cache
def count(table: str, *, scoped: bool = False) -> Statement:
    """Count the rows with ids from ``:first`` to ``:last``; *scoped*, those of ``:scope``."""
    its_scope = ("+`scope`=:scope AND",) if scoped else ()
    return Statement(
        "copying.count",
        _join(
            "SELECT count(*) FROM",
            _quoted(table),
            "WHERE",
            *its_scope,
            "`id`>=:first AND `id`<=:last",
        ),
        is_long=True,
    )


# --- rows --------------------------------------------------------------------------------------


@cache
def read(table: str, *, scoped: bool = False) -> Statement:
    """
    Read a page of the rows with ids from ``:first`` to ``:last``, in order; *scoped*, those of ``:scope``.

    A page has at most ``:limit`` rows, and ends with the row that brings it above ``:size`` bytes.
    Texts come as bytes, because another program's need not be UTF-8. After the columns comes a text
    with ``1`` for each text column that holds a blob, and ``0`` for the others.
    """
    its_texts = texts(table)
    # Without the plus, SQLite might sort all rows of the scope by their ids for each page.
    its_scope = ("+`scope`=:scope AND",) if scoped else ()
    shown = (
        _quoted(name) if name in INTEGERS else f"CAST({_quoted(name)} AS BLOB)"
        for name in TABLES[table]
    )
    return Statement(
        "copying.read",
        _join(
            "SELECT",
            ",".join([*shown, _each(its_texts, lambda name: f"(typeof(`{name}`)='blob')", "||")]),
            "FROM",
            _quoted(table),
            "WHERE",
            *its_scope,
            "`id`>=:first AND `id`<=(SELECT max(`page`.`id`) FROM",
            # The sizes of the rows before each one; only then are the rows themselves read.
            "(SELECT `part`.`id`,sum(`part`.`size`) OVER (ORDER BY `part`.`id`",
            "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS `before` FROM (SELECT `id`,",
            _each(its_texts, lambda name: f"ifnull(length(CAST(`{name}` AS BLOB)),0)", "+"),
            "AS `size` FROM",
            _quoted(table),
            "WHERE",
            *its_scope,
            "`id`>=:first AND `id`<=:last ORDER BY `id` LIMIT :limit) AS `part`) AS `page`",
            "WHERE ifnull(`page`.`before`,0)<=:size) ORDER BY `id`",
        ),
        is_long=True,
    )


@cache
def insert_many(table: str) -> Statement:
    """Insert the rows of ``:batch``, a JSON array of arrays in the order of the table's columns."""
    columns = TABLES[table]
    items = (f"json_extract(`item`.`value`,'$[{place}]')" for place in range(len(columns)))
    return Statement(
        "copying.insert_many",
        _join(
            _insert(table),
            "SELECT",
            ",".join(items),
            "FROM json_each(:batch) `item` RETURNING `id`",
        ),
    )


@cache
def insert_one(table: str) -> Statement:
    """Insert one row, each value as it is bound; bytes become text if ``:<column>_is_text``."""
    return Statement(
        "copying.insert_one",
        _join(_insert(table), "VALUES", f"({_each(TABLES[table], _bound)})", "RETURNING `id`"),
    )


def _insert(table: str) -> str:
    columns = f"({_each(TABLES[table], _quoted)})"
    return _join("INSERT OR IGNORE INTO", _quoted(table), columns)


def _bound(column: str) -> str:
    if column in INTEGERS:
        return f":{column}"
    return f"CASE WHEN :{column}_is_text THEN CAST(:{column} AS TEXT) ELSE :{column} END"
