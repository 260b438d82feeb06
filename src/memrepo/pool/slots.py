"""Who has which tenant's store: opened once, shared, closed when idle, and given out in order."""

from __future__ import annotations

import asyncio
from asyncio import CancelledError, Event, Future, Task
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context
from copy import copy
from typing import Any

import attrs

from memrepo.errors import BusyError, ClosedError, ConflictError
from memrepo.store import Store

__all__ = ["Leases", "Slot", "store_of"]


@attrs.define(eq=False)
class Slot:
    """The place of one tenant's store, from before it is opened until it is closed."""

    tenant: str
    #: Leases that have it, or wait until it is open.
    n_leases: int = 0
    opening: Task[None] | None = None
    #: Set when it is open, or could not be opened.
    opened: Event = attrs.field(factory=Event)
    store: Store | None = None
    error: BaseException | None = None
    #: When the last lease ended, by the pool's clock.
    idle_since: float = 0.0
    #: It is of no more use: nobody gets it, and the last to leave closes it.
    is_spent: bool = False
    #: Closes it, or erases the database.
    closing: Task[None] | None = None

    @property
    def is_idle(self) -> bool:
        """Whether it is open and nobody has it."""
        return self.store is not None and self.n_leases == 0 and self.closing is None


@attrs.define(eq=False)
class _Turn:
    """A lease that waits for a place."""

    tenant: str
    place: Future[Slot]


class Leases:
    """The open stores of a pool, each in its slot, and those who wait for one."""

    def __init__(
        self,
        open_store: Callable[[str], Awaitable[Store]],
        *,
        max_open: int,
        idle_s: float,
        wait_s: float,
        monotonic: Callable[[], float],
    ) -> None:
        self._open_store = open_store
        self._max_open = max_open
        self._idle_s = idle_s
        self._wait_s = wait_s
        self._monotonic = monotonic
        self._slots: dict[str, Slot] = {}
        self._waiting: deque[_Turn] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._closing: Task[None] | None = None

    def __repr__(self) -> str:
        """Tell how full it is."""
        return f"{len(self._slots)} of {self._max_open} open"

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called."""
        return self._closing is not None

    # --- leases --------------------------------------------------------------------------------

    async def lease(self, tenant: str) -> Slot:
        """
        Wait for the tenant's slot; its store may still be opening. Give it back with `release`.

        Raises:
            BusyError: There was no place in time.
            ClosedError: The pool was closed meanwhile.
        """
        turn = _Turn(tenant, asyncio.get_running_loop().create_future())
        self._waiting.append(turn)
        self._pump()
        if turn.place.done():
            return turn.place.result()
        try:
            async with asyncio.timeout(self._wait_s):
                return await turn.place
        except TimeoutError:
            self._give_up(turn)
            raise BusyError("no store of the pool was free in time") from None
        except CancelledError:
            self._give_up(turn)
            raise

    def _give_up(self, turn: _Turn) -> None:
        if _is_granted(turn.place):
            self.release(turn.place.result())
        else:
            self._pump()

    def _try(self, tenant: str) -> Slot | None:
        """Return a place if there is one now; if not, see that there will be one, if possible."""
        slot = self._slots.get(tenant)
        if slot is None:
            if len(self._slots) >= self._max_open:
                self._evict()
                return None
            slot = self._start(tenant)
        elif slot.closing is not None or slot.is_spent:
            return None
        slot.n_leases += 1
        return slot

    def release(self, slot: Slot) -> None:
        """Give a slot back."""
        slot.n_leases -= 1
        if slot.is_idle:
            slot.idle_since = self._monotonic()
            if slot.is_spent or self.is_closed:
                self._close_slot(slot)
        self._sweep()

    def _pump(self) -> None:
        """Give places to those that wait, in their order. Whoever comes later waits behind them."""
        for turn in list(self._waiting):
            if not turn.place.done():
                slot = self._try(turn.tenant)
                if slot is None:
                    continue
                turn.place.set_result(slot)
            self._waiting.remove(turn)

    # --- opening and closing -------------------------------------------------------------------

    def _start(self, tenant: str) -> Slot:
        slot = self._slots[tenant] = Slot(tenant)
        slot.opening = _spawn(self._open_slot(slot))
        return slot

    async def _open_slot(self, slot: Slot) -> None:
        try:
            slot.store = await self._open_store(slot.tenant)
        except BaseException as error:  # noqa: BLE001 - raised in each block that waits for it
            slot.error = error
            del self._slots[slot.tenant]
        slot.idle_since = self._monotonic()
        slot.opened.set()
        self._sweep()

    def _evict(self) -> None:
        """Close the store that was idle for the longest time, unless one is being closed already."""
        if not any(slot.closing is not None for slot in self._slots.values()):
            idle = [slot for slot in self._slots.values() if slot.is_idle]
            if idle:
                self._close_slot(min(idle, key=lambda slot: slot.idle_since))

    def _sweep(self) -> None:
        """Close what was idle for too long, see to it that it is done next time, and let others in."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = self._monotonic()
        idle = [slot for slot in self._slots.values() if slot.is_idle]
        for slot in idle:
            if now - slot.idle_since >= self._idle_s:
                self._close_slot(slot)
        left = [slot.idle_since for slot in idle if slot.is_idle]
        if left and not self.is_closed:
            delay = max(min(left) + self._idle_s - now, 0)
            self._timer = asyncio.get_running_loop().call_later(delay, self._sweep)
        self._pump()

    def _close_slot(self, slot: Slot) -> Task[None]:
        if slot.closing is None:
            slot.closing = _spawn(self._leave(slot, _close(slot)))
        return slot.closing

    async def _leave(self, slot: Slot, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        finally:
            del self._slots[slot.tenant]
            self._sweep()

    async def close(self) -> None:
        """Refuse those that wait, and close all stores; a cancelled call closes all the same."""
        if self._closing is None:
            self._closing = _spawn(self._close_all())
            if self._timer is not None:
                self._timer.cancel()
            for turn in self._waiting:
                if not turn.place.done():
                    turn.place.set_exception(ClosedError("the pool is closed"))
            self._waiting.clear()
        await asyncio.shield(self._closing)

    async def _close_all(self) -> None:
        slots = list(self._slots.values())
        for slot in slots:
            if slot.closing is None:
                await slot.opened.wait()
        work = {slot.tenant: self._close_slot(slot) for slot in slots if slot.error is None}
        if work:
            await asyncio.wait(work.values())
        for slot in slots:
            # Its store is still there if it could not be closed. What came after is told to who asked.
            if slot.store is not None:
                work[slot.tenant].result()

    async def without(self, tenant: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """
        Do *work* when the tenant's store is closed, and before anybody can open it.

        Raises:
            ConflictError: Somebody has it.
        """
        while (slot := self._slots.get(tenant)) is not None and not slot.is_idle:
            if slot.n_leases:
                raise ConflictError("the tenant's store is in use")
            if slot.closing is None:
                await slot.opened.wait()
            else:
                await asyncio.wait({slot.closing})
            if self.is_closed:
                raise ClosedError("the pool is closed")
        if slot is None:
            slot = self._slots[tenant] = Slot(tenant)
        slot.closing = _spawn(self._leave(slot, _close_and(slot, work)))
        await asyncio.shield(slot.closing)


async def store_of(slot: Slot) -> Store:
    """Wait until the slot's store is open; raises what opening it raised."""
    await slot.opened.wait()
    if slot.error is not None:
        # Each block raises one of its own.
        raise copy(slot.error) from slot.error
    if slot.store is None:
        raise ClosedError("the pool is closed")
    return slot.store


async def _close(slot: Slot) -> None:
    if slot.store is not None:
        await slot.store.close()
        slot.store = None


async def _close_and(slot: Slot, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    await _close(slot)
    await work()


def _is_granted(place: Future[Slot]) -> bool:
    return place.done() and not place.cancelled() and place.exception() is None


def _spawn(work: Coroutine[Any, Any, None]) -> Task[None]:
    """Run *work* in a task of its own, without the transactions that the caller may be inside of."""
    # Not by `create_task`: where tasks begin when they are made (`asyncio.eager_task_factory`), it would
    # change the slots while its caller does.
    task = Task(work, loop=asyncio.get_running_loop(), context=Context())
    task.add_done_callback(_mark_as_seen)
    return task


def _mark_as_seen(task: Task[None]) -> None:
    if not task.cancelled():
        task.exception()
