"""The queue for a server's writes: what a KeyboardInterrupt leaves of it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import sys
from contextlib import closing
from types import FrameType
from typing import Any, Final, Self

import pytest

import memrepo
from memrepo import Store
from memrepo.connection.hrana import writer
from tests.patience import PATIENCE_S
from tests.servers.sqld import Sqld

#: More than the writer executes before its first request is sent.
_N_LINES: Final = 9


class InterruptAt:
    """Raises KeyboardInterrupt before the n-th line that the writer executes."""

    def __init__(self, line: int) -> None:
        self._left = line

    def __enter__(self) -> Self:
        gc.disable()  # Python crashes if this raises in the finalizer of a coroutine
        sys.settrace(self._enter)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(None)
        gc.enable()

    def _enter(self, frame: FrameType, _event: str, _argument: object) -> Any:
        return self._look if frame.f_code.co_filename == writer.__file__ else None

    def _look(self, _frame: FrameType, event: str, _argument: object) -> Any:
        if event == "line":
            self._left -= 1
            if self._left < 0:
                sys.settrace(None)
                raise KeyboardInterrupt
        return self._look


async def _append(store: Store, name: str) -> None:
    await store.daily_logs.append(None, name)


async def _open(url: str) -> Store:
    return await memrepo.connect(url)


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited")
def test_interrupted_first_write(sqld: Sqld) -> None:
    """Wherever the loop survives a KeyboardInterrupt in a store's first write, the next is answered."""
    url = sqld.new_url()
    with closing(asyncio.new_event_loop()) as loop:
        loop.set_exception_handler(lambda *_: None)  # asyncio tells of the interrupted task
        for line in range(_N_LINES):
            store = loop.run_until_complete(_open(url))
            task = loop.create_task(_append(store, f"{line}"))
            with contextlib.suppress(KeyboardInterrupt), InterruptAt(line):
                loop.run_until_complete(task)
            task.cancel()
            loop.run_until_complete(asyncio.wait_for(_append(store, f"after {line}"), PATIENCE_S))
            page = loop.run_until_complete(store.daily_logs.find_many())
            assert [event.event_type for event in page].count(f"{line}") <= 1
            loop.run_until_complete(asyncio.wait_for(store.close(), PATIENCE_S))
    gc.collect()  # a coroutine that was cut off before it began: Python warns of it
