"""Stop a caller between two units."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from memrepo.connection.contract import Connection, Result
from memrepo.domain.codec import Row
from memrepo.queries.statement import BoundStatement, Unit

__all__ = ["Cancelled"]


class Cancelled:
    """A connection that stops its caller at the n-th unit that is to be written."""

    def __init__(self, inner: Connection, countdown: int) -> None:
        self.inner = inner
        self.countdown = countdown

    async def read(self, statement: BoundStatement) -> list[Row]:
        """Run a SELECT."""
        return await self.inner.read(statement)

    async def give_way(self) -> bool:
        """Let others run."""
        return await self.inner.give_way()

    async def write(self, unit: Unit) -> Sequence[Result]:
        """Run a unit, unless it is the n-th."""
        self.countdown -= 1
        if self.countdown == 0:
            raise asyncio.CancelledError
        return await self.inner.write(unit)
