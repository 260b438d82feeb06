"""LI-17: on an event loop whose tasks begin when they are made, everything is as it is otherwise."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

import memrepo
from memrepo import DatabaseError, StorePool
from memrepo.connection.sqlite.connection import SQLiteConnection
from tests.conftest import eager_loop

pytestmark = pytest.mark.skipif(
    sys.version_info < (3, 12),
    reason="Python 3.11 has no eager tasks; on newer ones they are tested",
)


def test_calls_at_once(tmp_path: Path) -> None:
    """Calls of many tasks, alone and in a transaction, are each answered, and can be cancelled."""

    async def main() -> None:
        async with memrepo.connect(tmp_path / "agent.db") as store:
            told = await asyncio.gather(*(store.memories.remember(f"{n % 50}") for n in range(200)))
            assert [known.outcome for known in told].count("created") == 50
            cut_off = asyncio.create_task(store.memories.remember("cut off"))
            cut_off.cancel()
            await asyncio.wait({cut_off})
            assert cut_off.cancelled()
            async with store.transaction() as tx:
                await asyncio.gather(*(tx.daily_logs.append(None, f"{n}") for n in range(50)))
            assert len(await store.daily_logs.find_many()) == 50

    with asyncio.Runner(loop_factory=eager_loop) as runner:
        runner.run(main())


def test_pool_that_cannot_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenant's store that fails to open at once is told to all that wait; the next one tries again."""

    async def main() -> None:
        async with StorePool(tmp_path / "{tenant}.db") as pool:

            async def use() -> None:
                async with pool.open("acme") as store:
                    await store.memories.remember("a")

            with monkeypatch.context() as patch:
                patch.setattr(SQLiteConnection, "open", _fail)
                told = await asyncio.gather(*(use() for _ in range(3)), return_exceptions=True)
            assert [str(error) for error in told] == [f"{tmp_path}/acme.db: not now"] * 3
            await asyncio.gather(*(use() for _ in range(3)))

    with asyncio.Runner(loop_factory=eager_loop) as runner:
        runner.run(main())


async def _fail(*_: object, **__: object) -> SQLiteConnection:
    raise DatabaseError("not now")
