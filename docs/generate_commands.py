"""
Write docs/commands.md from the help of every command.

``python docs/generate_commands.py`` writes the page; `commands` returns its text.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Final
from unittest import mock

import click

from memrepo.cli.commands.program import program
from memrepo.cli.main import OWN_COMMANDS, main

_PAGE: Final = Path(__file__).with_name("commands.md")
#: Columns of the page.
_WIDTH: Final = 90
_HEAD: Final = """\
# Commands

Every command of `memrepo`, as `--help` prints it. [How to use them](how-to/command-line.md). This page is generated:
`make docs`.
"""


def commands() -> str:
    """Return the page."""
    with _width():
        whole = _section("memrepo", program.get_help(_context("memrepo", program)))
        each = [_section(f"memrepo {name}", _help(name)) for name in sorted(program.commands)]
    return "\n".join([_HEAD, whole, *each])


@contextmanager
def _width() -> Iterator[None]:
    with mock.patch.dict(os.environ, {"COLUMNS": str(_WIDTH), "NO_COLOR": "1"}):
        yield


def _context(name: str, command: click.Command) -> click.Context:
    parent = None if command is program else _context("memrepo", program)
    return click.Context(
        command, info_name=name, parent=parent, max_content_width=_WIDTH, **command.context_settings
    )


def _help(name: str) -> str:
    if name not in OWN_COMMANDS:
        command = program.commands[name]
        return command.get_help(_context(name, command))
    shown = io.StringIO()
    with redirect_stdout(shown):
        main([name, "--help"])
    return shown.getvalue().rstrip()


def _section(title: str, text: str) -> str:
    return f"## {title}\n\n```text\n{text}\n```\n"


if __name__ == "__main__":
    _PAGE.write_text(commands(), encoding="utf-8")
