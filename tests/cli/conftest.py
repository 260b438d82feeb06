"""What the tests of the commands have in common: a database, and how commands are run on it."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

import memrepo
from memrepo.cli.main import main


@attrs.frozen
class Ran:
    """What a command printed, and its exit status."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its one JSON object."""
        assert self.out.count("\n") == 1
        return json.loads(self.out)

    @property
    def nl(self) -> list[Any]:
        """Its JSON objects."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def table(self) -> list[list[str]]:
        """Its lines, which have tabs between their cells."""
        return [line.split("\t") for line in self.out.splitlines()]


Command = Callable[..., Ran]


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new file, which the environment names as the database."""
    path = tmp_path / "agent.db"
    monkeypatch.setenv("MEMREPO_URL", str(path))
    monkeypatch.delenv("TURSO_AUTH_TOKEN", raising=False)
    monkeypatch.chdir(tmp_path)
    return path


@pytest.fixture
def command(
    path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Command:
    """Run a command in this process, without a terminal, and with *stdin* to read."""

    def run(*arguments: object, stdin: str = "") -> Ran:
        capsys.readouterr()
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin.encode())))
        status = main([*map(str, arguments)])
        shown = capsys.readouterr()
        return Ran(status, shown.out, shown.err)

    return run


def on_store(path: object, change: Callable[[memrepo.Store], Any], **options: Any) -> Any:
    """Open a database, and let *change* use it."""

    async def work() -> Any:
        async with memrepo.connect(str(path), **options) as store:
            return await change(store)

    return asyncio.run(work())
