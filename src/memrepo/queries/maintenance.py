"""Statements of `verify` and `backup`, across all scopes."""

from __future__ import annotations

from typing import Final

from pypika.functions import Cast
from pypika.terms import Function

from memrepo.queries.builder import Query, param, statement
from memrepo.queries.facts import MEMORIES
from memrepo.queries.statement import Statement

#: What is wrong with the file, a row each; the one row ``ok`` if nothing is.
INTEGRITY: Final = Statement("maintenance.integrity", "PRAGMA integrity_check")
#: The rows that refer to rows that are not there: table, rowid, parent table, number of the key.
FOREIGN_KEYS: Final = Statement("maintenance.foreign_keys", "PRAGMA foreign_key_check")
#: A consistent copy, made in one read transaction; https://sqlite.org/lang_vacuum.html
BACKUP: Final = Statement("maintenance.backup", "VACUUM INTO :path")
#: The facts of all scopes whose hash memrepo has checked, in order of their ids. Their content comes
#: as bytes, because a damaged one need not be UTF-8, with the type that it is stored as.
HASHES: Final = statement(
    "maintenance.hashes",
    Query.from_(MEMORIES)
    .select(MEMORIES.id, MEMORIES.scope, Function("typeof", MEMORIES.content))
    .select(Cast(MEMORIES.content, "BLOB"), MEMORIES.content_hash)
    .where(MEMORIES.id > param("after_id"))
    .where(MEMORIES.hash_version != 0)
    # Of adopted facts that are the same, only the one that stands for them has the hash.
    .where(MEMORIES.superseded_by.isnull() | MEMORIES.content_hash.notnull())
    .orderby(MEMORIES.id)
    .limit(param("limit")),
)
