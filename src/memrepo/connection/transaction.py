"""An explicit transaction: holds the writer for a block."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, Self

from memrepo.connection import watching
from memrepo.connection.affinity import open_transactions
from memrepo.connection.contract import Result
from memrepo.connection.pending import Turn
from memrepo.domain.codec import Row
from memrepo.errors import TransactionError
from memrepo.queries.statement import BoundStatement, Unit, check_read

__all__ = ["TransactionConnection"]


class _Owner(Protocol):
    """The connection a transaction is on."""

    async def begin(self, timeout_s: float | None) -> Turn: ...
    async def run_in_transaction(self, turn: Turn, unit: Unit) -> list[Result]: ...
    async def end(self, turn: Turn, *, commit: bool) -> None:
        """Commit or roll back, even if the task is cancelled meanwhile, and release the writer."""
        ...


class TransactionConnection:
    """
    ``async with`` begins it; the end of the block commits it, and any exception rolls it back.

    Calls from several tasks run one after another. If a call fails, only that call is undone, and the
    block may go on.
    """

    def __init__(self, owner: _Owner, timeout_s: float | None) -> None:
        #: The connection it is on.
        self.owner: object = owner
        #: Whether the block is running.
        self.is_open: bool = False
        self._connection = owner
        self._timeout_s = timeout_s
        self._turn: Turn | None = None

    def __str__(self) -> str:
        """Return the name of the database, for logs."""
        return str(self.owner)

    async def __aenter__(self) -> Self:
        """Wait for the writer and take the write lock."""
        self._turn = await self._connection.begin(self._timeout_s)
        self.is_open = True
        open_transactions.set((*open_transactions.get(), self))
        if watching.on_open is not None:
            watching.on_open(self)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Commit, or roll back after an exception; either way, release the writer."""
        self.is_open = False
        open_transactions.set(tuple(tx for tx in open_transactions.get() if tx is not self))
        if isinstance(error, GeneratorExit) and not _is_loop_running():
            return  # the task was thrown away with its loop: nothing can be awaited any more
        if self._turn is not None:
            await self._connection.end(self._turn, commit=kind is None)

    async def write(self, unit: Unit) -> Sequence[Result]:
        """Run *unit* inside the transaction; if it fails, only the unit is undone."""
        return await self._run(unit)

    async def read(self, statement: BoundStatement) -> list[Row]:
        """Run one SELECT; it sees what the transaction has written."""
        check_read(statement)
        return (await self._run((statement,)))[0].rows

    async def give_way(self) -> bool:
        """Return at once: who waits has the writer."""
        return False

    async def _run(self, unit: Unit) -> list[Result]:
        if not self.is_open or self._turn is None:
            raise TransactionError("the transaction has ended")
        return await self._connection.run_in_transaction(self._turn, unit)


def _is_loop_running() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True
