"""Readers of stdout and stderr that go away, as head does, or that never were there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from memrepo import DailyLogNew
from tests.cli.conftest import Command, on_store
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.skipif(os.name != "posix", reason="makes pipes by a shell")

_PROGRAM = (sys.executable, "-m", "memrepo")


def _head(command: str) -> list[str]:
    """Run a command of a shell for a reader of one line; return that line, and the command's exit status."""
    command = command.replace("memrepo", " ".join(_PROGRAM))
    done = subprocess.run(
        ["bash", "-c", f"{command} | head -n 1; echo ${{PIPESTATUS[0]}}"],
        capture_output=True,
        text=True,
        check=True,
        timeout=2 * PATIENCE_S,
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def _unread(stream: str, *arguments: str) -> tuple[int, str]:
    """Run a command, *stream* of which nobody reads; return its exit status, and what it wrote to the other one."""
    its_end, end = os.pipe()
    os.close(its_end)
    try:
        done = subprocess.run(
            [*_PROGRAM, *arguments],
            stdout=end if stream == "stdout" else subprocess.PIPE,
            stderr=end if stream == "stderr" else subprocess.PIPE,
            text=True,
            check=False,
            timeout=2 * PATIENCE_S,
        )
    finally:
        os.close(end)
    return done.returncode, done.stderr if stream == "stdout" else done.stdout


@pytest.mark.parametrize("arguments", ["export", "log -n 10000 --nl", "log -n 10000", "log -f"])
def test_head(path: Path, arguments: str) -> None:
    """A reader that ends early ends what has no other end, too; it is no failure, and nothing is said of it."""
    events = [DailyLogNew(event_type="e", event_data="x" * 99)] * 10_000
    on_store(path, lambda store: store.daily_logs.append_many(events), durability="normal")
    line, status = _head(f"memrepo {arguments}")
    assert (line != "", status) == (True, "0")


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        *("", "--help", "--version", "facts --help", "facts", "facts --json", "export", "log -f"),
        *("copy --help", "browse --help", "mcp --help"),
    ],
)
def test_stdout_that_nobody_reads(path: Path, command: Command, arguments: str) -> None:
    """Whatever is printed, that nobody reads it is no failure, and nothing is said of it."""
    command("remember", "Likes tea")
    assert _unread("stdout", *arguments.split()) == (0, "")


def test_status_of_what_nobody_reads(path: Path, command: Command) -> None:
    """A command whose result nobody reads ends with the same status as for a reader."""
    command("remember", "Likes tea")
    path.chmod(0o644)
    assert _unread("stdout", "doctor") == (1, "")


def test_what_is_to_be_done_is_done(path: Path) -> None:
    """Of many facts all are stored, though the reader of the outcomes has gone after the first."""
    path.with_name("facts").write_text("".join(f"Fact number {n}\n" for n in range(5_000)))
    assert _head("memrepo remember < facts") == ["created 1", "0"]
    assert on_store(path, lambda store: store.memories.count()) == 5_000


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "status", "out"),
    [
        ("nothing", 2, ""),
        ("facts --limit x --json", 2, ""),
        ("copy", 2, ""),
        ("forget 99", 1, ""),
        ("recall zebra", 0, ""),
        ("copy agent.db copy.db", 0, "memory_entries: 1 rows, 1 copied, 0 already there"),
    ],
)
def test_stderr_that_nobody_reads(
    path: Path, command: Command, arguments: str, status: int, out: str
) -> None:
    """A stderr that cannot be written changes neither what is done nor the exit status."""
    command("remember", "Likes tea")
    its_status, its_out = _unread("stderr", *arguments.split())
    assert (its_status, out in its_out) == (status, True)
