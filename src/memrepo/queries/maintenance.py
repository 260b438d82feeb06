"""The statements that look after a database as a whole, across its scopes."""

from __future__ import annotations

from typing import Final

from memrepo.queries.builder import Query, param, statement
from memrepo.queries.facts import MEMORIES
from memrepo.queries.statement import Statement

#: What is wrong with the file, a row each; the one row ``ok`` if nothing is.
INTEGRITY: Final = Statement("maintenance.integrity", "PRAGMA integrity_check")
#: The rows that refer to rows that are not there: table, rowid, parent table, number of the key.
FOREIGN_KEYS: Final = Statement("maintenance.foreign_keys", "PRAGMA foreign_key_check")
#: A consistent copy, made in one read transaction; https://sqlite.org/lang_vacuum.html
BACKUP: Final = Statement("maintenance.backup", "VACUUM INTO :path")
#: The facts of all scopes whose hash memrepo has checked, in order of their ids.
HASHES: Final = statement(
    "maintenance.hashes",
    Query.from_(MEMORIES)
    .select(MEMORIES.id, MEMORIES.scope, MEMORIES.content, MEMORIES.content_hash)
    .where(MEMORIES.id > param("after_id"))
    .where(MEMORIES.hash_version != 0)
    # A fact that another one stands for keeps the hash that the other program gave it.
    .where(MEMORIES.superseded_by.isnull())
    .orderby(MEMORIES.id)
    .limit(param("limit")),
)
