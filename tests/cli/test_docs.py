"""The page about the command line does what it shows, and the page of all commands shows what there is."""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
from pathlib import Path

from tests.docs.pages import ROOT, blocks
from tests.patience import PATIENCE_S


def test_page_of_the_command_line(tmp_path: Path) -> None:
    """Each block of the page prints what the page shows below it."""
    binaries = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {**os.environ, "PATH": binaries, "MEMREPO_URL": "agent.db"}
    shown = [
        block for block in blocks(ROOT / "docs" / "how-to" / "command-line.md") if block.output
    ]
    assert len(shown) == 7
    for block in shown:
        done = subprocess.run(
            ["bash", "-c", block.code],
            cwd=tmp_path,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=4 * PATIENCE_S,  # of several commands
            check=False,
        )
        assert (done.stdout, done.stderr) == (block.output, "")


def test_page_of_all_commands_is_up_to_date() -> None:
    """It is generated: run `make docs`."""
    generator = runpy.run_path(str(ROOT / "docs" / "generate_commands.py"))
    written = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    assert written == generator["commands"]()
