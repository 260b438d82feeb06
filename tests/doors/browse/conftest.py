"""One server for all tests that only look, and a memory of its own for each that changes something."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import attrs
import httpx
import pytest

from tests.doors.browse.memories import Known, write_memory
from tests.doors.browse.serving import Pages, browsing, visitor


@attrs.frozen
class Memory:
    """A database that nobody has open, and what is in it."""

    path: Path
    known: Known


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Memory:
    """The memory of which tests get copies."""
    path = tmp_path_factory.mktemp("memory") / "agent.db"
    return Memory(path, write_memory(path))


@pytest.fixture
def memory(written: Memory, tmp_path: Path) -> Memory:
    """A memory of a test's own."""
    return Memory(Path(shutil.copy(written.path, tmp_path / "agent.db")), written.known)


@pytest.fixture(scope="session")
def known(written: Memory) -> Known:
    """What the memory knows."""
    return written.known


@pytest.fixture(scope="session")
def pages(written: Memory, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    """A server that only reads."""
    folder = tmp_path_factory.mktemp("pages")
    path = shutil.copy(written.path, folder / "agent.db")
    with browsing(path, folder / "log") as pages:
        yield pages
    assert sorted(its.name for its in folder.iterdir()) == ["agent.db", "log"]


@pytest.fixture
def client(pages: Pages) -> Iterator[httpx.Client]:
    """A client of it."""
    with visitor(pages) as client:
        yield client


@pytest.fixture
def editor(memory: Memory, tmp_path: Path) -> Iterator[httpx.Client]:
    """A client of a server that may also change facts."""
    with browsing(memory.path, tmp_path / "log", "--edit") as pages, visitor(pages) as client:
        yield client
