"""What every test has: no blocking call on the event loop, a clock of its own, a store on each driver."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio
import uvloop
from blockbuster import BlockBuster, blockbuster_ctx

# Before trio is imported: it looks for what refers to trio's numbers, and would not see what is frozen.
from hypothesis import HealthCheck, settings

import memrepo
from pytest_memrepo import MemoryClock

# Here, and not in the campaigns' own conftest.py: where workers collect, the main process reads only this.
from tests.campaigns.reporting import pytest_terminal_summary  # noqa: F401 - a hook
from tests.servers.fixtures import (  # noqa: F401 - fixtures
    certificate,
    cluster,
    locked_sqld,
    new_sqld,
    run_cluster,
    run_locked_sqld,
    run_sqld,
    sqld,
    sqld_cluster,
    sqld_proxy,
    tokens,
)

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # The tests run in the background of a shell, and the programs that they start and interrupt would
    # ignore it, too.
    signal.signal(signal.SIGINT, signal.default_int_handler)


# What programs print is not what the terminal is like in which the tests were started.
for _setting in ("COLUMNS", "LINES", "FORCE_COLOR", "NO_COLOR"):
    os.environ.pop(_setting, None)

# That a machine is slow is no failure, and a fixture's store is as good for the next example.
settings.register_profile(
    "memrepo",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("memrepo")

#: Where Linux keeps files in memory, and the bytes that must be free there for the tests to use it.
_MEMORY = Path("/dev/shm")
_ROOM = 6 * 2**30


def pytest_configure(config: pytest.Config) -> None:
    """
    Keep what tests write in memory, which no test has to wait for: they kill processes, never the machine.

    The campaigns stay on the disk, and all tests with ``MEMREPO_TMP=disk``.
    """
    is_wanted = os.environ.get("MEMREPO_TMP") != "disk" and config.option.markexpr != "campaign"
    if is_wanted and os.path.ismount(_MEMORY) and shutil.disk_usage(_MEMORY).free > _ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Spare the garbage collector the modules and thousands of tests, which stay: a pass took 0.2 s."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """
    Return two workers more than there are processors, as a worker waits while its server works, or a clock runs.

    Campaigns are busy with processes of their own.
    """
    n_processors = os.cpu_count() or 1
    return n_processors + (1 if config.option.markexpr == "campaign" else 2)


def eager_loop() -> asyncio.AbstractEventLoop:
    """An event loop whose tasks begin when they are made, where Python has them: from 3.12 on."""
    loop = asyncio.new_event_loop()
    if sys.version_info >= (3, 12):
        loop.set_task_factory(asyncio.eager_task_factory)
    return loop


_LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "uvloop": uvloop.new_event_loop,
    "eager": eager_loop,
}

if (_loop := os.environ.get("MEMREPO_LOOP", "asyncio")) != "asyncio":

    def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
        """Run the suite on another event loop."""
        return {_loop: _LOOPS[_loop]}

    def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
        """Leave out tests that make a loop of their own, or none: another would change nothing."""
        on_loop, left_out = list[pytest.Item](), list[pytest.Item]()
        for item in items:
            has_loop = item.get_closest_marker("asyncio") is not None
            (on_loop if has_loop else left_out).append(item)
        config.hook.pytest_deselected(items=left_out)
        items[:] = on_loop


class Clock(MemoryClock):
    """A clock that stands still until it is moved, at an instant with every part that is stored."""

    def __init__(self) -> None:
        self.now = datetime(2026, 2, 2, 14, 16, 24, 123_000, tzinfo=UTC)


#: What may be in a program's stderr: a SQLite that has a bug, a folder for tests that is in memory, and, in
#: asyncio's debug mode, a machine that was busy elsewhere for a tenth of a second.
_NO_COMPLAINTS = ("has the WAL-reset bug", "on a file system of type tmpfs", "Executing <")


def complaints(stderr: str) -> str:
    """What a program wrote to stderr, but for what says something of the machine only."""
    lines = stderr.splitlines(keepends=True)
    return "".join(line for line in lines if not any(its in line for its in _NO_COMPLAINTS))


@pytest.fixture(scope="session")
def _blockbuster() -> Iterator[BlockBuster]:
    with blockbuster_ctx("memrepo") as blockbuster:
        # A relative path is resolved when connect() is called; that asks the kernel, not a disk.
        blockbuster.functions["os.getcwd"].can_block_in("memrepo/connection/url.py", "_file")
        yield blockbuster


@pytest.fixture(autouse=True)
def no_blocking_calls(_blockbuster: BlockBuster) -> BlockBuster:
    """Raise where library code blocks the event loop."""
    _blockbuster.activate()  # a test may have switched it off
    return _blockbuster


@pytest.fixture
def names_not_utf_8(caplog: pytest.LogCaptureFixture) -> None:
    """For files whose names are not UTF-8: a log that tells one would be in a report, which xdist could not pass on."""
    caplog.set_level(logging.CRITICAL, logger="memrepo")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "file"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a new database on each driver."""
    return ":memory:" if request.param == "memory" else str(tmp_path / "agent.db")


@pytest_asyncio.fixture
async def store(url: str, clock: Clock) -> AsyncIterator[memrepo.Store]:
    """A store on each driver."""
    async with memrepo.connect(url, clock=clock) as store:
        yield store
