"""Who is told of each connection and transaction that opens: nobody, unless a test run looks for leaks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

__all__ = ["Opened", "on_open"]


class Opened(Protocol):
    """A connection, or a transaction on one."""

    @property
    def is_open(self) -> bool:
        """Whether it is still open."""
        ...


#: Called with each of them as it opens.
on_open: Callable[[Opened], None] | None = None
