"""The page about logging lists what memrepo logs: an operator can rely on it to set up alarms."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import memrepo

_SOURCE: Final = Path(memrepo.__file__).parent
_PAGE: Final = Path(__file__).parents[2] / "docs" / "how-to" / "tracing.md"
_rows = re.compile(r"^\| ([A-Z]+) \| `([\w.]+)` \| .+ \|$", re.MULTILINE).findall
#: The levels of each method of a logger; `log` chooses one of two where memrepo uses it.
_LEVELS: Final = {
    "debug": ["DEBUG"],
    "info": ["INFO"],
    "warning": ["WARNING"],
    "error": ["ERROR"],
    "exception": ["ERROR"],
    "log": ["INFO", "WARNING"],
}


def _logged() -> Iterator[tuple[str, str]]:
    """Yield the level and the logger of each line of the source that logs something."""
    for path in _SOURCE.rglob("*.py"):
        name = ".".join(path.relative_to(_SOURCE).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name(id="_logger"), attr=method)):
                    yield from ((level, name) for level in _LEVELS[method])
                case _:
                    pass


def test_page_lists_what_is_logged() -> None:
    """The table has each logger with each of its levels, and no other."""
    assert set(_rows(_PAGE.read_text(encoding="utf-8"))) == set(_logged())
