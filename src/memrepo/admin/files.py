"""Make files that only their owner can read, and make changes of a folder survive a power loss."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from memrepo.connection.sqlite.reasons import system_error
from memrepo.connection.url import SIDE_SUFFIXES
from memrepo.errors import InvalidInputError

__all__ = ["create_missing", "create_private", "give_name", "give_rights", "require_free", "sync"]


def create_private(path: Path) -> None:
    """
    Create an empty file with the rights 0600, and never with wider ones.

    SQLite gives its files beside a database the rights of the database.

    Raises:
        FileExistsError: Something is there already; it was not opened, and its rights stay.
    """
    where = os.path.realpath(path)  # as SQLite does: a link may name a file that is not there yet
    try:
        # Closing a descriptor of the file would drop the locks of a store that has opened it meanwhile
        # (https://sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_).
        os.mknod(where, 0o600)
    except FileExistsError:
        raise
    except (AttributeError, OSError):  # not on Windows, and for root only on macOS
        os.close(os.open(where, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def create_missing(path: Path) -> None:
    """
    Create *path*, as `create_private` does, unless it is there.

    Raises:
        DatabaseError: It cannot be created.
    """
    try:
        create_private(path)
    except FileExistsError:
        pass
    except OSError as error:
        raise system_error(path, "cannot be opened", error) from error


def give_rights(path: Path, like: Path) -> None:
    """Give *path* the rights of *like*; those of its group only if both have the same group."""
    ours, theirs = path.stat(), like.stat()
    mode = stat.S_IMODE(theirs.st_mode) & 0o666
    path.chmod(mode if ours.st_gid == theirs.st_gid else mode & ~0o070)


def require_free(path: Path) -> None:
    """
    Make sure that a database can get the name *path*.

    Raises:
        InvalidInputError: It is taken, or a file beside it would be taken for a part of the database.
    """
    if os.path.lexists(path):
        raise InvalidInputError("path", "already exists")
    for suffix in SIDE_SUFFIXES:
        if os.path.lexists(f"{path}{suffix}"):
            raise InvalidInputError(
                "path", f"has a {suffix} file of another database beside it: move that away first"
            )


def give_name(path: Path, name: Path) -> None:
    """
    Rename a synced file, so that the new name survives a power loss.

    Raises:
        InvalidInputError: The name is taken. Of several that want it at once, one gets it.
    """
    try:
        os.link(path, name)
    except FileExistsError:
        raise InvalidInputError("path", "already exists") from None
    except OSError:  # a file system without hard links, such as exFAT
        require_free(name)
        path.rename(name)
    else:
        path.unlink()
    sync(name.parent)


def sync(path: Path) -> None:
    """Flush a file's content to the disk, or a folder's entries: files created, renamed or removed."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
