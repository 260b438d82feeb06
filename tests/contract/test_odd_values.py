"""Values that another program stored as another type, on every driver: a mark, and never a lost page."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, Final

import pytest

import memrepo
from memrepo import DailyLog, MemoryEntry, MemoryFilter, Session, Statement, Store
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
#: What is stored, as SQL, and what a text column shows for it. A server refuses to send what is not UTF-8.
VALUES: Final = {"a blob": ("x'c3a4'", "ä"), "a blob, not UTF-8": ("x'61ff62'", "a\ufffdb")}
TEXTS: Final = {
    "memory_entries": ("content", "content_hash", "category", "source", "metadata"),
    "sessions": ("thread", "end_trigger", "summary"),
    "daily_logs": ("event_type", "event_data", "idempotency_key"),
}
INSTANTS: Final = {
    "memory_entries": ("created_at", "last_accessed", "expires_at", "deleted_at"),
    "sessions": ("started_at", "ended_at"),
    "daily_logs": ("timestamp",),
}
NUMBERS: Final = {"memory_entries": ("superseded_by",), "sessions": (), "daily_logs": ()}
#: The fields that have other names than their columns.
FIELDS: Final = {
    "metadata": "raw_metadata",
    "event_data": "raw_event_data",
    "idempotency_key": "key",
}
EVERYTHING: Final = MemoryFilter(
    include_forgotten=True, include_expired=True, include_superseded=True
)
Row = MemoryEntry | Session | DailyLog


async def make(store: Store) -> None:
    """Store three rows of each kind."""
    for n in range(3):
        await store.memories.remember(f"fact {n}")
        async with store.sessions.session() as session:
            await store.daily_logs.append(session.id, f"event {n}", {"n": n}, key=f"key {n}")


async def change(store: Store, table: str, column: str, value: str) -> None:
    """Change the second row as another program would."""
    sql = f"UPDATE `{table}` SET `{column}` = {value} WHERE `id` = 2"
    await store.connection.write((Statement("another.program", sql).bind(),))


async def pages(store: Store, table: str, limit: int) -> list[Row]:
    """Read all rows of a table, *limit* at a time, in the order of their ids."""
    found: list[Row] = []
    after: str | None = None
    while True:
        page: Any
        if table == "memory_entries":
            page = await store.memories.find_many(EVERYTHING, limit=limit, after=after)
        elif table == "sessions":
            page = await store.sessions.find_many(limit=limit, after=after)
        else:
            page = await store.daily_logs.find_many(limit=limit, after=after)
        found += page
        if page.next_cursor is None:
            return sorted(found, key=lambda row: row.id)
        after = page.next_cursor


async def one(store: Store, table: str) -> Row | None:
    """Read the second row alone."""
    if table == "memory_entries":
        (row,) = await store.memories.get_many([2])
        return row
    if table == "sessions":
        return await store.sessions.get(2)
    return await store.daily_logs.get(2)


@pytest.mark.parametrize("value", VALUES)
async def test_a_text_of_another_type_has_a_mark(store: Store, value: str) -> None:
    """The row is shown among its neighbours, with U+FFFD for what is no UTF-8, and says so."""
    stored, shown = VALUES[value]
    await make(store)
    for table, columns in TEXTS.items():
        for column in columns:
            await change(store, table, column, stored)
            rows = await pages(store, table, 1)
            assert [row.is_broken for row in rows] == [False, True, False], column
            assert getattr(rows[1], FIELDS.get(column, column)) == shown
            assert await one(store, table) == rows[1]
            assert rows[1].to_dict()
            json.dumps(
                [row.to_dict() for row in rows], allow_nan=False, ensure_ascii=False
            ).encode()
            await change(store, table, column, "'x'")


@pytest.mark.parametrize("table", INSTANTS)
async def test_an_instant_that_is_none_has_a_mark(store: Store, table: str) -> None:
    """The row is shown among its neighbours, as of 1970, and says so."""
    await make(store)
    for column in INSTANTS[table]:
        for value in ("x'61'", "'yesterday'", "x'ff'", "1769990000000"):
            await change(store, table, column, value)
            rows = await pages(store, table, 50)
            assert [row.is_broken for row in rows] == [False, True, False], (column, value)
            assert getattr(rows[1], column) == EPOCH
        await change(store, table, column, "'2026-02-02T14:16:24.123Z'")


async def test_a_number_that_is_none_has_a_mark(store: Store) -> None:
    """What should be the id of another row is shown as none."""
    await make(store)
    await change(store, "memory_entries", "superseded_by", "'the other'")
    rows = await pages(store, "memory_entries", 50)
    assert [row.is_broken for row in rows] == [False, True, False]
    assert isinstance(rows[1], MemoryEntry)
    assert rows[1].superseded_by is None


async def test_a_change_returns_the_marked_row(store: Store) -> None:
    """A row that cannot be read can be changed, forgotten and restored; what was done is told."""
    await make(store)
    await change(store, "memory_entries", "source", "x'ff'")
    await change(store, "memory_entries", "created_at", "'yesterday'")
    touched = await store.memories.touch(2)
    assert (touched.is_broken, touched.source, touched.created_at) == (True, "\ufffd", EPOCH)
    assert await store.memories.forget(2)
    assert (await store.memories.restore(2)).is_broken
    assert (await store.memories.remember("fact 1")).outcome == "duplicate"


async def test_days_are_counted_without_what_is_no_instant(store: Store, clock: Clock) -> None:
    """An event whose time cannot be read is in no day, and does not hide the others."""
    await make(store)
    for value in ("'yesterday'", "x'ff'", "''"):
        await change(store, "daily_logs", "timestamp", value)
        assert await store.daily_logs.count_by_day() == {clock.now.date(): 2}


async def test_names_that_read_the_same_count_as_one(store: Store) -> None:
    """No fact and no event is missing in the counts by name, and the order is that of what is shown."""
    for text in ("a", "b", "c", "d"):
        await store.memories.remember(text, category="plan" if text < "c" else "walk")
        await store.daily_logs.append(None, "plan" if text < "c" else "walk")
    for table, column in (("memory_entries", "category"), ("daily_logs", "event_type")):
        sql = f"UPDATE {table} SET {column} = x'706c616e' WHERE id IN (1, 3)"
        await store.connection.write((Statement("another.program", sql).bind(),))
    for counts in (
        await store.memories.count_by("category"),
        await store.daily_logs.count_by_type(),
    ):
        assert list(counts.items()) == [("plan", 3), ("walk", 1)]


async def test_no_page_begins_after_an_instant_that_is_no_text(store: Store) -> None:
    """A page that would have to is an error that names the row, never a page of other rows."""
    await make(store)
    await change(store, "daily_logs", "timestamp", "x'ff'")
    last = [event async for event in store.daily_logs.iterate()]
    assert [event.id for event in last] == [1, 3, 2]
    with pytest.raises(memrepo.DecodeError, match="row 2 has an instant"):
        await store.daily_logs.find_many(limit=1, newest_first=True)


async def test_ids_of_any_number(store: Store) -> None:
    """Ids below 1, and the highest that there is, are adopted, corrected and verified like others."""
    ids = (-(2**63) + 1, -5, 0, 2**63 - 1)
    for table, columns, values in (
        (
            "memory_entries",
            "content, category, source, created_at",
            "'fact ' || :id, 'x', 'x', :at",
        ),
        ("sessions", "started_at", ":at"),
        ("daily_logs", "event_type, timestamp", "'note', :at"),
    ):
        insert = Statement(
            "another.program", f"INSERT INTO {table} (id, {columns}) VALUES (:id, {values})"
        )
        await store.connection.write(
            tuple(insert.bind(id=number, at="2026-02-02 14:16:24") for number in ids)
        )
    await store.migrate()
    for number in ids:
        entry = await store.memories.find_by_content(f"fact {number}")
        assert entry is not None
        assert entry.id == number
    assert await store.verify() == []
    edit = "UPDATE memory_entries SET content = 'edited ' || id"
    await store.connection.write((Statement("another.program", edit).bind(),))
    assert [problem.id for problem in await store.verify()] == [*ids]
    assert [its.id for its in await store.repair()] == [*ids]
