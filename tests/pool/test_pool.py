"""`StorePool`: a database for each tenant, opened, shared, closed, made and erased."""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from memrepo import (
    AuthenticationError,
    BusyError,
    ClosedError,
    ConflictError,
    ConnectionLostError,
    DatabaseError,
    InvalidInputError,
    NotFoundError,
    Store,
    StorePool,
    UnsupportedURLError,
    UsageError,
    WrongLoopError,
)
from memrepo.connection.hrana.connection import LibSQLConnection
from memrepo.connection.sqlite.connection import SQLiteConnection
from memrepo.pool.slots import Slot
from tests.patience import PATIENCE_S
from tests.servers.proxy import proxy
from tests.servers.sqld import Sqld

# ruff: noqa: PT012 - whole blocks are what is tested

pytestmark = pytest.mark.asyncio


class Monotonic:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Watch:
    """Counts what is open, by watching connections open and close."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.n_opened: Counter[str] = Counter()
        self.open: Counter[str] = Counter()
        self.most_open = 0
        self.failures: list[Exception] = []
        self.opening_s = 0.0
        for kind in (SQLiteConnection, LibSQLConnection):
            self._watch(kind, monkeypatch)

    def _watch(self, kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        open_, close = kind.open, kind.close

        async def opened(location: Any, *arguments: Any, **options: Any) -> Any:
            name = str(location)
            if self.failures:
                raise self.failures.pop(0)
            self.n_opened[name] += 1
            self.open[name] += 1
            self.most_open = max(self.most_open, self.open.total())
            assert self.open[name] == 1, "two stores on one tenant"
            await asyncio.sleep(self.opening_s)
            return await open_(location, *arguments, **options)

        async def closed(connection: Any) -> None:
            await close(connection)
            self.open[str(connection.location)] = 0

        monkeypatch.setattr(kind, "open", opened)
        monkeypatch.setattr(kind, "close", closed)

    @property
    def n_open(self) -> int:
        return self.open.total()


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    """Counts the stores that are open."""
    return Watch(monkeypatch)


@pytest.fixture(params=["file", "server"])
def new_pool(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., StorePool]:
    """Makes pools on files, and on a server's namespaces."""
    if request.param == "file":
        return lambda **options: StorePool(tmp_path / "{tenant}.db", **options)
    server: Sqld = request.getfixturevalue("sqld")
    prefix = server.new_namespace()  # tests share the server
    url = f"http://127.0.0.1:{server.port}?namespace={{tenant}}"
    admin_url = f"http://127.0.0.1:{server.admin_port}"

    class Prefixed(StorePool):
        def open(self, tenant: str) -> Any:
            return super().open(f"{prefix}-{tenant}")

        async def create(self, tenant: str) -> None:
            await super().create(f"{prefix}-{tenant}")

        async def erase(self, tenant: str, *, confirm: bool) -> None:
            await super().erase(f"{prefix}-{tenant}", confirm=confirm)

    return lambda **options: Prefixed(url, admin_url=admin_url, **options)


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what other tasks do."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():
            await asyncio.sleep(0.001)


# --- stores ------------------------------------------------------------------------------------


async def test_each_tenant_has_its_own(new_pool: Callable[..., StorePool], watch: Watch) -> None:
    """What one tenant remembers, another does not know; and it is there when the pool is new."""
    for _ in range(2):
        async with new_pool() as pool:
            for tenant in ("acme", "globex"):
                if not watch.n_opened.total() // 2:
                    await pool.create(tenant)
                async with pool.open(tenant) as store:
                    await store.memories.remember(tenant)
                    assert [its.content for its in await store.memories.find_many()] == [tenant]
        assert watch.n_open == 0


async def test_blocks_share_one_store(tmp_path: Path, watch: Watch) -> None:
    """Blocks of a tenant at the same time, also while it opens, have one store between them."""
    watch.opening_s = 0.01
    async with StorePool(tmp_path / "{tenant}.db") as pool:

        async def use() -> int:
            async with pool.open("acme") as store:
                await store.memories.count()
                return id(store)

        assert len(set(await asyncio.gather(*(use() for _ in range(20))))) == 1
        assert watch.n_opened.total() == 1


async def test_many_tasks(new_pool: Callable[..., StorePool], watch: Watch) -> None:
    """50 tasks on random tenants: never two stores of one, never more than allowed, nothing lost."""
    rng = random.Random(1)
    tenants = [f"t{n}" for n in range(8)]
    written: Counter[str] = Counter()
    async with new_pool(max_open=3, lock_timeout_s=60) as pool:
        for tenant in tenants:
            await pool.create(tenant)

        async def work() -> None:
            for _ in range(6):
                tenant = rng.choice(tenants)
                async with pool.open(tenant) as store:
                    await store.daily_logs.append(None, "e")
                    written[tenant] += 1
                    await asyncio.sleep(rng.uniform(0, 0.002))

        await asyncio.gather(*(work() for _ in range(50)))
        assert watch.most_open <= 3
        for tenant in tenants:
            async with pool.open(tenant) as store:
                assert len(await store.daily_logs.find_many(limit=300)) == written[tenant]
    assert watch.n_open == 0


async def test_many_cancelled_tasks(tmp_path: Path, watch: Watch) -> None:
    """Tasks that are cancelled anywhere, waiting, opening or inside, leave no slot in use."""
    rng = random.Random(2)
    watch.opening_s = 0.002
    async with StorePool(tmp_path / "{tenant}.db", max_open=2, lock_timeout_s=60) as pool:

        async def work() -> None:
            async with pool.open(f"t{rng.randrange(5)}") as store:
                await store.daily_logs.append(None, "e")
                await asyncio.sleep(rng.uniform(0, 0.005))

        for _ in range(5):
            tasks = [asyncio.create_task(work()) for _ in range(40)]
            for task in rng.sample(tasks, 30):
                await asyncio.sleep(rng.uniform(0, 0.002))
                task.cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            assert {type(its) for its in results} <= {type(None), asyncio.CancelledError}
        slots = pool._slots._slots.values()
        await until(lambda: all(slot.store is not None for slot in slots))
        assert [slot.n_users for slot in slots] == [0] * len(slots)
        assert watch.most_open <= 2
        for n in range(5):
            await pool.erase(f"t{n}", confirm=True)
    assert watch.n_open == 0


async def test_least_recently_used_is_closed(tmp_path: Path, watch: Watch) -> None:
    """When it is full, the store goes that was idle for the longest time, and no other."""
    monotonic = Monotonic()
    async with StorePool(tmp_path / "{tenant}.db", max_open=2, monotonic=monotonic) as pool:
        for tenant in ("a", "b", "a", "c", "a"):
            monotonic.now += 1
            async with pool.open(tenant):
                pass
        assert {Path(name).stem: n for name, n in watch.n_opened.items()} == {
            "a": 1,
            "b": 1,
            "c": 1,
        }
        assert repr(pool) == "<memrepo.StorePool, 2 of 2 open>"


async def test_full(tmp_path: Path) -> None:
    """When all are in use, a block waits for one that ends, and is refused after lock_timeout_s."""
    async with StorePool(tmp_path / "{tenant}.db", max_open=1, lock_timeout_s=0.1) as pool:
        async with pool.open("a"):
            with pytest.raises(
                BusyError, match=r"^all 1 stores of the pool were in use for 0\.1 s$"
            ):
                async with pool.open("b"):
                    pytest.fail("the block ran")
            async with pool.open("a"):
                pass

        async def wait() -> None:
            async with pool.open("b"):
                pass

        async with pool.open("a"):
            task = asyncio.create_task(wait())
            await asyncio.sleep(0.02)
            assert not task.done()
        await task


async def test_cancelled_when_its_turn_has_come(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A block that is cancelled just when it gets its place gives it back."""
    async with StorePool(tmp_path / "{tenant}.db", max_open=1) as pool:

        async def wait() -> None:
            async with pool.open("b"):
                pytest.fail("the block ran")

        slots = pool._slots
        serve = slots._serve

        def cancel_when_it_comes(place: asyncio.Future[Slot], tenant: str) -> None:
            serve(place, tenant)
            if place.done():
                asyncio.get_running_loop().call_soon(task.cancel)

        async with pool.open("a"):
            task = asyncio.create_task(wait())
            await until(lambda: len(slots._queue) == 1)
            monkeypatch.setattr(slots, "_serve", cancel_when_it_comes)
        with pytest.raises(asyncio.CancelledError):
            await task
        monkeypatch.undo()
        assert slots._slots["b"].n_users == 0
        async with pool.open("a"):
            pass


async def test_fair(tmp_path: Path) -> None:
    """A task that opens one tenant again and again does not keep out another that waits."""
    async with StorePool(tmp_path / "{tenant}.db", max_open=1, lock_timeout_s=PATIENCE_S) as pool:
        order: list[str] = []

        async def work(tenant: str) -> None:
            for _ in range(5):
                async with pool.open(tenant) as store:
                    order.append(tenant)
                    await store.memories.count()

        await asyncio.gather(work("a"), work("b"))
        assert order == ["a", "b"] * 5


async def test_not_held_up_by_who_waits(tmp_path: Path) -> None:
    """A block that has another task open its tenant again goes on, though other tenants wait for a store."""
    async with StorePool(tmp_path / "{tenant}.db", max_open=1, lock_timeout_s=PATIENCE_S) as pool:

        async def remember(tenant: str) -> None:
            async with pool.open(tenant) as store:
                await store.memories.remember("Likes tea")

        # A task that no block has started, such as one that serves requests: no block is known to wait for it.
        orders = asyncio.Queue[str]()
        server = asyncio.create_task(_serve(orders, remember))
        async with pool.open("a") as store:
            waiting = asyncio.create_task(remember("b"))
            await until(lambda: len(pool._slots._queue) == 1)
            orders.put_nowait("a")
            await orders.join()
            assert await store.memories.count() == 1
            assert not waiting.done()
        await waiting
        server.cancel()


async def _serve(orders: asyncio.Queue[str], work: Callable[[str], Awaitable[None]]) -> None:
    while True:
        await work(await orders.get())
        orders.task_done()


async def test_in_another_event_loop(tmp_path: Path) -> None:
    """A pool belongs to the first event loop that uses it, says so in any other, and goes on in its own."""
    pool = StorePool(tmp_path / "{tenant}.db")

    async def use() -> None:
        async with pool.open("acme") as store:
            await store.memories.remember("Likes tea")

    def run(call: Callable[[], Coroutine[Any, Any, None]]) -> None:
        asyncio.run(call())

    await use()
    for call in (use, pool.close, lambda: pool.create("globex")):
        with pytest.raises(
            WrongLoopError,
            match=r"^the pool was first used in another event loop: make one in this loop$",
        ):
            await asyncio.to_thread(run, call)
    await use()
    await pool.close()


async def test_idle_stores_are_closed(tmp_path: Path, watch: Watch) -> None:
    """A store that nobody used for long enough is closed; one that is in use is not."""
    monotonic = Monotonic()
    idle = timedelta(seconds=60)
    pool = StorePool(tmp_path / "{tenant}.db", idle_close_after=idle, monotonic=monotonic)
    async with pool, pool.open("busy"):
        async with pool.open("idle"):
            monotonic.now += 100
        monotonic.now += 59
        async with pool.open("other"):
            pass
        assert watch.n_open == 3
        monotonic.now += 1
        async with pool.open("other"):
            pass
        await until(lambda: watch.n_open == 2)
        assert {Path(name).stem for name in watch.open if watch.open[name]} == {"busy", "other"}
        async with pool.open("idle") as store:
            assert await store.memories.count() == 0


async def test_store_that_is_wanted_again_stays_open(tmp_path: Path, watch: Watch) -> None:
    """Whoever comes before an idle store is closed has it, however long it was idle."""
    monotonic = Monotonic()
    idle = timedelta(seconds=60)
    pool = StorePool(tmp_path / "{tenant}.db", idle_close_after=idle, monotonic=monotonic)
    async with pool:
        for _ in range(2):
            async with pool.open("acme"):
                pass
            monotonic.now += 100
        assert watch.n_opened.total() == 1


async def test_idle_stores_are_closed_by_a_timer(tmp_path: Path, watch: Watch) -> None:
    """No call is needed for it."""
    idle = timedelta(milliseconds=20)
    async with StorePool(tmp_path / "{tenant}.db", idle_close_after=idle) as pool:
        async with pool.open("a"), pool.open("b"):
            pass
        assert watch.n_open == 2
        await until(lambda: watch.n_open == 0)


async def test_failed_open_is_not_remembered(tmp_path: Path, watch: Watch) -> None:
    """Whoever waits for a store that cannot be opened gets the error; the next one tries again."""
    async with StorePool(tmp_path / "{tenant}.db") as pool:
        watch.failures.append(DatabaseError("the first time"))

        async def use() -> None:
            async with pool.open("acme"):
                pass

        results = await asyncio.gather(*(use() for _ in range(3)), return_exceptions=True)
        assert [str(its) for its in results] == [f"{tmp_path / 'acme.db'}: the first time"] * 3
        assert len({id(its) for its in results}) == 3
        await use()
        assert watch.n_opened.total() == 1


@pytest.mark.parametrize("kind", [ConnectionLostError, ClosedError])
async def test_store_that_is_lost(tmp_path: Path, watch: Watch, kind: type[Exception]) -> None:
    """A store whose block ended by a lost connection is closed, and the next block gets a new one."""
    async with StorePool(tmp_path / "{tenant}.db") as pool:
        with contextlib.suppress(kind):
            async with pool.open("acme") as first:
                raise kind
        async with pool.open("acme") as second:
            assert second is not first
            await second.memories.count()
        with contextlib.suppress(ValueError):
            async with pool.open("acme") as third:
                raise ValueError
        assert third is second


async def until_closed(store: Store) -> None:
    """Ping a lost store until it is closed."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            with contextlib.suppress(ConnectionLostError):
                await store.ping()
            await asyncio.sleep(0)


async def test_lost_file_under_a_long_block(tmp_path: Path) -> None:
    """A block that goes on with a store that has lost its file keeps no other from a new store."""
    async with StorePool(tmp_path / "{tenant}.db", max_open=1, lock_timeout_s=0.5) as pool:
        async with pool.open("acme") as lost:
            await lost.memories.remember("Likes tea")
            for path in tmp_path.iterdir():
                path.rename(f"{path}.gone")
            with pytest.raises(ConnectionLostError):
                await lost.ping()
            for outcome in ("created", "duplicate"):
                async with pool.open("acme") as store:
                    assert (await store.memories.remember("Likes coffee")).outcome == outcome
            with pytest.raises(ConnectionLostError):
                await lost.memories.count()
        with pytest.raises(ClosedError):
            await until_closed(lost)
        async with pool.open("acme") as again:
            assert again is store
    assert repr(pool) == "<memrepo.StorePool, 0 of 1 open>"


async def test_inside_a_transaction(tmp_path: Path) -> None:
    """A block may use another tenant inside a transaction of the first, and close what is idle."""
    async with StorePool(tmp_path / "{tenant}.db", max_open=2) as pool:
        async with pool.open("c"):
            pass
        async with pool.open("a") as store, store.transaction() as tx:
            await tx.memories.remember("Likes tea")
            async with pool.open("b") as other:
                await other.memories.remember("Likes coffee")
        async with pool.open("a") as store:
            assert await store.memories.count() == 1


# --- closing -----------------------------------------------------------------------------------


async def test_close(tmp_path: Path, watch: Watch) -> None:
    """All stores are closed, also those in use and those that open; who waits is refused."""
    pool = StorePool(tmp_path / "{tenant}.db", max_open=2)
    used: list[Store] = []

    async def hold(tenant: str) -> None:
        async with pool.open(tenant) as store:
            used.append(store)
            await asyncio.sleep(10)

    one = asyncio.create_task(hold("one"))
    await until(lambda: len(used) == 1)
    watch.opening_s = 0.02
    opening, waiting = (asyncio.create_task(hold(tenant)) for tenant in ("two", "three"))
    await asyncio.sleep(0.005)
    await asyncio.gather(pool.close(), pool.close())
    await pool.close()
    assert watch.n_open == 0
    with pytest.raises(ClosedError, match="the pool is closed"):
        await waiting
    with pytest.raises(ClosedError):
        await used[0].memories.count()
    for task in (one, opening):
        task.cancel()
    await asyncio.gather(one, opening, return_exceptions=True)
    for use in (pool.create("a"), pool.erase("a", confirm=True), pool.open("a").__aenter__()):
        with pytest.raises(ClosedError, match="the pool is closed"):
            await use


async def test_close_inside_a_transaction(tmp_path: Path) -> None:
    """The pool closes, and the transaction is rolled back, as when another task closes it."""
    pool = StorePool(tmp_path / "{tenant}.db")
    with pytest.raises(ClosedError):
        async with pool.open("acme") as store, store.transaction() as tx:
            await tx.memories.remember("Likes tea")
            await pool.close()
    async with StorePool(tmp_path / "{tenant}.db") as pool, pool.open("acme") as store:
        assert await store.memories.count() == 0


async def test_cancelled_close(tmp_path: Path, watch: Watch) -> None:
    """It closes all the same."""
    pool = StorePool(tmp_path / "{tenant}.db")
    for tenant in "abc":
        async with pool.open(tenant):
            pass
    task = asyncio.create_task(pool.close())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: watch.n_open == 0)
    await pool.close()


# --- names and templates -----------------------------------------------------------------------

BAD_NAMES: list[Any] = [
    "", ".", "..", ".hidden", "../acme", "a/b", "a\\b", "/etc/passwd", "a\0", "a\n", "a b", "a%2fb",
    "a?mode=ro", "a#b", "a@b", "a:b", "\u00e9", "a" * 65, None, 1, b"acme", "{tenant}", "~",
]  # fmt: skip


@pytest.mark.parametrize("name", BAD_NAMES, ids=repr)
async def test_bad_names(tmp_path: Path, name: Any) -> None:
    """A name that could leave its folder or host is refused everywhere, and makes nothing."""
    (tmp_path / "tenants").mkdir()
    for template in (tmp_path / "tenants" / "{tenant}", "http://localhost?namespace={tenant}"):
        async with StorePool(template) as pool:
            for use in (
                lambda: pool.open(name).__aenter__(),
                lambda: pool.create(name),
                lambda: pool.erase(name, confirm=True),
            ):
                with pytest.raises(InvalidInputError) as caught:
                    await use()
                assert caught.value.field == "tenant"
    assert [path.name for path in tmp_path.rglob("*")] == ["tenants"]


async def test_good_names(tmp_path: Path) -> None:
    """Each name is a file of its own in the folder."""
    names = ["a", "A-1_b.c", "a" * 64, "0", "_", "-", "a..b", "acme-wal"]
    async with StorePool(f"file:{tmp_path}/{{tenant}}.db") as pool:
        for name in names:
            async with pool.open(name) as store:
                assert (await store.info()).path == tmp_path / f"{name}.db"


@pytest.mark.parametrize("suffix", ["-wal", "-shm", "-journal"])
async def test_name_of_a_file_that_sqlite_makes(tmp_path: Path, suffix: str) -> None:
    """Where the name ends the file's name, no tenant is another one's log."""
    async with StorePool(tmp_path / "{tenant}") as pool:
        with pytest.raises(InvalidInputError, match="belongs to another"):
            await pool.create(f"acme{suffix}")


@pytest.mark.parametrize("name", ["a.b", "a" * 64])
async def test_names_that_no_server_has(name: str) -> None:
    """On a server a name must also fit into a host's name."""
    async with StorePool("http://localhost?namespace={tenant}") as pool:
        with pytest.raises(InvalidInputError, match="on a server"):
            await pool.create(name)


@pytest.mark.parametrize(
    ("template", "error"),
    [
        ("tenants.db", InvalidInputError),
        (b"{tenant}", InvalidInputError),
        (None, InvalidInputError),
        (":memory:", InvalidInputError),
        (":memory:{tenant}", UnsupportedURLError),
        ("file::memory:{tenant}", UnsupportedURLError),
        ("{tenant}-wal", InvalidInputError),
        ("file:{tenant}?mode=memory", UnsupportedURLError),
        ("file:a.db?mode={tenant}", UnsupportedURLError),
        ("http://{tenant}", UnsupportedURLError),
        ("http://{tenant}.example.com?namespace=a", UnsupportedURLError),
        ("http://{tenant}.example.com?namespace={tenant}", UnsupportedURLError),
        ("http://localhost/{tenant}?namespace={tenant}", UnsupportedURLError),
        ("http://localhost?namespace=x{tenant}", UnsupportedURLError),
        ("http://localhost?namespace={tenant}&authToken={tenant}", UnsupportedURLError),
    ],
)
async def test_bad_templates(template: Any, error: type[Exception]) -> None:
    """A template has the tenant in a file's path, or for a server's whole namespace; nowhere else."""
    with pytest.raises(error):
        StorePool(template)


@pytest.mark.parametrize(
    "options",
    [
        {"max_open": 0},
        {"max_open": True},
        {"max_open": 1.5},
        {"idle_close_after": 5},
        {"idle_close_after": timedelta(0)},
        {"lock_timeout_s": 0},
        {"durability": "fast"},
        {"auth_token": "t"},
        {"admin_url": "http://localhost"},
        {"admin_token": "t"},
        {"clock": 5},
        {"on_statement": "print"},
        {"ssl_context": True},
        {"monotonic": 5},
    ],
    ids=str,
)
async def test_bad_options(tmp_path: Path, options: dict[str, Any]) -> None:
    """What is refused is refused when the pool is made, not when the first tenant comes."""
    with pytest.raises(InvalidInputError):
        StorePool(tmp_path / "{tenant}.db", **options)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"admin_token": "t"}, InvalidInputError),
        ({"admin_url": "ws://localhost"}, UnsupportedURLError),
        ({"admin_url": "agent.db"}, UnsupportedURLError),
        ({"admin_url": "http://localhost?namespace=a"}, UnsupportedURLError),
        ({"admin_url": "http://localhost", "admin_token": "a b"}, InvalidInputError),
    ],
    ids=str,
)
async def test_bad_admin(options: dict[str, Any], error: type[Exception]) -> None:
    """The admin API is a server's, over HTTP."""
    with pytest.raises(error):
        StorePool("http://localhost?namespace={tenant}", **options)


# --- making and erasing ------------------------------------------------------------------------


async def test_create_and_erase(new_pool: Callable[..., StorePool], watch: Watch) -> None:
    """What is erased is gone, is not there to be erased again, and comes back empty."""
    async with new_pool() as pool:
        await pool.create("acme")
        with pytest.raises(ConflictError, match="already exists"):
            await pool.create("acme")
        async with pool.open("acme") as store:
            await store.memories.remember("Likes tea")
            with pytest.raises(ConflictError, match="in use"):
                await pool.erase("acme", confirm=True)
            assert await store.memories.count() == 1
        await pool.erase("acme", confirm=True)
        assert watch.n_open == 0
        with pytest.raises(NotFoundError):
            await pool.erase("acme", confirm=True)
        await pool.create("acme")
        async with pool.open("acme") as store:
            assert await store.memories.count() == 0


async def test_erase_removes_every_file(tmp_path: Path) -> None:
    """Also what SQLite keeps beside a file of a process that was killed; and no other tenant's."""
    pool = StorePool(tmp_path / "{tenant}.db")
    for tenant in ("acme", "acme2"):
        async with pool.open(tenant):
            pass
    async with pool.open("acme2"):
        for suffix in ("-wal", "-shm", "-journal"):
            (tmp_path / f"gone.db{suffix}").write_bytes(b"x")
        (tmp_path / "gone.db").write_bytes(b"")
        await pool.erase("acme", confirm=True)
        await pool.erase("gone", confirm=True)
        left = sorted(path.name for path in tmp_path.iterdir())
        assert left == ["acme2.db", "acme2.db-shm", "acme2.db-wal"]
    await pool.close()


async def test_erase_follows_links(tmp_path: Path) -> None:
    """Where a tenant's file is a link, what it leads to is erased with SQLite's files beside that, then the link."""
    disk = tmp_path / "disk"
    disk.mkdir()
    async with StorePool(tmp_path / "{tenant}.db") as pool:
        for number, tenant in enumerate(("acme", "acme2")):
            (tmp_path / f"{tenant}.db").symlink_to(f"disk/{number}.db")
            async with pool.open(tenant) as store:
                await store.memories.remember("Likes tea")
        for suffix in ("-wal", "-shm", "-journal"):
            (disk / f"0.db{suffix}").write_bytes(b"x")
        await pool.erase("acme", confirm=True)
        assert list(disk.glob("0.db*")) == []
        assert (disk / "1.db").exists()
        assert not (tmp_path / "acme.db").is_symlink()
        with pytest.raises(NotFoundError):
            await pool.erase("acme", confirm=True)


@pytest.mark.parametrize("target", ["gone.db", "no folder/gone.db", "acme.db"])
async def test_erase_of_a_link_that_leads_nowhere(tmp_path: Path, target: str) -> None:
    """What an interrupted call, or another program, has left of a tenant is erased, too."""
    (tmp_path / "acme.db").symlink_to(target)
    async with StorePool(tmp_path / "{tenant}.db") as pool:
        await pool.erase("acme", confirm=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("confirm", [False, None, 1, "True"])
async def test_erase_needs_confirmation(tmp_path: Path, confirm: Any) -> None:
    """Nothing but True will do."""
    async with StorePool(tmp_path / "{tenant}.db") as pool:
        await pool.create("acme")
        with pytest.raises(InvalidInputError):
            await pool.erase("acme", confirm=confirm)
    assert (tmp_path / "acme.db").exists()


async def test_erase_at_once(tmp_path: Path) -> None:
    """Of several tasks one erases; who opens meanwhile gets a new database or comes before."""
    async with StorePool(tmp_path / "{tenant}.db") as pool:
        async with pool.open("acme") as store:
            await store.memories.remember("Likes tea")

        async def count() -> int:
            async with pool.open("acme") as store:
                return await store.memories.count()

        erasing = [asyncio.create_task(pool.erase("acme", confirm=True)) for _ in range(3)]
        await asyncio.sleep(0)
        counted = asyncio.create_task(count())
        results = await asyncio.gather(*erasing, return_exceptions=True)
        assert [type(its) for its in results].count(type(None)) == 1
        assert {type(its) for its in results} <= {type(None), NotFoundError, ConflictError}
        assert await counted == 0


async def test_cancelled_erase(tmp_path: Path) -> None:
    """It erases all the same, and keeps others out until it is done."""
    async with StorePool(tmp_path / "{tenant}.db") as pool:
        await pool.create("acme")
        erasing = asyncio.create_task(pool.erase("acme", confirm=True))
        await asyncio.sleep(0)
        erasing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await erasing
        await until(lambda: not pool._slots._slots)
        assert not (tmp_path / "acme.db").exists()


async def test_template_that_makes_no_files(tmp_path: Path) -> None:
    """With mode=rw a tenant must be made first; with mode=ro none can be made or erased."""
    async with StorePool(f"file:{tmp_path}/{{tenant}}.db?mode=rw") as pool:
        with pytest.raises(DatabaseError):
            async with pool.open("acme"):
                pytest.fail("the block ran")
        await pool.create("acme")
        async with pool.open("acme") as store:
            await store.memories.remember("Likes tea")
    async with StorePool(f"file:{tmp_path}/{{tenant}}.db?mode=ro") as pool:
        async with pool.open("acme") as store:
            assert await store.memories.count() == 1
        for use in (pool.create("b"), pool.erase("acme", confirm=True)):
            with pytest.raises(UsageError, match="reading only"):
                await use


async def test_no_folder(tmp_path: Path) -> None:
    """A folder that is not there is an error of ours."""
    async with StorePool(tmp_path / "none" / "{tenant}.db") as pool:
        with pytest.raises(DatabaseError, match=r"acme\.db cannot be created: there is no folder"):
            await pool.create("acme")
        with pytest.raises(NotFoundError):
            await pool.erase("acme", confirm=True)


async def test_relative_template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is taken from the working directory of the moment when the pool is made."""
    monkeypatch.chdir(tmp_path)
    pool = StorePool("{tenant}.db")
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    await pool.create("acme")
    await pool.close()
    assert (tmp_path / "acme.db").exists()


@pytest.mark.skipif(sys.platform == "darwin", reason="has no such names")
@pytest.mark.usefixtures("names_not_utf_8")
async def test_template_that_is_not_utf_8(tmp_path: Path) -> None:
    """A folder may have any name that the system takes."""
    folder = tmp_path / "caf\udce9"
    folder.mkdir()
    async with StorePool(folder / "{tenant}.db", max_open=1) as pool:
        await pool.create("acme")
        async with pool.open("acme") as store:
            await store.memories.remember("Likes tea")
        assert [path.name for path in folder.glob("*.db")] == ["acme.db"]


# --- servers -----------------------------------------------------------------------------------


async def test_admin_without_url(sqld: Sqld) -> None:
    """Without the admin API a pool opens namespaces, and says what it needs to make one."""
    namespace = sqld.new_namespace()
    async with StorePool(f"ws://127.0.0.1:{sqld.port}?namespace={{tenant}}") as pool:
        async with pool.open(namespace) as store:
            assert await store.memories.count() == 0
        for use in (pool.create("a"), pool.erase(namespace, confirm=True)):
            with pytest.raises(UsageError, match="admin_url"):
                await use
        with pytest.raises(DatabaseError):
            async with pool.open("no-such-namespace"):
                pytest.fail("the block ran")


async def test_admin_token(new_sqld: Callable[..., Sqld]) -> None:
    """The admin key lets in; another one, or none, is an AuthenticationError that does not show it."""
    server = new_sqld("--admin-auth-key", "k3y")
    url = f"http://127.0.0.1:{server.port}?namespace={{tenant}}"
    admin_url = f"http://127.0.0.1:{server.admin_port}"
    for token in (None, "wr0ng"):
        async with StorePool(url, admin_url=admin_url, admin_token=token) as pool:
            with pytest.raises(AuthenticationError) as caught:
                await pool.create("acme")
            assert "wr0ng" not in str(caught.value)
    async with StorePool(url, admin_url=admin_url, admin_token=lambda: "k3y") as pool:
        await pool.create("acme")
        async with pool.open("acme") as store:
            await store.memories.remember("Likes tea")
        await pool.erase("acme", confirm=True)


async def test_admin_that_is_not_there(sqld: Sqld) -> None:
    """A server that cannot be reached is a lost connection: nothing was made."""
    url = f"http://127.0.0.1:{sqld.port}?namespace={{tenant}}"
    async with StorePool(url, admin_url="http://127.0.0.1:1") as pool:
        with pytest.raises(ConnectionLostError) as caught:
            await pool.create("acme")
        assert not caught.value.outcome_unknown


async def test_admin_that_does_not_answer(sqld: Sqld) -> None:
    """An answer that is lost leaves it open whether it was done; asking again tells."""
    url = f"http://127.0.0.1:{sqld.port}?namespace={{tenant}}"
    namespace = sqld.new_namespace()
    async with proxy(sqld.admin_port) as state:
        admin_url = f"http://127.0.0.1:{state.port}"
        async with StorePool(url, admin_url=admin_url) as pool:
            state.on_reply = lambda _data: None
            with pytest.raises(ConnectionLostError) as caught:
                await pool.erase(namespace, confirm=True)
            assert caught.value.outcome_unknown
            assert state.n_connections == 1
            state.on_reply = lambda data: data
            with pytest.raises(NotFoundError):
                await pool.erase(namespace, confirm=True)


async def test_no_token_in_repr() -> None:
    """A pool shows neither its template nor a token in it."""
    pool = StorePool("http://localhost?namespace={tenant}&authToken=S3CRET")
    assert "S3CRET" not in repr(pool)
