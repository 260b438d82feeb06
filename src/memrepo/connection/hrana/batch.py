"""
Write calls as a batch of Hrana, and read what its reply means for each of them. Pure.

A batch is one request. Its steps, one statement each, run one after another, each if its condition
holds. A server may end the transaction in the middle of a batch; it would then run the steps that
are left, and keep what they write. So in a transaction every step but the first runs only if a step
before it succeeded, and none of those that write runs after such an end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from time import perf_counter
from typing import Final, TypeAlias

import attrs

from memrepo.connection.coalescing import CoalescedCall
from memrepo.connection.contract import Result
from memrepo.connection.hrana.errors import ServerError, translate
from memrepo.connection.hrana.values import Json, decode_result, encode_bound, seconds_of
from memrepo.connection.pending import PendingCall
from memrepo.errors import MemrepoError
from memrepo.queries.statement import Statement, Unit

__all__ = [
    "BEGIN",
    "RELEASE",
    "ROLLBACK_TO",
    "SAVEPOINT",
    "AnyCall",
    "Batch",
    "BatchReply",
    "Step",
    "StepSlice",
    "commit",
    "group",
    "inside",
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
    #: The statement of a unit that it is, whose rows are of interest; ``None`` for what is put around units.
    statement: Statement | None = None


BEGIN: Final = "BEGIN IMMEDIATE"
COMMIT: Final = "COMMIT"
ROLLBACK: Final = "ROLLBACK"
SAVEPOINT: Final = "SAVEPOINT unit"
ROLLBACK_TO: Final = "ROLLBACK TO unit"
RELEASE: Final = "RELEASE unit"


@attrs.frozen
class Batch:
    """Steps, and which of them belong to each call."""

    steps: Sequence[Step]
    #: The steps of each call, in the order of the calls.
    slices: Sequence[StepSlice]
    #: The step that must have succeeded for anything to stand.
    decisive: int


@attrs.frozen
class BatchReply:
    """What became of a batch; both lists have one entry for each step."""

    #: The result of a step; ``None`` if it failed or was passed over.
    results: Sequence[Json | None]
    #: The error of a step; ``None`` if it succeeded or was passed over.
    errors: Sequence[ServerError | None]
    #: Whether the batch's decisive step succeeded.
    has_succeeded: bool
    #: Whether no transaction is open any more; ``None`` where the server cannot say.
    is_autocommit: bool | None = None
    #: The replication index; ``None`` where there are no replicas.
    index: int | None = None

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
        results = self.results[own]
        done = [result for result in results if result is not None]
        if call.record is not None:
            durations_s = [seconds_of(result) for result in done]
            if len(done) < len(results):
                durations_s.append(0.0)  # of the statement that failed
            call.record.timings[:] = _timings(durations_s, perf_counter())
        has_succeeded = len(done) == len(results)
        if isinstance(call, PendingCall):
            call.outcome = [*map(decode_result, done)] if has_succeeded else self.failure(own)
        elif has_succeeded:
            call.succeed([*map(decode_result, done)])


# --- batches -------------------------------------------------------------------------------------


def group(calls: Sequence[AnyCall]) -> Batch:
    """
    Commit *calls* together; a unit that fails is undone alone.

    If a coalesced call fails, nothing is committed, so that its calls can run one by one, in order.
    """
    chain = _Chain()
    first = calls[0].unit
    # A statement alone is a transaction by itself. But if its answer is too large to send, the server
    # says that it failed, and keeps what it wrote.
    if len(calls) == len(first) == 1 and first[0].statement.returns_little:
        return Batch(chain.steps, [chain.run(first)], 0)
    chain.then(BEGIN)
    slices: list[StepSlice] = []
    for call in calls:
        # The ROLLBACK at the end undoes a unit that is alone, and everything if a coalesced call fails.
        needs_savepoint = len(calls) > 1 and isinstance(call, PendingCall)
        run = chain.run_all_or_none if needs_savepoint else chain.run
        slices.append(run(call.unit))
    committed = chain.then(COMMIT)
    chain.then(ROLLBACK, condition={"type": "not", "cond": committed})
    return Batch(chain.steps, slices, committed["step"])


def inside(unit: Unit) -> Batch:
    """Run *unit* in the transaction that is open; if it fails, it alone is undone."""
    chain = _Chain()
    own = chain.run_all_or_none(unit)
    return Batch(chain.steps, [own], len(chain.steps) - 1)


def statements(unit: Unit) -> Batch:
    """Run statements one after another until one fails, with nothing around them."""
    chain = _Chain()
    own = chain.run(unit)
    return Batch(chain.steps, [own], own.stop - 1)


def commit() -> Batch:
    """Commit the transaction that is open; if it cannot be committed, roll it back."""
    chain = _Chain()
    committed = chain.then(COMMIT)
    chain.then(ROLLBACK, condition={"type": "not", "cond": committed})
    return Batch(chain.steps, [], committed["step"])


@attrs.define
class _Chain:
    """Steps that run one after another, each only if the one before it succeeded, or on a condition."""

    steps: list[Step] = attrs.field(factory=list[Step])
    #: That the last step succeeded; ``None`` while there is none.
    succeeded: _Condition = None

    def then(
        self,
        sql: str,
        values: Sequence[Json] = (),
        *,
        condition: _Condition = None,
        statement: Statement | None = None,
    ) -> Json:
        """Add a step, of a unit's *statement* or around the units; return the condition that it succeeded."""
        self.steps.append(Step(sql, values, condition or self.succeeded, statement))
        self.succeeded = {"type": "ok", "step": len(self.steps) - 1}
        return self.succeeded

    def run(self, unit: Unit) -> StepSlice:
        """Add a unit; the chain ends at the first statement that fails."""
        first = len(self.steps)
        for bound in unit:
            statement = bound.statement
            self.then(statement.positional_sql, encode_bound(bound), statement=statement)
        return slice(first, len(self.steps))

    def run_all_or_none(self, unit: Unit) -> StepSlice:
        """Add a unit inside a savepoint; if a statement fails, it is undone and the chain goes on."""
        saved = self.then(SAVEPOINT)
        own = self.run(unit)
        done = self.succeeded
        failed = {"type": "not", "cond": done}
        undone = self.then(ROLLBACK_TO, condition={"type": "and", "conds": [saved, failed]})
        self.then(RELEASE, condition={"type": "or", "conds": [done, undone]})
        return own


def _timings(durations_s: Sequence[float], ended_s: float) -> Iterator[tuple[float, float]]:
    """Yield when each statement began, if the last ended just now, and how long it took."""
    began_s = ended_s - sum(durations_s)
    for duration_s in durations_s:
        yield began_s, duration_s
        began_s += duration_s
