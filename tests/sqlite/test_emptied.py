"""A file without length: refused if its log shows that it had content, else new, and logged."""

from __future__ import annotations

import asyncio
import logging
import shutil
from pathlib import Path

import pytest

import memrepo
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio


def told(caplog: pytest.LogCaptureFixture) -> list[int]:
    """Return the levels of what was logged about empty files."""
    return [its.levelno for its in caplog.records if "opened as a new database" in its.message]


@pytest.mark.parametrize("content", [b"", b"S"], ids=["empty", "a byte"])
@pytest.mark.parametrize("mode", ["", "?mode=rw", "?mode=ro"])
async def test_an_emptied_file_with_a_log(
    tmp_path: Path, clock: Clock, mode: str, content: bytes
) -> None:
    """SQLite would delete the log, which has the rows: the file is refused, and both stay as they are."""
    path, emptied = tmp_path / "agent.db", tmp_path / "emptied.db"
    log = Path(f"{emptied}-wal")
    async with memrepo.connect(path, clock=clock) as store:
        await store.memories.remember("Tea")
        shutil.copy(f"{path}-wal", log)
    emptied.write_bytes(content)
    before = log.read_bytes()
    for _ in range(2):
        with pytest.raises(memrepo.CorruptDatabaseError, match=r"emptied\.db is empty, but"):
            await memrepo.connect(f"file:{emptied}{mode}", clock=clock)
        assert (emptied.read_bytes(), log.read_bytes()) == (content, before)
    # What is left of the file is in the log, and with the file's pages it is all there.
    shutil.copy(path, emptied)
    async with memrepo.connect(emptied, clock=clock) as store:
        assert await store.memories.count() == 1


async def test_a_link_to_an_emptied_file(tmp_path: Path, clock: Clock) -> None:
    """The log is beside the file, not beside the link."""
    link, path = tmp_path / "link.db", tmp_path / "folder" / "agent.db"
    path.parent.mkdir()
    path.touch()
    Path(f"{path}-wal").write_bytes(b"log")
    link.symlink_to(path)
    with pytest.raises(memrepo.CorruptDatabaseError):
        await memrepo.connect(link, clock=clock)


@pytest.mark.parametrize(
    ("mode", "level"), [("", logging.WARNING), ("?mode=rw", logging.INFO)], ids=["rwc", "rw"]
)
async def test_an_empty_file_is_a_new_database(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture, mode: str, level: int
) -> None:
    """It is used, and the log says so once: who expected facts in it has to know."""
    caplog.set_level(logging.INFO, logger="memrepo")
    path = tmp_path / "agent.db"
    path.touch()
    for _ in range(2):
        async with memrepo.connect(f"file:{path}{mode}", clock=clock) as store:
            await store.memories.remember("Tea")
            assert await store.memories.count() == 1
    assert told(caplog) == [level]


async def test_a_file_that_is_made_is_not_taken_for_an_empty_one(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Of many stores that make one file, none takes it for one that something has emptied."""
    for name in "abcde":
        stores = await asyncio.gather(
            *(memrepo.connect(tmp_path / name, clock=clock) for _ in range(8))
        )
        await asyncio.gather(*(store.close() for store in stores))
    assert told(caplog) == []


async def test_many_stores_on_an_empty_file(
    tmp_path: Path, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever of them finds it empty says so, and all use it."""
    path = tmp_path / "agent.db"
    path.touch()
    stores = await asyncio.gather(*(memrepo.connect(path, clock=clock) for _ in range(8)))
    await asyncio.gather(*(store.close() for store in stores))
    assert set(told(caplog)) == {logging.WARNING}
