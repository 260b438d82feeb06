"""How long a test waits for what must come: it ends what hangs, and measures nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

__all__ = ["PATIENCE_S", "eventually"]

#: seconds; what is broken never comes, so a long wait costs time only where a test fails
PATIENCE_S: Final = 60.0


def eventually(what: Callable[[], bool]) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.005)
