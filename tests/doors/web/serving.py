"""Web servers as processes of their own, each on a free port of the loopback and on a new file."""

from __future__ import annotations

import contextlib
import hmac
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import MappingProxyType
from typing import Final

import httpx

from pytest_memrepo.sqld import die_with_parent, free_port
from tests.docs.pages import ROOT
from tests.patience import PATIENCE_S, eventually

__all__ = [
    "FRAMEWORKS",
    "NO_FACTS",
    "RECIPES",
    "SERVERS",
    "ServerProcess",
    "WebServer",
    "running",
]

RECIPES: Final = ROOT / "docs" / "examples" / "web"
_APPS: Final = Path(__file__).parent / "apps"
_SECRET: Final = "a secret of the tests"

FRAMEWORKS: Final = ("fastapi", "starlette", "litestar", "quart")

#: Bodies of a request to remember a fact that name none: JSON of another shape, or none at all.
NO_FACTS: Final = (b'["Likes tea"]', b'"Likes tea"', b"null", b"{}", b'{"text": 5}', b"{", b"")

#: The servers for ASGI, each with its arguments for a port and a number of workers. By default, the first one kills
#: a worker that a busy machine keeps waiting for 5 seconds, and the second one a request after 3 at the end.
SERVERS: Final[Mapping[str, Callable[[int, int], tuple[str, ...]]]] = {
    "uvicorn": lambda port, n: (
        *("--port", f"{port}", "--workers", f"{n}", "--no-access-log"),
        *("--timeout-worker-healthcheck", f"{PATIENCE_S:.0f}"),
    ),
    "hypercorn": lambda port, n: (
        *("--bind", f"127.0.0.1:{port}", "--workers", f"{n}"),
        *("--graceful-timeout", f"{PATIENCE_S:.0f}"),
    ),
    "granian": lambda port, n: (
        *("--interface", "asgi", "--port", f"{port}", "--workers", f"{n}", "--no-ws"),
    ),
}
#: One for WSGI, whose arguments have the same names.
_GUNICORN: Final = SERVERS["hypercorn"]


class ServerProcess:
    """A server program with an app; `start` it before use, `stop` it after."""

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        *,
        port: int | None = None,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """
        Name what `start` starts.

        Args:
            command: The module of the server, and its arguments.
            folder: Where it runs, and writes its log.
            port: The port that the arguments name; by default a free one, which is added to them.
            environment: What it has besides this process's environment.
        """
        self.port = free_port() if port is None else port
        self.folder = folder
        self._log = folder / "log"
        self._command = [sys.executable, "-m", *command]
        if port is None:
            self._command += ["--port", f"{self.port}"]
        self.environment = {**os.environ, **environment}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and return when it answers."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment,
                start_new_session=True,  # its workers end with it
                preexec_fn=die_with_parent,  # noqa: PLW1509 - nothing else runs in the child
            )
        eventually(self._answers)

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        with contextlib.suppress(OSError, HTTPException), contextlib.closing(connection):
            connection.request("GET", "/")
            return connection.getresponse().status > 0
        return False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What it and its workers have written."""
        return self._log.read_text(encoding="utf-8")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process that was started, as a supervisor does."""
        assert self._process is not None
        self._process.send_signal(number)

    def wait(self) -> int:
        """Return how it ended: a status, or the negated number of the signal that ended it."""
        assert self._process is not None
        return self._process.wait(timeout=PATIENCE_S)

    def stop(self) -> None:
        """End it if it still runs, and what is left of its workers."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=5)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None


class WebServer(ServerProcess):
    """A server with one of the recipes, whose store is `path`."""

    def __init__(
        self,
        kind: str,
        app: str,
        folder: Path,
        *options: str,
        workers: int = 1,
        is_gated: bool = True,
        pause_s: float = 0.0,
    ) -> None:
        """
        Name what `start` starts.

        Args:
            kind: One of `SERVERS`.
            app: The module of a recipe.
            folder: An empty folder for the database, the log, and the notes of the model.
            options: More arguments for the server.
            workers: How many processes serve.
            is_gated: Whether the model waits at the gate; else it is the recipes' own.
            pause_s: For how long that pauses before each word.
        """
        port = free_port()
        places = [_APPS, RECIPES] if is_gated else [RECIPES]
        super().__init__(
            (kind, f"{app}:app", *SERVERS.get(kind, _GUNICORN)(port, workers), *options),
            folder,
            port=port,
            environment={
                "PYTHONPATH": os.pathsep.join(map(str, [*places, ROOT / "src"])),
                "DATABASE_URL": "web.db",
                "APP_SECRET": _SECRET,
                "GATE": str(folder),
                "MODEL_PAUSE_S": f"{pause_s}",
            },
        )
        self.path = folder / "web.db"

    def n_stores(self) -> int:
        """How many processes have the database open, as Linux tells."""
        return sum(map(self._is_open_in, Path("/proc").glob("[0-9]*/fd")))

    def _is_open_in(self, files: Path) -> bool:
        with contextlib.suppress(OSError):  # it has ended, or is another user's
            return any(file.readlink() == self.path.resolve() for file in files.iterdir())
        return False

    # --- its model -----------------------------------------------------------------------------

    def wait_for(self, note: str, text: str) -> None:
        """Wait until the model has left a note on a text: ``began`` or ``cancelled``."""
        eventually((self.folder / f"{text}.{note}").exists)

    def has(self, note: str, text: str) -> bool:
        """Whether the model has left a note on a text."""
        return (self.folder / f"{text}.{note}").exists()

    def let_go(self, text: str) -> None:
        """Have the model finish a text."""
        (self.folder / f"{text}.go").touch()

    # --- its clients ---------------------------------------------------------------------------

    def headers(self, user: str = "ada") -> dict[str, str]:
        """What proves a user."""
        signature = hmac.new(_SECRET.encode(), user.encode(), "sha256").hexdigest()
        return {"authorization": f"Bearer {user}.{signature}"}

    def client(self, user: str = "ada") -> httpx.Client:
        """A client that is signed in."""
        # To read the certificates of authorities would take longer than all that a test asks for.
        return httpx.Client(
            base_url=self.url, headers=self.headers(user), timeout=PATIENCE_S, verify=False
        )

    def request(self, path: str, text: str) -> bytes:
        """The bytes of a POST."""
        body = json.dumps({"text": text})
        lines = [
            f"POST {path} HTTP/1.1",
            f"Host: 127.0.0.1:{self.port}",
            *(f"{name}: {value}" for name, value in self.headers().items()),
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
        ]
        return "\r\n".join([*lines, "", body]).encode()

    def send(self, path: str, text: str) -> socket.socket:
        """Send a POST, and return the socket on which its answer will come."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)
        connection.sendall(self.request(path, text))
        return connection


@contextlib.contextmanager
def running(server: ServerProcess) -> Iterator[None]:
    """Start a server for a block."""
    try:
        server.start()
        yield
    finally:
        server.stop()
