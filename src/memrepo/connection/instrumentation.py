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

    #: Its name: ``memories.remember``.
    name: str
    #: Its SQL, with ``:name`` in the place of each value.
    sql: str
    #: When it began, in the seconds of `time.perf_counter`.
    started_s: float
    #: Seconds that SQLite worked on it, on a server as the server measured them. Waiting for its turn and
    #: for locks does not count.
    duration_s: float
    #: How many rows it returned or, if none, changed.
    n_rows: int
    #: The name of its error, as ``ConstraintError``; ``None`` if it succeeded.
    error: str | None
    #: SQLite's name for the error, as ``SQLITE_CONSTRAINT_FOREIGNKEY``; ``None`` if it has none.
    error_code: str | None


#: Called in the task that made the call, after the statement's unit has ended. Must not block.
OnStatement: TypeAlias = Callable[[StatementEvent], None]


@attrs.frozen
class Record:
    """When the statements of one unit ran, for a hook."""

    hook: OnStatement
    #: When each statement that ran began, and how long it took, in seconds of `perf_counter`.
    timings: list[tuple[float, float]] = attrs.field(factory=list[tuple[float, float]])

    def report(self, unit: Unit, outcome: Sequence[Result] | Exception | None) -> None:
        """Report the statements of *unit*. An exception from the hook is logged, not raised."""
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
