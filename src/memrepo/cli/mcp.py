"""``memrepo mcp --db URL``: a memory as an MCP server, over stdio or HTTP. Messages go to stderr."""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import signal
from importlib import import_module
from typing import Any, Final

from memrepo.cli.opening import open_database, require_database
from memrepo.cli.port import LOOPBACK, read_port
from memrepo.cli.streams import write_message
from memrepo.errors import UsageError

__all__ = ["configure"]

_DESCRIPTION: Final = """\
Serves a memory to hosts of the Model Context Protocol (MCP): over stdin and stdout, as a host starts it, or with
--http over Streamable HTTP, at /mcp. It needs memrepo[mcp].

URL is a file or a server: agent.db, http://localhost:8080?namespace=acme. Without --db it is MEMREPO_URL. The token of
a server comes from the URL (?authToken=), where other users of the machine may see it, or from TURSO_AUTH_TOKEN.

Over HTTP, clients need a bearer token: MEMREPO_MCP_TOKEN, or a new one, which is printed to stderr.
"""
_TOKEN_BYTES: Final = 32
_TOKEN: Final = "MEMREPO_MCP_TOKEN"  # noqa: S105 - its name
#: What was typed, for the arguments of the library.
_TYPED: Final = {
    "allowed_hosts": "--allow-host",
    "host": "--host",
    "scope": "--scope",
    "token": _TOKEN,
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Give the command its description, its arguments and the function that runs it."""
    parser.description = _DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--db", metavar="URL", help="the database")
    parser.add_argument(
        "--scope", default="", help="whose memory it is; by default, the default scope's"
    )
    parser.add_argument(
        "--read-only",
        action="store_true",
        help="serve only the tools that write nothing; a file must be there",
    )
    parser.add_argument(
        "--http", metavar="PORT", type=read_port, help="serve HTTP on this port; 0 is any"
    )
    parser.add_argument("--host", help=f"the address for --http; by default {LOOPBACK}")
    parser.add_argument(
        "--allow-host",
        metavar="NAME",
        action="append",
        default=[],
        help="a name under which clients reach it over --http, beside localhost",
    )
    parser.set_defaults(run=_run, typed=_TYPED)


async def _run(given: argparse.Namespace) -> bool:
    _check_http(given)
    mcp = await asyncio.to_thread(_import_server)
    if given.read_only:
        await asyncio.to_thread(require_database, given.db)
    async with open_database(given.db, creates=not given.read_only) as store:
        tools = [tool for tool in mcp.TOOLS if tool.is_read_only or not given.read_only]
        server = mcp.memory_server(store.scoped(given.scope), tools=tools)
        if given.http is None:
            await _serve_stdio(server)
        else:
            await _serve_http(server, given)
    return True


def _check_http(given: argparse.Namespace) -> None:
    """Refuse what has no use over stdio: who listens on an address must have said --http."""
    if given.http is None and given.host is not None:
        raise UsageError("--host needs --http")
    if given.http is None and given.allow_host:
        raise UsageError("--allow-host needs --http")


def _import_server() -> Any:
    try:
        return import_module("memrepo.contrib.mcp")
    except ImportError as error:
        raise UsageError(
            "mcp needs a package that is not installed: pip install 'memrepo[mcp]'"
        ) from error


async def _serve_stdio(server: Any) -> None:
    # asyncio would wait for the thread that reads stdin. What is written is whole or absent all the same.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        await server.run_stdio_async()
    except* BrokenPipeError:
        pass  # the host has gone: it is an end like that of stdin


async def _serve_http(server: Any, given: argparse.Namespace) -> None:
    http = import_module("memrepo.contrib.mcp.http")
    serving = import_module("memrepo.serving")
    token = os.environ.get(_TOKEN)
    if is_new := not token:
        token = secrets.token_urlsafe(_TOKEN_BYTES)
    app = http.http_app(server, token=token, allowed_hosts=(*serving.LOOPBACK, *given.allow_host))
    host = LOOPBACK if given.host is None else given.host
    with serving.listen(host, given.http) as listener:
        write_message(f"memrepo: serving {serving.url_of(listener)}/mcp\n")
        if is_new:
            write_message(f"memrepo: the token for Authorization: Bearer is {token}\n")
        await serving.serve(app, listener)
