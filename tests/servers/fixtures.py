"""The fixtures that give a test its server."""

from __future__ import annotations

import shutil
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import attrs
import pytest
import pytest_asyncio

from pytest_memrepo.sqld import SAFE, free_port
from tests.servers.binary import require_sqld
from tests.servers.keys import TokenMaker, write_certificate
from tests.servers.proxy import Proxy, proxy
from tests.servers.sqld import Sqld

__all__ = [
    "Cluster",
    "certificate",
    "cluster",
    "locked_sqld",
    "new_sqld",
    "run_cluster",
    "run_locked_sqld",
    "run_sqld",
    "sqld",
    "sqld_cluster",
    "sqld_proxy",
    "tokens",
]


@attrs.frozen
class Cluster:
    """A primary, and two replicas that follow it."""

    primary: Sqld
    replicas: tuple[Sqld, Sqld]


@pytest.fixture(scope="session")
def run_sqld(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sqld]:
    """The one server of the whole test run."""
    server = Sqld(require_sqld(), tmp_path_factory.mktemp("sqld"), *SAFE)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def sqld(run_sqld: Sqld) -> Iterator[Sqld]:
    """The server that most tests share; each makes a namespace of its own, which ends with it."""
    yield run_sqld
    run_sqld.drop()


@pytest.fixture
def new_sqld(tmp_path: Path) -> Iterator[Callable[..., Sqld]]:
    """A function that starts a server of the test's own, for tests that break it."""
    servers: list[Sqld] = []

    def start(*arguments: str) -> Sqld:
        server = Sqld(require_sqld(), tmp_path / f"sqld{len(servers)}", *SAFE, *arguments)
        servers.append(server)
        server.start()
        return server

    yield start
    for server in servers:
        server.kill()
        shutil.rmtree(server.folder, ignore_errors=True)


def _start_cluster(folder: Path) -> Cluster:
    binary, port = require_sqld(), free_port()
    primary = Sqld(binary, folder / "primary", *SAFE, "--grpc-listen-addr", f"127.0.0.1:{port}")
    first, second = (
        Sqld(binary, folder / name, *SAFE, "--primary-grpc-url", f"http://127.0.0.1:{port}")
        for name in ("first", "second")
    )
    for server in (primary, first, second):
        server.start()
    return Cluster(primary, (first, second))


def _stop_cluster(cluster: Cluster) -> None:
    for server in (*cluster.replicas, cluster.primary):
        server.kill()


@pytest.fixture(scope="session")
def run_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The primary and the two replicas of the whole test run."""
    cluster = _start_cluster(tmp_path_factory.mktemp("cluster"))
    yield cluster
    _stop_cluster(cluster)


@pytest.fixture
def sqld_cluster(run_cluster: Cluster) -> Iterator[Cluster]:
    """A primary with two replicas that tests share; the namespaces of a test end with it."""
    yield run_cluster
    run_cluster.primary.drop(*run_cluster.replicas)


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
def run_locked_sqld(tmp_path_factory: pytest.TempPathFactory, tokens: TokenMaker) -> Iterator[Sqld]:
    """The one server of the test run that wants a token."""
    folder = tmp_path_factory.mktemp("locked")
    key = tokens.write_public_key(folder / "key.pem")
    server = Sqld(require_sqld(), folder, *SAFE, "--auth-jwt-key-file", str(key))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def locked_sqld(run_locked_sqld: Sqld) -> Iterator[Sqld]:
    """A server that wants a token; the namespaces of a test end with it."""
    yield run_locked_sqld
    run_locked_sqld.drop()


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
