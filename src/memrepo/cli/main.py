"""The command line: ``memrepo copy FROM TO``. Ends with 0, with 1 if it failed, with 2 if misused."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Sequence
from typing import Final, NoReturn, TextIO

from memrepo.connect import OpeningStore, connect
from memrepo.connection.server_url import ServerLocation
from memrepo.connection.url import parse_url
from memrepo.errors import MemrepoError, UsageError
from memrepo.transfer.copying import CopyProgress, CopyReport

__all__ = ["main"]

_DONE: Final = 0
_FAILED: Final = 1
_MISUSED: Final = 2
_COPY_HELP: Final = """\
Copies every row of one database into another, and compares the two. FROM and TO are files or servers:
agent.db, http://localhost:8080?namespace=acme. A copy that was interrupted goes on when it is repeated.

The token of a server is taken from MEMREPO_FROM_TOKEN or MEMREPO_TO_TOKEN; if FROM and TO are not both
servers, also from TURSO_AUTH_TOKEN; or it is part of the URL (?authToken=), where other users of the
machine may see it. A FROM that is a file is brought to this version's schema, as every store is.
"""


class _Parser(argparse.ArgumentParser):
    """argparse, whose own messages repeat the arguments, and so the tokens in them."""

    def error(self, message: str) -> NoReturn:  # noqa: ARG002 - what must not be shown
        """Say how it is used, and end."""
        self.print_usage(sys.stderr)
        self.exit(_MISUSED, f"{self.prog}: the arguments are not as above\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, by default that of the process, and return its exit status."""
    given = _parser().parse_args(arguments)
    try:
        return asyncio.run(_copy(given.source, given.target))
    except UsageError as error:
        return _fail(error, _MISUSED)
    except MemrepoError as error:
        return _fail(error, _FAILED)
    except KeyboardInterrupt:
        return _fail("interrupted; the same command goes on", _FAILED)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="memrepo", description="The durable memory of an asyncio agent.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND", parser_class=_Parser)
    copy = commands.add_parser(
        "copy",
        help="copy a database into another",
        description=_COPY_HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    copy.add_argument("source", metavar="FROM")
    copy.add_argument("target", metavar="TO")
    return parser


def _fail(reason: object, status: int) -> int:
    # Our errors never hold a token.
    sys.stderr.write(f"memrepo: {reason}\n")
    return status


# --- copy --------------------------------------------------------------------------------------


async def _copy(source_url: str, target_url: str) -> int:
    is_one_server = _is_server(source_url) != _is_server(target_url)
    opening_source = _open(source_url, "MEMREPO_FROM_TOKEN", is_only=is_one_server, is_source=True)
    opening_target = _open(target_url, "MEMREPO_TO_TOKEN", is_only=is_one_server)
    show = _Line(sys.stderr) if sys.stderr.isatty() else _Lines(sys.stderr)
    async with opening_source as source, opening_target as target:
        try:
            report = await source.copy_to(target, on_progress=show)
        finally:
            show.end()
    _summarize(report)
    return _DONE if report.is_identical else _FAILED


def _is_server(url: str) -> bool:
    return isinstance(parse_url(url), ServerLocation)


def _open(url: str, variable: str, *, is_only: bool, is_source: bool = False) -> OpeningStore:
    location = parse_url(url)
    if isinstance(location, ServerLocation):
        names = (variable, "TURSO_AUTH_TOKEN") if is_only else (variable,)
        tokens = (location.auth_token, *(os.environ.get(name) for name in names))
        return connect(url, auth_token=next(filter(None, tokens), None))
    if is_source and location.path is not None and location.mode == "rwc":
        # A misspelled name must not become an empty database.
        return connect(f"{location.path.as_uri()}?mode=rw")
    return connect(url)


def _summarize(report: CopyReport) -> None:
    for its in report.tables:
        sys.stdout.write(
            f"{its.table}: {its.n_rows:,} rows, {its.n_copied:,} copied, "
            f"{its.n_present:,} there already\n"
        )
        if its.n_different or its.n_extra:
            sys.stderr.write(
                f"memrepo: {its.table}: {its.n_different:,} rows differ, "
                f"and the target has {its.n_extra:,} of its own\n"
            )


class _Line:
    """Progress as one line of a terminal that is written again and again."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, progress: CopyProgress) -> None:
        self._stream.write(f"\r\x1b[K{_describe(progress)}")
        self._stream.flush()

    def end(self) -> None:
        """Remove the line."""
        self._stream.write("\r\x1b[K")
        self._stream.flush()


class _Lines:
    """Progress as a line for each table that is done, for files and pipes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._last: CopyProgress | None = None

    def __call__(self, progress: CopyProgress) -> None:
        if self._last is not None and self._last.table != progress.table:
            self.end()
        self._last = progress

    def end(self) -> None:
        """Write how far the last table came."""
        if self._last is not None:
            self._stream.write(f"{_describe(self._last)}\n")
            self._stream.flush()
            self._last = None


def _describe(progress: CopyProgress) -> str:
    percentage = 100 * progress.n_done // max(progress.n_rows, 1)
    return (
        f"{progress.step} {progress.table}: {progress.n_done:,} of {progress.n_rows:,} "
        f"({percentage} %)"
    )
