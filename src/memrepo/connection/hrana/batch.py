"""
Units as batches: which statement runs on which condition, and what the replies mean. Pure.

A batch is one request: its steps run one after another, each if its condition holds. Every step
depends on the success of one before it. So a server that ends the transaction in the middle, after
which it would run single statements outside of any, finds no step that it may run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from time import perf_counter
from typing import Final, TypeAlias

import attrs

from memrepo.connection.coalescing import CoalescedCall
from memrepo.connection.contract import Result
from memrepo.connection.hrana.errors import ServerError, translate
from memrepo.connection.hrana.values import (
    Json,
    decode_result,
    encode_arguments,
)
from memrepo.connection.pending import PendingCall
from memrepo.errors import MemrepoError
from memrepo.queries.statement import Unit

__all__ = [
    "BEGIN",
    "COMMIT",
    "RELEASE",
    "ROLLBACK",
    "ROLLBACK_TO",
    "SAVEPOINT",
    "Batch",
    "BatchReply",
    "Span",
    "Step",
    "Work",
    "beside",
    "group",
    "inside",
    "leave",
    "statements",
]

#: What a group is made of; see `portions`.
Work: TypeAlias = PendingCall | CoalescedCall
#: A condition of Hrana; ``None`` for always.
_Condition: TypeAlias = "Json | None"


@attrs.frozen
class Step:
    """One statement of a batch."""

    #: The text.
    sql: str
    #: When to run it.
    condition: _Condition = None
    #: The named arguments, as Hrana writes them.
    arguments: Sequence[Json] = ()
    #: The arguments that have no name.
    values: Sequence[Json] = ()
    #: Whether its rows are of interest.
    has_rows: bool = False

    def on(self, condition: _Condition) -> Step:
        """Return the same step, on a condition."""
        return Step(self.sql, condition, self.arguments, self.values, self.has_rows)


BEGIN: Final = Step("BEGIN IMMEDIATE")
COMMIT: Final = Step("COMMIT")
ROLLBACK: Final = Step("ROLLBACK")
SAVEPOINT: Final = Step("SAVEPOINT unit")
ROLLBACK_TO: Final = Step("ROLLBACK TO unit")
RELEASE: Final = Step("RELEASE unit")


@attrs.frozen
class Span:
    """Where the statements of one unit stand in a batch."""

    first: int
    #: One past the last.
    end: int


@attrs.frozen
class Batch:
    """Steps, and where each unit stands among them."""

    steps: Sequence[Step]
    spans: Sequence[Span]
    #: The step that must have succeeded for anything to stand.
    decisive: int
    #: Whether it takes the write lock.
    is_write: bool = False

    @property
    def size(self) -> int:
        """About how many bytes it takes in a message; characters are counted as bytes."""
        return sum(len(step.sql) + sum(map(_size, _values(step))) for step in self.steps)


@attrs.frozen
class BatchReply:
    """What became of a batch; one entry a step in each list."""

    #: The result of a step; ``None`` if it failed or was passed over.
    results: Sequence[Json | None]
    #: The error of a step; ``None`` if it succeeded or was passed over.
    errors: Sequence[ServerError | None]
    #: Whether no transaction is open any more; ``None`` where the server cannot say.
    is_autocommit: bool | None = None
    #: The place in the primary's log that it is of; ``None`` where there is none.
    index: int | None = None

    def has_done(self, step: int) -> bool:
        """Tell whether a step succeeded."""
        return self.results[step] is not None

    def first_error(self, span: Span | None = None) -> ServerError | None:
        """Return the first error of all steps, or of a unit's."""
        errors = self.errors if span is None else self.errors[span.first : span.end]
        return next((error for error in errors if error is not None), None)

    def settle(self, work: Work, span: Span) -> None:
        """
        Put what became of its statements into *work*.

        Calls that were merged are left without an outcome if their statement failed.
        """
        if isinstance(work, PendingCall):
            self._settle_call(work, span)
        elif (found := self.results[span.first]) is not None:
            work.succeed([decode_result(found)])

    def _settle_call(self, call: PendingCall, span: Span) -> None:
        done = [result for result in self.results[span.first : span.end] if result is not None]
        if call.record is not None:
            durations_s = [result.get("query_duration_ms", 0) / 1_000 for result in done]
            if len(done) < span.end - span.first:
                durations_s.append(0.0)  # of the statement that failed
            call.record.timings[:] = _timings(durations_s, perf_counter())
        if len(done) == span.end - span.first:
            call.outcome = [decode_result(result) for result in done]
        else:
            call.outcome = self.failure(span)

    def failure(self, span: Span | None = None) -> MemrepoError:
        """Return our error for the first of all steps that failed, or of a unit's."""
        error = self.first_error(span) or self.first_error()
        return translate(error or ServerError("NO_RESULT", "a step has neither result nor error"))

    def result(self, step: int = 0) -> Result:
        """
        Return what one step gave.

        Raises:
            MemrepoError: It failed.
        """
        result = self.results[step]
        if result is None:
            raise self.failure()
        return decode_result(result)


class _Builder:
    """A batch that grows by a step at a time."""

    def __init__(self) -> None:
        self.steps: list[Step] = []

    def add(self, step: Step) -> int:
        self.steps.append(step)
        return len(self.steps) - 1

    def add_all(self, steps: Iterable[Step], after: int | None) -> Span:
        """Add steps that run one after another until one fails."""
        first = len(self.steps)
        for step in steps:
            after = self.add(step if after is None else step.on(_ok(after)))
        return Span(first, len(self.steps))

    def add_savepoint(self, steps: Iterable[Step], after: int | None) -> tuple[Span, int]:
        """Add steps that are undone alone if one fails; also return the step that ends them."""
        save = self.add(SAVEPOINT.on(None if after is None else _ok(after)))
        span = self.add_all(steps, save)
        last = span.end - 1
        undo = self.add(ROLLBACK_TO.on(_both(_ok(save), _not(_ok(last)))))
        return span, self.add(RELEASE.on(_either(_ok(last), _ok(undo))))


def group(works: Sequence[Work]) -> Batch:
    """
    Commit *works* together; a unit that fails is undone alone.

    If merged calls fail, nothing is committed: so that they can run one by one, in their order.
    """
    if len(works) == 1 and _is_whole(works[0]):
        return Batch(list(_steps(works[0])), [Span(0, 1)], 0, is_write=True)
    builder = _Builder()
    previous = builder.add(BEGIN)
    spans: list[Span] = []
    for work in works:
        if len(works) == 1 or isinstance(work, CoalescedCall):
            span = builder.add_all(_steps(work), previous)
            previous = span.end - 1
        else:
            span, previous = builder.add_savepoint(_steps(work), previous)
        spans.append(span)
    commit = builder.add(COMMIT.on(_ok(previous)))
    builder.add(ROLLBACK.on(_not(_ok(commit))))
    return Batch(builder.steps, spans, commit, is_write=True)


def beside(works: Sequence[Work]) -> Batch:
    """Run *works* that change nothing; one that fails is no matter to the others."""
    builder = _Builder()
    spans = [builder.add_all(_steps(work), None) for work in works]
    return Batch(builder.steps, spans, len(builder.steps) - 1)


def inside(unit: Unit) -> Batch:
    """Run *unit* in the transaction that is open; if it fails, it alone is undone."""
    builder = _Builder()
    span, end = builder.add_savepoint(_steps_of_unit(unit), None)
    return Batch(builder.steps, [span], end)


def statements(unit: Unit) -> Batch:
    """Run statements one after another until one fails, and nothing around them."""
    builder = _Builder()
    span = builder.add_all(_steps_of_unit(unit), None)
    return Batch(builder.steps, [span], span.end - 1)


def leave(*, commit: bool) -> Batch:
    """End the transaction that is open; one that cannot be committed is rolled back."""
    if not commit:
        return Batch([ROLLBACK], [], 0)
    return Batch([COMMIT, ROLLBACK.on(_not(_ok(0)))], [], 0)


def _is_whole(work: Work) -> bool:
    # A statement is a transaction by itself. But it stays where the server finds that its answer is
    # too large to send, and then says that it failed.
    return (
        isinstance(work, PendingCall)
        and len(work.unit) == 1
        and work.unit[0].statement.returns_little
    )


def _steps(work: Work) -> Iterator[Step]:
    return _steps_of_unit(work.unit)


def _steps_of_unit(unit: Unit) -> Iterator[Step]:
    for bound in unit:
        yield Step(bound.statement.sql, arguments=encode_arguments(bound), has_rows=True)


def _values(step: Step) -> Iterator[Json]:
    yield from step.values
    for argument in step.arguments:
        yield argument["value"]


def _size(value: Json) -> int:
    return len(value["value"]) if value["type"] == "text" else 0


def _ok(step: int) -> Json:
    return {"type": "ok", "step": step}


def _not(condition: Json) -> Json:
    return {"type": "not", "cond": condition}


def _both(first: Json, second: Json) -> Json:
    return {"type": "and", "conds": [first, second]}


def _either(first: Json, second: Json) -> Json:
    return {"type": "or", "conds": [first, second]}


def _timings(durations_s: Sequence[float], ended_s: float) -> Iterator[tuple[float, float]]:
    """Yield when each statement began, if the last ended just now, and how long it took."""
    began_s = ended_s - sum(durations_s)
    for duration_s in durations_s:
        yield began_s, duration_s
        began_s += duration_s
