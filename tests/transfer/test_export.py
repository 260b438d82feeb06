"""`Store.export_lines` and `Store.import_lines`: all rows as lines of JSON, and back, however often interrupted."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest

import memrepo
from memrepo import (
    ConflictError,
    CopyProgress,
    DailyLogNew,
    ImportReport,
    InvalidInputError,
    MemoryNew,
    MigrationError,
    OnProgress,
    Store,
)
from tests.conftest import Clock
from tests.servers.sqld import Sqld
from tests.transfer.copies import ODD, TABLES, dump, fill, run

pytestmark = pytest.mark.asyncio


@pytest.fixture(params=["file", "http"])
def target_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty target on each engine."""
    if request.param == "file":
        return str(tmp_path / "target.db")
    server: Sqld = request.getfixturevalue("sqld")
    return server.new_url()


async def exported(store: Store, **options: Any) -> bytes:
    return b"".join([part async for part in store.export_lines(**options)])


async def parts_of(text: bytes, size: int = 10_000) -> AsyncIterator[bytes]:
    """The text in parts, which end anywhere."""
    for start in range(0, len(text), size):
        yield text[start : start + size]


async def imported(store: Store, lines: bytes | Iterable[bytes], **options: Any) -> ImportReport:
    text = lines if isinstance(lines, bytes) else b"".join(lines)
    return await store.import_lines(parts_of(text), **options)


def figures(report: ImportReport) -> list[tuple[int, int, int]]:
    """How many rows of each table were stored, there already, and known otherwise."""
    return [(its.n_imported, its.n_present, its.n_known) for its in report.tables]


def rows_of(found: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """The rows of a dump, without the numbers."""
    return {table: found[table] for table in TABLES}


async def test_there_and_elsewhere(target_url: str, tmp_path: Path, clock: Clock) -> None:
    """Every value of every row keeps its type and bytes, whoever has stored it, and ids are not given again."""
    async with (
        memrepo.connect(tmp_path / "source.db", clock=clock) as source,
        memrepo.connect(target_url, clock=clock) as target,
    ):
        await fill(source, clock, n_facts=1_500, n_events=2_500)
        await run(source, *ODD)
        before = await dump(source)
        lines = await exported(source)
        assert await dump(source) == before
        report = await imported(target, lines)
        assert report.has_ids
        assert figures(report) == [(len(before[table]), 0, 0) for table in TABLES]
        assert rows_of(await dump(target)) == rows_of(before)
        again = await imported(target, lines)
        assert figures(again) == [(0, len(before[table]), 0) for table in TABLES]
        highest = max(row[0] for row in before["memory_entries"])
        assert (await target.memories.remember("new")).id == highest + 1


async def test_what_curates_facts(clock: Clock) -> None:
    """Slots, proposals, pins, due dates and what was superseded mean the same in another store."""
    async with (
        memrepo.connect(":memory:", clock=clock) as source,
        memrepo.connect(":memory:", clock=clock) as target,
    ):
        facts = source.memories
        await facts.remember("Lives in Leeds", slot="home")
        await facts.remember("Lives in York", slot="home")
        pinned = await facts.remember("Is allergic to nuts")
        await facts.pin(pinned.id)
        await facts.remember("Pay the rent", due_at=clock.advance(days=1))
        await facts.remember("May like tea", proposed=True)
        gone = await facts.remember("Had a dog")
        await facts.forget(gone.id)
        await imported(target, await exported(source))
        its = target.memories
        assert await its.in_slot("home") == await facts.in_slot("home")
        assert (await its.revert("home")).content == "Lives in Leeds"
        assert list(await its.proposals()) == list(await facts.proposals())
        assert (await its.get(pinned.id)).pinned_at is not None
        assert [its.entry.content for its in (await target.memories.surface()).due] == [
            "Pay the rent"
        ]
        assert (await its.restore(gone.id)).content == "Had a dog"
        assert await target.verify() == []


async def test_format(clock: Clock) -> None:
    """The lines are those that the documentation shows: a header, a row a line, the end."""
    async with memrepo.connect(":memory:", clock=clock) as store:
        session = await store.sessions.start()
        await store.memories.remember("Likes tea \u4e8b", metadata={"a": 1})
        await store.daily_logs.append(session.id, "topic", "garden")
        lines = (await exported(store)).splitlines()
    header, *rows, end = map(json.loads, lines)
    assert (header["memrepo"], header["format"], header["same_fact"]) == ("export", 1, "folded")
    assert header["n_rows"] == {"sessions": 1, "memory_entries": 1, "daily_logs": 1}
    assert [row["table"] for row in rows] == ["sessions", "memory_entries", "daily_logs"]
    assert rows[1]["content"] == "Likes tea \u4e8b"
    assert rows[1]["metadata"] == '{"a":1}'
    assert "deleted_at" not in rows[1]
    assert rows[2] == {
        "table": "daily_logs",
        "id": 1,
        "session_id": session.id,
        "event_type": "topic",
        "event_data": '"garden"',
        "timestamp": "2026-02-02T14:16:24.123Z",
        "scope": "",
    }
    assert end == {"memrepo": "end"}


async def test_one_scope(clock: Clock) -> None:
    """An export of a scope has all rows of it, and none of another."""
    async with (
        memrepo.connect(":memory:", clock=clock) as source,
        memrepo.connect(":memory:", clock=clock) as target,
    ):
        await fill(source, clock, n_facts=300, n_events=300)
        lines = await exported(source, scope="user:1")
        await imported(target, lines)
        before, after = await dump(source), await dump(target)
        assert [its.scope async for its in target.iterate_scopes()] == ["user:1"]
        for table in TABLES:
            assert after[table] == [row for row in before[table] if row[4] == b"user:1"]
            assert json.loads(lines.splitlines()[0])["n_rows"][table] == len(after[table])


async def test_into_a_store_with_rows(target_url: str, clock: Clock) -> None:
    """New ids do not meet those that are there, references follow them, and what is known is not stored twice."""
    async with (
        memrepo.connect(":memory:", clock=clock) as source,
        memrepo.connect(target_url, clock=clock) as target,
    ):
        session = await source.sessions.start("phone")
        old = await source.memories.remember("Lives in Leeds", session_id=session.id)
        await source.memories.supersede(old.id, "Lives in York")
        await source.memories.remember("Likes tea")
        await source.daily_logs.append(session.id, "topic", "garden")
        await source.daily_logs.append(None, "topic", "bees", key="k")
        mine = await target.memories.remember("likes TEA")
        its_session = await target.sessions.start()
        await target.daily_logs.append(None, "topic", "bees", key="k")
        lines = await exported(source)
        report = await imported(target, lines)
        assert not report.has_ids
        assert figures(report) == [(1, 0, 0), (2, 0, 1), (1, 0, 1)]
        assert figures(await imported(target, lines)) == [(0, 1, 0), (0, 2, 1), (0, 1, 1)]
        york = await target.memories.find_by_content("Lives in York")
        assert york is not None
        (leeds,) = await target.memories.history(york.id)
        assert (leeds.content, leeds.created_at) == ("Lives in Leeds", old.entry.created_at)
        phone = await target.sessions.active("phone")
        assert phone is not None
        assert phone.id > its_session.id
        assert leeds.session_id == phone.id
        garden = await target.daily_logs.find_many(memrepo.DailyLogFilter(session_id=phone.id))
        assert [event.event_data for event in garden] == ["garden"]
        assert (await target.memories.get(mine.id)).content == "likes TEA"
        assert await target.verify() == []


async def test_rows_changed_since(clock: Clock) -> None:
    """An export that is imported again leaves alone what was changed after the first time."""
    async with (
        memrepo.connect(":memory:", clock=clock) as source,
        memrepo.connect(":memory:", clock=clock) as target,
    ):
        fact = await source.memories.remember("Likes tea")
        session = await source.sessions.start()
        lines = await exported(source)
        await imported(target, lines)
        clock.advance(minutes=1)
        await target.memories.update(fact.id, category="preference")
        await target.sessions.end(session.id)
        assert figures(await imported(target, lines)) == [(0, 1, 0), (0, 1, 0), (0, 0, 0)]
        assert (await target.memories.get(fact.id)).category == "preference"


def _stop_after(n_pages: int) -> OnProgress:
    pages = count(1)

    def stop(_progress: CopyProgress) -> None:
        if next(pages) == n_pages:
            raise RuntimeError

    return stop


async def test_interrupted_twice(target_url: str, clock: Clock) -> None:
    """An export and an import that are interrupted go on where they were, and nothing is missing or twice."""
    async with (
        memrepo.connect(":memory:", clock=clock) as source,
        memrepo.connect(target_url, clock=clock) as target,
    ):
        await fill(source, clock, n_facts=2_400, n_events=3_300)
        written = b""
        for n_parts in (2, 3):
            resume = (written.splitlines()[0], written.splitlines()[-1]) if written else None
            parts = source.export_lines(resume=resume)
            written += b"".join([await anext(parts) for _ in range(n_parts)])
            await parts.aclose()  # type: ignore[attr-defined]
            # What a killed process leaves of its last line is cut off by who resumes it.
            written = written[: written.rindex(b"\n", 0, len(written) - 200) + 1]
        lines = written.splitlines()
        written += await exported(source, resume=(lines[0], lines[-1]))

        for page in (1, 4):
            with pytest.raises(RuntimeError):
                await imported(target, written, on_progress=_stop_after(page))
        report = await imported(target, written)
        assert any(its.n_present for its in report.tables)
        assert any(its.n_imported for its in report.tables)
        assert rows_of(await dump(target)) == rows_of(await dump(source))


async def test_incomplete(clock: Clock) -> None:
    """An export without its end is told from a whole one, after what is there was stored."""
    async with (
        memrepo.connect(":memory:", clock=clock) as source,
        memrepo.connect(":memory:", clock=clock) as target,
    ):
        await source.memories.remember_many([MemoryNew(content="a"), MemoryNew(content="b")])
        lines = (await exported(source)).splitlines(keepends=True)
        with pytest.raises(InvalidInputError, match=r"^line 3: is missing: the export is not"):
            await imported(target, lines[:-2])
        assert await target.memories.count() == 1
        with pytest.raises(InvalidInputError, match=r"^line 1: is not a JSON object"):
            await imported(target, b"")
        await imported(target, lines)
        assert await target.memories.count() == 2


_FACT = b'{"table":"memory_entries","id":1,"content":"S3CRET"'


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        (b"S3CRET", "is not a JSON object"),
        (b'["S3CRET"]', "is not a JSON object"),
        (b'{"a":' * 9_999, "is not a JSON object"),
        (b'{"table":"S3CRET","id":1}', "is not a row of a table that this memrepo knows"),
        (b'{"table":["S3CRET"],"id":1}', "is not a row of a table that this memrepo knows"),
        (_FACT + b',"S3CRET":1}', "is not a row of its table"),
        (_FACT.replace(b"1", b'"S3CRET"') + b"}", "is not a row of its table"),
        (_FACT.replace(b'"id":1,', b"") + b"}", "is not a row of its table"),
        (_FACT.replace(b"1", b"9" * 30) + b"}", "has a value that its column cannot have"),
        (_FACT + b',"category":1}', "has a value that its column cannot have"),
        (_FACT + b',"category":"\\ud800"}', "has a value that its column cannot have"),
        (_FACT + b',"category":{"blob":"S3CRET!"}}', "has a value that its column cannot have"),
        (_FACT + b',"session_id":[1]}', "has a value that its column cannot have"),
        (_FACT + b',"hash_version":NaN}', "is not a JSON object"),
        (_FACT + b',"hash_version":-Infinity}', "is not a JSON object"),
        (_FACT + b',"hash_version":{"real":"nan"}}', "has a value that its column cannot have"),
        (_FACT + b',"category":null}', "lacks a value that its column must have"),
        (
            b'{"table":"daily_logs","id":1,"scope":"","event_type":"S3CRET","timestamp":""}',
            "has a higher id than the first line says",
        ),
        (b'{"memrepo":"end"}\n{}', "comes after the end"),
    ],
)
async def test_bad_lines(bad: bytes, said: str, clock: Clock) -> None:
    """A line that is none of an export is refused by its number, and not shown; nothing of it is stored."""
    async with (
        memrepo.connect(":memory:", clock=clock) as source,
        memrepo.connect(":memory:", clock=clock) as store,
    ):
        await source.memories.remember("a")
        header = (await exported(source)).splitlines(keepends=True)[0]
        with pytest.raises(InvalidInputError) as caught:
            await imported(store, [header, bad, b"\n"])
        number = 2 + bad.count(b"\n")
        assert str(caught.value) == f"line {number}: {said}"
        assert await store.memories.count() == 0


async def test_out_of_order(clock: Clock) -> None:
    """Rows that stand twice, or in another order, are refused."""
    async with memrepo.connect(":memory:", clock=clock) as store:
        await store.memories.remember_many([MemoryNew(content="a"), MemoryNew(content="b")])
        header, one, two, end = (await exported(store)).splitlines(keepends=True)
        for lines in ([header, two, one, end], [header, one, one, end]):
            with pytest.raises(InvalidInputError, match="is not in the order of tables and ids"):
                await imported(store, lines)


async def test_headers(clock: Clock) -> None:
    """An export of another format, of a newer memrepo or with another rule stores nothing."""
    async with memrepo.connect(":memory:", clock=clock) as store:
        await store.memories.remember("Likes tea")
        header, *rest = (await exported(store)).splitlines(keepends=True)
    for old, new, said in (
        (b'"format":1', b'"format":2', "has another format than 1"),
        (b'"schema_version":9', b'"schema_version":10', "is of a newer memrepo"),
        (b'"folded"', b'"exact"', 'has the rule "exact" for facts, this store "folded"'),
        (b'"folded"', b'"S3CRET"', "is not the beginning of an export"),
        (b'"scope":null', b'"scope":1', "is not the beginning of an export"),
        (b'"memory_entries"', b'"S3CRET"', "is not the beginning of an export"),
        (b'"exported_at":"2', b'"exported_at":"x', "is not the beginning of an export"),
        (b'"memrepo":"export"', b'"memrepo":"S3CRET"', "is not the beginning of an export"),
    ):
        assert old in header
        async with memrepo.connect(":memory:", clock=clock) as target:
            with pytest.raises(InvalidInputError, match=f"^line 1: {re.escape(said)}$"):
                await imported(target, [header.replace(old, new), *rest])
            assert await target.memories.count() == 0


async def test_slot_conflict(clock: Clock) -> None:
    """What only one fact can be, of a slot, is not made two; the error has the line and its id, and the fact here."""
    async with (
        memrepo.connect(":memory:", clock=clock) as source,
        memrepo.connect(":memory:", clock=clock) as target,
    ):
        await target.memories.remember("Lives in York", slot="home")
        await source.memories.remember("Likes tea")
        await source.memories.remember("Lives in Leeds", slot="home")
        said = "^line 3: memory_entries 2 was not imported: fact 1 fills its slot there$"
        with pytest.raises(ConflictError, match=said):
            await imported(target, await exported(source))
        assert await target.verify() == []


async def test_line_of_a_refused_row(clock: Clock) -> None:
    """A row that another program's trigger refuses is named by its line, and by its own id; what came before stays."""
    async with (
        memrepo.connect(":memory:", clock=clock) as source,
        memrepo.connect(":memory:", clock=clock) as target,
    ):
        await target.daily_logs.append(None, "message")
        for n in range(3):
            await source.daily_logs.append(None, f"message {n}")
        await run(
            target,
            "CREATE TRIGGER no_message BEFORE INSERT ON daily_logs WHEN new.event_type = 'message 1' "
            "BEGIN SELECT RAISE(ABORT, 'no'); END",
        )
        said = r"^line 3: daily_logs 2 was not imported: the target refuses it \(other\)$"
        with pytest.raises(ConflictError, match=said):
            await imported(target, await exported(source))


async def test_a_session_is_stored_or_refused(clock: Clock) -> None:
    """A session that a unique index of another program does not take is an error, and not one that is already there."""
    async with (
        memrepo.connect(":memory:", clock=clock) as source,
        memrepo.connect(":memory:", clock=clock) as target,
    ):
        for store in (target, source):
            await store.sessions.end((await store.sessions.start("chat")).id)
        await run(target, "CREATE UNIQUE INDEX one_a_thread ON sessions (thread)")
        said = "^line 2: sessions 1 was not imported: another row there has what only one can have$"
        with pytest.raises(ConflictError, match=said):
            await imported(target, await exported(source))


@pytest.mark.parametrize("idle", [timedelta(), timedelta(days=1)])
async def test_open_sessions_of_one_thread(idle: timedelta, target_url: str, clock: Clock) -> None:
    """An open session comes in beside that of its thread, abandoned or not; each ends at its own last activity."""
    async with (
        memrepo.connect(":memory:", clock=clock) as source,
        memrepo.connect(target_url, clock=clock) as target,
    ):
        ends = []
        for store in (source, target):
            session = await store.sessions.start("chat")
            clock.advance(minutes=3)
            await store.daily_logs.append(session.id, "message")
            ends.append(clock.now)
            clock.advance(minutes=4)
        clock.advance(seconds=idle.total_seconds())
        lines = await exported(source)
        assert figures(await imported(target, lines))[0] == (1, 0, 0)
        assert figures(await imported(target, lines))[0] == (0, 1, 0)
        theirs, mine = [its async for its in target.sessions.iterate()]
        assert (mine.ended_at, theirs.ended_at) == (None, None)
        active = await target.sessions.active("chat")
        assert active == (None if idle else theirs)
        clock.advance(hours=1)
        new = await target.sessions.get_or_start("chat")
        assert new.id > max(mine.id, theirs.id)
        ended = await target.sessions.get_many([mine.id, theirs.id])
        assert [its and its.ended_at for its in ended] == ends
        assert await target.verify() == []


async def test_resuming_a_complete_export(clock: Clock) -> None:
    """After the last line nothing follows, and after the first one everything."""
    async with memrepo.connect(":memory:", clock=clock) as store:
        await store.memories.remember("Likes tea")
        lines = await exported(store)
        first, *_, last = lines.splitlines()
        assert await exported(store, resume=(first, last)) == b""
        assert first + b"\n" + await exported(store, resume=(first, first)) == lines


@pytest.mark.parametrize("scope", [None, "ada"])
async def test_progress_goes_on(scope: str | None, clock: Clock) -> None:
    """A resumed export tells of the rows that were done before, too, as an uninterrupted one does."""
    async with memrepo.connect(":memory:", clock=clock) as store:
        for its in ("ada", "", "ada"):
            await store.scoped(its).memories.remember_many(
                MemoryNew(content=f"{clock.now} {n}") for n in range(3)
            )
            await store.scoped(its).daily_logs.append(None, "message")
            clock.advance(seconds=1)
        whole: list[CopyProgress] = []
        first, *lines, _ = (
            await exported(store, scope=scope, on_progress=whole.append)
        ).splitlines()
        for place, line in enumerate(lines, start=1):
            rest: list[CopyProgress] = []
            resume = (first, line)
            await exported(store, scope=scope, resume=resume, on_progress=rest.append)
            n_tables = len({its["table"] for its in map(json.loads, lines[place:])})
            assert rest == whole[len(whole) - n_tables :]


async def test_resuming_another_export(clock: Clock) -> None:
    """An export of a scope is not gone on with as one of all, nor after a line that is none."""
    async with memrepo.connect(":memory:", clock=clock) as store:
        header = (await exported(store, scope="ada")).splitlines()[0]
        with pytest.raises(InvalidInputError, match="resume: is an export of another scope"):
            await exported(store, resume=(header, header))
        with pytest.raises(InvalidInputError, match="resume: is no row of an export"):
            await exported(store, scope="ada", resume=(header, b'{"table":"S3CRET"}'))
        with pytest.raises(InvalidInputError, match="resume: is no row of an export"):
            await exported(store, scope="ada", resume=(header, b'{"table":["S3CRET"],"id":1}'))


async def test_other_schema(tmp_path: Path) -> None:
    """Neither an export nor an import works on a store that is not migrated."""
    async with memrepo.connect(tmp_path / "new.db", migrate=False) as store:
        with pytest.raises(MigrationError):
            await exported(store)
        with pytest.raises(MigrationError):
            await imported(store, b"")


async def test_pages_are_bounded() -> None:
    """A part has at most a thousand rows, and ends after a megabyte."""
    async with memrepo.connect(":memory:") as store:
        await store.daily_logs.append_many([DailyLogNew(event_type="e")] * 2_500)
        await store.memories.remember_many(MemoryNew(content=f"{n}" * 400_000) for n in range(8))
        parts = [part async for part in store.export_lines()]
        assert max(part.count(b"\n") for part in parts) == 1_000
        assert max(map(len, parts)) < 2_000_000
