"""One sqld process: on a free port of the loopback, in a folder of its own, gone with its test run."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["Sqld", "free_port"]

_START_S = 20.0
_PR_SET_PDEATHSIG = 1


def free_port() -> int:
    """A port of the loopback that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _die_with_parent() -> None:
    """So that a test run that is killed leaves no server behind."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Sqld:
    """A server with namespaces. `start` it before use, `stop` it after; both can be repeated."""

    def __init__(self, binary: Path, folder: Path, *arguments: str) -> None:
        self._binary = binary
        self.folder = folder
        self._arguments = arguments
        self.port = free_port()
        self.admin_port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    # --- its life ------------------------------------------------------------------------------

    def start(self) -> None:
        """Start it, and return when it answers; a server that was stopped comes back as it was."""
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [
            str(self._binary),
            *("-d", str(self.folder / "data.sqld")),
            *("--http-listen-addr", f"127.0.0.1:{self.port}"),
            *("--admin-listen-addr", f"127.0.0.1:{self.admin_port}"),
            # Beyond the default of 100 it drops some from memory, and a new one can be missed.
            *("--enable-namespaces", "--no-welcome", "--max-active-namespaces", "100000"),
            *self._arguments,
        ]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "RUST_LOG": "info", "NO_COLOR": "1"},
                preexec_fn=_die_with_parent,  # noqa: PLW1509 - nothing else runs in the child
            )
        self._wait_ready()

    def _wait_ready(self) -> None:
        deadline = time.monotonic() + _START_S
        while True:
            assert self._process is not None
            # Another process on the port would answer, too; ours has then ended.
            assert self._process.poll() is None, (self.folder / "log").read_text()[-2_000:]
            assert time.monotonic() < deadline, "sqld did not come up"
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=1).close()
                return
            time.sleep(0.005)

    def kill(self) -> None:
        """End it with SIGKILL."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=10)
            self._process = None

    def stop(self) -> None:
        """Ask it to end; a server that is stuck is killed."""
        if self._process is not None:
            self.thaw()
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=5)
        self.kill()

    def restart(self) -> None:
        """Kill it and start it again, on the same port and folder."""
        self.kill()
        self.start()

    def freeze(self) -> None:
        """Stop it in its tracks: sockets stay open, and nothing is answered."""
        self._signal(signal.SIGSTOP)
        time.sleep(0.05)  # its threads stop one after another

    def thaw(self) -> None:
        """Let it go on after `freeze`."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    # --- what it serves ------------------------------------------------------------------------

    def new_namespace(self, **config: Any) -> str:
        """Make an empty namespace, and return its name."""
        name = f"n{secrets.token_hex(6)}"
        self.admin(f"/v1/namespaces/{name}/create", config)
        return name

    def fork(self, namespace: str) -> str:
        """Make a namespace that is a copy of another, and return its name."""
        name = f"n{secrets.token_hex(6)}"
        self.admin(f"/v1/namespaces/{namespace}/fork/{name}", {})
        return name

    def new_url(self, scheme: str = "http", **config: Any) -> str:
        """Make an empty namespace, and return its URL."""
        return self.url(self.new_namespace(**config), scheme)

    def url(self, namespace: str = "default", scheme: str = "http") -> str:
        """The URL of a namespace."""
        tls = "&tls=0" if scheme == "libsql" else ""
        return f"{scheme}://127.0.0.1:{self.port}?namespace={namespace}{tls}"

    def configure(self, namespace: str, **changes: Any) -> None:
        """Change the configuration of a namespace."""
        path = f"/v1/namespaces/{namespace}/config"
        self.admin(path, {**json.loads(self.admin(path)), **changes})

    def admin(self, path: str, body: object = None) -> bytes:
        """Call the server's admin API."""
        return _call(f"http://127.0.0.1:{self.admin_port}{path}", body)

    def query(self, namespace: str, *statements: str, token: str | None = None) -> list[Any]:
        """Run statements on a connection that is not the library's, and return the last one's rows."""
        requests = [{"type": "execute", "stmt": {"sql": sql}} for sql in statements]
        headers = {"Host": f"{namespace}.localhost"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        url = f"http://127.0.0.1:{self.port}/v3/pipeline"
        body = {"requests": [*requests, {"type": "close"}]}
        results = json.loads(_call(url, body, headers))["results"][:-1]
        errors = [result["error"] for result in results if result["type"] == "error"]
        assert not errors, errors
        rows = results[-1]["response"]["result"]["rows"]
        return [tuple(_value(cell) for cell in row) for row in rows]

    @contextlib.contextmanager
    def lock(self, namespace: str) -> Iterator[None]:
        """Hold a namespace's write lock for a block, as another program does."""
        headers = {"Host": f"{namespace}.localhost"}
        url = f"http://127.0.0.1:{self.port}/v3/pipeline"
        begin = {"type": "execute", "stmt": {"sql": "BEGIN IMMEDIATE"}}
        baton = json.loads(_call(url, {"requests": [begin]}, headers))["baton"]
        try:
            yield
        finally:
            _call(url, {"baton": baton, "requests": [{"type": "close"}]}, headers)


def _value(cell: dict[str, Any]) -> object:
    return int(cell["value"]) if cell["type"] == "integer" else cell.get("value")


def _call(url: str, body: object = None, headers: dict[str, str] | None = None) -> bytes:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        url, data, {"Content-Type": "application/json", **(headers or {})}
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            content: bytes = response.read()
            return content
    except urllib.error.HTTPError as error:
        raise AssertionError(error.code, error.read()) from None
