"""
Install the wheel in each Python that is there, with the lowest and the newest of each dependency, and use it.

``python -m tests.release.installs dist/*.whl`` makes an environment for each of them, and prints a line of it.
Python 3.11 has to be there; what else is, is taken from the path and from pyenv.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.release.lowest import lowest, project

_VERSIONS: Final = ("3.11", "3.12", "3.13", "3.14")
#: What a user does first: it opens a file, remembers, recalls, closes, and finds it again.
_SMOKE: Final = """
import asyncio, pathlib, sys
from importlib.metadata import version
import memrepo

async def main():
    assert pathlib.Path(memrepo.__file__).is_relative_to(sys.prefix), memrepo.__file__
    for outcome in ("created", "duplicate"):
        async with memrepo.connect("agent.db") as store:
            assert (await store.memories.remember("Therapy on Thursdays at 3pm")).outcome == outcome
    async with memrepo.connect("agent.db") as store:
        async with store.sessions.session() as session, store.transaction() as tx:
            await tx.daily_logs.append(session.id, "user_state", {"mood": "glad"})
        assert "Thursdays" in (await store.memories.recall("When is therapy?")).to_prompt()
        assert await store.verify() == []

asyncio.run(main())
print(", ".join(f"{name} {version(name)}" for name in ("aiosqlite", "attrs", "pypika")))
"""


def interpreters() -> Iterator[tuple[str, Path]]:
    """Yield the versions of Python that are there, each with a program that runs."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for version in _VERSIONS:
        on_path = shutil.which(f"python{version}")
        found = [
            *([Path(on_path)] if on_path else []),
            *sorted(pyenv.glob(f"{version}.*/bin/python")),
        ]
        for python in found:
            if subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode == 0:
                yield version, python
                break


def use(python: Path, wheel: Path, pins: list[str], folder: Path) -> str:
    """Install *wheel* with *pins* in a new environment in *folder*, use it, and say with which versions."""
    bin_folder = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
    _run(folder, python, "-m", "venv", "venv")
    _run(folder, bin_folder / "python", "-m", "pip", "install", "--quiet", wheel, *pins)
    _run(folder, bin_folder / "python", "-m", "pip", "check")
    _run(folder, bin_folder / "memrepo", "--version")
    return _run(folder, bin_folder / "python", "-W", "error", "-c", _SMOKE).strip()


def _run(folder: Path, *command: str | Path) -> str:
    """Run a command that sees nothing of the source tree."""
    hidden = ("PYTHON", "VIRTUAL_ENV")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    done = subprocess.run(
        command, cwd=folder, env=environment, check=False, capture_output=True, encoding="utf-8"
    )
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command[:4]))} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def main() -> None:
    """Go through all of them; the first that fails ends it."""
    (wheel,) = (Path(argument).resolve() for argument in sys.argv[1:])
    found = list(interpreters())
    if _VERSIONS[0] not in dict(found):
        sys.exit(f"Python {_VERSIONS[0]}, the lowest that is supported, is not installed")
    for version, python in found:
        for name, pins in (("lowest", lowest(project()["dependencies"])), ("newest", [])):
            with tempfile.TemporaryDirectory() as folder:
                print(
                    f"Python {version}, {name}: {use(python, wheel, pins, Path(folder))}",
                    flush=True,
                )
    for version in _VERSIONS:
        if version not in dict(found):
            print(f"Python {version}: not installed")


if __name__ == "__main__":
    main()
