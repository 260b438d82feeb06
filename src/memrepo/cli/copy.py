"""``memrepo copy FROM TO``: copy a database into another, with progress on stderr."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Final

from memrepo.cli.naming import called
from memrepo.cli.opening import read_url
from memrepo.cli.streams import write_message, write_output
from memrepo.cli.telling import warnings_told
from memrepo.connect import connect
from memrepo.connection.server_url import ServerLocation
from memrepo.connection.url import parse_url
from memrepo.domain.hashing import SameFact
from memrepo.opening import OpeningStore
from memrepo.transfer.copy import CopyProgress, CopyReport

__all__ = ["configure"]

_DESCRIPTION: Final = """\
Copies every row from one database to another, then compares the two. FROM and TO are files or servers:
agent.db, http://localhost:8080?namespace=acme. Run an interrupted copy again to resume it.

The token of a server comes from the URL (?authToken=), where other users of the machine may see it; from
MEMREPO_FROM_TOKEN or MEMREPO_TO_TOKEN; or, if only one of the two is a server, from TURSO_AUTH_TOKEN.
A FROM that is a file is migrated to this version's schema, like every file that memrepo opens.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Give the command its description, its arguments and the function that runs it."""
    parser.description = _DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("source", metavar="FROM")
    parser.add_argument("target", metavar="TO")
    parser.set_defaults(run=_run, resume_hint="; run the command again to resume")


async def _run(given: argparse.Namespace) -> bool:
    with warnings_told():
        report = await _copy(given)
    _summarize(report)
    return report.is_identical


async def _copy(given: argparse.Namespace) -> CopyReport:
    source_url, target_url = given.source, given.target
    is_one_server = _is_server("FROM", source_url) != _is_server("TO", target_url)
    opening_source = _open(source_url, "MEMREPO_FROM_TOKEN", is_only=is_one_server, is_source=True)
    show = _Line() if sys.stderr.isatty() else _Lines()
    async with opening_source as source:
        # Where the target is new, it gets the rule of the source.
        opening_target = _open(
            target_url, "MEMREPO_TO_TOKEN", is_only=is_one_server, same_fact=source.same_fact
        )
        async with opening_target as target:
            try:
                with called(other="TO"):
                    return await source.copy_to(target, on_progress=show)
            finally:
                show.end()


def _is_server(name: str, url: str) -> bool:
    return isinstance(read_url(name, url), ServerLocation)


def _open(
    url: str,
    variable: str,
    *,
    is_only: bool,
    is_source: bool = False,
    same_fact: SameFact | None = None,
) -> OpeningStore:
    location = parse_url(url)
    if isinstance(location, ServerLocation):
        names = (variable, "TURSO_AUTH_TOKEN") if is_only else (variable,)
        tokens = (location.auth_token, *(os.environ.get(name) for name in names))
        token = next(filter(None, tokens), None)
        return connect(url, auth_token=token, same_fact=same_fact)
    if is_source and location.path is not None and location.mode == "rwc":
        # A misspelled name must not become an empty database.
        return connect(f"{location.path.as_uri()}?mode=rw")
    return connect(url, same_fact=same_fact)


def _summarize(report: CopyReport) -> None:
    for its in report.tables:
        write_output(
            f"{its.table}: {its.n_rows:,} rows, {its.n_copied:,} copied, "
            f"{its.n_present:,} already there\n"
        )
        if its.n_different or its.n_extra:
            write_message(
                f"memrepo: {its.table}: {its.n_different:,} rows differ, "
                f"and the target has {its.n_extra:,} of its own\n"
            )


# --- progress ----------------------------------------------------------------------------------


class _Line:
    """Progress as one line of a terminal, which is rewritten."""

    def __call__(self, progress: CopyProgress) -> None:
        write_message(f"\r\x1b[K{_describe(progress)}")

    def end(self) -> None:
        """Remove the line."""
        write_message("\r\x1b[K")


class _Lines:
    """Progress as one line for each finished table, for files and pipes."""

    def __init__(self) -> None:
        self._last: CopyProgress | None = None

    def __call__(self, progress: CopyProgress) -> None:
        if self._last is not None and self._last.table != progress.table:
            self.end()
        self._last = progress

    def end(self) -> None:
        """Write the progress of the last table."""
        if self._last is not None:
            write_message(f"{_describe(self._last)}\n")
            self._last = None


def _describe(progress: CopyProgress) -> str:
    percentage = 100 * progress.n_done // max(progress.n_rows, 1)
    return (
        f"{progress.step} {progress.table}: {progress.n_done:,} of {progress.n_rows:,} "
        f"({percentage} %)"
    )
