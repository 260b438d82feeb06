"""The how-to page: its programs, and the configurations that it gives to hosts."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

from tests.docs.pages import ROOT, fences
from tests.docs.running import run_page
from tests.doors.mcp.serving import TOKEN, call, http_server
from tests.patience import PATIENCE_S

PAGE = ROOT / "docs" / "how-to" / "mcp.md"


def configurations() -> list[str]:
    """The JSON files that the page gives to hosts: over stdio, and over HTTP."""
    return [
        code for _, language, code in fences.findall(PAGE.read_text("utf-8")) if language == "json"
    ]


def test_page_runs_with_its_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The programs print what the page shows, with the command that is installed and the configuration as it stands."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    (tmp_path / "mcp.json").write_text(configurations()[0], encoding="utf-8")
    run_page(PAGE, tmp_path)


@pytest.mark.asyncio
async def test_configuration_over_http(tmp_path: Path) -> None:
    """The headers of the page's other configuration are those that a server with its token wants."""
    memory: dict[str, Any] = json.loads(configurations()[1])["mcpServers"]["memory"]
    assert memory["headers"]["Authorization"] == f"Bearer {TOKEN}"
    with http_server(tmp_path / "agent.db") as server:
        assert server.url.rsplit(":", 1)[0] == memory["url"].rsplit(":", 1)[0]
        async with (
            httpx2.AsyncClient(headers=memory["headers"], timeout=PATIENCE_S) as http,
            Client(streamable_http_client(server.url, http_client=http)) as client,
        ):
            assert (await call(client, "remember", content="Likes tea"))["outcome"] == "created"
