"""How outcomes come back from the thread: on every kind of event loop, none lost, nothing left open."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
import warnings
from contextlib import closing
from pathlib import Path
from typing import Any, Never

import pytest

import memrepo
from memrepo import Store
from tests import leaks


class Unwatching(asyncio.SelectorEventLoop):
    """An event loop that cannot watch a descriptor, as Windows' own cannot."""

    def add_reader(self, fd: Any, callback: Any, *args: Any) -> Never:  # type: ignore[override]
        raise NotImplementedError


@pytest.fixture(params=["eventfd", "pipe"])
def bell(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each way to wake an event loop that can watch a descriptor."""
    if request.param == "pipe":
        monkeypatch.delattr(os, "eventfd", raising=False)
    return str(request.param)


async def _open(path: Path) -> Store:
    store = await memrepo.connect(path)
    await store.memories.remember("a")
    return store


async def _use(path: Path) -> None:
    threads = leaks.threads()
    async with memrepo.connect(path) as store:
        told = await asyncio.gather(*(store.memories.remember(f"{n}") for n in range(100)))
        assert [known.outcome for known in told] == ["created"] * 100
        assert await asyncio.gather(*(store.memories.get(known.id) for known in told)) == [
            known.entry for known in told
        ]
    await leaks.settled(threads)


def test_event_loop_that_cannot_watch(tmp_path: Path) -> None:
    """A store works on an event loop that has no `add_reader`."""
    with asyncio.Runner(loop_factory=Unwatching) as runner:
        runner.run(_use(tmp_path / "agent.db"))


def test_descriptors_after_close(tmp_path: Path, bell: str) -> None:
    """A store works with each kind of descriptor, and none is open when it is closed."""
    n_descriptors = leaks.descriptors()
    for _ in range(3):
        asyncio.run(_use(tmp_path / "agent.db"))
        (tmp_path / "agent.db").unlink()
        assert leaks.descriptors() == n_descriptors


def test_descriptors_of_forgotten_stores(tmp_path: Path, bell: str) -> None:
    """Stores that are forgotten, before or after their event loop is closed, leave none open."""

    path = tmp_path / "agent.db"

    async def forget() -> None:
        await _open(path)
        gc.collect()

    threads = leaks.threads()
    n_descriptors = leaks.descriptors()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        for _ in range(5):
            asyncio.run(forget())
            asyncio.run(_open(path))
            gc.collect()
    asyncio.run(leaks.settled(threads))
    assert leaks.descriptors() == n_descriptors


def test_descriptors_without_a_thread(
    tmp_path: Path, bell: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no thread can be started, opening a store fails, and leaves no descriptor open."""

    async def fail_to_open() -> None:
        n_descriptors = leaks.descriptors()
        with pytest.raises(RuntimeError, match="can't start new thread"):
            await memrepo.connect(tmp_path / "agent.db")
        await asyncio.sleep(0)
        assert leaks.descriptors() == n_descriptors

    monkeypatch.setattr(threading.Thread, "start", _refuse_to_start)
    asyncio.run(fail_to_open())


def _refuse_to_start(_: threading.Thread) -> Never:
    raise RuntimeError("can't start new thread")


def test_outcome_behind_one_that_ends_the_loop(tmp_path: Path, bell: str) -> None:
    """What a task that ends the event loop leaves unheard is heard when the loop runs again."""

    async def leave(store: Store) -> None:
        await store.memories.remember("last words")
        raise SystemExit(7)

    async def both(store: Store) -> None:
        tasks.append(asyncio.create_task(leave(store)))
        tasks.append(asyncio.create_task(store.info()))
        await asyncio.sleep(0)
        time.sleep(0.3)  # meanwhile the thread does what both asked for
        await asyncio.sleep(60)

    tasks: list[asyncio.Task[Any]] = []
    with closing(asyncio.new_event_loop()) as loop:
        store = loop.run_until_complete(_open(tmp_path / "agent.db"))
        waiting = loop.create_task(both(store))
        with pytest.raises(SystemExit):
            loop.run_until_complete(waiting)
        info = loop.run_until_complete(asyncio.wait_for(tasks[1], 5))
        assert info.engine == "sqlite"
        assert isinstance(tasks[0].exception(), SystemExit)
        waiting.cancel()
        loop.run_until_complete(asyncio.wait({waiting}))
        loop.run_until_complete(store.close())


@pytest.mark.asyncio
async def test_one_for_all_stores(tmp_path: Path, bell: str) -> None:
    """Twenty open stores have one bell; it is there until the last of them is closed."""
    async with memrepo.connect(tmp_path / "first.db"), memrepo.connect(tmp_path / "second.db"):
        pass  # what is opened once in a process
    n_descriptors = leaks.descriptors()
    stores = [await memrepo.connect(tmp_path / f"{n}.db") for n in range(20)]
    for store in stores:
        await store.memories.remember("a")
    # A store's two connections have five files open, and each thread sleeps on an eventfd, where there is
    # one; a pipe has two ends.
    expected = 20 * 5 + 2 if bell == "pipe" else 20 * 7 + 1
    assert leaks.descriptors() == n_descriptors + expected
    for store in stores:
        await store.memories.remember("b")
        await store.close()
    assert leaks.descriptors() == n_descriptors


@pytest.mark.asyncio
async def test_more_outcomes_than_fit(tmp_path: Path, bell: str) -> None:
    """Ten thousand outcomes that come while the event loop is busy are all told: a pipe holds fewer rings."""
    async with memrepo.connect(tmp_path / "agent.db") as store:
        known = await store.memories.remember("a")
        async with store.transaction() as tx:
            tasks = [asyncio.create_task(tx.memories.get(known.id)) for _ in range(10_000)]
            await asyncio.sleep(0)
            time.sleep(1.0)  # meanwhile the thread does most of them
            assert await asyncio.gather(*tasks) == [known.entry] * 10_000
