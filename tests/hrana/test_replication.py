"""Reads after the last write, without a server: what is sent with which index, and what is given up."""

from __future__ import annotations

import attrs
import pytest

from memrepo import DeadlineError
from memrepo.connection.hrana.batch import Batch, BatchReply, Step
from memrepo.connection.hrana.errors import deadline
from memrepo.connection.hrana.replication import ReplicationMark, run_after_last_write

pytestmark = pytest.mark.asyncio

_READ = Batch([Step("SELECT 1")], [slice(0, 1)], 0)


@attrs.define
class Replica:
    """A replica that has come to an index, and answers what it can answer."""

    index: int | None
    #: The index and the timeout of each batch that was sent.
    sent: list[tuple[int | None, float]] = attrs.field(factory=list)

    async def send(self, _batch: Batch, index: int | None, timeout_s: float) -> BatchReply:
        self.sent.append((index, timeout_s))
        if index is not None and (self.index is None or self.index < index):
            raise deadline(None)
        return _reply(self.index)


def _reply(index: int | None) -> BatchReply:
    return BatchReply([{}], [None], index=index)


async def test_without_replicas() -> None:
    """Replies without an index leave no mark, and every batch has its whole time."""
    mark, server = ReplicationMark(), Replica(None)
    mark.wrote(_reply(None))
    for _ in range(2):
        await run_after_last_write(mark, server.send, _READ, 30.0)
    assert server.sent == [(None, 30.0), (None, 30.0)]


async def test_last_write_decides() -> None:
    """A read carries the index of the last write, also where the primary has begun to count anew."""
    mark, replica = ReplicationMark(), Replica(9)
    mark.wrote(_reply(7))
    mark.wrote(_reply(3))
    await run_after_last_write(mark, replica.send, _READ, 30.0)
    assert replica.sent == [(3, 5.0)]
    assert mark.index == 3  # a read moves nothing


async def test_replica_that_stays_behind() -> None:
    """It costs one read, which ends in time; the reads after it do without the mark."""
    mark, replica = ReplicationMark(7), Replica(6)
    with pytest.raises(DeadlineError):
        await run_after_last_write(mark, replica.send, _READ, 8.0)
    assert replica.sent == [(7, 4.0), (None, 4.0)]
    await run_after_last_write(mark, replica.send, _READ, 8.0)
    assert replica.sent[2:] == [(None, 8.0)]


async def test_replica_that_is_there_and_waits_all_the_same() -> None:
    """A replica that has the write, and does not answer at its index, is read without one."""
    mark = ReplicationMark(7)
    replica = Replica(7)

    async def send(batch: Batch, index: int | None, timeout_s: float) -> BatchReply:
        if index is not None:
            raise deadline(None)
        return await replica.send(batch, index, timeout_s)

    reply = await run_after_last_write(mark, send, _READ, 30.0)
    assert replica.sent == [(None, 25.0)]
    assert (reply.index, mark.index) == (7, 7)
