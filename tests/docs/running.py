"""Run the programs and the shell commands of a page, and compare what they print with what the page shows."""

from __future__ import annotations

import ast
import asyncio
import inspect
import io
from contextlib import closing, redirect_stdout
from pathlib import Path
from typing import Any

from tests.docs.pages import blocks, file_name
from tests.servers.pages import PageShell

__all__ = ["run_page"]


def run_page(page: Path, folder: Path) -> None:
    names: dict[str, Any] = {"__name__": "__main__"}
    with asyncio.Runner() as runner, closing(PageShell(folder)) as shell:
        for block in blocks(page):
            if file := file_name(block.code):
                path = folder / (file[1] or file[2])
                path.parent.mkdir(exist_ok=True)
                path.write_text(block.code, encoding="utf-8")
                continue
            if block.language == "sql":
                continue
            if block.language == "sh":
                done = shell.run(block.code)
            else:
                done = _run(runner, shell.local(block.code), names)
            assert None in (block.output, done) or done == shell.local(block.output or "")


def _run(runner: asyncio.Runner, program: str, names: dict[str, Any]) -> str:
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    code = compile(program, "<page>", "exec", flags=flags, dont_inherit=True)
    printed = io.StringIO()
    with redirect_stdout(printed):
        result = eval(code, names)
        if code.co_flags & inspect.CO_COROUTINE:
            # One task's context for the page: contextvars last from block to block.
            runner.run(result)
    return printed.getvalue()
