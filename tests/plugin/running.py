"""Running tests as a user of the plugin does."""

from __future__ import annotations

from importlib.metadata import entry_points

import pytest

__all__ = ["run"]


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    """Run the tests that *pytester* has made, in a process of their own in which every warning is an error."""
    assert "memrepo" in entry_points(group="pytest11").names, "install memrepo again: `make test`"
    settings = ["-W", "error", "-p", "no:cacheprovider"]
    if "no:asyncio" not in arguments:
        settings += ["-o", "asyncio_default_fixture_loop_scope=function"]
    return pytester.runpytest_subprocess(*settings, *arguments)
