"""The servers of the tests are what the tests take them for."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_memrepo.sqld import free_port
from tests.patience import PATIENCE_S
from tests.servers import binary
from tests.servers.fixtures import Cluster
from tests.servers.keys import TokenMaker
from tests.servers.sqld import Sqld


def test_namespaces_are_apart(sqld: Sqld) -> None:
    """Each namespace is a database of its own."""
    one, other = sqld.new_namespace(), sqld.new_namespace()
    sqld.query(one, "CREATE TABLE t (n)", "INSERT INTO t VALUES (7)")
    assert sqld.query(one, "SELECT n FROM t") == [(7,)]
    assert sqld.query(other, "SELECT count(*) FROM sqlite_master") == [(0,)]


def test_restart_keeps_the_data(new_sqld: Callable[..., Sqld]) -> None:
    """A server that was killed comes back on its port with what it had acknowledged."""
    server = new_sqld()
    server.query("default", "CREATE TABLE t (n)", "INSERT INTO t VALUES (7)")
    server.restart()
    assert server.query("default", "SELECT n FROM t") == [(7,)]


def test_frozen_server_says_nothing(new_sqld: Callable[..., Sqld]) -> None:
    """A frozen server takes connections and does not answer until it is thawed."""
    server = new_sqld()
    server.freeze()
    with socket.create_connection(("127.0.0.1", server.port), timeout=0.2) as connection:
        connection.sendall(b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")
        with pytest.raises(TimeoutError):
            connection.recv(1)
        server.thaw()
        connection.settimeout(PATIENCE_S)
        assert connection.recv(8) == b"HTTP/1.1"


def test_replicas_follow(sqld_cluster: Cluster) -> None:
    """What is written at a replica is read at the primary."""
    namespace = sqld_cluster.primary.new_namespace()
    first, _ = sqld_cluster.replicas
    first.query(namespace, "CREATE TABLE t (n)", "INSERT INTO t VALUES (7)")
    assert sqld_cluster.primary.query(namespace, "SELECT n FROM t") == [(7,)]


def test_locked_server_wants_a_token(locked_sqld: Sqld, tokens: TokenMaker) -> None:
    """A token of the right key opens it, and nothing else does."""
    assert locked_sqld.query("default", "SELECT 1", token=tokens.token()) == [(1,)]
    for token in (None, "garbage", TokenMaker().token()):
        with pytest.raises(AssertionError, match="401"):
            locked_sqld.query("default", "SELECT 1", token=token)


@pytest.mark.parametrize("is_ci", [False, True])
def test_without_sqld(monkeypatch: pytest.MonkeyPatch, *, is_ci: bool) -> None:
    """A machine without the server skips its tests with one line; where CI is true they fail."""
    monkeypatch.setattr(binary, "find_sqld", lambda: None)
    monkeypatch.setenv("CI", "true" if is_ci else "")
    outcome = pytest.fail.Exception if is_ci else pytest.skip.Exception
    with pytest.raises(outcome, match="no sqld"):
        binary.require_sqld()


def test_sqld_by_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """``SQLD`` names another program."""
    monkeypatch.setenv("SQLD", "/opt/sqld")
    binary.find_sqld.cache_clear()
    assert binary.find_sqld() == Path("/opt/sqld")
    binary.find_sqld.cache_clear()


@pytest.mark.skipif(sys.platform != "linux", reason="others do not let a port be kept for a server")
def test_free_port_is_kept_for_its_server() -> None:
    """Nobody else gets the port before a server, which sets SO_REUSEADDR as they all do, listens on it."""
    port = free_port()
    with socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(("127.0.0.1", port))
    with (
        socket.create_server(("127.0.0.1", port)) as server,
        socket.create_connection(("127.0.0.1", port)) as client,
    ):
        server.accept()[0].close()
        assert client.recv(1) == b""
