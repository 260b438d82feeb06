"""How an event loop gives jobs to a worker thread, which sleeps while there are none."""

from __future__ import annotations

import os
from collections import deque
from queue import SimpleQueue
from typing import Any, Final, Generic, Protocol, TypeVar

__all__ = ["JobQueue", "new_queue"]

T = TypeVar("T")

#: What a read of an ``eventfd`` gives.
_COUNTER_BYTES: Final = 8


class JobQueue(Protocol[T]):
    """The jobs of one thread, in order."""

    def put(self, job: T, /) -> None:
        """Give the thread a job, and wake it."""
        ...

    def get(self) -> T:
        """Wait for the next job. Only for the thread."""
        ...

    def close(self) -> None:
        """Give back what it holds of the system. Only when the thread has ended; idempotent."""
        ...


class LockQueue(SimpleQueue[T]):
    """A queue whose thread sleeps on a lock; for systems without ``eventfd``."""

    def close(self) -> None:
        """Do nothing; see `JobQueue`."""


class DescriptorQueue(Generic[T]):
    """
    A queue whose thread sleeps in a read of an ``eventfd``.

    Python lets its own lock go to write to one, so that the thread that wakes can have it. Where it sleeps
    on a lock, it is woken while the event loop still runs, and at once has to sleep again.
    """

    _fd = -1  # until there is one

    def __init__(self) -> None:
        self._jobs: deque[T] = deque()
        self._fd = os.eventfd(0, os.EFD_CLOEXEC)

    def __del__(self) -> None:
        """Close the descriptor, if nobody has."""
        self.close()

    def put(self, job: T, /) -> None:
        """Give the thread a job; see `JobQueue`."""
        self._jobs.append(job)
        if self._fd >= 0:
            os.eventfd_write(self._fd, 1)

    def get(self) -> T:
        """Wait for the next job; see `JobQueue`."""
        while not self._jobs:
            os.read(self._fd, _COUNTER_BYTES)  # `os.eventfd_read` would be ended by a signal
        return self._jobs.popleft()

    def close(self) -> None:
        """Close the descriptor; see `JobQueue`."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


def new_queue() -> JobQueue[Any]:
    """Return a queue for one thread, the better one if the system has it."""
    return DescriptorQueue() if hasattr(os, "eventfd") else LockQueue()
