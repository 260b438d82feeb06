"""Reads after the last write, without a server: what is sent with which index, and what is given up."""

from __future__ import annotations

import attrs
import pytest

from memrepo import DeadlineError
from memrepo.connection.hrana.batch import Batch, BatchReply, Step
from memrepo.connection.hrana.errors import deadline
from memrepo.connection.hrana.replication import run_after_last_write

pytestmark = pytest.mark.asyncio

_READ = Batch([Step("SELECT 1")], [slice(0, 1)], 0)


@attrs.define
class Replica:
    """A transport to a replica that has come to an index, and answers what it can answer."""

    #: ``None`` where there are no replicas.
    index: int | None
    #: The store's last write.
    mark: int | None = None
    #: Whether it never answers at an index, even where it has reached it.
    is_stuck: bool = False
    #: The index and the timeout of each batch that was sent.
    sent: list[tuple[int | None, float]] = attrs.field(factory=list)

    async def send_read(self, _batch: Batch, index: int | None, timeout_s: float) -> BatchReply:
        self.sent.append((index, timeout_s))
        if index is not None and (self.is_stuck or self.index is None or self.index < index):
            raise deadline(None)
        return BatchReply([{}], [None], has_succeeded=True, index=self.index)


async def test_without_replicas() -> None:
    """Where nothing has left a mark, every batch has its whole time."""
    server = Replica(None)
    for _ in range(2):
        await run_after_last_write(server, _READ, 30.0)
    assert server.sent == [(None, 30.0), (None, 30.0)]


async def test_read_after_a_write() -> None:
    """A read carries the index of the last write, also where the primary has begun to count anew."""
    replica = Replica(9, mark=3)
    await run_after_last_write(replica, _READ, 30.0)
    assert replica.sent == [(3, 5.0)]
    assert replica.mark == 3  # a read moves nothing


async def test_replica_that_stays_behind() -> None:
    """It costs one read, which ends in time; the reads after it do without the mark."""
    replica = Replica(6, mark=7)
    with pytest.raises(DeadlineError):
        await run_after_last_write(replica, _READ, 8.0)
    assert replica.sent == [(7, 4.0), (None, 4.0)]
    await run_after_last_write(replica, _READ, 8.0)
    assert replica.sent[2:] == [(None, 8.0)]


async def test_replica_that_is_there_and_waits_all_the_same() -> None:
    """A replica that has the write, and does not answer at its index, is read without one."""
    replica = Replica(7, mark=7, is_stuck=True)
    reply = await run_after_last_write(replica, _READ, 30.0)
    assert replica.sent == [(7, 5.0), (None, 25.0)]
    assert (reply.index, replica.mark) == (7, 7)
