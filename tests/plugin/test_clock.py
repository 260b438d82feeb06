"""`memory_clock`: the stores of a test go by it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from memrepo import Store
from pytest_memrepo import MemoryClock, StoreFactory

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def opened(memory_store_factory: StoreFactory) -> AsyncIterator[Store]:
    async with memory_store_factory() as store:
        yield store


async def test_set_up_after_the_store(opened: Store, memory_clock: MemoryClock) -> None:
    """A store that was opened before `memory_clock` was set up goes by it all the same."""
    first = await opened.sessions.get_or_start()
    memory_clock.advance(minutes=31)
    assert (await opened.sessions.get_or_start()).id != first.id


async def test_set_up_before_the_store(memory_clock: MemoryClock, opened: Store) -> None:
    """And so does one that is opened after it."""
    memory_clock.advance(days=1)
    assert (await opened.sessions.get_or_start()).started_at == memory_clock.now
