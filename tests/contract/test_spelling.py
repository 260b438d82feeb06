"""Instants that another program spelt in its own way, on every driver: compared as what they are."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

import pytest

import memrepo
from memrepo import DailyLogFilter, MemoryFilter, Statement, Store
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio

#: What other programs write for an instant, and what memrepo does.
SPELLINGS: Final = {
    "2026-02-02 14:16:24": "2026-02-02T14:16:24.000Z",
    "2026-02-02 14:16:24.5": "2026-02-02T14:16:24.500Z",
    "2026-02-02T14:16:24Z": "2026-02-02T14:16:24.000Z",
    "2026-02-02T14:16:24.123456Z": "2026-02-02T14:16:24.123Z",
    "2026-02-02T23:16:24.123+09:00": "2026-02-02T14:16:24.123Z",
    "2026-02-03T08:16:24+18:00": "2026-02-02T14:16:24.000Z",
    "2026-02-01T20:16:24.123-1800": "2026-02-02T14:16:24.123Z",
    "20260202T141624Z": "2026-02-02T14:16:24.000Z",
    "2026-02-02": "2026-02-02T00:00:00.000Z",
    "2026-02-02T14:16:24.123Z": "2026-02-02T14:16:24.123Z",
}
#: The columns of instants.
INSTANTS: Final = {
    "memory_entries": (
        *("created_at", "last_accessed", "expires_at", "deleted_at"),
        *("proposed_at", "pinned_at", "due_at", "surfaced_at"),
    ),
    "sessions": ("started_at", "ended_at", "active_at", "summarized_until"),
    "daily_logs": ("timestamp",),
}
#: What is no instant, and stays as it is.
NONE: Final = (
    *("yesterday", "", "1769990000000", "2026-02-30 14:16:24", "????-??-??T??:??:??.???Z"),
    # It looks like ours.
    *("1999-02-30T00:00:00.000Z", "1999-13-01T00:00:00.000Z", "1999-01-01T24:00:00.000Z"),
    *("1999-01-01T00:00:60.000Z", "0000-01-01T00:00:00.000Z", "1999-01-01T00:00:00.00aZ"),
    *("1999-ab-01T00:00:00.000Z", "-999-01-01T00:00:00.000Z", "1999-01-01T00:00: 0.000Z"),
)


async def run(store: Store, sql: str, **values: str) -> list[tuple[object, ...]]:
    """Run a statement of another program."""
    (result,) = await store.connection.write((Statement("another.program", sql).bind(**values),))
    return [*result.rows]


async def add_event(store: Store, timestamp: str) -> None:
    await run(
        store,
        "INSERT INTO daily_logs (event_type, timestamp) VALUES ('note', :timestamp)",
        timestamp=timestamp,
    )


async def add_fact(store: Store, content: str, **instants: str) -> None:
    instants = {"created_at": "2026-02-02T14:16:24.123Z"} | instants
    names, values = ", ".join(instants), ", ".join(f":{name}" for name in instants)
    await run(
        store,
        f"INSERT INTO memory_entries (content, category, source, {names})"
        f" VALUES (:content, 'fact', 'x', {values})",
        content=content,
        **instants,
    )


async def test_every_column_gets_our_spelling(store: Store) -> None:
    """Each instant of each table is stored as ours, and means the same; what is none stays."""
    texts = [*SPELLINGS, *NONE]
    for n, text in enumerate(texts):
        await add_event(store, text)
        await add_fact(store, f"f{n}", **dict.fromkeys(INSTANTS["memory_entries"], text))
        names = ", ".join(INSTANTS["sessions"])
        values = ", ".join(":at" for _ in INSTANTS["sessions"])
        await run(store, f"INSERT INTO sessions ({names}) VALUES ({values})", at=text)
    await store.migrate()
    expected = [*SPELLINGS.values(), *NONE]
    for table, column in (
        (table, column) for table, columns in INSTANTS.items() for column in columns
    ):
        found = await run(store, f"SELECT {column} FROM {table} ORDER BY id")
        assert [text for (text,) in found] == expected, (table, column)


async def test_no_instant_is_left_out(store: Store) -> None:
    """The columns above are all that are called as instants are."""
    for table, columns in INSTANTS.items():
        rows = await run(store, f"SELECT name FROM pragma_table_info('{table}')")
        names = {str(name) for (name,) in rows}
        called = {its for its in names if its.endswith(("_at", "_accessed", "_until", "timestamp"))}
        assert called == {*columns}, table


async def test_a_proposal_stays_one(store: Store) -> None:
    """What another program has proposed waits, however its instants are spelt, and no purge deletes it."""
    at = "2026-02-02T14:16:24Z"
    await add_fact(store, "maybe vegan", created_at=at, deleted_at=at, proposed_at=at)
    await store.migrate()
    assert [fact.content for fact in await store.memories.proposals()] == ["maybe vegan"]
    assert len(await store.memories.forgotten()) == 0
    assert await store.memories.purge(datetime(2026, 3, 1, tzinfo=UTC)) == 0


async def test_due_when_it_is(store: Store, clock: Clock) -> None:
    """A date that another program has written comes when it says, and not at the beginning of its day."""
    clock.now = datetime(2026, 2, 2, 8, tzinfo=UTC)
    await add_fact(store, "call Ann", created_at="2026-02-01 00:00:00", due_at="2026-02-02 20:00")
    await store.migrate()
    assert (await store.memories.surface()).due == ()
    clock.now = datetime(2026, 2, 2, 20, tzinfo=UTC)
    assert [fact.entry.content for fact in (await store.memories.surface()).due] == ["call Ann"]


async def test_days_and_ranges_see_the_same_instants(store: Store) -> None:
    """A day has its events, a range and the order are those of time, however each instant is spelt."""
    for text in (
        *("2026-02-01T23:59:59+00:00", "2026-02-02 00:00:00", "2026-02-02T08:30:00+09:00"),
        *("2026-02-02 23:59:59", "2026-02-03T08:00:00+09:00", "2026-02-03 00:00:00"),
    ):
        await add_event(store, text)
    await store.migrate()
    assert [event.id for event in await store.daily_logs.for_day(date(2026, 2, 2))] == [2, 5, 4]
    assert await store.daily_logs.count_by_day() == {
        date(2026, 2, 1): 2,
        date(2026, 2, 2): 3,
        date(2026, 2, 3): 1,
    }
    noon = datetime(2026, 2, 2, 12, tzinfo=UTC)
    after_noon = await store.daily_logs.find_many(DailyLogFilter(timestamp_from=noon))
    assert [event.id for event in after_noon] == [5, 4, 6]


async def test_a_purge_deletes_what_is_old(store: Store) -> None:
    """Instants that came while the store was open are compared as instants; what is none is not deleted."""
    for text in ("2026-02-02 14:16:24", "2026-02-02T08:00:00+09:00", *NONE):
        await add_event(store, text)
        await add_fact(store, f"forgotten {text}", deleted_at=text)
        await add_fact(store, f"expired {text}", expires_at=text)
    before = datetime(2026, 2, 2, tzinfo=UTC)
    for purge, left in ((store.daily_logs.purge, 1 + len(NONE)), (store.memories.purge, 0)):
        n_old = 1 if left else 2
        assert await purge(before, dry_run=True) == n_old
        assert await purge(before) == n_old
        assert await purge(before) == 0
    ((n_events,),) = await run(store, "SELECT count(*) FROM daily_logs")
    ((n_facts,),) = await run(store, "SELECT count(*) FROM memory_entries")
    assert (n_events, n_facts) == (1 + len(NONE), 2 + 2 * len(NONE))
    assert await store.daily_logs.purge(datetime(2026, 2, 3, tzinfo=UTC)) == 1


async def test_a_purge_in_a_transaction(store: Store) -> None:
    """The same in a transaction, and undone with it."""
    await add_event(store, "2026-02-01 14:16:24")

    async def purge_and_fail() -> None:
        async with store.transaction() as tx:
            assert await tx.daily_logs.purge(datetime(2026, 2, 2, tzinfo=UTC)) == 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await purge_and_fail()
    assert await run(store, "SELECT timestamp FROM daily_logs") == [("2026-02-01 14:16:24",)]


async def test_many_rows(store: Store) -> None:
    """However many there are, each is corrected once; a second time finds nothing to do."""
    await run(
        store,
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)"
        " INSERT INTO daily_logs (event_type, timestamp)"
        " SELECT 'x', CASE i % 3 WHEN 0 THEN 'none' ELSE '2026-02-02 14:16:24' END FROM n",
    )
    await store.migrate()
    ours = "SELECT count(*) FROM daily_logs WHERE timestamp = '2026-02-02T14:16:24.000Z'"
    assert await run(store, ours) == [(800,)]


async def test_each_open_corrects_what_came_since(tmp_path: Path, clock: Clock) -> None:
    """Rows that arrive while a store is open are compared as texts until the next open for writing."""
    path = tmp_path / "agent.db"
    everything = MemoryFilter(include_expired=True, include_forgotten=True)
    async with memrepo.connect(path, clock=clock) as store:
        await add_fact(store, "Tea", expires_at="2026-02-02T23:00:00+18:00")
        assert await store.memories.count() == 1
    async with memrepo.connect(f"file:{path}?mode=ro", clock=clock) as store:
        assert await store.memories.count() == 1
    async with memrepo.connect(path, clock=clock) as store:
        assert await store.memories.count() == 0
        (fact,) = await store.memories.find_many(everything)
        assert fact.expires_at == datetime(2026, 2, 2, 5, tzinfo=UTC)


async def test_a_read_only_store_can_ask_what_a_purge_would_delete(
    tmp_path: Path, clock: Clock
) -> None:
    """A dry run corrects what it may; where nothing may be written it counts what is spelt as ours."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, clock=clock) as store:
        await add_event(store, "2026-02-01 14:16:24")
        await add_event(store, "2026-02-01T14:16:24.123Z")
    before = datetime(2026, 2, 2, tzinfo=UTC)
    async with memrepo.connect(f"file:{path}?mode=ro", clock=clock) as store:
        assert await store.daily_logs.purge(before, dry_run=True) == 1
        with pytest.raises(memrepo.ReadOnlyError):
            await store.daily_logs.purge(before)
