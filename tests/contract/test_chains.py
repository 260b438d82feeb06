"""Forgetting, restoring and purging a fact together with what it superseded, on every driver."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import pytest

from memrepo import MemoryEntry, MemoryFilter, NotFoundError, Repositories, Statement, Store
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio

ALL: Final = MemoryFilter(include_forgotten=True, include_expired=True, include_superseded=True)
HOUR: Final = timedelta(hours=1)

#: What another program may do.
_LINK: Final = Statement(
    "test.link", "UPDATE `memory_entries` SET `superseded_by`=:to WHERE `id`=:id"
)
_DELETE: Final = Statement("test.delete", "DELETE FROM `memory_entries` WHERE `id`=:id")
#: Facts 1 to :n, each superseded by the next.
_MAKE_CHAIN: Final = Statement(
    "test.make_chain",
    "WITH RECURSIVE `item`(`n`) AS (SELECT 1 UNION ALL SELECT `n`+1 FROM `item` WHERE `n`<:n) "
    "INSERT INTO `memory_entries` "
    "(`id`,`content`,`category`,`source`,`created_at`,`superseded_by`,`hash_version`) "
    "SELECT `n`,'address '||`n`,'fact','inferred',:now,CASE WHEN `n`<:n THEN `n`+1 END,1 "
    "FROM `item`",
)


async def link(store: Store, old: int, new: int | str) -> None:
    """Say that *old* was superseded by *new*, as another program may."""
    await store.connection.write((_LINK.bind(id=old, to=new),))


async def chain(repos: Repositories, *texts: str) -> list[int]:
    """Remember the first text, supersede it by the second, and so on; return the ids."""
    ids = [(await repos.memories.remember(texts[0])).id]
    for text in texts[1:]:
        ids.append((await repos.memories.supersede(ids[-1], text)).id)
    return ids


async def there(repos: Repositories) -> str:
    """The texts of all facts that `get` finds, in order of their ids."""
    entries = [entry async for entry in repos.memories.iterate(ALL)]
    found = await repos.memories.get_many(entry.id for entry in sorted(entries, key=_by_id))
    return "".join(entry.content for entry in found if entry is not None)


async def stored(repos: Repositories) -> str:
    """The texts of all facts that are in the database, in order of their ids."""
    entries = [entry async for entry in repos.memories.iterate(ALL)]
    return "".join(entry.content for entry in sorted(entries, key=_by_id))


async def listed(repos: Repositories) -> str:
    """The texts that `forgotten` returns."""
    return "".join(entry.content for entry in await repos.memories.forgotten())


def _by_id(entry: MemoryEntry) -> int:
    return entry.id


async def test_forget_takes_what_it_replaced(store: Store, clock: Clock) -> None:
    """The old addresses of a forgotten fact are gone from every method, with one `deleted_at`."""
    a, b, c = await chain(store, "a", "b", "c")
    await chain(store, "x", "y")
    now = clock.advance(hours=1)
    forgotten = await store.memories.forget(c)
    assert (forgotten.id, forgotten.deleted_at) == (c, now)
    for number in (a, b, c):
        assert await store.memories.find(number) is None
        with pytest.raises(NotFoundError):
            await store.memories.history(number)
    where = MemoryFilter(include_forgotten=True, include_superseded=True)
    entries = await store.memories.find_many(where)
    assert {e.content for e in entries if e.deleted_at == now} == set("abc")
    assert await there(store) == "xy"
    assert await store.memories.count(MemoryFilter(include_superseded=True)) == 2
    assert await store.memories.count(where) == 5
    assert await store.memories.forget(c) == forgotten


async def test_forget_a_member(store: Store, clock: Clock) -> None:
    """Forgetting a superseded fact takes what it replaced, and not what replaced it."""
    _, b, c, d = await chain(store, "a", "b", "c", "d")
    await store.memories.forget(b)
    assert await there(store) == "cd"
    assert [entry.id for entry in await store.memories.history(d)] == [c]
    assert await listed(store) == "b"
    clock.advance(hours=1)
    await store.memories.forget(d)
    assert await there(store) == ""
    assert await listed(store) == "db"


async def test_forget_every_branch(store: Store) -> None:
    """A fact that replaced several, each with a past of its own, takes them all."""
    first = await chain(store, "a", "b")
    await chain(store, "c", "d")
    end = (await store.memories.supersede(first[-1], "d")).id
    assert len(await store.memories.history(end)) == 3
    await store.memories.forget(end)
    assert await there(store) == ""
    await store.memories.restore(end)
    assert await there(store) == "abcd"


async def test_forgotten_lists_what_restore_brings_back(store: Store, clock: Clock) -> None:
    """A chain is one item of `forgotten`; members that were forgotten at another time are items, too."""
    _, b, c = await chain(store, "a", "b", "c")
    x, _ = await chain(store, "x", "y")
    await store.memories.forget(x)
    clock.advance(hours=1)
    await store.memories.forget(c)
    assert await listed(store) == "cx"
    page = await store.memories.forgotten(limit=1)
    assert len(await store.memories.forgotten(limit=1, after=page.next_cursor)) == 1
    await store.memories.restore(b)
    assert await listed(store) == "cx"
    assert await there(store) == "aby"


async def test_forgotten_with_what_expires(store: Store, clock: Clock) -> None:
    """What was forgotten with its successor is listed once that has expired, and so no longer brings it back."""
    old = await store.memories.remember("a")
    new = await store.memories.supersede(old.id, "b", expires_at=clock.now + timedelta(hours=1))
    await store.memories.forget(new.id)
    assert await listed(store) == "b"
    clock.advance(hours=2)
    assert await listed(store) == "a"
    assert (await store.memories.restore(old.id)).content == "a"


async def test_restore_brings_back_that_instant(store: Store, clock: Clock) -> None:
    """What had been forgotten before stays forgotten; everything else is as it was, links included."""
    a, b, c, d = await chain(store, "a", "b", "c", "d")
    await store.memories.forget(a)
    before = [await store.memories.find(number) for number in (a, b, c, d)]
    clock.advance(hours=1)
    await store.memories.forget(d)
    clock.advance(hours=1)
    assert (await store.memories.restore(d)).id == d
    assert [await store.memories.find(number) for number in (a, b, c, d)] == before
    assert [entry.id for entry in await store.memories.history(d)] == [b, c]
    assert await listed(store) == "a"


async def test_restore_beyond_what_stays_forgotten(store: Store, clock: Clock) -> None:
    """A member of that instant comes back even if one between was forgotten at another."""
    a, b, c = await chain(store, "a", "b", "c")
    await store.memories.forget(b)
    await store.memories.restore(a)
    clock.advance(hours=1)
    await store.memories.forget(c)
    assert await there(store) == ""
    await store.memories.restore(c)
    assert await there(store) == "ac"
    assert [entry.id for entry in await store.memories.history(c)] == [a]


async def test_forget_again_after_a_member_came_back(store: Store, clock: Clock) -> None:
    """Forgetting anew takes it again, with the instant of the first time, so that all come back together."""
    _, b, c = await chain(store, "a", "b", "c")
    first = await store.memories.forget(c)
    await store.memories.restore(b)
    assert await there(store) == "ab"
    clock.advance(hours=1)
    assert await store.memories.forget(c) == first
    assert await there(store) == ""
    await store.memories.restore(c)
    assert await there(store) == "abc"


async def test_restating_an_old_member(store: Store) -> None:
    """What the user says again is current again, alone: neither its successor nor its past returns."""
    _, b, c = await chain(store, "a", "b", "c")
    await store.memories.forget(c)
    again = await store.memories.remember("b")
    assert (again.outcome, again.id, again.entry.superseded_by) == ("restored", b, None)
    assert await there(store) == "b"
    assert await store.memories.history(b) == []
    assert [entry.content for entry in await store.memories.find_many()] == ["b"]


async def test_forget_all_and_restore(store: Store, clock: Clock) -> None:
    """All chains are forgotten at once, are listed once each, and come back one by one."""
    _, _, c = await chain(store, "a", "b", "c")
    await chain(store, "x", "y")
    clock.advance(hours=1)
    assert await store.memories.forget_all(confirm=True) == 5
    assert await listed(store) == "yc"
    await store.memories.restore(c)
    assert await there(store) == "abc"


async def test_expired_members(store: Store, clock: Clock) -> None:
    """An expired member is forgotten, and restored, with the rest, and its own past through it."""
    a = (await store.memories.remember("a")).id
    b = (await store.memories.supersede(a, "b", expires_at=clock.now + HOUR)).id
    c = (await store.memories.supersede(b, "c")).id
    clock.advance(hours=1)
    assert [entry.id for entry in await store.memories.history(c)] == [a]
    await store.memories.forget(c)
    assert await there(store) == ""
    assert all(entry.deleted_at for entry in await store.memories.find_many(ALL))
    await store.memories.restore(c)
    assert await there(store) == "ac"
    assert not any(entry.deleted_at for entry in await store.memories.find_many(ALL))


async def test_purge_takes_the_chain(store: Store, clock: Clock) -> None:
    """Of a person that was forgotten no old address is left, and of one that was not, all are."""
    _, b, c = await chain(store, "a", "b", "c")
    await chain(store, "x", "y")
    await store.memories.forget(c)
    # Even a member that was brought back alone: it is the past of what is purged.
    await store.memories.restore(b)
    later = clock.advance(hours=1)
    assert await store.memories.purge(later, dry_run=True) == 3
    assert await stored(store) == "abcxy"
    assert await store.memories.purge(later) == 3
    assert await stored(store) == "xy"
    assert await store.memories.purge(later) == 0


async def test_purge_takes_the_past_of_what_has_expired(store: Store, clock: Clock) -> None:
    """An expired fact's past goes with it, though it has neither expired nor been forgotten."""
    a = (await store.memories.remember("a")).id
    await store.memories.supersede(a, "b", expires_at=clock.now + HOUR)
    assert await store.memories.purge(clock.advance(hours=1)) == 0
    assert await store.memories.purge(clock.now + HOUR) == 2
    assert await stored(store) == ""


async def test_purge_of_a_member(store: Store, clock: Clock) -> None:
    """A purged member takes its past along; its successors stay."""
    _, b, c, d = await chain(store, "a", "b", "c", "d")
    await store.memories.forget(b)
    assert await store.memories.purge(clock.advance(hours=1)) == 2
    assert [entry.id for entry in await store.memories.history(d)] == [c]
    assert await stored(store) == "cd"


async def test_purge_takes_what_was_left_behind(store: Store, clock: Clock) -> None:
    """
    Where another program deleted only the newest fact, its past goes with the next purge.

    Not what is younger than the purge's instant, and not what no id can be read of.
    """
    _, _, c = await chain(store, "a", "b", "c")
    await chain(store.scoped("user:1"), "o", "p")
    x, _ = await chain(store, "x", "y")
    await link(store, x, "a text")
    await store.connection.write((_DELETE.bind(id=c),))
    assert await store.memories.purge(clock.now) == 0
    later = clock.advance(hours=1)
    assert await store.memories.purge(later, dry_run=True) == 2
    assert await store.memories.purge(later) == 2
    assert await stored(store) == "xy"
    assert await stored(store.scoped("user:1")) == "op"


@pytest.mark.parametrize("n", [1, 2, 3])
async def test_a_circle(store: Store, clock: Clock, n: int) -> None:
    """Where another program made a chain bite its tail, every method ends, and takes each member once."""
    ids = await chain(store, *"abc"[:n])
    await link(store, ids[-1], ids[0])
    for number in ids:
        assert len(await store.memories.history(number)) == n - 1
    await store.memories.forget(ids[0])
    assert await there(store) == ""
    await store.memories.forgotten()
    await store.memories.restore(ids[-1])
    assert await there(store) == "abc"[:n]
    await store.memories.forget(ids[0])
    assert await store.memories.purge(clock.advance(hours=1)) == n


async def test_chains_stay_in_their_scope(store: Store, clock: Clock) -> None:
    """A link into another scope, which only another program makes, is not followed."""
    mine, other = store.scoped("user:1"), store.scoped("user:2")
    (theirs,) = await chain(other, "a")
    (ours,) = await chain(mine, "b")
    await link(store, theirs, ours)
    await mine.memories.forget(ours)
    assert await mine.memories.purge(clock.advance(hours=1)) == 1
    assert await there(other) == "a"


async def test_a_chain_in_a_transaction(store: Store) -> None:
    """A rollback undoes the forgetting of all members."""
    _, _, c = await chain(store, "a", "b", "c")

    async def block() -> None:
        async with store.transaction() as tx:
            await tx.memories.forget(c)
            assert await there(tx) == ""
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await block()
    assert await there(store) == "abc"


async def test_a_long_chain(store: Store, clock: Clock) -> None:
    """Ten thousand members are forgotten, restored, listed and purged as one."""
    n = 10_000
    now = "2026-01-01T00:00:00.000Z"
    await store.connection.write((_MAKE_CHAIN.bind(n=n, now=now),))
    assert len(await store.memories.history(n)) == n - 1
    await store.memories.forget(n)
    assert await store.memories.count(MemoryFilter(include_superseded=True)) == 0
    assert [entry.id for entry in await store.memories.forgotten()] == [n]
    await store.memories.restore(n)
    assert await store.memories.count(MemoryFilter(include_superseded=True)) == n
    await store.memories.forget(n)
    assert await store.memories.purge(clock.advance(hours=1)) == n
    assert await store.memories.count(ALL) == 0
