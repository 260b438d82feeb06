"""Which calls of a group one statement can do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, groupby

import attrs

from memrepo.connection.contract import Result
from memrepo.connection.pending import Call
from memrepo.domain.codec import Row, Value
from memrepo.queries.statement import MERGE_SIZES, Merge

__all__ = ["MergedCalls", "merge_of", "portions"]


@attrs.frozen
class MergedCalls:
    """Several calls of the same statement, as one."""

    calls: Sequence[Call]
    merge: Merge

    @property
    def sql(self) -> str:
        """What to run."""
        return self.merge.sql(len(self.calls))

    @property
    def values(self) -> tuple[Value, ...]:
        """What to bind."""
        each = (call.unit[0].parameters for call in self.calls)
        return tuple(chain.from_iterable(map(self.merge.values, each)))

    def settle(self, rows: list[Row], *, is_change: bool) -> None:
        """Give each call the rows that are its own."""
        bound = [call.unit[0] for call in self.calls]
        for call, own in zip(self.calls, self.merge.split(bound, rows), strict=True):
            call.outcome = [Result(own, len(own) if is_change else 0)]


def portions(calls: Sequence[Call]) -> Iterator[MergedCalls | Call]:
    """Cut *calls* in order: into several that one merged statement can do, and single ones."""
    for merge, neighbours in groupby(calls, merge_of):
        same = list(neighbours)
        begin = 0
        if merge is not None:
            for size in MERGE_SIZES:
                while len(same) - begin >= size:
                    yield MergedCalls(same[begin : begin + size], merge)
                    begin += size
        yield from same[begin:]


def merge_of(call: Call) -> Merge | None:
    """Return how *call* can run together with others of its statement; ``None`` if it cannot."""
    # Whoever asks how long each statement took is told of each.
    if len(call.unit) == 1 and call.record is None:
        return call.unit[0].statement.merge
    return None
