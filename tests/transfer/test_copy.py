"""`Store.copy_to`: all rows as they are, from any engine to any other, however often it is interrupted."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from blockbuster import BlockBuster

import memrepo
from memrepo import (
    ConflictError,
    CopyProgress,
    CopyReport,
    InvalidInputError,
    MigrationError,
    Store,
    TransactionError,
    UsageError,
)
from memrepo.admin.migrations import load_migrations
from memrepo.queries import copying as queries
from tests.conftest import Clock
from tests.servers.sqld import Sqld
from tests.transfer.copies import ODD, TABLES, dump, fill, run

pytestmark = pytest.mark.asyncio


def figures(report: CopyReport) -> list[tuple[int, int]]:
    """How many rows of each table a copy wrote, and how many it found."""
    return [(table.n_copied, table.n_present) for table in report.tables]


@pytest.fixture(params=["file", "memory", "http", "ws"])
def target_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty target on each engine."""
    if request.param == "file":
        return str(tmp_path / "target.db")
    if request.param == "memory":
        return ":memory:"
    server: Sqld = request.getfixturevalue("sqld")
    return server.new_url(request.param)


# --- what is copied ----------------------------------------------------------------------------


async def test_there_and_back(target_url: str, tmp_path: Path, clock: Clock) -> None:
    """Every value of every row keeps its type and bytes, into each engine and back into a file."""
    async with (
        memrepo.connect(tmp_path / "source.db", clock=clock) as source,
        memrepo.connect(target_url, clock=clock) as target,
        memrepo.connect(tmp_path / "back.db", clock=clock) as back,
    ):
        await fill(source, clock)
        await run(source, *ODD)
        expected = await dump(source)
        report = await source.copy_to(target)
        assert report.is_identical
        assert await dump(target) == expected
        n_rows = [len(expected[table]) for table in TABLES]
        assert [(t.table, t.n_rows) for t in report.tables] == list(
            zip(TABLES, n_rows, strict=True)
        )
        assert figures(report) == [(n, 0) for n in n_rows]
        assert (await target.copy_to(back)).is_identical
        assert await dump(back) == expected
        assert await dump(source) == expected


async def test_largest_rows(target_url: str) -> None:
    """Rows that JSON would make too large for a server, and pages of large rows, arrive whole."""
    async with memrepo.connect(":memory:") as source, memrepo.connect(target_url) as target:
        await source.memories.remember("\x01" * 3_999_999 + "a")
        await source.memories.remember("\U0001f600" * 900_000, metadata={"a": "\\" * 200_000})
        for n in range(8):
            await source.memories.remember(f"{n}" * 450_000)
        report = await source.copy_to(target)
        assert report.is_identical
        assert await dump(target, limit=1) == await dump(source)


async def test_every_column_is_copied(tmp_path: Path) -> None:
    """A migration cannot add a column that a copy would leave behind."""
    path = tmp_path / "agent.db"
    await (await memrepo.connect(path)).close()
    with closing(sqlite3.connect(path)) as database:
        for table, columns in queries.TABLES.items():
            rows = database.execute(f"SELECT name, type FROM pragma_table_info('{table}')")
            types = dict(rows.fetchall())
            assert set(columns) == set(types) == set(TABLES[table].split())
            assert {name for name in columns if types[name] == "INTEGER"} == (
                set(columns) & queries.INTEGERS
            )


async def test_numbers_are_not_given_again(clock: Clock) -> None:
    """A new fact of the target does not get the id of one that was purged in the source."""
    async with (
        memrepo.connect(":memory:", clock=clock) as source,
        memrepo.connect(":memory:", clock=clock) as target,
    ):
        await fill(source, clock, n_facts=30, n_events=30)
        last = (await source.memories.remember("the last")).id
        await run(source, f"DELETE FROM memory_entries WHERE id={last}")
        await source.copy_to(target)
        assert (await target.memories.remember("new")).id == last + 1


async def test_empty_store(target_url: str) -> None:
    """Nothing is copied into nothing, and that is identical."""
    async with memrepo.connect(":memory:") as source, memrepo.connect(target_url) as target:
        report = await source.copy_to(target)
        assert report.is_identical
        assert figures(report) == [(0, 0)] * 3


async def test_pages_are_bounded(tmp_path: Path) -> None:
    """No page has more than a thousand rows, nor more bytes than a megabyte and one row."""
    seen: list[tuple[str, int]] = []
    on_statement: Callable[[memrepo.StatementEvent], None] = lambda e: seen.append(  # noqa: E731
        (e.name, e.n_rows)
    )
    async with (
        memrepo.connect(tmp_path / "source.db", on_statement=on_statement) as source,
        memrepo.connect(":memory:") as target,
    ):
        for n in range(8):
            await source.memories.remember(f"{n}" * 400_000)
        for _ in range(3):
            await source.daily_logs.append_many([memrepo.DailyLogNew(event_type="e")] * 1_000)
        seen.clear()
        await source.copy_to(target)
    sizes = [n_rows for name, n_rows in seen if name == "copying.read" and n_rows]
    assert sizes == [3, 3, 2, 1000, 1000, 1000, 3, 3, 2, 1000, 1000, 1000]


async def test_progress(tmp_path: Path) -> None:
    """Progress grows to the number of rows in each table, first of the copy, then of the comparison."""
    told: list[CopyProgress] = []
    async with memrepo.connect(":memory:") as source, memrepo.connect(":memory:") as target:
        await source.daily_logs.append_many([memrepo.DailyLogNew(event_type="e")] * 2_500)
        await source.memories.remember("Likes tea")
        await source.copy_to(target, on_progress=told.append)
    one = [("memory_entries", 1, 1)] + [("daily_logs", n, 2_500) for n in (1_000, 2_000, 2_500)]
    assert [(its.step, its.table, its.n_done, its.n_rows) for its in told] == [
        (step, *its) for step in ("copy", "compare") for its in one
    ]


# --- interruptions -----------------------------------------------------------------------------


class Interrupted(Exception):  # noqa: N818 - it is no error of ours
    """Raised by a test's progress function."""


async def _interrupt(source: Store, target: Store, after: int) -> None:
    """Copy, and be cancelled in the middle of what follows a number of pages."""
    reached = asyncio.Event()
    n_pages = 0

    def count(_progress: CopyProgress) -> None:
        nonlocal n_pages
        n_pages += 1
        if n_pages == after:
            reached.set()

    copy = asyncio.create_task(source.copy_to(target, on_progress=count))
    await reached.wait()
    await asyncio.sleep(random.uniform(0, 0.01))
    copy.cancel()
    with pytest.raises(asyncio.CancelledError):
        await copy


@pytest.mark.slow
async def test_cancelled_twice(target_url: str, tmp_path: Path, clock: Clock) -> None:
    """A copy that was cancelled twice, at any page, is whole after the third time, nothing twice."""
    async with (
        memrepo.connect(tmp_path / "source.db", clock=clock) as source,
        memrepo.connect(target_url, clock=clock) as target,
    ):
        await fill(source, clock)
        await run(source, *ODD)
        expected = await dump(source)
        for _ in range(2):
            await _interrupt(source, target, random.randint(1, 5))
        before = await dump(target)
        report = await source.copy_to(target)
        assert await dump(target) == expected
        assert [t.n_present for t in report.tables] == [len(before[table]) for table in TABLES]
        assert sum(t.n_copied for t in report.tables) > 0
        assert [t.n_copied + t.n_present for t in report.tables] == [
            len(expected[table]) for table in TABLES
        ]
        assert figures(await source.copy_to(target)) == [(0, len(expected[t])) for t in TABLES]


async def test_error_of_the_progress_function(tmp_path: Path, clock: Clock) -> None:
    """What on_progress raises ends the copy, and the next one goes on."""

    def fail(_progress: CopyProgress) -> None:
        raise Interrupted

    async with memrepo.connect(":memory:") as source, memrepo.connect(":memory:") as target:
        await fill(source, clock, n_facts=30, n_events=30)
        with pytest.raises(Interrupted):
            await source.copy_to(target, on_progress=fail)
        assert figures(await source.copy_to(target))[0][0] == 0
        assert await dump(source) == await dump(target)


_COPY = """
import asyncio, sys
import memrepo

def ask(progress):
    print(progress.n_done, flush=True)
    sys.stdin.readline()  # or it might end before it is killed

async def main():
    async with memrepo.connect(sys.argv[1]) as source, memrepo.connect(sys.argv[2]) as target:
        await source.copy_to(target, on_progress=ask)

asyncio.run(main())
"""


@pytest.mark.parametrize("kind", ["file", "http"])
@pytest.mark.slow
async def test_killed(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, clock: Clock
) -> None:
    """A copying process that is killed leaves whole pages, and the next copy makes it identical."""
    path, url = tmp_path / "source.db", str(tmp_path / "target.db")
    if kind == "http":
        url = request.getfixturevalue("sqld").new_url()
    async with memrepo.connect(path, clock=clock) as source:
        await fill(source, clock, n_events=12_000)
        await run(source, *ODD[1:])
    async with memrepo.connect(path, clock=clock) as source:
        expected = await dump(source)  # what the other program stored is adopted by now
        program = (sys.executable, "-c", _COPY, path, url)
        with subprocess.Popen(
            program, bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            for _ in range(6):
                assert await asyncio.to_thread(process.stdout.readline)
                process.stdin.write(b"\n")
            await asyncio.sleep(random.uniform(0, 0.02))
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL
        async with memrepo.connect(url, clock=clock) as target:
            n_before = sum(len(rows) for rows in (await dump(target)).values())
            assert 0 < n_before < sum(len(rows) for rows in expected.values())
            assert (await source.copy_to(target)).is_identical
            assert await dump(target) == expected


# --- conflicts ---------------------------------------------------------------------------------


async def _two(clock: Clock) -> tuple[Store, Store]:
    source = await memrepo.connect(":memory:", clock=clock)
    target = await memrepo.connect(":memory:", clock=clock)
    await fill(source, clock, n_facts=30, n_events=30)
    await source.copy_to(target)
    return source, target


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ("UPDATE memory_entries SET content='secret' WHERE id=3", "memory_entries 3 "),
        ("UPDATE memory_entries SET hash_version=7 WHERE id=4", "memory_entries 4 "),
        ("UPDATE memory_entries SET id=7777 WHERE id=5", "memory_entries 5 "),
        ("UPDATE sessions SET end_trigger='secret' WHERE id=1", "sessions 1 "),
        ("UPDATE daily_logs SET event_data=CAST(event_data AS BLOB) WHERE id=2", "daily_logs 2 "),
        ("UPDATE daily_logs SET id=7777 WHERE id=5", "daily_logs 5 "),
    ],
)
async def test_conflict(clock: Clock, change: str, names: str) -> None:
    """Another row under the same id, hash or key is a ConflictError that names it; nothing is changed."""
    source, target = await _two(clock)
    await run(target, change)
    before = await dump(target)
    with pytest.raises(ConflictError) as caught:
        await source.copy_to(target)
    assert str(caught.value).startswith(names)
    has_its_id = "its id" if "id=7777" in change else "another row with this id"
    assert has_its_id in str(caught.value)
    assert "secret" not in str(caught.value)
    assert await dump(target) == before
    await source.close()
    await target.close()


async def test_same_fact_under_another_id() -> None:
    """A fact that the target remembered by itself, under another id, is a conflict by its hash."""
    async with memrepo.connect(":memory:") as source, memrepo.connect(":memory:") as target:
        await source.memories.remember("Likes coffee")
        await source.memories.remember("Likes tea")
        await target.memories.remember("Likes tea")
        await run(target, "UPDATE memory_entries SET id=9")
        with pytest.raises(ConflictError, match=r"^memory_entries 2 was not copied"):
            await source.copy_to(target)


async def test_slot_that_the_target_fills() -> None:
    """A fact of the target that fills a slot of the source is a conflict, and nothing is copied; nor twice is one."""
    async with memrepo.connect(":memory:") as source, memrepo.connect(":memory:") as target:
        for text in ("Likes tea", "Likes coffee"):
            await source.memories.remember(text, slot="drink")
        await source.scoped("other").memories.remember("Lives in Bonn", slot="home")
        for number, text in enumerate(("Lives in Rome", "Likes milk"), start=8):
            await target.memories.remember(text, slot="home" if number == 8 else "drink")
            await run(target, f"UPDATE memory_entries SET id={number} WHERE id<>8")
        before = await dump(target)
        with pytest.raises(ConflictError, match=r"^memory_entries 2 .*fact 9 fills its slot there"):
            await source.copy_to(target)
        assert await dump(target) == before
        await target.memories.forget(9)
        for _ in range(2):
            report = await source.copy_to(target)
            assert [its.n_different for its in report.tables] == [0, 0, 0]
        filled = await target.memories.in_slot("drink")
        assert filled is not None
        assert filled.content == "Likes coffee"
        assert await target.verify() == []


async def test_event_without_its_session(tmp_path: Path) -> None:
    """An event whose session is nowhere, as programs without foreign keys leave it, is named."""
    path = tmp_path / "source.db"
    async with memrepo.connect(path) as source, memrepo.connect(":memory:") as target:
        await source.daily_logs.append(None, "good")
        with closing(sqlite3.connect(path)) as database, database:
            database.execute(
                "INSERT INTO daily_logs (id,session_id,event_type,timestamp) VALUES (8,99,'a','b')"
            )
        with pytest.raises(ConflictError, match=r"^daily_logs 8 .*foreign key"):
            await source.copy_to(target)
        assert len(await target.daily_logs.find_many()) == 1


async def test_fact_without_its_session(tmp_path: Path) -> None:
    """A fact whose session is nowhere, as programs without foreign keys leave it, is named as an event is."""
    path = tmp_path / "source.db"
    async with memrepo.connect(path) as source, memrepo.connect(":memory:") as target:
        await source.memories.remember("Likes tea")
        with closing(sqlite3.connect(path)) as database, database:
            database.execute("UPDATE memory_entries SET session_id=99")
        with pytest.raises(ConflictError, match=r"^memory_entries 1 .*foreign key"):
            await source.copy_to(target)


async def test_rows_of_the_target(clock: Clock) -> None:
    """Rows that only the target has stay, and the report counts them, wherever their ids are."""
    source, target = await _two(clock)
    await target.memories.remember("of its own")
    await run(source, "DELETE FROM memory_entries WHERE id=5")
    report = await source.copy_to(target)
    assert [(t.n_different, t.n_extra) for t in report.tables] == [(0, 0), (0, 2), (0, 0)]
    assert not report.is_identical
    await source.close()
    await target.close()


async def test_two_copies_at_once(tmp_path: Path, clock: Clock) -> None:
    """Two copies of one store into one target at the same time both succeed, and copy each row once."""
    async with memrepo.connect(":memory:") as source:
        await fill(source, clock)
        one = await memrepo.connect(tmp_path / "target.db")
        two = await memrepo.connect(tmp_path / "target.db")
        reports = await asyncio.gather(source.copy_to(one), source.copy_to(two))
        expected = await dump(source)
        assert await dump(one) == expected
        n_copied = sum(t.n_copied for report in reports for t in report.tables)
        assert n_copied == sum(len(expected[table]) for table in TABLES)
        await one.close()
        await two.close()


# --- a source that is written ------------------------------------------------------------------


async def test_source_that_is_written(
    tmp_path: Path, clock: Clock, no_blocking_calls: BlockBuster
) -> None:
    """New rows are left out; changed and deleted ones are as they were read, and are counted."""
    for function in no_blocking_calls.functions.values():
        function.can_block_in("test_copy.py", "write")
    async with (
        memrepo.connect(tmp_path / "source.db", clock=clock) as source,
        memrepo.connect(tmp_path / "target.db", clock=clock) as target,
    ):
        await fill(source, clock, n_facts=30, n_events=30)
        before = await dump(source)
        told: list[CopyProgress] = []

        def write(progress: CopyProgress) -> None:
            told.append(progress)
            if [its.table for its in told].count("memory_entries") == 1:
                with closing(sqlite3.connect(tmp_path / "source.db")) as database, database:
                    database.execute("UPDATE memory_entries SET category='z' WHERE id IN (3,4)")
                    database.execute("DELETE FROM memory_entries WHERE id=6")
                    database.execute(
                        "INSERT INTO daily_logs (event_type,timestamp) VALUES ('new','')"
                    )

        report = await source.copy_to(target, on_progress=write)
        assert [(t.n_different, t.n_extra) for t in report.tables] == [(0, 0), (2, 1), (0, 0)]
        after = await dump(target)
        assert {name: after[name] for name in TABLES} == {name: before[name] for name in TABLES}


async def test_writers_on_both_sides(tmp_path: Path) -> None:
    """Tasks that append while a copy runs are not held up, and what was there before is all copied."""
    async with (
        memrepo.connect(tmp_path / "source.db") as source,
        memrepo.connect(tmp_path / "target.db") as target,
    ):
        await source.daily_logs.append_many([memrepo.DailyLogNew(event_type="e")] * 5_000)

        async def keep_appending(store: Store) -> None:
            while True:
                await store.daily_logs.append(None, "meanwhile")

        writer = asyncio.create_task(keep_appending(source))
        report = await source.copy_to(target)
        writer.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await writer
        assert report.is_identical
        assert await source.daily_logs.find_many(memrepo.DailyLogFilter(event_type="meanwhile"))
        counting = queries.count("daily_logs").bind(first=1, last=2**40)
        assert await target.connection.read(counting) == [(report.tables[2].n_rows,)]


# --- what is refused ---------------------------------------------------------------------------


async def test_into_itself(sqld: Sqld, tmp_path: Path) -> None:
    """A store, and another store on the same file or URL, is refused before anything is written."""
    link = tmp_path / "link.db"
    url = sqld.new_url()
    async with (
        memrepo.connect(tmp_path / "agent.db") as file,
        memrepo.connect(":memory:") as memory,
        memrepo.connect(url) as server,
        memrepo.connect(url) as server_again,
    ):
        link.symlink_to(tmp_path / "agent.db")
        async with memrepo.connect(link) as file_again:
            for one, two in (
                (file, file),
                (file, file_again),
                (memory, memory),
                (server, server_again),
            ):
                with pytest.raises(InvalidInputError, match=r"^other: is the same database"):
                    await one.copy_to(two)


@pytest.mark.parametrize("other", [None, "agent.db", 1])
async def test_no_store(other: Any) -> None:
    """The target is a store, not a path; a scoped store has no copy_to at all."""
    async with memrepo.connect(":memory:") as store:
        with pytest.raises(InvalidInputError, match=r"^other: must be a Store"):
            await store.copy_to(other)
        with pytest.raises(InvalidInputError, match=r"^other: must be a Store"):
            await store.copy_to(store.scoped("a"))  # type: ignore[arg-type]
        assert not hasattr(store.scoped("a"), "copy_to")


async def test_other_schema(tmp_path: Path) -> None:
    """A store that is not migrated yet, source or target, is refused until it is."""
    old = tmp_path / "old.db"
    with closing(sqlite3.connect(old)) as database:
        database.executescript(load_migrations()[0].sql)
    async with memrepo.connect(old, migrate=False) as one, memrepo.connect(":memory:") as two:
        for source, target in ((one, two), (two, one)):
            with pytest.raises(MigrationError):
                await source.copy_to(target)
        await one.migrate()
        assert (await one.copy_to(two)).is_identical


async def test_text_that_is_not_utf_8(tmp_path: Path) -> None:
    """A file of UTF-16 is refused: its bytes would be other texts in the target."""
    path = tmp_path / "utf16.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA encoding='UTF-16le'")
        database.execute("CREATE TABLE t (a)")
    async with memrepo.connect(path) as one, memrepo.connect(":memory:") as two:
        await one.memories.remember("Likes tea")
        with pytest.raises(UsageError, match="UTF-8"):
            await one.copy_to(two)
        assert await two.memories.count() == 0


async def test_inside_a_transaction(clock: Clock) -> None:
    """A task that is inside a transaction on either store would wait for itself, and is refused."""
    async with memrepo.connect(":memory:") as one, memrepo.connect(":memory:") as two:
        for store in (one, two):
            async with store.transaction():
                with pytest.raises(TransactionError):
                    await one.copy_to(two)


async def test_read_only_source(tmp_path: Path) -> None:
    """A file that is opened for reading only can be copied from."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path) as store:
        await store.memories.remember("Likes tea")
    async with (
        memrepo.connect(f"file:{path}?mode=ro") as source,
        memrepo.connect(":memory:") as target,
    ):
        assert (await source.copy_to(target)).is_identical
        with pytest.raises(memrepo.ReadOnlyError):
            await target.copy_to(source)
