"""
Read what ``preload/recorder.c`` wrote: every file operation of a process, in order.

The library is loaded into a program with :func:`environment`; the log it leaves is read with
:func:`read_log`. What the program promised (``start`` and ``ack`` lines written to the file
``marker``) stands between its writes and syncs, in the order in which it all happened.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

__all__ = ["Op", "Record", "environment", "read_log"]

#: sequence, op, file, offset, length of the payload; as ``struct header`` in recorder.c
_HEADER = struct.Struct("<QIIQQ")


class Op(IntEnum):
    """What one record says; the numbers are those of recorder.c."""

    CREATE = 1
    WRITE = 2
    TRUNCATE = 3
    SYNC = 4
    DIRSYNC = 5
    UNLINK = 6
    RENAME = 7
    MARK = 8
    EXISTING = 9
    SYNC_FAILED = 10


@dataclass(frozen=True, slots=True)
class Record:
    """
    One operation that succeeded, or a sync that failed.

    Attributes:
        sequence: Its place in the log, from 0, without gaps.
        op: What was done.
        file: Number of the file; a file that is deleted and made again gets a new number.
        offset: Where a write began, or the new length of a truncated file, in bytes.
        data: The bytes written, the name made or removed, both names (NUL between) of a rename,
            or the line of a mark.
    """

    sequence: int
    op: Op
    file: int
    offset: int
    data: bytes


def environment(library: Path, folder: Path, log: Path) -> Mapping[str, str]:
    """Variables that make a program record its work in *folder* (must be empty) to *log*."""
    return {
        "LD_PRELOAD": str(library),
        "MEMREPO_RECORDER_DIR": str(folder.resolve()),
        "MEMREPO_RECORDER_LOG": str(log),
    }


def read_log(log: Path) -> list[Record]:
    """
    Read all whole records of a log, in order.

    A process that was killed may leave half a record at the end; it is left out. A gap in the
    numbering, or a file that was there before the recording, means that the log cannot be
    replayed and raises ``ValueError``.
    """
    raw = log.read_bytes()
    records: list[Record] = []
    at = 0
    while at + _HEADER.size <= len(raw):
        sequence, op, file, offset, length = _HEADER.unpack_from(raw, at)
        at += _HEADER.size
        if at + length > len(raw):
            break
        if sequence != len(records):
            raise ValueError(f"record {len(records)} has the number {sequence}")
        record = Record(sequence, Op(op), file, offset, raw[at : at + length])
        if record.op is Op.EXISTING:
            raise ValueError(f"{record.data!r} was there before the recording")
        records.append(record)
        at += length
    return records
