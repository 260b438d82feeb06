"""`diagnose`: examine a database, also one that cannot be opened."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Final, Unpack

from memrepo.connect import connect
from memrepo.connection.server_url import ServerLocation
from memrepo.connection.url import SIDE_SUFFIXES, Location, parse_url
from memrepo.domain.findings import CheckKind, Finding, memrepo_command, shell_word
from memrepo.errors import (
    AuthenticationError,
    BusyError,
    ConnectionLostError,
    CorruptDatabaseError,
    DatabaseError,
    MemrepoError,
    MigrationError,
    ReadOnlyError,
    StorageFullError,
)
from memrepo.options import ConnectOptions

__all__ = ["diagnose"]


async def diagnose(url: str | PathLike[str], **options: Unpack[ConnectOptions]) -> list[Finding]:
    """
    Say what is wrong with a database, and which command cures it. Nothing is changed, and no file is made.

    It reads every row, as `Store.verify` does, and looks at the schema, the files, the disk, the clock, or the server.

    Args:
        url: The database, as `connect` takes it.
        options: Those of `connect`; *migrate* is ignored.

    Returns:
        What is wrong, or should be known, the most harmful first; an empty list if nothing. If the database
        cannot be opened, only why.

    Raises:
        UsageError: As in `connect`.
    """
    location = parse_url(url)
    if isinstance(location, Location) and location.path is not None and location.mode == "rwc":
        url = f"{location.path.as_uri()}?mode=rw"
    options["migrate"] = False
    opening = connect(url, **options)
    try:
        async with opening as store:
            return await store.examine()
    except (DatabaseError, MigrationError) as error:
        return [await asyncio.to_thread(_refusal, error, location)]


def _refusal(error: DatabaseError | MigrationError, location: Location | ServerLocation) -> Finding:
    check, cure = _of_error(error, location)
    return Finding(check=check, detail=str(error), cure=cure)


#: What an error of a file is found as, and its cure.
_OF_A_FILE: Final[Mapping[type[MemrepoError], tuple[CheckKind, str]]] = {
    StorageFullError: ("disk space", "df -h {folder}"),
    BusyError: ("opening", "lsof {file}"),
}
#: The same of a server.
_OF_A_SERVER: Final[Mapping[type[MemrepoError], tuple[CheckKind, str]]] = {
    AuthenticationError: ("server", "export TURSO_AUTH_TOKEN=TOKEN"),
    ConnectionLostError: ("server", "curl {file}"),
}


def _of_error(
    error: DatabaseError | MigrationError, location: Location | ServerLocation
) -> tuple[CheckKind, str]:
    """Return what an error is found as, and its cure. Blocks."""
    if isinstance(error, MigrationError):
        return "schema", _cure_of_schema(str(error), location)
    path = location.path if isinstance(location, Location) else None
    if path is None:
        check, cure = _OF_A_SERVER.get(type(error), ("opening", ""))
        return check, cure.format(file=shell_word(location))
    if isinstance(error, CorruptDatabaseError):
        return "integrity", _cure_of_damage(path)
    if path.parent.exists() and _lacks_rights(error, path):
        return "permissions", _cure_of_rights(path)
    check, cure = _OF_A_FILE.get(type(error), ("opening", ""))
    if not path.parent.exists():
        cure = "mkdir -p {folder}"
    elif not path.exists():
        return check, memrepo_command("init", path)
    return check, cure.format(file=shell_word(path), folder=shell_word(path.parent))


def _lacks_rights(error: DatabaseError, path: Path) -> bool:
    """Tell whether it is a right that is missing, of which SQLite may only say that it cannot open the file. Blocks."""
    if type(error) in _OF_A_FILE:
        return False
    if not os.access(path.parent, os.X_OK):
        return True
    is_there = path.is_file()
    is_closed = not os.access(path, os.R_OK) or _is_read_only(path.parent)
    return isinstance(error, ReadOnlyError) or (is_there and is_closed)


def _is_read_only(folder: Path) -> bool:
    """Tell whether a folder is on a disk that is mounted for reading only. Blocks."""
    return os.name == "posix" and bool(os.statvfs(folder).f_flag & os.ST_RDONLY)


def _cure_of_rights(path: Path) -> str:
    """Give this user back what is missing; nothing cures what belongs to another one. Blocks."""
    folder = path.parent
    if _is_read_only(folder):
        return f"cp {shell_word(path)}* FOLDER"  # with its log
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return f"chmod u+rwx {shell_word(folder)}" if _is_mine(folder) else ""
    # Those that SQLite made beside the file have its rights.
    files = [path, *(Path(f"{path}{suffix}") for suffix in SIDE_SUFFIXES)]
    closed = [file for file in files if file.exists() and not os.access(file, os.R_OK | os.W_OK)]
    if not closed or not all(map(_is_mine, closed)):
        return ""
    return f"chmod u+rw {' '.join(map(shell_word, closed))}"


def _is_mine(path: Path) -> bool:
    return os.name != "posix" or path.stat().st_uid == os.geteuid()


def _cure_of_schema(message: str, location: Location | ServerLocation) -> str:
    if "newer than" in message:
        return "pip install --upgrade memrepo"
    if "accept_push" in message:
        return memrepo_command("init --accept-push", location)
    if "tables of another program" in message:
        return memrepo_command("init", "ANOTHER_FILE")
    return memrepo_command("restore-backup BACKUP", location)


def _cure_of_damage(path: Path) -> str:
    """Move everything away, because nobody can tell whether somebody uses a file that is so damaged."""
    files = [path, *(Path(f"{path}{suffix}") for suffix in SIDE_SUFFIXES)]
    moves = [
        f"mv {shell_word(file)} {shell_word(f'{file}.damaged')}" for file in files if file.exists()
    ]
    return " && ".join([*moves, memrepo_command("restore-backup BACKUP", path)])
