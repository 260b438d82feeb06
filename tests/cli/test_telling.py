"""What is said on stderr by the program itself, whatever has the word: the library's warnings, and Ctrl-C at the start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

_INTERRUPTED: str = """
import os, signal, sys
from memrepo.cli.main import main

class Interrupting:
    def find_spec(self, name, path, target=None):
        if name == sys.argv[1]:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
sys.exit(main(sys.argv[2:]))
"""


def _run(*program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *program], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.slow
def test_warnings(path: Path) -> None:
    """What the library warns of is said as all else is, and not at all beside JSON; what doctor says is left to it."""
    memrepo = ("-m", "memrepo")
    for arguments in (("remember", "Likes tea"), ("copy", str(path), "copy.db")):
        target = Path("copy.db") if arguments[0] == "copy" else path
        target.touch()
        first, *more = _run(*memrepo, *arguments).stderr.splitlines()
        said = f"memrepo: {target.absolute()} was empty, and is opened as a new database"
        assert first == said
        assert not any("SQLite" in line for line in more)
    path.with_name("third.db").touch()
    assert _run(*memrepo, "remember", "Likes tea", "--db", "third.db", "--json").stderr == ""


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="interrupts itself by a signal")
def test_interrupted_while_it_starts(path: Path) -> None:
    """Ctrl-C while a command imports what it needs ends it as later, with an object for --json."""
    for module in ("memrepo.cli.commands.program", "memrepo.cli.commands.facts"):
        done = _run("-c", _INTERRUPTED, module, "remember", "Likes tea")
        assert (done.returncode, done.stderr) == (1, "memrepo: interrupted\n")
        done = _run("-c", _INTERRUPTED, module, "facts", "--json")
        assert json.loads(done.stderr)["error"]["kind"] == "Interrupted"
    assert not path.exists()


def test_a_text_asks_for_no_json(path: Path) -> None:
    """A text that looks like --json leaves errors as they are."""
    done = _run("-m", "memrepo", "search", "--db", "none.db", "--", "--json")
    assert done.stderr.startswith("memrepo: there is no database ")
