"""Compile the preload libraries with the machine's C compiler."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

__all__ = ["build", "compiler"]

_SOURCES = Path(__file__).parent / "preload"


def compiler() -> str | None:
    """The C compiler of this machine, or ``None`` when there is none."""
    return shutil.which("cc") or shutil.which("gcc")


def build(name: str, folder: Path) -> Path:
    """Compile ``preload/<name>.c`` into *folder* and return the shared library."""
    cc = compiler()
    if cc is None:
        raise RuntimeError("no C compiler: install gcc to run the fault campaigns")
    library = folder / f"{name}.so"
    flags = ["-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    command = [cc, *flags, "-o", str(library), str(_SOURCES / f"{name}.c"), "-ldl", "-lpthread"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{name}.c does not compile:\n{done.stderr}")
    return library
