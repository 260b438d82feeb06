"""Apply numbered SQL files to a database, each once and atomically."""

from __future__ import annotations

import logging
import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

import attrs

from memrepo.connection.contract import Connection
from memrepo.domain.codec import Row
from memrepo.domain.instants import encode_instant
from memrepo.errors import ConstraintError, DatabaseError, MigrationError
from memrepo.queries import versions
from memrepo.queries.statement import Statement, Unit, control_word
from memrepo.queries.versions import OURS, VersionTable

__all__ = [
    "Migration",
    "load_migrations",
    "migrate",
    "pending",
    "read_migrations",
    "read_version",
]

_logger = logging.getLogger(__name__)

_file_name = re.compile(r"(\d{4})_[a-z0-9_]+\.sql").fullmatch

#: The columns of the original system's tables, by which its databases are recognized.
_ORIGINAL: Final = {
    "memory_entries": {
        *("id", "content", "content_hash", "category", "source", "created_at", "last_accessed")
    },
    "sessions": {"id", "started_at", "ended_at", "end_trigger", "summary"},
    "daily_logs": {"id", "session_id", "event_type", "event_data", "timestamp"},
}
#: The columns that our migrations add to them.
_OURS: Final = {
    "memory_entries": {
        *("scope", "expires_at", "deleted_at", "superseded_by", "metadata", "hash_version")
    },
    "sessions": {"scope", "is_exclusive"},
    "daily_logs": {"scope", "idempotency_key"},
}


@attrs.frozen
class Migration:
    """One file of a folder of migrations."""

    #: 1, 2, 3, ...
    number: int
    #: The file's name without ``.sql``.
    name: str
    #: The file's text.
    sql: str

    @property
    def checksum(self) -> str:
        """The SHA-256 of the text, which shows whether an applied file was changed."""
        return sha256(self.sql.encode()).hexdigest()

    def statements(self) -> Iterator[Statement]:
        """Split the text into statements: `executescript` would commit the open transaction."""
        text = ""
        for line in self.sql.splitlines(keepends=True):
            text += line
            if sqlite3.complete_statement(text):
                if word := control_word(text):
                    raise MigrationError(f"{self.name}: {word} is not allowed in a migration")
                yield Statement(f"migrations.{self.name}", text.strip())
                text = ""
        if any(line.strip() and not line.lstrip().startswith("--") for line in text.splitlines()):
            raise MigrationError(f"{self.name}: the last statement has no semicolon")


@cache
def load_migrations() -> tuple[Migration, ...]:
    """
    Read the files of ``schema/``, in order.

    Raises:
        MigrationError: A file's name is wrong, or a number is missing or used twice.
    """
    packaged = files("memrepo") / "schema"
    # In a source tree and an editable install the folder is beside src/.
    folder = packaged if packaged.is_dir() else Path(__file__).parents[3] / "schema"
    return read_migrations(folder)


def read_migrations(folder: Path | Traversable) -> tuple[Migration, ...]:
    """
    Read the ``.sql`` files of a folder, in order.

    Raises:
        MigrationError: A file's name is wrong, a number is missing or used twice, or a file is not
            UTF-8.
    """
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    migrations: list[Migration] = []
    for expected, name in enumerate(names, start=1):
        match = _file_name(name)
        if match is None or int(match[1]) != expected:
            raise MigrationError(
                f"{folder.name}/{name}: expected a file {expected:04d}_verb_noun.sql"
            )
        try:
            text = (folder / name).read_text(encoding="utf-8").replace("\r\n", "\n")
        except ValueError as error:
            raise MigrationError(f"{folder.name}/{name}: is not UTF-8 text") from error
        migrations.append(Migration(expected, name.removesuffix(".sql"), text))
    return tuple(migrations)


def pending(known: Sequence[Migration], applied: Sequence[Row]) -> Sequence[Migration]:
    """
    Return the migrations that are not applied yet.

    Args:
        known: The folder's migrations.
        applied: The rows (number, name, checksum) of the database's version table, in order.

    Raises:
        MigrationError: The database is newer or lacks one in between, or an applied file was changed.
    """
    for expected, (number, name, checksum) in enumerate(applied, start=1):
        if number != expected:
            raise MigrationError(f"the database has migration {number} but not {expected}")
        if number > len(known):
            raise MigrationError(
                f"the database has migration {name}, newer than the {len(known)} known here"
            )
        migration = known[expected - 1]
        if (name, checksum) != (migration.name, migration.checksum):
            raise MigrationError(f"{migration.name}.sql is not the file that was applied")
    return known[len(applied) :]


def can_adopt(columns: Iterable[Row], *, has_hash_index: bool) -> bool:
    """
    Tell whether the database holds the original system's tables.

    Args:
        columns: The rows of `versions.COLUMNS`.
        has_hash_index: Whether ``content_hash`` is unique; see `versions.HAS_HASH_INDEX`.

    Returns:
        False if no table has one of our names.

    Raises:
        MigrationError: Tables have our names, but are not the original's.
    """
    found: dict[str, set[str]] = {}
    for table, kind, column, column_type, not_null, default, primary_key in columns:
        if kind != "table":
            raise MigrationError(f"the {kind} {table} of another program has the name of our table")
        found.setdefault(table, set()).add(column)
        if column == "id" and (column_type, primary_key) != ("INTEGER", 1):
            raise MigrationError(
                f"the table {table} belongs to another program: id is not its integer key"
            )
        is_extra = column not in _ORIGINAL[table]
        if is_extra and (column in _OURS[table] or (not_null and default is None) or primary_key):
            raise MigrationError(f"the table {table} belongs to another program: column {column}")
    for table, names in found.items():
        if missing := _ORIGINAL[table] - names:
            raise MigrationError(
                f"the table {table} belongs to another program: it lacks {', '.join(sorted(missing))}"
            )
    if found and (absent := _ORIGINAL.keys() - found.keys()):
        raise MigrationError(f"the database has only some of the tables: {min(absent)} is missing")
    if found and not has_hash_index:
        raise MigrationError(
            "memory_entries belongs to another program: content_hash is not unique"
        )
    return bool(found)


async def read_version(connection: Connection, known: Sequence[Migration]) -> int:
    """
    Return the number of the last applied migration; 0 for none. Only reads.

    Raises:
        MigrationError: The database is newer, its migrations are not this version's, or it has
            tables of another program with our names.
    """
    version, _ = await _read_state(connection, known, OURS)
    return version


async def migrate(
    connection: Connection,
    known: Sequence[Migration],
    now: datetime,
    table: VersionTable = OURS,
) -> int:
    """
    Apply the pending migrations, each in one transaction with its row in the version table.

    Safe when several processes do it at once: each migration is applied by one of them.

    Returns:
        The version the schema has now.

    Raises:
        MigrationError: The schema cannot be migrated. The migration it names was not applied.
    """
    while True:
        version, has_tables = await _read_state(connection, known, table)
        if version == len(known):
            return version
        migration = known[version]
        try:
            await connection.write(_unit(migration, now, table, with_tables=not has_tables))
        except ConstraintError:
            # Another process was faster, unless the migration itself broke a constraint.
            if len(await _applied(connection, table)) < migration.number:
                raise MigrationError(f"{migration.name}: a row breaks a constraint") from None
        except DatabaseError as error:
            if type(error) is not DatabaseError or error.outcome_unknown:
                raise
            raise MigrationError(f"{migration.name} failed; it was not applied") from error
        else:
            _logger.info("applied migration %s", migration.name)


async def _read_state(
    connection: Connection, known: Sequence[Migration], table: VersionTable
) -> tuple[int, bool]:
    """Read the version, and whether a database without any of ours has the original's tables."""
    if table is not OURS:
        return len(known) - len(pending(known, await _applied(connection, table))), False
    columns = await connection.read(versions.COLUMNS.bind())
    ((n_hash_indexes,),) = await connection.read(versions.HAS_HASH_INDEX.bind())
    # Last, so that if another process has just made the tables, their version is seen, too.
    applied = await _applied(connection, table)
    version = len(known) - len(pending(known, applied))
    return version, version == 0 and can_adopt(columns, has_hash_index=n_hash_indexes > 0)


def _unit(migration: Migration, now: datetime, table: VersionTable, *, with_tables: bool) -> Unit:
    record = table.record.bind(
        number=migration.number,
        name=migration.name,
        checksum=migration.checksum,
        now=encode_instant(now),
    )
    # The row comes first, so that the slower of two processes fails here, before it changes anything.
    unit = [table.create.bind(), record]
    if with_tables:
        unit += [statement.bind() for statement in migration.statements()]
    return tuple(unit)


async def _applied(connection: Connection, table: VersionTable) -> list[Row]:
    if not (await connection.read(table.exists.bind()))[0][0]:
        return []
    try:
        return await connection.read(table.applied.bind())
    except DatabaseError as error:
        if type(error) is not DatabaseError:
            raise
        raise MigrationError(f"the table {table.name} belongs to another program") from error
