"""A command that interrupts itself, as Ctrl-C does, at a place in its work and not after a time."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Final

__all__ = ["interrupted_at", "interrupted_when_told"]

# From outside it could not be done for sure: a busy machine may let the command end before anybody looks.
_PROGRAM: Final = """
import os, signal, sys, threading, time
from pathlib import Path
from memrepo.cli.main import main

file, size, number = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])

def interrupt():
    while not file.exists() or file.stat().st_size <= size:
        time.sleep(0.001)
    os.kill(os.getpid(), number)

threading.Thread(target=interrupt, daemon=True).start()
sys.exit(main(sys.argv[4:]))
"""

_WHEN_TOLD: Final = """
import os, signal, sys
from memrepo.cli.main import main

write = sys.stderr.write

def tell(text):
    write(text)
    if sys.argv[1] in text:
        os.kill(os.getpid(), signal.SIGINT)

sys.stderr.write = tell
sys.exit(main(sys.argv[2:]))
"""


def interrupted_when_told(text: str, *arguments: object) -> list[str]:
    """Return a program: a command that gets Ctrl-C at the moment at which it has said *text*."""
    return [sys.executable, "-c", _WHEN_TOLD, text, *map(str, arguments)]


def interrupted_at(
    file: Path, size: int, *arguments: object, number: int = signal.SIGINT
) -> list[str]:
    """Return a program: a command that gets a signal when a file is larger than *size* bytes."""
    return [
        *(sys.executable, "-c", _PROGRAM, str(file), str(size), f"{int(number)}"),
        *map(str, arguments),
    ]
