"""
What a page of the documentation does in a shell: the servers it starts and the requests it makes.

A ``sh`` block that begins with ``sqld`` is started as it stands there, and one that begins with ``curl`` is
run. Other shell blocks are for the reader only. Each port of the loopback that the page names stands for
a free one.
"""

from __future__ import annotations

import contextlib
import re
import shlex
import shutil
import subprocess
import urllib.request
from pathlib import Path

import pytest

from pytest_memrepo.sqld import die_with_parent, free_port
from tests.patience import PATIENCE_S, eventually
from tests.servers.binary import require_sqld

__all__ = ["PageShell"]


_is_run = re.compile(r"(sqld|curl) ").match
_addresses = re.compile(r"\b((?:[\w-]+\.)?localhost|127\.0\.0\.1):(\d{4})\b")


class PageShell:
    """The shell of one page; `close` ends what it started."""

    def __init__(self, folder: Path) -> None:
        """Work in *folder*."""
        self._folder = folder
        self._ports: dict[str, int] = {}
        self._servers: list[subprocess.Popen[bytes]] = []

    def local(self, text: str) -> str:
        """Put the ports of this test where the page has its own; nothing on a page without a server."""
        if not self._servers:
            return text
        return _addresses.sub(lambda match: f"{match[1]}:{self._port(match[2])}", text)

    def _port(self, shown: str) -> int:
        if shown not in self._ports:
            self._ports[shown] = free_port()
        return self._ports[shown]

    def run(self, block: str) -> str | None:
        """Do what a block says, and return what it printed; ``None`` if it is for the reader only."""
        match = _is_run(block)
        if match is None:
            return None
        if match[1] == "sqld":
            self._start(block)
            return None
        if shutil.which("curl") is None:
            pytest.skip("no curl")
        done = subprocess.run(
            self.local(block),
            shell=True,
            check=True,
            cwd=self._folder,
            capture_output=True,
            text=True,
        )
        return done.stdout

    def _start(self, command: str) -> None:
        binary = require_sqld()
        number = len(self._servers)
        located = _addresses.sub(lambda match: f"{match[1]}:{self._port(match[2])}", command)
        arguments = shlex.split(located.replace("\\\n", " "))
        with (self._folder / f"server{number}.log").open("wb") as log:
            server = subprocess.Popen(
                [str(binary), *arguments[1:], "--no-welcome"],
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - nothing else runs in the child
            )
        self._servers.append(server)
        address = arguments[arguments.index("--http-listen-addr") + 1]

        def is_up() -> bool:
            assert server.poll() is None, Path(log.name).read_text()[-2_000:]
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://{address}/health", timeout=PATIENCE_S).close()
                return True
            return False

        eventually(is_up)

    def close(self) -> None:
        """Stop the servers."""
        for server in reversed(self._servers):
            server.kill()
            server.wait(timeout=PATIENCE_S)
