"""The fixtures that give a test its server."""

from __future__ import annotations

import shutil
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import attrs
import pytest
import pytest_asyncio

from tests.servers.binary import require_sqld
from tests.servers.keys import TokenMaker, write_certificate
from tests.servers.proxy import Proxy, proxy
from tests.servers.sqld import Sqld, free_port

__all__ = [
    "Cluster",
    "certificate",
    "cluster",
    "locked_sqld",
    "new_sqld",
    "sqld",
    "sqld_cluster",
    "sqld_proxy",
    "tokens",
]

#: Without it, concurrent writers can make this version of the server stop taking writes for good.
_SAFE = ("--checkpoint-interval-s", "3600")


@attrs.frozen
class Cluster:
    """A primary, and two replicas that follow it."""

    primary: Sqld
    replicas: tuple[Sqld, Sqld]


@pytest.fixture(scope="session")
def sqld(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sqld]:
    """The server that most tests share; each makes a namespace of its own."""
    server = Sqld(require_sqld(), tmp_path_factory.mktemp("sqld"), *_SAFE)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def new_sqld(tmp_path: Path) -> Iterator[Callable[..., Sqld]]:
    """A function that starts a server of the test's own, for tests that break it."""
    servers: list[Sqld] = []

    def start(*arguments: str) -> Sqld:
        server = Sqld(require_sqld(), tmp_path / f"sqld{len(servers)}", *_SAFE, *arguments)
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.stop()
        shutil.rmtree(server.folder, ignore_errors=True)


def _start_cluster(folder: Path) -> Cluster:
    binary, port = require_sqld(), free_port()
    primary = Sqld(binary, folder / "primary", *_SAFE, "--grpc-listen-addr", f"127.0.0.1:{port}")
    first, second = (
        Sqld(binary, folder / name, *_SAFE, "--primary-grpc-url", f"http://127.0.0.1:{port}")
        for name in ("first", "second")
    )
    for server in (primary, first, second):
        server.start()
    return Cluster(primary, (first, second))


def _stop_cluster(cluster: Cluster) -> None:
    for server in (*cluster.replicas, cluster.primary):
        server.stop()


@pytest.fixture(scope="session")
def sqld_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A primary with two replicas that the whole test run shares."""
    cluster = _start_cluster(tmp_path_factory.mktemp("cluster"))
    yield cluster
    _stop_cluster(cluster)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """A primary with two replicas of the test's own, for tests that break it."""
    cluster = _start_cluster(tmp_path / "cluster")
    yield cluster
    _stop_cluster(cluster)


@pytest.fixture(scope="session")
def tokens() -> TokenMaker:
    """The keys that `locked_sqld` trusts."""
    return TokenMaker()


@pytest.fixture(scope="session")
def locked_sqld(tmp_path_factory: pytest.TempPathFactory, tokens: TokenMaker) -> Iterator[Sqld]:
    """A server that wants a token."""
    folder = tmp_path_factory.mktemp("locked")
    key = tokens.write_public_key(folder / "key.pem")
    server = Sqld(require_sqld(), folder, *_SAFE, "--auth-jwt-key-file", str(key))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """TLS for a proxy of the loopback: the server's side, and a client's that trusts it."""
    path, key = write_certificate(tmp_path_factory.mktemp("tls"))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(path, key)
    return server, ssl.create_default_context(cafile=str(path))


@pytest_asyncio.fixture
async def sqld_proxy(sqld: Sqld) -> AsyncIterator[Proxy]:
    """A proxy in front of `sqld`, for tests that lose what is sent."""
    async with proxy(sqld.port) as state:
        yield state
