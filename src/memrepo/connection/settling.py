"""Waiting for a server: to the end if it can be seen, and not without one."""

from __future__ import annotations

import asyncio
import random
from asyncio import CancelledError, Task
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, TypeVar

from memrepo.connection.server_errors import again
from memrepo.connection.thread import finish
from memrepo.errors import DatabaseError

__all__ = ["GRACE_S", "Backoff", "leave_to_loop", "retry", "see_through", "wind_up"]

T = TypeVar("T")

#: Seconds that a cancelled call waits for the answer to what it has sent, so that it knows that it has
#: happened or has not; after that the request is cut off.
GRACE_S: Final = 0.5
#: Seconds of the first pause between two attempts, and of the longest.
_FIRST_PAUSE_S: Final = 0.01
_LONGEST_PAUSE_S: Final = 1.0


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


class Backoff:
    """Pauses between attempts, each up to twice as long; random, so that clients do not march in step."""

    def __init__(self) -> None:
        self._pause_s = _FIRST_PAUSE_S

    async def pause(self) -> None:
        """Wait a little."""
        await asyncio.sleep(random.uniform(self._pause_s / 2, self._pause_s))  # noqa: S311 - no secret
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)


async def retry(attempt: Callable[[], Awaitable[None]], deadline: float) -> None:
    """
    Do what does no harm if it is done twice, as often as it takes, until the loop's time *deadline*.

    Raises:
        MemrepoError: That of the last attempt.
    """
    backoff = Backoff()
    while True:
        try:
            return await attempt()
        except DatabaseError as error:
            late = asyncio.get_running_loop().time() >= deadline
            if not error.retryable or late:
                raise again(error, outcome_unknown=False) from error.__cause__
        await backoff.pause()


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
