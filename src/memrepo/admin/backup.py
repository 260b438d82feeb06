"""Write a consistent copy of a database to a file."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from os import PathLike
from pathlib import Path

from memrepo.admin.files import create_private, give_name, give_rights, require_free, sync
from memrepo.connection.contract import Driver
from memrepo.connection.sqlite.reasons import system_error
from memrepo.connection.url import check_path
from memrepo.connection.waiting import finish

__all__ = ["back_up", "copy_beside"]


async def back_up(connection: Driver, path: str | PathLike[str]) -> None:
    """Write a copy beside *path*, and give it its name when it is complete."""
    name = check_path("path", path)
    target = await asyncio.to_thread(Path(name).absolute)
    try:
        await asyncio.to_thread(require_free, target)
        async with copy_beside(connection, target) as copy:
            source = (await connection.info()).path
            if source is not None:
                await asyncio.to_thread(give_rights, copy, source)
            await finish(asyncio.to_thread(give_name, copy, target))
    except OSError as error:
        raise await asyncio.to_thread(system_error, target, "cannot be written", error) from error


@asynccontextmanager
async def copy_beside(connection: Driver, target: Path) -> AsyncGenerator[Path, None]:
    """Yield a complete and synced copy in *target*'s folder; it is removed unless it gets another name."""
    # A name of its own: neither what somebody else put there nor what a killed process left is touched.
    partial = target.with_name(f"{target.name}.{secrets.token_hex(4)}.partial")
    try:
        await finish(asyncio.to_thread(create_private, partial))
        await connection.back_up(partial)
        await asyncio.to_thread(sync, partial)
        yield partial
    finally:
        await finish(asyncio.to_thread(partial.unlink, missing_ok=True))
