"""Deleting single sessions and events, on every driver."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from memrepo import (
    ConflictError,
    ConstraintError,
    DailyLogFilter,
    InvalidInputError,
    NotFoundError,
    Statement,
    Store,
)
from tests.conftest import Clock
from tests.contract.test_erasing import everything, fill, run

pytestmark = pytest.mark.asyncio

_ADD_MESSAGE = Statement("other.message", "INSERT INTO `messages` VALUES (:id)")
BAD_IDS: list[Any] = [0, -1, 2**63, True, 1.0, "1", None]


# --- sessions ----------------------------------------------------------------------------------


async def test_delete_a_session_with_its_events(store: Store) -> None:
    """Its events go with it; other sessions and events stay, and its id is not found any more."""
    await fill(store)
    newest, older = await store.sessions.find_many()
    rest = [event async for event in store.daily_logs.iterate() if event.session_id != newest.id]
    assert await store.sessions.delete(newest.id) == 2
    assert list(await store.sessions.find_many()) == [older]
    assert [event async for event in store.daily_logs.iterate()] == rest
    with pytest.raises(NotFoundError, match=f"^no session with id {newest.id} in this scope$"):
        await store.sessions.delete(newest.id)


async def test_delete_a_session_without_its_events(store: Store) -> None:
    """Its events stay as they were, but belong to no session."""
    session = await store.sessions.start()
    event = (await store.daily_logs.append(session.id, "x", {"a": 1}, key="k")).event
    assert await store.sessions.delete(session.id, events="keep") == 1
    kept = await store.daily_logs.get(event.id)
    assert kept.session_id is None
    assert kept.to_dict() == {**event.to_dict(), "session_id": None}
    assert list(await store.daily_logs.find_many(DailyLogFilter(session_id=session.id))) == []
    assert (await store.sessions.start()).id > session.id


@pytest.mark.parametrize("events", ["delete", "keep"])
async def test_delete_a_session_of_another_scope(store: Store, events: Any) -> None:
    """It is not found, and neither it nor any event changes, not even one that another program linked."""
    owner = store.scoped("user:1")
    session = await owner.sessions.start()
    await owner.daily_logs.append(session.id, "x")
    event = await store.daily_logs.append(None, "x")
    await run(store, "UPDATE `daily_logs` SET `session_id`=1 WHERE `id`=:id", id=event.id)
    before = [await everything(store), await everything(owner)]
    with pytest.raises(NotFoundError):
        await store.sessions.delete(session.id, events=events)
    assert [await everything(store), await everything(owner)] == before


@pytest.mark.parametrize("events", ["delete", "keep"])
@pytest.mark.parametrize("deferred", ["", " DEFERRABLE INITIALLY DEFERRED"], ids=["now", "late"])
async def test_delete_a_session_that_others_refer_to(
    store: Store, events: Any, deferred: str
) -> None:
    """A foreign key of another table is respected: an error names the table, and nothing is half done."""
    await fill(store)
    session, other = await store.sessions.find_many()
    await run(
        store, f"CREATE TABLE `messages` (`session` INTEGER REFERENCES `sessions` (`id`){deferred})"
    )
    await run(store, "INSERT INTO `messages` VALUES (:id)", id=session.id)
    before = await everything(store)
    with pytest.raises(ConflictError, match=rf"^rows of messages refer to session {session.id}$"):
        await store.sessions.delete(session.id, events=events)
    assert await everything(store) == before
    assert await store.sessions.delete(other.id, events=events) == 2
    await run(store, "DELETE FROM `messages`")
    assert await store.sessions.delete(session.id, events=events) == 2


async def test_delete_a_session_whose_events_others_refer_to(store: Store) -> None:
    """The same holds for a foreign key to one of its events, unless the events are kept."""
    session = await store.sessions.start()
    event = await store.daily_logs.append(session.id, "x")
    await run(store, "CREATE TABLE `notes` (`event` INTEGER REFERENCES `daily_logs` (`id`))")
    await run(store, "INSERT INTO `notes` VALUES (:id)", id=event.id)
    before = await everything(store)
    with pytest.raises(ConflictError, match=rf"^rows of notes refer to session {session.id}$"):
        await store.sessions.delete(session.id)
    for call in (
        store.daily_logs.delete(event.id),
        store.daily_logs.delete_many(DailyLogFilter(session_id=session.id)),
    ):
        with pytest.raises(ConstraintError, match="foreign key"):
            await call
    assert await everything(store) == before
    assert await store.sessions.delete(session.id, events="keep") == 1


async def test_a_refused_deletion_in_a_transaction(store: Store) -> None:
    """It leaves the transaction as it was, which then commits the rest."""
    session = await store.sessions.start()
    await run(store, "CREATE TABLE `messages` (`session` INTEGER REFERENCES `sessions` (`id`))")
    async with store.transaction() as tx:
        await tx.connection.write((_ADD_MESSAGE.bind(id=session.id),))
        await tx.daily_logs.append(session.id, "x")
        with pytest.raises(ConflictError, match=r"^rows of messages refer to "):
            await tx.sessions.delete(session.id)
        await tx.memories.remember("goes on")
    assert [len(rows) for rows in await everything(store)] == [1, 1, 1]


async def test_delete_a_session_in_a_transaction(store: Store) -> None:
    """What is rolled back is there again."""
    await fill(store)
    before = await everything(store)
    session = (await store.sessions.find_many())[0]

    async def block() -> None:
        async with store.transaction() as tx:
            with pytest.raises(NotFoundError):
                await tx.sessions.delete(77)
            assert await tx.sessions.delete(session.id) == 2
            assert await tx.sessions.find(session.id) is None
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await block()
    assert await everything(store) == before


@pytest.mark.parametrize("events", ["", "Delete", None, True, ["keep"]])
async def test_delete_a_session_refuses(store: Store, events: Any) -> None:
    """What is no id, and no answer to what becomes of the events, is refused by name."""
    session = await store.sessions.start()
    with pytest.raises(InvalidInputError, match=r'^events: must be "delete" or "keep"$'):
        await store.sessions.delete(session.id, events=events)
    for bad in BAD_IDS:
        with pytest.raises(InvalidInputError, match=r"^id: "):
            await store.sessions.delete(bad)
    assert await store.sessions.get(session.id) == session


async def test_a_summary_is_removed(store: Store) -> None:
    """`None` takes back what was said about a session, and leaves the rest of it."""
    session = await store.sessions.start()
    await store.sessions.summarize(session.id, "All about her")
    assert await store.sessions.summarize(session.id, None) == session
    assert (await store.sessions.get(session.id)).summary is None


# --- events ------------------------------------------------------------------------------------


async def test_delete_an_event(store: Store) -> None:
    """It comes back once more, as it was; its key can be used again."""
    session = await store.sessions.start()
    event = (await store.daily_logs.append(session.id, "x", {"a": [1]}, key="k")).event
    other = (await store.daily_logs.append(None, "y")).event
    assert await store.daily_logs.delete(event.id) == event
    assert list(await store.daily_logs.find_many()) == [other]
    for number in (event.id, 77):
        with pytest.raises(NotFoundError, match=f"^no event with id {number} in this scope$"):
            await store.daily_logs.delete(number)
    with pytest.raises(NotFoundError):
        await store.scoped("user:1").daily_logs.delete(other.id)
    for bad in BAD_IDS:
        with pytest.raises(InvalidInputError, match=r"^id: "):
            await store.daily_logs.delete(bad)
    assert (await store.daily_logs.append(None, "z", key="k")).id > other.id


@pytest.mark.parametrize(
    ("where", "left"),
    [
        ({"session_id": 1}, "bd"),
        ({"event_type": "b"}, "acd"),
        ({"event_type": "B"}, "abcd"),
        ({"event_types": ("a", "d", "x")}, "bc"),
        ({"data": {"of": "a"}}, "bcd"),
        ({"data": {"of": "a"}, "event_type": "b"}, "abcd"),
        ({"day": date(2026, 2, 2)}, "cd"),
        ({"timestamp_from": datetime(2026, 2, 3, tzinfo=UTC)}, "ab"),
        ({"timestamp_before": datetime(2026, 2, 3, tzinfo=UTC), "session_id": 1}, "bcd"),
    ],
)
async def test_delete_many_events(
    store: Store, clock: Clock, where: dict[str, Any], left: str
) -> None:
    """The events of a filter are deleted, in this scope only; a dry run only counts them."""
    session = await store.sessions.start()
    other = store.scoped("user:1").daily_logs
    for kind in "abcd":
        await store.daily_logs.append(session.id if kind in "ac" else None, kind, {"of": kind})
        await other.append(None, kind)
        clock.advance(hours=1 if kind != "b" else 24)
    given = DailyLogFilter(**where)
    assert await store.daily_logs.delete_many(given, dry_run=True) == 4 - len(left)
    assert len(await store.daily_logs.find_many()) == 4
    assert await store.daily_logs.delete_many(given) == 4 - len(left)
    assert "".join(its.event_type for its in await store.daily_logs.find_many()) == left
    assert await store.daily_logs.delete_many(given) == 0
    assert len(await other.find_many()) == 4


@pytest.mark.parametrize(
    ("where", "field"),
    [
        (DailyLogFilter(), "where"),
        (DailyLogFilter(data={}), "where"),
        (None, "where"),
        ({"event_type": "x"}, "where"),
        (DailyLogFilter(event_type=""), "event_type"),
        (DailyLogFilter(day=date(2026, 2, 2), timestamp_from=datetime.now(UTC)), "day"),
    ],
)
async def test_delete_many_events_refuses(store: Store, where: Any, field: str) -> None:
    """A filter without a condition would be every event: it is refused, as any other mistake is."""
    await store.daily_logs.append(None, "x")
    with pytest.raises(InvalidInputError, match=f"^{field}: "):
        await store.daily_logs.delete_many(where)
    with pytest.raises(InvalidInputError, match=r"^dry_run: "):
        await store.daily_logs.delete_many(DailyLogFilter(event_type="x"), dry_run=where)
    assert len(await store.daily_logs.find_many()) == 1


async def test_delete_many_events_of_other_programs(store: Store, clock: Clock) -> None:
    """An instant in another spelling is understood before a range deletes; one that is none stays."""
    insert = "INSERT INTO `daily_logs` (`event_type`,`timestamp`) VALUES ('x',:at)"
    # As texts, all three lie in the range; as instants, only the first does.
    for text in ("2026-02-02 23:59:59", "2026-02-02T23:30:00-09:00", "2026-02-02 at noon"):
        await run(store, insert, at=text)
    where = DailyLogFilter(day=date(2026, 2, 2))
    assert await store.daily_logs.delete_many(where) == 1
    assert len(await store.daily_logs.find_many()) == 2
    # Without a range, its time does not matter.
    assert await store.daily_logs.delete_many(DailyLogFilter(event_type="x")) == 2
