"""The commands that serve, where their packages are not installed; tests/doors has the rest of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from memrepo.cli.main import main

WITHOUT_PACKAGE = """
import sys
command, package = sys.argv[1:]
sys.modules[package] = None
from memrepo.cli.main import main
sys.exit(main([command, "--db", "agent.db"]))
"""


@pytest.mark.parametrize(
    ("command", "package", "needs"),
    [
        ("browse", "jinja2", "needs packages that are not installed"),
        ("mcp", "mcp", "needs a package that is not installed"),
    ],
)
def test_without_the_extra(command: str, package: str, needs: str, tmp_path: Path) -> None:
    """It says what to install, ends with 2, and makes no file."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_PACKAGE, command, package],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    said = f"memrepo {command} {needs}: pip install 'memrepo[{command}]'"
    assert done.stderr == f"memrepo: {said}\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "wrong",
    [("--port", "65536"), ("--port", "x"), ("--tz", "No/Where"), ("--tz", ""), ("--host", "x")],
)
def test_browse_misused(capsys: pytest.CaptureFixture[str], wrong: tuple[str, str]) -> None:
    """An option that is not accepted is named at most, and what was given for it is not repeated."""
    assert main(["browse", "--db", "agent.db", *wrong]) == 2
    assert "No/Where" not in capsys.readouterr().err
