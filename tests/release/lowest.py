"""
Pin requirements to the lowest version that each allows.

``python -m tests.release.lowest mcp`` prints those of the extra ``mcp``, for pip.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

__all__ = ["lowest", "project"]

_ROOT: Final = Path(__file__).parents[2]


def project() -> dict[str, Any]:
    """Return what pyproject.toml says of the project."""
    text = (_ROOT / "pyproject.toml").read_text(encoding="utf-8")
    found: dict[str, Any] = tomllib.loads(text)["project"]
    return found


def lowest(requirements: list[str]) -> list[str]:
    """Return requirements as pins to the lowest version that each allows."""
    return [re.sub(r">=([^,;]+)[^;]*", r"==\1", requirement) for requirement in requirements]


if __name__ == "__main__":
    print(*lowest(project()["optional-dependencies"][sys.argv[1]]))
