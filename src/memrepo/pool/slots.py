"""Track which tenants' stores are open, who uses them, and who waits."""

from __future__ import annotations

import asyncio
from asyncio import CancelledError, Event, Future, Task
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context
from copy import copy
from typing import Any

import attrs

from memrepo.connection.waiting import OwnTask, attend, see
from memrepo.errors import BusyError, ClosedError, ConflictError
from memrepo.store import Store

__all__ = ["Slot", "Slots", "store_of"]


@attrs.define(eq=False)
class Slot:
    """One tenant's store, from before it is opened until it is closed."""

    tenant: str
    #: How many tasks have acquired and not released it; some may still wait until it is open.
    n_users: int = 0
    opening: Task[None] | None = None
    #: Set when it is open, or could not be opened.
    opened: Event = attrs.field(factory=Event)
    store: Store | None = None
    error: BaseException | None = None
    #: When the last user released it, by the pool's clock.
    idle_since: float = 0.0
    #: It is no longer acquired, and is closed when its last user releases it.
    is_spent: bool = False
    #: Closes it, or erases the database.
    closing: OwnTask[None] | None = None

    @property
    def is_idle(self) -> bool:
        """Whether it is open and nobody uses it."""
        return self.store is not None and self.n_users == 0 and self.closing is None

    @property
    def is_lost(self) -> bool:
        """Whether its store has lost its file."""
        return self.store is not None and self.store.is_lost


class Slots:
    """
    The slots of a pool, one for each tenant whose store is open, opens or closes.

    `_advance` runs after every change of a slot or of the queue. It alone decides who gets a slot, and
    which stores are opened, closed to make room, or closed because they were idle for too long.
    """

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
        #: Those whose stores have lost their files, while somebody still uses them.
        self._lost: list[Slot] = []
        #: The tasks that wait for a slot, in order, each with its tenant.
        self._queue: dict[Future[Slot], str] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._closing: OwnTask[None] | None = None

    def __repr__(self) -> str:
        """Show how many stores are open."""
        return f"{len(self._slots)} of {self._max_open} open"

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called."""
        return self._closing is not None

    # --- users ---------------------------------------------------------------------------------

    async def acquire(self, tenant: str) -> Slot:
        """
        Wait for the tenant's slot; its store may still be opening. Give it back with `release`.

        Raises:
            BusyError: No slot was free in time.
            ClosedError: The pool was closed meanwhile.
        """
        place: Future[Slot] = asyncio.get_running_loop().create_future()
        self._queue[place] = tenant
        self._advance()
        try:
            async with asyncio.timeout(self._wait_s):
                return await place
        except TimeoutError:
            self._leave_queue(place)
            raise BusyError(
                f"all {self._max_open} stores of the pool were in use for {self._wait_s:g} s"
            ) from None
        except CancelledError:
            self._leave_queue(place)
            raise

    def _leave_queue(self, place: Future[Slot]) -> None:
        if place in self._queue:
            del self._queue[place]
        elif place.exception() is None:
            self.release(place.result())

    def release(self, slot: Slot) -> None:
        """Give a slot back."""
        slot.n_users -= 1
        slot.idle_since = self._monotonic()
        self._advance()

    # --- advancing -----------------------------------------------------------------------------

    def _advance(self) -> None:
        """Serve the queue, close the stores that need not stay open, and set the timer. Idempotent."""
        for place, tenant in list(self._queue.items()):
            # A place whose task was cancelled is done, and its task is about to leave the queue.
            if place.done():
                continue
            if self.is_closed:
                del self._queue[place]
                place.set_exception(ClosedError("the pool is closed"))
                see(place)  # where its task is gone, nobody else does
            else:
                self._serve(place, tenant)
        # After the queue, so that a store that is wanted again stays open, however long it was idle.
        now = self._monotonic()
        for slot in (*self._slots.values(), *self._lost):
            is_done = self.is_closed or slot.is_spent or slot.is_lost or self._is_old(slot, now)
            if slot.is_idle and is_done:
                self._close_slot(slot)
        self._set_timer(now)

    def _is_old(self, slot: Slot, now: float) -> bool:
        return now - slot.idle_since >= self._idle_s

    def _serve(self, place: Future[Slot], tenant: str) -> None:
        """Give the waiting task its tenant's slot, or make room for one."""
        # A slot that is there is given at once, even if others have waited for longer for room, and may wait in vain.
        # Behind them, a block would wait for itself that waits for another task to open its tenant, and one tenant
        # too many would stop all others, until a block of theirs happens to end.
        slot = self._slots.get(tenant)
        if slot is not None and slot.is_lost and slot.closing is None:
            # Its users may stay for long. It does no harm beside a new one, as it touches no file any more.
            self._lost.append(self._slots.pop(tenant))
            slot = None
        if slot is None and len(self._slots) < self._max_open:
            slot = self._start(tenant)
        if slot is None:
            self._evict()
        elif not slot.is_spent and slot.closing is None:
            del self._queue[place]
            slot.n_users += 1
            place.set_result(slot)

    def _evict(self) -> None:
        """Close the store that was idle for the longest time, unless one is already being closed."""
        if all(slot.closing is None for slot in self._slots.values()):
            idle = [slot for slot in self._slots.values() if slot.is_idle]
            if idle:
                self._close_slot(min(idle, key=lambda slot: slot.idle_since))

    def _set_timer(self, now: float) -> None:
        """Advance again when the next store has been idle for too long."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        idle = [slot.idle_since for slot in self._slots.values() if slot.is_idle]
        if idle:
            delay_s = min(idle) + self._idle_s - now
            self._timer = asyncio.get_running_loop().call_later(delay_s, self._advance)

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
        self._advance()

    def _close_slot(self, slot: Slot) -> OwnTask[None]:
        if slot.closing is None:
            slot.closing = _spawn(self._remove(slot, _close(slot)))
        return slot.closing

    async def _remove(self, slot: Slot, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        finally:
            if slot in self._lost:
                self._lost.remove(slot)
            else:
                del self._slots[slot.tenant]
            self._advance()

    async def close(self) -> None:
        """Refuse waiting tasks, and close all stores; a cancelled call still closes them."""
        if self._closing is None or self._closing.cancelled():
            self._closing = _spawn(self._close_all())
            self._advance()
        await attend(self._closing)

    async def _close_all(self) -> None:
        slots = [*self._slots.values(), *self._lost]
        for slot in slots:
            if slot.closing is None:
                await slot.opened.wait()
        work = {slot: self._close_slot(slot) for slot in slots if slot.error is None}
        if work:
            await asyncio.wait(work.values())
        for slot in slots:
            # A store that is still there could not be closed. A failed erase is reported to its caller.
            if slot.store is not None:
                work[slot].result()

    async def without(self, tenant: str, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """
        Close the tenant's store, and do *work* before anybody can open it again.

        Raises:
            ConflictError: The store is in use.
        """
        while (slot := self._slots.get(tenant)) is not None and not slot.is_idle:
            if slot.n_users:
                raise ConflictError("the tenant's store is in use")
            if slot.closing is None:
                await slot.opened.wait()
            else:
                await asyncio.wait({slot.closing})
            if self.is_closed:
                raise ClosedError("the pool is closed")
        if slot is None:
            slot = self._slots[tenant] = Slot(tenant)
        slot.closing = _spawn(self._remove(slot, _close_and(slot, work)))
        await attend(slot.closing)


async def store_of(slot: Slot) -> Store:
    """Wait until the slot's store is open, and return it; raise what opening it raised."""
    await slot.opened.wait()
    if slot.error is not None:
        # A copy for each block: a shared one would collect the tracebacks of all.
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


def _spawn(work: Coroutine[Any, Any, None]) -> OwnTask[None]:
    """Run *work* in a task of its own, outside the caller's transactions."""
    # Not by `create_task`: with `asyncio.eager_task_factory` the work would begin at once, and change the
    # slots while the caller changes them.
    return OwnTask(work, loop=asyncio.get_running_loop(), context=Context())
