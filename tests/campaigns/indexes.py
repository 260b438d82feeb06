"""What the search index must have, in plain Python, for a database as a fault has left it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator

__all__ = ["drift"]

_READ = {
    1: (
        "memory_entries",
        "SELECT id, scope, content FROM memory_entries WHERE deleted_at IS NULL AND superseded_by IS NULL",
    ),
    2: ("sessions", "SELECT id, scope, summary FROM sessions"),
    3: ("daily_logs", "SELECT id, scope, event_data FROM daily_logs"),
}


def drift(connection: sqlite3.Connection) -> Iterator[str]:
    """Yield where the index has another row than it should, none, or one in vain, unless that is pending."""
    made = connection.execute(
        "SELECT 1 FROM sqlite_master WHERE name = '_cf_memrepo_taken'"
    ).fetchall()
    taken = connection.execute("SELECT * FROM _cf_memrepo_taken").fetchall() if made else []
    for number, taken_to in taken:
        table, query = _READ[number]
        noted = {
            row[0]
            for row in connection.execute(
                "SELECT id FROM _cf_memrepo_notes WHERE number = ?", (number,)
            )
        }
        there = {
            row_id: (key, text)
            for row_id, key, text in connection.execute(
                f"SELECT rowid, scope_key, text FROM _cf_memrepo_fts_{table}"
            )
            if row_id not in noted
        }
        wanted = {
            row_id: (f"ss{scope.encode().hex()}q", text)
            for row_id, scope, stored in connection.execute(query)
            if row_id <= taken_to
            and row_id not in noted
            and (text := _text(table, stored)) is not None
        }
        for row_id in sorted(there.keys() | wanted.keys()):
            if there.get(row_id) != wanted.get(row_id):
                yield f"{table} {row_id} is {there.get(row_id)}, not {wanted.get(row_id)}"
        # Fails where the words are not those of the texts.
        connection.execute(
            f"INSERT INTO _cf_memrepo_fts_{table} (_cf_memrepo_fts_{table}) VALUES ('integrity-check')"
        )


def _text(table: str, stored: str | None) -> str | None:
    if table != "daily_logs" or stored is None:
        return stored
    return "\n".join(texts) if (texts := list(_texts(json.loads(stored)))) else None


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
