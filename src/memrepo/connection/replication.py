"""How far a replica must have come, so that a task reads there what it has written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from memrepo.connection.hrana_batch import Batch
from memrepo.errors import DeadlineError

__all__ = ["ReplicationMark"]


class ReplicationMark:
    """
    The place of this store's last write in the primary's log.

    A replica that is asked with it answers when it has got there. A primary that was killed counts
    anew, so it is the last write that decides, not the highest number; and where a replica does not
    get there at all, one read fails, and the next ones do without.
    """

    def __init__(self) -> None:
        #: The place; ``None`` while nothing was written, or where there is no replica.
        self.index: int | None = None

    def wrote(self, index: int | None) -> None:
        """Remember the place of a write."""
        if index is not None:
            self.index = index

    @contextmanager
    def watch(self, batch: Batch) -> Iterator[None]:
        """Give the place up if a read waits for it in vain."""
        try:
            yield
        except DeadlineError:
            if not batch.is_write:
                self.index = None
            raise
