"""The core without the packages of servers: it installs, imports and works, and says what is missing."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import pytest

_PROGRAM = """
import asyncio, sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {missing!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
import memrepo

async def main():
    async with memrepo.connect(":memory:") as store:
        await store.memories.remember("Likes tea")
    try:
        await memrepo.connect({url!r})
    except memrepo.UsageError as error:
        print(error)

asyncio.run(main())
assert not {{"aiohttp", "libsql_client"}} & set(sys.modules), "imported without need"
"""


@pytest.mark.parametrize(
    ("url", "missing", "extra"),
    [
        ("https://localhost", ["aiohttp"], "memrepo[turso]"),
        ("libsql://localhost", ["aiohttp", "libsql_client"], "memrepo[turso]"),
        ("ws://localhost", ["libsql_client", "aiohttp"], "memrepo[libsql]"),
    ],
)
def test_missing_package(url: str, missing: list[str], extra: str, tmp_path: Path) -> None:
    """Where a package is missing, the core works, and the error has pip's command."""
    program = tmp_path / "program.py"
    program.write_text(_PROGRAM.format(url=url, missing=missing))
    done = subprocess.run(
        [sys.executable, "-W", "error", str(program)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"pip install '{extra}'" in done.stdout


def test_requirements() -> None:
    """The core asks for three packages, and each extra for its own."""
    found = {requirement.replace(" ", "") for requirement in requires("memrepo") or ()}
    core = {requirement for requirement in found if "extra==" not in requirement}
    assert {requirement.partition("<")[0].partition(">")[0] for requirement in core} == {
        *("aiosqlite", "attrs", "pypika")
    }
    assert any(r.startswith("aiohttp") and "turso" in r for r in found)
    assert any(r.startswith("libsql-client==0.3.1") and "libsql" in r for r in found)
    assert not any(r.startswith("libsql-client") and "turso" in r for r in found)
