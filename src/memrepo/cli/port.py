"""Where the commands that serve listen."""

from __future__ import annotations

from argparse import ArgumentTypeError
from contextlib import suppress
from typing import Final

__all__ = ["LOOPBACK", "read_port"]

#: The address that only this machine reaches.
LOOPBACK: Final = "127.0.0.1"
_HIGHEST: Final = 65_535


def read_port(text: str) -> int:
    """
    Return the number of a port; 0 is any that is free.

    Raises:
        ArgumentTypeError: It is none.
    """
    with suppress(ValueError):
        port = int(text)
        if 0 <= port <= _HIGHEST:
            return port
    raise ArgumentTypeError(f"must be a number from 0 to {_HIGHEST:,}")
