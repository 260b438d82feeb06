"""
How Sphinx makes the site: ``make docs``.

The source is the whole repository, so that a link from one page to another is the same on GitHub and here.
The index, docs/README.md, is also the navigation: each of its lists becomes a part of the side bar.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sphinx.application import Sphinx

import memrepo

project = "memrepo"
author = "the authors of memrepo"
version = release = memrepo.__version__
root_doc = "docs/README"
include_patterns = [
    "*.md",
    "docs/**.md",
    "schema/README.md",
    "tests/campaigns/README.md",
]
exclude_patterns = [".*", "build", "src"]
extensions = ["myst_parser", "sphinx_copybutton", "sphinxcontrib.mermaid"]

#: GitHub's anchors, of headings of all levels.
myst_heading_anchors = 4
myst_fence_as_directive = ["mermaid"]
highlight_language = "none"  # of a block that does not name its own

html_theme = "furo"
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#0f766e", "color-brand-content": "#0f766e"},
    "dark_css_variables": {"color-brand-primary": "#5eead4", "color-brand-content": "#5eead4"},
}
html_title = f"memrepo {version}"
html_favicon = "site/icon.svg"
html_copy_source = False
html_show_copyright = False
html_extra_path = ["site/index.html"]
html_static_path = ["site/memrepo.css"]
html_css_files = ["memrepo.css"]
# Mermaid's own program, as `make docs` fetches it. Without npm, pages ask mermaid's usual host for it.
_mermaid: Final = Path(__file__).parents[1] / ".venv-docs" / "mermaid"
if _mermaid.exists():
    html_static_path.append(str(_mermaid))
    mermaid_use_local = "mermaid.esm.min.mjs"
mermaid_light_theme = "neutral"
#: As large as it is drawn, and not as wide as the page; the style sheet has it fit.
mermaid_init_config = {
    "startOnLoad": False,
    "flowchart": {"useMaxWidth": False},
    "sequence": {"useMaxWidth": False},
}
mermaid_fullscreen = False
mermaid_height = "auto"

_headings: Final = re.compile(r"^##(#?) (.+)$", re.MULTILINE)
_pages: Final = re.compile(r"^- \[(.+?)\]\((.+?)\.md\)", re.MULTILINE)


def _navigation(index: str) -> Iterator[str]:
    """Yield each list of pages as a table of contents that only the side bar shows."""
    _, *parts = _headings.split(index)
    part = ""
    for is_inside, heading, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        part = part if is_inside else heading
        caption = f"{part}: {heading[:1].lower()}{heading[1:]}" if is_inside else heading
        if pages := _pages.findall(text):
            listed = "\n".join(f"{title} <{page}>" for title, page in pages)
            yield f"\n```{{toctree}}\n:hidden:\n:caption: '{caption}'\n\n{listed}\n```\n"


def _read(_: Sphinx, page: str, source: list[str]) -> None:
    if page == root_doc:
        source[0] += "".join(_navigation(source[0]))


def setup(app: Sphinx) -> None:
    """Have the index read with its navigation."""
    app.connect("source-read", _read)
