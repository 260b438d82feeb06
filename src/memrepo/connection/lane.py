"""Whose turn it is: many tasks, one worker, in order of arrival, and together where they wait together."""

from __future__ import annotations

import asyncio
from asyncio import CancelledError, Future
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Final, TypeAlias

import attrs

from memrepo.connection.call import Call
from memrepo.connection.thread import finish
from memrepo.errors import BusyError, MemrepoError

__all__ = ["Lane", "Turn"]

#: Calls that run as one group; more would only make the first of them wait for the last.
MAX_GROUP: Final = 1_000
#: Calls that may wait; beyond it a call is refused, so that a stuck writer does not eat the memory.
MAX_WAITING: Final = 100_000
#: Seconds between two looks for calls that have waited too long.
_SWEEP_S: Final = 0.05


@attrs.define(eq=False)
class Turn:
    """One place in the queue: of a call, or (without one) of a transaction that takes the lane."""

    call: Call | None
    #: The event loop's time at which waiting ends.
    deadline: float
    future: Future[None]
    #: Whether it is in the group that runs.
    is_running: bool = False


#: Runs a group's calls on the worker and leaves an outcome in each.
Send: TypeAlias = Callable[[list[Call]], Awaitable[None]]
#: Waits until the worker has done what it was given so far.
Settle: TypeAlias = Callable[[], Coroutine[Any, Any, None]]


class Lane:
    """
    The queue in front of one worker.

    A call that finds the lane free goes ahead at once, in its own task. What arrives while it runs
    waits, and forms the next group. A transaction takes the lane when its turn comes, and gives it
    back with `release`.
    """

    def __init__(self, send: Send, settle: Settle) -> None:
        self._send = send
        self._settle = settle
        self._is_taken = False
        self._waiting: deque[Turn] = deque()
        self._sweeper: asyncio.TimerHandle | None = None
        self._group: asyncio.Task[None] | None = None

    async def run(self, call: Call) -> None:
        """Run *call* when its turn comes; its outcome is in it when this returns."""
        if self._is_taken:
            await self._wait(call, call.deadline)
            return
        self._is_taken = True
        try:
            await self._send([call])
        finally:
            self.release()

    async def take(self, deadline: float) -> None:
        """Wait for the lane and keep it, until `release`."""
        if self._is_taken:
            await self._wait(None, deadline)
        else:
            self._is_taken = True

    def release(self) -> None:
        """Let the next in the queue go ahead."""
        waiting = self._waiting
        while waiting and waiting[0].future.done():
            waiting.popleft()
        if not waiting:
            self._is_taken = False
        elif waiting[0].call is None:
            waiting.popleft().future.set_result(None)
        else:
            self._group = asyncio.create_task(self._run_group())

    def refuse_all(self, error: Callable[[], MemrepoError]) -> None:
        """Refuse everything that waits."""
        while self._waiting:
            future = self._waiting.popleft().future
            if not future.done():
                future.set_exception(error())

    async def _wait(self, call: Call | None, deadline: float) -> None:
        if len(self._waiting) >= MAX_WAITING:
            raise BusyError(f"{MAX_WAITING:,} calls are waiting for this database already")
        loop = asyncio.get_running_loop()
        turn = Turn(call, deadline, loop.create_future())
        self._waiting.append(turn)
        if self._sweeper is None:
            self._sweeper = loop.call_later(_SWEEP_S, self._sweep)
        try:
            await turn.future
        except CancelledError:
            if call is not None:
                call.is_cancelled = True
                if turn.is_running:
                    # So that it has happened, or never will, when its caller goes on.
                    await finish(self._settle())
            elif _is_granted(turn.future):
                # The lane was ours already, and nobody is left to give it back.
                self.release()
            raise

    async def _run_group(self) -> None:
        calls: list[Call] = []
        turns: list[Turn] = []
        waiting = self._waiting
        while waiting and (call := waiting[0].call) is not None and len(calls) < MAX_GROUP:
            turn = waiting.popleft()
            if not turn.future.done():
                turn.is_running = True
                calls.append(call)
                turns.append(turn)
        try:
            await self._send(calls)
        finally:
            for turn in turns:
                if not turn.future.done():
                    turn.future.set_result(None)
            self.release()

    def _sweep(self) -> None:
        now = asyncio.get_running_loop().time()
        for turn in self._waiting:
            if turn.deadline <= now and not turn.future.done():
                turn.future.set_exception(BusyError("waited too long for its turn"))
        self._sweeper = None
        if self._waiting:
            self._sweeper = asyncio.get_running_loop().call_later(_SWEEP_S, self._sweep)


def _is_granted(future: Future[None]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None
