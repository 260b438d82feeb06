"""What is wrong is said on stderr, and never what was given: it may be a token or a fact."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from memrepo.cli.commands.program import program
from memrepo.cli.main import MORE_COMMANDS, OWN_COMMANDS
from tests.cli.conftest import Command

_URL = "http://127.0.0.1:9?authToken=S3CRET"
_MISUSES: dict[tuple[str, ...], str] = {
    ("S3CRET",): "no such command; there are backup, ",
    ("--S3CRET",): "there is no such option",
    ("--secret",): "there is no such option: --secret",
    ("search",): "Missing argument 'WORDS...'.",
    ("search", "--token=S3CRET", "a"): "there is no such option: --token",
    ("search", "a", "--limit"): "Option '--limit' requires an argument.",
    ("search", "a", "--limit", "S3CRET"): (
        "Invalid value for '--limit' / '-n': must be a whole number"
    ),
    ("search", "a", "--limit", "0"): "limit: must be ",
    ("search", "a", "--in", "S3CRET"): (
        "invalid value for '--in': must be facts, events, sessions"
    ),
    ("search", "a", "--in", "events", "--source", "S3CRET"): "--category and --source are for",
    ("search", "a", "--json=S3CRET"): "Option '--json' does not take a value.",
    ("status", "S3CRET"): "too many arguments, or invalid ones",
    ("status", "--db", "ftp://S3CRET"): "ftp: is not a database that memrepo opens",
    ("status", "--db", f"{_URL}&other=S3CRET"): "the URL has an option other than",
    ("remember", "S3CRET", "--metadata", "S3CRET"): "must be a JSON object",
    ("remember", "S3CRET", "--metadata", "[1]"): "must be a JSON object",
    ("remember", "S3CRET", "--due", "S3CRET"): "must be 2026-02-28, 2026-02-28T14:30 (local",
    ("remember", "S3CRET", "--due", "999999w"): "must be 2026-02-28, 2026-02-28T14:30 (local",
    ("remember", "S3CRET", "--category", ""): "category: must not be empty or blank",
    ("log", "--day", "S3CRET"): "must be a day as 2026-02-28, today or yesterday",
    ("log", "--tz", "S3CRET"): "must be a time zone as Europe/London",
    ("log", "--tz", "../S3CRET"): "must be a time zone as Europe/London",
    ("review", "--merge", "1"): "Option '--merge' requires 2 arguments.",
    ("stats", "--days", "9" * 20): "--days must be 1 to 366",
    ("remember", "S3CRET\udcff"): "must",
    ("purge",): "Missing option '--before'.",
}


@pytest.mark.parametrize("arguments", _MISUSES)
def test_misuse(arguments: tuple[str, ...], command: Command, path: Path) -> None:
    """Misuse ends with 2, says what is wrong with which option, prints nothing, and makes no file."""
    command("init")
    ran = command(*arguments)
    assert (ran.status, ran.out) == (2, "")
    assert ran.err.splitlines()[-1].startswith("memrepo: ")
    assert _MISUSES[arguments] in ran.err
    assert "S3CRET" not in ran.err
    assert list(path.parent.iterdir()) == [path]


_FAILURES: dict[tuple[str, ...], str] = {
    ("forget", "7"): "NotFoundError",
    ("status", "--db", "none.db"): "DatabaseError",
    ("backup", "folder/S3CRET.db"): "DatabaseError",
    ("import", "facts.txt"): "InvalidInputError",
    ("remember", "S3CRET", "--session", "9"): "NotFoundError",
}


@pytest.mark.parametrize("arguments", _FAILURES)
def test_failure(arguments: tuple[str, ...], command: Command, path: Path) -> None:
    """With --json, an error is a JSON object on stderr, with its kind; it shows no fact."""
    command("init")
    path.with_name("facts.txt").write_text("S3CRET\n")
    ran = command(*arguments, "--json")
    assert (ran.status, ran.out) == (2 if arguments[0] == "import" else 1, "")
    error = json.loads(ran.err)["error"]
    assert error["kind"] == _FAILURES[arguments]
    assert ran.err.count("\n") == 1
    if arguments[0] != "backup":
        assert "S3CRET" not in ran.err


def test_input_that_is_not_text(path: Path) -> None:
    """Bytes that are no UTF-8 are said to be so, and not shown; nor is there a traceback for a full disk."""
    program = [sys.executable, "-m", "memrepo"]
    done = subprocess.run(
        [*program, "remember"],
        env={**os.environ, "PYTHONIOENCODING": "utf-8:strict"},
        input=b"S3CRET\xff\n",
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (1, b"memrepo: stdin is not text in UTF-8\n")
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [*program, "status"],
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
            timeout=60,
        )
    assert done.returncode == 1
    assert done.stderr == b"memrepo: cannot read or write: No space left on device\n"


def test_json_and_nl(command: Command) -> None:
    """Both forms at once are misuse, which is told as JSON, too."""
    ran = command("recall", "--json", "--nl")
    said = {"error": {"kind": "UsageError", "message": "--json and --nl exclude each other"}}
    assert (ran.status, json.loads(ran.err)) == (2, said)


def test_without_a_database(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which database is meant has to be said."""
    monkeypatch.delenv("MEMREPO_URL")
    ran = command("recall")
    assert (ran.status, ran.err) == (2, "memrepo: --db: or MEMREPO_URL must name a database\n")


def test_token_of_the_environment(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token of the environment, or of the URL, is in no message of a server that does not answer."""
    monkeypatch.setenv("TURSO_AUTH_TOKEN", "S3CRET")
    for url in ("http://127.0.0.1:9", _URL):
        ran = command("doctor", "--db", url)
        assert (ran.status, ran.err) == (1, "")
        assert "S3CRET" not in ran.out


# --- without click -----------------------------------------------------------------------------


def _without_click(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run memrepo where click and rich are not installed."""
    script = (
        "import sys\nsys.modules['click'] = sys.modules['rich'] = None\n"
        "from memrepo.cli.main import main\nsys.exit(main())"
    )
    return subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env={**os.environ, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_without_the_extra(path: Path) -> None:
    """Copy, mcp, --version and the help work; other commands say what to install, with 2."""
    bare = _without_click()
    assert (bare.returncode, bare.stdout) == (0, _without_click("--help").stdout)
    assert "pip install 'memrepo[cli]'" in bare.stdout
    assert _without_click("--version").stdout.startswith("memrepo ")
    missing = _without_click("copy", "none.db", "b.db")
    assert missing.returncode == 1
    assert "there is no such file" in missing.stderr
    ran = _without_click("remember", "S3CRET")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == (
        "memrepo: remember needs packages that are not installed: pip install 'memrepo[cli]'\n"
    )


def test_names() -> None:
    """What is named without the extra is what there is with it: about twenty commands."""
    assert MORE_COMMANDS | OWN_COMMANDS.keys() == program.commands.keys()
    assert len(program.commands) == 22


def test_completion(path: Path) -> None:
    """A shell can ask which commands and options begin with what is typed."""

    def complete(words: str, n: int) -> list[str]:
        done = subprocess.run(
            [sys.executable, "-m", "memrepo"],
            env={
                **os.environ,
                "_MEMREPO_COMPLETE": "bash_complete",
                "COMP_WORDS": words,
                "COMP_CWORD": str(n),
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        return done.stdout.split()

    assert complete("memrepo rest", 1) == ["plain,restore", "plain,restore-backup"]
    assert complete("memrepo recall --ex", 2) == ["plain,--explain"]
    assert complete("memrepo search a --in ", 4) == [
        "plain,facts",
        "plain,events",
        "plain,sessions",
    ]
