"""Is the file at the path still the one that is open? SQLite does not look, and writes on into nothing."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from time import monotonic
from typing import Final

__all__ = ["FileIdentity"]

_logger = logging.getLogger(__name__)

#: Bytes of a write-ahead log that are worth a line in the log; SQLite starts it anew at about 4 MiB.
_LARGE_WAL_BYTES: Final = 64 * 2**20
_MIB: Final = 2**20


class FileIdentity:
    """
    The inodes of a database file and its WAL, noted when each is first there.

    If one of them is unlinked or replaced while it is open, what is written goes to a file that
    nobody can open again (https://sqlite.org/howtocorrupt.html#_unlinking_or_renaming_a_database_file_while_in_use).
    As the WAL is looked at anyway, one that has grown large is told to the log.
    """

    def __init__(self, path: Path, *, look_every_s: float) -> None:
        self._database = _Noted(str(path))
        # What a connection in WAL mode keeps open, too, for as long as it lives.
        self._wal = _Noted(f"{path}-wal")
        self._large_bytes = _LARGE_WAL_BYTES
        self._look_every_s = look_every_s
        self._next_look_s = 0.0

    def is_same(self) -> bool:
        """Tell whether the files are those noted. Blocks: for the worker thread only."""
        now = monotonic()
        if now < self._next_look_s:
            return True
        self._next_look_s = now + self._look_every_s
        if not (self._database.is_same() and self._wal.is_same()):
            return False
        if self._wal.size_bytes >= self._large_bytes:
            _logger.warning(
                "%s has grown to %d MiB: a reader that does not end keeps SQLite from starting it anew,"
                " or one unit was that large",
                self._wal.path,
                self._wal.size_bytes // _MIB,
            )
            self._large_bytes = 2 * self._wal.size_bytes
        return True


class _Noted:
    """A file's inode, noted when it is first there, and its latest size."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.size_bytes = 0
        self._inode: tuple[int, int] | None = None
        self.is_same()

    def is_same(self) -> bool:
        try:
            status = os.stat(self.path)  # noqa: PTH116 - a Path would cost more than the call
        except OSError:
            return self._inode is None
        self.size_bytes = status.st_size
        inode = status.st_dev, status.st_ino
        if self._inode is None:
            self._inode = inode
        return inode == self._inode
