"""`memory_clock`: the stores of a test go by it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
import pytest_asyncio

from memrepo import Clock, Store
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


class TestOwnClock:
    """Where a project has a `memory_clock` of its own."""

    @pytest.fixture
    def memory_clock(self) -> Clock:
        return lambda: datetime(2031, 1, 1, tzinfo=UTC)

    async def test_every_store_goes_by_it(
        self,
        memory_store: Store,
        opened: Store,
        memory_store_factory: StoreFactory,
        memory_clock: Clock,
    ) -> None:
        """The test's store goes by it, and so do those of the factory, whenever they were opened."""
        async with memory_store_factory() as other:
            for store in (memory_store, opened, other):
                assert (await store.sessions.start()).started_at == memory_clock()


class TestLaterClock:
    """Where that begins with the plugin's."""

    @pytest.fixture
    def memory_clock(self, memory_clock: MemoryClock) -> MemoryClock:
        memory_clock.now = datetime(2031, 1, 1, tzinfo=UTC)
        return memory_clock

    async def test_it_can_be_moved(self, opened: Store, memory_clock: MemoryClock) -> None:
        """It begins when the project says, and moves."""
        assert (await opened.sessions.start()).started_at == datetime(2031, 1, 1, tzinfo=UTC)
        memory_clock.advance(minutes=31)
        assert (await opened.sessions.get_or_start()).started_at == memory_clock.now


class TestSeveralClocks:
    """Where it has several, and several options, for each test to run with each of them."""

    @pytest.fixture(params=[2031, 2032])
    def memory_clock(self, request: pytest.FixtureRequest) -> Clock:
        return lambda: datetime(request.param, 1, 1, tzinfo=UTC)

    @pytest.fixture(params=["exact", "folded"])
    def memory_store_options(self, request: pytest.FixtureRequest) -> dict[str, object]:
        return {"same_fact": request.param}

    async def test_each_is_used(self, memory_store: Store, request: pytest.FixtureRequest) -> None:
        """A test that names nothing but `memory_store` runs with each."""
        year = (await memory_store.sessions.start()).started_at.year
        assert request.node.name.endswith(f"[{year}-{memory_store.same_fact}]")


async def test_no_clock_outlasts_its_test(memory_store_factory: StoreFactory) -> None:
    """A test that uses no `memory_clock` goes by a clock of its own again."""
    async with memory_store_factory() as store:
        assert (await store.sessions.start()).started_at == MemoryClock().now
