"""Keep a connection to its own event loop and process, and calls out of other tasks' transactions."""

from __future__ import annotations

import asyncio
import os
from asyncio import get_running_loop
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from typing import Any, Protocol

from memrepo.connection.errors import require_asyncio
from memrepo.connection.waiting import OwnTask
from memrepo.errors import ClosedError, TransactionError, WrongLoopError

__all__ = ["Affinity", "OpenTransaction", "open_transactions"]


class OpenTransaction(Protocol):
    """A transaction that a task is inside of."""

    #: The connection it is on.
    owner: object
    #: Whether its block is running.
    is_open: bool


#: The transactions this task is inside of; a task started in a block inherits them.
open_transactions: ContextVar[tuple[OpenTransaction, ...]] = ContextVar(
    "memrepo_open_transactions", default=()
)


class _Process:
    """Tells a forked child from its parent, without asking the kernel at every call."""

    n_forks = 0

    @classmethod
    def note_fork(cls) -> None:
        cls.n_forks += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_Process.note_fork)


class Affinity:
    """Remembers where a connection was opened, or a pool first used, and refuses to use it elsewhere."""

    def __init__(self, was: str = "the store was opened", *, instead: str = "open one") -> None:
        """Note where this is; refuse by what *was* done here, and what to do *instead*."""
        self._was = was
        self._instead = instead
        self._loop = get_running_loop()
        self._n_forks = _Process.n_forks
        #: Whether it is closed, or is being closed.
        self.is_closed = False
        self._closing: OwnTask[None] | None = None

    def check(self, owner: object) -> None:
        """
        Raise unless this task may use *owner* now.

        Raises:
            WrongLoopError: Another event loop runs, or this is a forked child.
            ClosedError: *owner* is closed.
            TransactionError: This task is inside a transaction on *owner*.
        """
        # Cheap, because every call passes here; `check_open` finds out what is wrong.
        try:
            is_elsewhere = self._n_forks != _Process.n_forks or get_running_loop() is not self._loop
        except RuntimeError:
            is_elsewhere = True
        if is_elsewhere or self.is_closed:
            self.check_open()
        for transaction in open_transactions.get():
            if transaction.owner is owner and transaction.is_open:
                raise TransactionError(
                    "this task is inside a transaction: use the repositories of its `tx`"
                )

    async def close(self, owner: object, close: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """
        Close *owner* by *close*, once, even if several tasks ask for it or are cancelled meanwhile.

        Raises:
            TransactionError: This task is inside a transaction on *owner*.
            WrongLoopError: Another event loop runs, or this is a forked child.
        """
        if self._closing is None:
            if self.is_closed:
                return
            self.check(owner)
            self.is_closed = True
            self._closing = OwnTask(close(), loop=self._loop)
        else:
            self.check_place()
        await asyncio.wait({self._closing})
        # If it was cancelled, with all tasks of the event loop, it has closed all the same.
        if not self._closing.cancelled():
            self._closing.result()

    def check_open(self) -> None:
        """Raise unless it is open, and used where it was opened."""
        self.check_place()
        if self.is_closed:
            raise ClosedError("the store is closed")

    def check_place(self) -> None:
        """Raise unless the event loop and the process are those of the beginning."""
        if self._n_forks != _Process.n_forks:
            raise WrongLoopError(f"{self._was} before a fork: {self._instead} in this process")
        require_asyncio()
        if get_running_loop() is not self._loop:
            raise WrongLoopError(f"{self._was} in another event loop: {self._instead} in this loop")
