"""`IndexKeeper`: has the search index catch up when nobody else writes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from functools import partial
from typing import Final
from weakref import ref

from memrepo.connection.contract import Driver, Result
from memrepo.connection.waiting import OwnTask
from memrepo.domain.codec import Row
from memrepo.errors import ClosedError, MemrepoError
from memrepo.index.index import SearchIndex
from memrepo.queries.statement import BoundStatement, Unit

__all__ = ["IndexKeeper"]

_logger = logging.getLogger(__name__)

#: Seconds without a write after which the index catches up.
_QUIET_S: Final = 0.1
#: Looks in a row that found no quiet, after which a slice is taken in all the same: once in two seconds.
_MOST_LOOKS: Final = 20
#: Rows pending that are too many: then slices go on between the writes, `_QUIET_S` after one for which a write waited,
#: so that of writes that follow each other fewer than one in a hundred wait.
_TOO_MANY: Final = 10_000


class IndexKeeper:
    """
    Looks after the search index of one store.

    It does nothing before the index was made, and then only after somebody has written: no timer runs for long.
    """

    def __init__(self, driver: Driver, index: SearchIndex) -> None:
        self._driver = driver
        self._index = index
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._work: OwnTask[None] | None = None
        self._is_stopped = False
        #: How often the writer became free, and how often at the last look.
        self._n_told = self._n_seen = 0
        self._n_looks = 0
        self._is_disturbed = self._has_more = False
        # Weak, so that a store that is thrown away unclosed is noticed at once.
        index.when_made = partial(_ask, ref(self), IndexKeeper.begin)
        if index.tokenizer is not None:
            self.begin()

    def begin(self) -> None:
        """Begin to look after the index, which was made; there may be something pending. Idempotent."""
        self._driver.call_when_free(partial(_ask, ref(self), IndexKeeper.tell))
        self.tell()

    def tell(self) -> None:
        """Look soon: something may be pending."""
        self._n_told += 1
        if self._timer is None and self._work is None:
            self._look_soon()

    async def stop(self) -> None:
        """Do nothing any more; what is pending stays so. The driver is closed."""
        self._is_stopped = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._work is not None:
            await asyncio.wait({self._work})

    def _look_soon(self) -> None:
        if not self._is_stopped:
            # In a context of its own: that of a transaction would let it do nothing outside.
            look = partial(_ask, ref(self), IndexKeeper.look)
            self._timer = self._loop.call_later(_QUIET_S, look, context=Context())

    def look(self) -> None:
        """Begin to work, if nobody has written since the last look, or if that was long ago."""
        self._timer = None
        is_quiet = self._n_seen == self._n_told
        self._n_seen = self._n_told
        self._n_looks += 1
        if is_quiet or self._n_looks >= _MOST_LOOKS:
            self._n_looks = 0
            self._work = OwnTask(self._catch_up(), loop=self._loop)
            self._work.add_done_callback(self._end)
        else:
            self._look_soon()

    async def _catch_up(self) -> None:
        if not await self._index.is_ready():
            return
        pending = await self._index.n_pending()
        n_left = sum(pending.values())
        self._has_more = n_left > 0
        async for n_taken in self._index.slices(self, pending=pending):
            n_left -= n_taken
            if self._is_disturbed and n_left > _TOO_MANY:
                await asyncio.sleep(_QUIET_S)
            elif self._is_disturbed:
                return
            if self._is_stopped:
                return
        async for _ in self._index.merges(self):
            if self._is_stopped or self._is_disturbed:
                self._has_more = True
                return

    async def write(self, unit: Unit) -> Sequence[Result]:
        """Run a slice, and notice whether others wait for the writer, which then is not free after it."""
        n_before = self._n_told
        results = await self._driver.write(unit)
        self._is_disturbed = self._n_told == n_before
        return results

    def give_way(self) -> Awaitable[bool]:
        """Let others run."""
        return self._driver.give_way()

    def read(self, statement: BoundStatement) -> Awaitable[list[Row]]:
        """Run one SELECT."""
        return self._driver.read(statement)

    def _end(self, work: OwnTask[None]) -> None:
        self._work = None
        error = None if work.cancelled() else work.exception()
        if error is not None:
            is_closed = self._is_stopped or isinstance(error, ClosedError)
            if not is_closed and not getattr(error, "retryable", False):
                _logger.warning("%s: the search index does not catch up: %s", self._driver, error)
            if not isinstance(error, MemrepoError):
                raise error
        elif self._has_more:
            self._has_more = False
            self._look_soon()


def _ask(weak: ref[IndexKeeper], do: Callable[[IndexKeeper], None]) -> None:
    if (keeper := weak()) is not None:
        do(keeper)
