"""A schema with something that this SQLite does not have, as libSQL's vector index: what can still be done."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

import memrepo
from tests.conftest import Clock
from tests.servers.sqld import Sqld

pytestmark = pytest.mark.asyncio

_VECTORS = (
    "CREATE TABLE memory_embeddings (memory_id INTEGER PRIMARY KEY, embedding F32_BLOB(4))",
    "CREATE INDEX memory_embeddings_idx ON memory_embeddings (libsql_vector_idx(embedding))",
    "INSERT INTO memory_embeddings VALUES (1, vector32('[1,2,3,4]'))",
)


def _with_function(path: Path) -> str:
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.create_function("soundex_of", 1, str.upper, deterministic=True)
        raw.execute("CREATE TABLE others (x)")
        raw.execute("CREATE INDEX others_x ON others (soundex_of(x))")
        raw.execute("INSERT INTO others VALUES ('a')")
    return "others"


def _with_collation(path: Path) -> str:
    with closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.create_collation("german", lambda one, other: (one > other) - (one < other))
        raw.execute("CREATE TABLE others (x COLLATE german)")
        raw.execute("CREATE INDEX others_x ON others (x)")
        raw.execute("INSERT INTO others VALUES ('a'), ('b')")
    return "others"


async def _check(path: Path, unknown: str, clock: Clock) -> None:
    copy = path.with_name("copy.db")
    async with memrepo.connect(path, clock=clock) as store:
        await store.memories.remember("Tea, no milk")
        await store.backup(copy)
        (problem,) = await store.verify()
        assert (problem.kind, problem.table) == ("not checked", unknown)
        assert "this SQLite does not have" in problem.detail
    async with memrepo.connect(copy, clock=clock) as store:
        assert (await store.memories.remember("tea, no milk")).outcome == "duplicate"
    with closing(sqlite3.connect(path)) as raw, closing(sqlite3.connect(copy)) as other:
        schema = "SELECT name, sql FROM sqlite_master ORDER BY name"
        assert raw.execute(schema).fetchall() == other.execute(schema).fetchall()
    assert [file.name for file in path.parent.glob("*.partial*")] == []


@pytest.mark.parametrize("add", [_with_function, _with_collation])
async def test_unknown_function_or_collation(
    add: Callable[[Path], str], tmp_path: Path, clock: Clock
) -> None:
    """A table of another program that needs more than this SQLite: a backup has it, `verify` names it."""
    path = tmp_path / "agent.db"
    unknown = add(path)
    await _check(path, unknown, clock)


async def test_vector_index(new_sqld: Callable[..., Sqld], tmp_path: Path, clock: Clock) -> None:
    """So it is with the file of a server that has a vector index, and on the server nothing is amiss."""
    server = new_sqld()
    namespace = server.new_namespace()
    async with memrepo.connect(server.url(namespace), clock=clock) as store:
        server.query(namespace, *_VECTORS)
        await store.memories.remember("Has a dog")
        assert await store.verify() == []
    server.stop()
    path = tmp_path / "jarvis.db"
    for suffix in ("", "-wal"):
        (source,) = server.folder.glob(f"data.sqld/dbs/{namespace}/data{suffix}")
        shutil.copy(source, f"{path}{suffix}")
    await _check(path, "memory_embeddings", clock)


async def test_damage_is_still_found(tmp_path: Path, clock: Clock) -> None:
    """Beside a table that cannot be checked, the others are."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, clock=clock) as store:
        session = await store.sessions.start()
        await store.sessions.end(session.id)
    _with_function(path)
    # Two indexes change places: the first has no row now, though the table has one.
    first, second = "ix_sessions__open", "ix_sessions__scope_started_at"
    with closing(sqlite3.connect(path)) as raw:
        roots = dict(raw.execute("SELECT name, rootpage FROM sqlite_master"))
        raw.execute("PRAGMA writable_schema = ON")
        for name, other in ((first, second), (second, first)):
            raw.execute(
                "UPDATE sqlite_master SET rootpage = ? WHERE name = ?", (roots[other], name)
            )
        raw.commit()
    async with memrepo.connect(path, clock=clock) as store:
        kinds = {(its.kind, its.table) for its in await store.verify()}
    assert kinds == {("not checked", "others"), ("integrity", "sessions")}


async def test_backup_cancelled(tmp_path: Path, clock: Clock) -> None:
    """A cancelled copy leaves nothing behind, and the store goes on at once."""
    path = tmp_path / "agent.db"
    _with_function(path)
    with closing(sqlite3.connect(path)) as raw:
        raw.execute("CREATE TABLE filler AS SELECT zeroblob(60000000) AS x")
    async with memrepo.connect(path, clock=clock) as store:
        task = asyncio.create_task(store.backup(tmp_path / "copy.db"))
        while not list(tmp_path.glob("copy.db.*partial")):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()
        assert (await store.memories.remember("Tea, no milk")).outcome == "created"
    assert list(tmp_path.glob("copy.db*")) == []
