"""Look at what is around a database: its files, their disk, or the server."""

from __future__ import annotations

import asyncio
import shutil
import stat
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from memrepo.connection.contract import ConnectionInfo, Driver
from memrepo.connection.sqlite.health import is_shared, is_volatile
from memrepo.connection.url import SIDE_SUFFIXES
from memrepo.domain.findings import Finding, memrepo_command, shell_word
from memrepo.domain.instants import NO_INSTANT, parse_instant
from memrepo.errors import DatabaseError, DeadlineError
from memrepo.queries import examining as queries, versions

__all__ = ["examine_file", "examine_replica", "examine_server"]

#: Rights that nobody else on the machine needs.
_OTHERS: Final = stat.S_IROTH | stat.S_IWOTH
#: Bytes: SQLite cuts a log back to a quarter of it, unless a reader keeps it from that.
_LARGE_LOG: Final = 32 * 2**20
#: Bytes that a disk should have free.
_LEAST_FREE: Final = 100 * 2**20
#: Seconds after which an unfinished copy is none that is just being made.
_LEFT_OVER_S: Final = 3_600
#: What `copy_beside` appends to a name; an export that can be resumed has another one.
_OF_A_COPY: Final = f".{'[0-9a-f]' * 8}.partial"
#: Seconds that the clocks of two machines may differ.
_MOST_SKEW_S: Final = 5.0
#: Seconds that a replica may be behind.
_MOST_LAG_S: Final = 2.0
#: What memrepo is tested with; older servers of the line lack what it needs.
_TESTED: Final = (0, 24)


# --- files -------------------------------------------------------------------------------------


async def examine_file(info: ConnectionInfo) -> AsyncIterator[Finding]:
    """Yield what is found around a file."""
    assert info.path is not None  # noqa: S101 - for the type checker
    if is_shared(info.file_system):
        detail = f"the file is on {info.file_system}, which several machines may share: it can be corrupted"
        cure = f"memrepo copy {shell_word(info.path)} LOCAL_FILE"
        yield Finding(check="file system", detail=detail, cure=cure)
    elif is_volatile(info.file_system):
        detail = f"the file is on {info.file_system}, which a power loss empties"
        cure = f"memrepo copy {shell_word(info.path)} FILE_ON_DISK"
        yield Finding(check="file system", severity="note", detail=detail, cure=cure)
    if info.wal_size_bytes > _LARGE_LOG:
        detail = f"the write-ahead log has {info.wal_size_bytes:,} bytes: a program reads for a long time"
        cure = memrepo_command("compact", info.path)
        yield Finding(check="write-ahead log", detail=detail, cure=cure)
    for finding in await asyncio.to_thread(lambda: [*_look(info, time.time())]):
        yield finding


def _look(info: ConnectionInfo, now: float) -> Iterator[Finding]:
    """Yield what the folder says. Blocks."""
    path = info.path
    assert path is not None  # noqa: S101 - for the type checker
    # The files beside it have its rights, and go when the last program closes it.
    for file in [path, *(Path(f"{path}{suffix}") for suffix in SIDE_SUFFIXES)]:
        if _mode(file) & _OTHERS:
            detail = f"every user of this machine can read or write {file.name}"
            cure = f"chmod o-rwx {shell_word(file)}"
            yield Finding(check="permissions", detail=detail, cure=cure)
            break
    yield from _of_disk(shutil.disk_usage(path.parent).free, info)
    for file in sorted(path.parent.glob(f"{_escaped(path.name)}{_OF_A_COPY}")):
        with suppress(OSError):
            if now - file.stat().st_mtime > _LEFT_OVER_S:
                detail = f"{file.name} is of a backup that was interrupted"
                cure = f"rm {shell_word(file)}"
                yield Finding(check="left over", severity="note", detail=detail, cure=cure)


def _of_disk(free: int, info: ConnectionInfo) -> Iterator[Finding]:
    needed = info.size_bytes + info.wal_size_bytes
    where = shell_word(info.path and info.path.parent)
    if free < _LEAST_FREE:
        detail = f"the disk has only {free:,} bytes free"
        yield Finding(check="disk space", detail=detail, cure=f"df -h {where}")
    elif free < needed:
        detail = f"the disk has {free:,} bytes free, but compact and a backup need {needed:,}"
        yield Finding(check="disk space", severity="note", detail=detail, cure=f"df -h {where}")


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode
    except OSError:
        return 0


def _escaped(name: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in name)


# --- servers -----------------------------------------------------------------------------------


async def examine_server(
    connection: Driver, info: ConnectionInfo, now: datetime
) -> AsyncIterator[Finding]:
    """Yield what is found of a server."""
    name, _, version = info.server_version.partition(" ")
    if name == "sqld" and _numbers(version) < _TESTED:
        detail = f"{info.server_version} is older than 0.24, with which memrepo is tested"
        yield Finding(check="server", severity="note", detail=detail)
    asked = time.monotonic()
    ((text,),) = await connection.read(queries.SERVER_NOW.bind())
    took = time.monotonic() - asked
    with suppress(*NO_INSTANT):
        skew = abs((parse_instant(text) - now).total_seconds())
        if skew > took + _MOST_SKEW_S:
            detail = (
                f"the server's clock and this machine's differ by {timedelta(seconds=round(skew))}"
            )
            yield Finding(check="clock", detail=detail, cure="timedatectl set-ntp true")


async def examine_replica(connection: Driver) -> AsyncIterator[Finding]:
    """Write to a migrated database, and see how long it takes until that can be read."""
    try:
        await connection.write((versions.PING.bind(),))
    except DatabaseError as error:
        yield Finding(check="server", detail=f"it takes no writes: {error}")
        return
    written = time.monotonic()
    try:
        await connection.read(queries.SERVER_NOW.bind())
    except DeadlineError:
        yield Finding(check="server", detail="the replica does not catch up with what is written")
        return
    if (lag := time.monotonic() - written) > _MOST_LAG_S:
        detail = f"what is written can be read only {lag:.0f} seconds later"
        yield Finding(check="server", severity="note", detail=detail)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
