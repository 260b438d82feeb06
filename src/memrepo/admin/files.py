"""Make files that only their owner can read, and make changes of a folder survive a power loss."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["create_private", "sync"]


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


def sync(path: Path) -> None:
    """Flush a file's content to the disk, or a folder's entries: files created, renamed or removed."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
