"""Is the file at the path still the one that is open? SQLite does not look, and writes on into nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, TypeAlias

__all__ = ["FileIdentity"]

_Inode: TypeAlias = "tuple[int, int]"

#: What a connection in WAL mode keeps open for as long as it lives.
_SUFFIXES: Final = ("", "-wal")


class FileIdentity:
    """
    The inodes of a database file and its WAL, noted when each is first there.

    If one of them is unlinked or replaced while it is open, what is written goes to a file that
    nobody can open again (https://sqlite.org/howtocorrupt.html#_unlinking_or_renaming_a_database_file_while_in_use).
    """

    def __init__(self, path: Path) -> None:
        names = [f"{path}{suffix}" for suffix in _SUFFIXES]
        self._noted = {name: _inode(name) for name in names}

    def is_same(self) -> bool:
        """Tell whether the files are those noted. Blocks: for the worker thread only."""
        for path, noted in self._noted.items():
            found = _inode(path)
            if noted is None:
                self._noted[path] = found
            elif found != noted:
                return False
        return True


def _inode(path: str) -> _Inode | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - a Path would cost more than the call
    except OSError:
        return None
    return status.st_dev, status.st_ino
