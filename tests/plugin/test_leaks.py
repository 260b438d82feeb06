"""The check for leaks: what a test leaves open fails it, and what it closes in time does not."""

from __future__ import annotations

import pytest

from memrepo.connection import watching
from pytest_memrepo.leaks import LeakCheck
from tests.plugin.running import run

pytest_plugins = ["pytester"]

_LEAKS = """
    import asyncio, contextlib, memrepo, pytest, pytest_asyncio

    pytestmark = pytest.mark.asyncio
    kept = []

    @pytest_asyncio.fixture
    async def forgetful():
        return await memrepo.connect(":memory:")

    @pytest_asyncio.fixture(scope="module", loop_scope="module")
    async def forgetful_module():
        return await memrepo.connect(":memory:")

    async def test_store_of_a_module(forgetful_module): ...

    async def test_store_that_is_dropped():
        await memrepo.connect(":memory:")  # this line

    async def test_store_that_is_kept(memory_store_factory, tmp_path):
        kept.append(await memory_store_factory(tmp_path / "kept.db"))

    async def test_store_of_a_pool(tmp_path):
        kept.append(memrepo.StorePool(str(tmp_path / "{tenant}.db")))
        await kept[-1].__aenter__()
        async with kept[-1].open("ada"):
            pass

    async def test_store_of_a_fixture(forgetful): ...

    async def test_task_in_a_transaction(memory_store):
        holding = asyncio.Event()
        async def hold():
            async with memory_store.transaction():
                holding.set()
                await asyncio.sleep(3600)
        kept.append(asyncio.create_task(hold()))
        await holding.wait()

    async def test_block_that_is_never_left(memory_store):
        kept.append(contextlib.AsyncExitStack())
        await kept[-1].enter_async_context(memory_store.transaction())

    async def test_last(): ...
    """

_NO_LEAKS = """
    import contextlib, memrepo, pytest, pytest_asyncio

    pytestmark = pytest.mark.asyncio(loop_scope="module")

    @pytest_asyncio.fixture(scope="module", loop_scope="module")
    async def shared():
        async with memrepo.connect(":memory:") as store, store.transaction() as tx:
            yield tx

    @pytest_asyncio.fixture(loop_scope="module")
    async def stack():
        async with contextlib.AsyncExitStack() as stack:
            yield stack

    async def test_first(shared, memory_store):
        await shared.memories.remember("Tea")
        async with memory_store.transaction() as tx:
            await tx.memories.remember("Tea")

    async def test_second(shared, stack):
        assert await shared.memories.count() == 1
        await stack.enter_async_context(memrepo.connect(":memory:"))

    async def test_store_that_does_not_open(tmp_path):
        with pytest.raises(memrepo.DatabaseError):
            await memrepo.connect(tmp_path / "missing" / "agent.db")
    """


#: Stores are opened on the event loop, which noting them must not block.
_NO_BLOCKING = """
    import pytest
    from blockbuster import blockbuster_ctx

    @pytest.fixture(autouse=True)
    def no_blocking_calls():
        with blockbuster_ctx(["memrepo", "pytest_memrepo"]):
            yield
    """


def test_leaks_fail(pytester: pytest.Pytester) -> None:
    """A store or transaction that is left open fails its test, and is named with the line that opened it, if it has one."""
    pytester.makeconftest(_NO_BLOCKING)
    pytester.makepyfile(test_leaks=_LEAKS)
    result = run(pytester, "--memrepo-leaks")
    result.assert_outcomes(passed=6, failed=2, errors=5)
    line = _LEAKS[: _LEAKS.index("# this line")].count("\n")
    result.stdout.fnmatch_lines_random(
        [
            f"  store on :memory:, opened at test_leaks.py:{line}",
            "  store on */kept.db, opened at test_leaks.py:*",
            "  store on */ada.db, opened during test_leaks.py::test_store_of_a_pool",
            "*ERROR at teardown of test_store_of_a_fixture*",
            "*ERROR at teardown of test_last*",
            "  transaction on :memory:, opened at test_leaks.py:*",
            "*_ test_task_in_a_transaction _*",
            "*_ test_block_that_is_never_left _*",
        ]
    )


@pytest.mark.slow
def test_what_is_expected_to_fail(pytester: pytest.Pytester) -> None:
    """That a test is marked as failing hides no leak: the mark is about something else."""
    pytester.makepyfile(
        """
        import contextlib, memrepo, pytest

        pytestmark = [pytest.mark.asyncio, pytest.mark.xfail(reason="not done yet", strict=False)]
        kept = []

        async def test_without_a_leak(memory_store):
            raise NotImplementedError

        async def test_store():
            kept.append(await memrepo.connect(":memory:"))
            raise NotImplementedError

        async def test_transaction(memory_store):
            kept.append(contextlib.AsyncExitStack())
            await kept[-1].enter_async_context(memory_store.transaction())
        """
    )
    result = run(pytester, "--memrepo-leaks")
    result.assert_outcomes(xfailed=2, failed=1, errors=1)
    result.stdout.fnmatch_lines_random(
        ["*_ ERROR at teardown of test_store _*", "*_ test_transaction _*", "left open:"]
    )


@pytest.mark.slow
def test_a_setting_switches_it_on(pytester: pytest.Pytester) -> None:
    """In a project's settings it is on for each run; and without it nothing is looked for."""
    pytester.makepyfile(
        """
        import memrepo, pytest

        kept = []

        @pytest.mark.asyncio
        async def test_leak():
            kept.append(await memrepo.connect(":memory:"))
        """
    )
    run(pytester, "-W", "ignore").assert_outcomes(passed=1)
    run(pytester, "-o", "memrepo_leaks=true").assert_outcomes(passed=1, errors=1)


@pytest.mark.slow
def test_what_is_closed_in_time_is_no_leak(pytester: pytest.Pytester) -> None:
    """A fixture's store may last as long as the fixture, and a fixture may close what a test has opened."""
    pytester.makepyfile(test_first=_NO_LEAKS, test_second=_NO_LEAKS)
    run(pytester, "--memrepo-leaks").assert_outcomes(passed=6)


def test_nobody_is_told_without_it(pytestconfig: pytest.Config) -> None:
    """In a run without the check, as this should be one, opening a store tells nobody."""
    assert (watching.on_open is None) is not pytestconfig.getoption("memrepo_leaks")


def test_run_within_a_run() -> None:
    """A run that ends within another, as one that tests a plugin, leaves the other's check on."""
    before = watching.on_open
    outer = LeakCheck()
    told = watching.on_open
    LeakCheck().pytest_sessionfinish()
    assert watching.on_open == told != before
    outer.pytest_sessionfinish()
    assert watching.on_open == before
