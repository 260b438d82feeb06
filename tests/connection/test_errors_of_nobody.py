"""An error that nobody waits for any more: asyncio never complains that it was not retrieved."""

from __future__ import annotations

import asyncio
import gc
from asyncio import AbstractEventLoop
from collections.abc import Callable, Coroutine, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

import memrepo
from memrepo.connection import waiting
from memrepo.connection.waiting import OwnTask


@contextmanager
def no_complaints(loop: AbstractEventLoop) -> Iterator[None]:
    """Fail if the event loop is told of an error."""
    complaints: list[str] = []
    loop.set_exception_handler(lambda _, context: complaints.append(str(context["message"])))
    try:
        yield
        gc.collect()
    finally:
        loop.set_exception_handler(None)
    assert complaints == []


async def _fail_after(moment: asyncio.Event) -> None:
    await moment.wait()
    raise OSError("nobody hears of it")


async def _spin() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


Wait = Callable[[Coroutine[Any, Any, None]], Coroutine[Any, Any, None]]


async def _attend(work: Coroutine[Any, Any, None]) -> None:
    await waiting.attend(OwnTask(work, loop=asyncio.get_running_loop()))


async def _settle(work: Coroutine[Any, Any, None]) -> None:
    await waiting.settle(OwnTask(work, loop=asyncio.get_running_loop()))


async def _finish(work: Coroutine[Any, Any, None]) -> None:
    await waiting.finish(work)


@pytest.mark.asyncio
@pytest.mark.parametrize("wait", [_attend, _settle, _finish])
async def test_whose_waiter_is_gone(wait: Wait) -> None:
    """The one who waits was dropped in the middle, as by a closed event loop; then the work fails."""
    moment = asyncio.Event()
    with no_complaints(asyncio.get_running_loop()):
        waiter = wait(_fail_after(moment))
        waiter.send(None)
        await _spin()
        waiter.close()
        moment.set()
        await _spin()
        del waiter


@pytest.mark.asyncio
@pytest.mark.parametrize("wait", [_attend, _settle, _finish])
async def test_whose_waiter_was_cancelled(wait: Wait) -> None:
    """A cancellation is all that its task is told of, whenever the work fails."""
    for n_steps in range(4):
        moment = asyncio.Event()
        with no_complaints(asyncio.get_running_loop()):
            waiter = asyncio.ensure_future(wait(_fail_after(moment)))
            await _spin()
            if n_steps:
                moment.set()
            for _ in range(n_steps - 1):
                await asyncio.sleep(0)
            waiter.cancel()
            moment.set()
            with suppress(asyncio.CancelledError, OSError):
                await waiter
            await _spin()
            del waiter


def test_whose_loop_was_closed() -> None:
    """The work failed in the last moment of the event loop, which calls no callback any more."""
    with closing(asyncio.new_event_loop()) as loop, no_complaints(loop):
        own = OwnTask(_fail_at_once(loop), loop=loop)
        loop.run_forever()
        loop.close()
        assert own.done()
        del own


async def _fail_at_once(loop: AbstractEventLoop) -> None:
    loop.stop()
    raise OSError("nobody hears of it")


@pytest.mark.asyncio
async def test_of_a_place_in_a_pool(tmp_path: Path) -> None:
    """A block that waited for a store was dropped in the middle; then the pool is closed."""
    with no_complaints(asyncio.get_running_loop()):
        pool = memrepo.StorePool(tmp_path / "{tenant}.db", max_open=1)
        async with pool.open("ada"):
            waiter = pool._slots.acquire("grace")
            waiter.send(None)
            waiter.close()
            closing_pool = asyncio.ensure_future(pool.close())
            await _spin()
        await closing_pool
        del waiter, pool
