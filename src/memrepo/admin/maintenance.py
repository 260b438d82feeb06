"""Looking after a database: is it sound, and a copy of it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final, Literal, TypeAlias

import attrs

from memrepo.connection.contract import Driver
from memrepo.domain.hashing import content_hash
from memrepo.domain.plain import PlainModel
from memrepo.errors import InvalidInputError, UsageError
from memrepo.queries import maintenance as queries

__all__ = ["Problem", "ProblemKind", "back_up", "find_problems"]

#: Facts whose hashes are checked at a time.
_BATCH: Final = 1_000

#: What `Store.verify` looks for.
ProblemKind: TypeAlias = Literal["integrity", "foreign key", "content hash"]


@attrs.frozen(kw_only=True)
class Problem(PlainModel):
    """Something that `Store.verify` found."""

    #: What is wrong: the file, a reference, or a fact whose text is not the one that was hashed.
    kind: ProblemKind
    #: The table, or ``""`` where SQLite does not name it.
    table: str
    #: The row, or ``None`` where SQLite does not name it.
    id: int | None
    #: What SQLite says, or which table a reference goes to; never stored text.
    detail: str


async def find_problems(connection: Driver) -> AsyncIterator[Problem]:
    """Yield what is wrong with the file, then with references, then with facts."""
    for (message,) in await connection.read_aside(queries.INTEGRITY.bind()):
        if message != "ok":
            yield Problem(kind="integrity", table="", id=None, detail=message)
    for table, number, parent, _ in await connection.read_aside(queries.FOREIGN_KEYS.bind()):
        yield Problem(kind="foreign key", table=table, id=number, detail=parent)
    after_id = 0
    while rows := await connection.read(queries.HASHES.bind(after_id=after_id, limit=_BATCH)):
        for number, scope, kind, content, digest in rows:
            if kind != "text" or _hash(content, scope) != digest:
                detail = "the content is not the text that was hashed"
                yield Problem(kind="content hash", table="memory_entries", id=number, detail=detail)
        after_id = rows[-1][0]


def _hash(content: bytes, scope: str) -> str:
    return content_hash(content.decode(errors="replace"), scope=scope)


async def back_up(connection: Driver, target: Path) -> None:
    """Write a copy beside *target*, sync it, and give it its name when it is complete."""
    if not connection.is_local:
        raise UsageError(
            "a server makes its backups itself: fetch /dump from it, or fork the database"
        )
    await asyncio.to_thread(_require_free, target)
    partial = target.with_name(f"{target.name}.partial")
    try:
        await connection.read_aside(queries.BACKUP.bind(path=str(partial)))
        await asyncio.to_thread(_publish, partial, target)
    finally:
        await asyncio.to_thread(partial.unlink, missing_ok=True)


def _require_free(target: Path) -> None:
    if target.exists():
        raise InvalidInputError("path", "exists already")


def _publish(partial: Path, target: Path) -> None:
    _sync(partial)
    _require_free(target)
    partial.rename(target)
    _sync(target.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
