"""Put a backup in the place of a database."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from os import PathLike
from pathlib import Path
from typing import Final

from memrepo.admin.backup import copy_beside
from memrepo.admin.files import give_name, give_rights, require_free, sync
from memrepo.admin.migrate import read_version
from memrepo.admin.migrations import load_migrations
from memrepo.admin.verify import find_damage
from memrepo.connection.contract import Driver
from memrepo.connection.sqlite.connection import SQLiteConnection
from memrepo.connection.sqlite.emptied import find_emptied
from memrepo.connection.sqlite.exclusive import hold_alone
from memrepo.connection.sqlite.reasons import name_file, require_file, system_error
from memrepo.connection.url import Location, check_path
from memrepo.connection.waiting import finish
from memrepo.errors import CorruptDatabaseError, DatabaseError, InvalidInputError, NotFoundError
from memrepo.queries import maintenance as queries

__all__ = ["restore_backup"]

#: Seconds to wait for whoever keeps the backup locked.
_LOCK_TIMEOUT_S: Final = 10.0


async def restore_backup(backup: str | PathLike[str], path: str | PathLike[str]) -> None:
    """
    Put a backup in the place of a database that nobody has open.

    The backup is checked, copied beside *path*, and synced; the copy then takes the place of the old file
    in one step. Whenever this is interrupted, even by a power loss, *path* is the old database or the
    new one; make the call again. The backup stays as it is. What is left of an interrupted call is
    ``NAME.*.partial``, which can be deleted.

    Args:
        backup: A file that `Store.backup` or another program made, with the ``-wal`` file beside it if
            there is one: a path, never a URL.
        path: The database to replace, or a new file in an existing folder. A file that was there gives
            the new one its rights; otherwise they are 0600.

    Raises:
        InvalidInputError: One of the two is no path, both are the same file, *backup* has none of memrepo's
            tables, or something lies where the database's files would be.
        NotFoundError: There is no such backup.
        BusyError: A program has *path* open.
        CorruptDatabaseError: The backup is damaged, no database, or empty beside a ``-wal`` file with data;
            or *path* is so damaged that nobody can tell whether it is in use.
        MigrationError: A newer memrepo made the backup, or it has tables of another program.
        ReadOnlyError: The file or its folder is not writable.
        StorageFullError: The disk has no room for the copy.
        DatabaseError: The copy cannot be written for another reason, as a missing folder, or something lies
            there that is no file, as a folder or a device.

    Source:
        https://sqlite.org/howtocorrupt.html#_backup_or_restore_while_a_transaction_is_active
    """
    names = check_path("backup", backup), check_path("path", path)
    target = Path(path)
    try:
        source, target = await asyncio.to_thread(_locate, *names)
        await find_emptied(source)
        location = Location(source, "ro")
        async with _opened(location) as connection:
            await _check(connection, location)
            async with copy_beside(connection, target) as copy:
                await finish(_take_place(copy, target))
    except OSError as error:
        raise await asyncio.to_thread(system_error, target, "cannot be restored", error) from error


def _locate(backup: str, path: str) -> tuple[Path, Path]:
    source = Path(backup).absolute()
    # The file itself and not a link to it, which would be replaced, in a folder that has not its log.
    target = Path(os.path.realpath(path))
    if not source.exists():
        raise NotFoundError(f"there is no backup {source}")
    require_file(target)
    if not target.exists():
        require_free(target)
    elif source.samefile(target):
        raise InvalidInputError("path", "is the backup itself")
    return source, target


@asynccontextmanager
async def _opened(location: Location) -> AsyncGenerator[Driver, None]:
    connection = await SQLiteConnection.open(
        location, durability="full", lock_timeout_s=_LOCK_TIMEOUT_S
    )
    try:
        yield connection
    finally:
        await connection.close()


async def _check(backup: Driver, location: Location) -> None:
    try:
        await read_version(backup, await asyncio.to_thread(load_migrations))
        if ("memory_entries",) not in await backup.read(queries.TABLES.bind()):
            raise InvalidInputError("backup", "is a database without memrepo's tables")
        damage = [problem async for problem in find_damage(backup) if problem.kind == "integrity"]
    except DatabaseError as error:
        await asyncio.to_thread(name_file, error, location)
        raise
    if damage:
        raise CorruptDatabaseError(f"{location} is damaged: {damage[0].detail}")


async def _take_place(copy: Path, target: Path) -> None:
    if not await asyncio.to_thread(target.exists):
        await asyncio.to_thread(give_name, copy, target)
        return
    await asyncio.to_thread(_give_owner_and_rights, copy, target)
    async with hold_alone(target):
        await asyncio.to_thread(_rename, copy, target)


def _give_owner_and_rights(copy: Path, target: Path) -> None:
    status = target.stat()
    with suppress(
        PermissionError, AttributeError
    ):  # for root only, who restores for others; not on Windows
        os.chown(copy, status.st_uid, status.st_gid)
    give_rights(copy, target)


def _rename(copy: Path, target: Path) -> None:
    copy.replace(target)
    # While the lock is held: a power loss must not undo this after somebody has written to the new file.
    sync(target.parent)
