"""Erasing a scope of a file: killed, repeated, and gone from the disk."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Final

import pytest

import memrepo
from tests.admin.test_compact import files_with_secret
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio

#: The secret of `files_with_secret`, in every text that can hold one.
_SECRET: Final = "Xylophone"
_PERSON: Final = f"user:{_SECRET}"
#: Facts, and events; three units are needed for each.
_N_ROWS: Final = 1_200

#: Erases a scope, and is killed when it has deleted rows as often as it is told.
_ERASER: Final = """
import asyncio, os, signal, sys
import memrepo

path, scope, n_left = sys.argv[1], sys.argv[2], int(sys.argv[3])

def count(event):
    global n_left
    n_left -= event.name == "erasing.delete"
    if n_left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

async def main():
    async with memrepo.connect(path, on_statement=count) as store:
        await store.scoped(scope).erase(confirm=True)

asyncio.run(main())
"""


async def fill(store: memrepo.Store) -> None:
    """Store rows of the person and of somebody else, side by side."""
    person, other = store.scoped(_PERSON), store.scoped("user:2")
    for first in range(0, _N_ROWS, 400):
        numbers = range(first, first + 400)
        for repos, word in ((person, _SECRET), (other, "harmless")):
            session = await repos.sessions.start(end_active=True)
            await repos.sessions.summarize(session.id, f"{word} was here")
            await repos.sessions.end(session.id, trigger=word)
            await repos.memories.remember_many(
                memrepo.MemoryNew(
                    content=f"{n} {word * (n % 20)}.",
                    category=word,
                    source=word,
                    metadata={"of": word},
                )
                for n in numbers
            )
            await repos.daily_logs.append_many(
                memrepo.DailyLogNew(
                    session_id=session.id, event_type=word, event_data=[word] * 20, key=f"{word}{n}"
                )
                for n in numbers
            )


async def numbers(store: memrepo.Store) -> dict[str, tuple[int, int, int]]:
    """How many facts, sessions and events each scope has."""
    return {
        info.scope: (info.n_facts, info.n_sessions, info.n_events) for info in await store.scopes()
    }


async def test_no_byte_of_an_erased_person_is_left(tmp_path: Path) -> None:
    """
    After `erase` and `compact`, neither file, log, shared memory nor a backup has a byte of any text of hers.

    Her scope's name is one of them. The control: before `compact`, the log has.
    """
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, durability="normal") as store:
        await fill(store)
        before = await numbers(store)
        erased = await store.scoped(_PERSON).erase(confirm=True)
        assert (erased.n_facts, erased.n_sessions, erased.n_events) == before.pop(_PERSON)
        assert await numbers(store) == before
        assert "agent.db-wal" in files_with_secret(tmp_path)
        await store.compact()
        assert {its.name for its in tmp_path.iterdir()} >= {
            "agent.db",
            "agent.db-wal",
            "agent.db-shm",
        }
        assert files_with_secret(tmp_path) == set()
        await store.backup(tmp_path / "copy.db")
        assert files_with_secret(tmp_path) == set()
        assert await store.verify() == []
    assert files_with_secret(tmp_path) == set()


async def test_erase_is_repeated_after_a_kill(tmp_path: Path) -> None:
    """Killed among the events, it goes on where it was; others lose nothing."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, durability="normal") as store:
        await fill(store)
        before = await numbers(store)
    command = [sys.executable, "-c", _ERASER, str(path), _PERSON, "2"]
    result = await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, check=False
    )
    assert result.returncode == -signal.SIGKILL, result.stderr
    async with memrepo.connect(path) as store:
        assert before.pop(_PERSON) == (1_200, 3, 1_200)
        assert await numbers(store) == {**before, _PERSON: (1_200, 3, 200)}
        erased = await store.scoped(_PERSON).erase(confirm=True)
        assert erased == memrepo.EraseReport(n_facts=1_200, n_sessions=3, n_events=200)
        assert await numbers(store) == before
        assert await store.verify() == []


async def test_erase_is_cancelled(tmp_path: Path) -> None:
    """It stops between two units, and the store goes on at once; repeated, it finds the rest."""
    n_left = 4

    def cancel(event: memrepo.StatementEvent) -> None:
        nonlocal n_left
        n_left -= event.name == "erasing.delete"
        task = asyncio.current_task()
        if n_left == 0 and task is not None:
            task.cancel()
            n_left = -1

    path = tmp_path / "agent.db"
    async with memrepo.connect(path, durability="normal", on_statement=cancel) as store:
        await fill(store)
        erasing = asyncio.create_task(store.scoped(_PERSON).erase(confirm=True))
        with pytest.raises(asyncio.CancelledError):
            await erasing
        assert (await numbers(store))[_PERSON] == (700, 3, 0)
        erased = await store.scoped(_PERSON).erase(confirm=True)
        assert erased == memrepo.EraseReport(n_facts=700, n_sessions=3, n_events=0)


async def test_a_unit_of_long_rows_is_short() -> None:
    """A unit ends after a megabyte of text, or 500 rows, so that nobody has to wait for long."""
    ran: list[memrepo.StatementEvent] = []
    async with memrepo.connect(":memory:", on_statement=ran.append) as store:
        long = memrepo.DailyLogNew(event_type="x", event_data="x" * 300_000)
        await store.daily_logs.append_many([long] * 10)
        await store.memories.remember_many(
            memrepo.MemoryNew(content="y" * 300_000 + str(n), metadata={"of": "z" * 300_000})
            for n in range(3)
        )
        await store.scoped("user:2").daily_logs.append_many(
            [memrepo.DailyLogNew(event_type="x")] * 1_200
        )
        for repos in (store, store.scoped("user:2")):
            await repos.erase(confirm=True)
    deleted = [event.n_rows for event in ran if event.name == "erasing.delete"]
    assert deleted == [4, 4, 2, 2, 1, 500, 500, 200]


async def test_nothing_is_deleted_read_only(tmp_path: Path, clock: Clock) -> None:
    """A store that only reads counts and lists, and deletes nothing."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, clock=clock) as store:
        session = await store.sessions.start()
        await store.daily_logs.append(session.id, "x")
    async with memrepo.connect(f"file:{path}?mode=ro", clock=clock) as store:
        where = memrepo.DailyLogFilter(timestamp_before=clock.now + timedelta(days=1))
        assert await store.daily_logs.delete_many(where, dry_run=True) == 1
        with pytest.raises(memrepo.ReadOnlyError):
            await store.daily_logs.delete_many(where)
        with pytest.raises(memrepo.ReadOnlyError):
            await store.daily_logs.delete(1)
        with pytest.raises(memrepo.ReadOnlyError):
            await store.sessions.delete(session.id)
        with pytest.raises(memrepo.ReadOnlyError):
            await store.erase(confirm=True)
        assert await numbers(store) == {"": (0, 1, 1)}
