"""One store for all threads of a synchronous program; see docs/how-to/sync-programs.md."""

import atexit
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from functools import cache
from threading import Lock
from typing import Any, ParamSpec, TypeVar

from anyio.from_thread import start_blocking_portal

import memrepo

P = ParamSpec("P")
T = TypeVar("T")


class SyncMemory:
    """A store that any thread can use: it lives on an event loop in a thread of its own."""

    def __init__(self, opening: memrepo.OpeningStore) -> None:
        with ExitStack() as stack:
            self._portal = stack.enter_context(start_blocking_portal())
            self.store = stack.enter_context(self._portal.wrap_async_context_manager(opening))
            self.close = stack.pop_all().close
        atexit.register(self.close)  # without it, the thread would keep the program from ending

    def call(
        self, method: Callable[P, Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Call an async method of the store, and wait for what it returns or raises."""

        async def on_the_loop() -> T:
            return await method(*args, **kwargs)

        return self._portal.call(on_the_loop)


@cache
def _open() -> SyncMemory:
    return SyncMemory(memrepo.from_env())  # DATABASE_URL


_lock = Lock()


def memory_of_process() -> SyncMemory:
    """Return the memory of this process, opened by the first call: after a server has forked its workers."""
    with _lock:
        return _open()
