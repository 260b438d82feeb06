"""Which file system a file lies on, and what that means for a database; known on Linux only."""

from __future__ import annotations

import asyncio
import os
import re
from pathlib import Path, PurePosixPath
from typing import Final

__all__ = ["file_system_of", "is_shared", "is_volatile", "parse_mounts"]

#: https://man7.org/linux/man-pages/man5/proc_pid_mountinfo.5.html
_MOUNTS: Final = Path("/proc/self/mountinfo")
#: The field of a line, counted from 0, that says where the file system is mounted.
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


async def file_system_of(path: Path) -> str | None:
    """Return the type of the file system at *path*, as ``ext4``; ``None`` where it cannot be told."""
    return await asyncio.to_thread(_read, path)


def is_shared(kind: str | None) -> bool:
    """
    Tell whether a file system may be used from several hosts, or by a program in between.

    FUSE is taken for that: sshfs and its kin are, and nothing tells the others apart from them.
    """
    return kind is not None and (kind in _SHARED or kind.partition(".")[0] == "fuse")


def is_volatile(kind: str | None) -> bool:
    """Tell whether a file system is gone after a power loss."""
    return kind in _VOLATILE


def parse_mounts(mountinfo: str, path: PurePosixPath) -> str | None:
    """Return the type of the file system that holds *path*, which has no links in it."""
    found: str | None = None
    depth = 0
    for line in mountinfo.split("\n"):
        mount, _, source = line.partition(" - ")
        fields = mount.split(" ")
        if not source or len(fields) <= _MOUNT_POINT:
            continue
        point = PurePosixPath(_octal.sub(lambda code: chr(int(code[1], 8)), fields[_MOUNT_POINT]))
        # Of two mounts in one place, the later one hides the earlier.
        if path.is_relative_to(point) and len(point.parts) >= depth:
            found, depth = source.split(" ")[0], len(point.parts)
    return found


def _read(path: Path) -> str | None:
    try:
        mountinfo = os.fsdecode(_MOUNTS.read_bytes())
    except OSError:
        return None
    return parse_mounts(mountinfo, PurePosixPath(path.resolve()))
