"""Notice that the open file was removed or replaced, which SQLite itself does not check."""

from __future__ import annotations

import logging
import math
import os
from pathlib import Path
from time import monotonic, time_ns
from typing import Final, TypeAlias

__all__ = ["FileIdentity"]

_logger = logging.getLogger(__name__)

#: Bytes of a write-ahead log from which on it is logged; SQLite restarts it at about 4 MiB.
_LARGE_WAL_BYTES: Final = 64 * 2**20
_MIB: Final = 2**20

_SECOND_NS: Final = 1_000_000_000
#: A tick of the kernel's clock: two changes of a folder within it can leave the folder the same time.
_TICK_NS: Final = 20_000_000
#: Seconds after which the files are checked, whatever their folder's time is. Together with the readers'
#: interval at most a second.
_LOOK_AT_FILES_EVERY_S: Final = 0.5

#: Device, inode and the time of the latest change: the one that programs cannot set, as rsync and tar do
#: with the other.
_State: TypeAlias = tuple[int, int, int]


class FileIdentity:
    """
    The inodes of a database file, its WAL and the WAL's index (``-shm``), noted when each first exists.

    If one of them is unlinked or replaced while it is open, what is written goes to a file that
    nobody can open again (https://sqlite.org/howtocorrupt.html#_unlinking_or_renaming_a_database_file_while_in_use).
    With an index of its own, a program does not see what others commit, and writes over it.
    The same check logs a WAL that has grown large.

    Most checks look only at the folder, whose time changes when a file in it is unlinked or renamed.
    Reading the times of the files themselves would make each next write slower: Linux then gives the
    file new times, which takes 45 µs more to sync (https://docs.kernel.org/filesystems/multigrain-ts.html).
    """

    def __init__(self, path: Path | None) -> None:
        #: The path that was opened; ``None`` for memory, which is never lost.
        self.path = path
        #: Whether a file was ever found removed or replaced. The open one stays lost, even if its path has
        #: the same inode again.
        self.is_lost = False
        #: The path without links, once it is noted.
        self.real_path: Path | None = None
        self._files: tuple[_Noted, _Noted, _Noted] | None = None
        self._folder: str | None = None
        self._large_bytes = _LARGE_WAL_BYTES
        self._looked_s = -math.inf
        self._look_at_files_s = -math.inf
        #: The folder's state when the files were last the same; ``None`` if a change could be missed.
        self._state: _State | None = None

    def note(self) -> None:
        """Note the files, once they are open. Idempotent; blocks, like `is_same`."""
        if self.path is not None and self._files is None:
            # The folder of a link says nothing about the file, which is in another folder.
            self._folder = None if self.path.is_symlink() else str(self.path.parent)
            # A connection in WAL mode keeps these open, too. They are beside the file, not beside a link to it.
            self.real_path = self.path.resolve()
            beside = f"{self.real_path}-wal", f"{self.real_path}-shm"
            self._files = _Noted(str(self.path)), _Noted(beside[0]), _Noted(beside[1])

    def is_same(self, *, look_every_s: float = 0.0) -> bool:
        """
        Tell whether the files are those noted, and have always been. For worker threads, as it blocks.

        Args:
            look_every_s: How old the latest look may be, in seconds.
        """
        now = monotonic()
        if self.is_lost or now < self._looked_s + look_every_s:
            return not self.is_lost
        state: _State | None = None
        if self._folder is not None:
            try:
                status = os.stat(self._folder)  # noqa: PTH116 - a Path would cost more than the call
            except OSError:
                pass
            else:
                state = status.st_dev, status.st_ino, status.st_ctime_ns
        if state is None or state != self._state or now >= self._look_at_files_s:
            if not self.are_there():
                self._lose()
                return False
            # Only now: another thread must not take a look for done that has yet to find the loss.
            self._look_at_files_s = now + _LOOK_AT_FILES_EVERY_S
            self._state = state if state is not None and _has_settled(state) else None
        self._looked_s = now
        return True

    def _lose(self) -> None:
        if not self.is_lost:
            self.is_lost = True
            _logger.error("%s was removed or replaced while it was open: open it anew", self.path)

    def are_there(self) -> bool:
        """Look at the files now, whatever was seen before. Blocks."""
        if self._files is None:
            return True
        _, wal, _ = self._files
        if not all(file.is_same() for file in self._files):
            return False
        if wal.size_bytes >= self._large_bytes:
            _logger.warning(
                "%s has grown to %d MiB: a long-running reader keeps SQLite from restarting it,"
                " or one unit was that large",
                wal.path,
                wal.size_bytes // _MIB,
            )
            self._large_bytes = 2 * wal.size_bytes
        return True


def _has_settled(state: _State) -> bool:
    """Tell whether the next change of the folder will also change its time."""
    changed_ns = state[2]
    # Some file systems keep whole seconds, or every second one.
    tick_ns = _TICK_NS if changed_ns % _SECOND_NS else 2 * _SECOND_NS
    return time_ns() - changed_ns > tick_ns


class _Noted:
    """A file's inode, noted when the file first exists, and its latest size."""

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
