"""Statements of `verify`, `backup` and `compact`, across all scopes."""

from __future__ import annotations

from typing import Final

from pypika.functions import Cast

from memrepo.queries.builder import Query, param, statement
from memrepo.queries.facts import MEMORIES
from memrepo.queries.statement import Statement

#: One row for each thing that is wrong with the file; the one row ``ok`` if nothing is.
INTEGRITY: Final = Statement(
    "maintenance.integrity", "PRAGMA integrity_check", is_pragma=True, is_long=True
)
#: The names of all tables.
TABLES: Final = Statement(
    "maintenance.tables",
    "SELECT `name` FROM `sqlite_master` WHERE `type`='table' AND `name` NOT GLOB 'sqlite_*'",
)
#: The same as `INTEGRITY` for one table and its indexes.
INTEGRITY_OF: Final = Statement(
    "maintenance.integrity_of",
    "SELECT `integrity_check` FROM pragma_integrity_check(:table)",
    is_long=True,
)
#: The rows of one table that refer to missing rows, and the table that these should be in.
FOREIGN_KEYS: Final = Statement(
    "maintenance.foreign_keys",
    "SELECT `rowid`,`parent` FROM pragma_foreign_key_check(:table)",
    is_long=True,
)
#: A consistent copy, made in one read transaction; https://sqlite.org/lang_vacuum.html
BACKUP: Final = Statement("maintenance.backup", "VACUUM INTO :path")
#: The database rebuilt without free pages; https://sqlite.org/lang_vacuum.html
VACUUM: Final = Statement("maintenance.vacuum", "VACUUM")
#: One row: whether somebody was in the way, and two numbers of pages; then the write-ahead log is empty.
CHECKPOINT: Final = Statement(
    "maintenance.checkpoint", "PRAGMA wal_checkpoint(TRUNCATE)", is_pragma=True
)
#: The facts of all scopes whose hash memrepo has checked, in order of their ids. Their content comes as
#: bytes, because damaged content need not be UTF-8.
HASHES: Final = statement(
    "maintenance.hashes",
    Query.from_(MEMORIES)
    .select(MEMORIES.id, MEMORIES.scope, Cast(MEMORIES.content, "BLOB"), MEMORIES.content_hash)
    .where(MEMORIES.id > param("after_id"))
    .where(MEMORIES.hash_version != 0)
    # Among adopted facts that are the same, only one has the hash: the others are superseded or forgotten.
    .where(
        MEMORIES.content_hash.notnull()
        | (MEMORIES.superseded_by.isnull() & MEMORIES.deleted_at.isnull())
    )
    .orderby(MEMORIES.id)
    .limit(param("limit")),
    is_long=True,
)
