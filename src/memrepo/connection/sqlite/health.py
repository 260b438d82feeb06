"""Warn an operator about a risky file system or a buggy SQLite. Logged, never raised."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import sqlite3
from collections.abc import Mapping
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Final, TypeAlias

from memrepo.connection.contract import Durability

__all__ = [
    "advise",
    "file_system_of",
    "has_wal_reset_bug",
    "is_shared",
    "is_volatile",
    "parse_mounts",
]

_logger = logging.getLogger(__name__)

#: https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html
_MOUNTS: Final = Path("/proc/self/mountinfo")
#: The field of a line, counted from 0, that says where a file system is mounted.
_MOUNT_POINT: Final = 4

#: Kept on other machines, or shared by a virtual machine with its host.
_SHARED: Final = frozenset(
    {
        *("9p", "afs", "beegfs", "ceph", "cifs", "coda", "gfs2", "glusterfs", "gpfs", "lustre"),
        *("ncpfs", "nfs", "nfs4", "ocfs2", "orangefs", "prl_fs", "smb3", "smbfs", "vboxsf"),
        *("virtiofs", "vmhgfs"),
    }
)
#: Kept in memory.
_VOLATILE: Final = frozenset({"ramfs", "tmpfs"})

#: How mountinfo writes white space and backslashes in names.
_octal = re.compile(r"\\([0-7]{3})")

_Version: TypeAlias = tuple[int, ...]

#: https://sqlite.org/wal.html#walresetbug: from 3.7.0 on, until it was fixed in these releases.
_FIRST_WITH_BUG: Final = (3, 7, 0)
_FIXED: Final = (3, 51, 3)
_FIXED_IN_LINE: Final[Mapping[_Version, _Version]] = {(3, 50): (3, 50, 7), (3, 44): (3, 44, 6)}


async def advise(path: Path, durability: Durability) -> None:
    """Warn of a file system, or a version of SQLite, with which a file in WAL mode is not safe."""
    kind = await file_system_of(path)
    if is_shared(kind):
        _logger.warning(
            "%s is on a file system of type %s: in WAL mode all programs on a file must share memory on"
            " one host, or it can be corrupted; keep it on a local disk (https://sqlite.org/wal.html)",
            path,
            kind,
        )
    elif is_volatile(kind) and durability == "full":
        _logger.warning(
            "%s is on a file system of type %s: it does not survive a power loss,"
            ' whatever durability="full" says',
            path,
            kind,
        )
    if has_wal_reset_bug():
        _warn_of_wal_reset_bug()


@cache
def _warn_of_wal_reset_bug() -> None:
    """Log it once per process: it is the same for every file."""
    _logger.warning(
        "SQLite %s has the WAL-reset bug: a file that several processes write at the same moment can,"
        " rarely, be corrupted; where only one does, nothing needs to be done. Fixed in 3.51.3, 3.50.7"
        " and 3.44.6 (docs/how-to/wal-reset-bug.md, https://sqlite.org/wal.html#walresetbug)",
        sqlite3.sqlite_version,
    )


# --- SQLite -----------------------------------------------------------------------------------


def has_wal_reset_bug(version: _Version = sqlite3.sqlite_version_info) -> bool:
    """Tell whether a version of SQLite can corrupt a WAL file that several connections write."""
    fixed = _FIXED_IN_LINE.get(version[:2], _FIXED)
    return _FIRST_WITH_BUG <= version < fixed


# --- file systems -----------------------------------------------------------------------------


async def file_system_of(path: Path) -> str | None:
    """Return the type of the file system at *path*, as ``ext4``; ``None`` where it is unknown."""
    return await asyncio.to_thread(_read, path)


def is_shared(kind: str | None) -> bool:
    """
    Tell whether a file system may be used from several hosts, or by a program in between.

    All of FUSE counts: sshfs is shared, and other FUSE file systems cannot be told apart from it.
    """
    return kind is not None and (kind in _SHARED or kind.partition(".")[0] == "fuse")


def is_volatile(kind: str | None) -> bool:
    """Tell whether a file system is lost in a power loss."""
    return kind in _VOLATILE


def parse_mounts(mountinfo: str, path: PurePosixPath) -> str | None:
    """Return the type of the file system that holds *path*, in which links are resolved."""
    found: str | None = None
    depth, name = 0, f"{path}/"
    for line in mountinfo.split("\n"):
        mount, _, source = line.partition(" - ")
        fields = mount.split(" ")
        if not source or len(fields) <= _MOUNT_POINT:
            continue
        point = _octal.sub(lambda code: chr(int(code[1], 8)), fields[_MOUNT_POINT])
        folder = f"{point.rstrip('/')}/"
        # If two are mounted in one place, the later one hides the earlier.
        if name.startswith(folder) and len(folder) >= depth:
            found, depth = source.split(" ")[0], len(folder)
    return found


def _read(path: Path) -> str | None:
    try:
        mountinfo = os.fsdecode(_MOUNTS.read_bytes())
    except OSError:
        return None
    return parse_mounts(mountinfo, PurePosixPath(path.resolve()))
