"""The pages of the documentation, and the programs in them."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import Final

import attrs

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *ROOT.glob("docs/**/*.md")])

#: A fenced block: its language and its text.
fences = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
#: A block that is a file says so in its first line: one for pytest, or in SQL. One in ini is pytest's
#: configuration.
file_name = re.compile(r"# ((?:test_\w+|conftest)\.py)\n|-- (\w+/\w+\.sql)\n").match


@attrs.frozen
class Block:
    """A Python, shell or SQL block of a page, and the output that the page shows directly after it."""

    code: str
    output: str | None
    language: str = "python"


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    found = []
    for fence, following in pairwise([*fences.finditer(text), None]):
        if fence is None or fence[1] not in ("python", "sh", "sql"):
            continue
        is_output = (
            following is not None
            and following[1] == "text"
            and not text[fence.end() : following.start()].strip()
        )
        found.append(Block(fence[2], following[2] if following and is_output else None, fence[1]))
    return found


def programs(page: Path) -> list[Block]:
    return [block for block in blocks(page) if block.language == "python"]


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()
