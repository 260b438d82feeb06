"""A server's limits, and what must never reach it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

import memrepo
from memrepo import DailyLogNew, DatabaseError, InvalidInputError, MemoryNew, Store, UsageError
from memrepo.queries.statement import BoundStatement, Statement
from tests.servers.proxy import Proxy, proxy
from tests.servers.sqld import Sqld

# ruff: noqa: PT012 - whole blocks are what is tested

pytestmark = pytest.mark.asyncio

both = pytest.mark.parametrize("scheme", ["http", "ws"])


def sql(text: str, **parameters: Any) -> BoundStatement:
    return Statement("test", text).bind(**parameters)


@asynccontextmanager
async def busy_store(url: str) -> AsyncIterator[Store]:
    """A store with other calls under way, all of which must succeed."""
    async with memrepo.connect(url) as store:
        reads = [asyncio.create_task(store.memories.count()) for _ in range(20)]
        writes = [asyncio.create_task(store.daily_logs.append(None, f"{n}")) for n in range(20)]
        yield store
        await asyncio.gather(*reads, *writes)
        assert len(await store.daily_logs.find_many()) == 20


@both
@pytest.mark.parametrize(
    "value",
    [
        2**63,
        -(2**63) - 1,
        float("nan"),
        float("inf"),
        "a\ud800b",
        "x" * 5000001,
        b"x" * 5000001,
        object(),
        [1],
        memoryview(b"x"),
    ],
    ids=lambda value: str(type(value).__name__),
)
async def test_values_that_no_server_takes(sqld: Sqld, scheme: str, value: object) -> None:
    """What cannot be stored is refused by its parameter's name, and no other call is harmed."""
    statement: Any = BoundStatement(Statement("test", "SELECT :v"), {"v": value})  # type: ignore[dict-item]
    async with busy_store(sqld.new_url(scheme)) as store:
        for call in (store.connection.read(statement), store.connection.write((statement,))):
            with pytest.raises(InvalidInputError) as caught:
                await call
            assert caught.value.field == "v"
        async with store.transaction() as tx:
            with pytest.raises(InvalidInputError):
                await tx.memories.connection.write((statement,))
            await tx.memories.remember("still works")


@pytest.mark.parametrize("value", [b"x" * 4_500_000, "\u0001" * 700_000], ids=["bytes", "text"])
async def test_message_too_large_for_a_websocket(sqld: Sqld, value: str | bytes) -> None:
    """What a server would close the WebSocket for is refused before it is sent; other calls go on."""
    several = sql(
        "SELECT length(:a), length(:b), length(:c), length(:d)", **dict.fromkeys("abcd", value)
    )
    async with busy_store(sqld.new_url("ws")) as store:
        for call in (store.connection.read(several), store.connection.write((several,))):
            with pytest.raises(InvalidInputError, match="16,000,000 bytes"):
                await call


@both
async def test_answer_too_large_for_the_server(sqld: Sqld, scheme: str) -> None:
    """A write whose answer is too large stores nothing, says so, and harms no other call."""
    async with busy_store(sqld.new_url(scheme)) as store:
        await store.connection.write((sql("CREATE TABLE t (id INTEGER PRIMARY KEY, v)"),))
        insert = sql(
            "INSERT INTO t (v) SELECT hex(zeroblob(1000000)) FROM json_each('[1,2,3,4,5,6]') "
            "RETURNING v"
        )
        with pytest.raises(DatabaseError, match="larger than the server sends") as caught:
            await store.connection.write((insert,))
        assert not caught.value.outcome_unknown
        assert await store.connection.read(sql("SELECT count(*) FROM t")) == [(0,)]


@both
async def test_answer_above_four_megabytes(sqld: Sqld, scheme: str) -> None:
    """An answer that libsql-client alone would break at harms nobody, in a read and in a write."""
    async with busy_store(sqld.new_url(scheme)) as store:
        await store.connection.write((sql("CREATE TABLE t (id INTEGER PRIMARY KEY, v)"),))
        insert = sql(
            "INSERT INTO t (v) SELECT hex(zeroblob(1000000)) FROM json_each('[1,2,3]') RETURNING v"
        )
        (result,) = await store.connection.write((insert,))
        rows = await store.connection.read(sql("SELECT v FROM t"))
        assert len(result.rows) == len(rows) == 3


@both
@pytest.mark.slow
async def test_largest_texts(sqld: Sqld, scheme: str) -> None:
    """Texts of the most bytes that are allowed come back whole, one by one and in a batch."""
    async with memrepo.connect(sqld.new_url(scheme)) as store:
        for letter in ("a", "\u00e9", "\u4e8b", "\U0001f600"):
            text = letter * (4_000_000 // len(letter.encode()))
            assert (await store.memories.remember(text)).entry.content == text
        texts = [f"{n}" * 1_000_000 for n in range(9)] + [
            "\U0001f600" * 100_000 + f"{n}" for n in range(20)
        ]
        many = await store.memories.remember_many(MemoryNew(content=text) for text in texts)
        assert [entry.entry.content for entry in many] == texts
        again = await store.memories.remember_many(MemoryNew(content=text) for text in texts)
        assert {entry.outcome for entry in again} == {"duplicate"}


@both
async def test_row_too_large(sqld: Sqld, scheme: str) -> None:
    """A row above the server's limit is an error that leaves the store as it was."""
    async with busy_store(sqld.new_url(scheme)) as store:
        with pytest.raises((DatabaseError, UsageError)) as caught:
            await store.memories.remember("x" * 3_900_000, metadata={"y": "y" * 3_900_000})
        assert not getattr(caught.value, "outcome_unknown", False)
        assert await store.memories.count() == 0


@both
@pytest.mark.slow
async def test_bulk(sqld: Sqld, scheme: str) -> None:
    """Tens of thousands of rows go in as one unit."""
    async with memrepo.connect(sqld.new_url(scheme)) as store:
        facts = [MemoryNew(content=f"fact {n} " + "x" * 100) for n in range(20_000)]
        assert len(await store.memories.remember_many(facts)) == 20_000
        events = [DailyLogNew(event_type="x", event_data={"n": n}) for n in range(20_000)]
        assert len(await store.daily_logs.append_many(events)) == 20_000
        assert await store.memories.count() == 20_000


@both
@pytest.mark.slow
async def test_thousand_at_once(sqld: Sqld, scheme: str) -> None:
    """A thousand calls at once are a few requests, and none is refused for being too many."""
    async with memrepo.connect(sqld.new_url(scheme), lock_timeout_s=60) as store:
        facts = await asyncio.gather(*(store.memories.remember(f"{n}") for n in range(1_000)))
        assert len({fact.id for fact in facts}) == 1_000
        again = [store.memories.get(fact.id) for fact in facts]
        assert await asyncio.gather(*again) == [fact.entry for fact in facts]
        blocks = [store.memories.remember_many([MemoryNew(content=f"b{n}")]) for n in range(300)]
        await asyncio.gather(*blocks)
        assert await store.memories.count() == 1_300


async def test_thousand_rows_are_few_requests(sqld: Sqld) -> None:
    """A thousand appends at once are a few requests of a few statements each; a thousand reads by id are one."""
    async with proxy(sqld.port) as state:
        sent = bytearray()

        def watch(data: bytes) -> bytes | None:
            sent.extend(data)
            return data

        state.on_request = watch
        url = f"http://127.0.0.1:{state.port}?namespace={sqld.new_namespace()}"
        async with memrepo.connect(url) as store:
            sent.clear()
            appended = await asyncio.gather(
                *(store.daily_logs.append(None, "x") for _ in range(1_000))
            )
            events = [its.event for its in appended]
            # Not every POST: after an idle second, the stream of the writes is closed by one of its own.
            assert sent.count(b'{"type":"batch"') <= 2
            assert sent.count(b'"stmt":') < 60
            sent.clear()
            assert await store.daily_logs.get_many(event.id for event in events) == events
            assert sent.count(b'{"type":"batch"') == 1
            assert len({e.id async for e in store.daily_logs.iterate()}) == 1_000


@both
@pytest.mark.slow
async def test_answer_too_large_for_reads_together(sqld: Sqld, scheme: str) -> None:
    """Reads at once whose rows are together more than a server sends all have their rows."""
    async with busy_store(sqld.new_url(scheme)) as store:
        texts = [f"{n} " + "\u0001" * 10_000 for n in range(300)]
        facts = await store.memories.remember_many(MemoryNew(content=text) for text in texts)
        found = await asyncio.gather(*(store.memories.get(fact.id) for fact in facts))
        assert [fact.content for fact in found] == texts


@both
async def test_read_then_write_of_many_stores(sqld: Sqld, scheme: str) -> None:
    """Blocks that read and then write, of several stores at once, lose nothing and all succeed."""
    url = sqld.new_url(scheme)
    async with memrepo.connect(url) as one, memrepo.connect(url) as two:
        fact = await one.memories.remember("counter", metadata={"n": 0})

        async def count_up(store: Store) -> None:
            async with store.transaction() as tx:
                metadata = (await tx.memories.get(fact.id)).metadata
                assert metadata is not None
                number = metadata["n"]
                assert type(number) is int
                await tx.memories.update(fact.id, metadata={"n": number + 1})

        await asyncio.gather(*(count_up(store) for store in (one, two) for _ in range(10)))
        assert (await one.memories.get(fact.id)).metadata == {"n": 20}


@both
async def test_info_and_looking_after(sqld: Sqld, scheme: str, tmp_path: Any) -> None:
    """`info` tells what the server is and can; `verify` checks it; `backup` says who makes one."""
    namespace = sqld.new_namespace(durability_mode="strong")
    url = sqld.url(namespace, scheme)
    async with memrepo.connect(url) as store:
        await store.memories.remember("Likes tea")
        info = await store.info()
        assert (info.engine, info.server_version) == ("libsql", "sqld 0.24.32")
        assert (info.path, info.url, info.durability) == (None, url, "full")
        assert info.protocol == ("hrana3-http" if scheme == "http" else "hrana2-ws")
        assert (info.has_full_text_search, info.has_vectors) == (True, True)
        assert (info.max_value_bytes, info.max_reply_bytes) == (5_000_000, 10_000_000)
        assert info.size_bytes > 0
        assert await store.verify() == []
        with pytest.raises(UsageError, match="backups itself"):
            await store.backup(tmp_path / "copy.db")
        with pytest.raises(UsageError, match="compacts its databases itself"):
            await store.compact()
        assert list(tmp_path.glob("copy*")) == []
        sqld.query(namespace, "UPDATE memory_entries SET content = 'Likes coffee'")
        assert [problem.kind for problem in await store.verify()] == ["content hash"]


# --- protocols ---------------------------------------------------------------------------------


def _not_found(state: Proxy) -> None:
    """Have a proxy pass version 3 of the protocol off as unknown, as older servers do."""

    def watch(data: bytes) -> bytes | None:
        return data.replace(b"POST /v3/pipeline", b"POST /vX/pipeline")

    state.on_request = watch


async def test_server_without_version_3(sqld: Sqld) -> None:
    """A server that knows only the second version is spoken to in it, from the first call on."""
    async with proxy(sqld.port) as state:
        _not_found(state)
        url = f"http://127.0.0.1:{state.port}?namespace={sqld.new_namespace()}"
        async with memrepo.connect(url) as store:
            async with store.transaction() as tx:
                await tx.memories.remember("Likes tea")
            assert (await store.info()).protocol == "hrana2-http"
            assert await store.memories.count() == 1


def _with_base_url(base_url: str) -> Any:
    def change(data: bytes) -> bytes | None:
        head, _, body = data.partition(b"\r\n\r\n")
        new = body.replace(b'"base_url":null', f'"base_url":"{base_url}"'.encode())
        length, new_length = (f"content-length: {len(b)}".encode() for b in (body, new))
        return head.replace(length, new_length) + b"\r\n\r\n" + new

    return change


async def test_base_url_is_followed(sqld: Sqld) -> None:
    """A transaction goes on where the server says, and everything else stays where it was."""
    async with proxy(sqld.port) as state, proxy(sqld.port) as other:
        # A host without a first label is the default namespace, which that of the URL is, too.
        url = f"http://127.0.0.1:{state.port}?namespace=default"
        async with memrepo.connect(url) as store:
            state.on_reply = _with_base_url(f"http://localhost:{other.port}/")
            async with store.transaction() as tx:
                await tx.memories.remember("Likes tea")
            assert other.n_connections == 1
            n_connections = state.n_connections
            assert await store.memories.count() == 1
            assert (state.n_connections, other.n_connections) == (n_connections, 1)


async def test_base_url_that_gives_up_tls(sqld: Sqld) -> None:
    """A server cannot send a token to a place of another kind."""
    async with proxy(sqld.port) as state:
        url = f"http://127.0.0.1:{state.port}?namespace={sqld.new_namespace()}"
        async with memrepo.connect(url) as store:
            state.on_reply = _with_base_url("ftp://127.0.0.1:1")
            with pytest.raises(DatabaseError, match="ValueError"):
                async with store.transaction():
                    pytest.fail("the block ran")


async def test_stream_that_the_server_closed(sqld: Sqld) -> None:
    """A block whose baton is gone is over, and stores nothing."""
    async with proxy(sqld.port) as state:
        namespace = sqld.new_namespace(txn_timeout_s=1)
        url = f"http://127.0.0.1:{state.port}?namespace={namespace}"
        async with memrepo.connect(url) as store:

            def drop_baton(data: bytes) -> bytes | None:
                head, found, rest = data.partition(b'"baton":"')
                if not found:
                    return data
                baton, _, rest = rest.partition(b'"')
                return head + b'"baton":' + b"null" + b" " * (len(baton) - 2) + rest

            with pytest.raises(memrepo.TransactionError):
                async with store.transaction() as tx:
                    state.on_reply = drop_baton
                    await tx.memories.remember("Likes tea")
                    with pytest.raises(memrepo.ConnectionLostError):
                        await tx.memories.remember("Likes coffee")
            assert await store.memories.count() == 0
