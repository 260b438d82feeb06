"""`memrepo mcp` as hosts start it, and what its tools answer."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import attrs
import httpx2
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, TextContent

from tests.patience import PATIENCE_S, eventually

TOKEN = "a-token-that-nobody-can-guess"


def command(database: Path, *arguments: str) -> StdioServerParameters:
    """The server over stdio, with nothing but its database in its environment."""
    return StdioServerParameters(
        command=sys.executable,
        args=["-m", "memrepo", "mcp", *arguments],
        env={"MEMREPO_URL": str(database), "PYTHONPATH": os.pathsep.join(sys.path)},
        cwd=database.parent,
    )


async def call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    """What a tool answers, which must not be an error."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, text_of(result)
    assert result.structured_content is not None
    return dict(result.structured_content)


async def refusal(client: Client, tool: str, **arguments: Any) -> str:
    """What a model is told when a tool cannot do it."""
    result = await client.call_tool(tool, arguments)
    assert result.is_error
    return text_of(result)


def text_of(result: CallToolResult) -> str:
    """The text that a model reads."""
    (block,) = result.content
    assert isinstance(block, TextContent)
    return block.text


@attrs.frozen
class HttpServer:
    """A server over HTTP, which runs until the block that started it ends."""

    url: str
    database: Path
    #: Where it writes what it has to say.
    log: Path

    @asynccontextmanager
    async def client(self, *, token: str = TOKEN) -> AsyncGenerator[Client, None]:
        """A client of the protocol that has a token."""
        headers = {"Authorization": f"Bearer {token}"}
        async with (
            httpx2.AsyncClient(headers=headers, timeout=PATIENCE_S) as http,
            Client(streamable_http_client(self.url, http_client=http)) as client,
        ):
            yield client


@contextmanager
def http_server(
    database: Path,
    *arguments: str,
    token: str | None = TOKEN,
    stop: signal.Signals = signal.SIGTERM,
) -> Iterator[HttpServer]:
    """Start `memrepo mcp --http` on a free port, and stop it in the end."""
    log = database.with_suffix(".log")
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    variables.pop("MEMREPO_MCP_TOKEN", None)
    if token is not None:
        variables["MEMREPO_MCP_TOKEN"] = token
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "memrepo",
                "mcp",
                "--db",
                str(database),
                "--http",
                "0",
                *arguments,
            ],
            stdout=subprocess.PIPE,
            stderr=stderr,
            env=variables,
        )
    try:
        yield HttpServer(_wait_for_url(process, log), database, log)
    finally:
        process.send_signal(stop)
        out, _ = process.communicate(timeout=PATIENCE_S)
    assert (out, process.returncode) == (b"", int(stop == signal.SIGINT)), log.read_text(
        encoding="utf-8"
    )
    assert not database.with_name(f"{database.name}-wal").exists(), "the store was not closed"


def _wait_for_url(process: subprocess.Popen[bytes], log: Path) -> str:
    found: list[str] = []

    def is_told() -> bool:
        assert process.poll() is None, log.read_text(encoding="utf-8")
        found[:] = re.findall(
            r"^memrepo: serving (http://.*)\n", log.read_text(encoding="utf-8"), re.MULTILINE
        )
        return bool(found)

    eventually(is_told)
    return found[0]
