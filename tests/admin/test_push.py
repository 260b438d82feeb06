"""`drizzle-kit push` of the original's schema: it drops what memrepo added, and that is not passed over."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Final, cast

import pytest

import memrepo
from memrepo.admin import adoption
from memrepo.admin.migrate import migrate
from memrepo.admin.migrations import load_migrations
from memrepo.connection.contract import Connection
from tests.admin.interruption import Cancelled
from tests.admin.original import THEN, Program, on_file
from tests.admin.test_migrations import image
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio

#: What it leaves of each table.
_COLUMNS = {
    "memory_entries": "id content content_hash category source created_at last_accessed",
    "sessions": "id started_at ended_at end_trigger summary",
    "daily_logs": "id session_id event_type event_data timestamp",
}


def push(original: Program, *, keep: str = "") -> None:
    """Do what `drizzle-kit push` 0.31 does with the original's schema, but keep some columns."""
    for (table,) in original.run("SELECT name FROM sqlite_master WHERE name GLOB 'memrepo_*'"):
        original.run(f"DROP TABLE `{table}`")
    for (index,) in original.run("SELECT name FROM sqlite_master WHERE name GLOB '[iu]x_*'"):
        original.run(f"DROP INDEX `{index}`")
    for table, columns in _COLUMNS.items():
        for (column,) in original.run(f"SELECT name FROM pragma_table_info('{table}')"):
            if column not in f"{columns} {keep}".split():
                original.run(f"ALTER TABLE `{table}` DROP COLUMN `{column}`")


async def _fill(url: str, clock: Clock) -> None:
    async with memrepo.connect(url, clock=clock) as store:
        await store.memories.remember("Likes tea")
        dog = await store.memories.remember("Has a dog")
        await store.memories.forget(dog.id)
        ada = store.scoped("user:ada")
        await store.sessions.start("phone")
        await store.sessions.start("laptop")
        for number in range(600):
            await ada.memories.remember(f"Secret {number}")


async def test_refused(place: tuple[str, Program], clock: Clock) -> None:
    """The next opening is refused with the reason and what to do, whether it migrates or not."""
    url, original = place
    await _fill(url, clock)
    push(original)
    before = original.run("SELECT * FROM sqlite_master")
    for _ in range(2):
        with pytest.raises(memrepo.MigrationError, match=r"drizzle-kit push.*backup.*accept_push"):
            await memrepo.connect(url)
    with pytest.raises(memrepo.MigrationError, match="drizzle-kit push"):
        await memrepo.connect(url, migrate=False)
    assert original.run("SELECT * FROM sqlite_master") == before


async def test_refused_untouched(tmp_path: Path, clock: Clock) -> None:
    """Not a byte of the file is changed by the refusal."""
    path = tmp_path / "jarvis.db"
    await _fill(str(path), clock)
    push(on_file(path))
    before = image(path)
    with pytest.raises(memrepo.MigrationError, match="drizzle-kit push"):
        await memrepo.connect(path)
    assert image(path) == before


async def test_accepted(place: tuple[str, Program], clock: Clock) -> None:
    """If it is accepted, nothing of another scope comes into the default scope; once is enough."""
    url, original = place
    await _fill(url, clock)
    push(original)
    original.remember("Plays chess", THEN)
    # By the original's rule, which composes no letters.
    original.remember("Cafe\u0301 at nine", THEN)
    async with memrepo.connect(url, clock=clock, accept_push=True) as store:
        contents = {fact.content async for fact in store.memories.iterate()}
        assert contents == {"Likes tea", "Has a dog", "Plays chess", "Cafe\u0301 at nine"}
        assert await store.scoped("lost+found").memories.count() == 600
        assert await store.verify() == []
        again = await store.scoped("user:ada").memories.remember("Secret 7")
        assert again.outcome == "created"
        assert await store.sessions.count(memrepo.SessionFilter(thread="")) == 2
    async with memrepo.connect(url, clock=clock) as store:
        assert await store.memories.count() == 4
    assert original.run("SELECT * FROM memrepo_settings") == []


async def test_accepted_with_columns_that_were_kept(
    place: tuple[str, Program], clock: Clock
) -> None:
    """Columns that the original's schema names survive a push, and are taken over with their values."""
    url, original = place
    await _fill(url, clock)
    push(original, keep="scope deleted_at expires_at")
    with pytest.raises(memrepo.MigrationError, match="drizzle-kit push"):
        await memrepo.connect(url)
    async with memrepo.connect(url, clock=clock, accept_push=True) as store:
        assert [fact.content async for fact in store.memories.iterate()] == ["Likes tea"]
        assert await store.scoped("user:ada").memories.count() == 600


async def _accept(connection: Connection, clock: Clock) -> None:
    await migrate(connection, load_migrations(), clock(), accept_push=True)
    await adoption.adopt_facts(connection, "folded")


#: The migration that notes that a push was accepted.
MARKED: Final = 3


@pytest.mark.parametrize("countdown", range(1, 10))
async def test_accepted_and_interrupted(countdown: int, tmp_path: Path, clock: Clock) -> None:
    """An interruption at any write never lets a fact of another scope into the default scope."""
    path = tmp_path / "jarvis.db"
    await _fill(str(path), clock)
    push(on_file(path))
    async with memrepo.connect(path, migrate=False, accept_push=True, clock=clock) as store:
        interrupted = cast(Connection, Cancelled(store.connection, countdown))
        with pytest.raises(asyncio.CancelledError):
            await _accept(interrupted, clock)
    if countdown <= MARKED:
        with pytest.raises(memrepo.MigrationError, match="drizzle-kit push"):
            await memrepo.connect(path)
    async with memrepo.connect(path, clock=clock, accept_push=True) as store:
        assert await store.memories.count() == 2
        assert await store.scoped("lost+found").memories.count() == 600


async def test_number_of_another_program(place: tuple[str, Program], clock: Clock) -> None:
    """Where another program uses `user_version`, it keeps its number; a push is then not noticed."""
    url, original = place
    original.run("PRAGMA user_version = 7")
    async with memrepo.connect(url, clock=clock) as store:
        await store.memories.remember("Likes tea")
    assert original.run("SELECT user_version FROM pragma_user_version") == [(7,)]


async def test_accept_push_changes_nothing_else(place: tuple[str, Program], clock: Clock) -> None:
    """With a database that was not pushed, the argument does nothing: new, or of the original."""
    url, _ = place
    for _ in range(2):
        async with memrepo.connect(url, clock=clock, accept_push=True) as store:
            await store.scoped("user:ada").memories.remember("Secret")
            assert await store.scoped("user:ada").memories.count() == 1
