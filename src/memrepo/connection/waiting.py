"""Wait in asyncio: through a cancellation, for a limited time, or in slices."""

from __future__ import annotations

import asyncio
import sys
from asyncio import CancelledError, Future
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable
from contextlib import AbstractContextManager, nullcontext
from inspect import CORO_CREATED, getcoroutinestate
from itertools import islice
from time import perf_counter
from typing import Any, Final, TypeVar

from memrepo.connection.errors import cut_off

__all__ = [
    "GRACE_S",
    "OwnTask",
    "Turns",
    "attend",
    "finish",
    "leave_to_loop",
    "list_in_slices",
    "outlast",
    "see",
    "settle",
]

T = TypeVar("T")

#: Seconds that a cancelled call waits for a server's answer, which says whether it has happened; then the
#: request is aborted.
GRACE_S: Final = 0.5
#: Items of a slice: at a few microseconds for each, about half a millisecond.
_SLICE: Final = 100
#: Seconds of work in a turn of the event loop, of what can tell where it may pause: while others are at work, and at most.
_TURN_S: Final = 30e-6
_LONGEST_TURN_S: Final = 250e-6


class OwnTask(asyncio.Task[T]):
    """
    A task that cannot be cancelled before it has begun, so that its clean-up always runs.

    Programs that shut down cancel all tasks of their event loop, a library's own among them. Its error is for
    whoever waits for it. If nobody does any more, as after a cancellation, asyncio logs nothing.
    """

    def cancel(self, msg: object = None) -> bool:
        """Cancel the task, unless it has yet to begin."""
        work: Any = self.get_coro()
        return getcoroutinestate(work) != CORO_CREATED and super().cancel(msg)

    def __del__(self) -> None:
        # Not by a callback: the event loop may be closed before it calls any.
        if self.done() and not self.cancelled():
            self.exception()
        super().__del__()


def see(future: Future[Any]) -> None:
    """Look at the error that *future* may have, so that asyncio does not log that nobody did."""
    if future.done() and not future.cancelled():
        future.exception()


async def outlast(future: Future[Any], grace_s: float | None = None) -> None:
    """
    Wait until *future* is done, even if this task is cancelled meanwhile, and raise nothing.

    Args:
        future: What to wait for. It is not cancelled.
        grace_s: Maximum wait, in seconds; ``None`` for no limit.
    """
    loop = asyncio.get_running_loop()
    deadline = None if grace_s is None else loop.time() + grace_s
    with _shield_from_anyio():
        while not future.done():
            left_s = None if deadline is None else deadline - loop.time()
            if left_s is not None and left_s <= 0:
                return
            try:
                await asyncio.wait({future}, timeout=left_s)
            except CancelledError:
                continue
    see(future)


def _shield_from_anyio() -> AbstractContextManager[object]:
    """Keep anyio from cancelling this task again at each pass of the event loop, as its scopes do."""
    anyio = sys.modules.get("anyio")
    return nullcontext() if anyio is None else anyio.CancelScope(shield=True)


async def settle(future: Future[T]) -> T:
    """
    Await *future* to its end, even if this task is cancelled meanwhile.

    The cancellation is raised when the future is done.
    """
    # Not by `asyncio.shield`, whose future has the error once more: asyncio logs it if nobody awaits that.
    try:
        await asyncio.wait({future})
    except CancelledError:
        await outlast(future)
        raise
    return future.result()


async def attend(task: OwnTask[T]) -> T:
    """
    Wait for *task*, which goes on if this one is cancelled.

    Raises:
        DatabaseError: Another task has cancelled it.
    """
    await asyncio.wait({task})
    if task.cancelled():
        raise cut_off()
    return task.result()


async def finish(work: Coroutine[Any, Any, T], *, grace_s: float | None = None) -> T:
    """
    Await *work* to its end, even if this task is cancelled meanwhile.

    The cancellation is raised when the work is done.

    Args:
        work: What to do, in a task of its own.
        grace_s: Seconds after a cancellation until the work is cancelled, too; ``None`` for never.

    Raises:
        DatabaseError: The work was cancelled, but not this task.
    """
    doing = OwnTask(work, loop=asyncio.get_running_loop())
    try:
        return await attend(doing)
    except CancelledError:
        await outlast(doing, grace_s)
        if not doing.done():
            doing.cancel()
            await outlast(doing)
        raise


async def list_in_slices(
    items: Iterable[T], *, size: int = _SLICE, first: int | None = None
) -> list[T]:
    """Make a list of *items*, letting other tasks run after every *size* of them, or after the *first* ones."""
    source = iter(items)
    made = list(islice(source, first or size))
    await asyncio.sleep(0)
    while part := list(islice(source, size)):
        made += part
        await asyncio.sleep(0)
    return made


class Turns:
    """
    Does work on the event loop, step by step, and lets other tasks run in between.

    A turn is short while others are at work, and gets longer while nobody is: each costs some ten microseconds.
    """

    def __init__(self, give_way: Callable[[], Awaitable[bool]]) -> None:
        """Do work between calls of *give_way*: see `Connection.give_way`."""
        self._give_way = give_way
        self._turn_s = _TURN_S
        self._ends_s = 0.0

    async def run(self, steps: Generator[None, None, T]) -> T:
        """Return what *steps* returns; other tasks may run where it yields."""
        while True:
            while perf_counter() < self._ends_s:
                try:
                    next(steps)
                except StopIteration as end:
                    result: T = end.value
                    return result
            await asyncio.sleep(0)
            is_crowded = await self._give_way()
            self._turn_s = _TURN_S if is_crowded else min(2 * self._turn_s, _LONGEST_TURN_S)
            self._ends_s = perf_counter() + self._turn_s


#: Tasks that nobody waits for; the event loop alone keeps only weak references to them.
_left: set[asyncio.Task[None]] = set()


def leave_to_loop(
    loop: asyncio.AbstractEventLoop, close: Callable[[], Coroutine[Any, Any, None]]
) -> bool:
    """Have *loop* run *close*, from any thread; return False if the loop no longer runs."""

    def start() -> None:
        task = OwnTask(close(), loop=loop)
        _left.add(task)
        task.add_done_callback(_left.discard)

    if not loop.is_running():
        return False
    loop.call_soon_threadsafe(start)
    return True
