"""The statements on memrepo's tables that raw sqlite3 and the plain peers run."""

from __future__ import annotations

from typing import Final

from tests.benchmarks.data import SOURCE, Event, Fact, content_hash, encode, now

_FACT_COLUMNS: Final = (
    "id, scope, content, content_hash, category, source, created_at, last_accessed, expires_at,"
    " deleted_at, superseded_by, metadata"
)
_EVENT_COLUMNS: Final = "id, scope, session_id, event_type, event_data, timestamp, idempotency_key"

#: The rows of W6: the latest facts of a category and the latest events of a session.
N_FACTS: Final = 50
N_EVENTS: Final = 100

APPEND: Final = (
    "INSERT INTO daily_logs (scope, session_id, event_type, event_data, timestamp)"
    " VALUES ('', ?, ?, ?, ?)"
)
APPEND_RETURNING: Final = f"{APPEND} RETURNING id"
REMEMBER: Final = (
    "INSERT INTO memory_entries"
    " (scope, content, content_hash, category, source, created_at, hash_version)"
    " VALUES ('', ?, ?, ?, ?, ?, 1)"
    " ON CONFLICT (content_hash) DO UPDATE SET last_accessed = excluded.created_at"
    " RETURNING id, last_accessed"
)
REMEMBER_ALL: Final = (
    "INSERT OR IGNORE INTO memory_entries"
    " (scope, content, content_hash, category, source, created_at, hash_version)"
    " VALUES ('', ?, ?, ?, ?, ?, 1)"
)
GET: Final = f"SELECT {_FACT_COLUMNS} FROM memory_entries WHERE id = ?"
LATEST_FACTS: Final = (
    f"SELECT {_FACT_COLUMNS} FROM memory_entries WHERE scope = '' AND category = ?"
    " AND deleted_at IS NULL AND superseded_by IS NULL"
    f" ORDER BY created_at DESC, id DESC LIMIT {N_FACTS}"
)
LATEST_EVENTS: Final = (
    f"SELECT {_EVENT_COLUMNS} FROM daily_logs WHERE session_id = ? AND +scope = ''"
    f" ORDER BY timestamp DESC, id DESC LIMIT {N_EVENTS}"
)


def append_values(event: Event) -> tuple[int, str, str, str]:
    """Encode an event for `APPEND`; the caller pays for the JSON and the instant, as memrepo does."""
    return event.session_id, event.event_type, encode(event.data), now()


def remember_values(fact: Fact) -> tuple[str, str, str, str, str]:
    """Encode a fact for `REMEMBER`; the caller pays for the hash and the instant, as memrepo does."""
    return fact.content, content_hash(fact.content), fact.category, SOURCE, now()
