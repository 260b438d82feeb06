"""How far a replica must have come, so that a task reads there what it has written."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from memrepo.connection.hrana.batch import Batch, BatchReply
from memrepo.connection.hrana.errors import deadline
from memrepo.errors import DeadlineError

__all__ = ["ReplicationMark"]

#: Seconds that a read waits for a replica to come up with this store's last write.
_WAIT_S: Final = 5.0

#: Runs the batch at an index, within some seconds.
_Run: TypeAlias = Callable[[int | None, float], Awaitable[BatchReply]]


class ReplicationMark:
    """
    The place of this store's last write in the primary's log.

    A replica that is asked with it answers when it has got there. A primary that was killed counts
    anew, so it is the last write that decides, not the highest number.
    """

    def __init__(self) -> None:
        #: The place; ``None`` while nothing was written, or where there is no replica.
        self.index: int | None = None

    def wrote(self, reply: BatchReply) -> None:
        """Remember the place of a write."""
        if reply.index is not None:
            self.index = reply.index

    async def run(self, batch: Batch, timeout_s: float, run: _Run) -> BatchReply:
        """
        Run a batch, a read not before the last write is there.

        Raises:
            DeadlineError: The replica does not get there. The reads after this one do without.
        """
        if batch.is_write or (mark := self.index) is None:
            reply = await run(None, timeout_s)
            if batch.is_write:
                self.wrote(reply)
            return reply
        wait_s = min(timeout_s / 2, _WAIT_S)
        try:
            return await run(mark, wait_s)
        except DeadlineError:
            # Replicas that have lost their primary have been seen to wait in vain for a place that
            # they had reached; and it may just be a long read.
            reply = await run(None, timeout_s - wait_s)
        if reply.index is None or reply.index < mark:
            self.index = None
            raise deadline(None)
        return reply
