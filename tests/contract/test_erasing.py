"""Listing scopes, and erasing one, on every driver."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Final

import pytest

from memrepo import (
    ConflictError,
    DailyLogFilter,
    DailyLogNew,
    DatabaseError,
    EraseReport,
    InvalidInputError,
    MemoryFilter,
    MemoryNew,
    NotFoundError,
    Page,
    Repositories,
    ScopeInfo,
    Statement,
    Store,
    TransactionError,
)
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio

ALL: Final = MemoryFilter(include_forgotten=True, include_expired=True, include_superseded=True)
NOTHING: Final = EraseReport(n_facts=0, n_sessions=0, n_events=0)


async def run(store: Store, sql: str, **values: int | str | bytes | None) -> None:
    """Do what another program does."""
    await store.connection.write((Statement("other.program", sql).bind(**values),))


async def fill(repos: Repositories, *, n_facts: int = 3, n_events: int = 4) -> None:
    """Store facts of every kind, two sessions, and events with and without them."""
    facts = [MemoryNew(content=f"fact {n}") for n in range(n_facts)]
    first, *_ = await repos.memories.remember_many(facts)
    newer = await repos.memories.supersede(first.id, "fact 0, corrected")
    await repos.memories.forget(newer.id)
    for _ in range(2):
        session = await repos.sessions.start(end_active=True)
        events = [DailyLogNew(session_id=session.id, event_type="x")] * (n_events // 2)
        await repos.daily_logs.append_many(events)
    await repos.daily_logs.append(None, "x", key="k")


async def everything(repos: Repositories) -> list[list[object]]:
    return [
        [entry async for entry in repos.memories.iterate(ALL)],
        [session async for session in repos.sessions.iterate()],
        [event async for event in repos.daily_logs.iterate()],
    ]


# --- scopes ------------------------------------------------------------------------------------


async def test_scopes(store: Store, clock: Clock) -> None:
    """Each scope with any row is listed with its numbers and latest activity, in order of its text."""
    assert await store.scopes() == Page(items=(), next_cursor=None)
    start = clock.now
    await fill(store.scoped("user:2"))
    later = clock.advance(hours=1)
    await store.scoped("only a session").sessions.start()
    await store.scoped("only an event").daily_logs.append(None, "x")
    await store.memories.remember("of the default scope")
    await store.scoped("user:1").memories.remember("x")
    assert list(await store.scopes()) == [
        ScopeInfo(scope=scope, n_facts=f, n_sessions=s, n_events=e, last_activity_at=at)
        for scope, f, s, e, at in [
            ("", 1, 0, 0, later),
            ("only a session", 0, 1, 0, later),
            ("only an event", 0, 0, 1, later),
            ("user:1", 1, 0, 0, later),
            ("user:2", 4, 2, 5, start),
        ]
    ]


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 5])
async def test_pages_of_scopes(store: Store, limit: int) -> None:
    """Page by page each scope comes once, and the last page says that it is the last."""
    names = ["", "a", "b" * 255, "\u00fc"]
    for name in names:
        await store.scoped(name).memories.remember("x")
    found: list[str] = []
    page = await store.scopes(limit=limit)
    while True:
        assert len(page) <= limit
        found += [info.scope for info in page]
        if not page.next_cursor:
            break
        page = await store.scopes(limit=limit, after=page.next_cursor)
    assert found == names


async def test_iterate_scopes(store: Store) -> None:
    """Each scope comes once, also when those that were shown are erased meanwhile, and more than a page holds."""
    assert [info async for info in store.iterate_scopes()] == []
    names = ["", *(f"user:{n:03}" for n in range(600))]
    async with store.transaction() as tx:
        for name in names:
            await tx.scoped(name).memories.remember("x")
    found: list[str] = []
    async for info in store.iterate_scopes():
        found.append(info.scope)
        if info.scope == "user:300":
            await store.scoped(info.scope).erase(confirm=True)
    assert found == names


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": True}, "limit"),
        ({"after": "user:1"}, "after"),
        ({"after": ""}, "after"),
        ({"after": 5}, "after"),
    ],
)
async def test_scopes_refuses(store: Store, arguments: dict[str, Any], field: str) -> None:
    """What is no page's length or cursor is refused by name."""
    with pytest.raises(InvalidInputError, match=f"^{field}: "):
        await store.scopes(**arguments)


async def test_scopes_of_other_programs(store: Store) -> None:
    """A scope whose instants cannot be read is listed, without a latest activity."""
    await run(
        store,
        "INSERT INTO `memory_entries` (`content`,`category`,`source`,`created_at`,`scope`) "
        "VALUES ('x','fact','inferred','yesterday','odd')",
    )
    (info,) = await store.scopes()
    assert (info.scope, info.n_facts, info.last_activity_at) == ("odd", 1, None)


# --- erase -------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", ["user:1", ""])
async def test_erase(store: Store, scope: str) -> None:
    """Every row of the scope is gone, whatever its state, and every other scope is as it was."""
    others = [store.scoped(name) for name in ("", "user:1", "user:11", "USER:1") if name != scope]
    for repos in (*others, store.scoped(scope)):
        await fill(repos)
    before = [await everything(repos) for repos in others]
    owner = store.scoped(scope)
    assert await owner.erase(confirm=True) == EraseReport(n_facts=4, n_sessions=2, n_events=5)
    assert await everything(owner) == [[], [], []]
    assert [info.scope for info in await store.scopes()] == sorted(its.scope for its in others)
    assert [await everything(repos) for repos in others] == before
    assert await owner.erase(confirm=True) == NOTHING
    again = await owner.memories.remember("fact 0")
    assert again.outcome == "created"
    assert (await owner.daily_logs.append(None, "y", key="k")).outcome == "created"
    assert await store.verify() == []


async def test_erase_in_units(store: Store) -> None:
    """More rows than one unit takes are all counted, and gone."""
    owner = store.scoped("user:1")
    await fill(owner, n_facts=1_100, n_events=1_100)
    await fill(owner, n_facts=2, n_events=2)
    erased = await owner.erase(confirm=True)
    assert erased == EraseReport(n_facts=1_101, n_sessions=4, n_events=1_103)
    assert await everything(owner) == [[], [], []]


@pytest.mark.parametrize("confirm", [False, None, 1, "True"])
async def test_erase_unconfirmed(store: Store, confirm: Any) -> None:
    """Only True confirms, and without it nothing happens."""
    await fill(store)
    before = await everything(store)
    with pytest.raises(InvalidInputError, match=r"^confirm: "):
        await store.erase(confirm=confirm)
    assert await everything(store) == before


async def test_erase_in_a_transaction(store: Store) -> None:
    """It would wait for itself: a clear error, and nothing happens."""
    await fill(store)
    before = await everything(store)

    async def block() -> None:
        async with store.transaction():
            await store.erase(confirm=True)

    with pytest.raises(TransactionError):
        await block()
    assert await everything(store) == before


@pytest.mark.parametrize("parent", ["memory_entries", "sessions", "daily_logs"])
async def test_erase_what_other_tables_refer_to(store: Store, parent: str) -> None:
    """
    A foreign key of another table keeps the whole scope as it is, and the error names that table.

    One that refers to another scope's rows does not, nor one that says what becomes of its own row.
    """
    mine, other = store.scoped("user:1"), store.scoped("user:2")
    for repos in (other, mine):
        await fill(repos)
    # A name that must be quoted, and columns that give way when a row is deleted.
    await run(
        store,
        f"CREATE TABLE `my notes` (`its row` INTEGER REFERENCES `{parent.upper()}` (`id`), "
        f"`a` INTEGER REFERENCES `{parent}` (`id`) ON DELETE CASCADE, "
        f"`b` INTEGER REFERENCES `{parent}` (`id`) ON DELETE SET NULL)",
    )
    note = f"INSERT INTO `my notes` SELECT `id`,`id`,`id` FROM `{parent}` WHERE `scope`=:scope"
    await run(store, note, scope="user:2")
    assert await mine.erase(confirm=True) == EraseReport(n_facts=4, n_sessions=2, n_events=5)
    before = await everything(other)
    with pytest.raises(ConflictError, match=r"^rows of my notes refer to rows of this scope$"):
        await other.erase(confirm=True)
    assert await everything(other) == before
    await run(store, "UPDATE `my notes` SET `its row`=NULL")
    assert await other.erase(confirm=True) == EraseReport(n_facts=4, n_sessions=2, n_events=5)


async def test_erase_with_events_of_another_scope(store: Store) -> None:
    """Another program may log into our session: its events stay, and keep the session, until deleted."""
    owner = store.scoped("user:1")
    session = await owner.sessions.start()
    await run(
        store,
        "INSERT INTO `daily_logs` (`session_id`,`event_type`,`timestamp`) "
        "VALUES (:id,'x','2026-02-02T14:16:24.123Z')",
        id=session.id,
    )
    message = r"^rows of daily_logs of another scope refer to "
    with pytest.raises(ConflictError, match=f"{message}rows of this scope$"):
        await owner.erase(confirm=True)
    with pytest.raises(ConflictError, match=f"{message}session {session.id}$"):
        await owner.sessions.delete(session.id)
    assert await owner.sessions.get(session.id) == session
    where = DailyLogFilter(session_id=session.id)
    assert await store.daily_logs.delete_many(where) == 1
    assert (await owner.erase(confirm=True)).n_sessions == 1


async def test_erase_an_active_session(store: Store) -> None:
    """Who still uses it is told so, and a new session can be started."""
    owner = store.scoped("user:1")
    session = await owner.sessions.start()
    await owner.erase(confirm=True)
    with pytest.raises(NotFoundError):
        await owner.daily_logs.append(session.id, "x")
    with pytest.raises(NotFoundError):
        await owner.sessions.end(session.id)
    assert (await owner.sessions.start()).id > session.id


async def test_erase_while_others_write(store: Store) -> None:
    """Writes come in between, none waits for the end; an event is gone with its session, or refused."""
    owner, other = store.scoped("user:1"), store.scoped("user:2")
    await fill(owner, n_facts=1_000, n_events=1_000)
    session = await owner.sessions.start(end_active=True)
    erasing = asyncio.create_task(owner.erase(confirm=True))
    n_appended = n_others = 0
    while await owner.sessions.find(session.id) is not None:
        with contextlib.suppress(NotFoundError):
            await owner.daily_logs.append(session.id, "late")
            n_appended += 1
        await other.memories.remember(f"fact {n_appended}")
        n_others += not erasing.done()
    erased = await erasing
    assert n_others > 1
    assert (erased.n_facts, erased.n_events) == (1_001, 1_001 + n_appended)
    assert await everything(owner) == [[], [], []]
    assert await store.verify() == []


async def test_erase_what_will_not_go(store: Store) -> None:
    """Where a trigger of another program keeps the rows, that is an error, and no endless loop."""
    await fill(store)
    await run(
        store,
        "CREATE TRIGGER `keep` BEFORE DELETE ON `daily_logs` BEGIN SELECT RAISE(IGNORE); END",
    )
    with pytest.raises(DatabaseError, match=r"does not delete the rows of this scope$"):
        await store.erase(confirm=True)
