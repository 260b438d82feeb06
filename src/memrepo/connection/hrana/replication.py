"""
Read your own writes at a replica: how far it must have come before it answers.

A primary numbers what it commits, and the reply to a write carries its number: the replication
index. A read that is sent with an index is answered once the replica has got there. A primary that
was killed counts anew, so the mark is the index of the last write, not the highest one.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

import attrs

from memrepo.connection.hrana.batch import Batch, BatchReply
from memrepo.connection.hrana.errors import deadline
from memrepo.errors import DeadlineError

__all__ = ["ReplicationMark", "run_after_last_write"]

#: Seconds that a read waits for a replica to reach this store's last write.
_WAIT_S: Final = 5.0

#: Sends a batch once, with a replication index or without, and waits some seconds for the reply.
_Send: TypeAlias = Callable[[Batch, int | None, float], Awaitable[BatchReply]]


@attrs.define
class ReplicationMark:
    """The replication index of this store's last write."""

    #: ``None`` while nothing was written, or where there are no replicas.
    index: int | None = None

    def wrote(self, reply: BatchReply) -> None:
        """Remember the index of a write."""
        if reply.index is not None:
            self.index = reply.index


async def run_after_last_write(
    mark: ReplicationMark, send: _Send, batch: Batch, timeout_s: float
) -> BatchReply:
    """
    Run a batch that reads, so that it sees this store's last write.

    Raises:
        DeadlineError: The replica does not reach the write. Later reads are sent without the mark.
    """
    index = mark.index
    if index is None:
        return await send(batch, None, timeout_s)
    wait_s = min(timeout_s / 2, _WAIT_S)
    try:
        return await send(batch, index, wait_s)
    except DeadlineError:
        # It may just be a long read. Or the replica has lost its primary: such replicas were seen to
        # wait without end for an index that they had already reached.
        reply = await send(batch, None, timeout_s - wait_s)
    if reply.index is None or reply.index < index:
        mark.index = None
        raise deadline(None)
    return reply
