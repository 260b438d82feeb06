"""A session's block while another program holds the file's lock."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

import memrepo
from memrepo import BusyError

# ruff: noqa: PT012 - whole blocks are what is tested

pytestmark = pytest.mark.asyncio


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock on a file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


async def test_error_of_the_block(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """What the block raised comes out of it, although its session could not be ended, which is logged."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, lock_timeout_s=0.1) as store:
        lock = locked(path)
        with pytest.raises(LookupError, match="own"):
            async with store.sessions.session() as session:
                lock.__enter__()
                raise LookupError("the block's own")
        lock.__exit__(None, None, None)
        (warning,) = [its for its in caplog.records if its.name.endswith("repositories.sessions")]
        assert warning.levelno == logging.WARNING
        assert warning.getMessage().startswith(f"session {session.id} could not be ended: ")
        assert (await store.sessions.get(session.id)).ended_at is None


async def test_cancelled_block(tmp_path: Path) -> None:
    """A cancelled block is cancelled, and does not become a failure of the database."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, lock_timeout_s=0.1) as store:
        inside = asyncio.Event()

        async def work() -> None:
            async with store.sessions.session():
                inside.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(work())
        await inside.wait()
        with locked(path):
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        assert task.cancelled()


async def test_block_that_ends_well(tmp_path: Path) -> None:
    """Nothing else went wrong, so the caller is told that the session was not ended."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, lock_timeout_s=0.1) as store:
        with pytest.raises(BusyError):
            async with store.sessions.session():
                lock = locked(path)
                lock.__enter__()
        lock.__exit__(None, None, None)
