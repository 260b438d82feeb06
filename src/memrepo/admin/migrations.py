"""Numbered SQL files: read in order, split into statements, and what they make of a database."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from os import PathLike
from pathlib import Path

import attrs

from memrepo.admin.shape import EMPTY, Shape, read_shape
from memrepo.domain.jsontext import to_compact_json
from memrepo.errors import InvalidInputError, MigrationError
from memrepo.queries import versions
from memrepo.queries.statement import Statement, control_word

__all__ = ["Migration", "failed", "load_migrations", "read_folder", "shapes_of"]

_file_name = re.compile(r"(\d{4})_[a-z0-9_]+\.sql").fullmatch


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

    @cache  # noqa: B019 - there are few, and reading them takes longer than running them
    def statements(self) -> tuple[Statement, ...]:
        """Split the text into statements: `executescript` would commit the open transaction."""
        return tuple(self._split())

    def _split(self) -> Iterator[Statement]:
        text = ""
        for line in self.sql.splitlines(keepends=True):
            text += line
            if sqlite3.complete_statement(text):
                if word := control_word(text):
                    raise MigrationError(f"{self.name}: {word} is not allowed in a migration")
                yield self._statement(text.strip())
                text = ""
        if any(line.strip() and not line.lstrip().startswith("--") for line in text.splitlines()):
            raise MigrationError(f"{self.name}: the last statement has no semicolon")

    def _statement(self, sql: str) -> Statement:
        try:
            return Statement(f"migrations.{self.name}", sql, is_pragma=True)
        except InvalidInputError as error:
            raise MigrationError(f"{self.name}: a statement {error.reason}") from error


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
    return _read_migrations(folder)


def read_folder(folder: str | PathLike[str]) -> tuple[Migration, ...]:
    """
    Read the ``.sql`` files of a folder, in order.

    Raises:
        InvalidInputError: *folder* is not a folder.
        MigrationError: A file's name is wrong, a number is missing or used twice, or a file cannot be
            read as UTF-8 text.
    """
    if not isinstance(folder, str | PathLike) or not Path(folder).is_dir():
        raise InvalidInputError("folder", "is not a folder")
    return _read_migrations(Path(folder))


def _read_migrations(folder: Path | Traversable) -> tuple[Migration, ...]:
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    migrations: list[Migration] = []
    for expected, name in enumerate(names, start=1):
        match = _file_name(name)
        if match is None or int(match[1]) != expected:
            raise MigrationError(
                f"{folder.name}/{name}: expected a file {expected:04d}_verb_noun.sql"
            )
        text = _read(folder / name, f"{folder.name}/{name}")
        migrations.append(Migration(expected, name.removesuffix(".sql"), text))
    return tuple(migrations)


def _read(file: Traversable, label: str) -> str:
    try:
        text = file.read_text(encoding="utf-8").replace("\r\n", "\n")
    except ValueError as error:
        raise MigrationError(f"{label}: is not UTF-8 text") from error
    except OSError as error:
        raise MigrationError(f"{label}: cannot be read ({error.strerror})") from error
    # SQLite takes it for the end of the text, and would pass over the statements after it.
    if "\0" in text:
        raise MigrationError(f"{label}: has a NUL character")
    return text


@cache
def shapes_of(known: tuple[Migration, ...]) -> tuple[Shape, ...]:
    """
    Run *known* on an empty database, and return what it is before the first and after each.

    Raises:
        MigrationError: A statement fails there.
    """
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        shapes = [EMPTY]
        for migration in known:
            try:
                for statement in migration.statements():
                    connection.execute(statement.sql)
            except sqlite3.Error as error:
                raise failed(migration.name, error) from error
            shapes.append(_shape(connection))
    return tuple(shapes)


def _shape(connection: sqlite3.Connection) -> Shape:
    names = to_compact_json([name for (name,) in connection.execute(versions.NAMES.sql)])
    return read_shape(connection.execute(versions.SHAPE.positional_sql, (names,)))


def failed(names: str, reason: Exception) -> MigrationError:
    """Return the error for a statement of the migrations with these names that the database refused."""
    return MigrationError(f"{reason}; {names} was not applied")
