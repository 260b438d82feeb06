"""The contract of a connection itself, on every driver: values, counts, order, errors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

import memrepo
from memrepo import ConstraintError, DatabaseError, StatementEvent
from memrepo.connection.contract import Driver
from memrepo.queries.statement import BoundStatement, Statement
from tests.patience import PATIENCE_S

pytestmark = pytest.mark.asyncio


def sql(text: str, **parameters: Any) -> BoundStatement:
    return Statement("test", text).bind(**parameters)


@pytest_asyncio.fixture
async def connection(url: str) -> AsyncIterator[Driver]:
    """A connection to a database with a table of every kind of constraint."""
    async with memrepo.connect(url) as store:
        await store.connection.write(
            (
                sql("CREATE TABLE p (id INTEGER PRIMARY KEY)"),
                sql(
                    "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, v, u TEXT UNIQUE, "
                    "n TEXT NOT NULL DEFAULT '', c INTEGER CHECK (c > 0), p INTEGER REFERENCES p)"
                ),
            )
        )
        yield store._driver


@pytest.mark.parametrize(
    "value",
    [
        *(None, 0, -1, 2**31, 2**53 + 1, 2**63 - 1, -(2**63)),
        *(0.0, 0.1, 1e308, 5e-324, -1.5),
        *("", " ", "a\0b", "\ufeffx", "\uffff", "\U0001f600\U0010ffff", "\x01\x1f\x7f", "'\"`\\%"),
        *(b"", b"\0", b"\x00\x01\xff", b"ab", b"abc"),
    ],
    ids=ascii,
)
async def test_values_come_back_as_they_went_in(connection: Driver, value: object) -> None:
    """Every value that SQLite stores keeps its type and itself, bound, stored and returned."""
    insert = sql("INSERT INTO t (v) VALUES (:v) RETURNING v", v=value)
    (written,) = await connection.write((insert,))
    (read,) = await connection.read(sql("SELECT v, :v FROM t", v=value))
    assert [*written.rows[0], *read] == [value] * 3
    assert {type(found) for found in (*written.rows[0], *read)} == {type(value)}


async def test_awaited_by_asyncio(connection: Driver) -> None:
    """What `write` and `read` return can be awaited by whatever of asyncio takes an awaitable."""
    insert = sql("INSERT INTO t (v) VALUES (1) RETURNING v")
    written, rows = await asyncio.gather(
        connection.write((insert,)), connection.read(sql("SELECT 2"))
    )
    assert written[0].rows == [(1,)]
    assert rows == [(2,)]
    assert await asyncio.wait_for(connection.read(sql("SELECT 3")), PATIENCE_S) == [(3,)]
    async with asyncio.timeout(PATIENCE_S):
        assert await asyncio.shield(connection.read(sql("SELECT 4"))) == [(4,)]
    await asyncio.wait({asyncio.ensure_future(connection.write((insert,)))})
    assert await connection.read(sql("SELECT count(*) FROM t")) == [(2,)]


async def test_changes_and_rows(connection: Driver) -> None:
    """The number of changed rows and the rows returned are the same everywhere."""
    results = await connection.write(
        (
            sql("INSERT INTO t (u) VALUES ('a'), ('b'), ('c')"),
            sql("INSERT OR IGNORE INTO t (u) VALUES ('a') RETURNING id"),
            sql("INSERT OR IGNORE INTO t (u) VALUES ('d') RETURNING id"),
            sql("UPDATE t SET v = 1 WHERE u < 'c' RETURNING u"),
            sql("UPDATE t SET v = 1 WHERE u = 'x'"),
            sql("DELETE FROM t WHERE u = 'a' RETURNING u"),
            sql("SELECT u FROM t ORDER BY u"),
            sql("DELETE FROM t"),
            sql("DELETE FROM t"),
        )
    )
    assert [result.changes for result in results] == [3, 0, 1, 2, 0, 1, 0, 3, 0]
    assert [result.rows for result in results] == [
        *([], [], [(5,)], [("a",), ("b",)], []),
        *([("a",)], [("b",), ("c",), ("d",)], [], []),
    ]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("INSERT INTO t (u) VALUES ('x'), ('x')", "unique"),
        ("INSERT INTO t (id) VALUES (1), (1)", "unique"),
        ("INSERT INTO t (n) VALUES (NULL)", "not null"),
        ("INSERT INTO t (c) VALUES (0)", "check"),
        ("INSERT INTO t (p) VALUES (77)", "foreign key"),
    ],
)
@pytest.mark.parametrize("in_transaction", [False, True])
async def test_constraints(
    connection: Driver, text: str, kind: str, *, in_transaction: bool
) -> None:
    """Each constraint has its kind of error, on every driver, and undoes its whole unit."""
    unit = (sql("INSERT INTO t (v) VALUES ('whole')"), sql(text))
    with pytest.raises(ConstraintError) as caught:  # noqa: PT012 - a whole block is tested
        if in_transaction:
            async with connection.transaction() as transaction:
                await transaction.write(unit)
        else:
            await connection.write(unit)
    assert caught.value.kind == kind
    assert await connection.read(sql("SELECT count(*) FROM t")) == [(0,)]


@pytest.mark.parametrize("text", ["SELECT nothing", "SELECT * FROM nothing", "SELCT 1"])
async def test_statements_that_fail(connection: Driver, text: str) -> None:
    """A statement that cannot run is a plain DatabaseError whose outcome is known."""
    with pytest.raises(DatabaseError) as read:
        await connection.read(sql(text))
    with pytest.raises(DatabaseError) as written:
        await connection.write((sql("INSERT INTO t (v) VALUES (1)"), sql(text)))
    for error in (read.value, written.value):
        assert type(error) is DatabaseError
        assert not error.outcome_unknown
    assert await connection.read(sql("SELECT count(*) FROM t")) == [(0,)]


async def test_units_that_wait_together_fail_alone(connection: Driver) -> None:
    """Of many units at once, those that fail leave nothing, and their neighbours are stored whole."""
    texts = ["INSERT INTO t (c) VALUES (1)", "INSERT INTO t (c) VALUES (0)", "SELECT nothing"]
    results = await asyncio.gather(
        *(
            connection.write((sql("INSERT INTO t (v) VALUES (:v)", v=n), sql(texts[n % 3])))
            for n in range(60)
        ),
        return_exceptions=True,
    )
    assert [isinstance(result, BaseException) for result in results] == [False, True, True] * 20
    rows = await connection.read(sql("SELECT v FROM t WHERE v IS NOT NULL ORDER BY id"))
    assert rows == [(n,) for n in range(0, 60, 3)]


async def test_units_of_nothing(connection: Driver) -> None:
    """They give nothing, alone or between others, and hold nobody up."""
    assert list(await connection.write(())) == []
    insert = (sql("INSERT INTO t (v) VALUES (1)"),)
    units = [insert, (), insert, (), insert]
    async with asyncio.timeout(PATIENCE_S):
        results = await asyncio.gather(*map(connection.write, units))
    assert [len(result) for result in results] == [1, 0, 1, 0, 1]


async def test_units_run_in_the_order_of_their_calls(connection: Driver) -> None:
    """What was called first is stored first."""
    unit = Statement("test", "INSERT INTO t (v) VALUES (:v) RETURNING id")
    results = await asyncio.gather(*(connection.write((unit.bind(v=n),)) for n in range(300)))
    assert [result[0].rows[0][0] for result in results] == list(range(1, 301))


async def test_large_unit_is_whole(connection: Driver) -> None:
    """A unit of several megabytes is stored whole or not at all, with all that it returns."""
    insert = Statement("test", "INSERT INTO t (v) VALUES (:v) RETURNING v")
    unit = tuple(insert.bind(v=f"{n}" * 400_000) for n in range(8))
    results = await connection.write(unit)
    assert [result.rows[0][0][0] for result in results] == list("01234567")
    with pytest.raises(ConstraintError):
        await connection.write((*unit, sql("INSERT INTO t (c) VALUES (0)")))
    assert await connection.read(sql("SELECT count(*) FROM t")) == [(8,)]
    async with connection.transaction() as transaction:
        with pytest.raises(ConstraintError):
            await transaction.write((*unit, sql("INSERT INTO t (c) VALUES (0)")))
        await transaction.write(unit)
    assert await connection.read(sql("SELECT count(*) FROM t")) == [(16,)]


async def test_large_reply(driver: str, connection: Driver) -> None:
    """A SELECT returns as many megabytes as there are; the protocol's second version has no way to."""
    insert = Statement("test", "INSERT INTO t (v) VALUES (:v)")
    for _ in range(3):
        await connection.write(tuple(insert.bind(v="x" * 800_000) for _ in range(5)))
    if driver == "http-v2":
        with pytest.raises(DatabaseError, match="larger than the server sends"):
            await connection.read(sql("SELECT v FROM t"))
        return
    rows = await connection.read(sql("SELECT v FROM t"))
    assert sum(len(row[0]) for row in rows) == 12_000_000


async def test_statements_are_reported(url: str) -> None:
    """Each statement that ran is told of, by its name, with its rows and a time."""
    events: list[StatementEvent] = []
    async with memrepo.connect(url, on_statement=events.append) as store:
        events.clear()
        await store.memories.remember("Likes tea")
        await store.memories.count()
    assert [event.name for event in events] == ["memories.remember", "memories.count"]
    assert [event.n_rows for event in events] == [1, 1]
    assert all(0 <= event.duration_s < 5 and event.error is None for event in events)


async def test_ping(url: str) -> None:
    """A ping writes, and changes nothing."""
    async with memrepo.connect(url) as store:
        await store.ping()
        assert await store.verify() == []
