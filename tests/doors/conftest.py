"""Which doors can be tested here: those whose package is installed."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Final

#: What each folder needs.
_PACKAGES: Final = {
    "adk": "google.adk",
    "browse": "axe_playwright_python",
    "mcp": "mcp",
    "openai": "agents",
    "pydantic_ai": "pydantic_ai",
    "web": "litestar",
}


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # its parent is missing
        return False


collect_ignore = [folder for folder, package in _PACKAGES.items() if not _is_installed(package)]
