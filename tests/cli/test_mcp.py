"""``memrepo mcp`` where its package is not installed; tests/doors/mcp has the rest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

WITHOUT_MCP = """
import sys
sys.modules["mcp"] = None
from memrepo.cli.main import main
sys.exit(main(["mcp", "--db", "agent.db"]))
"""


def test_without_the_extra(tmp_path: Path) -> None:
    """It says what to install, ends with 2, and makes no file."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_MCP],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    said = "memrepo mcp needs a package that is not installed: pip install 'memrepo[mcp]'"
    assert done.stderr == f"memrepo: {said}\n"
    assert list(tmp_path.iterdir()) == []
