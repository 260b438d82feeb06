"""A repository of a program's own, with its own migrations, on every driver."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest

import memrepo
from memrepo import InvalidInputError, Statement, Store
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio

TABLE: Final = "notes_migrations"
FILES: Final = {
    "0001_create_notes.sql": "CREATE TABLE notes (id INTEGER PRIMARY KEY, scope TEXT, text TEXT);\n",
    "0002_make_notes_unique.sql": "CREATE UNIQUE INDEX ux_notes ON notes (scope, text);\n",
}
ADD: Final = Statement(
    "notes.add", "INSERT INTO notes (scope, text) VALUES (:scope, :text) RETURNING id"
)
ALL: Final = Statement("notes.all", "SELECT text FROM notes WHERE scope = :scope ORDER BY id")


class Notes(memrepo.Repository):
    async def add(self, *texts: str) -> list[int]:
        unit = tuple(ADD.bind(scope=self.scope, text=text) for text in texts)
        return [result.rows[0][0] for result in await self.connection.write(unit)]

    async def all(self) -> list[str]:
        return [row[0] for row in await self.connection.read(ALL.bind(scope=self.scope))]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A program's folder of migrations."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


async def test_rows_of_its_own(store: Store, folder: Path) -> None:
    """Its tables are made once, its calls are all or nothing, and each scope has its own rows."""
    assert await store.apply_migrations(folder, version_table=TABLE) == 2
    assert await store.apply_migrations(folder, version_table=TABLE) == 2
    notes, others = Notes(store.connection), Notes(store.connection, scope="user:42")
    assert await notes.add("a", "b") == [1, 2]
    assert await others.add("a") == [3]
    with pytest.raises(memrepo.ConstraintError):
        await notes.add("c", "a")
    assert (await notes.all(), await others.all()) == (["a", "b"], ["a"])


async def test_in_one_transaction_with_facts(store: Store, folder: Path) -> None:
    """A transaction commits both, or neither; outside, nothing of it is seen before its end."""
    await store.apply_migrations(folder, version_table=TABLE)
    async with store.transaction() as tx:
        await tx.memories.remember("Likes tea")
        await Notes(tx.connection).add("a")
        assert await Notes(tx.connection).all() == ["a"]
    with suppress(ZeroDivisionError):
        async with store.transaction() as tx:
            await tx.scoped("user:42").memories.remember("Likes tea")
            await Notes(tx.connection).add("b")
            raise ZeroDivisionError
    assert await Notes(store.connection).all() == ["a"]
    assert (await store.memories.count(), await store.scoped("user:42").memories.count()) == (1, 0)


async def test_now_is_the_time_of_the_clock(store: Store, clock: Clock) -> None:
    """A repository has the clock that it is given, in UTC."""
    assert Notes(store.connection, clock=clock).now() == clock.now


async def test_a_value_that_is_missing(store: Store) -> None:
    """A placeholder without a value is refused by its name, before anything is sent."""
    with pytest.raises(InvalidInputError, match=r"^text: has no value in notes\.add$"):
        ADD.bind(scope="")


@pytest.mark.parametrize(
    "sql", ["BEGIN", "; begin", "-- a\n COMMIT", "/* a */ Rollback", "ATTACH 'x' AS y"]
)
async def test_a_statement_that_ends_transactions(sql: str) -> None:
    """A statement cannot begin or end a transaction of the connection, which would lose other tasks' writes."""
    with pytest.raises(InvalidInputError, match="sql: must not begin with"):
        Statement("notes.control", sql)


async def test_a_statement_that_is_not_text() -> None:
    """A name or a text of another type is refused when the statement is made."""
    with pytest.raises(InvalidInputError, match="sql: must be str, not NoneType"):
        Statement("notes.none", None)  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="name: must be str, not int"):
        Statement(5, "SELECT 1")  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [datetime.now(UTC), {}, Path("x"), bytearray(b"x")])
async def test_a_value_of_another_type(value: Any) -> None:
    """A value that drivers would store in forms of their own is refused when it is bound."""
    with pytest.raises(
        InvalidInputError, match="text: must be int, float, str, bytes or None, not"
    ):
        ADD.bind(scope="", text=value)


async def test_the_scope_of_a_store_and_of_a_transaction(store: Store) -> None:
    """A scoped store and its transactions name their scope, so that one's own repository can share it."""
    hers = store.scoped("user:42")
    assert (store.scope, hers.scope) == ("", "user:42")
    async with hers.transaction() as tx:
        assert (tx.scope, tx.scoped("team").scope) == ("user:42", "team")
