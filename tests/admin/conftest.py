"""The original program's database, wherever it may be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.admin.original import Program, on_file, on_server
from tests.servers.sqld import Sqld


@pytest.fixture(params=["file", "http", "ws"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[str, Program]]:
    """A new database: its URL, and the original on it."""
    if request.param == "file":
        path = tmp_path / "jarvis.db"
        yield str(path), on_file(path)
    else:
        server: Sqld = request.getfixturevalue("sqld")
        namespace = server.new_namespace()
        yield server.url(namespace, request.param), on_server(server, namespace)
