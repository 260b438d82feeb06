"""
Write the programs of the documentation as modules, for the type checkers: ``make check`` runs them.

Each page becomes one coroutine, as its blocks are pasted into ``python -m asyncio``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import indent

from tests.docs.pages import PAGES, file_name, name, programs


def write(folder: Path) -> None:
    """Write a module for each page with a program into a new *folder*; tests that it shows are left out."""
    folder.mkdir(parents=True)
    for page in PAGES:
        stem = name(page).removesuffix(".md").replace("/", "_").replace("-", "_").lower()
        body = "\n".join(its.code for its in programs(page) if not file_name(its.code))
        if body:
            text = f"async def main() -> None:\n{indent(body, '    ')}"
            (folder / f"{stem}.py").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
