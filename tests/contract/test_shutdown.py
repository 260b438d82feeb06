"""A program that shuts down cancels every task of its event loop, and the tasks of the library are among them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

import memrepo
from memrepo import DailyLogNew, DatabaseError, Store
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.asyncio

#: Passes of the event loop after which the tasks are cancelled: on a server, most calls take longer.
_PASSES = (0, 1, 2, 3, 4, 6, 9, 14, 30)


async def _block(store: Store) -> None:
    async with store.transaction() as tx:
        await tx.daily_logs.append(None, "first")
        await tx.daily_logs.append(None, "second")


async def _write(store: Store) -> None:
    pair = [DailyLogNew(event_type="first"), DailyLogNew(event_type="second")]
    await store.daily_logs.append_many(pair)


async def _session(store: Store) -> None:
    async with store.sessions.session(end_active=True) as session:
        await store.daily_logs.append(session.id, "first")
        await store.daily_logs.append(session.id, "second")


CALLS: dict[str, Callable[[Store], Coroutine[Any, Any, None]]] = {
    "block": _block,
    "write": _write,
    "session": _session,
    "close": Store.close,
}


#: Each of them, and how many tasks call it at once.
CASES = [("block", 1), ("block", 5), ("write", 1), ("write", 5), ("session", 1), ("close", 1)]


async def _count(store: Store) -> int:
    return len(await store.daily_logs.find_many(limit=10_000))


async def _cancel_all_but(spared: set[asyncio.Task[Any]], n_passes: int) -> None:
    for _ in range(n_passes):
        await asyncio.sleep(0)
    for task in asyncio.all_tasks() - spared:
        task.cancel()


# Of a socket whose closing was cancelled, too, aiohttp says so when it is collected; it is closed.
@pytest.mark.filterwarnings("ignore:Unclosed connection:ResourceWarning")
@pytest.mark.parametrize("are_spared", [False, True], ids=["cancelled", "spared"])
@pytest.mark.parametrize(("name", "n_tasks"), CASES)
async def test_every_task_cancelled(url: str, name: str, n_tasks: int, *, are_spared: bool) -> None:
    """The calls end, a task that was spared sees no cancellation, and the store goes on, whole."""
    here = asyncio.current_task()
    assert here is not None
    is_server = url.startswith(("http", "ws"))
    for n_passes in _PASSES:
        store = await memrepo.connect(url)
        before = await _count(store)
        victims = [asyncio.create_task(CALLS[name](store)) for _ in range(n_tasks)]
        await _cancel_all_but({here, *victims} if are_spared else {here}, n_passes)
        async with asyncio.timeout(PATIENCE_S):
            await asyncio.wait(victims)
            errors = [
                asyncio.CancelledError() if victim.cancelled() else victim.exception()
                for victim in victims
            ]
            if are_spared:
                # On a server, the request was cancelled with its tasks.
                assert all(
                    error is None or (is_server and isinstance(error, DatabaseError))
                    for error in errors
                ), (n_passes, errors)
            if name != "close":
                found = await _count(store) - before
                if name in ("block", "write"):
                    assert found % 2 == 0, n_passes
                assert (await store.memories.remember(f"after {n_passes}")).outcome == "created"
                if not is_server:  # which may be at the request still
                    assert await _count(store) - before == found, n_passes
            await store.close()
