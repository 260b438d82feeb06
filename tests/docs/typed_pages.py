"""
Write the programs of the documentation as modules, for the type checkers: ``make check`` runs them.

A page's blocks are those of a module until the first that awaits; from there on they are one coroutine, as
``python -m asyncio`` would run them. The tests that a page shows are files in a folder of their own.
"""

from __future__ import annotations

import ast
import inspect
import sys
from itertools import takewhile
from pathlib import Path
from textwrap import indent

from tests.docs.pages import DOORS, PAGES, file_name, name, programs


def write(folder: Path) -> None:
    """Write a module for each page with a program into a new *folder*, and the tests that it shows."""
    folder.mkdir(parents=True)
    for page in PAGES:
        if name(page) in DOORS:
            continue
        stem = name(page).removesuffix(".md").replace("/", "_").replace("-", "_").lower()
        codes: list[str] = []
        for its in programs(page):
            if file := file_name(its.code):
                (folder / stem).mkdir(exist_ok=True)
                (folder / stem / file[1]).write_text(its.code, encoding="utf-8")
            else:
                codes.append(its.code)
        module = [*takewhile(lambda code: not _awaits(code), codes)]
        if rest := codes[len(module) :]:
            module.append(f"async def page() -> None:\n{indent(chr(10).join(rest), '    ')}")
        if module:
            (folder / f"{stem}.py").write_text("\n".join(module), encoding="utf-8")


def _awaits(code: str) -> bool:
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    compiled = compile(code, "<block>", "exec", flags=flags, dont_inherit=True)
    return bool(compiled.co_flags & inspect.CO_COROUTINE)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
