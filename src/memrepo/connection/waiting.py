"""Wait in asyncio: through a cancellation, for a limited time, or in slices."""

from __future__ import annotations

import asyncio
from asyncio import CancelledError, Future
from collections.abc import Callable, Coroutine, Iterable
from itertools import islice
from typing import Any, Final, TypeVar

__all__ = ["GRACE_S", "finish", "leave_to_loop", "list_in_slices", "outlast"]

T = TypeVar("T")

#: Seconds that a cancelled call waits for a server's answer to what it has sent, so that it knows whether
#: it has happened; after that the request is cut off.
GRACE_S: Final = 0.5
#: Items of a slice: with a few microseconds of work for each, about half a millisecond.
_SLICE: Final = 100


async def outlast(future: Future[Any], grace_s: float | None = None) -> None:
    """
    Wait until *future* is done, however often this task is cancelled meanwhile; raises nothing.

    Args:
        future: What to wait for. It is not cancelled.
        grace_s: Seconds to wait at most; ``None`` for no limit.
    """
    loop = asyncio.get_running_loop()
    deadline = None if grace_s is None else loop.time() + grace_s
    while not future.done():
        left_s = None if deadline is None else deadline - loop.time()
        if left_s is not None and left_s <= 0:
            return
        try:
            await asyncio.wait({future}, timeout=left_s)
        except CancelledError:
            continue


async def finish(
    work: Coroutine[Any, Any, T],
    *,
    grace_s: float | None = None,
    undo: Callable[[T], Coroutine[Any, Any, None]] | None = None,
) -> T:
    """
    Await *work* to its end, whatever happens to the task that awaits it.

    If that task is cancelled meanwhile, the cancellation is raised when the work is done.

    Args:
        work: What to do, in a task of its own.
        grace_s: Seconds after a cancellation until the work is cancelled, too; ``None`` for never.
        undo: Called with the result if nobody is left to take it.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except CancelledError:
        await outlast(task, grace_s)
        if not task.done():
            task.cancel()
            await outlast(task)
        # Asking for the exception marks it as seen.
        if not task.cancelled() and task.exception() is None and undo is not None:
            await outlast(asyncio.ensure_future(undo(task.result())))
        raise


async def list_in_slices(items: Iterable[T]) -> list[T]:
    """Make a list of *items*, letting other tasks run after every hundred of them."""
    made: list[T] = []
    source = iter(items)
    while part := list(islice(source, _SLICE)):
        made += part
        await asyncio.sleep(0)
    return made


#: What was left to run by itself; the event loop alone would let go of it.
_left: set[asyncio.Task[None]] = set()


def leave_to_loop(
    loop: asyncio.AbstractEventLoop, close: Callable[[], Coroutine[Any, Any, None]]
) -> bool:
    """Have *loop* close something, whatever thread this is; tell whether it still can."""

    def start() -> None:
        task = loop.create_task(close())
        _left.add(task)
        task.add_done_callback(_left.discard)

    if not loop.is_running():
        return False
    loop.call_soon_threadsafe(start)
    return True
