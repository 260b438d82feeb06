"""Many rows by their ids, of every repository and on every driver."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeAlias

import pytest

import memrepo
from memrepo import DailyLogNew, InvalidInputError, MemoryNew, Store
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio

Repository: TypeAlias = memrepo.MemoryRepo | memrepo.SessionRepo | memrepo.DailyLogRepo


async def _add_facts(scope: memrepo.Repositories, count: int) -> list[int]:
    new = [MemoryNew(content=f"fact {n}") for n in range(count)]
    return [its.id for its in await scope.memories.remember_many(new)]


async def _add_sessions(scope: memrepo.Repositories, count: int) -> list[int]:
    return [(await scope.sessions.start(end_active=True)).id for _ in range(count)]


async def _add_events(scope: memrepo.Repositories, count: int) -> list[int]:
    new = [DailyLogNew(event_type="a", event_data=n) for n in range(count)]
    return [its.id for its in await scope.daily_logs.append_many(new)]


Add: TypeAlias = Callable[[memrepo.Repositories, int], Awaitable[list[int]]]
ADD: dict[str, Add] = {
    "memories": _add_facts,
    "sessions": _add_sessions,
    "daily_logs": _add_events,
}
every_kind = pytest.mark.parametrize("kind", ADD)


@every_kind
async def test_one_item_for_each_id(store: Store, kind: str) -> None:
    """In the order given, what `find` gives: repeated ids again, unknown and other scopes' ids as None."""
    mine = await ADD[kind](store, 3)
    (foreign,) = await ADD[kind](store.scoped("other"), 1)
    repo: Repository = getattr(store, kind)
    wanted = [mine[2], 2**63 - 1, mine[0], mine[2], foreign, mine[1]]
    found = await repo.get_many(wanted)
    assert [None if its is None else its.id for its in found] == [
        *(mine[2], None, mine[0], mine[2], None, mine[1])
    ]
    assert found == [await repo.find(number) for number in wanted]


@every_kind
async def test_no_ids(store: Store, kind: str) -> None:
    """For no ids there is an empty list; any iterable will do."""
    repo: Repository = getattr(store, kind)
    assert await repo.get_many([]) == []
    assert await repo.get_many(iter(())) == []
    assert await repo.get_many(range(1, 3)) == [None, None]


@every_kind
@pytest.mark.parametrize("ids", [None, 1, "12", b"12", 1.5], ids=repr)
async def test_what_is_no_list_of_ids_is_refused(store: Store, kind: str, ids: Any) -> None:
    """Only an iterable of ids is accepted; a text is none."""
    repo: Repository = getattr(store, kind)
    with pytest.raises(InvalidInputError, match=r"^ids: "):
        await repo.get_many(ids)


@every_kind
@pytest.mark.parametrize("bad", [0, -1, 2**63, "4", 4.0, True, None], ids=repr)
async def test_an_error_names_the_id(store: Store, kind: str, bad: Any) -> None:
    """The error's field says which of the ids is none."""
    repo: Repository = getattr(store, kind)
    with pytest.raises(InvalidInputError) as caught:
        await repo.get_many([1, 2, 3, bad])
    assert caught.value.field == "ids[3]"


async def test_facts_that_are_gone(store: Store, clock: Clock) -> None:
    """A forgotten or expired fact is None; a superseded one is there, as for `find`."""
    memories = store.memories
    first, second, third = await _add_facts(store, 3)
    expiring = await memories.remember("soon gone", expires_at=clock.now + timedelta(hours=1))
    await memories.forget(first)
    await memories.supersede(second, "fact 1, corrected")
    clock.advance(hours=2)
    found = await memories.get_many([first, second, third, expiring.id])
    assert [its and its.content for its in found] == [None, "fact 1", "fact 2", None]


async def test_the_status_of_sessions_is_that_of_now(store: Store, clock: Clock) -> None:
    """Sessions come with the status that they have at the moment of reading."""
    ended, idle = await _add_sessions(store, 2)
    clock.advance(hours=1)
    found = await store.sessions.get_many([idle, ended])
    assert [its and its.status for its in found] == ["abandoned", "ended"]


async def test_inside_a_transaction(store: Store) -> None:
    """A transaction sees what it has written itself."""
    async with store.transaction() as tx:
        ids = await _add_facts(tx, 2)
        assert [its and its.id for its in await tx.memories.get_many(ids)] == ids


async def test_thousands_of_ids(store: Store) -> None:
    """Any number of ids is read by one statement, in the order given."""
    ids = await _add_events(store, 3_000)
    random.Random(1).shuffle(ids)
    assert [its and its.id for its in await store.daily_logs.get_many(ids)] == ids
