"""
A model of a disk that loses power: which bytes may be there after a cut, given a recorded log.

What is promised to a program is little, and the model gives no more than that:

- what was written to a file before its last completed ``fsync`` is there;
- each later write is kept, lost, or torn: some of its 512-byte sectors are new, the others
  still hold what was there before (or, with ``garbage``, noise);
- later writes survive in any combination, so a newer one may be there without an older one;
- what was waiting for a sync that failed may be lost for good: the kernel may have marked it as
  written, so that a later sync succeeds without it (PostgreSQL met this as "fsyncgate");
- a truncation that was not synced is kept or lost in the same way;
- making, deleting and renaming a file is certain after an ``fsync`` of its folder. Until then,
  each is kept or lost on its own (``strict``); ``lenient`` adds what journalling file systems do:
  these happen in order, and an ``fsync`` of any file makes all that came before it certain.

The newest of two writes to one place wins when both are kept: the page cache never writes an
older version after a newer one.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

from .recorder import Op, Record

__all__ = ["SECTOR_BYTES", "Directory", "Disk", "cut_points", "images", "write_image"]

#: bytes; the unit that a disk writes whole, the smallest in use
SECTOR_BYTES = 512


class Directory(Enum):
    """How certain the names of a folder are before it is synced."""

    STRICT = "strict"
    LENIENT = "lenient"


class _Fate(Enum):
    """What will become of an operation on a file."""

    WAITING = "for a sync"
    CERTAIN = "synced, but on top of something that is not"
    ORPHANED = "no later sync will save it"


@dataclass(slots=True)
class _File:
    """One incarnation of a file: what is certain, and what came on top of it."""

    certain: bytearray = field(default_factory=bytearray)
    pending: list[tuple[Record, _Fate]] = field(default_factory=list)

    def add(self, record: Record) -> None:
        """Take a write or a truncation."""
        self.pending.append((record, _Fate.WAITING))

    def sync(self) -> None:
        """Make certain what waits."""
        self._resolve(_Fate.CERTAIN)
        while self.pending and self.pending[0][1] is _Fate.CERTAIN:
            _apply(self.certain, self.pending.pop(0)[0])

    def fail_sync(self) -> None:
        """Leave what waits to chance for ever."""
        self._resolve(_Fate.ORPHANED)

    def _resolve(self, end: _Fate) -> None:
        self.pending = [
            (record, end if fate is _Fate.WAITING else fate) for record, fate in self.pending
        ]


def _resize(content: bytearray, size: int) -> None:
    """Cut or extend with zeros."""
    if size < len(content):
        del content[size:]
    else:
        content.extend(bytes(size - len(content)))


def _apply(content: bytearray, record: Record) -> None:
    """Do one write or truncation whole."""
    if record.op is Op.TRUNCATE:
        _resize(content, record.offset)
        return
    end = record.offset + len(record.data)
    if end > len(content):
        _resize(content, end)
    content[record.offset : end] = record.data


def _apply_torn(content: bytearray, record: Record, rng: random.Random, *, garbage: bool) -> None:
    """Do one write sector by sector: new, old, or (with *garbage*) noise."""
    begin, end = record.offset, record.offset + len(record.data)
    while begin < end:
        stop = min(end, (begin // SECTOR_BYTES + 1) * SECTOR_BYTES)
        fate = rng.random()
        piece = record.data[begin - record.offset : stop - record.offset]
        if fate < 0.1 and garbage:
            piece = rng.randbytes(stop - begin)
        if fate < 0.55:
            if stop > len(content):
                _resize(content, stop)
            content[begin:stop] = piece
        begin = stop


class Disk:
    """The state of the disk while a log is replayed, and the images it may leave."""

    def __init__(self, directory: Directory = Directory.STRICT) -> None:
        self.directory = directory
        self._files: dict[int, _File] = {}
        self._names: dict[str, int] = {}
        self._pending_names: list[Record] = []

    def replay(self, record: Record) -> None:
        """Take the next operation of the log."""
        if record.op in (Op.WRITE, Op.TRUNCATE):
            self._files[record.file].add(record)
        elif record.op is Op.SYNC:
            self._files[record.file].sync()
            if self.directory is Directory.LENIENT:
                self._sync_names()
        elif record.op is Op.SYNC_FAILED:
            self._files[record.file].fail_sync()
        elif record.op is Op.DIRSYNC:
            self._sync_names()
        elif record.op in (Op.CREATE, Op.UNLINK, Op.RENAME):
            self._files.setdefault(record.file, _File())
            self._pending_names.append(record)

    def image(self, rng: random.Random) -> dict[str, bytes]:
        """
        What may be found after a power loss now: content by file name.

        How much survives varies from image to image: with some seeds almost all that was not
        synced, with some nothing of it.
        """
        survival = rng.choice((0.0, 0.1, 0.5, 0.9, 1.0))
        tearing = rng.choice((0.0, 0.2, 0.8))
        garbage = rng.random() < 0.25
        names = self._surviving_names(rng, survival)
        return {
            name: bytes(_survivor(self._files[number], rng, survival, tearing, garbage=garbage))
            for name, number in names.items()
        }

    def whole(self) -> dict[str, bytes]:
        """What is there when nothing is lost: every operation so far took place."""
        return {
            name: bytes(_survivor(self._files[number], random.Random(0), 1.0, 0.0, garbage=False))
            for name, number in _renamed(self._names, self._pending_names).items()
        }

    def _sync_names(self) -> None:
        self._names = _renamed(self._names, self._pending_names)
        self._pending_names.clear()

    def _surviving_names(self, rng: random.Random, survival: float) -> dict[str, int]:
        pending = self._pending_names
        if self.directory is Directory.LENIENT:
            kept = pending[: rng.randint(0, len(pending))]
        else:
            kept = [record for record in pending if rng.random() < survival]
        return _renamed(self._names, kept)


def _survivor(
    file: _File, rng: random.Random, survival: float, tearing: float, *, garbage: bool
) -> bytearray:
    """The certain content and a random part of what came after the last sync."""
    content = bytearray(file.certain)
    for record, fate in file.pending:
        if fate is _Fate.CERTAIN:
            _apply(content, record)
        elif rng.random() >= survival:
            continue
        elif record.op is Op.WRITE and rng.random() < tearing:
            _apply_torn(content, record, rng, garbage=garbage)
        else:
            _apply(content, record)
    return content


def _renamed(names: dict[str, int], records: Sequence[Record]) -> dict[str, int]:
    """*names* after the given creations, deletions and renames."""
    after = dict(names)
    for record in records:
        if record.op is Op.CREATE:
            after[record.data.decode()] = record.file
        elif record.op is Op.UNLINK:
            name = record.data.decode()
            if after.get(name) == record.file:
                del after[name]
        else:
            old, new = record.data.decode().split("\0")
            if after.get(old) == record.file:
                del after[old]
            after[new] = record.file
    return after


def cut_points(records: Sequence[Record], n: int, rng: random.Random) -> list[int]:
    """
    Choose *n* moments of a log, in order: after how many records the power goes.

    Half of them come right after an acknowledgement, where a lost promise shows, the others
    anywhere.
    """
    acknowledged = [
        record.sequence + 1
        for record in records
        if record.op is Op.MARK and record.data.startswith(b"ack")
    ] or [len(records)]
    cuts = [rng.choice(acknowledged) for _ in range(n // 2)]
    cuts += [rng.randint(0, len(records)) for _ in range(n - len(cuts))]
    return sorted(cuts)


def images(
    records: Sequence[Record], n: int, seed: int, directory: Directory = Directory.STRICT
) -> Iterator[tuple[int, dict[str, bytes]]]:
    """
    Yield *n* images of the disk as ``(cut, content by name)``, *cut* rising.

    The same log, seed and directory give the same images.
    """
    rng = random.Random(seed)
    disk = Disk(directory)
    replayed = 0
    for cut in cut_points(records, n, rng):
        for record in records[replayed:cut]:
            disk.replay(record)
        replayed = cut
        yield cut, disk.image(rng)


def write_image(image: dict[str, bytes], folder: Path) -> None:
    """Put an image into *folder*, in place of what is there."""
    for old in folder.iterdir():
        old.unlink()
    for name, content in image.items():
        (folder / name).write_bytes(content)
