"""The guard: it sees all that is written, before anything else does; on every driver."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import pytest

import memrepo
from memrepo import (
    BoundStatement,
    Connection,
    DailyLogFilter,
    DailyLogNew,
    DailyLogRepo,
    Draft,
    InvalidInputError,
    MemoryNew,
    MemoryRepo,
    RefusedError,
    Repositories,
    Result,
    SessionFilter,
    SessionRepo,
    StatementEvent,
    Store,
    StorePool,
    connect,
    content_hash,
)
from memrepo.domain.codec import Row
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio

SECRET = "sk-live-51HxYz7pQ2mN8vB4"
MARK = "[key]"


def cleaned(value: Any) -> Any:
    """Return *value* with a mark in the place of each secret, in keys and in all that is nested."""
    if isinstance(value, str):
        return value.replace(SECRET, MARK)
    if isinstance(value, dict):
        return {cleaned(key): cleaned(item) for key, item in value.items()}
    return [cleaned(item) for item in value] if isinstance(value, list) else value


def clean(draft: Draft) -> Draft:
    """A guard that takes out the secret, wherever it is."""
    return Draft(**{name: cleaned(its) for name, its in attrs.asdict(draft).items()})


def text(name: str) -> str:
    """Return a text of its own with the secret in it."""
    return f"{name} {SECRET}"


def data(name: str) -> dict[str, Any]:
    """Return an object that has the secret in a key, a text and a list."""
    return {text(name): [text(name), {"deep": [text(name)]}]}


def fact(name: str) -> dict[str, Any]:
    """Return the texts of a fact."""
    return {"category": text("c"), "source": text("s"), "metadata": data(name)}


async def _session(repos: Repositories, name: str) -> int:
    return (await repos.sessions.get_or_start(name)).id


async def _remember(repos: Repositories) -> None:
    await repos.memories.remember(text("remember"), **fact("remember"))
    await repos.memories.remember(text("filled"), slot=text("slot"))


async def _remember_many(repos: Repositories) -> None:
    each = [MemoryNew(content=text(f"many {n}"), **fact("many")) for n in range(3)]
    each.append(MemoryNew(content=text("many, filled"), slot=text("slots")))
    await repos.memories.remember_many(each)


async def _supersede(repos: Repositories) -> None:
    old = await repos.memories.remember("old")
    await repos.memories.supersede(old.id, text("supersede"), **fact("supersede"))


async def _update(repos: Repositories) -> None:
    old = await repos.memories.remember("before")
    await repos.memories.update(
        old.id, content=text("update"), category=text("c"), metadata=data("update"), slot=text("u")
    )


async def _merge(repos: Repositories) -> None:
    keep, drop = [await repos.memories.remember(its) for its in ("Likes tea", "She likes tea")]
    await repos.memories.merge(keep.id, drop.id, text("merge"))


async def _observe(repos: Repositories) -> None:
    its: dict[str, Any] = {"category": text("c"), "metadata": data("m"), "content": text("f")}
    await repos.memories.observe(text("pattern"), text("evidence"), times=1, **its)
    await repos.memories.observe(text("another"), times=1)


async def _approve(repos: Repositories) -> None:
    offer = await repos.memories.remember("offer", proposed=True)
    await repos.memories.approve(offer.id, source=text("approve"))


async def _append(repos: Repositories) -> None:
    await repos.daily_logs.append(None, text("type"), data("append"), key=text("append"))
    await repos.daily_logs.append(None, text("type"), text("only a text"))


async def _append_many(repos: Repositories) -> None:
    new = DailyLogNew(event_type=text("type"), event_data=data("many"), key=text("many"))
    await repos.daily_logs.append_many([new, DailyLogNew(event_type="x", event_data=[text("y")])])


async def _start(repos: Repositories) -> None:
    await repos.sessions.start(text("start"))


async def _get_or_start(repos: Repositories) -> None:
    await repos.sessions.get_or_start(text("get_or_start"))


async def _block(repos: Repositories) -> None:
    async with repos.sessions.session(text("block")):
        pass


async def _end(repos: Repositories) -> None:
    await repos.sessions.end(
        await _session(repos, "end"), trigger=text("trigger"), summary=text("end")
    )


async def _summarize(repos: Repositories) -> None:
    await repos.sessions.summarize(await _session(repos, "summarize"), text("summary"))


#: All methods that write a text or data of the caller's, each called with a secret in all of them.
WRITES: Mapping[str, Callable[[Repositories], Awaitable[None]]] = {
    "memories.remember": _remember,
    "memories.remember_many": _remember_many,
    "memories.supersede": _supersede,
    "memories.update": _update,
    "memories.merge": _merge,
    "memories.observe": _observe,
    "memories.approve": _approve,
    "daily_logs.append": _append,
    "daily_logs.append_many": _append_many,
    "sessions.start": _start,
    "sessions.get_or_start": _get_or_start,
    "sessions.session": _block,
    "sessions.end": _end,
    "sessions.summarize": _summarize,
}
#: Parameters of the methods that only read, delete, or choose what there is.
HARMLESS = {
    *("self", "after", "before", "dry_run", "confirm", "field", "half_life", "id", "ids", "limit"),
    *("keep", "drop"),
    *("max_entries", "max_tokens", "count_lines", "count_tokens", "ranking", "now", "touch"),
    *("threshold", "sources", "within", "where", "newest_first", "day", "day_boundary", "tz"),
    *("end_active", "expires_at", "idle_after", "min_events", "session_id"),
    *("due_at", "times"),
}
#: What is looked for: never stored.
QUESTIONS = {
    *("memories.search", "memories.search_as_you_type", "memories.find_to_forget"),
    *("memories.recall", "memories.surface", "daily_logs.search", "sessions.search"),
}
#: What is read by a whole text, as it was stored.
LOOKUPS = {
    *("memories.find_by_content", "memories.would_infer", "daily_logs.find_by_key"),
    *("memories.in_slot", "memories.revert"),
    *("sessions.active", "sessions.carry_over"),
}


async def test_every_writing_method_is_here() -> None:
    """No method takes a text or data that is not in these tests, or one that is only looked for."""
    kinds = {"memories": MemoryRepo, "daily_logs": DailyLogRepo, "sessions": SessionRepo}
    taking = {
        f"{name}.{method}"
        for name, kind in kinds.items()
        for method, function in inspect.getmembers(kind, inspect.isfunction)
        if method[0] != "_" and {*inspect.signature(function).parameters} - HARMLESS
    }
    assert taking == {*WRITES, *QUESTIONS, *LOOKUPS, "sessions.delete"}


@asynccontextmanager
async def _in_store(store: Store) -> AsyncIterator[Repositories]:
    yield store


@asynccontextmanager
async def _in_scope(store: Store) -> AsyncIterator[Repositories]:
    yield store.scoped("user:1").scoped("user:2")


@asynccontextmanager
async def _in_transaction(store: Store) -> AsyncIterator[Repositories]:
    async with store.scoped("user:0").transaction() as tx:
        yield tx


@asynccontextmanager
async def _in_scope_of_transaction(store: Store) -> AsyncIterator[Repositories]:
    async with store.scoped("user:3").transaction() as tx:
        yield tx.scoped("user:4")


PLACES = (_in_store, _in_scope, _in_transaction, _in_scope_of_transaction)


async def _use(repos: Repositories, seen: list[Draft]) -> None:
    """Call all writing methods; each has shown the guard its own texts."""
    for name, write in WRITES.items():
        before = len(seen)
        await write(repos)
        assert any(SECRET in repr(draft) for draft in seen[before:]), name
        assert {draft.scope for draft in seen[before:]} == {repos.scope}


async def _everything(store: Store) -> str:
    """Return all that is stored, whatever its scope and state."""
    rows: list[Any] = []
    tables = ["memory_entries", "sessions", "daily_logs"]
    for table in tables:
        select = memrepo.Statement("test.all", f"SELECT * FROM `{table}`")
        rows += await store.connection.read(select.bind())
    return repr(rows)


async def test_nothing_gets_past_it(
    url: str, clock: Clock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """
    What it takes out of any text, data or name is nowhere: in no row, log, index or byte of a file.

    By any method, in a store, a scope, a transaction, and a scope of one.
    """
    caplog.set_level(logging.DEBUG)
    seen, events = list[Draft](), list[StatementEvent]()

    def guard(draft: Draft) -> Draft:
        seen.append(draft)
        return clean(draft)

    async with connect(
        url, clock=clock, on_remember=guard, on_statement=events.append, search="english"
    ) as store:
        for place in PLACES:
            async with place(store) as repos:
                await _use(repos, seen)
        await store.catch_up()
        stored = await _everything(store)
        assert SECRET not in stored
        assert stored.count(MARK) > 100
        known = await store.memories.find_by_content(text("remember"))
        assert known is not None
        assert known.content_hash == content_hash(f"remember {MARK}")
        assert known.metadata == cleaned(data("remember"))
        (hit,) = await store.memories.search("supersede", limit=1)
        assert hit.entry.content == f"supersede {MARK}"
        kinds = {draft.kind for draft in seen}
        assert kinds == {"fact", "slot", "event", "summary", "trigger", "key", "thread"}
    assert SECRET not in repr(events)
    assert SECRET not in caplog.text
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or SECRET.encode() not in path.read_bytes()


async def test_in_a_pool(tmp_path: Path) -> None:
    """Each store of a pool has the guard, and no byte of the tenants' files has what it takes out."""
    seen = list[Draft]()

    def guard(draft: Draft) -> Draft:
        seen.append(draft)
        return clean(draft)

    async with StorePool(tmp_path / "{tenant}.db", on_remember=guard) as pool:
        for tenant in ("a", "b"):
            async with pool.open(tenant) as store:
                for place in PLACES:
                    async with place(store) as repos:
                        await _use(repos, seen)
                files = [*tmp_path.glob(f"{tenant}.db*")]
                read = [await asyncio.to_thread(path.read_bytes) for path in files]
                assert MARK.encode() in b"".join(read)
                assert SECRET.encode() not in b"".join(read)


class Recorder:
    """A connection of the program's own, which keeps what is sent through it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.sent: list[BoundStatement] = []

    async def write(self, unit: tuple[BoundStatement, ...]) -> Sequence[Result]:
        self.sent += unit
        return await self._connection.write(unit)

    async def read(self, statement: BoundStatement) -> list[Row]:
        self.sent.append(statement)
        return await self._connection.read(statement)

    async def give_way(self) -> bool:
        return await self._connection.give_way()


async def test_nothing_is_sent_before_it(store: Store, clock: Clock) -> None:
    """No statement has ever had what it takes out as a value, also of what is read by a whole text."""
    recorder = Recorder(store.connection)
    facts = MemoryRepo(recorder, clock=clock, on_remember=clean)
    log = DailyLogRepo(recorder, clock=clock, on_remember=clean)
    sessions = SessionRepo(recorder, clock=clock, on_remember=clean)

    @attrs.define
    class Three:
        memories: MemoryRepo
        daily_logs: DailyLogRepo
        sessions: SessionRepo

    repos: Any = Three(facts, log, sessions)
    for write in WRITES.values():
        await write(repos)
    assert await facts.find_by_content(text("remember")) is not None
    assert await log.find_by_key(text("append")) is not None
    assert await sessions.active(text("get_or_start")) is not None
    assert (await sessions.carry_over(text("block"))).session is None
    (session,) = await sessions.find_many(SessionFilter(thread=text("block")))
    said = await log.append(session.id, "said")
    assert [*await log.find_many(DailyLogFilter(thread=text("block")))] == [said.event]
    values = repr([bound.parameters for bound in recorder.sent])
    assert SECRET not in values
    assert MARK in values


async def test_refused(url: str, clock: Clock) -> None:
    """What it refuses is an error that names the argument, not the text; nothing is sent or stored."""
    events = list[StatementEvent]()

    def guard(draft: Draft) -> Draft | None:
        return None if SECRET in repr(draft) else draft

    async with connect(url, clock=clock, on_remember=guard, on_statement=events.append) as store:
        tea = await store.memories.remember("tea", metadata={"a": 1})
        session = await store.sessions.start()
        before = await _everything(store)
        events.clear()
        facts, log, sessions = store.memories, store.daily_logs, store.sessions
        many = [MemoryNew(content="jam"), MemoryNew(content=text("x"))]
        new = [DailyLogNew(event_type="x"), DailyLogNew(event_type="x", key=text("k"))]
        for field, refused in (
            ("content", facts.remember(text("x"))),
            ("content", facts.remember("x", metadata=data("x"))),
            ("facts[1].content", facts.remember_many(many)),
            ("content", facts.supersede(tea.id, text("x"))),
            ("content", facts.update(tea.id, content=text("x"))),
            ("metadata", facts.update(tea.id, metadata=data("x"))),
            ("content", facts.merge(tea.id, 2, text("x"))),
            ("content", facts.find_by_content(text("x"))),
            ("event_data", log.append(None, "x", data("x"))),
            ("key", log.append(None, "x", key=text("x"))),
            ("events[1].key", log.append_many(new)),
            ("summary", sessions.end(session.id, summary=text("x"))),
            ("trigger", sessions.end(session.id, trigger=text("x"))),
            ("summary", sessions.summarize(session.id, text("x"))),
            ("thread", sessions.start(text("x"))),
            ("thread", sessions.count(SessionFilter(thread=text("x")))),
            ("thread", log.find_many(DailyLogFilter(thread=text("x")))),
        ):
            with pytest.raises(RefusedError) as error:
                await refused
            assert error.value.field == field
            assert SECRET not in str(error.value)
        assert not events
        assert await _everything(store) == before


async def test_what_it_raises_passes(store: Store, clock: Clock) -> None:
    """An exception of the guard's own is the caller's, and nothing is stored."""

    class TooMuchError(Exception):
        pass

    def guard(draft: Draft) -> Draft:
        raise TooMuchError(draft.kind)

    facts = MemoryRepo(store.connection, clock=clock, on_remember=guard)
    log = DailyLogRepo(store.connection, clock=clock, on_remember=guard)
    with pytest.raises(TooMuchError, match="fact"):
        await facts.remember("tea")
    with pytest.raises(TooMuchError, match="event"):
        await log.append_many([DailyLogNew(event_type="x")])
    assert await store.memories.count() == 0


async def _coroutine(_: Draft) -> Draft:
    raise AssertionError


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        (lambda _: "tea", "on_remember"),
        (lambda _: True, "on_remember"),
        (lambda draft: _coroutine(draft), "on_remember"),  # noqa: PLW0108
        (lambda draft: attrs.evolve(draft, kind="event"), "on_remember"),
        (lambda draft: attrs.evolve(draft, scope="user:2"), "on_remember"),
        (lambda draft: attrs.evolve(draft, text=None), "content"),
        (lambda draft: attrs.evolve(draft, text=7), "content"),
        (lambda draft: attrs.evolve(draft, text=" "), "content"),
        (lambda draft: attrs.evolve(draft, category=7), "category"),
        (lambda draft: attrs.evolve(draft, source=None), "source"),
        (lambda draft: attrs.evolve(draft, data=["a"]), "metadata"),
        (lambda draft: attrs.evolve(draft, data={"a": {1, 2}}), "metadata.a"),
    ],
)
async def test_answers_of_a_wrong_type(
    store: Store, clock: Clock, answer: Callable[[Draft], Any], field: str
) -> None:
    """What a guard returns is checked like any argument, and nothing is stored."""
    facts = MemoryRepo(store.connection, clock=clock, on_remember=answer)
    with pytest.raises(InvalidInputError) as error:
        await facts.remember("tea", category="drink", metadata={"a": 1})
    assert error.value.field == field
    assert await store.memories.count() == 0


async def test_it_is_no_function() -> None:
    """A guard that is no function, or async, is an error of the call that is given it."""

    async def guard(draft: Draft) -> Draft:
        return draft

    wrong: Any
    for wrong in (guard, "guard", 7):
        with pytest.raises(InvalidInputError, match="on_remember"):
            connect(":memory:", on_remember=wrong)
        with pytest.raises(InvalidInputError, match="on_remember"):
            StorePool("{tenant}.db", on_remember=wrong)


async def test_data_is_a_copy(store: Store, clock: Clock) -> None:
    """A guard gets plain dicts and lists: changing them changes what is stored, and not the caller's."""

    def guard(draft: Draft) -> Draft:
        if isinstance(draft.data, dict):
            draft.data["seen"] = True
        return draft

    facts = MemoryRepo(store.connection, clock=clock, on_remember=guard)
    given = {"tags": ("a", "b")}
    stored = await facts.remember("tea", metadata=given)
    assert stored.entry.metadata == {"tags": ["a", "b"], "seen": True}
    assert given == {"tags": ("a", "b")}


async def test_update_changes_what_it_is_given(store: Store, clock: Clock) -> None:
    """A guard that adds what was not given changes nothing in a fact that is updated."""
    tea = await store.memories.remember("tea", category="drink", metadata={"a": 1})

    def guard(draft: Draft) -> Draft:
        return attrs.evolve(draft, text="jam", category="food", data={"b": 2})

    facts = MemoryRepo(store.connection, clock=clock, on_remember=guard)
    assert (await facts.update(tea.id, category="x")).category == "food"
    fact = await facts.update(tea.id, expires_at=None)
    assert (fact.content, fact.category, fact.metadata) == ("tea", "food", {"a": 1})
    fact = await facts.update(tea.id, metadata=None)
    assert fact.metadata is None
    assert (await facts.update(tea.id, content="rye")).content == "jam"


async def test_facts_that_it_makes_the_same(store: Store, clock: Clock) -> None:
    """Two texts that differ in what it takes out are one fact."""
    facts = MemoryRepo(store.connection, clock=clock, on_remember=clean)
    first = await facts.remember(f"The key is {SECRET}")
    again = await facts.remember(f"The key is {MARK}")
    many = await facts.remember_many([MemoryNew(content=f"the key is {SECRET}.")])
    assert (first.outcome, again.outcome, many[0].outcome) == ("created", "duplicate", "duplicate")
    assert first.id == again.id == many[0].id
