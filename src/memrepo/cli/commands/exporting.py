"""``export`` and ``import``: a memory as JSON Lines."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final

import click

try:
    import fcntl
except ImportError:  # on Windows
    fcntl = None  # type: ignore[assignment]

from memrepo.admin.files import create_missing, sync
from memrepo.cli.commands.options import BadInput, database, interruptible, on_store, runs
from memrepo.cli.commands.output import Output, await_stdin, is_terminal, progress
from memrepo.cli.naming import called
from memrepo.cli.opening import database_url, open_database
from memrepo.cli.streams import STDIO
from memrepo.connection.url import check_path
from memrepo.errors import BusyError, InvalidInputError
from memrepo.store import Store
from memrepo.transfer.copy import CopyProgress
from memrepo.transfer.lines import BEGINNING

__all__ = ["COMMANDS"]

_PART_BYTES: Final = 1 << 20


@contextmanager
def _progress(*, is_shown: bool = True) -> Generator[Callable[[CopyProgress], None]]:
    with progress(is_shown=is_shown) as tell:
        yield lambda its: tell(f"{its.step} {its.table}", its.n_done, its.n_rows)


# --- export ------------------------------------------------------------------------------------


@click.command("export")
@click.argument("path", default=STDIO, metavar="[FILE]")
@click.option("--scope", default=None, help="Only what is of this scope; all by default.")
@on_store(scoped=False, resumes=True)
async def _export(output: Output, store: Store, path: str, scope: str | None) -> None:
    """
    Write every row to FILE, or stdout.

    The format is JSON Lines. FILE is - for stdout, as without FILE. It gets its name when it is complete; until then it
    is FILE.partial, and the same command goes on where an interrupted one ended. It can be read by its owner
    only.
    """
    # Not between the lines that it would tell of.
    with _progress(is_shown=path != STDIO or not is_terminal()) as tell:
        if path == STDIO:
            async for part in store.export_lines(scope=scope, on_progress=tell):
                await asyncio.to_thread(_write, sys.stdout.buffer, part)
            return
        await _export_to(store, Path(check_path("FILE", path)), scope, tell)
    output.one({"exported": path}, f"exported to {path}")


async def _export_to(
    store: Store, path: Path, scope: str | None, tell: Callable[[CopyProgress], None]
) -> None:
    await asyncio.to_thread(_require_free, path)
    partial = path.with_name(f"{path.name}.partial")
    await asyncio.to_thread(create_missing, partial)
    file = await asyncio.to_thread(partial.open, "r+b")
    try:
        await asyncio.to_thread(_require_alone, file, partial)
        resume = await asyncio.to_thread(_seek_end, file)
        async for part in store.export_lines(scope=scope, resume=resume, on_progress=tell):
            await asyncio.to_thread(_write, file, part)
        await asyncio.to_thread(os.fsync, file.fileno())
        await asyncio.to_thread(_complete, partial, path)
    except InvalidInputError as error:
        its = "has a .partial file beside it that " if error.field == "resume" else ""
        raise InvalidInputError("FILE", f"{its}{error.reason}") from None
    finally:
        await asyncio.to_thread(file.close)


def _require_free(path: Path) -> None:
    if os.path.lexists(path):
        raise InvalidInputError("FILE", "already exists")


def _complete(partial: Path, path: Path) -> None:
    """Give a complete export its name in one step: a second name would be gone on with the next time."""
    _require_free(path)
    partial.rename(path)
    sync(path.parent)


def _require_alone(file: BinaryIO, partial: Path) -> None:
    """
    Keep another export from writing to the file as long as it is open; not on Windows.

    Raises:
        BusyError: Another one does, or has just completed it.
    """
    if fcntl is not None:
        with suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if partial.exists() and os.path.samestat(os.fstat(file.fileno()), partial.stat()):
                return
        raise BusyError(f"{partial} is being written by another export")


def _write(file: BinaryIO, part: bytes) -> None:
    file.write(part)
    file.flush()


def _seek_end(file: BinaryIO) -> tuple[bytes, bytes] | None:
    """
    Cut off a line that is not whole; return the first line and the last, or ``None`` if there is none.

    Raises:
        InvalidInputError: It is another program's file.
    """
    first = file.readline()
    if not first.startswith(BEGINNING[: len(first)]):
        raise InvalidInputError("path", "has a .partial file beside it that is no export")
    end = file.seek(0, os.SEEK_END)
    tail = b""
    while end and tail.count(b"\n") < 2:  # noqa: PLR2004 - the end of the last line, and of the one before
        start = max(end - _PART_BYTES, 0)
        file.seek(start)
        tail = file.read(end - start) + tail
        end = start
    whole = tail[: tail.rfind(b"\n") + 1]
    file.truncate(end + len(whole))
    file.seek(0, os.SEEK_END)
    last = whole[:-1].rpartition(b"\n")[2]
    return (first, last) if whole else None


# --- import ------------------------------------------------------------------------------------


@click.command("import")
@click.argument("path", default=STDIO, metavar="[FILE]")
@database
@partial(runs, resumes=True)
async def _import(output: Output, db: str | None, path: str) -> None:
    """
    Store the rows of an export.

    FILE is what export wrote, or - for stdin, as without FILE. The database is made if it is not there. Ids are kept if it is
    empty. The same export can be imported again: what is there already stays as it is.
    """
    url = database_url(db)
    with await _opened(path) as file:  # before a database is made for it
        async with open_database(url) as store:
            try:
                with _progress() as tell, called(parts="FILE"):
                    report = await store.import_lines(_parts(file), on_progress=tell)
            except InvalidInputError as error:
                raise BadInput(str(error)) from error
    lines = [
        f"{its.table}: {its.n_rows:,} rows, {its.n_imported:,} imported, {its.n_present:,} already there"
        + (f", {its.n_known:,} known otherwise" if its.n_known else "")
        for its in report.tables
    ]
    output.one(report, "\n".join(lines))


async def _opened(path: str) -> AbstractContextManager[BinaryIO]:
    if path == STDIO:
        await_stdin("an export")
        return nullcontext(sys.stdin.buffer)
    try:
        return await asyncio.to_thread(open, check_path("FILE", path), "rb")
    except OSError as error:
        raise BadInput(f"FILE: cannot be read: {error.strerror}") from None


async def _parts(file: BinaryIO) -> AsyncIterator[bytes]:
    while part := await _read(file):
        yield part


async def _read(file: Any) -> bytes:
    if file.isatty():
        # A thread that waits for a person could not be ended.
        with interruptible():
            return bytes(file.read1(_PART_BYTES))
    return bytes(await asyncio.to_thread(file.read, _PART_BYTES))


COMMANDS: Final = (_export, _import)
