"""`Store.export_lines` and `Store.import_lines` where others write, and lines that nobody exported."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

import memrepo
from memrepo import ConflictError, InvalidInputError, MemoryNew, Store
from tests.conftest import Clock
from tests.transfer.copies import TABLES, dump, run, sql

pytestmark = pytest.mark.asyncio


async def _exported(store: Store, **options: Any) -> bytes:
    return b"".join([part async for part in store.export_lines(**options)])


async def _parts(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def _export_of(n_facts: int, *, prefix: str = "", **fact: Any) -> bytes:
    async with memrepo.connect(":memory:") as store:
        await store.memories.remember_many(
            MemoryNew(content=f"{prefix}{n}", **fact) for n in range(n_facts)
        )
        return await _exported(store)


# --- lines -------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 7, 39])
async def test_parts_of_any_size(size: int, clock: Clock) -> None:
    """Lines that come in many small parts are put together, also a large one, and none is lost."""
    async with (
        memrepo.connect(":memory:", clock=clock) as source,
        memrepo.connect(":memory:", clock=clock) as target,
    ):
        await source.memories.remember_many(
            MemoryNew(content="x" * n) for n in (1, 100_000 * size, 3)
        )
        lines = await _exported(source)
        parts = (lines[start : start + size] for start in range(0, len(lines), size))
        report = await target.import_lines(_parts(*parts))
        assert [its.n_imported for its in report.tables] == [0, 3, 0]
        assert await dump(target) == await dump(source)


@pytest.mark.parametrize("table", TABLES)
async def test_columns_that_must_have_a_value(table: str, clock: Clock) -> None:
    """A row without what the schema calls NOT NULL is refused by its line, and not stored; without the rest, it is."""
    async with memrepo.connect(":memory:", clock=clock) as source:
        session = await source.sessions.start()
        await source.memories.remember("Likes tea", session_id=session.id)
        await source.daily_logs.append(session.id, "topic", "garden")
        lines = (await _exported(source)).splitlines()
        schema = sql("SELECT name,`notnull` FROM pragma_table_info(:its)", its=table)
        is_needed: dict[str, int] = dict(await source.connection.read(schema))
    place = [*TABLES].index(table) + 1
    for column in TABLES[table].split():
        row = json.loads(lines[place])
        row.pop(column, None)
        cut = b"\n".join([*lines[:place], json.dumps(row).encode(), *lines[place + 1 :]])
        async with memrepo.connect(":memory:", clock=clock) as target:
            if is_needed[column]:
                with pytest.raises(InvalidInputError, match=f"^line {place + 1}: "):
                    await target.import_lines(_parts(cut))
            else:
                await target.import_lines(_parts(cut))
            assert len((await dump(target))[table]) == 1 - is_needed[column]


async def test_ids_that_cannot_be_raised(clock: Clock) -> None:
    """Ids at the end of what SQLite can count stay in an empty store, and are refused by another one."""
    lines = await _export_of(1)
    high = lines.replace(b'"memory_entries":1,', b'"memory_entries":9223372036854775807,', 2)
    high = high.replace(
        b'"n_rows":{"sessions":0,"memory_entries":9223372036854775807',
        b'"n_rows":{"sessions":0,"memory_entries":1',
    )
    async with memrepo.connect(":memory:", clock=clock) as store:
        await store.memories.remember("mine")
        with pytest.raises(InvalidInputError, match=r"^line 1: has ids that are too high"):
            await store.import_lines(_parts(high))
        assert await store.memories.count() == 1
        assert (await store.memories.remember("another")).id == 2


async def test_ids_below_one(clock: Clock) -> None:
    """Ids that only another program gives are kept by an empty store, and never meet those of other rows."""
    async with memrepo.connect(":memory:", clock=clock) as source:
        await source.memories.remember("a")
        await run(
            source,
            "INSERT INTO memory_entries (id,content,category,source,created_at) VALUES (-1,'b','c','d','')",
        )
        lines = await _exported(source)
        async with memrepo.connect(":memory:", clock=clock) as empty:
            await empty.import_lines(_parts(lines))
            assert (await dump(empty))["memory_entries"] == (await dump(source))["memory_entries"]
    async with memrepo.connect(":memory:", clock=clock) as store:
        for text in ("x", "y", "z"):
            await store.memories.remember(text)
        await run(store, "DELETE FROM memory_entries WHERE id=2")
        with pytest.raises(ConflictError, match="only an empty store takes ids below 1"):
            await store.import_lines(_parts(lines))
        assert await store.memories.count() == 2


# --- others write ------------------------------------------------------------------------------


async def test_imports_at_once(tmp_path: Path) -> None:
    """Several exports, imported at once beside a program that writes, each get ids of their own."""
    path = tmp_path / "target.db"
    exports = [await _export_of(1_500, prefix=f"{name} ") for name in "abc"]

    async def remember(store: Store) -> None:
        for n in range(200):
            await store.memories.remember(f"mine {n}")

    async with (
        memrepo.connect(path) as one,
        memrepo.connect(path) as two,
        memrepo.connect(path) as three,
        memrepo.connect(path) as writer,
    ):
        await writer.memories.remember("before")
        writing = asyncio.create_task(remember(writer))
        stores = (one, two, three)
        await asyncio.gather(
            *(
                store.import_lines(_parts(lines))
                for store, lines in zip(stores, exports, strict=True)
            )
        )
        await writing
        for store, lines in zip(stores, exports, strict=True):
            again = await store.import_lines(_parts(lines))
            assert again.tables[1].n_present == 1_500
        assert await writer.memories.count() == 3 * 1_500 + 201
        assert await writer.verify() == []


async def test_same_export_at_once(tmp_path: Path) -> None:
    """One export that several programs import at once is stored once."""
    path = tmp_path / "target.db"
    lines = await _export_of(2_500)
    async with memrepo.connect(path) as one, memrepo.connect(path) as two:
        await one.memories.remember("before")
        reports = await asyncio.gather(
            *(store.import_lines(_parts(lines)) for store in (one, two, one))
        )
        assert sum(its.tables[1].n_imported for its in reports) == 2_500
        assert not any(its.tables[1].n_known for its in reports)
        assert await one.memories.count() == 2_501


async def test_slot_that_is_filled_meanwhile(tmp_path: Path) -> None:
    """A slot that is filled during the import is not filled twice."""
    async with memrepo.connect(":memory:") as source:
        await source.memories.remember_many(MemoryNew(content=f"{n}") for n in range(1_500))
        await source.memories.remember("Lives in Leeds", slot="home")
        lines = (await _exported(source)).splitlines(keepends=True)
    async with memrepo.connect(tmp_path / "target.db") as target:

        async def parts() -> AsyncIterator[bytes]:
            yield b"".join(lines[:1_200])
            await target.memories.remember("Lives in York", slot="home")
            yield b"".join(lines[1_200:])

        with pytest.raises(ConflictError, match=r"fact \d+ fills its slot there"):
            await target.import_lines(parts())
        home = await target.memories.in_slot("home")
        assert home is not None
        assert home.content == "Lives in York"
        assert await target.verify() == []


async def test_slot_that_was_filled_twice(clock: Clock) -> None:
    """Two facts that fill one slot in the source do so in the target, however often the import is interrupted."""
    async with (
        memrepo.connect(":memory:", clock=clock) as source,
        memrepo.connect(":memory:", clock=clock) as target,
    ):
        await source.memories.remember("Lives in Leeds", slot="home")
        await source.memories.remember_many(MemoryNew(content=f"{n}") for n in range(1_500))
        await source.memories.remember("Lives in York")
        await run(source, "UPDATE memory_entries SET slot='home' WHERE content LIKE 'Lives %'")
        lines = (await _exported(source)).splitlines(keepends=True)
        with pytest.raises(InvalidInputError, match="is missing"):
            await target.import_lines(_parts(*lines[:1_100]))
        await target.import_lines(_parts(*lines))
        assert (await dump(target))["memory_entries"] == (await dump(source))["memory_entries"]


async def test_number_of_a_purged_successor(clock: Clock) -> None:
    """No fact of the target gets the number of one that was purged, and with it the history of that."""
    async with (
        memrepo.connect(":memory:", clock=clock) as source,
        memrepo.connect(":memory:", clock=clock) as target,
    ):
        old = await source.memories.remember("Lives in Leeds")
        new = await source.memories.supersede(old.id, "Lives in York")
        await run(source, f"DELETE FROM memory_entries WHERE id={new.id}")
        await target.import_lines(_parts(await _exported(source)))
        other = await target.memories.remember("Likes tea")
        assert other.id > new.id
        assert list(await target.memories.history(other.id)) == []


async def test_source_that_is_written_meanwhile(tmp_path: Path, clock: Clock) -> None:
    """An export refers to nothing that came after it began: not to a later session, nor to a later successor."""
    async with (
        memrepo.connect(tmp_path / "source.db", clock=clock) as source,
        memrepo.connect(tmp_path / "target.db", clock=clock) as target,
    ):
        leeds = await source.memories.remember("Lives in Leeds", slot="home")
        tea = await source.memories.remember("Likes tea")
        parts = source.export_lines()
        lines = [await anext(parts)]
        await source.memories.supersede(leeds.id, "Lives in York")
        later = await source.sessions.start()
        await run(source, f"UPDATE memory_entries SET session_id={later.id} WHERE id={tea.id}")
        lines += [part async for part in parts]
        await target.import_lines(_parts(*lines))
        facts = [fact async for fact in target.memories.iterate()]
        assert {fact.content for fact in facts} == {"Lives in Leeds", "Likes tea"}
        home = await target.memories.in_slot("home")
        assert home is not None
        assert home.id == leeds.id
        assert await target.verify() == []


async def test_resuming_with_another_database(clock: Clock) -> None:
    """An export is not gone on with from another database, whether that has more rows or fewer."""
    async with (
        memrepo.connect(":memory:", clock=clock) as source,
        memrepo.connect(":memory:", clock=clock) as fewer,
        memrepo.connect(":memory:", clock=clock) as more,
    ):
        await source.memories.remember_many([MemoryNew(content="a"), MemoryNew(content="b")])
        first, row, *_, end = (await _exported(source)).splitlines()
        await fewer.memories.remember("a")
        clock.advance(seconds=1)
        await more.memories.remember_many(MemoryNew(content=f"{n}") for n in range(9))
        for other, last in ((fewer, first), (fewer, row), (fewer, end), (more, row)):
            with pytest.raises(
                InvalidInputError, match=r"^resume: is an export of another database$"
            ):
                await _exported(other, resume=(first, last))
        await run(source, "DELETE FROM memory_entries WHERE id=1")
        rest = (await _exported(source, resume=(first, row))).splitlines()
        assert [json.loads(line).get("id") for line in rest] == [2, None]


# --- which rows are whose ----------------------------------------------------------------------


async def test_ids_that_another_import_has_taken(clock: Clock) -> None:
    """An import that was cut off before its first row keeps its ids, and loses no row to the next one."""
    async with (
        memrepo.connect(":memory:", clock=clock) as one,
        memrepo.connect(":memory:", clock=clock) as other,
        memrepo.connect(":memory:", clock=clock) as target,
    ):
        await one.memories.remember("Likes tea")
        await other.memories.remember("Plays chess")
        lines, its_lines = await _exported(one), await _exported(other)
        with pytest.raises(InvalidInputError, match="is missing"):
            await target.import_lines(_parts(lines.splitlines()[0]))
        reports = [await target.import_lines(_parts(each)) for each in (its_lines, lines)]
        assert [report.tables[1].n_imported for report in reports] == [1, 1]
        assert [report.has_ids for report in reports] == [False, True]
        texts = {fact.content async for fact in target.memories.iterate()}
        assert texts == {"Likes tea", "Plays chess"}


_OLD_SPELLING = "2026-02-01 09:00:00"


async def test_instants_that_were_spelled_anew(tmp_path: Path, clock: Clock) -> None:
    """Rows whose instants were brought to memrepo's spelling are still the same rows, also for what was interrupted."""
    async with memrepo.connect(tmp_path / "source.db", clock=clock) as source:
        await run(
            source,
            f"INSERT INTO sessions (started_at) VALUES ('{_OLD_SPELLING}')",
            "INSERT INTO memory_entries (content,category,source,created_at) "
            f"VALUES ('Likes tea','fact','user_explicit','{_OLD_SPELLING}')",
            f"INSERT INTO daily_logs (event_type,timestamp) VALUES ('e','{_OLD_SPELLING}')",
        )
        lines = await _exported(source)
    async with memrepo.connect(tmp_path / "target.db", clock=clock) as target:
        await target.import_lines(_parts(lines))
    async with (
        memrepo.connect(tmp_path / "source.db", clock=clock) as source,
        memrepo.connect(tmp_path / "target.db", clock=clock) as target,
    ):
        for store in (source, target):
            assert _OLD_SPELLING.encode() not in (await dump(store))["memory_entries"][0]
        first, *rows, _end = lines.splitlines()
        for n_done, row in enumerate(rows, start=1):
            rest = await _exported(source, resume=(first, row))
            assert len(rest.splitlines()) == len(rows) - n_done + 1
        report = await target.import_lines(_parts(lines))
        assert [its.n_present for its in report.tables] == [1, 1, 1]
