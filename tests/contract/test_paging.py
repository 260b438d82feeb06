"""Pages by keyset, of every repository and on every driver: complete, ordered, stable."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Protocol

import attrs
import pytest

from memrepo import (
    DailyLogFilter,
    InvalidInputError,
    MemoryFilter,
    MemoryNew,
    Page,
    Statement,
    Store,
)
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio


class Row(Protocol):
    """What rows of every kind have."""

    @property
    def id(self) -> int:
        """The row's number."""
        ...


@attrs.frozen
class Kind:
    """A kind of rows that is read in pages."""

    #: Adds one row, and returns its id.
    add: Callable[[Store, str], Awaitable[int]]
    #: Makes a row leave the pages.
    remove: Callable[[Store, int], Awaitable[object]]
    #: Reads a page.
    find: Callable[..., Awaitable[Page[Any]]]
    #: Whether later rows come first.
    newest_first: bool = True


async def _remember(store: Store, text: str) -> int:
    return (await store.memories.remember(text)).id


async def _remember_and_forget(store: Store, text: str) -> int:
    fact = await store.memories.remember(text)
    return (await store.memories.forget(fact.id)).id


async def _start(store: Store, text: str) -> int:
    return (await store.sessions.start(end_active=True)).id


async def _append(store: Store, text: str) -> int:
    return (await store.daily_logs.append(None, text)).id


async def _keep(_store: Store, _id: int) -> None:
    """Sessions and single events cannot be removed."""


KINDS = {
    "memories": Kind(
        _remember,
        lambda store, number: store.memories.forget(number),
        lambda store, **paging: store.memories.find_many(**paging),
    ),
    "forgotten": Kind(
        _remember_and_forget,
        lambda store, number: store.memories.restore(number),
        lambda store, **paging: store.memories.forgotten(**paging),
    ),
    "sessions": Kind(_start, _keep, lambda store, **paging: store.sessions.find_many(**paging)),
    "daily_logs": Kind(
        _append,
        _keep,
        lambda store, **paging: store.daily_logs.find_many(**paging),
        newest_first=False,
    ),
    "daily_logs backwards": Kind(
        _append,
        _keep,
        lambda store, **paging: store.daily_logs.find_many(newest_first=True, **paging),
    ),
}
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


async def walk(store: Store, kind: Kind, limit: int) -> list[list[int]]:
    pages: list[list[int]] = []
    after = None
    while True:
        page = await kind.find(store, limit=limit, after=after)
        pages.append([row.id for row in page])
        if page.next_cursor is None:
            return pages
        after = page.next_cursor


@every_kind
@pytest.mark.parametrize("is_still", [True, False], ids=["one instant", "many instants"])
async def test_pages_are_complete(
    store: Store, clock: Clock, kind: Kind, *, is_still: bool
) -> None:
    """Pages of every length give each row once, in order, and the last of them no cursor."""
    ids = []
    for n in range(7):
        ids.append(await kind.add(store, f"row {n}"))
        clock.advance(seconds=0 if is_still else 1)
    if kind.newest_first:
        ids.reverse()
    for limit in (1, 2, 3, 6, 7, 8, 10_000):
        pages = await walk(store, kind, limit)
        assert [number for page in pages for number in page] == ids
        assert all(len(page) == limit for page in pages[:-1])
        assert pages[-1]


@every_kind
async def test_page_of_nothing(store: Store, kind: Kind) -> None:
    """Where there is nothing, the first page is empty and the last."""
    assert await walk(store, kind, 1) == [[]]


@every_kind
@pytest.mark.parametrize("is_still", [True, False], ids=["one instant", "many instants"])
async def test_pages_are_stable(store: Store, clock: Clock, kind: Kind, *, is_still: bool) -> None:
    """Rows that are added and removed during a walk make it neither skip nor repeat another."""
    step = timedelta(seconds=0 if is_still else 1)
    ids = []
    for n in range(12):
        ids.append(await kind.add(store, f"row {n}"))
        clock.now += step
    seen: list[int] = []
    removed: set[int] = set()
    after = None
    for round_ in range(100):
        page = await kind.find(store, limit=2, after=after)
        seen += [row.id for row in page]
        if page.next_cursor is None:
            break
        after = page.next_cursor
        # The row at the cursor itself, and one that is still to come.
        for number in (seen[-1], next((i for i in ids if i not in seen), seen[-1])):
            if kind.remove is not _keep and number not in removed:
                await kind.remove(store, number)
                removed.add(number)
        if round_ < 5:
            await kind.add(store, f"new {round_}")
            clock.now += step
    assert len(seen) == len(set(seen))
    assert set(ids) - set(seen) <= removed
    assert seen == sorted(seen, reverse=kind.newest_first)


@every_kind
@pytest.mark.parametrize(
    ("paging", "field"),
    [
        *(({"limit": bad}, "limit") for bad in (-1, 0, 10_001, 2**63, "5", None, 1.5, True)),
        *(
            ({"after": bad}, "after")
            for bad in ("", "x", "1", "~", "1~", "~2026", "--1~2026", "x~2026", f"{2**63}~2026", 5)
        ),
    ],
    ids=str,
)
async def test_bad_paging(store: Store, kind: Kind, paging: dict[str, Any], field: str) -> None:
    """A limit or a cursor that is none is refused; no limit means everything."""
    await kind.add(store, "row")
    with pytest.raises(InvalidInputError) as caught:
        await kind.find(store, **paging)
    assert caught.value.field == field


@every_kind
async def test_default_limit(store: Store, kind: Kind) -> None:
    """Without a limit a page has 50 rows."""
    for n in range(51):
        await kind.add(store, f"row {n}")
    page = await kind.find(store)
    assert len(page) == 50
    assert page.next_cursor is not None


@pytest.mark.parametrize("scope", ["", "ann"])
@pytest.mark.parametrize(
    ("where", "contents"),
    [
        (MemoryFilter(), ["office"]),
        (MemoryFilter(category="work"), ["office"]),
        (MemoryFilter(category="work", include_forgotten=True), ["office"]),
        (MemoryFilter(category="work", include_superseded=True), ["office", "home"]),
        (
            MemoryFilter(source="inferred", include_forgotten=True, include_superseded=True),
            ["home"],
        ),
    ],
)
async def test_page_of_facts_is_whole(
    store: Store, scope: str, where: MemoryFilter, contents: list[str]
) -> None:
    """A fact in a page is the same in every field as the fact alone, whatever the filter says of it."""
    memories = store.scoped(scope).memories
    old = await memories.remember("home", category="work", source="inferred")
    await memories.supersede(old.id, "office", metadata={"since": 2026})
    page = await memories.find_many(where)
    assert [fact.content for fact in page] == contents
    assert [*page] == [await memories.get(fact.id) for fact in page]


@pytest.mark.parametrize("scope", ["", "ann"])
@pytest.mark.parametrize("event_type", [None, "message"])
@pytest.mark.parametrize("has_session", [True, False])
async def test_page_of_events_is_whole(
    store: Store, scope: str, event_type: str | None, *, has_session: bool
) -> None:
    """An event in a page is the same in every field as the event alone, whatever the filter says of it."""
    scoped = store.scoped(scope)
    session = await scoped.sessions.start()
    event = (await scoped.daily_logs.append(session.id, "message", {"n": 1}, key="key")).event
    session_id = session.id if has_session else None
    page = await scoped.daily_logs.find_many(
        DailyLogFilter(session_id=session_id, event_type=event_type)
    )
    assert [*page] == [event] == [await scoped.daily_logs.get(event.id)]


async def test_iterate_goes_on(store: Store, clock: Clock) -> None:
    """An iteration longer than a page stays complete while facts come and go."""
    await store.memories.remember_many(MemoryNew(content=f"fact {n}") for n in range(1200))
    clock.advance(seconds=1)
    seen = []
    async for entry in store.memories.iterate():
        seen.append(entry.id)
        if len(seen) % 300 == 0:
            await store.memories.forget(entry.id)
            await store.memories.remember(f"new {len(seen)}")
    assert seen == list(range(1200, 0, -1))


async def test_pages_after_ids_below_one(store: Store) -> None:
    """Rows to which another program has given ids below 1 come page by page, as all others."""
    for number in (-5, -4, 0, 3):
        sql = "INSERT INTO memory_entries (id, content, category, source, created_at) VALUES (:id, :text, 'fact', 'x', :at)"
        at = "2026-01-01T00:00:00.000Z"
        bound = Statement("another.program", sql).bind(id=number, text=f"t{number}", at=at)
        await store.connection.write((bound,))
    found: list[int] = []
    page = await store.memories.find_many(limit=1)
    while True:
        found += [fact.id for fact in page]
        if page.next_cursor is None:
            break
        page = await store.memories.find_many(limit=1, after=page.next_cursor)
    assert found == [3, 0, -4, -5]


async def test_pages_after_odd_names(store: Store) -> None:
    """A page begins after a scope, or a slot, that memrepo itself would not accept as a name."""
    odd = ["", " ", "x" * 300, "y"]
    for number, name in enumerate(odd):
        sql = "INSERT INTO memory_entries (content, category, source, created_at, scope, slot) VALUES (:text, 'fact', 'x', '2026', :scope, :slot)"
        for scope, slot in ((name, None), ("y", name)):
            text = f"{number} {slot}"
            bound = Statement("another.program", sql).bind(text=text, scope=scope, slot=slot)
            await store.connection.write((bound,))
    for find_page, name_of in (
        (store.scopes, lambda its: its.scope),
        (store.scoped("y").memories.slots, lambda its: its.slot),
    ):
        names: list[str] = []
        after = None
        while True:
            page: Any = await find_page(limit=1, after=after)
            names += map(name_of, page)
            if (after := page.next_cursor) is None:
                break
        assert names == odd
