"""A program's own statements, on every driver: what is refused before it runs, and what an error says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
import pytest_asyncio

import memrepo
from memrepo import ConstraintError, DatabaseError, InvalidInputError, Statement, Store

pytestmark = pytest.mark.asyncio

SECRET: Final = "the secret"
ADD: Final = Statement("notes.add", "INSERT INTO notes (text, n) VALUES (:text, :n) RETURNING text")
COUNT: Final = Statement("notes.count", "SELECT count(*) FROM notes")
CREATE: Final = Statement(
    "notes.create",
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL, n INTEGER DEFAULT 1 "
    "CONSTRAINT is_positive CHECK (n > 0), UNIQUE (text, n))",
)


@pytest_asyncio.fixture
async def store(url: str) -> AsyncIterator[Store]:
    """A store with a table of the program's own."""
    async with memrepo.connect(url) as store:
        await store.connection.write((CREATE.bind(),))
        yield store


async def count(store: Store) -> int:
    ((number,),) = await store.connection.read(COUNT.bind())
    assert isinstance(number, int)
    return number


async def test_long_statement(store: Store) -> None:
    """One that has declared itself long reads what was written before, in a transaction, too."""
    long = Statement("notes.find", "SELECT text FROM notes WHERE text = :text", is_long=True)
    for text in ("a", "b", "c"):
        await store.connection.write((ADD.bind(text=text, n=1),))
        rows = await asyncio.gather(*(store.connection.read(long.bind(text=text)) for _ in "xyz"))
        assert rows == [[(text,)]] * 3
    async with store.transaction() as tx:
        await tx.connection.write((ADD.bind(text="d", n=1),))
        assert await tx.connection.read(long.bind(text="d")) == [("d",)]
    wrong = Statement("notes.none", "SELECT * FROM no_table", is_long=True)
    with pytest.raises(DatabaseError, match=r"notes\.none failed"):
        await store.connection.read(wrong.bind())


async def test_value_that_cannot_be_bound_after_a_failure(store: Store) -> None:
    """What a statement before has failed of is not taken for what is wrong with a value."""
    wrong = Statement("notes.none", "SELECT * FROM no_table")
    find = Statement("notes.find", "SELECT text FROM notes WHERE text = :text")
    for text in ("\ud800", "a\udfff"):
        with pytest.raises(DatabaseError):
            await store.connection.read(wrong.bind())
        with pytest.raises(InvalidInputError, match="text"):
            await store.connection.read(find.bind(text=text))


@pytest.mark.parametrize(
    ("unit", "field"),
    [
        (ADD.bind(text="a", n=1), "unit"),
        ("INSERT INTO notes (text) VALUES (1)", "unit"),
        ([ADD.bind(text="a", n=1)], "unit"),
        (ADD, "unit"),
        (None, "unit"),
        ((ADD,), "statement"),
        ((ADD.bind(text="a", n=1), "SELECT 1"), "statement"),
    ],
    ids=["no tuple", "a text", "a list", "a statement", "none", "not bound", "a text inside"],
)
async def test_what_is_no_unit(store: Store, unit: Any, field: str) -> None:
    """It is refused before anything runs, in a store and in a transaction, and the store goes on."""
    with pytest.raises(InvalidInputError) as refused:
        await store.connection.write(unit)
    assert refused.value.field == field
    async with store.transaction() as tx:
        with pytest.raises(InvalidInputError):
            await tx.connection.write(unit)
        await tx.connection.write((ADD.bind(text="b", n=1),))
    assert await count(store) == 1


async def test_what_is_no_bound_statement(store: Store) -> None:
    """What `read` is given is checked in the same way."""
    for given in ("SELECT 1", COUNT, (COUNT.bind(),)):
        with pytest.raises(InvalidInputError, match=r"^statement: must be what Statement.bind"):
            await store.connection.read(given)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO notes (text, n) VALUES ('x', 1) RETURNING text",
        "/* first */ update notes SET n = 2 RETURNING n",
        "WITH old AS (SELECT text FROM notes) DELETE FROM notes WHERE text IN old RETURNING n",
        "with a as (select 'delete') replace  into notes (text, n) select *, 1 from a returning n",
        "CREATE TABLE others (n)",
        "DROP TABLE notes",
        "VACUUM",
    ],
)
async def test_what_writes_is_no_read(store: Store, sql: str) -> None:
    """`read` refuses a statement that writes before it runs, in a transaction, too."""
    await store.connection.write((ADD.bind(text="a", n=1),))
    wrong = Statement("notes.wrong", sql)
    with pytest.raises(InvalidInputError, match=r"^statement: must only read: notes\.wrong is for"):
        await store.connection.read(wrong.bind())
    async with store.transaction() as tx:
        with pytest.raises(InvalidInputError):
            await tx.connection.read(wrong.bind())
    assert await count(store) == 1


@pytest.mark.parametrize(
    "sql",
    [
        "WITH a AS (SELECT 'insert into x' AS b) SELECT replace(b, 'x', 'y') FROM a",
        "WITH `update` AS (SELECT 1 AS [delete]) SELECT [delete] FROM `update` -- insert",
        "VALUES (1)",
        " ; SELECT 1",
        "EXPLAIN QUERY PLAN SELECT * FROM notes",
    ],
)
async def test_what_only_seems_to_write_is_a_read(store: Store, sql: str) -> None:
    """Words that are part of a text, a name, a comment or a function do not make a statement one that writes."""
    assert len(await store.connection.read(Statement("notes.right", sql).bind())) >= 1


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, "a\ud800b"], ids=ascii)
async def test_value_that_cannot_be_stored_fails_alone(store: Store, value: Any) -> None:
    """Of 61 calls that run together, the one with the value fails, by the value's name; the rest are stored."""
    units = [(ADD.bind(text=f"{n}", n=1),) for n in range(60)]
    units.insert(30, (ADD.bind(text="x", n=1), ADD.bind(text=value, n=1)))  # type: ignore[arg-type]
    results = await asyncio.gather(*map(store.connection.write, units), return_exceptions=True)
    (refused,) = [result for result in results if isinstance(result, BaseException)]
    assert isinstance(refused, InvalidInputError)
    assert (refused.field, refused.__cause__) == ("text", None)
    assert await count(store) == 60


@pytest.mark.parametrize("value", [2**63, "\ud800"], ids=ascii)
async def test_value_that_cannot_be_stored_in_a_block(store: Store, value: Any) -> None:
    """In a transaction only that call is undone; a read with such a value fails alone, too."""
    async with store.transaction() as tx:
        with pytest.raises(InvalidInputError, match=r"^n: "):
            await tx.connection.write((ADD.bind(text="x", n=1), ADD.bind(text="y", n=value)))
        await tx.connection.write((ADD.bind(text="z", n=1),))
    select = Statement("notes.select", "SELECT :value")
    with pytest.raises(InvalidInputError, match=r"^value: "):
        await store.connection.read(select.bind(value=value))
    assert await count(store) == 1


@pytest.mark.parametrize(
    ("values", "kind", "place"),
    [
        ({"text": SECRET, "n": 1}, "unique", "notes.text, notes.n"),
        ({"text": None, "n": 1}, "not null", "notes.text"),
        ({"text": SECRET, "n": -1}, "check", "is_positive"),
    ],
)
async def test_constraint_is_named(
    store: Store, values: dict[str, Any], kind: str, place: str
) -> None:
    """A refused row's error names the columns or the check, and no value."""
    await store.connection.write((ADD.bind(text=SECRET, n=1),))
    with pytest.raises(ConstraintError) as refused:
        await store.connection.write((ADD.bind(**values),))
    assert (refused.value.kind, refused.value.place) == (kind, place)
    assert str(refused.value) == f"the database refused the row: {kind} constraint on {place}"


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SELECT * FROM missing", "no such table: missing"),
        ("SELECT missing FROM notes", "no such column: missing"),
        ("SELECT missing(1)", "no such function: missing"),
        ("INSERT INTO notes (missing) VALUES (1)", "table notes has no column named missing"),
        ("SELEC 1", 'near "SELEC"|error: `SELEC`'),
    ],
)
async def test_error_names_the_statement_and_the_reason(
    store: Store, sql: str, reason: str
) -> None:
    """A statement that cannot run says which it is, and what SQLite says of it."""
    with pytest.raises(DatabaseError, match=rf"(^|: )notes\.wrong failed: .*({reason})") as failed:
        await store.connection.write((Statement("notes.wrong", sql).bind(),))
    assert not failed.value.outcome_unknown
    wrong = Statement("notes.wrong", sql)
    if not wrong.is_write:
        with pytest.raises(DatabaseError, match=rf"(^|: )notes\.wrong failed: .*({reason})"):
            await store.connection.read(wrong.bind())


async def test_reason_that_quotes_a_value_is_withheld(store: Store) -> None:
    """Where SQLite's sentence has a value in it, the message has only the statement's name."""
    wrong = Statement("notes.wrong", "SELECT json_extract('{}', :path)")
    with pytest.raises(DatabaseError) as failed:
        await store.connection.read(wrong.bind(path=SECRET))
    assert "notes.wrong failed (" in str(failed.value)
    assert SECRET in str(failed.value.__cause__)


@pytest.mark.parametrize("length", [300, 4_000, 5_200, 50_000])
async def test_long_text_twice_in_a_unit(store: Store, length: int) -> None:
    """A statement runs several times in a unit, however long its text is."""
    sql = "SELECT :n /*"
    long = Statement("notes.long", f"{sql}{'x' * (length - len(sql) - 2)}*/")
    results = await store.connection.write((long.bind(n=1), long.bind(n=2)))
    assert [result.rows for result in results] == [[(1,)], [(2,)]]
