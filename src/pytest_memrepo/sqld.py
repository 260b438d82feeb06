"""One sqld process: on a free port of the loopback, in a folder of its own, gone with its test run."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any, Final

import pytest

__all__ = ["SAFE", "Sqld", "die_with_parent", "free_port", "require_sqld"]

#: Without it, concurrent writers can make some versions of the server stop taking writes for good.
SAFE: Final = ("--checkpoint-interval-s", "3600")

#: seconds; what is broken does not come up, so a long wait costs time only where it fails
_START_S: Final = 60.0
#: seconds in which a call of its admin API is answered, and its process gone once it is killed
_ANSWER_S: Final = 60.0
#: Without the proxy that the environment may name, which knows nothing of this machine's loopback.
_LOOPBACK: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_PR_SET_PDEATHSIG: Final = 1
# Loaded here: between fork and exec a lock that another thread has held is never free.
_LIBC: Final[Any] = ctypes.CDLL(None) if sys.platform == "linux" else None


def require_sqld() -> Path:
    """Return the path of the server's program; without one, the test is skipped."""
    named = os.environ.get("SQLD")
    found = shutil.which(named or "sqld")
    if found is not None:
        return Path(found)
    if named:
        pytest.fail(f"SQLD is set to {named}, which is no program", pytrace=False)
    pytest.skip("memory_server needs sqld: put it on the PATH, or set SQLD to its path")


class Sqld:
    """A server with a namespace for each test. `start` it before use, `kill` it in the end."""

    def __init__(self, binary: Path, folder: Path, *arguments: str) -> None:
        """Have the server keep its data in *folder*, and give it *arguments* beside our own."""
        self._binary = binary
        #: Where its data is, and its log.
        self.folder = folder
        self._arguments = arguments
        #: Where it takes statements.
        self.port = free_port()
        #: Where namespaces are made.
        self.admin_port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._made: list[str] = []

    def start(self) -> None:
        """Start it, and return when it answers; one that was killed comes back as it was."""
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
            self._process = subprocess.Popen(  # noqa: S603 - the program that the user named
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "RUST_LOG": "info", "NO_COLOR": "1"},
                preexec_fn=die_with_parent,  # noqa: PLW1509 - nothing else runs in the child
            )
        self._wait_ready(self._process)

    def _wait_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            # Another process on the port would answer, too; ours has then ended.
            if process.poll() is not None:
                break
            with contextlib.suppress(OSError):
                url = f"http://127.0.0.1:{self.port}/health"
                _LOOPBACK.open(url, timeout=_ANSWER_S).close()
                return
            time.sleep(0.005)
        self.kill()
        raise RuntimeError(f"sqld did not start: {(self.folder / 'log').read_text()[-2_000:]}")

    def kill(self) -> None:
        """End it with SIGKILL: nobody needs its data any more, or it comes back as after a crash."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(timeout=_ANSWER_S)
            self._process = None

    def new_namespace(self, **config: object) -> str:
        """Make an empty namespace, and return its name."""
        name = f"n{secrets.token_hex(6)}"
        self.admin(f"/v1/namespaces/{name}/create", config)
        self._made.append(name)
        return name

    def drop(self) -> None:
        """Delete the namespaces that were made, as each takes a little time in every second."""
        for name in self._made:
            self.admin(f"/v1/namespaces/{name}", method="DELETE")
        self._made.clear()

    def new_url(self) -> str:
        """Make an empty namespace, and return its URL."""
        return f"http://127.0.0.1:{self.port}?namespace={self.new_namespace()}"

    def admin(self, path: str, body: object = None, method: str | None = None) -> bytes:
        """Call the server's admin API, and return its answer."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.admin_port}{path}",
            data,
            {"Content-Type": "application/json"},
            method=method,
        )
        with _LOOPBACK.open(request, timeout=_ANSWER_S) as response:
            answer: bytes = response.read()
            return answer


def free_port() -> int:
    """Return a port of the loopback that nobody else is given, also until a server listens on it."""
    probe = socket.socket()
    try:
        if sys.platform == "linux":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        if sys.platform == "linux":
            # It stays bound for as long as this process lives. Linux gives no such port to others that
            # ask for any, and lets a server listen on it that, as they all do, sets SO_REUSEADDR.
            probe.detach()
    finally:
        probe.close()
    return port


def die_with_parent() -> None:
    """Have this process end with its parent: a test run that is killed leaves no server behind."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
