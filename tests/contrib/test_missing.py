"""Adapters whose package is not there."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

#: The package that each adapter needs, and the extra that brings it.
NEEDS = {
    "adk": ("google.adk", "adk"),
    "openai": ("agents", "openai"),
    "pydantic_ai": ("pydantic_ai", "pydantic-ai"),
}


@pytest.mark.parametrize("adapter", NEEDS)
def test_missing_package_is_named(adapter: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The import says how to install it."""
    package, extra = NEEDS[adapter]
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ImportError, match=rf"pip install memrepo\[{extra}\]"):
        importlib.import_module(f"memrepo.contrib.{adapter}")


def test_memrepo_does_not_import_them() -> None:
    """Importing memrepo costs nobody the import of a framework."""
    program = "import memrepo, sys; print({name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "'memrepo'" in done.stdout
    for package, _ in NEEDS.values():
        assert f"'{package.partition('.')[0]}'" not in done.stdout
