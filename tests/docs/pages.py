"""The pages of the documentation, and the programs in them."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from textwrap import dedent
from typing import Final

import attrs

ROOT: Final = Path(__file__).parents[2]
PAGES: Final = sorted(
    [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        ROOT / "schema" / "README.md",
        ROOT / "tests" / "campaigns" / "README.md",
    ]
)

#: Pages whose programs need a package of others; the tests in that folder of tests/doors run them.
DOORS: Final = {
    "docs/how-to/adk.md": "adk",
    "docs/how-to/mcp.md": "mcp",
    "docs/how-to/openai-agents.md": "openai",
    "docs/how-to/pydantic-ai.md": "pydantic_ai",
    "docs/how-to/web-frameworks.md": "web",
}

#: A fenced block, also of an item of a list: its indentation, its language and its text.
fences = re.compile(r"^( *)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
#: Languages of blocks that are not run, or not always, and why.
NOT_RUN: Final = {
    "": "a signature or a drawing in text",
    "ini": "another program's configuration; pytest's is used",
    "json": "a configuration of another program, which the tests of its page use",
    "mermaid": "a diagram",
    "py": "a part of a program that needs what the page does not have",
    "sh": "for the reader's own terminal, unless it starts a server or asks one",
    "sql": "a pattern or a file; the page about SQL has a test of its own",
    "text": "what was printed",
    "ts": "the original's language",
}
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
        if fence is None or fence[2] not in ("python", "sh", "sql"):
            continue
        is_output = (
            following is not None
            and following[2] == "text"
            and not text[fence.end() : following.start()].strip()
        )
        output = dedent(following[3]) if following and is_output else None
        found.append(Block(dedent(fence[3]), output, fence[2]))
    return found


def programs(page: Path) -> list[Block]:
    return [block for block in blocks(page) if block.language == "python"]


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()
