"""Report each statement's name and duration to an `on_statement` hook, never its values."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TypeAlias

import attrs

from memrepo.connection.contract import Result
from memrepo.queries.statement import Unit

__all__ = ["OnStatement", "Record", "StatementEvent"]

_logger = logging.getLogger(__name__)


@attrs.frozen(kw_only=True)
class StatementEvent:
    """A statement that ran."""

    #: What it is called: ``memories.remember``.
    name: str
    #: Its text, which never changes: values stand as ``:name``, and are not told.
    sql: str
    #: When it began, in the seconds of `time.perf_counter`.
    started_s: float
    #: Seconds that SQLite worked on it, without waiting for its turn or for locks.
    duration_s: float
    #: How many rows it returned or, if none, changed.
    n_rows: int
    #: The name of the error it ended in, ``ConstraintError``; ``None`` if it did not.
    error: str | None
    #: SQLite's name for it, ``SQLITE_CONSTRAINT_FOREIGNKEY``; ``None`` if it is none of SQLite's.
    error_code: str | None


#: Called on the event loop, in the task that made the call, after the unit of the statement has
#: ended. Must not block.
OnStatement: TypeAlias = Callable[[StatementEvent], None]


@attrs.frozen
class Record:
    """What is noted of the statements of one unit, for a hook."""

    hook: OnStatement
    #: When each that ran began, and how long it took, in `perf_counter`'s seconds.
    timings: list[tuple[float, float]] = attrs.field(factory=list[tuple[float, float]])

    def report(self, unit: Unit, outcome: Sequence[Result] | Exception | None) -> None:
        """Tell of the statements of *unit*. What the hook raises is logged, and goes no further."""
        failure = outcome if isinstance(outcome, Exception) else None
        results = () if outcome is None or isinstance(outcome, Exception) else outcome
        for index, (started_s, duration_s) in enumerate(self.timings):
            statement = unit[index].statement
            n_rows = 0
            if index < len(results):
                n_rows = len(results[index].rows) or results[index].changes
            # A unit stops at the statement that fails, so those before it did not.
            error = failure if index == len(self.timings) - 1 else None
            event = StatementEvent(
                name=statement.name,
                sql=statement.sql,
                started_s=started_s,
                duration_s=duration_s,
                n_rows=n_rows,
                error=None if error is None else type(error).__name__,
                error_code=getattr(error and error.__cause__, "sqlite_errorname", None),
            )
            try:
                self.hook(event)
            except Exception:
                _logger.exception("on_statement failed")
