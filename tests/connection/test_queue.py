"""The queue in front of a worker, where a store's own calls cannot time it."""

from __future__ import annotations

import asyncio
import math

import pytest

from memrepo.connection.queue import CallQueue

pytestmark = pytest.mark.asyncio


async def test_cancelled_after_a_refusal_gives_nothing_back() -> None:
    """A waiter that is refused and cancelled in one moment never frees what another holds."""
    queue = CallQueue()
    await queue.take(math.inf)
    waiter = asyncio.create_task(queue.take(math.inf))
    await asyncio.sleep(0)
    queue.refuse()
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    other = asyncio.create_task(queue.take(math.inf))
    await asyncio.sleep(0)
    assert not other.done()
    queue.release()
    await other


async def test_cancelled_after_its_turn_came_hands_the_queue_on() -> None:
    """A waiter that is given the queue and cancelled in one moment gives it to the next."""
    queue = CallQueue()
    await queue.take(math.inf)
    waiter = asyncio.create_task(queue.take(math.inf))
    other = asyncio.create_task(queue.take(math.inf))
    await asyncio.sleep(0)
    queue.release()
    waiter.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter
    await other
