"""The queue before a SQLite thread, where a store's own calls cannot time it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import pytest

from memrepo.connection.pending import PendingCall
from memrepo.connection.sqlite.inode import FileIdentity
from memrepo.connection.sqlite.limits import StatementLimit
from memrepo.connection.sqlite.queue import ThreadQueue
from memrepo.connection.sqlite.setup import open_first
from memrepo.connection.sqlite.worker import WorkerConnection
from memrepo.connection.url import Location

pytestmark = pytest.mark.asyncio


async def test_answered_only_after_the_commit() -> None:
    """A group whose statements have run is not answered while its commit takes long, whoever waits behind it."""
    committed: list[int] = []

    def commit_slowly(_worker: WorkerConnection, calls: Sequence[PendingCall]) -> None:
        for call in calls:
            call.outcome = []
        time.sleep(0.2)  # several sweeps of the queue
        committed.append(len(calls))

    thread = await open_first(Location(None), FileIdentity(None), StatementLimit())
    try:
        queue = ThreadQueue(thread, commit_slowly)
        deadline = asyncio.get_running_loop().time() + 60

        async def call() -> int:
            await queue.run((), deadline, None).wait()
            return len(committed)

        assert await asyncio.gather(*(call() for _ in range(4))) == [1, 2, 2, 2]
        assert committed == [1, 3]
    finally:
        await thread.close()
