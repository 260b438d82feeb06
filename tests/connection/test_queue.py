"""The queue in front of a worker, where a store's own calls cannot time it."""

from __future__ import annotations

import asyncio
import math

import pytest

from memrepo.connection.queue import MAX_WAITING, CallQueue
from memrepo.errors import BusyError

pytestmark = pytest.mark.asyncio


async def test_cancelled_after_a_refusal_gives_nothing_back() -> None:
    """A waiter that is refused and cancelled in one moment never frees what another holds."""
    queue = CallQueue()
    holder = await queue.take(math.inf)
    waiter = asyncio.create_task(queue.take(math.inf))
    await asyncio.sleep(0)
    queue.refuse()
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    other = asyncio.create_task(queue.take(math.inf))
    await asyncio.sleep(0)
    assert not other.done()
    queue.release(holder)
    await other


async def test_cancelled_calls_leave_the_queue() -> None:
    """However many calls were cancelled behind a long transaction, there is room for the next."""
    queue = CallQueue()
    await queue.take(math.inf)
    for _ in range(MAX_WAITING):
        queue.run((), math.inf, None).future.cancel()
    waiting = [queue.run((), math.inf, None) for _ in range(MAX_WAITING)]
    with pytest.raises(BusyError):
        queue.run((), math.inf, None)
    assert not any(call.is_over for call in waiting)


async def test_cancelled_after_its_turn_came_hands_the_queue_on() -> None:
    """A waiter that is given the queue and cancelled in one moment gives it to the next."""
    queue = CallQueue()
    holder = await queue.take(math.inf)
    waiter = asyncio.create_task(queue.take(math.inf))
    other = asyncio.create_task(queue.take(math.inf))
    await asyncio.sleep(0)
    queue.release(holder)
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    await other
