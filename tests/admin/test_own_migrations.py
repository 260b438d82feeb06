"""A program's own migrations beside ours: each once, whole or not at all, never a changed one."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from contextlib import AsyncExitStack, closing
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pytest

import memrepo
from memrepo import InvalidInputError, MigrationError

pytestmark = pytest.mark.asyncio

TABLE: Final = "app_migrations"
FIRST: Final = "CREATE TABLE a (x INTEGER);\n"
SECOND: Final = "ALTER TABLE a ADD COLUMN y TEXT;\nCREATE INDEX ix_a ON a (y);\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "agent.db"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with two migrations, and a file that is none."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_create_a.sql").write_text(FIRST)
    (folder / "0002_add_y.sql").write_text(SECOND)
    (folder / "README.md").write_text("rules")
    return folder


def rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(path)) as database:
        return database.execute(sql).fetchall()


async def apply(path: Path, folder: Path, table: str = TABLE) -> int:
    async with memrepo.connect(path) as store:
        return await store.apply_migrations(folder, version_table=table)


async def test_each_is_recorded(path: Path, folder: Path) -> None:
    """The version table has a row for each file; ours is as it was, and so is the schema's version."""
    ours = "SELECT * FROM memrepo_migrations"
    async with memrepo.connect(path) as store:
        before = rows(path, ours)
        assert await store.apply_migrations(str(folder), version_table=TABLE) == 2
        assert store.schema_version == len(before)
    assert rows(path, ours) == before
    assert rows(path, f"SELECT number, name, checksum FROM {TABLE}") == [
        (1, "0001_create_a", sha256(FIRST.encode()).hexdigest()),
        (2, "0002_add_y", sha256(SECOND.encode()).hexdigest()),
    ]


async def test_a_later_file_is_applied_later(path: Path, folder: Path) -> None:
    """Only what is new is applied; the rows of before stay."""
    later = (folder / "0002_add_y.sql").rename(folder / "later")
    assert await apply(path, folder) == 1
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("INSERT INTO a VALUES (5)")
    later.rename(folder / "0002_add_y.sql")
    assert await apply(path, folder) == 2
    assert rows(path, "SELECT x, y FROM a") == [(5, None)]


async def test_two_folders_do_not_mix(path: Path, folder: Path, tmp_path: Path) -> None:
    """Each version table knows its own folder only."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "0001_create_b.sql").write_text("CREATE TABLE b (x);\n")
    assert await apply(path, folder) == 2
    assert await apply(path, other, "other_migrations") == 1
    assert await apply(path, folder) == 2


async def test_an_empty_folder(path: Path, tmp_path: Path) -> None:
    """A folder without migrations changes nothing."""
    assert await apply(path, tmp_path) == 0
    assert rows(path, f"SELECT name FROM sqlite_master WHERE name = '{TABLE}'") == []


async def test_many_stores_at_once(path: Path, folder: Path) -> None:
    """However many connections do it at once, each file is applied once."""
    async with AsyncExitStack() as stack:
        stores = [await stack.enter_async_context(memrepo.connect(path)) for _ in range(8)]
        versions = await asyncio.gather(
            *(store.apply_migrations(folder, version_table=TABLE) for store in stores)
        )
    assert versions == [2] * 8
    assert rows(path, f"SELECT number FROM {TABLE}") == [(1,), (2,)]


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"0001_create_a.sql": "CREATE TABLE a (x TEXT);\n"}, "0001_create_a.sql is not the file"),
        ({"0002_add_y.sql": None}, "0002_add_y, newer than the 1 known here"),
        ({"0001_create_a.sql": None, "0002_add_y.sql": None}, "newer than the 0 known here"),
        ({"0004_add_z.sql": "SELECT 1;\n"}, "migrations/0004_add_z.sql: expected a file 0003_"),
        ({"3_add_z.sql": "SELECT 1;\n"}, "migrations/3_add_z.sql: expected a file 0003_"),
        ({"0003_add_z.sql": "SELECT 1"}, "0003_add_z: the last statement has no semicolon"),
        (
            {"0003_add_z.sql": "CREATE TABLE z (x);\nCREATE TABL z;\n"},
            'near "TABL": syntax error (SQLITE_ERROR); 0003_add_z was not applied',
        ),
        ({"0003_add_z.sql": "CREATE TABLE z (x);\n/* */ COMMIT;\n"}, "COMMIT is not allowed"),
        ({"0003_add_z.sql": "CREATE TABLE z (x);\n-- new\nvacuum;\n"}, "VACUUM is not allowed"),
        ({"0003_add_z.sql": "CREATE TABLE z (x);\0\n"}, "0003_add_z.sql: has a NUL character"),
        (
            {"0003_add_z.sql": "INSERT INTO a (x) VALUES (:x);\n"},
            "0003_add_z: nothing is bound to :x",
        ),
        ({"0003_add_z.sql": "INSERT INTO a (x) VALUES (?);\n"}, "0003_add_z: a statement has the"),
        ({"0003_add_z.sql": f"DROP TABLE {TABLE};\n"}, "0003_add_z was not applied"),
        (
            {"0003_add_z.sql": f"ALTER TABLE {TABLE} RENAME TO z;\n"},
            "0003_add_z was not applied",
        ),
        (
            {"0003_add_z.sql": f"DELETE FROM {TABLE};\n"},
            "0003_add_z: a row breaks a constraint, or",
        ),
    ],
    ids=str,
)
async def test_what_is_refused(
    path: Path, folder: Path, changed: dict[str, str | None], complaint: str
) -> None:
    """A changed, missing, misnamed or failing file is refused by its name, and nothing of it is applied."""
    await apply(path, folder)
    before = rows(path, "SELECT sql FROM sqlite_master")
    for name, text in changed.items():
        if text is None:
            (folder / name).unlink()
        else:
            (folder / name).write_text(text)
    with pytest.raises(MigrationError, match=re.escape(complaint)):
        await apply(path, folder)
    assert rows(path, "SELECT sql FROM sqlite_master") == before
    assert rows(path, f"SELECT number FROM {TABLE}") == [(1,), (2,)]


async def test_a_file_that_is_no_text(path: Path, folder: Path) -> None:
    """A file that is not UTF-8 is refused by its name."""
    (folder / "0003_add_z.sql").write_bytes(b"-- \xff\n")
    with pytest.raises(MigrationError, match=r"migrations/0003_add_z\.sql: is not UTF-8 text"):
        await apply(path, folder)


async def test_a_folder_that_is_named_like_a_file(path: Path, folder: Path) -> None:
    """What cannot be read is refused by its name, with the system's reason."""
    (folder / "0003_add_z.sql").mkdir()
    with pytest.raises(MigrationError, match=r"0003_add_z\.sql: cannot be read \(Is a directory\)"):
        await apply(path, folder)


async def test_a_table_of_that_name_that_is_none_of_versions(path: Path, folder: Path) -> None:
    """A table that somebody uses for something else is not taken for a version table."""
    async with memrepo.connect(path):
        pass
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(f"CREATE TABLE {TABLE} (x)")
    with pytest.raises(MigrationError, match=f"the table {TABLE} belongs to another program"):
        await apply(path, folder)


@pytest.mark.parametrize(
    "table",
    [
        *("", "a b", "Notes", "1a", "a-b", "a`b", "a;drop", "ä", "a\n", "x" * 64, 5, None),
        *("memrepo_migrations", "memory_entries", "sessions", "daily_logs", "memrepo_x"),
        *("sqlite_master", "sqlite_x", "libsql_x"),
    ],
    ids=ascii,
)
async def test_names_that_no_version_table_can_have(path: Path, folder: Path, table: Any) -> None:
    """The name is an identifier, and none of ours or of the database's own."""
    async with memrepo.connect(path) as store:
        with pytest.raises(InvalidInputError, match=r"^version_table: "):
            await store.apply_migrations(folder, version_table=table)


async def test_what_is_no_folder(path: Path, folder: Path) -> None:
    """A folder that is not there, or a file, is refused."""
    places: list[Any] = [folder / "missing", folder / "0001_create_a.sql", None, 5]
    for place in places:
        with pytest.raises(InvalidInputError, match=r"^folder: is not a folder$"):
            await apply(path, place)


async def test_a_read_only_store(path: Path, folder: Path) -> None:
    """What was opened for reading is not migrated."""
    async with memrepo.connect(path):
        pass
    async with memrepo.connect(f"file:{path}?mode=ro") as store:
        with pytest.raises(memrepo.ReadOnlyError):
            await store.apply_migrations(folder, version_table=TABLE)
