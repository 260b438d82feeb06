"""
Fixtures for tests of programs that use memrepo, and a check for what a test leaves open.

pytest imports this at each start, wherever memrepo is installed. So everything else, and memrepo above all, is
imported only when it is used: the coverage of what is imported before a measurement begins is lost.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime, timedelta
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Unpack

import pytest

if TYPE_CHECKING:
    from memrepo import Clock, OpeningStore, Store
    from memrepo.options import ConnectOptions
    from pytest_memrepo.sqld import Sqld

__all__ = ["MemoryClock", "StoreFactory"]

#: A Monday.
_START: Final = datetime(2026, 2, 2, 14, 0, tzinfo=UTC)


class MemoryClock:
    """A clock for ``connect(clock=...)``. It stands still until it is moved."""

    def __init__(self) -> None:
        #: The instant that it shows; another may be assigned, with its time zone.
        self.now: datetime = _START

    def __call__(self) -> datetime:
        """Return the instant that it shows."""
        return self.now

    def advance(self, **duration: float) -> datetime:
        """
        Move on by the arguments of a `timedelta`, as ``advance(minutes=31)``.

        Returns:
            The instant that it shows now.
        """
        self.now += timedelta(**duration)
        return self.now


class StoreFactory:
    """Opens stores, as many as a test needs. Call it as `memrepo.connect`."""

    def __init__(self) -> None:
        #: The `memory_clock` of the test that runs; an overridden one before its override.
        self._clocks: list[Clock] = []

    def __call__(
        self, url: str | PathLike[str] = ":memory:", **options: Unpack[ConnectOptions]
    ) -> OpeningStore:
        """
        Return a store to open: ``async with memory_store_factory() as store: ...``.

        Args:
            url: A path or URL, as for `memrepo.connect`. In memory, each store is a database of its own.
            options: Those of `memrepo.connect`. The clock is `memory_clock` where a test uses that, else a
                `MemoryClock` of the store's own.
        """
        from memrepo import connect

        own = MemoryClock()

        def now() -> datetime:
            # Of each moment, because `memory_clock` may be set up after the store.
            return (self._clocks[-1] if self._clocks else own)()

        options.setdefault("clock", now)
        return connect(url, **options)

    def go_by(self, clock: Clock) -> Callable[[], object]:
        """Have its stores go by *clock*, until what this returns is called."""
        self._clocks.append(clock)
        return self._clocks.pop


# --- hooks -------------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--memrepo-leaks``, and the same as a setting."""
    text = "fail a test that leaves a store or a transaction of memrepo open"
    parser.getgroup("memrepo").addoption("--memrepo-leaks", action="store_true", help=text)
    parser.addini("memrepo_leaks", text, type="bool", default=False)


@pytest.hookimpl(trylast=True)  # when pytest-cov measures already
def pytest_sessionstart(session: pytest.Session) -> None:
    """Look for leaks, if that is wanted."""
    config = session.config
    if config.getoption("memrepo_leaks") or config.getini("memrepo_leaks"):
        from pytest_memrepo.leaks import LeakCheck

        config.pluginmanager.register(LeakCheck(), "memrepo-leaks")


@pytest.hookimpl(tryfirst=True)  # the first that returns a report is the last that is asked
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Say more where a test has met `WrongLoopError`."""
    if call.excinfo is not None and "memory_store" in getattr(item, "fixturenames", ()):
        from pytest_memrepo.loops import explain

        explain(item, call.excinfo.value)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, Any, Any]:
    """Have the stores of a test go by its `memory_clock`, also where a project has overridden it."""
    value = yield
    if fixturedef.argname == "memory_clock":
        factory: StoreFactory = request.getfixturevalue("memory_store_factory")
        request.addfinalizer(factory.go_by(value))
    return value


# --- the fixtures ------------------------------------------------------------------------------


@pytest.fixture
def memory_clock() -> MemoryClock:
    """A clock that stands still until ``memory_clock.advance(minutes=31)``; the test's stores go by it."""
    return MemoryClock()


@pytest.fixture
def memory_store_options() -> ConnectOptions:
    """The options of `memrepo.connect` for `memory_store` and `memory_store_file`: none. Override it to have some."""
    return {}


@pytest.fixture
def memory_store(
    request: pytest.FixtureRequest,
    memory_clock: Clock,  # noqa: ARG001
    memory_store_options: ConnectOptions,  # noqa: ARG001
) -> Store:
    """An empty store in memory, for async tests. It goes by `memory_clock`."""
    # `open_store` asks for the same two, which pytest must see here, to know of their parameters.
    from pytest_memrepo.loops import open_store

    return open_store(request)


@pytest.fixture(scope="session")
def memory_store_factory() -> StoreFactory:
    """A function that opens stores, as many as a test needs: call it as `memrepo.connect`."""
    return StoreFactory()


@pytest.fixture(scope="session")
def _memory_store_template(
    tmp_path_factory: pytest.TempPathFactory, memory_store_factory: StoreFactory
) -> Path:
    from pytest_memrepo.loops import make_file

    path = tmp_path_factory.mktemp("memrepo") / "agent.db"
    make_file(memory_store_factory(path))
    return path


@pytest.fixture
def memory_store_file(
    request: pytest.FixtureRequest,
    tmp_path: Path,
    memory_store_factory: StoreFactory,
    memory_store_options: ConnectOptions,
) -> Path:
    """The path of a database file without rows, in `tmp_path`; for code that opens a store itself."""
    path = tmp_path / "agent.db"
    if memory_store_options:
        from pytest_memrepo.loops import make_file

        make_file(memory_store_factory(path, **memory_store_options))
    else:
        shutil.copy(request.getfixturevalue("_memory_store_template"), path)
    return path


@pytest.fixture(scope="session")
def _memory_sqld(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sqld]:
    from pytest_memrepo.sqld import SAFE, Sqld, require_sqld

    server = Sqld(require_sqld(), tmp_path_factory.mktemp("sqld"), *SAFE)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def memory_server(_memory_sqld: Sqld) -> Iterator[str]:
    """The URL of an empty database on a libSQL server; where there is no sqld, the test is skipped."""
    yield _memory_sqld.new_url()
    _memory_sqld.drop()
