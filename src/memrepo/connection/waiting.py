"""How to wait in asyncio: through a cancellation, for a little while, or in slices."""

from __future__ import annotations

import asyncio
from asyncio import CancelledError, Task
from collections.abc import Callable, Coroutine, Iterable
from itertools import islice
from typing import Any, Final, TypeVar

__all__ = ["GRACE_S", "finish", "gently", "leave_to_loop", "see_through", "wind_up"]

T = TypeVar("T")

#: Seconds that a cancelled call waits for the answer to what it has sent, so that it knows that it has
#: happened or has not; after that the request is cut off.
GRACE_S: Final = 0.5
#: Items between two pauses: with a few microseconds of work for each, about half a millisecond.
_PIECE: Final = 100


async def finish(work: Coroutine[Any, Any, T]) -> T:
    """
    Await *work* to its end, whatever happens to the task that awaits it.

    If that task is cancelled meanwhile, the cancellation is raised when the work is done.
    """
    task = asyncio.ensure_future(work)
    cancelled: CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except CancelledError as error:
            cancelled = error
        except Exception:  # noqa: BLE001 - raised by task.result() below
            break
    if cancelled is not None:
        if not task.cancelled():
            task.exception()  # marks it as seen
        raise cancelled
    return task.result()


async def see_through(work: Coroutine[Any, Any, T]) -> T:
    """
    Await *work*; if the task that awaits it is cancelled, give it a little time to end.

    Then the work is cancelled, too, and the cancellation is raised.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except CancelledError:
        await finish(wind_up(task))
        raise


async def wind_up(task: Task[Any]) -> None:
    """Give *task* a little time to end, then cancel it, and wait until it has ended."""
    await asyncio.wait({task}, timeout=GRACE_S)
    if not task.done():
        task.cancel()
        await asyncio.wait({task})
    if not task.cancelled():
        task.exception()  # marks it as seen


async def gently(items: Iterable[T]) -> list[T]:
    """Make a list of *items*, letting other tasks run after every hundred of them."""
    made: list[T] = []
    source = iter(items)
    while piece := list(islice(source, _PIECE)):
        made += piece
        await asyncio.sleep(0)
    return made


#: What was left to run by itself; the event loop alone would let go of it.
_left: set[Task[None]] = set()


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
