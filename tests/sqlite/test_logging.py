"""What is logged, under the names of the modules; no text of the user's, and nothing for a statement."""

from __future__ import annotations

import asyncio
import logging
import re
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

import memrepo
from memrepo.connection.sqlite import health as advice
from tests.patience import PATIENCE_S
from tests.sqlite.test_processes import foreign_lock

pytestmark = pytest.mark.asyncio

SCHEMA = Path(__file__).resolve().parents[2] / "schema"


@pytest.fixture(autouse=True)
def healthy_machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """
    Have a file system and a SQLite that no warning tells of.

    The WAL-reset bug would be logged once, in whichever test is first.
    """
    monkeypatch.setattr(advice, "is_volatile", lambda _kind: False)
    monkeypatch.setattr(advice, "has_wal_reset_bug", lambda: False)
    advice._warn_of_wal_reset_bug.cache_clear()
    yield
    advice._warn_of_wal_reset_bug.cache_clear()


def said(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str, str]]:
    """What memrepo said so far: the module, the level and the message."""
    return [
        (record.name, record.levelname, record.getMessage())
        for record in caplog.records
        if record.name.partition(".")[0] == "memrepo"
    ]


async def test_life_of_a_store(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Opening, each migration and closing are logged; the second time there is nothing to migrate."""
    caplog.set_level(logging.DEBUG)
    path = tmp_path / "agent.db"
    opened = ("memrepo.connection.sqlite.connection", "DEBUG", f"opened {path}")
    closed = ("memrepo.connection.sqlite.connection", "DEBUG", f"closed {path}")
    async with memrepo.connect(path) as store:
        names = [path.stem for path in sorted(SCHEMA.glob("*.sql"))]
        migrated = ("memrepo.admin.migrate", "INFO", f"{path}: applied {', '.join(names)}")
        assert said(caplog) == [opened, migrated]
        assert store.schema_version == len(names)
    assert said(caplog) == [opened, migrated, closed]
    caplog.clear()
    async with memrepo.connect(path) as store:
        await store.close()
    assert said(caplog) == [opened, closed]


async def test_adopted_facts_are_counted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Facts of another program are told once, as a number."""
    caplog.set_level(logging.INFO)
    path = tmp_path / "agent.db"
    async with memrepo.connect(path):
        pass
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.executemany(
            "INSERT INTO memory_entries (content, category, source, created_at)"
            " VALUES (?, 'fact', 'inferred', '2026-02-02T14:16:24.123Z')",
            [(f"secret {n}",) for n in range(3)],
        )
    caplog.clear()
    for _ in range(2):
        async with memrepo.connect(path):
            pass
    assert said(caplog) == [("memrepo.admin.adoption", "INFO", f"{path}: adopted 3 facts")]


async def test_statements_are_not_logged(url: str, caplog: pytest.LogCaptureFixture) -> None:
    """Between opening and closing there is not one line, and no logger at all is told stored text."""
    caplog.set_level(logging.DEBUG)
    async with memrepo.connect(url) as store:
        before = said(caplog)
        secret = await store.memories.remember("secret", metadata={"key": "secret"})
        await store.memories.find_many(memrepo.MemoryFilter(contains="secret"))
        async with store.transaction() as tx:
            session = await tx.sessions.start()
            await tx.daily_logs.append(session.id, "secret", {"key": "secret"}, key="secret")
        with pytest.raises(memrepo.NotFoundError):
            await store.scoped("secret").daily_logs.append(99, "secret")
        await store.memories.forget(secret.id)
        await store.verify()
        assert said(caplog) == before
    told = "\n".join(f"{record.getMessage()} {record.args}" for record in caplog.records)
    assert "secret" not in told


async def test_handlers_are_the_programs(url: str) -> None:
    """The library has no handler of its own and sets no level: a program's configuration decides."""
    async with memrepo.connect(url):
        names = [name for name in logging.Logger.manager.loggerDict if name.startswith("memrepo.")]
    for name in ("memrepo", *names):
        logger = logging.getLogger(name)
        assert (logger.handlers, logger.level, logger.propagate) == ([], logging.NOTSET, True)


#: What uvicorn does to logging when it is started with no options.
_UVICORN = """
import logging.config
logging.config.dictConfig({
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"default": {"class": "logging.StreamHandler", "stream": "ext://sys.stderr"}},
    "loggers": {"uvicorn": {"handlers": ["default"], "level": "INFO", "propagate": False}},
})
"""


@pytest.mark.parametrize("configuration", ["", _UVICORN], ids=["nothing", "uvicorn"])
async def test_warning_is_seen_without_configuring(configuration: str, tmp_path: Path) -> None:
    """A program that configures no logging, or only its server's, has our warnings on its stderr."""
    program = f"""
import asyncio, memrepo
from memrepo.connection.sqlite import health
health.has_wal_reset_bug = lambda: True  # as most builds of Python have it today
{configuration}
async def main():
    async with memrepo.connect("agent.db"):
        pass
asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stderr.count("has the WAL-reset bug") == 1


async def test_long_wait_for_another_process(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A wait of more than a second is a warning, once, whether it was in vain or not."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, lock_timeout_s=2) as store:
        with foreign_lock(path), pytest.raises(memrepo.BusyError):
            await store.memories.remember("in vain")
    in_vain, late = said(caplog), []
    async with memrepo.connect(path, lock_timeout_s=PATIENCE_S) as store:
        for hold_s in (1.8, 5, 20):  # a busy machine may begin to wait long after it was asked to
            caplog.clear()
            with foreign_lock(path):
                task = asyncio.create_task(store.memories.remember("late"))
                await asyncio.sleep(hold_s)
            await task
            if late := said(caplog):
                break
    for ((name, level, message),) in (in_vain, late):
        assert (name, level) == ("memrepo.connection.sqlite.busy", "WARNING")
        waited, _, place = message.partition(" s for another process's lock on ")
        assert re.fullmatch(r"waited \d+\.\d", waited)
        assert place == str(path)


async def test_short_wait_is_not_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Waiting a moment is what several processes do all the time."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, lock_timeout_s=PATIENCE_S) as store:
        for _ in range(20):  # a busy machine may make more than a moment of it
            caplog.clear()
            began_s = time.monotonic()
            with closing(sqlite3.connect(path, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                task = asyncio.create_task(store.memories.remember("soon"))
                await asyncio.sleep(0.1)
            await task
            if time.monotonic() - began_s < 1:
                break
        assert said(caplog) == []


async def test_wal_reset_bug_is_warned_of_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """MP-14: a file in WAL mode on a SQLite with the bug is one warning a process, memory is none."""
    monkeypatch.setattr(advice, "has_wal_reset_bug", lambda: True)
    async with memrepo.connect(":memory:"):
        pass
    assert said(caplog) == []
    for name in ("a.db", "b.db", "a.db"):
        async with memrepo.connect(tmp_path / name):
            pass
    ((logger, level, message),) = said(caplog)
    assert (logger, level) == ("memrepo.connection.sqlite.health", "WARNING")
    assert sqlite3.sqlite_version in message
    assert "https://sqlite.org/wal.html#walresetbug" in message
    page = re.search(r"docs/\S+\.md", message)
    assert page is not None
    assert (SCHEMA.parent / page[0]).is_file()
