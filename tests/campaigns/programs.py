"""Run the programs in ``workloads/``: each in a process of its own, each with a time limit."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

__all__ = ["Dialogue", "Ended", "dialogue", "run", "running"]

#: the folder from which this package can be imported
_ROOT = Path(__file__).parents[len(__name__.split(".")) - 1]


@dataclass(frozen=True, slots=True)
class Ended:
    """
    How a program ended.

    Attributes:
        code: Its exit status; negative for the signal that killed it.
        out: What it printed.
        err: What it printed to its error stream.
        ended_at: When it ended, on the clock of ``time.monotonic()``.
    """

    code: int
    out: str
    err: str
    ended_at: float


@contextmanager
def running(
    script: str,
    *args: object,
    env: Mapping[str, str] | None = None,
    stdin: int | None = subprocess.DEVNULL,
    stdout: int | IO[str] | None = None,
    stderr: int | IO[str] | None = None,
) -> Iterator[subprocess.Popen[str]]:
    """Have ``workloads/<script>.py`` run for a block; it is gone afterwards, killed if need be."""
    process = subprocess.Popen(
        [sys.executable, "-m", f"{__package__}.workloads.{script}", *map(str, args)],
        cwd=_ROOT,
        env={**os.environ, **(env or {})},
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(timeout=60)
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def run(
    script: str, *args: object, timeout_s: float, env: Mapping[str, str] | None = None
) -> Ended:
    """
    Run ``workloads/<script>.py`` to its end.

    Raises:
        subprocess.TimeoutExpired: It had not ended after *timeout_s* seconds; it was killed.
    """
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        with running(script, *args, env=env, stdout=out, stderr=err) as process:
            process.wait(timeout=timeout_s)
            ended_at = time.monotonic()
        out.seek(0)
        err.seek(0)
        return Ended(process.returncode, out.read(), err.read(), ended_at)


class Dialogue:
    """A program that answers each line with a line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        """Talk to *process*, whose stdin and stdout are pipes."""
        self._process = process

    def tell(self, line: str) -> None:
        """Send one line."""
        assert self._process.stdin is not None
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()

    def hear(self, timeout_s: float) -> str:
        """Wait for one line; a program that takes longer than *timeout_s* seconds is killed."""
        assert self._process.stdout is not None
        timer = threading.Timer(timeout_s, self._process.kill)
        timer.start()
        try:
            line = self._process.stdout.readline()
        finally:
            timer.cancel()
            timer.join()
        assert line, f"the program said nothing for {timeout_s} s, or ended"
        return line.strip()


@contextmanager
def dialogue(
    script: str, *args: object, env: Mapping[str, str] | None = None
) -> Iterator[Dialogue]:
    """Have ``workloads/<script>.py`` answer for a block; it is gone afterwards."""
    pipe = subprocess.PIPE
    with running(script, *args, env=env, stdin=pipe, stdout=pipe) as process:
        yield Dialogue(process)
