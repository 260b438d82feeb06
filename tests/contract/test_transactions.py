"""Explicit transactions, on every driver: whole or not at all, isolated, and never a deadlock."""

# ruff: noqa: PT012, TRY301 - whole blocks are what is tested

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context
from pathlib import Path
from typing import Any, TypeVar

import pytest

import memrepo
from memrepo import (
    BusyError,
    ClosedError,
    DailyLogNew,
    InvalidInputError,
    NotFoundError,
    Store,
    TransactionError,
)
from tests.conftest import Clock
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.asyncio

T = TypeVar("T")


class Odd(BaseException):
    """An exception that is no Exception, as KeyboardInterrupt is."""


def elsewhere(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Run *work* as a task that was not started by this block."""
    return asyncio.create_task(work, context=Context())


async def contents(repos: memrepo.Repositories) -> list[str]:
    return sorted([entry.content for entry in await repos.memories.find_many()])


# --- whole or not at all -----------------------------------------------------------------------


async def test_commit(store: Store) -> None:
    """What a block did in all three repositories is there after it."""
    async with store.transaction() as tx:
        session = await tx.sessions.start()
        fact = await tx.memories.remember("Likes tea")
        event = (await tx.daily_logs.append(session.id, "user_state", {"n": 1})).event
    assert await store.sessions.active() is not None
    assert await store.memories.get(fact.id) == fact.entry
    assert await store.daily_logs.get(event.id) == event


async def test_commit_of_nothing(store: Store) -> None:
    """An empty block, and one that only reads, leave the writer free."""
    async with store.transaction():
        pass
    async with store.transaction() as tx:
        assert await tx.memories.count() == 0
    assert (await store.memories.remember("a")).outcome == "created"


@pytest.mark.parametrize(
    "error",
    [RuntimeError(), Odd(), asyncio.CancelledError(), GeneratorExit()],
    ids=lambda error: type(error).__name__,
)
async def test_rollback(store: Store, error: BaseException) -> None:
    """Any exception undoes the block, and comes out of it as it was."""
    known = await store.memories.remember("known")
    with pytest.raises(type(error)) as caught:
        async with store.transaction() as tx:
            await tx.memories.remember("new")
            await tx.memories.forget(known.id)
            await tx.sessions.start()
            await tx.daily_logs.append_many([DailyLogNew(event_type="x")] * 3)
            raise error
    assert caught.value is error
    assert await contents(store) == ["known"]
    assert await store.sessions.active() is None
    assert (await store.daily_logs.find_many()).items == ()
    assert (await store.memories.remember("new")).outcome == "created"


async def test_rollback_of_a_cancelled_block(store: Store) -> None:
    """A block whose task is cancelled while it waits for something else is undone."""
    entered = asyncio.Event()

    async def block() -> None:
        async with store.transaction() as tx:
            await tx.memories.remember("new")
            entered.set()
            await asyncio.Event().wait()

    task = elsewhere(block())
    await entered.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await contents(store) == []


async def test_failed_call_is_undone_alone(store: Store) -> None:
    """A call that fails inside a block leaves nothing, and the rest of the block stands."""
    async with store.transaction() as tx:
        await tx.memories.remember("before")
        with pytest.raises(NotFoundError):
            await tx.daily_logs.append_many(
                [DailyLogNew(event_type="x"), DailyLogNew(event_type="x", session_id=77)]
            )
        with pytest.raises(NotFoundError):
            await tx.memories.get(77)
        with pytest.raises(InvalidInputError):
            await tx.memories.remember("")
        await tx.memories.remember("after")
    assert await contents(store) == ["after", "before"]
    assert (await store.daily_logs.find_many()).items == ()


# --- isolation ---------------------------------------------------------------------------------


async def test_block_reads_its_own_rows(store: Store) -> None:
    """Inside the block every reading method sees what the block has written."""
    async with store.transaction() as tx:
        fact = await tx.memories.remember("Likes tea")
        assert (await tx.memories.remember("likes tea")).outcome == "duplicate"
        assert await tx.memories.get(fact.id)
        assert await tx.memories.count() == 1
        assert [entry.id async for entry in tx.memories.iterate()] == [fact.id]
        session = await tx.sessions.start()
        assert (await tx.sessions.get_or_start()).id == session.id


async def test_others_do_not_see_open_block(store: Store) -> None:
    """A read of another task never sees rows of a block that may still be undone."""
    for fails in (True, False):
        try:
            async with store.transaction() as tx:
                await tx.memories.remember("new")
                reading = elsewhere(contents(store))
                await asyncio.sleep(0.02)
                if reading.done():
                    assert reading.result() == []
                if fails:
                    raise Odd
        except Odd:
            assert await reading == []
    assert await reading in ([], ["new"])
    assert await contents(store) == ["new"]


async def test_reads_on_a_file_go_on(tmp_path: Path, clock: Clock) -> None:
    """On a file the reads of other tasks are answered while a block is open, from what is committed."""
    async with memrepo.connect(tmp_path / "agent.db", clock=clock) as store:
        known = await store.memories.remember("known")
        async with store.transaction() as tx:
            await tx.memories.remember("new")
            await tx.memories.forget(known.id)
            async with asyncio.timeout(PATIENCE_S):
                assert await elsewhere(contents(store)) == ["known"]
                assert await elsewhere(store.memories.find_by_content("new")) is None
                assert await elsewhere(store.sessions.active()) is None
        assert await contents(store) == ["new"]


async def test_write_of_another_task_waits(store: Store) -> None:
    """A write of another task runs after the block, and is not undone with it."""
    with pytest.raises(Odd):
        async with store.transaction() as tx:
            await tx.memories.remember("block")
            writing = elsewhere(store.memories.remember("other"))
            await asyncio.sleep(0.02)
            assert not writing.done()
            raise Odd
    assert (await writing).outcome == "created"
    assert await contents(store) == ["other"]


async def test_blocks_of_many_tasks(store: Store) -> None:
    """Twenty blocks at once run one after another: none loses what another has counted."""
    fact = await store.memories.remember("counter", metadata={"n": 0})

    async def count_up() -> None:
        async with store.transaction() as tx:
            metadata = (await tx.memories.get(fact.id)).metadata
            assert metadata is not None
            number = metadata["n"]
            assert type(number) is int
            await asyncio.sleep(0)
            await tx.memories.update(fact.id, metadata={"n": number + 1})

    await asyncio.gather(*(count_up() for _ in range(20)))
    assert (await store.memories.get(fact.id)).metadata == {"n": 20}


# --- misuse ------------------------------------------------------------------------------------


async def _nested(store: Store) -> None:
    async with store.transaction():
        pytest.fail("the nested block ran")


async def _iterate(store: Store) -> list[memrepo.MemoryEntry]:
    return [entry async for entry in store.memories.iterate()]


INSIDE: dict[str, Callable[[Store], Awaitable[object]]] = {
    "remember": lambda store: store.memories.remember("x"),
    "get": lambda store: store.memories.get(1),
    "iterate": _iterate,
    "scoped": lambda store: store.scoped("user:1").memories.count(),
    "get_or_start": lambda store: store.sessions.get_or_start(),
    "append": lambda store: store.daily_logs.append(None, "x"),
    "nested": _nested,
    "migrate": lambda store: store.migrate(),
    "close": lambda store: store.close(),
}


@pytest.mark.parametrize("call", INSIDE.values(), ids=INSIDE)
@pytest.mark.parametrize("in_child", [False, True], ids=["same task", "child task"])
async def test_store_inside_its_block(
    store: Store, call: Callable[[Store], Awaitable[object]], *, in_child: bool
) -> None:
    """The store itself, used inside a block or by a task of it, is a clear error."""

    async def child() -> None:
        await call(store)

    async with store.transaction() as tx:
        await tx.memories.remember("block")
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises(TransactionError):
                await (asyncio.create_task(child()) if in_child else child())
        await tx.memories.remember("still works")
    assert await contents(store) == ["block", "still works"]


async def test_store_inside_the_block_of_another(store: Store) -> None:
    """A block on one store does not keep its task from using another store."""
    async with memrepo.connect(":memory:") as other, store.transaction() as tx:
        await other.memories.remember("other")
        async with other.transaction() as other_tx:
            await other_tx.memories.remember("more")
            await tx.memories.remember("block")
        assert await contents(other) == ["more", "other"]
    assert await contents(store) == ["block"]


async def test_child_that_outlives_the_block(store: Store) -> None:
    """A task that was started in a block may use the store as soon as the block has ended."""
    ended = asyncio.Event()

    async def child() -> str:
        await ended.wait()
        return (await store.memories.remember("child")).outcome

    async with store.transaction():
        task = asyncio.create_task(child())
    ended.set()
    assert await task == "created"


async def test_gather_inside_a_block(store: Store) -> None:
    """Calls on `tx` from several tasks run one after another, each whole, and all in the block."""
    with pytest.raises(Odd):
        async with store.transaction() as tx:
            results = await asyncio.gather(
                *(tx.memories.remember(f"fact {n % 10}") for n in range(40)),
                *(elsewhere(tx.memories.remember(f"fact {n}")) for n in range(10)),
            )
            assert len({result.id for result in results}) == 10
            assert sum(result.outcome == "created" for result in results) == 10
            raise Odd
    assert await contents(store) == []


@pytest.mark.parametrize("fails", [False, True])
async def test_tx_after_its_block(store: Store, *, fails: bool) -> None:
    """After its block, committed or not, `tx` refuses everything, also what belongs to it."""
    try:
        async with store.transaction() as tx:
            scoped = tx.scoped("user:1")
            if fails:
                raise Odd
    except Odd:
        pass
    for repos in (tx, scoped):
        for call in (
            repos.memories.remember("late"),
            repos.memories.count(),
            repos.sessions.get_or_start(),
            repos.daily_logs.append(None, "x"),
        ):
            with pytest.raises(TransactionError):
                await call
    assert await contents(store) == []


async def test_tx_in_a_task_that_outlives_the_block(store: Store) -> None:
    """A call on `tx` that comes too late is refused and stores nothing."""
    gate = asyncio.Event()

    async def late(tx: memrepo.Repositories) -> None:
        await gate.wait()
        await tx.memories.remember("late")

    async with store.transaction() as tx:
        task = asyncio.create_task(late(tx))
    gate.set()
    with pytest.raises(TransactionError):
        await task
    assert await contents(store) == []


# --- waiting -----------------------------------------------------------------------------------


async def test_waiting_has_a_deadline(url: str, clock: Clock) -> None:
    """A block that waits for another gives up at its deadline, and does not run."""
    loop = asyncio.get_running_loop()
    async with memrepo.connect(url, clock=clock, lock_timeout_s=PATIENCE_S) as store:
        async with store.transaction() as tx:
            await tx.memories.remember("block")
            start = loop.time()

            async def wait() -> None:
                async with store.transaction(timeout_s=0.2):
                    pytest.fail("the block ran")

            with pytest.raises(BusyError):
                await elsewhere(wait())
            assert 0.15 <= loop.time() - start < 25
        assert await contents(store) == ["block"]
        async with store.transaction(timeout_s=0.2) as tx:
            await tx.memories.remember("free")


async def test_calls_wait_no_longer_than_the_store_says(url: str, clock: Clock) -> None:
    """A write, and a block without a time of its own, wait for `lock_timeout_s`."""
    loop = asyncio.get_running_loop()
    async with memrepo.connect(url, clock=clock, lock_timeout_s=0.2) as store:
        async with store.transaction():
            start = loop.time()
            waiting = [elsewhere(store.memories.remember(text)) for text in "abc"]
            waiting.append(elsewhere(_enter(store)))
            results = await asyncio.gather(*waiting, return_exceptions=True)
            assert [type(result) for result in results] == [BusyError] * 4
            assert all(getattr(result, "retryable", False) for result in results)
            assert 0.15 <= loop.time() - start < 25
        assert await contents(store) == []
        assert (await store.memories.remember("a")).outcome == "created"


async def _enter(store: Store) -> Any:
    async with store.transaction():
        pytest.fail("the block ran")


@pytest.mark.parametrize("timeout_s", [0, -1, float("nan"), float("inf"), True, "1"], ids=repr)
async def test_bad_deadline(store: Store, timeout_s: Any) -> None:
    """A deadline that is none is refused."""
    with pytest.raises(InvalidInputError, match=r"^timeout_s: "):
        async with store.transaction(timeout_s=timeout_s):
            pytest.fail("the block ran")


async def test_close_during_a_block(url: str, clock: Clock) -> None:
    """A store that is closed by another task ends the block with an error, and undoes it."""
    store = await memrepo.connect(url, clock=clock)
    with pytest.raises(ClosedError):
        async with store.transaction() as tx:
            await tx.memories.remember("block")
            async with asyncio.timeout(PATIENCE_S):
                await elsewhere(store.close())
            with pytest.raises(ClosedError):
                await tx.memories.remember("late")
    if url != ":memory:":
        async with memrepo.connect(url, clock=clock) as store:
            assert await contents(store) == []
