"""What a test must not leave behind: threads and descriptors, once those that are ending have ended."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time

__all__ = ["descriptors", "settled", "threads"]

#: seconds; what has leaked never ends, so a long wait costs time only where a test fails
_PATIENCE_S = 60.0


def threads() -> set[threading.Thread]:
    """The threads that are not the event loop's own pool."""
    return {
        thread
        for thread in threading.enumerate()
        if not thread.name.startswith(("asyncio", "uvloop"))
    }


def descriptors() -> int:
    """How many descriptors are open, but for what earlier tests have dropped and nobody collected."""
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


async def settled(before: set[threading.Thread]) -> None:
    """Wait until no other threads are left than *before*."""
    deadline = time.monotonic() + _PATIENCE_S
    while left := threads() - before:
        assert time.monotonic() < deadline, left
        await asyncio.sleep(0.005)
    await asyncio.sleep(0)  # the last thing a thread does is to have its event loop close something
