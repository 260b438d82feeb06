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
    said = f"{command} {needs}: pip install 'memrepo[{command}]'"
    assert done.stderr == f"memrepo: {said}\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("browse --port 65536", "memrepo browse: --port: must be a number from 0 to 65,535"),
        ("browse --port S3CRET", "memrepo browse: --port: must be a number from 0 to 65,535"),
        ("browse --port", "memrepo browse: --port: expected one argument"),
        ("browse --tz S3CRET/S3CRET", "memrepo browse: --tz: must be a time zone as Europe/London"),
        ("browse --tz=", "memrepo browse: --tz: must be a time zone as Europe/London"),
        ("browse --tz ../S3CRET", "memrepo browse: --tz: must be a time zone as Europe/London"),
        ("browse --edit=S3CRET", "memrepo browse: --edit: takes no value"),
        ("browse --host S3CRET", "memrepo: unrecognized arguments: --host, 1 too many"),
        ("browse --ed", "memrepo: unrecognized arguments: --ed"),
        ("mcp --http S3CRET", "memrepo mcp: --http: must be a number from 0 to 65,535"),
        ("mcp --host localhost", "memrepo: --host needs --http"),
    ],
)
def test_misused(capsys: pytest.CaptureFixture[str], wrong: str, said: str) -> None:
    """An option that is not accepted is named as it was typed, and what was given for it is not repeated."""
    assert main([*wrong.split()]) == 2
    err = capsys.readouterr().err
    assert err.splitlines()[-1] == said
    assert "S3CRET" not in err
