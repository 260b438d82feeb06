"""The drivers that the contract holds on: files, memory, and every way to a server."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from memrepo.connection.hrana import http
from tests.servers.fixtures import Cluster
from tests.servers.sqld import Sqld

#: What each server driver is: HTTP in both versions of the protocol, a WebSocket, and both through a
#: replica. Each test has
#: a namespace of its own.
SERVERS = ("http", "http-v2", "replica", "ws", "ws-replica")


@pytest.fixture(params=["memory", "file", *SERVERS])
def driver(request: pytest.FixtureRequest) -> str:
    """The driver of this test."""
    name: str = request.param
    return name


@pytest.fixture
def url(
    driver: str,
    request: pytest.FixtureRequest,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    """The URL of a new database on each driver."""
    if driver == "memory":
        yield ":memory:"
    elif driver == "file":
        yield str(tmp_path / "agent.db")
    elif driver.endswith("replica"):
        cluster: Cluster = request.getfixturevalue("sqld_cluster")
        namespace = cluster.primary.new_namespace()
        yield cluster.replicas[0].url(namespace, "ws" if driver.startswith("ws") else "http")
    else:
        if driver == "http-v2":
            monkeypatch.setattr(http, "_BEST", "v2")
        server: Sqld = request.getfixturevalue("sqld")
        yield server.new_url("ws" if driver == "ws" else "http")


#: Of a test with many sets of arguments, server drivers run the first set, unless
#: ``MEMREPO_CONTRACT=full``: what differs between drivers is below any argument.
_SAMPLED = SERVERS


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what would only repeat."""
    if os.environ.get("MEMREPO_CONTRACT") == "full":
        return
    seen: set[tuple[str, str]] = set()
    kept: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        assert isinstance(item, pytest.Function)
        driver = str(item.callspec.params.get("driver")) if hasattr(item, "callspec") else ""
        place = (item.nodeid.partition("[")[0], driver)
        (left_out if driver in _SAMPLED and place in seen else kept).append(item)
        seen.add(place)
    config.hook.pytest_deselected(items=left_out)
    items[:] = kept
