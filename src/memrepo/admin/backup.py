"""Write a consistent copy of a database to a file."""

from __future__ import annotations

import asyncio
from pathlib import Path

from memrepo.admin.files import sync
from memrepo.connection.contract import Driver
from memrepo.errors import InvalidInputError, UsageError

__all__ = ["back_up"]


async def back_up(connection: Driver, target: Path) -> None:
    """Write a copy beside *target*, sync it, and give it its name when it is complete."""
    if not connection.is_local:
        raise UsageError(
            "a server makes its backups itself: fetch /dump from it, or fork the database"
        )
    await asyncio.to_thread(_require_free, target)
    partial = target.with_name(f"{target.name}.partial")
    try:
        await connection.copy_into(partial)
        await asyncio.to_thread(_publish, partial, target)
    finally:
        await asyncio.to_thread(partial.unlink, missing_ok=True)


def _require_free(target: Path) -> None:
    if target.exists():
        raise InvalidInputError("path", "already exists")


def _publish(partial: Path, target: Path) -> None:
    sync(partial)
    _require_free(target)
    partial.rename(target)
    sync(target.parent)
