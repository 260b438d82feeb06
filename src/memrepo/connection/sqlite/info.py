"""Collect what `Store.info` reports about a file."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path
from typing import Final

from memrepo.connection.contract import ConnectionInfo
from memrepo.connection.sqlite.health import file_system_of, has_wal_reset_bug
from memrepo.connection.sqlite.thread import WorkerThread
from memrepo.connection.sqlite.worker import WorkerConnection

__all__ = ["describe"]

#: https://sqlite.org/limits.html, the length of a string or BLOB.
_MAX_VALUE_BYTES: Final = 1_000_000_000

_FTS5: Final = "SELECT 1 FROM pragma_module_list WHERE name = 'fts5'"


async def describe(thread: WorkerThread, path: Path | None, durability: str) -> ConnectionInfo:
    """Ask a connection for its pragmas, and the file system for the sizes."""
    await thread.run(WorkerConnection.require_file)
    return ConnectionInfo(
        engine="sqlite",
        engine_version=sqlite3.sqlite_version,
        path=path,
        durability="none" if path is None else durability,
        journal_mode=await thread.pragma("journal_mode"),
        synchronous=await thread.pragma("synchronous"),
        file_system=None if path is None else await file_system_of(path),
        size_bytes=await _size(path),
        wal_size_bytes=await _size(None if path is None else Path(f"{path}-wal")),
        has_wal_reset_bug=has_wal_reset_bug(),
        has_full_text_search=bool(await thread.fetch(_FTS5)),
        has_vectors=False,
        max_value_bytes=_MAX_VALUE_BYTES,
    )


async def _size(path: Path | None) -> int:
    return 0 if path is None else await asyncio.to_thread(_size_of, path)


def _size_of(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
