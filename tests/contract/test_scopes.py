"""Scopes never leak: no method reads, changes or counts what belongs to another owner."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from memrepo import (
    Draft,
    InvalidInputError,
    MemoryFilter,
    MemoryRepo,
    NotFoundError,
    RefusedError,
    Repositories,
    SessionRepo,
    Store,
    Transaction,
    connect,
)
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio

SCOPES = ["", "user:1", "user:2", "USER:1", "user:1 ", "\u00fc", "%", "a" * 255]
ALL = MemoryFilter(include_forgotten=True, include_expired=True, include_superseded=True)
BY_ID: dict[str, Callable[[Repositories, int], Awaitable[object]]] = {
    "memories.get": lambda repos, number: repos.memories.get(number),
    "memories.touch": lambda repos, number: repos.memories.touch(number),
    "memories.update": lambda repos, number: repos.memories.update(number, category="work"),
    "memories.supersede": lambda repos, number: repos.memories.supersede(number, "Taken over"),
    "memories.history": lambda repos, number: repos.memories.history(number),
    "memories.forget": lambda repos, number: repos.memories.forget(number),
    "memories.restore": lambda repos, number: repos.memories.restore(number),
    "sessions.get": lambda repos, number: repos.sessions.get(number),
    "sessions.end": lambda repos, number: repos.sessions.end(number),
    "sessions.summarize": lambda repos, number: repos.sessions.summarize(number, "Taken over"),
    "sessions.delete": lambda repos, number: repos.sessions.delete(number),
    "daily_logs.delete": lambda repos, number: repos.daily_logs.delete(number),
    "daily_logs.get": lambda repos, number: repos.daily_logs.get(number),
    "daily_logs.append": lambda repos, number: repos.daily_logs.append(number, "taken over"),
    "daily_logs.append, key": lambda repos, number: repos.daily_logs.append(number, "x", key="k"),
}


async def collect(rows: AsyncIterator[object]) -> list[object]:
    return [row async for row in rows]


async def everything(repos: Repositories) -> list[list[object]]:
    return [
        list(await repos.memories.find_many(ALL)),
        await collect(repos.memories.iterate(ALL)),
        list(await repos.memories.forgotten()),
        list(await repos.sessions.find_many()),
        await collect(repos.sessions.iterate()),
        list(await repos.daily_logs.find_many()),
        await collect(repos.daily_logs.iterate()),
        [await repos.memories.count(ALL), await repos.sessions.active()],
        [await repos.daily_logs.count(), await repos.daily_logs.count_by_day()],
    ]


async def test_each_scope_has_its_own(store: Store) -> None:
    """One fact, one active session and one key in each scope, with ids of their own."""
    facts, sessions, events = [], [], []
    for scope in SCOPES:
        repos = store.scoped(scope)
        fact = await repos.memories.remember("Likes tea")
        assert (fact.outcome, fact.entry.scope) == ("created", scope)
        session = await repos.sessions.start()
        event = (await repos.daily_logs.append(session.id, "user_state", key="k")).event
        assert session.scope == event.scope == scope
        facts.append(fact.id)
        sessions.append(session.id)
        events.append(event.id)
    assert [len(set(ids)) for ids in (facts, sessions, events)] == [len(SCOPES)] * 3
    for index, scope in enumerate(SCOPES):
        repos = store.scoped(scope)
        assert (await repos.memories.remember("likes tea!")).id == facts[index]
        assert (await repos.sessions.get_or_start()).id == sessions[index]
        assert (await repos.daily_logs.append(None, "x", key="k")).id == events[index]
        assert [entry.id for entry in await repos.memories.find_many()] == [facts[index]]
        assert [session.id for session in await repos.sessions.find_many()] == [sessions[index]]
        assert [event.id for event in await repos.daily_logs.find_many()] == [events[index]]


@pytest.mark.parametrize("owner", ["", "user:1"])
@pytest.mark.parametrize("method", BY_ID)
async def test_id_of_another_scope(store: Store, owner: str, method: str) -> None:
    """An id of another scope is not found, and its row stays as it is."""
    repos = store.scoped(owner)
    fact = await repos.memories.remember("Likes tea")
    session = await repos.sessions.start()
    event = await repos.daily_logs.append(session.id, "user_state")
    assert fact.id == session.id == event.id == 1
    before = await everything(repos)
    for other in SCOPES:
        if other != owner:
            with pytest.raises(NotFoundError):
                await BY_ID[method](store.scoped(other), 1)
            assert not any(any(rows) for rows in await everything(store.scoped(other)))
    assert await everything(repos) == before


async def test_finding_in_another_scope(store: Store) -> None:
    """What returns None for nothing returns it for another scope's rows."""
    fact = await store.memories.remember("Likes tea")
    session = await store.sessions.start()
    event = await store.daily_logs.append(None, "user_state")
    other = store.scoped("user:1")
    assert await other.memories.find(fact.id) is None
    assert await other.memories.find_by_content("Likes tea") is None
    assert await other.sessions.find(session.id) is None
    assert await other.daily_logs.find(event.id) is None


async def test_sweeping_methods(store: Store, clock: Clock) -> None:
    """Forgetting all, purging and timing out end at the scope's border."""
    one, two = store.scoped("user:1"), store.scoped("user:2")
    for repos in (store, one, two):
        await repos.memories.forget((await repos.memories.remember("old")).id)
        await repos.memories.remember("Likes tea")
        await repos.sessions.start()
        await repos.daily_logs.append(None, "user_state")
    clock.advance(hours=1)
    before = [await everything(repos) for repos in (store, two)]
    assert await one.memories.purge(clock.now, dry_run=True) == 1
    assert await one.memories.purge(clock.now) == 1
    assert await one.memories.forget_all(confirm=True) == 1
    assert await one.daily_logs.purge(clock.now, dry_run=True) == 1
    assert await one.daily_logs.purge(clock.now) == 1
    await one.sessions.get_or_start()
    await one.sessions.start(end_active=True)
    assert [await everything(repos) for repos in (store, two)] == before


async def test_history_in_a_scope(store: Store) -> None:
    """Superseding and its history stay in the scope, though the same facts are in another."""
    one, two = store.scoped("user:1"), store.scoped("user:2")
    for repos in (one, two):
        old = await repos.memories.remember("Likes tea")
        new = await repos.memories.supersede(old.id, "Likes coffee")
        assert new.outcome == "created"
        assert [entry.id for entry in await repos.memories.history(new.id)] == [old.id]


async def test_scopes_at_once(store: Store) -> None:
    """Twenty scopes that remember one fact at once have one each."""
    results = await asyncio.gather(
        *(store.scoped(f"user:{n % 20}").memories.remember("Likes tea") for n in range(100))
    )
    assert len({result.id for result in results}) == 20
    assert sum(result.outcome == "created" for result in results) == 20
    assert {(result.id, result.entry.scope) for result in results} == {
        (result.id, f"user:{n % 20}") for n, result in enumerate(results)
    }


async def test_scopes_in_a_transaction(store: Store) -> None:
    """A scoped store's transaction is in its scope, and can reach another one by name."""
    one = store.scoped("user:1")
    async with one.transaction() as tx:
        await tx.memories.remember("Likes tea")
        await tx.scoped("user:2").memories.remember("Likes coffee")
        await tx.scoped("").memories.remember("Likes water")
    for scope, content in (("user:1", "tea"), ("user:2", "coffee"), ("", "water")):
        (entry,) = await store.scoped(scope).memories.find_many()
        assert entry.content == f"Likes {content}"


async def test_scoped_again(store: Store) -> None:
    """A scope's scope is the other scope, not one inside it."""
    await store.scoped("user:1").scoped("user:2").memories.remember("Likes tea")
    assert await store.scoped("user:2").memories.count() == 1


async def test_repositories_on_their_own(store: Store, clock: Clock) -> None:
    """A repository that is made by hand shares the connection and keeps to its scope."""
    memories = MemoryRepo(store.connection, scope="user:1", clock=clock)
    sessions = SessionRepo(store.connection, scope="user:1", clock=clock)
    fact = await memories.remember("Likes tea")
    session = await sessions.start()
    assert await store.scoped("user:1").memories.get(fact.id) == fact.entry
    assert await store.scoped("user:1").sessions.active() == session
    assert await store.memories.count() == 0


@pytest.mark.parametrize("scope", [None, 5, " ", "a\0b", "a\ud800", "x" * 256, b"user"], ids=ascii)
async def test_bad_scope(store: Store, scope: Any) -> None:
    """What cannot name an owner is refused, wherever a scope is given."""
    with pytest.raises(InvalidInputError, match=r"^scope: "):
        store.scoped(scope)
    with pytest.raises(InvalidInputError, match=r"^scope: "):
        MemoryRepo(store.connection, scope=scope)
    async with store.transaction() as tx:
        with pytest.raises(InvalidInputError, match=r"^scope: "):
            tx.scoped(scope)


async def test_another_clock(url: str, clock: Clock) -> None:
    """`at` changes the clock and nothing else: scope, guard, rules and index stay, in a transaction, too."""

    def guard(draft: Draft) -> Draft | None:
        return None if draft.text == "secret" else draft

    past = clock.now - timedelta(days=900)
    options: dict[str, Any] = {"clock": clock, "on_remember": guard, "propose": {"model"}}
    async with connect(url, **options) as store:
        ada = store.scoped("user:ada")
        async with ada.transaction() as tx:
            in_block: list[Repositories] = [
                tx.at(lambda: past),
                tx.scoped("user:ada").at(lambda: past),
            ]
            assert [type(repos) for repos in in_block] == [Transaction, Transaction]
            for n, then in enumerate((*in_block, Repositories.at(tx, lambda: past))):
                assert (await then.sessions.start(f"{n}")).started_at == past
        for n, then in enumerate((ada.at(lambda: past), store.at(lambda: past).scoped("user:ada"))):
            told = await then.memories.remember(f"Likes tea {n}")
            assert (told.entry.scope, told.entry.created_at) == ("user:ada", past)
            assert (
                await then.memories.remember(f"offer {n}", source="model")
            ).outcome == "proposed"
            with pytest.raises(RefusedError):
                await then.memories.remember("secret")
            assert len(await then.memories.search("tea")) == n + 1
        assert (await ada.memories.remember("Likes coffee")).entry.created_at == clock.now
        with pytest.raises(InvalidInputError, match=r"^clock: "):
            store.at(None)  # type: ignore[arg-type]
