"""Run neighbouring pending calls of the same statements as one; see `memrepo.queries.coalescing`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from memrepo.connection.contract import Result
from memrepo.connection.pending import PendingCall
from memrepo.domain.codec import Value
from memrepo.queries.coalescing import SIZES, CoalescibleStatement
from memrepo.queries.statement import BoundStatement, Unit

__all__ = ["CoalescedCall", "coalesce"]


class CoalescedCall:
    """
    Several pending calls of the same statements, to be run as one.

    If a statement fails, nothing has happened, and each of its calls is run alone.
    """

    #: A hook is told of each statement, so calls with one are never coalesced.
    record = None
    #: Never, because some of its calls may still be wanted.
    is_cancelled = False

    def __init__(
        self, calls: Sequence[PendingCall], statements: Sequence[CoalescibleStatement]
    ) -> None:
        self.calls = calls
        self._statements = statements
        #: What each statement is bound to, call by call.
        self._bound = [*zip(*(call.unit for call in calls), strict=True)]
        #: Each statement once.
        self.unit: Unit = tuple(
            statement.coalesce(bound)
            for statement, bound in zip(statements, self._bound, strict=True)
        )

    def succeed(self, results: list[Result]) -> None:
        """Give each call its own rows."""
        each = zip(*map(self._split, self._statements, self._bound, results), strict=True)
        for call, own in zip(self.calls, each, strict=True):
            call.outcome = [*own]

    def _split(
        self, statement: CoalescibleStatement, bound: Sequence[BoundStatement], result: Result
    ) -> list[Result]:
        rows = statement.split(bound, result.rows)
        return [Result(own, len(own) if result.changes else 0) for own in rows]


def coalesce(calls: Sequence[PendingCall]) -> Iterator[PendingCall | CoalescedCall]:
    """Yield *calls* in order, neighbours of the same statements coalesced where possible."""
    for statements, neighbours in groupby(calls, _coalescible):
        for same in _apart(neighbours, statements):
            begin = 0
            if statements:
                for size in SIZES:
                    while len(same) - begin >= size:
                        yield CoalescedCall(same[begin : begin + size], statements)
                        begin += size
            yield from same[begin:]


def _coalescible(call: PendingCall) -> Sequence[CoalescibleStatement]:
    """Return the statements of a call that may run as one with others of them; none if it may not."""
    statements: list[CoalescibleStatement] = []
    if call.record is None:
        for statement, _ in call.unit:
            if not isinstance(statement, CoalescibleStatement):
                return ()
            statements.append(statement)
    return statements


def _apart(
    calls: Iterable[PendingCall], statements: Sequence[CoalescibleStatement]
) -> Iterator[list[PendingCall]]:
    """Cut calls where one would change what another of them is about."""
    names = statements[0].apart if statements else ()
    if not names:
        yield [*calls]
        return
    run: list[PendingCall] = []
    seen: set[tuple[str, Value]] = set()
    for call in calls:
        own = {(name, call.unit[0].parameters[name]) for name in names}
        if own & seen:
            yield run
            run, seen = [], set()
        run.append(call)
        seen |= own
    yield run
