"""Wait in asyncio: through a cancellation, for a limited time, or in slices."""

from __future__ import annotations

import asyncio
from asyncio import CancelledError, Future
from collections.abc import Callable, Coroutine, Iterable
from itertools import islice
from typing import Any, Final, TypeVar

__all__ = ["GRACE_S", "finish", "leave_to_loop", "list_in_slices", "outlast"]

T = TypeVar("T")

#: Seconds that a cancelled call waits for a server's answer, which says whether it has happened; then the
#: request is aborted.
GRACE_S: Final = 0.5
#: Items of a slice: at a few microseconds for each, about half a millisecond.
_SLICE: Final = 100


async def outlast(future: Future[Any], grace_s: float | None = None) -> None:
    """
    Wait until *future* is done, even if this task is cancelled meanwhile, and raise nothing.

    Args:
        future: What to wait for. It is not cancelled.
        grace_s: Maximum wait, in seconds; ``None`` for no limit.
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
    Await *work* to its end, even if this task is cancelled meanwhile.

    The cancellation is raised when the work is done.

    Args:
        work: What to do, in a task of its own.
        grace_s: Seconds after a cancellation until the work is cancelled, too; ``None`` for never.
        undo: Called with the result after a cancellation, because nobody is left to take it.
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


#: Tasks that nobody waits for; the event loop alone keeps only weak references to them.
_left: set[asyncio.Task[None]] = set()


def leave_to_loop(
    loop: asyncio.AbstractEventLoop, close: Callable[[], Coroutine[Any, Any, None]]
) -> bool:
    """Have *loop* run *close*, from any thread; return False if the loop no longer runs."""

    def start() -> None:
        task = loop.create_task(close())
        _left.add(task)
        task.add_done_callback(_left.discard)

    if not loop.is_running():
        return False
    loop.call_soon_threadsafe(start)
    return True
