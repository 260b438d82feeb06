"""`memory_store` in every mode of the plugins that run async tests; where it cannot work, it says why."""

from __future__ import annotations

import pytest

from tests.plugin.running import run

pytest_plugins = ["pytester"]

pytestmark = pytest.mark.slow

#: What a test does with a store that is new, migrated, its own, and in its own loop.
_USE = """
    async def use(store, clock):
        soon = clock.now.replace(minute=10)
        fact = await store.memories.remember("In a meeting", expires_at=soon)
        assert fact.outcome == "created"
        assert store.schema_version > 0
        async with store.transaction() as tx:
            assert await tx.memories.count() == 1
        clock.advance(minutes=10)
        assert await store.memories.find(fact.id) is None
    """

_SCOPES = """
    import asyncio, pytest, pytest_asyncio
    from use import use

    @pytest_asyncio.fixture
    async def agent(memory_store):
        await memory_store.memories.remember("The agent is called Ada")
        return memory_store

    @pytest.mark.asyncio
    async def test_default_scope(memory_store, memory_clock, agent):
        assert agent is memory_store
        assert await memory_store.memories.count() == 1
        await use_after(agent, memory_clock)

    async def use_after(store, clock):
        clock.advance(days=1)
        assert (await store.memories.remember("the agent is called ada")).outcome == "duplicate"

    @pytest.mark.asyncio(loop_scope="function")
    async def test_function(memory_store, memory_clock):
        await use(memory_store, memory_clock)

    @pytest.mark.parametrize("n", range(2))
    def test_sync(memory_store_factory, memory_clock, n):
        async def main():
            async with memory_store_factory() as store:
                await use(store, memory_clock)
        asyncio.run(main())  # which leaves the main thread without an event loop

    class TestClass:
        @pytest.mark.asyncio(loop_scope="class")
        @pytest.mark.parametrize("n", range(2))
        async def test_class(self, memory_store, memory_clock, n):
            await use(memory_store, memory_clock)

    @pytest.mark.asyncio(loop_scope="module")
    @pytest.mark.parametrize("n", range(2))
    async def test_module(memory_store, memory_clock, n):
        await use(memory_store, memory_clock)

    @pytest.mark.asyncio(loop_scope="package")
    @pytest.mark.parametrize("n", range(2))
    async def test_package(memory_store, memory_clock, n):
        await use(memory_store, memory_clock)

    @pytest.mark.asyncio(loop_scope="session")
    @pytest.mark.parametrize("n", range(2))
    async def test_session(memory_store, memory_clock, n):
        await use(memory_store, memory_clock)
    """

_UNMARKED = """
    import pytest
    from use import use

    @pytest.fixture
    async def agent(memory_store):
        await memory_store.memories.remember("The agent is called Ada")
        return memory_store

    async def test_plain(memory_store, memory_clock):
        await use(memory_store, memory_clock)

    async def test_with_a_fixture(agent, memory_store):
        assert agent is memory_store
        assert await memory_store.memories.count() == 1

    async def test_file_made_in_a_running_loop(request, memory_store_factory, memory_clock):
        async with memory_store_factory(request.getfixturevalue("memory_store_file")) as store:
            await use(store, memory_clock)

    class TestClass:
        async def test_method(self, memory_store, memory_clock):
            await use(memory_store, memory_clock)
    """

_ANYIO = """
    import anyio, pytest
    from use import use

    pytestmark = pytest.mark.anyio

    @pytest.fixture(scope="module")
    def anyio_backend():
        return "asyncio"

    @pytest.fixture
    async def agent(memory_store):
        await memory_store.memories.remember("The agent is called Ada")
        return memory_store

    @pytest.mark.parametrize("n", range(2))
    async def test_plain(memory_store, memory_clock, n):
        await use(memory_store, memory_clock)

    async def test_tasks(agent, memory_store):
        async with anyio.create_task_group() as group:
            for n in range(3):
                group.start_soon(memory_store.memories.remember, f"fact {n}")
        assert await agent.memories.count() == 4
    """


@pytest.fixture
def tester(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makepyfile(use=_USE)
    return pytester


@pytest.mark.parametrize("mode", ["strict", "auto"])
def test_every_loop_scope(tester: pytest.Pytester, mode: str) -> None:
    """In both of pytest-asyncio's modes a test has a store of its own, in a loop of any scope."""
    tester.makepyfile(test_scopes=_SCOPES)
    run(tester, "-o", f"asyncio_mode={mode}").assert_outcomes(passed=12)


@pytest.mark.parametrize("scope", ["function", "session"])
def test_auto(tester: pytest.Pytester, scope: str) -> None:
    """In auto mode no test needs a mark, whichever loop is the default for tests and for fixtures."""
    tester.makepyfile(test_unmarked=_UNMARKED)
    settings = (f"asyncio_default_{its}_loop_scope={scope}" for its in ("test", "fixture"))
    arguments = [argument for setting in settings for argument in ("-o", setting)]
    run(tester, "-o", "asyncio_mode=auto", *arguments).assert_outcomes(passed=4)


def test_anyio_alone(tester: pytest.Pytester) -> None:
    """anyio's plugin runs tests with a store where pytest-asyncio is not."""
    tester.makepyfile(test_anyio=_ANYIO)
    run(tester, "-p", "no:asyncio").assert_outcomes(passed=3)


def test_asyncio_alone(tester: pytest.Pytester) -> None:
    """pytest-asyncio runs tests with a store where anyio's plugin is not; in two processes, and without a leak."""
    tester.makepyfile(test_scopes=_SCOPES)
    run(tester, "-p", "no:anyio", "-n2", "--memrepo-leaks").assert_outcomes(passed=12)


def test_anyio_beside_asyncio(tester: pytest.Pytester) -> None:
    """Where both plugins are, each test's store is in the loop of the plugin that runs it."""
    tester.makepyfile(test_anyio=_ANYIO, test_scopes=_SCOPES)
    run(tester).assert_outcomes(passed=15)


def test_anyio_mark_in_auto_mode(tester: pytest.Pytester) -> None:
    """In pytest-asyncio's auto mode it runs tests with anyio's mark, too; they have their store all the same."""
    tester.makepyfile(
        """
        import pytest
        from use import use

        @pytest.mark.anyio
        @pytest.mark.parametrize("anyio_backend", ["asyncio"])
        async def test_marked(memory_store, memory_clock, anyio_backend):
            await use(memory_store, memory_clock)
        """
    )
    run(tester, "-o", "asyncio_mode=auto").assert_outcomes(passed=1)


def test_options(tester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A module's own `memory_store_options` are those of its stores, and may have a clock of its own.

    Where no plugin is loaded unasked, ours and pytest-asyncio's can be asked for.
    """
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    tester.makepyfile(
        """
        import memrepo, pytest

        @pytest.fixture
        def memory_store_options():
            return {"same_fact": "exact", "search": "english", "clock": memrepo.utc_now}

        @pytest.mark.asyncio
        async def test_options(memory_store, memory_clock):
            told = await memory_store.memories.remember("Tea")
            assert (await memory_store.memories.remember("tea")).outcome == "created"
            assert [hit.entry.content for hit in await memory_store.memories.search("teas")]
            assert told.entry.created_at > memory_clock.now
        """
    )
    run(tester, "-p", "pytest_asyncio.plugin", "-p", "pytest_memrepo").assert_outcomes(passed=1)


# --- where it cannot work ----------------------------------------------------------------------


def test_messages(tester: pytest.Pytester) -> None:
    """A test that cannot have a store says in one sentence why, and what to do."""
    tester.makepyfile(
        """
        import pytest

        def test_sync(memory_store): ...

        async def test_unmarked(memory_store): ...

        @pytest.mark.anyio
        @pytest.mark.parametrize("anyio_backend", ["trio"])
        async def test_trio(memory_store): ...
        """
    )
    result = run(tester)
    result.assert_outcomes(errors=3)
    result.stdout.fnmatch_lines(
        [
            "memory_store is for async tests, *use memory_store_factory, *",
            "memory_store needs the event loop of its test, and neither pytest-asyncio nor anyio *",
            "memory_store needs an event loop of asyncio, and this test runs on trio: *",
        ],
        consecutive=False,
    )
    result.stdout.no_fnmatch_line("*Traceback*")


def test_unittest(tester: pytest.Pytester) -> None:
    """A `unittest.TestCase`, whose loop no fixture can have, is told to open its store itself; what it is told works."""
    tester.makepyfile(
        """
        import memrepo, pytest, unittest

        @pytest.mark.usefixtures("memory_store")
        class TestSync(unittest.TestCase):
            def test_sync(self): ...

        @pytest.mark.asyncio
        class TestAsync(unittest.IsolatedAsyncioTestCase):
            @pytest.fixture(autouse=True)
            def take_store(self, memory_store): ...

            async def test_async(self): ...

        class TestItself(unittest.IsolatedAsyncioTestCase):
            @pytest.fixture(autouse=True)
            def take_factory(self, memory_store_factory):
                self.opening = memory_store_factory()

            async def asyncSetUp(self):
                self.store = await self.enterAsyncContext(self.opening)

            async def test_itself(self):
                assert await self.store.memories.count() == 0
        """
    )
    result = run(tester)
    result.assert_outcomes(passed=1, errors=2)
    said = "memory_store cannot be open in a unittest.TestCase, which * loop of its own: *enterAsyncContext(*"
    result.stdout.fnmatch_lines([said, said], consecutive=False)
    result.stdout.no_fnmatch_line("*Traceback*")


@pytest.mark.parametrize("mode", ["strict", "auto"])
def test_asked_for_by_a_test_that_runs(tester: pytest.Pytester, mode: str) -> None:
    """What asks for the store while its loop runs is told to ask before; if it did, it gets the store again."""
    tester.makepyfile(
        """
        import pytest

        @pytest.mark.asyncio
        async def test_late(request):
            request.getfixturevalue("memory_store")

        @pytest.mark.anyio
        @pytest.mark.parametrize("anyio_backend", ["asyncio"])
        async def test_late_in_anyio(request):
            request.getfixturevalue("memory_store")

        @pytest.mark.asyncio
        async def test_again(request, memory_store):
            assert request.getfixturevalue("memory_store") is memory_store
        """
    )
    result = run(tester, "-o", f"asyncio_mode={mode}")
    result.assert_outcomes(passed=1, failed=2)
    said = "memory_store cannot be opened while the event loop of its test runs: *an argument of the test, *"
    result.stdout.fnmatch_lines([said, said], consecutive=False)
    result.stdout.no_fnmatch_line("*never awaited*")


def test_no_plugin_at_all(tester: pytest.Pytester) -> None:
    """Without a plugin for async tests, the factory, the clock and the file serve sync ones."""
    tester.makepyfile(
        """
        import asyncio
        from use import use

        async def test_async(memory_store): ...

        def test_in_memory(memory_store_factory, memory_clock):
            async def main():
                async with memory_store_factory() as store, memory_store_factory() as other:
                    await use(store, memory_clock)
                    assert await other.memories.count() == 0
            asyncio.run(main())

        def test_file(memory_store_file, memory_store_factory, tmp_path):
            async def main(outcome):
                async with memory_store_factory(memory_store_file) as store:
                    assert (await store.memories.remember("Tea")).outcome == outcome
            assert memory_store_file.parent == tmp_path
            asyncio.run(main("created"))
            asyncio.run(main("duplicate"))
        """
    )
    result = run(tester, "-p", "no:asyncio", "-p", "no:anyio")
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*neither pytest-asyncio nor anyio runs this one*"])


def test_old_asyncio_plugin(tester: pytest.Pytester) -> None:
    """A version of pytest-asyncio whose fixtures know nothing of loops is refused by name; a sync test is as ever."""
    tester.makeconftest(
        """
        import pytest, pytest_asyncio

        pytest_asyncio.__version__ = "0.21.2"
        pytest_asyncio.fixture = pytest.fixture  # which takes no loop_scope either
        del pytest_asyncio.is_async_test
        """
    )
    tester.makepyfile(
        """
        import pytest

        @pytest.mark.asyncio
        async def test_async(memory_store): ...

        def test_sync(memory_store): ...
        """
    )
    result = run(tester)
    result.assert_outcomes(errors=2)
    result.stdout.fnmatch_lines(
        [
            "memory_store needs pytest-asyncio 1.2 or newer, and this is 0.21.2",
            "memory_store is for async tests*",
        ]
    )


def test_wrong_loop(tester: pytest.Pytester) -> None:
    """An async fixture in another loop than its test cannot use the store, and is told which loop it needs."""
    tester.makepyfile(
        """
        import pytest, pytest_asyncio

        @pytest_asyncio.fixture
        async def agent(memory_store):
            await memory_store.memories.remember("The agent is called Ada")

        @pytest_asyncio.fixture(loop_scope="module")
        async def right_agent(memory_store):
            await memory_store.memories.remember("The agent is called Ada")

        @pytest.mark.asyncio(loop_scope="module")
        async def test_wrong(agent): ...

        @pytest.mark.asyncio(loop_scope="module")
        async def test_right(right_agent): ...
        """
    )
    result = run(tester)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        ['*memory_store is open*(loop scope "module"). *fixture(loop_scope="module")`']
    )


def test_two_plugins_at_once(tester: pytest.Pytester) -> None:
    """Where two plugins run one test and its fixtures, each in a loop of its own, it is told to leave it to one."""
    tester.makepyfile(
        """
        import pytest

        @pytest.fixture
        async def agent(memory_store):
            await memory_store.memories.remember("The agent is called Ada")

        @pytest.mark.anyio
        @pytest.mark.parametrize("anyio_backend", ["asyncio"])
        async def test_marked(agent): ...
        """
    )
    result = run(tester, "-o", "asyncio_mode=auto")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [
            "*memory_store is open*anyio's plugin runs its async fixtures in another*asyncio_mode = strict*"
        ]
    )
    run(tester, "-o", "asyncio_mode=strict").assert_outcomes(passed=1)
