"""In which event loop a test's store is opened: that in which the test will run, whichever plugin runs it."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from inspect import iscoroutinefunction
from types import FunctionType, ModuleType
from typing import Any, Final
from unittest import TestCase

import pytest

from memrepo import OpeningStore, Store, WrongLoopError
from memrepo.options import ConnectOptions
from pytest_memrepo import MemoryClock, StoreFactory

__all__ = ["explain", "make_file", "open_store"]

_SCOPES: Final = ("function", "class", "module", "package", "session")
_FIXTURES: Final = "memrepo-loops"

_SYNC: Final = (
    "memory_store is for async tests, because a store belongs to an event loop. In other tests use "
    "memory_store_factory, in a coroutine: `async with memory_store_factory() as store:`"
)
_NO_PLUGIN: Final = (
    "memory_store needs the event loop of its test, and neither pytest-asyncio nor anyio runs this one: "
    "install one of them, and mark the test with pytest.mark.asyncio or pytest.mark.anyio"
)
_NOT_ASYNCIO: Final = (
    "memory_store needs an event loop of asyncio, and this test runs on {}: override the fixture "
    'anyio_backend with one that returns "asyncio"'
)
_UNITTEST: Final = (
    "memory_store cannot be open in a unittest.TestCase, which runs each test in an event loop of its own: open a "
    "store in the test, or in the asyncSetUp of an IsolatedAsyncioTestCase: "
    '`self.store = await self.enterAsyncContext(memrepo.connect(":memory:"))`'
)
_RUNS: Final = (
    "memory_store cannot be opened while the event loop of its test runs: make it an argument of the test, instead of "
    "request.getfixturevalue, or use memory_store_factory: `async with memory_store_factory() as store:`"
)
_TOO_OLD: Final = "memory_store needs pytest-asyncio 1.2 or newer, and this is {}"
_WRONG_LOOP: Final = (
    "memory_store is open in the event loop of its test{}. What uses it must run in the same, "
    "async fixtures among it{}"
)
_TWO_PLUGINS: Final = (
    "memory_store is open in the event loop of its test, which pytest-asyncio runs, and anyio's plugin runs its async "
    "fixtures in another: leave both to one of the two, by taking anyio's mark off, or by asyncio_mode = strict"
)


def open_store(request: pytest.FixtureRequest) -> Store:
    """Open the store of a test in the loop that the test will run in. It is closed there, too."""
    if _is_in_loop():
        pytest.fail(_RUNS, pytrace=False)
    manager = request.config.pluginmanager
    if not manager.has_plugin(_FIXTURES):
        manager.register(_fixtures(has_asyncio=_has_asyncio(request.config)), _FIXTURES)
    store: Store = request.getfixturevalue(_fixture_for(request))
    return store


def _fixture_for(request: pytest.FixtureRequest) -> str:
    has_anyio = "anyio_backend" in request.fixturenames
    if (scope := _asyncio_scope(request.node)) is not None:
        return f"_memory_store_asyncio_{scope}{'_anyio' if has_anyio else ''}"
    if has_anyio:
        _require_asyncio(request.getfixturevalue("anyio_backend"))
        return "_memory_store_anyio"
    pytest.fail(_why_not(request), pytrace=False)


def _is_in_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _why_not(request: pytest.FixtureRequest) -> str:
    if issubclass(getattr(request.node, "cls", None) or object, TestCase):
        return _UNITTEST
    if not iscoroutinefunction(getattr(request.node, "obj", None)):
        return _SYNC
    if _is_registered(request.config) and (version := _old_version()) is not None:
        return _TOO_OLD.format(version)
    return _NO_PLUGIN


def _is_registered(config: pytest.Config) -> bool:
    plugin = sys.modules.get("pytest_asyncio.plugin")
    return plugin is not None and config.pluginmanager.is_registered(plugin)


def _has_asyncio(config: pytest.Config) -> bool:
    return _is_registered(config) and _old_version() is None


def _asyncio_scope(item: pytest.Item) -> str | None:
    """Return the scope of the loop in which pytest-asyncio runs a test; ``None`` if it does not run it."""
    if not _has_asyncio(item.config):
        return None
    from pytest_asyncio import is_async_test

    marker = item.get_closest_marker("asyncio")
    if marker is None or not is_async_test(item):
        return None
    default = item.config.getini("asyncio_default_test_loop_scope")
    return str(marker.kwargs.get("loop_scope") or marker.kwargs.get("scope") or default)


def _old_version() -> str | None:
    from pytest_asyncio import __version__

    return __version__ if __version__.startswith(("0.", "1.0.", "1.1.")) else None


def _require_asyncio(backend: Any) -> None:
    name = backend if isinstance(backend, str) else backend[0]
    if name != "asyncio":
        pytest.fail(_NOT_ASYNCIO.format(name), pytrace=False)


def explain(item: pytest.Item, error: BaseException) -> None:
    """Add to the `WrongLoopError` of a test what to do about it."""
    if not isinstance(error, WrongLoopError):
        return
    scope = _asyncio_scope(item)
    if scope and "anyio_backend" in getattr(item, "fixturenames", ()):
        error.add_note(_TWO_PLUGINS)
    else:
        its = f' (loop scope "{scope}")' if scope else ""
        how = f': `@pytest_asyncio.fixture(loop_scope="{scope}")`' if scope else ""
        error.add_note(_WRONG_LOOP.format(its, how))


# --- the fixtures ------------------------------------------------------------------------------


def _fixtures(*, has_asyncio: bool) -> ModuleType:
    """Return a plugin with a fixture for each kind of loop."""
    module = ModuleType(_FIXTURES)  # pytest looks for fixtures in modules and classes only
    vars(module)["_memory_store_anyio"] = pytest.fixture(_store)
    if has_asyncio:
        from pytest_asyncio import fixture

        for scope in _SCOPES:
            name = f"_memory_store_asyncio_{scope}"
            vars(module)[name] = fixture(_copy(_store), loop_scope=scope)
            vars(module)[f"{name}_anyio"] = fixture(_copy(_store_of_sync), loop_scope=scope)
    return module


def _copy(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return another function, because pytest-asyncio notes the scope of the loop on it."""
    return FunctionType(function.__code__, function.__globals__, function.__name__)


async def _store(
    memory_store_factory: StoreFactory,
    memory_store_options: ConnectOptions,
    memory_clock: MemoryClock,
) -> AsyncIterator[Store]:
    options: ConnectOptions = {"clock": memory_clock, **memory_store_options}
    async with memory_store_factory(**options) as store:
        yield store


def _store_of_sync(
    memory_store_factory: StoreFactory,
    memory_store_options: ConnectOptions,
    memory_clock: MemoryClock,
) -> Iterator[Store]:
    """Do the same without being async: anyio takes any async fixture of a test with its mark for its own."""
    stores = _store(memory_store_factory, memory_store_options, memory_clock)
    loop = asyncio.get_event_loop()
    yield loop.run_until_complete(anext(stores))
    loop.run_until_complete(anext(stores, None))


# --- without a loop ----------------------------------------------------------------------------


def make_file(opening: OpeningStore) -> None:
    """Make a database file with the schema in it, by opening it once."""

    async def migrate() -> None:
        async with opening:
            pass

    # In a thread, because this one may have an event loop, and asyncio.run would leave it without.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, migrate()).result()
