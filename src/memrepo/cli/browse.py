"""``memrepo browse --db URL``: a local web page to look at a memory. Messages go to stderr."""

from __future__ import annotations

import argparse
import asyncio
import webbrowser
from datetime import tzinfo
from importlib import import_module
from typing import Any, Final
from zoneinfo import ZoneInfo

from memrepo.cli.local import LOCAL
from memrepo.cli.opening import open_database, require_database
from memrepo.cli.port import LOOPBACK, read_port
from memrepo.cli.streams import write_message
from memrepo.connection.contract import ConnectionInfo
from memrepo.domain.checks import check_scope
from memrepo.errors import UsageError

__all__ = ["configure"]

_DESCRIPTION: Final = """\
Serves web pages to look at a memory, for this machine only, until Ctrl-C: facts with their history, sessions, the daily
log, what a recall would choose and why, sizes and growth. Open the link that it prints. It needs memrepo[browse].

URL is a file or a server: agent.db, http://localhost:8080?namespace=acme. Without --db it is MEMREPO_URL. The token of
a server comes from the URL (?authToken=), where other users of the machine may see it, or from TURSO_AUTH_TOKEN.

Without --edit, nothing is written.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Give the command its description, its arguments and the function that runs it."""
    parser.description = _DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--db", metavar="URL", help="the database")
    parser.add_argument(
        "--scope", default="", help="whose memory is shown first; by default, the default scope's"
    )
    parser.add_argument(
        "--edit",
        action="store_true",
        help="also correct, forget and restore facts, and answer proposals",
    )
    parser.add_argument(
        "--port", type=read_port, default=0, help="the port; by default, any that is free"
    )
    parser.add_argument(
        "--tz",
        metavar="ZONE",
        type=_zone,
        default=LOCAL,
        help="the time zone of days and times, as Europe/London; by default, the system's",
    )
    parser.add_argument("--open", action="store_true", help="open the link in a browser")
    parser.set_defaults(run=_run, typed={"scope": "--scope"})


def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # there is none, or it is a folder
        raise argparse.ArgumentTypeError("must be a time zone as Europe/London") from None


async def _run(given: argparse.Namespace) -> bool:
    pages, serving = await asyncio.to_thread(_import_all)
    await asyncio.to_thread(require_database, given.db)
    async with open_database(given.db, creates=False, only_reads=not given.edit) as store:
        browser = pages.Browser(
            store,
            title=_title(await store.info()),
            scope=check_scope(given.scope),
            can_edit=given.edit,
            tz=given.tz,
        )
        with serving.listen(LOOPBACK, given.port) as listener:
            url = serving.url_of(listener)
            _tell(f"{url}{browser.access.new_entrance()}", can_edit=given.edit)
            if given.open:
                # Other users of the machine see what a program was started with: this link works once.
                link = f"{url}{browser.access.new_entrance(once=True)}"
                await asyncio.to_thread(webbrowser.open, link)
            try:
                await serving.serve(browser.app, listener)
            finally:
                await browser.close()
    return True


def _import_all() -> tuple[Any, Any]:
    try:
        return import_module("memrepo.browse.app"), import_module("memrepo.serving")
    except ImportError as error:
        raise UsageError(
            "browse needs packages that are not installed: pip install 'memrepo[browse]'"
        ) from error


def _title(info: ConnectionInfo) -> str:
    return info.path.name if info.path is not None else info.url or "in memory"


def _tell(link: str, *, can_edit: bool) -> None:
    may = "facts can be changed" if can_edit else "nothing is written"
    write_message(f"memrepo: open {link}\nmemrepo: {may}; Ctrl-C ends it\n")
