"""What a transport promises: batches to a server and replies back, whatever lies between."""

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
        """Whether it is open, as far as this side knows."""
        ...

    async def abandon(self) -> None:
        """End it without asking what becomes of its transaction: the server rolls it back."""
        ...


class Transport(Protocol):
    """The way to one database on one server. Whatever it raises is an error of ours."""

    async def run(self, batch: Batch, *, timeout_s: float) -> BatchReply:
        """
        Run a batch on a stream of its own.

        Raises:
            MemrepoError: There is no reply; ``outcome_unknown`` says whether it may have run.
        """
        ...

    async def run_large(self, batch: Batch, *, timeout_s: float) -> BatchReply:
        """Run a batch of one SELECT whose reply is larger than `run` can take."""
        ...

    def stream(self) -> Stream:
        """Return a new stream; its first batch opens it."""
        ...

    async def server_version(self, *, timeout_s: float) -> str:
        """Return what the server calls itself: ``sqld 0.24.32``; ``""`` if it does not say."""
        ...

    @property
    def protocol(self) -> str:
        """What it speaks: ``hrana3-http``, ``hrana2-http`` or ``hrana2-ws``."""
        ...

    async def close(self) -> None:
        """End everything that is open."""
        ...

    def forget(self) -> None:
        """Let go without waiting, for a close that was forgotten."""
        ...
