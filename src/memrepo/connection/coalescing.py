"""Run neighbouring pending calls of one statement as one; see `memrepo.queries.coalescing`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from memrepo.connection.contract import Result
from memrepo.connection.pending import PendingCall
from memrepo.queries.coalescing import SIZES, CoalescibleStatement
from memrepo.queries.statement import Unit

__all__ = ["CoalescedCall", "coalesce"]


class CoalescedCall:
    """
    Several pending calls of one statement, to be run as one.

    If its statement fails, nothing has happened, and each of its calls is run alone.
    """

    #: A hook is told of each statement, so calls with one are never coalesced.
    record = None
    #: Never, because some of its calls may still be wanted.
    is_cancelled = False

    def __init__(self, calls: Sequence[PendingCall], statement: CoalescibleStatement) -> None:
        self.calls = calls
        self._statement = statement
        self._bound = [call.unit[0] for call in calls]
        #: The one statement.
        self.unit: Unit = (statement.coalesce(self._bound),)

    def succeed(self, results: list[Result]) -> None:
        """Give each call its own rows."""
        (result,) = results
        each = self._statement.split(self._bound, result.rows)
        for call, rows in zip(self.calls, each, strict=True):
            call.outcome = [Result(rows, len(rows) if result.changes else 0)]


def coalesce(calls: Sequence[PendingCall]) -> Iterator[PendingCall | CoalescedCall]:
    """Yield *calls* in order, neighbours of one statement coalesced where possible."""
    for statement, neighbours in groupby(calls, _coalescible):
        same = list(neighbours)
        begin = 0
        if statement is not None:
            for size in SIZES:
                while len(same) - begin >= size:
                    yield CoalescedCall(same[begin : begin + size], statement)
                    begin += size
        yield from same[begin:]


def _coalescible(call: PendingCall) -> CoalescibleStatement | None:
    if len(call.unit) == 1 and call.record is None:
        statement = call.unit[0].statement
        if isinstance(statement, CoalescibleStatement):
            return statement
    return None
