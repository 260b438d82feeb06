"""What every transport promises: it sends batches to a server and returns the replies."""

from __future__ import annotations

from typing import Protocol

from memrepo.connection.hrana.batch import Batch, BatchReply

__all__ = ["Stream", "Transport"]


class Stream(Protocol):
    """One connection to the database on the server, which can hold a transaction."""

    async def run(self, batch: Batch, *, timeout_s: float, is_last: bool = False) -> BatchReply:
        """Run a batch; with *is_last* the stream ends with it. One at a time; raises as `Transport.run`."""
        ...

    @property
    def is_usable(self) -> bool:
        """Whether it can take a batch, as far as the client knows."""
        ...

    async def abandon(self) -> None:
        """End it; a transaction that is open is rolled back by the server."""
        ...


class Transport(Protocol):
    """The way to one database on one server. It raises only errors of memrepo."""

    async def run(self, batch: Batch, *, timeout_s: float) -> BatchReply:
        """
        Run a batch that reads, on a stream of its own; it sees this store's last write.

        Raises:
            MemrepoError: There is no reply; ``outcome_unknown`` tells whether the batch may have run.
        """
        ...

    async def run_large(self, batch: Batch, *, timeout_s: float) -> BatchReply:
        """Run a batch of one SELECT whose reply is larger than `run` can take."""
        ...

    def stream(self) -> Stream:
        """Return a new stream, for writes, which its first batch opens."""
        ...

    async def server_version(self, *, timeout_s: float) -> str:
        """Return what the server calls itself: ``sqld 0.24.32``; ``""`` if it does not say."""
        ...

    @property
    def protocol(self) -> str:
        """What it speaks: ``hrana3-http``, ``hrana2-http`` or ``hrana2-ws``."""
        ...

    async def close(self) -> None:
        """Close all connections and wait until they are closed."""
        ...

    def forget(self) -> None:
        """Close without waiting, if `close` was forgotten."""
        ...
