"""What a server and the way to it can do to a call: each ends in time, and says what became of it."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

import memrepo
from memrepo import (
    BusyError,
    ConnectionLostError,
    DailyLogNew,
    DatabaseError,
    DeadlineError,
    MemoryNew,
    ReadOnlyError,
    Store,
    TransactionError,
    WrongLoopError,
)
from memrepo.connection import waiting
from memrepo.queries.statement import Statement
from pytest_memrepo.sqld import free_port
from tests.patience import PATIENCE_S
from tests.servers.proxy import Proxy, proxy
from tests.servers.sqld import Sqld

# ruff: noqa: PT012, PT031 - whole blocks are what is tested

pytestmark = pytest.mark.asyncio

both = pytest.mark.parametrize("scheme", ["http", "ws"])


@asynccontextmanager
async def through(state: Proxy, sqld: Sqld, scheme: str, **options: Any) -> AsyncIterator[Store]:
    """A store on a new namespace behind a proxy."""
    url = f"{scheme}://127.0.0.1:{state.port}?namespace={sqld.new_namespace(txn_timeout_s=1)}"
    async with memrepo.connect(url, **options) as store:
        yield store


async def lose_next(store: Store, state: Proxy) -> None:
    """Have the answer to the next call lost, on a connection that is there already."""
    await store.memories.count()
    state.drop_next_reply()


async def elsewhere(work: Callable[[], object]) -> None:
    await asyncio.to_thread(work)


# --- no answer ---------------------------------------------------------------------------------


@both
async def test_silent_server(new_sqld: Callable[..., Sqld], scheme: str) -> None:
    """Every call on a frozen server ends at its deadline; when it goes on, so does the store."""
    server = new_sqld()
    url = server.url(scheme=scheme)
    async with (
        memrepo.connect(url) as patient,
        memrepo.connect(url, request_timeout_s=0.5, lock_timeout_s=0.5) as store,
    ):
        await patient.memories.remember("before")
        server.freeze()
        for call in (
            store.memories.count(),
            store.memories.remember("during"),
            store.daily_logs.append(None, "x"),
            store.ping(),
            store.info(),
        ):
            began = time.monotonic()
            with pytest.raises((DeadlineError, ConnectionLostError)) as caught:
                await call
            assert time.monotonic() - began < 25
            assert caught.value.retryable
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises((DeadlineError, ConnectionLostError)):
                async with store.transaction():
                    pytest.fail("the block ran")
        server.thaw()
        async with asyncio.timeout(PATIENCE_S):
            for number in itertools.count():  # a busy machine may need longer than its half second
                with contextlib.suppress(DeadlineError, ConnectionLostError):
                    await store.memories.remember(f"after {number}")
                    break


@both
async def test_opening_on_a_silent_server(scheme: str) -> None:
    """Opening ends at its deadline where something listens and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"{scheme}://127.0.0.1:{server.getsockname()[1]}"
        began = time.monotonic()
        with pytest.raises((DeadlineError, ConnectionLostError)):
            await memrepo.connect(url, request_timeout_s=0.3, lock_timeout_s=0.3)
        assert time.monotonic() - began < 40


@both
async def test_no_server(scheme: str) -> None:
    """Where nothing listens, opening tries until its deadline, names the server; nothing was stored."""
    port = free_port()
    began = time.monotonic()
    with pytest.raises(ConnectionLostError) as caught:
        await memrepo.connect(f"{scheme}://127.0.0.1:{port}", lock_timeout_s=0.3)
    assert 0.2 < time.monotonic() - began < 25
    assert str(caught.value).startswith(f"{scheme}://127.0.0.1:{port}: cannot connect (")
    assert (caught.value.retryable, caught.value.outcome_unknown) == (True, False)


@both
async def test_no_such_namespace(sqld: Sqld, scheme: str) -> None:
    """A database that is not there is said to be missing, at once."""
    async with asyncio.timeout(PATIENCE_S):
        with pytest.raises(DatabaseError, match="no such database"):
            await memrepo.connect(sqld.url("missing", scheme), lock_timeout_s=2 * PATIENCE_S)


@both
async def test_another_server_on_the_port(scheme: str) -> None:
    """A server of another kind is told from one of libSQL."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(DatabaseError, match="no libSQL server"):
            await memrepo.connect(url, lock_timeout_s=0.2)


# --- a connection that breaks ------------------------------------------------------------------


@both
async def test_lost_answer_of_what_can_be_repeated(
    sqld: Sqld, sqld_proxy: Proxy, scheme: str
) -> None:
    """Facts and events with keys whose answer was lost are written again, and stored once."""
    async with through(sqld_proxy, sqld, scheme) as store:
        await lose_next(store, sqld_proxy)
        fact = await store.memories.remember("Likes tea")
        assert fact.outcome in ("created", "duplicate")
        await lose_next(store, sqld_proxy)
        many = await store.memories.remember_many(MemoryNew(content=f"{n}") for n in range(50))
        assert [entry.entry.content for entry in many] == [str(n) for n in range(50)]
        await lose_next(store, sqld_proxy)
        event = (await store.daily_logs.append(None, "x", key="k")).event
        await lose_next(store, sqld_proxy)
        new = [DailyLogNew(event_type="y", key=f"{n}") for n in range(9)]
        assert [its.event.key for its in await store.daily_logs.append_many(new)] == list(
            "012345678"
        )
        assert await store.memories.count() == 51
        assert len(await store.daily_logs.find_many()) == 10
        assert (await store.daily_logs.append(None, "x", key="k")).id == event.id


@both
async def test_lost_answer_of_what_cannot(sqld: Sqld, sqld_proxy: Proxy, scheme: str) -> None:
    """A write that is not safe to repeat says that its outcome is unknown; here it was stored, once."""
    async with through(sqld_proxy, sqld, scheme) as store:
        for call in (
            lambda: store.daily_logs.append(None, "x"),
            lambda: store.daily_logs.append_many([DailyLogNew(event_type="x")]),
        ):
            await lose_next(store, sqld_proxy)
            with pytest.raises(ConnectionLostError) as caught:
                await call()
            assert caught.value.outcome_unknown
        assert len(await store.daily_logs.find_many()) == 2


@both
async def test_lost_answer_of_a_read(sqld: Sqld, sqld_proxy: Proxy, scheme: str) -> None:
    """A read whose answer was lost is read again."""
    async with through(sqld_proxy, sqld, scheme) as store:
        await store.memories.remember("Likes tea")
        await lose_next(store, sqld_proxy)
        assert await store.memories.count() == 1


@both
async def test_connection_lost_in_a_block(sqld: Sqld, sqld_proxy: Proxy, scheme: str) -> None:
    """A block whose connection broke is over: it stores nothing, whatever it goes on to do."""
    async with through(sqld_proxy, sqld, scheme) as store:
        with pytest.raises(TransactionError):
            async with store.transaction() as tx:
                await tx.memories.remember("first")
                sqld_proxy.drop_next_reply()
                with pytest.raises(ConnectionLostError) as caught:
                    await tx.memories.remember("second")
                assert not caught.value.outcome_unknown
                with pytest.raises(TransactionError):
                    await tx.memories.remember("third")
        assert await store.memories.count() == 0
        assert (await store.memories.remember("after")).outcome == "created"


@both
async def test_lost_answer_of_a_commit(sqld: Sqld, sqld_proxy: Proxy, scheme: str) -> None:
    """A block whose commit was not answered says so, and is stored whole or not at all."""
    async with through(sqld_proxy, sqld, scheme) as store:
        with pytest.raises(ConnectionLostError) as caught:
            async with store.transaction() as tx:
                await tx.memories.remember("one")
                await tx.memories.remember("two")
                sqld_proxy.drop_next_reply()
        assert caught.value.outcome_unknown
        assert await store.memories.count() in (0, 2)


@both
async def test_killed_server(new_sqld: Callable[..., Sqld], scheme: str) -> None:
    """A write during a restart of the server waits for it, and the store connects by itself."""
    server = new_sqld()
    async with memrepo.connect(server.url(scheme=scheme), lock_timeout_s=PATIENCE_S) as store:
        await store.memories.remember("before")
        server.kill()
        writing = asyncio.create_task(store.memories.remember("during"))
        reading = asyncio.create_task(store.memories.find_by_content("before"))
        await asyncio.sleep(0.2)
        assert not writing.done()
        await elsewhere(server.start)
        assert (await writing).outcome == "created"
        assert await reading is not None


@both
async def test_restart_between_calls(new_sqld: Callable[..., Sqld], scheme: str) -> None:
    """A restart while nothing was asked is not noticed, and an open block is over."""
    server = new_sqld()
    async with memrepo.connect(server.url(scheme=scheme)) as store:
        await store.memories.remember("before")
        await elsewhere(server.restart)
        assert await store.memories.count() == 1
        with pytest.raises((ConnectionLostError, TransactionError)):
            async with store.transaction() as tx:
                await tx.memories.remember("block")
                await elsewhere(server.restart)
                await tx.memories.remember("more")
        assert await store.memories.count() == 1


# --- transactions that the server ends ---------------------------------------------------------


@both
async def test_stolen_transaction(sqld: Sqld, scheme: str) -> None:
    """A block that the server ended for keeping others waiting stores nothing of what it goes on to do."""
    namespace = sqld.new_namespace(txn_timeout_s=1)
    async with memrepo.connect(sqld.url(namespace, scheme)) as store:
        with pytest.raises(TransactionError):
            async with store.transaction() as tx:
                await tx.memories.remember("first")
                # Another client's write, which is let through in the end.
                await elsewhere(lambda: sqld.query(namespace, "CREATE TABLE theirs (a)"))
                with pytest.raises(DeadlineError) as caught:
                    await tx.memories.remember("second")
                assert (caught.value.retryable, caught.value.outcome_unknown) == (True, False)
                for _ in range(2):
                    with pytest.raises(TransactionError):
                        await tx.memories.remember("third")
        assert await store.memories.count() == 0


@both
async def test_stolen_transaction_at_its_commit(sqld: Sqld, scheme: str) -> None:
    """A commit that comes too late is an error, and nothing is stored."""
    namespace = sqld.new_namespace(txn_timeout_s=1)
    async with memrepo.connect(sqld.url(namespace, scheme)) as store:
        with pytest.raises(DeadlineError) as caught:
            async with store.transaction() as tx:
                await tx.memories.remember("first")
                await elsewhere(lambda: sqld.query(namespace, "CREATE TABLE theirs (a)"))
        assert not caught.value.outcome_unknown
        assert await store.memories.count() == 0


async def test_idle_for_long(sqld: Sqld, caplog: pytest.LogCaptureFixture) -> None:
    """After 11 idle seconds a store works as before, and a block that slept them is over."""
    urls = [sqld.new_url(scheme) for scheme in ("http", "ws")]
    stores = [await memrepo.connect(url) for url in urls]
    http, ws = stores
    blocks = [store.transaction() for store in stores]
    for block in blocks:
        await (await block.__aenter__()).memories.remember("block")
    idle = await memrepo.connect(urls[0], migrate=False)
    await asyncio.sleep(11)
    assert await idle.memories.count() == 0
    with pytest.raises(ConnectionLostError) as caught:
        await blocks[0].__aexit__(None, None, None)
    assert (caught.value.retryable, caught.value.outcome_unknown) == (True, False)
    # A stream of a WebSocket does not expire.
    await blocks[1].__aexit__(None, None, None)
    assert [await store.memories.count() for store in stores] == [0, 1]
    for store in (http, ws, idle):
        await store.close()


@both
async def test_blocked_server(sqld: Sqld, scheme: str) -> None:
    """A server that blocks writes is a ReadOnlyError, at once."""
    namespace = sqld.new_namespace()
    async with memrepo.connect(sqld.url(namespace, scheme)) as store:
        await store.memories.remember("Likes tea")
        sqld.configure(namespace, block_writes=True, block_reason="maintenance")
        async with asyncio.timeout(PATIENCE_S):
            with pytest.raises(ReadOnlyError):
                await store.memories.remember("Likes coffee")
            with pytest.raises(ReadOnlyError):
                await store.ping()
        assert await store.memories.count() == 1


@both
async def test_store_that_only_reads(sqld: Sqld, scheme: str) -> None:
    """With ``mode=ro`` every read works, a search too, every write is a ReadOnlyError, and nothing is migrated."""
    url = sqld.new_url(scheme)
    with pytest.raises(memrepo.MigrationError, match="for reading only"):
        await memrepo.connect(f"{url}&mode=ro")
    async with memrepo.connect(url) as store:
        await store.memories.remember("Likes tea")
    async with memrepo.connect(f"{url}&mode=ro") as store:
        assert [hit.entry.content for hit in await store.memories.search("tea")] == ["Likes tea"]
        assert (await store.info()).search_index is None
        with pytest.raises(ReadOnlyError, match="for reading only"):
            await store.memories.remember("Likes coffee")
        with pytest.raises(ReadOnlyError, match="for reading only"):
            async with store.transaction():
                pass
        assert await store.memories.count() == 1


@both
async def test_lock_of_another_client(sqld: Sqld, scheme: str) -> None:
    """While another client holds the lock, writes wait for it and reads do not."""
    namespace = sqld.new_namespace(txn_timeout_s=60)
    async with memrepo.connect(sqld.url(namespace, scheme), lock_timeout_s=PATIENCE_S) as store:
        with sqld.lock(namespace):
            writing = asyncio.create_task(store.memories.remember("waits"))
            await asyncio.sleep(0.1)
            async with asyncio.timeout(PATIENCE_S):
                assert await store.memories.count() == 0
            waiting = [store.memories.remember(f"{n}") for n in range(20)]
            others = asyncio.gather(*waiting)
            await asyncio.sleep(0.1)
            assert not writing.done()
        assert (await writing).outcome == "created"
        assert len(await others) == 20


@both
async def test_session_block_on_a_silent_server(new_sqld: Callable[..., Sqld], scheme: str) -> None:
    """A block's own exception and its cancellation come out of it, although its session cannot be ended."""
    server = new_sqld()
    url = server.url(scheme=scheme)
    async with memrepo.connect(url, request_timeout_s=5, lock_timeout_s=5) as store:
        with pytest.raises(LookupError):
            async with store.sessions.session():
                server.freeze()
                raise LookupError
        server.thaw()
        inside = asyncio.Event()

        async def work() -> None:
            async with store.sessions.session(end_active=True):
                inside.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(work())
        await inside.wait()
        server.freeze()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        server.thaw()


async def test_turn_has_a_deadline(sqld: Sqld) -> None:
    """A write whose turn does not come in `lock_timeout_s` is busy, and not stored."""
    namespace = sqld.new_namespace(txn_timeout_s=60)
    async with memrepo.connect(sqld.url(namespace), lock_timeout_s=0.2) as store:
        with sqld.lock(namespace):
            first = asyncio.create_task(store.memories.remember("first"))
            await asyncio.sleep(0.05)
            with pytest.raises(BusyError):
                await store.memories.remember("second")
        assert (await first).outcome == "created"
        assert await store.memories.count() == 1


# --- cancellation ------------------------------------------------------------------------------


@both
async def test_cancelled_write(sqld: Sqld, scheme: str, caplog: pytest.LogCaptureFixture) -> None:
    """A cancelled write happened whole or not at all, and the store goes on at once, without a word."""
    namespace = sqld.new_namespace()
    with caplog.at_level(logging.WARNING):
        async with memrepo.connect(sqld.url(namespace, scheme)) as store:
            for n in range(40):
                facts = [MemoryNew(content=f"{n}: {m}") for m in range(5)]
                task = asyncio.create_task(store.memories.remember_many(facts))
                await asyncio.sleep(n * 0.0002)
                task.cancel()
                await asyncio.wait({task})
                count = await store.memories.count()
                assert count % 5 == 0
                if not task.cancelled():
                    assert len(task.result()) == 5
        assert [record.message for record in caplog.records if record.name == "asyncio"] == []


@both
@pytest.mark.parametrize("n_before", [0, 3], ids=["new stream", "kept stream"])
async def test_cancelled_write_on_a_held_lock(sqld: Sqld, scheme: str, n_before: int) -> None:
    """A write that is cancelled while the server keeps it waiting lets go."""
    namespace = sqld.new_namespace(txn_timeout_s=60)
    async with memrepo.connect(sqld.url(namespace, scheme), lock_timeout_s=PATIENCE_S) as store:
        for n in range(n_before):
            await store.daily_logs.append(None, f"{n}")
        with sqld.lock(namespace):
            tasks = [asyncio.create_task(store.memories.remember(f"{n}")) for n in range(5)]
            await asyncio.sleep(0.1)
            began = time.monotonic()
            tasks[0].cancel()
            tasks[3].cancel()
            await asyncio.wait({tasks[0], tasks[3]})
            assert time.monotonic() - began < waiting.GRACE_S + 25
        assert all(entry.outcome == "created" for entry in await asyncio.gather(*tasks[1:3]))
        assert (await store.memories.remember("after")).outcome == "created"


@both
async def test_cancelled_begin(sqld: Sqld, scheme: str) -> None:
    """A block that is cancelled while it waits for the server leaves the writer free, and no lock."""
    namespace = sqld.new_namespace()
    async with memrepo.connect(sqld.url(namespace, scheme), lock_timeout_s=PATIENCE_S) as store:

        async def block() -> None:
            async with store.transaction():
                pytest.fail("the block ran")

        with sqld.lock(namespace):
            task = asyncio.create_task(block())
            await asyncio.sleep(0.1)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
        began = time.monotonic()
        assert (await store.memories.remember("after")).outcome == "created"
        # An abandoned stream may hold the lock until the server's time for transactions is up.
        assert time.monotonic() - began < 30
        await elsewhere(lambda: sqld.query(namespace, "CREATE TABLE theirs (a)"))


@both
async def test_cancelled_call_in_a_block(sqld: Sqld, scheme: str) -> None:
    """A block whose call is cancelled is undone whole."""
    async with memrepo.connect(sqld.new_url(scheme)) as store:

        async def block() -> None:
            async with store.transaction() as tx:
                for n in range(1_000):
                    await tx.memories.remember(f"{n}")

        for n in range(5):
            task = asyncio.create_task(block())
            await asyncio.sleep(0.01 + n * 0.003)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert await store.memories.count() == 0


@both
async def test_cancelled_write_on_a_kept_stream(sqld: Sqld, scheme: str) -> None:
    """A write that is cut off in the middle of a run of writes is undone, and leaves no lock."""
    namespace = sqld.new_namespace(txn_timeout_s=1)
    slow = Statement(
        "slow",
        "INSERT INTO daily_logs (scope, event_type, timestamp) WITH RECURSIVE c(n) AS (SELECT 1"
        " UNION ALL SELECT n + 1 FROM c WHERE n < 8000000) SELECT max(n), 'slow', '' FROM c",
    )
    async with memrepo.connect(sqld.url(namespace, scheme)) as store:
        for n in range(3):
            await store.daily_logs.append(None, f"{n}")
        task = asyncio.ensure_future(store.connection.write((slow.bind(),)))
        await asyncio.sleep(0.2)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        event = await store.daily_logs.append(None, "after")
        assert (await store.daily_logs.get(event.id)).event_type == "after"
        await elsewhere(lambda: sqld.query(namespace, "CREATE TABLE theirs (a)"))


@both
async def test_restart_between_two_writes(new_sqld: Callable[..., Sqld], scheme: str) -> None:
    """A server that is started anew in a run of writes costs at most one of them its certain outcome."""
    server = new_sqld()
    async with memrepo.connect(server.url(scheme=scheme)) as store:
        for n in range(3):
            await store.daily_logs.append(None, f"{n}")
        await elsewhere(server.restart)
        errors: list[ConnectionLostError] = []
        for n in range(3, 6):
            try:
                await store.daily_logs.append(None, f"{n}")
            except ConnectionLostError as error:
                errors.append(error)
        assert [error.outcome_unknown for error in errors] in ([], [True])
        # What can be repeated is not even noticed.
        await elsewhere(server.restart)
        assert (await store.memories.remember("after")).outcome in ("created", "duplicate")


# --- its life ----------------------------------------------------------------------------------


@both
async def test_another_loop(sqld: Sqld, scheme: str) -> None:
    """A store that is used in another event loop says so at once."""
    store = await memrepo.connect(sqld.new_url(scheme))

    def use() -> None:
        for call in (store.memories.count, store.ping, store.close):
            with pytest.raises(WrongLoopError):
                asyncio.run(call())

    async with asyncio.timeout(PATIENCE_S):
        await elsewhere(use)
    await store.close()


@both
@pytest.mark.filterwarnings("default::ResourceWarning")
async def test_forgotten_close(sqld: Sqld, scheme: str, caplog: pytest.LogCaptureFixture) -> None:
    """A store that was never closed is told of once, and the HTTP client's own complaints are not heard."""
    store = await memrepo.connect(sqld.new_url(scheme))
    await store.memories.remember("Likes tea")
    with pytest.warns(ResourceWarning) as warned:
        del store
        await asyncio.sleep(0.05)
    assert ["was never closed: use" in str(warning.message) for warning in warned] == [True]
    assert [record.message for record in caplog.records if record.name == "asyncio"] == []


@both
async def test_close_with_calls_under_way(sqld: Sqld, scheme: str) -> None:
    """Closing lets what runs finish, and refuses the rest; five closes at once all return."""
    store = await memrepo.connect(sqld.new_url(scheme))
    calls = [asyncio.create_task(store.memories.remember(f"{n}")) for n in range(50)]
    reads = [asyncio.create_task(store.memories.count()) for _ in range(50)]
    await asyncio.sleep(0.001)
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(*(store.close() for _ in range(5)))
        results = await asyncio.gather(*calls, *reads, return_exceptions=True)
    assert all(
        not isinstance(result, BaseException) or isinstance(result, memrepo.ClosedError)
        for result in results
    )


async def test_close_on_a_frozen_server(new_sqld: Callable[..., Sqld]) -> None:
    """Closing does not wait for a server that is silent."""
    server = new_sqld()
    stores = [
        await memrepo.connect(server.url(scheme=scheme), request_timeout_s=2 * PATIENCE_S)
        for scheme in ("http", "ws")
    ]
    server.freeze()
    async with asyncio.timeout(PATIENCE_S):
        for store in stores:
            await store.close()
    server.thaw()


async def test_proxy_of_a_dead_server(new_sqld: Callable[..., Sqld]) -> None:
    """A proxy that takes connections for a dead server is a lost connection, in time."""
    server = new_sqld()
    async with proxy(server.port) as state:
        url = f"http://127.0.0.1:{state.port}?namespace=default"
        async with memrepo.connect(url, lock_timeout_s=0.3) as store:
            server.kill()
            with pytest.raises(ConnectionLostError):
                await store.memories.count()
