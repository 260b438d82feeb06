"""Telling whoever listens which statements ran: their names and times, never their values."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TypeAlias

import attrs

from memrepo.connection.call import Call

__all__ = ["OnStatement", "StatementEvent", "report"]

_logger = logging.getLogger("memrepo")


@attrs.frozen(kw_only=True)
class StatementEvent:
    """A statement that ran."""

    #: What it is called: ``memories.insert``.
    name: str
    #: Seconds on the worker thread, without waiting for its turn or for locks.
    duration_s: float
    #: How many rows it returned or, if none, changed.
    n_rows: int
    #: The name of the error it ended in, ``ConstraintError``; ``None`` if it did not.
    error: str | None


#: Called on the event loop, after the unit of the statement has ended. Must not block.
OnStatement: TypeAlias = Callable[[StatementEvent], None]


def report(call: Call, hook: OnStatement) -> None:
    """Report the statements of *call* that ran. What the hook raises is logged, and goes no further."""
    results = call.outcome if isinstance(call.outcome, list) else []
    error = type(call.outcome).__name__ if isinstance(call.outcome, Exception) else None
    for index, duration_s in enumerate(call.durations_s or ()):
        n_rows = 0
        if index < len(results):
            n_rows = len(results[index].rows) or results[index].changes
        event = StatementEvent(
            name=call.unit[index].statement.name,
            duration_s=duration_s,
            n_rows=n_rows,
            error=error,
        )
        try:
            hook(event)
        except Exception:
            _logger.exception("on_statement failed")
