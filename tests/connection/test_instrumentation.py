"""The statement hook: names, times and row counts; never values."""

from __future__ import annotations

import logging
from time import perf_counter

import pytest

import memrepo
from memrepo.queries.statement import Statement

pytestmark = pytest.mark.asyncio


async def test_hook_sees_each_statement_once_and_in_order(url: str) -> None:
    """A unit's statements are reported by name, with a time and the rows they gave or changed."""
    events: list[memrepo.StatementEvent] = []
    async with memrepo.connect(url, on_statement=events.append) as store:
        events.clear()
        await store.memories.remember("a secret")
        assert [(event.name, event.n_rows) for event in events] == [("memories.remember", 1)]
        assert all(0 < event.duration_s < 10 for event in events)
        assert {event.error for event in events} == {None}
        assert all("INSERT" in event.sql or "UPDATE" in event.sql for event in events)
        assert "secret" not in repr(events)


async def test_hook_knows_when_each_statement_began(url: str) -> None:
    """Statements of one unit follow each other in time, though they are reported together."""
    events: list[memrepo.StatementEvent] = []
    async with memrepo.connect(url, on_statement=events.append) as store:
        events.clear()
        called_s = perf_counter()
        await store.memories.remember("a fact")
        times = [
            t for event in events for t in (event.started_s, event.started_s + event.duration_s)
        ]
        assert times == sorted(times)
        assert called_s < times[0] < times[-1] < perf_counter()


async def test_hook_sees_the_statements_of_a_transaction(url: str) -> None:
    """Calls inside a block are reported like others."""
    events: list[memrepo.StatementEvent] = []
    async with memrepo.connect(url, on_statement=events.append) as store:
        events.clear()
        async with store.transaction() as tx:
            await tx.memories.count()
        assert [event.name for event in events] == ["memories.count"]


async def test_hook_sees_the_error_of_a_statement(url: str) -> None:
    """A statement that fails is reported with the class of its error."""
    events: list[memrepo.StatementEvent] = []
    async with memrepo.connect(url, on_statement=events.append) as store:
        events.clear()
        with pytest.raises(memrepo.NotFoundError):
            await store.daily_logs.append(9, "event")
        (event,) = events
        assert (event.name, event.error) == ("daily_logs.append", "ConstraintError")
        assert event.error_code == "SQLITE_CONSTRAINT_FOREIGNKEY"


async def test_hook_blames_the_statement_that_failed(url: str) -> None:
    """Of a unit that failed, the statements that had run by then are reported without an error."""
    events: list[memrepo.StatementEvent] = []
    async with memrepo.connect(url, on_statement=events.append) as store:
        events.clear()
        unit = ("SELECT 1", "SELECT * FROM nothing", "SELECT 2")
        with pytest.raises(memrepo.DatabaseError):
            await store.connection.write(tuple(Statement(sql, sql).bind() for sql in unit))
        assert [(event.name, event.error, event.error_code) for event in events] == [
            ("SELECT 1", None, None),
            ("SELECT * FROM nothing", "DatabaseError", "SQLITE_ERROR"),
        ]


async def test_failing_hook_fails_no_call(url: str, caplog: pytest.LogCaptureFixture) -> None:
    """What a hook raises is logged, and the call returns what it did."""

    def fail(event: memrepo.StatementEvent) -> None:
        raise RuntimeError(event.name)

    async with memrepo.connect(url, on_statement=fail) as store:
        assert (await store.memories.remember("a fact")).outcome == "created"
    logger = "memrepo.connection.instrumentation"
    assert (logger, logging.ERROR, "on_statement failed") in caplog.record_tuples
