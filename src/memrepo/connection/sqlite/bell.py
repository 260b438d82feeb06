"""How worker threads tell their event loop of outcomes."""

from __future__ import annotations

import os
import sys
from asyncio import AbstractEventLoop
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, TypeAlias
from weakref import WeakKeyDictionary, ref

from memrepo.connection.pending import Call

__all__ = ["Bell", "End", "bell_of"]

#: Is called by the event loop when calls have run, with what their run raised.
End: TypeAlias = Callable[[Sequence[Call], BaseException | None], None]

#: What is written for a ring; an eventfd takes a number of 64 bits.
_RING: Final = (1).to_bytes(8, sys.byteorder)
#: Bytes of rings that one look takes; what is more waits for the next look.
_MOST_RINGS: Final = 4096


class Bell:
    """
    Has an event loop call something, from other threads.

    This one does as asyncio does; it serves the event loops that cannot watch a descriptor, as Windows'
    own.
    """

    def __init__(self, loop: AbstractEventLoop) -> None:
        # Weak, so that a loop that was closed before its stores can go.
        self._loop = ref(loop)
        self._n_threads = 0

    def join(self) -> None:
        """Begin to serve a thread. Only for the event loop."""
        self._n_threads += 1

    def ring(self, end: End, calls: Sequence[Call], error: BaseException | None) -> None:
        """
        Have the event loop call *end*. Only for a thread that it serves.

        Raises:
            RuntimeError: The event loop is closed.
        """
        self._open_loop().call_soon_threadsafe(end, calls, error)

    def leave(self, then: Callable[[], None]) -> None:
        """Cease to serve a thread, and have the event loop call *then*, unless it is closed."""
        with suppress(RuntimeError):
            self._open_loop().call_soon_threadsafe(self._release, then)

    def _release(self, then: Callable[[], None]) -> None:
        self._n_threads -= 1
        if not self._n_threads:
            self._take_down()
        then()

    def _take_down(self) -> None:
        del _bells[self._open_loop()]

    def _open_loop(self) -> AbstractEventLoop:
        loop = self._loop()
        if loop is None or loop.is_closed():
            raise RuntimeError("the event loop is closed")
        return loop


class DescriptorBell(Bell):
    """
    A bell on a descriptor of its own.

    asyncio's makes a handle for each ring, and has the loop empty its socket by two more system calls
    while the thread that was just given the next job waits for the interpreter's lock. Where commits
    are synced, that is a fifteenth of a call.
    """

    def __init__(self, loop: AbstractEventLoop) -> None:
        super().__init__(loop)
        self._waiting: deque[tuple[End, Sequence[Call], BaseException | None]] = deque()
        self._ears, self._rope = _open_ends()
        try:
            loop.add_reader(self._ears, self._answer)
        except BaseException:
            self._close()
            raise

    def __del__(self) -> None:
        """Close the descriptors: the event loop was closed before it could."""
        self._close()

    def ring(self, end: End, calls: Sequence[Call], error: BaseException | None) -> None:
        """Have the event loop call *end*; see `Bell`."""
        self._open_loop()
        self._waiting.append((end, calls, error))
        self._pull()

    def _pull(self) -> None:
        with suppress(BlockingIOError):  # it is full of rings already
            os.write(self._rope, _RING)

    def _answer(self) -> None:
        # First the calls: if one ends the event loop, the rest is still to be heard when it runs again.
        self._call_all()
        os.read(self._ears, _MOST_RINGS)
        if self._waiting:  # since then, so that its ring may have been among those
            self._pull()

    def _call_all(self) -> None:
        waiting = self._waiting
        while waiting:
            end, calls, error = waiting.popleft()
            end(calls, error)

    def _release(self, then: Callable[[], None]) -> None:
        self._call_all()  # the thread's last ring may not have been heard yet
        super()._release(then)

    def _take_down(self) -> None:
        super()._take_down()
        self._open_loop().remove_reader(self._ears)
        self._close()

    def _close(self) -> None:
        ends, self._ears, self._rope = {self._ears, self._rope}, -1, -1
        for end in ends - {-1}:
            os.close(end)


#: One for all the threads of an event loop, so that a store does not cost a descriptor more.
_bells: Final[WeakKeyDictionary[AbstractEventLoop, Bell]] = WeakKeyDictionary()


def bell_of(loop: AbstractEventLoop) -> Bell:
    """Return the bell of *loop*, to be joined. Only for the thread that runs it."""
    bell = _bells.get(loop)
    if bell is None:
        try:
            bell = DescriptorBell(loop)
        except NotImplementedError:
            bell = Bell(loop)
        _bells[loop] = bell
    return bell


def _open_ends() -> tuple[int, int]:
    """Return the descriptors to read from and to write to, which may be the same."""
    if hasattr(os, "eventfd"):
        end = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        return end, end
    ears, rope = os.pipe()
    os.set_blocking(ears, False)
    os.set_blocking(rope, False)
    return ears, rope
