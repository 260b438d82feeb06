"""
Write calls as a batch of Hrana, and read what its reply means for each of them. Pure.

A batch is one request. Its steps, one statement each, run one after another, each if its condition
holds. A server may end the transaction in the middle of a batch; it would then run the steps that
are left, and keep what they write. So in a transaction every step but the first runs only if a step
before it succeeded, and none of those that write runs after such an end.
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
    encode_bound,
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
    "AnyCall",
    "Batch",
    "BatchReply",
    "Step",
    "StepSlice",
    "group",
    "inside",
    "leave",
    "statements",
]

#: What a batch is made of: a pending call, or a coalesced one.
AnyCall: TypeAlias = PendingCall | CoalescedCall
#: Which steps of a batch are a call's.
StepSlice: TypeAlias = "slice[int, int, None]"
#: A condition of Hrana; ``None`` for always.
_Condition: TypeAlias = "Json | None"


@attrs.frozen
class Step:
    """One statement of a batch."""

    #: The text, with ``?`` for each value.
    sql: str
    #: The values, as Hrana writes them, in the order of the text.
    values: Sequence[Json] = ()
    #: When to run it.
    condition: _Condition = None
    #: Whether its rows are of interest.
    has_rows: bool = False

    def on(self, condition: _Condition) -> Step:
        """Return the same step, on a condition."""
        return Step(self.sql, self.values, condition, self.has_rows)


BEGIN: Final = Step("BEGIN IMMEDIATE")
COMMIT: Final = Step("COMMIT")
ROLLBACK: Final = Step("ROLLBACK")
SAVEPOINT: Final = Step("SAVEPOINT unit")
ROLLBACK_TO: Final = Step("ROLLBACK TO unit")
RELEASE: Final = Step("RELEASE unit")


@attrs.frozen
class Batch:
    """Steps, and which of them belong to each call."""

    steps: Sequence[Step]
    #: The steps of each call, in the order of the calls.
    slices: Sequence[StepSlice]
    #: The step that must have succeeded for anything to stand.
    decisive: int
    #: Whether it takes the write lock.
    is_write: bool = False

    @property
    def size(self) -> int:
        """About how many bytes it takes in a message; characters are counted as bytes."""
        return sum(len(step.sql) + sum(map(_size, step.values)) for step in self.steps)


@attrs.frozen
class BatchReply:
    """What became of a batch; both lists have one entry for each step."""

    #: The result of a step; ``None`` if it failed or was passed over.
    results: Sequence[Json | None]
    #: The error of a step; ``None`` if it succeeded or was passed over.
    errors: Sequence[ServerError | None]
    #: Whether no transaction is open any more; ``None`` where the server cannot say.
    is_autocommit: bool | None = None
    #: The replication index; ``None`` where there are no replicas.
    index: int | None = None

    def has_done(self, step: int) -> bool:
        """Tell whether a step succeeded."""
        return self.results[step] is not None

    def first_error(self, own: StepSlice | None = None) -> ServerError | None:
        """Return the first error of all steps, or of one call's."""
        errors = self.errors if own is None else self.errors[own]
        return next((error for error in errors if error is not None), None)

    def failure(self, own: StepSlice | None = None) -> MemrepoError:
        """Return our error for the first step that failed, if possible one of this call's."""
        error = self.first_error(own) or self.first_error()
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

    def settle(self, call: AnyCall, own: StepSlice) -> None:
        """
        Give *call* its outcome: what became of its steps.

        If the statement of a coalesced call failed, its calls are left without an outcome.
        """
        if isinstance(call, PendingCall):
            self._settle_call(call, own)
        elif (found := self.results[own.start]) is not None:
            call.succeed([decode_result(found)])

    def _settle_call(self, call: PendingCall, own: StepSlice) -> None:
        results = self.results[own]
        done = [result for result in results if result is not None]
        if call.record is not None:
            durations_s = [result.get("query_duration_ms", 0) / 1_000 for result in done]
            if len(done) < len(results):
                durations_s.append(0.0)  # of the statement that failed
            call.record.timings[:] = _timings(durations_s, perf_counter())
        if len(done) == len(results):
            call.outcome = [decode_result(result) for result in done]
        else:
            call.outcome = self.failure(own)


# --- batches -------------------------------------------------------------------------------------


def group(calls: Sequence[AnyCall]) -> Batch:
    """
    Commit *calls* together; a unit that fails is undone alone.

    If a coalesced call fails, nothing is committed, so that its calls can run one by one, in order.
    """
    if len(calls) == 1 and _needs_no_transaction(calls[0]):
        return Batch(list(_steps(calls[0])), [slice(0, 1)], 0, is_write=True)
    chain = _Chain()
    chain.then(BEGIN)
    slices: list[StepSlice] = []
    for call in calls:
        # The ROLLBACK at the end undoes a unit that is alone, and everything if a coalesced call fails.
        needs_savepoint = len(calls) > 1 and isinstance(call, PendingCall)
        add = chain.then_all_or_none if needs_savepoint else chain.then_all
        slices.append(add(_steps(call)))
    committed = chain.then(COMMIT)
    chain.add(ROLLBACK, _failed(committed))
    return Batch(chain.steps, slices, committed, is_write=True)


def inside(unit: Unit) -> Batch:
    """Run *unit* in the transaction that is open; if it fails, it alone is undone."""
    chain = _Chain()
    own = chain.then_all_or_none(_steps_of_unit(unit))
    return Batch(chain.steps, [own], len(chain.steps) - 1)


def statements(unit: Unit) -> Batch:
    """Run statements one after another until one fails, with nothing around them."""
    chain = _Chain()
    own = chain.then_all(_steps_of_unit(unit))
    return Batch(chain.steps, [own], own.stop - 1)


def leave(*, commit: bool) -> Batch:
    """End the transaction that is open; one that cannot be committed is rolled back."""
    if not commit:
        return Batch([ROLLBACK], [], 0)
    return Batch([COMMIT, ROLLBACK.on(_failed(0))], [], 0)


class _Chain:
    """Steps that run one after another, each only if the one before it succeeded."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        #: The step that the next one depends on.
        self._last: int | None = None

    def add(self, step: Step, condition: _Condition) -> int:
        """Add a step beside the chain; return its number."""
        self.steps.append(step.on(condition))
        return len(self.steps) - 1

    def then(self, step: Step) -> int:
        """Add the next step of the chain; return its number."""
        self._last = self.add(step, None if self._last is None else _succeeded(self._last))
        return self._last

    def then_all(self, steps: Iterable[Step]) -> StepSlice:
        """Add several; the chain ends at the first that fails."""
        first = len(self.steps)
        for step in steps:
            self.then(step)
        return slice(first, len(self.steps))

    def then_all_or_none(self, steps: Iterable[Step]) -> StepSlice:
        """Add several inside a savepoint; if one fails, they are undone and the chain goes on."""
        saved = self.then(SAVEPOINT)
        own = self.then_all(steps)
        done = own.stop - 1
        undone = self.add(ROLLBACK_TO, _both(_succeeded(saved), _failed(done)))
        self._last = self.add(RELEASE, _either(_succeeded(done), _succeeded(undone)))
        return own


# --- steps and conditions ------------------------------------------------------------------------


def _needs_no_transaction(call: AnyCall) -> bool:
    # A statement alone is a transaction by itself. But if its answer is too large to send, the server
    # says that it failed, and keeps what it wrote.
    return (
        isinstance(call, PendingCall)
        and len(call.unit) == 1
        and call.unit[0].statement.returns_little
    )


def _steps(call: AnyCall) -> Iterator[Step]:
    return _steps_of_unit(call.unit)


def _steps_of_unit(unit: Unit) -> Iterator[Step]:
    for bound in unit:
        yield Step(bound.statement.positional_sql, encode_bound(bound), has_rows=True)


def _size(value: Json) -> int:
    return len(value["value"]) if value["type"] == "text" else 0


def _succeeded(step: int) -> Json:
    return {"type": "ok", "step": step}


def _failed(step: int) -> Json:
    """Hold if a step failed, or did not run."""
    return {"type": "not", "cond": _succeeded(step)}


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
