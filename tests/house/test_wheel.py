"""The wheel, alone in a new environment, does what the source tree does."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("wheel"),  # one worker, so that it is built once
]

PROJECT = Path(__file__).parents[2]
#: What a wheel is built from; no test, no cache, no environment.
SOURCES = ("pyproject.toml", "README.md", "LICENSE", "src", "schema")

#: What the pages to look at a memory are made of.
_PAGES = {".css", ".html", ".svg"}

_OPEN = """
import asyncio, pathlib, sys
import memrepo

async def main():
    assert pathlib.Path(memrepo.__file__).is_relative_to(sys.prefix), memrepo.__file__
    async with memrepo.connect("agent.db") as store:
        print(store.schema_version, (await store.memories.remember("Tea, no milk")).outcome)

asyncio.run(main())
"""

#: A user's tests, where pytest is, and no plugin for async tests.
_TESTS = """
import asyncio, pathlib, sys
from pytest_memrepo import MemoryClock, StoreFactory

def test_nothing_is_imported():
    assert "memrepo" not in sys.modules

def test_store(memory_store_factory: StoreFactory, memory_clock: MemoryClock, memory_store_file):
    async def remember():
        async with memory_store_factory(memory_store_file) as store:
            return (await store.memories.remember("Tea, no milk")).entry
    first = asyncio.run(remember())
    memory_clock.advance(hours=1)
    again = asyncio.run(remember())
    assert (again.id, again.last_accessed) == (first.id, memory_clock.now)
    assert pathlib.Path(sys.modules["memrepo"].__file__).is_relative_to(sys.prefix)
"""


def run(folder: Path, *command: str | Path) -> str:
    """Run a command that sees nothing of the source tree; return what it printed."""
    hidden = ("PYTHON", "VIRTUAL_ENV")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        check=False,
        capture_output=True,
        encoding="utf-8",
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of the sources."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in SOURCES:
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    run(folder, sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", "dist", ".")
    (wheel,) = (folder / "dist").glob("*.whl")
    return wheel


def test_wheel_holds_the_schema(wheel: Path) -> None:
    """The migrations, the pages, the typing marks and the licence are inside; nothing but the package and the plugin is."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        migrations = {f"memrepo/schema/{file.name}" for file in (PROJECT / "schema").glob("*.sql")}
        assert migrations <= names
        for name in migrations:
            assert archive.read(name) == (PROJECT / "schema" / Path(name).name).read_bytes()
    assert {"memrepo/py.typed", "pytest_memrepo/py.typed"} <= names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert {name.split("/")[0].split("-")[0] for name in names} == {"memrepo", "pytest_memrepo"}
    pages = [its for its in (PROJECT / "src/memrepo/browse").rglob("*.*") if its.suffix in _PAGES]
    assert {its.relative_to(PROJECT / "src").as_posix() for its in pages} <= names
    assert {its.parent.name for its in pages} == {"assets", "templates"}
    modules = {
        file.relative_to(PROJECT / "src").as_posix() for file in PROJECT.rglob("src/**/*.py")
    }
    assert {name for name in names if name.endswith(".py")} == modules


def test_wheel_installed(wheel: Path, tmp_path: Path) -> None:
    """Installed in a new environment, it opens a database, runs the demo, and serves a user's tests."""
    venv.create(tmp_path / "venv", symlinks=True)
    python = tmp_path / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    folder = tmp_path / "elsewhere"
    shutil.copytree(PROJECT / "docs" / "examples", folder / "examples")
    run(folder, sys.executable, "-m", "pip", "--python", python, "install", "--quiet", wheel)
    n_migrations = len(list((PROJECT / "schema").glob("*.sql")))
    assert run(folder, python, "-W", "error", "-c", _OPEN) == f"{n_migrations} created\n"
    assert run(folder, python, "-W", "error", "-c", _OPEN) == f"{n_migrations} duplicate\n"
    demo = run(folder, python, "examples/assistant.py", "--transcript", "examples/transcript.txt")
    assert "you> When is therapy?\nbot> therapy is on Thursdays at 3pm." in demo
    run(folder, sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "pytest>=9")
    (folder / "test_users.py").write_text(_TESTS, encoding="utf-8")
    tested = run(folder, python, "-m", "pytest", "-W", "error", "test_users.py")
    assert "2 passed" in tested
