"""
Read your own writes at a replica: how far it must have come before it answers.

A primary numbers what it commits, and the reply to a write carries its number: the replication
index. A read that is sent with an index is answered once the replica has got there. A primary that
was killed counts anew, so the mark is the index of the last write, not the highest one.
"""

from __future__ import annotations

from typing import Final, Protocol

from memrepo.connection.hrana.batch import Batch, BatchReply
from memrepo.connection.hrana.errors import deadline
from memrepo.errors import DeadlineError

__all__ = ["run_after_last_write"]

#: Seconds that a read waits for a replica to reach this store's last write.
_WAIT_S: Final = 5.0


class _Transport(Protocol):
    """A transport that knows of its writes."""

    #: The replication index of the last write; ``None`` while there is none, or no replica.
    mark: int | None

    async def send_read(self, batch: Batch, index: int | None, timeout_s: float) -> BatchReply:
        """Send a batch once, with a replication index or without, and wait for the reply."""
        ...


async def run_after_last_write(transport: _Transport, batch: Batch, timeout_s: float) -> BatchReply:
    """
    Run a batch that reads, so that it sees this store's last write.

    Raises:
        DeadlineError: The replica does not reach the write. Later reads are sent without the mark.
    """
    index = transport.mark
    if index is None:
        return await transport.send_read(batch, None, timeout_s)
    wait_s = min(timeout_s / 2, _WAIT_S)
    try:
        return await transport.send_read(batch, index, wait_s)
    except DeadlineError:
        # It may just be a long read. Or the replica has lost its primary: such replicas were seen to
        # wait without end for an index that they had already reached.
        reply = await transport.send_read(batch, None, timeout_s - wait_s)
    if reply.index is None or reply.index < index:
        transport.mark = None
        raise deadline(None)
    return reply
