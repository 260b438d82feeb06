"""Stores of every kind, for the doors that keep something in one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.sqld import Sqld

__all__ = ["url"]


@pytest.fixture(params=["memory", "file", "server"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a new database: in memory, in a file, on a server."""
    if request.param == "server":
        server: Sqld = request.getfixturevalue("sqld")
        yield server.new_url()
    else:
        yield ":memory:" if request.param == "memory" else str(tmp_path / "agent.db")
