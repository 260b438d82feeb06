"""Say which file cannot be opened, read or written, and why: SQLite names neither."""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from memrepo.connection.sqlite.errors import primary_code
from memrepo.connection.url import Location
from memrepo.errors import DatabaseError, MemrepoError, ReadOnlyError, StorageFullError

__all__ = ["name_file", "require_file", "system_error"]

_KINDS: Final[Mapping[int | None, type[DatabaseError]]] = {
    errno.ENOSPC: StorageFullError,
    errno.EDQUOT: StorageFullError,
    errno.EACCES: ReadOnlyError,
    errno.EPERM: ReadOnlyError,
    errno.EROFS: ReadOnlyError,
}
#: SQLite's codes behind which there may be a reason that the file system knows.
_UNEXPLAINED: Final = frozenset(
    {sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_IOERR}
)


def system_error(path: Path, failed: str, error: OSError) -> DatabaseError:
    """Return our error for the system's: *path*, what *failed* as in "cannot be created", why. Blocks."""
    name = errno.errorcode.get(error.errno or 0, type(error).__name__)
    ours = _KINDS.get(error.errno, DatabaseError)(f"{path} {failed}: {_say(path, error)} ({name})")
    ours.__cause__ = error
    return ours


def require_file(path: Path) -> None:
    """
    Raise if something is at *path*, or where a link leads to, that is no file. Blocks.

    SQLite would wait for the other end of a pipe, and write to a device.

    Raises:
        DatabaseError: It is a folder, a pipe, a socket or a device, or a link leads to itself.
    """
    try:
        mode = path.stat().st_mode
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise system_error(path, "cannot be opened", error) from error
        return  # whoever opens it is told
    if stat.S_ISDIR(mode):
        raise system_error(path, "cannot be opened", OSError(errno.EISDIR, "it is a folder"))
    if not stat.S_ISREG(mode):
        reason = "it is a pipe, a socket or a device"
        raise system_error(path, "cannot be opened", OSError(errno.EINVAL, reason))


def name_file(error: MemrepoError, location: Location) -> None:
    """Add to an error of a database its file's path and the reason, unless it has them. Blocks."""
    path, message = location.path, str(error)
    if path is None:
        return
    if not message.startswith(str(path)):
        message = f"{path}: {message}"
    if (code := primary_code(error.__cause__)) in _UNEXPLAINED:
        reason = _find_reason(path, location.mode, code)
        if reason is not None and not message.endswith(reason):
            message = f"{message}: {reason}"
    error.args = (message,)


def _find_reason(path: Path, mode: str, code: int) -> str | None:
    try:
        # Never the file itself: closing a descriptor of it would drop SQLite's locks on it.
        os.close(os.open(os.devnull, os.O_RDONLY))  # whether there is a descriptor left
        path.stat()
    except OSError as error:
        if error.errno == errno.ENOENT and path.parent.exists() and mode != "rwc":
            return f"there is no such file, and mode={mode} makes none"
        return _say(path, error)
    if code == sqlite3.SQLITE_IOERR:
        return None  # whoever has no right is told so by the other codes
    return _find_missing_right(path, is_read_only=mode == "ro")


def _find_missing_right(path: Path, *, is_read_only: bool) -> str | None:
    if not os.access(path, os.R_OK):
        return "there is no permission to read it"
    if is_read_only and not os.access(path.parent, os.W_OK):
        return (
            f"to read a file in WAL mode, SQLite needs to write its -wal and -shm files into {path.parent};"
            " make that folder writable, or open a copy that store.backup made, which needs no other files"
        )
    if not os.access(path, os.W_OK):
        return "there is no permission to write it; to read only, open it with file:...?mode=ro"
    if not os.access(path.parent, os.W_OK):
        return f"there is no permission to write {path.parent}, where SQLite keeps its other files"
    return None


def _say(path: Path, error: OSError) -> str:
    if error.errno != errno.ENOENT or path.parent.exists():
        return error.strerror or type(error).__name__
    reason = f"there is no folder {path.parent}"
    if any(part.startswith("~") for part in path.parts):
        reason += ", because ~ is not expanded: use Path(...).expanduser()"
    return reason
