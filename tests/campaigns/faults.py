"""
Make the N-th file operation of a running program fail; the other side of ``preload/faults.c``.

The fault lives in a small file that both sides map into memory, so that a test or the program
itself can arm it, watch it and disarm it at any moment.
"""

from __future__ import annotations

import errno
import mmap
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

__all__ = ["Control", "Fault", "Kind"]

#: the fields of ``struct control`` in faults.c up to the name
_FIELDS = struct.Struct("<8Q9Q256s")
_ARMED = struct.Struct("<8Q")
_SIZE_BYTES = 4096


class Kind(IntEnum):
    """Operations that can fail; the numbers are those of faults.c."""

    ANY = 0
    OPEN = 1
    READ = 2
    WRITE = 3
    SYNC = 4
    TRUNCATE = 5
    UNLINK = 6
    MMAP = 7
    LOCK = 8


@dataclass(frozen=True, slots=True)
class Fault:
    """
    One failure to come.

    Attributes:
        kind: Which operations are counted.
        nth: The first one that fails, counted from 1 from the moment of arming.
        error: The ``errno`` it fails with.
        forever: Whether all later ones fail too, until the fault is disarmed.
    """

    kind: Kind
    nth: int
    error: int
    forever: bool

    def __str__(self) -> str:
        """Name it in one line: ``write 17 EIO once``."""
        duration = "for good" if self.forever else "once"
        return f"{self.kind.name.lower()} {self.nth} {errno.errorcode[self.error]} {duration}"


class Control:
    """The shared file through which a fault is armed, watched and disarmed."""

    def __init__(self, path: Path) -> None:
        """Map the file, making it first when it is not there."""
        if not path.exists():
            path.write_bytes(bytes(_SIZE_BYTES))
        self.path = path
        with path.open("r+b") as file:
            self._shared = mmap.mmap(file.fileno(), _SIZE_BYTES)

    def environment(self, library: Path, folder: Path) -> Mapping[str, str]:
        """Variables that load the library for all files below *folder*."""
        return {
            "LD_PRELOAD": str(library),
            "MEMREPO_FAULTS_DIR": str(folder.resolve()),
            "MEMREPO_FAULTS_CONTROL": str(self.path),
        }

    def arm(self, fault: Fault) -> None:
        """Let *fault* come true; the counting starts now."""
        self.reset()
        _ARMED.pack_into(
            self._shared, 0, 0, fault.kind, fault.nth, fault.error, fault.forever, 0, 0, 0
        )
        self._shared[0] = 1

    def disarm(self) -> None:
        """Let nothing fail any more; what was counted stays readable."""
        self._shared[0] = 0

    def reset(self) -> None:
        """Disarm and count from zero again."""
        self._shared[0] = 0
        self._shared[:] = bytes(_SIZE_BYTES)

    def counts(self) -> dict[Kind, int]:
        """How many operations of each kind there were since the last reset."""
        fields = _FIELDS.unpack_from(self._shared)
        return {kind: fields[8 + kind] for kind in Kind if kind is not Kind.ANY}

    def fired(self) -> int:
        """How many operations the fault made fail."""
        return int(_FIELDS.unpack_from(self._shared)[6])

    def fired_on(self) -> str:
        """Kind and file of the first operation that failed; "" when none did."""
        fields = _FIELDS.unpack_from(self._shared)
        if not fields[6]:
            return ""
        name = fields[17].split(b"\0")[0].decode(errors="replace")
        return f"{Kind(fields[7]).name.lower()} of {name.rpartition('/')[2]}"
