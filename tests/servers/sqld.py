"""What the tests do to a server beside starting it: kill, freeze, fork, lock and ask it."""

from __future__ import annotations

import contextlib
import json
import secrets
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pytest_memrepo import sqld
from tests.patience import PATIENCE_S, eventually

__all__ = ["Sqld"]


class Sqld(sqld.Sqld):
    """The plugin's server, with what its users' tests have no need of."""

    # --- its life ------------------------------------------------------------------------------

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
        eventually(self._is_stopped)

    def _is_stopped(self) -> bool:
        """Whether all its threads are stopped, as Linux tells: they stop one after another."""
        assert self._process is not None
        states = Path(f"/proc/{self._process.pid}/task").glob("*/stat")
        with contextlib.suppress(OSError):  # a thread that ended just now
            return all(its.read_text().rpartition(")")[2].split()[0] == "T" for its in states)
        return False

    def thaw(self) -> None:
        """Let it go on after `freeze`."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    # --- what it serves ------------------------------------------------------------------------

    def fork(self, namespace: str) -> str:
        """Make a namespace that is a copy of another, and return its name."""
        name = f"n{secrets.token_hex(6)}"
        self.admin(f"/v1/namespaces/{namespace}/fork/{name}", {})
        self._made.append(name)
        return name

    def keep(self, namespace: str) -> None:
        """Spare a namespace when the others are dropped."""
        self._made.remove(namespace)

    def drop(self, *replicas: Sqld) -> None:
        """
        Delete the namespaces that were made, here and at replicas.

        Each takes a server a quarter of a millisecond in every second, and a test run makes thousands. A
        replica that still has one which its primary has not takes far more.
        """
        for name in self._made:
            for server in (*replicas, self):
                # A replica that was not asked has none.
                with contextlib.suppress(urllib.error.HTTPError):
                    server.admin(f"/v1/namespaces/{name}", method="DELETE")
        self._made.clear()

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


def _call(
    url: str,
    body: object = None,
    headers: dict[str, str] | None = None,
    method: str | None = None,
) -> bytes:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        url, data, {"Content-Type": "application/json", **(headers or {})}, method=method
    )
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as response:
            content: bytes = response.read()
            return content
    except urllib.error.HTTPError as error:
        raise AssertionError(error.code, error.read()) from None
