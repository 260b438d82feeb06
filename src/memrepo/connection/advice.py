"""What an operator should know of a database file that is opened for writing: logged, never raised."""

from __future__ import annotations

import logging
import sqlite3
from functools import cache
from pathlib import Path

from memrepo.connection.file_system import file_system_of, is_shared, is_volatile
from memrepo.connection.opening import Durability
from memrepo.connection.sqlite_info import has_wal_reset_bug

__all__ = ["advise"]

_logger = logging.getLogger(__name__)


async def advise(path: Path, durability: Durability) -> None:
    """Warn of a file system or a SQLite on which a file in WAL mode is not safe."""
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
    """Log it once a process: it is the same for every file."""
    _logger.warning(
        "SQLite %s has the WAL-reset bug: a file that several processes write at the same moment can,"
        " rarely, be corrupted; fixed in 3.51.3, 3.50.7 and 3.44.6"
        " (https://sqlite.org/wal.html#walresetbug)",
        sqlite3.sqlite_version,
    )
