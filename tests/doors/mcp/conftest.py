"""A store on a file, and clients of both versions of the protocol."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
import rich  # noqa: F401 - the SDK imports it with the first server that it makes, which would block a test's loop
from mcp.client import Client

from memrepo import Store
from memrepo.contrib.mcp import memory_server

#: Returns a client, to be entered, of a server of a store. A test enters it itself, as it must be left in the same task.
Connect: TypeAlias = Callable[[Store], Client]


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The URL of a new file."""
    return str(tmp_path / "agent.db")


@pytest.fixture(params=["auto", "legacy"])
def connect(request: pytest.FixtureRequest) -> Connect:
    """Connect by the newest version of the protocol, and by that before it."""
    return lambda store: Client(memory_server(store), mode=request.param)
