"""What another program, or a damaged disk, left in a column: rows or typed errors, and found by verify."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest

import memrepo
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio

COLUMNS = {
    "memory_entries": (
        *("content", "content_hash", "category", "source", "created_at", "last_accessed"),
        *("expires_at", "deleted_at", "superseded_by", "metadata", "scope"),
    ),
    "sessions": ("started_at", "ended_at", "end_trigger", "summary", "scope"),
    "daily_logs": (
        *("session_id", "event_type", "event_data", "timestamp", "scope", "idempotency_key"),
    ),
}
#: SQL for values that memrepo never writes.
VALUES = {
    "not UTF-8": "CAST(x'61ff62' AS TEXT)",
    "a blob": "x'6162'",
    "a number": "1.5",
    "nothing": "''",
    "an instant before the year 1": "'0001-01-01T00:00:00+05:00'",
    "an instant after the year 9999": "'9999-12-31T23:59:59-05:00'",
}


async def make(path: Path, clock: Clock) -> None:
    """Store a row of each kind."""
    async with memrepo.connect(path, clock=clock) as store:
        old = await store.memories.remember("Drank tea", metadata={"cups": 1})
        await store.memories.supersede(old.id, "Drinks tea")
        async with store.sessions.session() as session:
            await store.daily_logs.append(session.id, "event", {"n": 1}, key="key")


def change(path: Path, sql: str) -> None:
    """Change the database as another program would, to which no constraint of ours applies."""
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("PRAGMA ignore_check_constraints = ON")
        raw.execute(sql)


def reads(store: memrepo.Store) -> list[Callable[[], Awaitable[Any]]]:
    everything = memrepo.MemoryFilter(
        include_forgotten=True, include_expired=True, include_superseded=True
    )

    async def all_facts() -> object:
        return [fact.metadata async for fact in store.memories.iterate(everything)]

    async def all_events() -> object:
        return [(event.event_data, event.is_broken) async for event in store.daily_logs.iterate()]

    async def all_sessions() -> object:
        return [session async for session in store.sessions.iterate()]

    return [
        all_facts,
        all_events,
        all_sessions,
        store.memories.forgotten,
        store.memories.count,
        lambda: store.memories.find(1),
        lambda: store.memories.history(2),
        lambda: store.memories.find_by_content("Drinks tea"),
        lambda: store.memories.find_many(memrepo.MemoryFilter(contains="tea")),
        lambda: store.sessions.find(1),
        store.sessions.active,
        store.daily_logs.count_by_day,
        store.verify,
    ]


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("table", COLUMNS)
async def test_odd_value_is_read_or_refused(
    tmp_path: Path, clock: Clock, table: str, value: str
) -> None:
    """Whatever stands in a column, a read gives rows, and a fact that is out of scope is not found."""
    whole = tmp_path / "whole.db"
    await make(whole, clock)
    for column in COLUMNS[table]:
        path = tmp_path / f"{column}.db"
        shutil.copy(whole, path)
        change(path, f"UPDATE {table} SET {column} = {VALUES[value]} WHERE id = 1")
        async with memrepo.connect(path, clock=clock) as store:
            for read in reads(store):
                with suppress(memrepo.NotFoundError):
                    await read()


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("memory_entries", "created_at"),
        ("memory_entries", "last_accessed"),
        ("memory_entries", "expires_at"),
        ("memory_entries", "deleted_at"),
        ("sessions", "started_at"),
        ("sessions", "ended_at"),
        ("daily_logs", "timestamp"),
    ],
)
async def test_verify_names_the_value(
    tmp_path: Path, clock: Clock, table: str, column: str
) -> None:
    """A row whose instant is none is shown with a mark; verify says which column it is."""
    path = tmp_path / "agent.db"
    await make(path, clock)
    change(path, f"UPDATE {table} SET {column} = '9999 or so' WHERE id = 1")
    everything = memrepo.MemoryFilter(include_forgotten=True, include_superseded=True)
    async with memrepo.connect(path, clock=clock) as store:
        read: dict[str, Callable[[], Awaitable[memrepo.Page[Any]]]] = {
            "memory_entries": lambda: store.memories.find_many(everything),
            "sessions": store.sessions.find_many,
            "daily_logs": store.daily_logs.find_many,
        }
        assert [row.id for row in await read[table]() if row.is_broken] == [1]
        problems = [problem for problem in await store.verify() if problem.table == table]
    assert [(its.kind, its.id, its.detail) for its in problems] == [
        ("value", 1, f"{column} is no instant")
    ]


async def test_text_that_is_not_utf8_among_others(tmp_path: Path, clock: Clock) -> None:
    """Rows before and after one whose text is not UTF-8 come whole; it comes with a mark, also when changed."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, clock=clock) as store:
        await store.memories.remember_many(memrepo.MemoryNew(content=f"Tea {n}") for n in range(9))
        change(path, "UPDATE memory_entries SET content = CAST(x'546561ff' AS TEXT) WHERE id = 4")
        shown = {fact.id: (fact.content, fact.is_broken) async for fact in store.memories.iterate()}
        assert shown == {n: (f"Tea {n - 1}", False) for n in range(1, 10)} | {
            4: ("Tea\ufffd", True)
        }
        async with store.transaction() as tx:
            assert (await tx.memories.touch(4)).content == "Tea\ufffd"
            assert (await tx.memories.touch(5)).content == "Tea 4"
        every = memrepo.Statement("a.b", "UPDATE memory_entries SET source='x' RETURNING content")
        (result,) = await store.connection.write((every.bind(),))
        assert (len(result.rows), result.changes) == (9, 9)
        assert (b"Tea\xff",) in result.rows
        assert await store.memories.count(memrepo.MemoryFilter(source="x")) == 9


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize(
    "content", ["'Drinks tee'", "CAST(x'4472ff' AS TEXT)", "CAST(content AS BLOB)", "''"]
)
async def test_verify_names_the_fact(
    tmp_path: Path, clock: Clock, number: int, content: str
) -> None:
    """A fact whose content is not its text any more is named, be it current or replaced."""
    is_text = content in ("'Drinks tee'", "''")
    path = tmp_path / "agent.db"
    await make(path, clock)
    change(path, f"UPDATE memory_entries SET content = {content} WHERE id = {number}")
    async with memrepo.connect(path, clock=clock) as store:
        problems = await store.verify()
    assert {(problem.table, problem.id) for problem in problems} == {("memory_entries", number)}
    assert ("value" in {problem.kind for problem in problems}) is not is_text


async def test_verify_accepts_adopted_duplicates(tmp_path: Path, clock: Clock) -> None:
    """Of facts that another program stored twice only one has the hash, and that is no problem."""
    path = tmp_path / "agent.db"
    await make(path, clock)
    change(
        path,
        "INSERT INTO memory_entries (content, category, source, created_at) VALUES"
        " ('Has a dog', 'fact', 'x', '2026-02-02T14:16:24.123Z'),"
        " ('has a dog.', 'fact', 'x', '2026-02-02T14:16:25.123Z')",
    )
    async with memrepo.connect(path, clock=clock) as store:
        assert (await store.memories.get(4)).superseded_by == 3
        assert await store.verify() == []
