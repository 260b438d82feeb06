"""The statement hook: names, times and row counts; never values."""

from __future__ import annotations

import logging

import pytest

import memrepo

pytestmark = pytest.mark.asyncio


async def test_hook_sees_each_statement_once_and_in_order(url: str) -> None:
    """A unit's statements are reported by name, with a time and the rows they gave or changed."""
    events: list[memrepo.StatementEvent] = []
    async with memrepo.connect(url, on_statement=events.append) as store:
        events.clear()
        await store.memories.remember("a secret")
        assert [(event.name, event.n_rows) for event in events] == [
            ("memories.revive", 0),
            ("memories.refresh", 0),
            ("memories.insert", 1),
        ]
        assert all(0 < event.duration_s < 10 for event in events)
        assert {event.error for event in events} == {None}
        assert "secret" not in repr(events)


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


async def test_failing_hook_fails_no_call(url: str, caplog: pytest.LogCaptureFixture) -> None:
    """What a hook raises is logged under memrepo, and the call returns what it did."""

    def fail(event: memrepo.StatementEvent) -> None:
        raise RuntimeError(event.name)

    async with memrepo.connect(url, on_statement=fail) as store:
        assert (await store.memories.remember("a fact")).outcome == "created"
    assert ("memrepo", logging.ERROR, "on_statement failed") in caplog.record_tuples
