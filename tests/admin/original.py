"""The original program: how it made its database in each of its ages, and the statements it runs there."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import attrs

from memrepo.domain.codec import Row
from tests.servers.sqld import Sqld

__all__ = ["AGES", "DRIZZLE", "DRIZZLE_LATER", "OTHER_TABLES", "Program", "on_file", "on_server"]

_FIXTURES = Path(__file__).parents[1] / "fixtures"
#: What `drizzle-kit generate` makes of the three tables, and what its later migration adds.
DRIZZLE = (_FIXTURES / "drizzle.sql").read_text(encoding="utf-8")
DRIZZLE_LATER = (_FIXTURES / "drizzle_later.sql").read_text(encoding="utf-8")
OTHER_TABLES = ("messages", "observations", "conversation_evaluations", "projects", "tasks")

_JOURNAL = (
    'CREATE TABLE IF NOT EXISTS "__drizzle_migrations"'
    " (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at numeric)"
)
_EMBEDDINGS = (
    "CREATE TABLE memory_embeddings (memory_id integer PRIMARY KEY, embedding F32_BLOB(4))"
)
THEN = "2026-01-31T08:00:00.000Z"


def _split(script: str) -> list[str]:
    return [part.strip().rstrip(";") for part in script.split("--> statement-breakpoint")]


def _recorded(*scripts: str) -> Iterator[str]:
    yield _JOURNAL
    for number, script in enumerate(scripts):
        yield from _split(script)
        digest = sha256(script.encode()).hexdigest()
        yield (
            'INSERT INTO "__drizzle_migrations" ("hash", "created_at")'
            f" VALUES ('{digest}', {1767000000000 + number})"
        )


def _pushed_later() -> Iterator[str]:
    """`drizzle-kit push` makes each table with all its columns, and records nothing."""
    column = "`last_accessed` text\n"
    yield from _split(DRIZZLE.replace(column, f"{column.rstrip()},\n\t`deleted_at` text\n"))
    yield from _split(DRIZZLE_LATER)[1:]


#: The statements that made a database of each age.
AGES: dict[str, list[str]] = {
    "phase 7, migrated": [*_recorded(DRIZZLE)],
    "phase 7, pushed": _split(DRIZZLE),
    "today, migrated": [*_recorded(DRIZZLE, DRIZZLE_LATER)],
    "today, pushed": [*_pushed_later()],
    "today, with embeddings": [*_pushed_later(), _EMBEDDINGS],
}


@attrs.frozen
class Program:
    """The original, running its statements on one database."""

    run: Callable[[str], list[Row]]

    def knows_forgetting(self) -> bool:
        """Whether the facts can be marked as deleted."""
        columns = self.run("SELECT name FROM pragma_table_info('memory_entries')")
        return ("deleted_at",) in columns

    def remember(self, content: str, at: str) -> None:
        """Store a fact, or set when it was last accessed."""
        digest = sha256(content.lower().rstrip(".,!?;:").encode()).hexdigest()
        self.run(
            'insert into "memory_entries" ("id", "content", "content_hash", "category", "source",'
            f" \"created_at\", \"last_accessed\") values (null, '{content}', '{digest}', 'fact',"
            f" 'user_explicit', '{at}', '{at}') on conflict (\"memory_entries\".\"content_hash\")"
            f" do update set \"last_accessed\" = '{at}'"
        )

    def forget(self, content: str, at: str | None) -> None:
        """Mark a fact as deleted at an instant, or as no longer deleted."""
        value = "null" if at is None else f"'{at}'"
        self.run(
            f'update "memory_entries" set "deleted_at" = {value} where "content" = \'{content}\''
        )

    def candidates(self) -> list[str]:
        """The contents of the 100 facts accessed last."""
        condition = ' where "deleted_at" is null' if self.knows_forgetting() else ""
        return [
            content
            for (content,) in self.run(
                f'select "content" from "memory_entries"{condition}'
                ' order by "last_accessed" desc limit 100'
            )
        ]

    def talk(self, at: str) -> int:
        """Start a session, log an event of it, end it; return its id."""
        ((number,),) = self.run(
            'insert into "sessions" ("id", "started_at", "ended_at", "end_trigger", "summary")'
            f" values (null, '{at}', null, null, null) returning \"id\""
        )
        self.run(
            'insert into "daily_logs" ("id", "session_id", "event_type", "event_data", "timestamp")'
            f" values (null, {number}, 'session_start', '{{\"source\":\"user_initiated\"}}', '{at}')"
        )
        self.run(
            f'update "sessions" set "ended_at" = \'{at}\', "end_trigger" = \'browser_close\''
            f' where "sessions"."id" = {number}'
        )
        return int(number)

    def say(self, session: int, at: str) -> None:
        """Store a message of a session, an observation, and an evaluation."""
        self.run(
            'insert into "messages" ("session_id", "role", "content", "created_at")'
            f" values ({session}, 'user', 'Hello', '{at}')"
        )
        self.run(
            'insert into "observations" ("pattern", "pattern_type", "evidence", "session_id",'
            f" \"created_at\") values ('p', 'time', 'e', {session}, '{at}')"
        )
        self.run(
            'insert into "conversation_evaluations" ("session_id", "scores", "overall", "strengths",'
            ' "improvements", "model", "active_rule_ids", "evaluated_at")'
            f" values ({session}, '{{}}', 'good', '[]', '[]', 'm', '[]', '{at}')"
        )


def on_file(path: Path) -> Program:
    """Return the original on a file; each statement opens it anew."""

    def run(sql: str) -> list[Row]:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            return connection.execute(sql).fetchall()

    return Program(run)


def on_server(server: Sqld, namespace: str) -> Program:
    """Return the original on a server."""

    def run(sql: str) -> list[Any]:
        return server.query(namespace, sql)

    return Program(run)
