"""New stores for the rounds: quick or slow, easily interrupted or not; and what is left of each."""

from __future__ import annotations

import asyncio
import random
import shutil
import threading
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import memrepo
from memrepo import Store
from memrepo.connection.sqlite import limits
from memrepo.connection.sqlite.connection import SQLiteConnection
from memrepo.connection.sqlite.queue import ThreadQueue
from memrepo.index import keeper

from .journal import clock

__all__ = ["Stores", "leaks", "queues"]

#: seconds in which what is about to end has ended
_PATIENCE_S = 60
#: Steps of SQLite between two looks at whether a call was cancelled: with few, even short statements
#: are interrupted, anywhere. The last is memrepo's own.
_STEPS = (1, 20, 100, 20_000)
#: seconds without a write after which the search index of a store catches up: between the calls, or never
_QUIETS_S = (0.0, 0.001, 3_600.0)
#: seconds that a slow store sleeps at a look
_NAP_S = 0.000_05


class Stores:
    """New stores, in memory and on files by turns."""

    def __init__(self, folder: Path, *, quiets_s: Sequence[float] = _QUIETS_S) -> None:
        self._folder = folder
        self._quiets_s = quiets_s
        self._n = 0
        self._steps = 0
        self._wrong: list[str] = []
        self._threads: set[threading.Thread] = set()
        self._leaked: set[threading.Thread] = set()

    @asynccontextmanager
    async def new(
        self, rng: random.Random, *, is_file: bool, same_fact: memrepo.SameFact = "folded"
    ) -> AsyncIterator[Store]:
        """Open a new store; after the block close it, and see that nothing of it is left."""
        asyncio.get_running_loop().set_exception_handler(self._hear)
        # A file with our schema, to copy: that takes a fifth of the time of making one.
        template = self._folder / f"{same_fact}.db"
        if not template.exists():
            async with memrepo.connect(template, same_fact=same_fact, search="english"):
                pass
        self._n += 1
        path = self._folder / f"{self._n}.db"
        if is_file:
            shutil.copyfile(template, path)
        before = _workers()
        # Syncing takes time, and shows in what order things happen; it need not always.
        durability: memrepo.Durability = rng.choice(("normal", "normal", "normal", "full"))
        self._steps = rng.choice(_STEPS)
        opening = memrepo.connect(
            path if is_file else ":memory:",
            clock=clock,
            durability=durability,
            same_fact=same_fact,
            search="english",
        )
        with mock.patch.object(limits, "_STEPS_BETWEEN_CHECKS", self._steps):
            store = await opening
        patch = mock.patch.object(keeper, "_QUIET_S", rng.choice(self._quiets_s))
        patch.start()
        try:
            self._threads = _workers()  # the readers for long reads come later
            yield store
            if n_pending := await store.catch_up():
                self._wrong.append(f"{n_pending} rows are pending")
            self._wrong += await _problems(store)
        finally:
            patch.stop()
            await store.close()
        self._threads = before
        self._wrong += await self.left_over()
        path.unlink(missing_ok=True)

    def _hear(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Note what nobody else gets to know: an error in a callback, or in a task that was dropped."""
        self._wrong.append(f"{context['message']}: {context.get('exception')!r}")

    @contextmanager
    def slow(self) -> Iterator[None]:
        """Make the statements of the open store some times slower, so that more happens meanwhile."""
        look = limits.Watch.__call__
        share = min(1.0, 0.02 * self._steps)

        def nap(watch: limits.Watch) -> bool:
            if random.random() < share:
                time.sleep(_NAP_S)
            return look(watch)

        with mock.patch.object(limits.Watch, "__call__", nap):
            yield

    def complaints(self) -> list[str]:
        """Return what was wrong since the last time, besides what is left over."""
        wrong, self._wrong = self._wrong, []
        return wrong

    async def left_over(self, store: Store | None = None) -> list[str]:
        """Return which threads and tasks there are besides those of *store*, which is open."""
        deadline = time.monotonic() + _PATIENCE_S
        while (left := _workers() - self._threads - self._leaked) and time.monotonic() < deadline:
            await asyncio.sleep(0.0005)
            if store is not None:  # one may have opened a reader since
                self._threads |= await _threads(store)
        # Each is told of once.
        self._leaked |= left
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        return [f"{one} is left" for one in (*left, *tasks)]


async def _problems(store: Store) -> list[str]:
    try:
        return [str(problem) for problem in await store.verify()]
    except memrepo.MemrepoError as error:
        return [f"cannot be verified: {error!r}"]


def _workers() -> set[threading.Thread]:
    """The threads that are not the event loop's own."""
    return {
        thread
        for thread in threading.enumerate()
        if not thread.name.startswith(("asyncio", "uvloop"))
    }


def queues(store: Store) -> list[ThreadQueue]:
    """The queues of a store: the writer's and, on a file, those of its readers."""
    connection = store.connection
    assert isinstance(connection, SQLiteConnection)
    long = connection._long_readers
    own = [queue for queue in (connection._writer, connection._reader) if queue is not None]
    return own if long is None else own + long.queues


async def _threads(store: Store) -> set[threading.Thread]:
    found: set[threading.Thread] = set()
    for queue in queues(store):
        await queue.thread.run(lambda _: found.add(threading.current_thread()))
    return found


async def leaks(store: Store) -> list[str]:
    """What a store with no call under way holds that it should not."""
    found: list[str] = []
    for queue in queues(store):
        if await _is_in_transaction(queue):
            found.append("a transaction is open")
        # A group whose calls have all been cancelled may wait a little for a lock of another program.
        deadline = time.monotonic() + _PATIENCE_S
        while queue._group is not None and time.monotonic() < deadline:
            await asyncio.sleep(0)
        if queue._group is not None:
            found.append("the queue is taken")
    return found


async def _is_in_transaction(queue: ThreadQueue) -> bool:
    found: list[bool] = []
    await queue.thread.run(lambda worker: found.append(worker.in_transaction))
    return any(found)
