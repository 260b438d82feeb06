"""Apply migrations to a database: each once and atomically, and only to one that is as it should be."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Sequence
from datetime import datetime
from itertools import chain
from typing import Final

import attrs

from memrepo.admin.migrations import Migration, failed, shapes_of
from memrepo.admin.shape import EMPTY, Shape, missing, read_shape, taken
from memrepo.connection.contract import Connection
from memrepo.domain.codec import Row, to_number
from memrepo.domain.hashing import SameFact
from memrepo.domain.instants import encode_instant
from memrepo.domain.jsontext import to_compact_json
from memrepo.errors import ConstraintError, DatabaseError, InvalidInputError, MigrationError
from memrepo.queries import adoption, settings, versions
from memrepo.queries.statement import BoundStatement, Statement, Unit
from memrepo.queries.versions import OURS, VersionTable

__all__ = ["migrate", "pending", "read_version"]

_logger = logging.getLogger(__name__)

#: The migration that makes the original's tables, and is only recorded where they are.
_ORIGINAL: Final = 1
#: The first migration with which a database is marked as ours, and has settings; see `versions.MARK`.
_MARKED: Final = 3

_adds_column = re.compile(r"^ALTER TABLE `(\w+)` ADD COLUMN `(\w+)`", re.MULTILINE).search


def pending(known: Sequence[Migration], applied: Sequence[Row]) -> Sequence[Migration]:
    """
    Return the migrations that are not applied yet.

    Args:
        known: The migrations of a folder.
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


@attrs.frozen
class _State:
    """A database before its next migration."""

    #: The number of the last applied migration.
    version: int
    #: What it has; empty where the migrations are not ours.
    shape: Shape = EMPTY
    #: Whether it has the original's tables, and no migration.
    is_original: bool = False
    #: Whether it lost what memrepo had added.
    was_pushed: bool = False
    #: Whether it has nothing of ours or of the original's yet.
    is_new: bool = False


async def read_version(
    connection: Connection, known: Sequence[Migration], *, accept_push: bool = False
) -> int:
    """
    Return the number of the last applied migration; 0 for none. Only reads.

    Raises:
        MigrationError: As in `migrate`.
    """
    shapes = await _shapes(known, OURS)
    return (await _read_state(connection, known, OURS, shapes, accept_push=accept_push)).version


async def migrate(
    connection: Connection,
    known: Sequence[Migration],
    now: datetime,
    table: VersionTable = OURS,
    *,
    accept_push: bool = False,
    same_fact: SameFact | None = None,
) -> int:
    """
    Apply the pending migrations, each in one transaction with its row in the version table; to a new database, all in one.

    Safe when several processes do it at once: each migration is applied by one of them.

    Args:
        connection: The database.
        known: All migrations, in order.
        now: When they are applied.
        table: The version table.
        accept_push: Whether to go on after `drizzle-kit push` removed what memrepo had added.
        same_fact: The rule that a new database gets; ``folded`` if ``None``.

    Returns:
        The version the schema has now.

    Raises:
        InvalidInputError: The original shares the database, and has another rule than *same_fact*.
        MigrationError: The database is newer, its migrations are not this version's, it lacks a part of
            them, or has something of another program under our names: nothing was written. Or a
            migration failed, which the message names: it was not applied.
    """
    shapes = await _shapes(known, table)
    while True:
        state = await _read_state(connection, known, table, shapes, accept_push=accept_push)
        if state.version == len(known):
            return state.version
        if same_fact == "exact" and (state.is_original or state.was_pushed):
            if await _applied(connection, table):
                continue  # another process is making the database
            raise InvalidInputError(
                "same_fact", 'must be "folded" for a database that the original shares'
            )
        # All at once where there is nothing that one could break.
        due = known if state.is_new else known[state.version :][:1]
        time = encode_instant(now)
        units = (_unit(each, time, table, state, same_fact) for each in due)
        is_applied = await _apply(connection, due, tuple(chain.from_iterable(units)), table)
        if is_applied and state.is_new:
            return len(known)


async def _apply(
    connection: Connection, due: Sequence[Migration], unit: Unit, table: VersionTable
) -> bool:
    """Apply the migrations *due* by their unit; return False if another process was faster."""
    names = ", ".join(migration.name for migration in due)
    try:
        await connection.write(unit)
    except ConstraintError:
        if len(await _applied(connection, table)) < due[0].number:
            raise MigrationError(
                f"{names}: a row breaks a constraint, or the version table is changed"
            ) from None
        return False
    except DatabaseError as error:
        if type(error) is not DatabaseError or error.outcome_unknown:
            raise
        raise failed(names, error) from error
    _logger.info("%s: applied %s", connection, names)
    return True


async def _shapes(known: Sequence[Migration], table: VersionTable) -> Sequence[Shape]:
    """Return what a database is before the first and after each; nothing where they are not ours."""
    return await asyncio.to_thread(shapes_of, tuple(known)) if table is OURS else ()


async def _read_state(
    connection: Connection,
    known: Sequence[Migration],
    table: VersionTable,
    shapes: Sequence[Shape],
    *,
    accept_push: bool,
) -> _State:
    while True:
        applied = await _applied(connection, table)
        version = len(known) - len(pending(known, applied))
        if not shapes:
            return _State(version)
        names = [OURS.name, *(name.removeprefix("trigger ") for name in shapes[-1].names)]
        rows = await connection.read(versions.SHAPE.bind(names=to_compact_json(names)))
        try:
            return _judge(read_shape(rows), version, shapes, accept_push=accept_push)
        except MigrationError:
            # Unless another process has migrated it between the two reads.
            if await _applied(connection, table) == applied:
                raise


def _judge(found: Shape, version: int, shapes: Sequence[Shape], *, accept_push: bool) -> _State:
    """Raise for what is missing, in the way, or of another kind."""
    original = shapes[: _ORIGINAL + 1][-1]
    is_original = version == 0 and not found.names.keys().isdisjoint(original.tables)
    made = original if is_original else shapes[version]
    # The mark comes with a later migration than these.
    was_pushed = bool(made.tables) and version < _MARKED and found.user_version == versions.MARK
    if was_pushed and not accept_push:
        raise MigrationError(
            "memrepo's tables and columns were removed, as drizzle-kit push does it: what was "
            "forgotten, expired or replaced, and the facts of other scopes, would be current. "
            "Restore a backup, or go on without them: connect(accept_push=True), or memrepo init --accept-push"
        )
    in_the_way = taken(found, made, shapes[-1], all_columns=was_pushed)
    for complaint in chain(missing(found, made), in_the_way):
        raise MigrationError(
            f"the schema is not as migration {version} left it: {complaint}; restore a backup"
            if version
            else f"the database has tables of another program: {complaint}"
        )
    is_new = version == 0 and not (is_original or was_pushed)
    return _State(version, found, is_original, was_pushed, is_new)


def _unit(
    migration: Migration,
    now: str,
    table: VersionTable,
    state: _State,
    same_fact: SameFact | None,
) -> Unit:
    record = table.record.bind(
        number=migration.number, name=migration.name, checksum=migration.checksum, now=now
    )
    # The row comes first, so that the slower of two processes fails here, before it changes anything.
    unit = [table.create.bind(), record]
    if not state.is_original:
        unit += [
            _without_values(statement, migration)
            for statement in migration.statements()
            if not _is_there(statement, state.shape)
        ]
    if table is OURS and migration.number >= _MARKED:
        if state.was_pushed:
            unit.append(adoption.NOTE_PUSH.bind(now=now))
        # Another program's number is left to it.
        elif state.shape.user_version == 0:
            unit.append(versions.SET_MARK.bind())
        if migration.number == _MARKED:
            unit.append(settings.CHOOSE_RULE.bind(same_fact=same_fact or "folded"))
    unit.append(table.confirm.bind(number=migration.number))
    return tuple(unit)


def _without_values(statement: Statement, migration: Migration) -> BoundStatement:
    try:
        return statement.bind()
    except InvalidInputError as error:
        raise MigrationError(f"{migration.name}: nothing is bound to :{error.field}") from error


def _is_there(statement: Statement, found: Shape) -> bool:
    """Tell whether a statement adds a column that is there: `taken` has seen that it is the same."""
    added = _adds_column(statement.sql)
    return added is not None and added[2] in found.tables.get(added[1], {})


async def _applied(connection: Connection, table: VersionTable) -> list[Row]:
    if not to_number(await connection.read(table.exists.bind())):
        return []
    try:
        return await connection.read(table.applied.bind())
    except DatabaseError as error:
        if type(error) is not DatabaseError:
            raise
        raise MigrationError(f"the table {table.name} belongs to another program") from error
