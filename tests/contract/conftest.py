"""The drivers that the contract holds on: files, memory, and every way to a server."""

from __future__ import annotations

import asyncio
import os
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import memrepo
from memrepo.connection.hrana import http
from tests.servers.fixtures import Cluster
from tests.servers.sqld import Sqld

_HERE = Path(__file__).parent

#: What each server driver is: HTTP in both versions of the protocol, a WebSocket, and both through a
#: replica. Each test has
#: a namespace of its own.
SERVERS = ("http", "http-v2", "replica", "ws", "ws-replica")


@pytest.fixture(params=["memory", "file", *SERVERS])
def driver(request: pytest.FixtureRequest) -> str:
    """The driver of this test."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def new_namespace() -> Callable[[Sqld], str]:
    """Make a namespace for a test: a copy of an empty store, which takes less time than migrating each."""
    templates: dict[int, str] = {}

    def make(server: Sqld) -> str:
        if server.port not in templates:
            templates[server.port] = server.new_namespace()
            server.keep(templates[server.port])
            asyncio.run(_migrate(server.url(templates[server.port])))
        return server.fork(templates[server.port])

    return make


async def _migrate(url: str) -> None:
    async with memrepo.connect(url):
        pass


@pytest.fixture
def url(
    driver: str,
    new_namespace: Callable[[Sqld], str],
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    """The URL of a new database on each driver; with the schema in it, where it can outlast a store."""
    if driver == "memory":
        yield ":memory:"
    elif driver == "file":
        yield str(request.getfixturevalue("memory_store_file"))
    elif driver.endswith("replica"):
        cluster: Cluster = request.getfixturevalue("sqld_cluster")
        namespace = new_namespace(cluster.primary)
        yield cluster.replicas[0].url(namespace, "ws" if driver.startswith("ws") else "http")
    else:
        if driver == "http-v2":
            monkeypatch.setattr(http, "_BEST", "v2")
        server: Sqld = request.getfixturevalue("sqld")
        yield server.url(new_namespace(server), "ws" if driver == "ws" else "http")


#: How much of the contract is run. ``full``: each test with all its arguments on each driver. ``drivers``: with the
#: first of them, but in memory with all: what differs between drivers is below any argument. By default, each test
#: on one of two ways to a server only, in turn: what differs between them is below any one test.
_CONTRACT = os.environ.get("MEMREPO_CONTRACT", "in turn")
_IN_TURN = ("http", "ws")
#: And on another loop memory is sampled, too.
_IS_ON_ANOTHER_LOOP = os.environ.get("MEMREPO_LOOP", "asyncio") != "asyncio"


def _is_repetition(item: pytest.Item, seen: set[tuple[str, str]]) -> bool:
    """Tell whether a test would only repeat, after those *seen*: its name and its driver."""
    assert isinstance(item, pytest.Function)
    driver = str(item.callspec.params.get("driver")) if hasattr(item, "callspec") else ""
    test = item.nodeid.partition("[")[0]
    is_first = (test, driver) not in seen
    seen.add((test, driver))
    its_turn = driver if _CONTRACT == "drivers" else _in_turn(test)
    is_sampled = driver in ("file", *SERVERS) or (_IS_ON_ANOTHER_LOOP and driver == "memory")
    return (is_sampled and not is_first) or (driver in SERVERS and driver != its_turn)


def _in_turn(test: str) -> str:
    return _IN_TURN[zlib.crc32(test.encode()) % len(_IN_TURN)]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what would only repeat."""
    if _CONTRACT == "full":
        return
    seen = set[tuple[str, str]]()
    kept, left_out = list[pytest.Item](), list[pytest.Item]()
    for item in items:  # of the whole run
        is_of_contract = item.path.is_relative_to(_HERE)
        (left_out if is_of_contract and _is_repetition(item, seen) else kept).append(item)
    config.hook.pytest_deselected(items=left_out)
    items[:] = kept
