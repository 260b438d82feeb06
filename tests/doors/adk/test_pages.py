"""What the documentation says of this door is true."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.pages import ROOT
from tests.docs.running import run_page


def test_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The blocks of the page are one program, and print what it shows."""
    monkeypatch.chdir(tmp_path)
    run_page(ROOT / "docs" / "how-to" / "adk.md", tmp_path)
