"""``memrepo browse`` where its packages are not installed, and misused; tests/doors/browse has the rest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from memrepo.cli.main import main

WITHOUT_PACKAGES = """
import sys
sys.modules["jinja2"] = None
from memrepo.cli.main import main
sys.exit(main(["browse", "--db", "agent.db"]))
"""


def test_without_the_extra(tmp_path: Path) -> None:
    """It says what to install, ends with 2, and makes no file."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_PACKAGES],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    said = "memrepo browse needs packages that are not installed: pip install 'memrepo[browse]'"
    assert done.stderr == f"memrepo: {said}\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "wrong",
    [("--port", "65536"), ("--port", "x"), ("--tz", "No/Where"), ("--tz", ""), ("--host", "x")],
)
def test_misuse(capsys: pytest.CaptureFixture[str], wrong: tuple[str, str]) -> None:
    """An option that is not accepted is named at most, and what was given for it is not repeated."""
    with pytest.raises(SystemExit) as caught:
        main(["browse", "--db", "agent.db", *wrong])
    assert caught.value.code == 2
    assert "No/Where" not in capsys.readouterr().err
