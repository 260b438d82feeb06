"""
The schema: what a new database gets, what is refused untouched, and what a failing step leaves.

After a wanted change of the schema, write the golden file anew, and read the difference::

    .venv/bin/python -m tests.admin.test_migrations
"""

from __future__ import annotations

import asyncio
import re
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Awaitable, Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import TypeVar, cast

import pytest

import memrepo
from memrepo.admin import migrations
from memrepo.admin.migrate import migrate
from memrepo.admin.migrations import Migration, load_migrations
from memrepo.connection.contract import Connection, Result
from memrepo.domain.codec import Row
from memrepo.queries.statement import BoundStatement, Unit
from tests import leaks
from tests.conftest import Clock, complaints
from tests.patience import PATIENCE_S

PROJECT = Path(__file__).parents[2]
SCHEMA = PROJECT / "schema"
GOLDEN = Path(__file__).parents[1] / "golden" / "schema.sql"
HEADER = "-- The schema of a new database, but for its version table.\n-- Write it anew: .venv/bin/python -m tests.admin.test_migrations\n"

T = TypeVar("T")

KNOWN = load_migrations()
LATEST = len(KNOWN)


def schema_of(path: Path) -> dict[str, str]:
    """Return the SQL of everything in a database, but for the version table, by kind and name."""
    with closing(sqlite3.connect(path)) as connection:
        return _schema(connection)


def _schema(connection: sqlite3.Connection) -> dict[str, str]:
    rows = connection.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL"
        " AND name NOT IN ('memrepo_migrations', 'sqlite_sequence') ORDER BY type DESC, name"
    )
    return {f"{kind} {name}": sql for kind, name, sql in rows}


def replayed(version: int) -> dict[str, str]:
    """Return the schema that the first *version* files make, run by SQLite's own shell function."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for migration in KNOWN[:version]:
            connection.executescript(migration.sql)
        return _schema(connection)


def versions_of(path: Path) -> list[Row]:
    """Return the rows of the version table; an empty list if there is no such table."""
    with closing(sqlite3.connect(path)) as connection:
        if not connection.execute(
            "SELECT 1 FROM sqlite_master WHERE name = 'memrepo_migrations'"
        ).fetchall():
            return []
        return connection.execute("SELECT * FROM memrepo_migrations ORDER BY number").fetchall()


def make(path: Path, script: str, *, wal: bool = False) -> None:
    """Make a database with the sqlite3 module."""
    with closing(sqlite3.connect(path)) as connection:
        if wal:
            connection.execute("PRAGMA journal_mode = wal")
        connection.executescript(script)


def image(path: Path) -> dict[str, str]:
    """Return the hash of every file of a database's folder."""
    return {file.name: sha256(file.read_bytes()).hexdigest() for file in path.parent.iterdir()}


def assert_whole(path: Path) -> int:
    """Assert that a database has the schema of one version, all of it; return the version."""
    version = len(versions_of(path))
    assert schema_of(path) == replayed(version)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    return version


def one_more(sql: str) -> tuple[Migration, ...]:
    """Return our migrations and another one."""
    return (*KNOWN, Migration(LATEST + 1, f"{LATEST + 1:04d}_try_something", sql))


def golden_text() -> str:
    """Return what the golden file must hold."""
    return HEADER + "".join(f"\n-- {name}\n{sql};\n" for name, sql in replayed(LATEST).items())


# --- the files ---------------------------------------------------------------------------------


def test_files_obey_the_convention() -> None:
    """Each file is named and introduced as schema/README.md says, and none is missing."""
    files = sorted(SCHEMA.glob("*.sql"))
    assert [file.name[:4] for file in files] == [f"{n:04d}" for n in range(1, LATEST + 1)]
    for file in files:
        assert re.fullmatch(r"\d{4}(_[a-z0-9]+)+\.sql", file.name)
        text = file.read_bytes().decode()
        assert re.match(r"-- What: .+?\n-- Why: .+?\n-- While old code runs: ", text, re.DOTALL)
        assert text.endswith(";\n")
        assert "\r" not in text
        # The runner's transaction is the only one.
        assert not re.search(r"(?im)^\s*(BEGIN|COMMIT|END|ROLLBACK|SAVEPOINT|VACUUM)\b.*;", text)


def test_files_are_split_whole() -> None:
    """No character of a file that is not white space is lost between its statements."""
    for migration in KNOWN:
        joined = "".join(statement.sql for statement in migration.statements())
        assert "".join(joined.split()) == "".join(migration.sql.split())


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        pytest.param("CREATE TABLE a (x);\nCREATE TABLE b (x);\n", 2, id="two statements"),
        pytest.param("CREATE TABLE a (\n  x\n)\n;\n", 1, id="many lines"),
        pytest.param("-- first; of all\nCREATE TABLE a (x);\n", 1, id="semicolon in a comment"),
        pytest.param("/* a;\nb; */ CREATE TABLE a (x);\n", 1, id="semicolons in a block comment"),
        pytest.param("CREATE TABLE a (x); -- it is a;\n", 1, id="comment after it"),
        pytest.param("CREATE TABLE a (x DEFAULT 'p;\nq;');\n", 1, id="semicolons in a text"),
        pytest.param("CREATE TABLE `a;\nb` (x);\n", 1, id="semicolon in a name"),
        pytest.param(
            "CREATE TABLE a (x);\n"
            "CREATE TRIGGER tr AFTER INSERT ON a BEGIN\n"
            "  -- both; of them\n"
            "  DELETE FROM a;\n  UPDATE a SET x = CASE WHEN x THEN 1 END;\n"
            "END;\n"
            "CREATE TABLE b (x);\n",
            3,
            id="trigger",
        ),
    ],
)
def test_statements(sql: str, expected: int) -> None:
    """A text is cut after whole statements, of which SQLite takes each one alone."""
    statements = list(Migration(1, "0001_try_something", sql).statements())
    assert len(statements) == expected
    with (
        closing(sqlite3.connect(":memory:")) as pieces,
        closing(sqlite3.connect(":memory:")) as whole,
    ):
        for statement in statements:
            pieces.execute(statement.sql)
        whole.executescript(sql)
        assert _schema(pieces) == _schema(whole)


def test_statements_unfinished() -> None:
    """A last statement without its semicolon is an error: it would be passed over in silence."""
    migration = Migration(1, "0001_try_something", "CREATE TABLE a (x);\nCREATE TABLE b (x)\n")
    with pytest.raises(memrepo.MigrationError, match="0001_try_something"):
        list(migration.statements())


def test_statements_comment_at_the_end() -> None:
    """A comment after the last statement is none."""
    migration = Migration(1, "0001_try_something", "CREATE TABLE a (x);\n-- The end\n")
    assert len(list(migration.statements())) == 1


@pytest.mark.parametrize(
    ("names", "complaint"),
    [
        (["0001_make_a.sql", "0003_make_c.sql"], "0003_make_c.sql: expected a file 0002_"),
        (["0002_make_b.sql"], "0002_make_b.sql: expected a file 0001_"),
        (["0001_make_a.sql", "0001_make_b.sql"], "0001_make_b.sql: expected a file 0002_"),
        (["1_make_a.sql"], "1_make_a.sql"),
        (["0001_Make_A.sql"], "0001_Make_A.sql"),
        (["0001-make-a.sql"], "0001-make-a.sql"),
    ],
)
def test_load_migrations_names(
    names: list[str], complaint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gap, a number that is there twice and a wrong name are found, and named."""
    _use_folder(tmp_path, monkeypatch, dict.fromkeys(names, b"SELECT 1;\n"))
    with pytest.raises(memrepo.MigrationError, match=re.escape(complaint)):
        load_migrations.__wrapped__()


def test_load_migrations_line_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file has the same checksum whichever line ends a checkout gave it; other files do not count."""
    texts = {"0001_make_a.sql": b"-- a\r\nSELECT 1;\r\n", "README.md": b"rules", "notes.txt": b""}
    _use_folder(tmp_path, monkeypatch, texts)
    (migration,) = load_migrations.__wrapped__()
    assert migration.checksum == sha256(b"-- a\nSELECT 1;\n").hexdigest()


def _use_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, texts: dict[str, bytes]) -> None:
    monkeypatch.setattr(migrations, "files", lambda _package: tmp_path)
    (tmp_path / "schema").mkdir()
    for name, text in texts.items():
        (tmp_path / "schema" / name).write_bytes(text)


def test_golden() -> None:
    """The files make the schema that is pinned."""
    assert GOLDEN.read_text(encoding="utf-8") == golden_text()


# --- a new database ----------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_connect_new(tmp_path: Path, clock: Clock) -> None:
    """A new file gets the pinned schema, and a row for each migration at the clock's time."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, clock=clock) as store:
        assert store.schema_version == LATEST
    assert schema_of(path) == replayed(LATEST)
    assert versions_of(path) == [
        (number, file.stem, sha256(file.read_bytes()).hexdigest(), "2026-02-02T14:16:24.123Z")
        for number, file in enumerate(sorted(SCHEMA.glob("*.sql")), start=1)
    ]


@pytest.mark.asyncio
async def test_migrate_again(tmp_path: Path, clock: Clock) -> None:
    """Migrating what is up to date changes nothing: not in the file, and not in the version table."""
    path = tmp_path / "agent.db"
    async with memrepo.connect(path, clock=clock) as store:
        await store.memories.remember("Tea, no milk")
    before = image(path)
    clock.advance(hours=1)
    async with memrepo.connect(path, clock=clock) as store:
        assert await store.migrate() == LATEST
        assert await store.migrate() == LATEST
    assert image(path) == before


@pytest.mark.asyncio
@pytest.mark.parametrize("version", range(LATEST))
async def test_migrate_from_each_version(version: int, tmp_path: Path, clock: Clock) -> None:
    """A database of any earlier version arrives at the same schema."""
    path = tmp_path / "agent.db"
    await _make_version(path, version, clock)
    assert assert_whole(path) == version
    async with memrepo.connect(path, clock=clock) as store:
        assert store.schema_version == LATEST
        assert (await store.memories.remember("Tea, no milk")).outcome == "created"
    assert assert_whole(path) == LATEST


@pytest.mark.asyncio
async def test_connect_without_migrating(url: str, clock: Clock) -> None:
    """`migrate=False` makes no table, until `Store.migrate` is called."""
    async with memrepo.connect(url, migrate=False, clock=clock) as store:
        assert store.schema_version == 0
        with pytest.raises(memrepo.DatabaseError):
            await store.memories.count()
        assert await store.migrate() == LATEST
        assert store.schema_version == LATEST
        assert await store.memories.count() == 0


@pytest.mark.asyncio
async def test_connect_read_only(tmp_path: Path, clock: Clock) -> None:
    """With `mode=ro` an old schema is refused untouched, unless it need not be migrated."""
    path = tmp_path / "agent.db"
    await _make_version(path, 1, clock)
    before = image(path)
    url = f"{path.as_uri()}?mode=ro"
    with pytest.raises(memrepo.MigrationError, match="reading only"):
        await _open(url)
    async with memrepo.connect(url, migrate=False) as store:
        assert store.schema_version == 1
        with pytest.raises(memrepo.ReadOnlyError):
            await store.migrate()
    assert image(path)[path.name] == before[path.name]
    await _open(path)
    async with memrepo.connect(url) as store:
        assert store.schema_version == LATEST
        assert await store.memories.count() == 0


# --- what is refused ---------------------------------------------------------------------------

_FACTS = (
    "CREATE TABLE memory_entries (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,"
    " content TEXT NOT NULL, content_hash TEXT, category TEXT NOT NULL, source TEXT NOT NULL,"
    " created_at TEXT NOT NULL, last_accessed TEXT);"
)
_FACTS_INDEX = (
    "CREATE UNIQUE INDEX memory_entries_content_hash_unique ON memory_entries (content_hash);"
)
_SESSIONS = (
    "CREATE TABLE sessions (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,"
    " started_at TEXT NOT NULL, ended_at TEXT, end_trigger TEXT, summary TEXT);"
)
_LOGS = (
    "CREATE TABLE daily_logs (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,"
    " session_id INTEGER REFERENCES sessions (id), event_type TEXT NOT NULL, event_data TEXT,"
    " timestamp TEXT NOT NULL);"
)
_ORIGINAL = _FACTS + _FACTS_INDEX + _SESSIONS + _LOGS
_VERSIONS = (
    "CREATE TABLE memrepo_migrations (number INTEGER PRIMARY KEY NOT NULL, name TEXT NOT NULL,"
    " checksum TEXT NOT NULL, applied_at TEXT NOT NULL);"
)

_FOREIGN = {
    "django's sessions": ("CREATE TABLE sessions (session_key TEXT PRIMARY KEY);", "sessions"),
    "sessions of a web framework": (
        "CREATE TABLE sessions (id INTEGER PRIMARY KEY, started_at TEXT, user_id INTEGER);",
        "sessions",
    ),
    "one column less": (_ORIGINAL.replace(", summary TEXT", ""), "sessions.*summary"),
    "a column that must be given": (
        _ORIGINAL.replace("summary TEXT", "summary TEXT, user_id INTEGER NOT NULL"),
        "sessions.*user_id",
    ),
    "a column that we add": (
        _ORIGINAL.replace("last_accessed TEXT", "last_accessed TEXT, scope TEXT"),
        "memory_entries.*scope",
    ),
    "ids that are texts": (
        _ORIGINAL.replace(
            "sessions (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL",
            "sessions (id TEXT PRIMARY KEY",
        ),
        "sessions.*id",
    ),
    "ids that are no key": (
        _ORIGINAL.replace(
            "daily_logs (id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL", "daily_logs (id INTEGER"
        ),
        "daily_logs.*id",
    ),
    "facts without their index": (_FACTS + _SESSIONS + _LOGS, "memory_entries.*content_hash"),
    "facts whose index is not unique": (
        _ORIGINAL.replace("CREATE UNIQUE INDEX", "CREATE INDEX"),
        "memory_entries.*content_hash",
    ),
    "only facts": (_FACTS + _FACTS_INDEX, "daily_logs|sessions"),
    "only sessions": (_SESSIONS, "daily_logs|memory_entries"),
    "all but the log": (_FACTS + _FACTS_INDEX + _SESSIONS, "daily_logs"),
    "a view": ("CREATE VIEW sessions AS SELECT 1 AS id;", "sessions"),
    "an index": (
        "CREATE TABLE other (x); CREATE INDEX daily_logs ON other (x);",
        "daily_logs",
    ),
    "a name in capitals": ("CREATE TABLE Sessions (session_key TEXT PRIMARY KEY);", "(?i)sessions"),
    "our tables without versions": ("".join(m.sql for m in KNOWN), "another program"),
    "our tables and no version": (_VERSIONS + "".join(m.sql for m in KNOWN), "another program"),
    "instants that are integers": (
        _ORIGINAL.replace("created_at TEXT", "created_at INTEGER"),
        "memory_entries.*created_at.*INTEGER",
    ),
    "events whose instants are integers": (
        _ORIGINAL.replace("timestamp TEXT", "timestamp INTEGER"),
        "daily_logs.*timestamp",
    ),
    "sessions whose instants are integers": (
        _ORIGINAL.replace("ended_at TEXT", "ended_at INTEGER"),
        "sessions.*ended_at",
    ),
    "contents that are blobs": (_ORIGINAL.replace("content TEXT", "content BLOB"), "content.*BLOB"),
    "a column that is generated": (
        _ORIGINAL.replace("summary TEXT", "summary TEXT AS (started_at)"),
        "sessions.*summary",
    ),
    "forgotten at an integer": (
        _ORIGINAL.replace("last_accessed TEXT", "last_accessed TEXT, deleted_at INTEGER"),
        "memory_entries.*deleted_at",
    ),
    "always forgotten": (
        _ORIGINAL.replace("last_accessed TEXT", "last_accessed TEXT, deleted_at TEXT DEFAULT ''"),
        "memory_entries.*deleted_at",
    ),
    "an index with a name of ours": (
        "CREATE TABLE other (x); CREATE INDEX ix_sessions__open ON other (x);",
        "index ix_sessions__open",
    ),
    "an index of the original's with a name of ours": (
        _ORIGINAL + "CREATE INDEX IX_Sessions__Open ON sessions (summary);",
        "index ix_sessions__open",
    ),
    "a table with a name of ours": (
        "CREATE TABLE memrepo_settings (key TEXT);",
        "table memrepo_settings",
    ),
    "a view with a name of ours": (
        _ORIGINAL + "CREATE VIEW memrepo_settings AS SELECT 1 AS x;",
        "view memrepo_settings",
    ),
    "a view in the place of the versions": (
        "CREATE VIEW memrepo_migrations AS SELECT 1 AS x;",
        "memrepo_migrations belongs",
    ),
    "a foreign version table": (
        "CREATE TABLE memrepo_migrations (version TEXT PRIMARY KEY);",
        "memrepo_migrations",
    ),
}


def _with_versions(*rows: tuple[int, str, str]) -> str:
    values = ", ".join(f"({n}, '{name}', '{checksum}', 'then')" for n, name, checksum in rows)
    script = "".join(migration.sql for migration in KNOWN)
    return f"{_VERSIONS} {script} INSERT INTO memrepo_migrations VALUES {values};"


_APPLIED = [(m.number, m.name, m.checksum) for m in KNOWN]
_WRONG_HISTORY = {
    "a newer database": (
        _with_versions(*_APPLIED, (LATEST + 1, "9999_add_magic", "0")),
        "9999_add_magic.*newer",
    ),
    "a changed file": (
        _with_versions((1, KNOWN[0].name, "0" * 64), *_APPLIED[1:]),
        f"{KNOWN[0].name}.sql is not the file",
    ),
    "a renamed file": (
        _with_versions((1, "0001_start", KNOWN[0].checksum), *_APPLIED[1:]),
        f"{KNOWN[0].name}.sql is not the file",
    ),
    "the last one changed": (
        _with_versions(*_APPLIED[:-1], (LATEST, KNOWN[-1].name, "0" * 64)),
        f"{KNOWN[-1].name}.sql is not the file",
    ),
    "a gap": (_with_versions(*_APPLIED[1:]), "migration 2 but not 1"),
    "a gap before the end": (
        _with_versions(*_APPLIED[:-1], (LATEST + 1, "9999_add_magic", "0")),
        f"migration {LATEST + 1} but not {LATEST}",
    ),
}

_WHOLE = _with_versions(*_APPLIED)
#: Databases of ours of which something is gone or another.
_DAMAGED = {
    "an index less": (
        _WHOLE + "DROP INDEX ix_sessions__open;",
        "sessions lacks.*ix_sessions__open",
    ),
    "the original's index less": (
        _WHOLE + "DROP INDEX memory_entries_content_hash_unique;",
        "memory_entries lacks the unique index",
    ),
    "an index on other columns": (
        _WHOLE
        + "DROP INDEX ix_daily_logs__scope_timestamp;"
        + "CREATE INDEX ix_daily_logs__scope_timestamp ON daily_logs (timestamp);",
        "daily_logs lacks.*ix_daily_logs__scope_timestamp",
    ),
    "an index that is not unique": (
        _WHOLE
        + "DROP INDEX ux_sessions__active;"
        + "CREATE INDEX ux_sessions__active ON sessions (scope) WHERE ended_at IS NULL;",
        "unique index ux_sessions__active",
    ),
    "a column less": (
        _WHOLE + "ALTER TABLE memory_entries DROP COLUMN metadata;",
        "memory_entries lacks the column metadata",
    ),
    "the settings less": (_WHOLE + "DROP TABLE memrepo_settings;", "memrepo_settings is missing"),
    "a table less": (_WHOLE + "DROP TABLE daily_logs;", "daily_logs is missing"),
    "versions without their tables": (
        _VERSIONS
        + f"INSERT INTO memrepo_migrations VALUES (1, '{KNOWN[0].name}', '{KNOWN[0].checksum}', 'then');",
        "is missing",
    ),
    "a scope that must be given": (
        _WHOLE.replace("`scope` TEXT NOT NULL DEFAULT ''", "`scope` INTEGER NOT NULL DEFAULT ''"),
        "column scope of another kind",
    ),
}
_REFUSED = {**_FOREIGN, **_WRONG_HISTORY, **_DAMAGED}


@pytest.mark.asyncio
@pytest.mark.parametrize("wal", [False, True], ids=["rollback", "wal"])
@pytest.mark.parametrize("case", _REFUSED)
async def test_connect_refused(case: str, wal: bool, tmp_path: Path) -> None:
    """What cannot be brought to our schema is refused by name, and not a byte of it is changed."""
    script, complaint = _REFUSED[case]
    path = tmp_path / "agent.db"
    make(path, script, wal=wal)
    before = image(path)
    with pytest.raises(memrepo.MigrationError, match=complaint):
        await _open(path)
    assert image(path) == before


@pytest.mark.asyncio
@pytest.mark.parametrize("case", _WRONG_HISTORY)
async def test_connect_refused_without_migrating(case: str, tmp_path: Path) -> None:
    """A wrong history is refused with `migrate=False` and for reading only, too."""
    script, complaint = _WRONG_HISTORY[case]
    path = tmp_path / "agent.db"
    make(path, script)
    before = image(path)
    with pytest.raises(memrepo.MigrationError, match=complaint):
        await _open(path, migrate=False)
    with pytest.raises(memrepo.MigrationError, match=complaint):
        await _open(f"{path.as_uri()}?mode=ro")
    assert image(path) == before


@pytest.mark.asyncio
async def test_connect_with_extras(tmp_path: Path) -> None:
    """What others add to our tables, and what bears other names, is no matter: old version or new."""
    for version in range(1, LATEST + 1):
        path = tmp_path / f"{version}.db"
        script = "".join(migration.sql for migration in KNOWN[:version])
        rows = ", ".join(f"({n}, '{name}', '{sha}', 'then')" for n, name, sha in _APPLIED[:version])
        make(
            path,
            f"{_VERSIONS} {script} INSERT INTO memrepo_migrations VALUES {rows};"
            "ALTER TABLE sessions ADD COLUMN mood TEXT;"
            "ALTER TABLE sessions ADD COLUMN day TEXT AS (substr(started_at, 1, 10));"
            "CREATE INDEX mine ON sessions (mood);"
            "CREATE VIEW talks AS SELECT * FROM sessions;"
            "CREATE TRIGGER daily_logs AFTER INSERT ON sessions BEGIN SELECT 1; END;",
        )
        async with memrepo.connect(path) as store:
            assert (await store.sessions.start()).status == "active"
            assert store.schema_version == LATEST


@pytest.mark.asyncio
async def test_connect_other_tables(tmp_path: Path) -> None:
    """Tables of other names do not matter, and stay as they are."""
    path = tmp_path / "app.db"
    make(path, "CREATE TABLE users (id INTEGER PRIMARY KEY); INSERT INTO users VALUES (7);")
    async with memrepo.connect(path) as store:
        await store.memories.remember("Tea, no milk")
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT * FROM users").fetchall() == [(7,)]


# --- a step that fails -------------------------------------------------------------------------

_FAILING = {
    "syntax": "CREATE TABLE extra (x);\nCREATE TABEL wrong (x);\n",
    "missing table": "CREATE TABLE extra (x);\nINSERT INTO nothing VALUES (1);\n",
    "unique": "CREATE TABLE extra (x);\nCREATE UNIQUE INDEX ux_try ON memory_entries (category);\n",
    "not null": "CREATE TABLE extra (x NOT NULL);\nINSERT INTO extra VALUES (NULL);\n",
    "foreign key": "INSERT INTO daily_logs (session_id, event_type, timestamp)"
    " VALUES (99, 'x', 'then');\n",
    "deferred foreign key": "PRAGMA defer_foreign_keys = 1;\n"
    "INSERT INTO daily_logs (session_id, event_type, timestamp) VALUES (99, 'x', 'then');\n",
    "two in a line": "CREATE TABLE extra (x); CREATE TABLE more (x);\n",
}


@pytest.mark.asyncio
@pytest.mark.parametrize("case", _FAILING)
async def test_migrate_failing(
    case: str, tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step that fails leaves nothing of it, says which it was, and is tried anew the next time."""
    path = tmp_path / "agent.db"
    await _fill(path, clock)
    _use(monkeypatch, one_more(_FAILING[case]))
    for _ in range(2):
        with pytest.raises(memrepo.MigrationError, match=f"{LATEST + 1:04d}_try_something"):
            await _open(path)
        assert assert_whole(path) == LATEST
    _use(monkeypatch, one_more("CREATE TABLE extra (x);\n"))
    async with memrepo.connect(path) as store:
        assert store.schema_version == LATEST + 1
        assert await store.memories.count() == 2
    assert schema_of(path) == {"table extra": "CREATE TABLE extra (x)", **replayed(LATEST)}


@pytest.mark.asyncio
async def test_migrate_first_failing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    """When the second step fails, the first stays; both are whole. In a new database neither does."""
    path = tmp_path / "agent.db"
    await _make_version(path, 1, clock)
    # What fails on an empty database, too, is found before the first.
    wrong = Migration(
        2, "0002_try_something", "CREATE TABLE extra (x);\n" + _FAILING["foreign key"]
    )
    _use(monkeypatch, (KNOWN[0], wrong))
    with pytest.raises(memrepo.MigrationError, match="0002_try_something"):
        await _open(path)
    assert assert_whole(path) == 1
    new = tmp_path / "new.db"
    with pytest.raises(memrepo.MigrationError, match="0001_initial, 0002_try_something"):
        await _open(new)
    assert assert_whole(new) == 0


@pytest.mark.asyncio
async def test_migrate_disk_full(tmp_path: Path, clock: Clock) -> None:
    """A full disk is told as such; the version is the old one, and the store goes on working."""
    path = tmp_path / "agent.db"
    await _fill(path, clock)
    big = "CREATE TABLE extra (x);\nINSERT INTO extra VALUES (zeroblob(4000000));\n"
    async with memrepo.connect(path) as store:
        connection = store.connection
        await connection._writer.thread.fetch("PRAGMA max_page_count=100")  # type: ignore[attr-defined]
        with pytest.raises(memrepo.StorageFullError):
            await migrate(connection, one_more(big), clock())
        assert await store.memories.count() == 2
        assert (await store.memories.remember("Tea, no milk")).outcome == "duplicate"
        await connection._writer.thread.fetch("PRAGMA max_page_count=10000")  # type: ignore[attr-defined]
        assert await migrate(connection, one_more(big), clock()) == LATEST + 1


@pytest.mark.asyncio
async def test_migrate_locked(tmp_path: Path) -> None:
    """Another writer is waited for, not longer than the lock timeout, and nothing is half done."""
    path = tmp_path / "agent.db"
    make(path, _ORIGINAL, wal=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        with pytest.raises(memrepo.BusyError):
            await _open(path, lock_timeout_s=0.3)
        assert 0.2 < time.monotonic() - began < 25
        other.execute("COMMIT")
        await _open(path, lock_timeout_s=0.3)
    assert versions_of(path)[-1][0] == LATEST


_REBUILD = """\
PRAGMA defer_foreign_keys = 1;
CREATE TABLE `learnt_in` AS SELECT `id`, `session_id` FROM `memory_entries` WHERE `session_id` IS NOT NULL;
CREATE TABLE `sessions_before` AS SELECT * FROM `sessions`;
DROP TABLE `sessions`;
CREATE TABLE `sessions` (`id` INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, `scope` TEXT NOT NULL
    DEFAULT '', `started_at` TEXT NOT NULL, `ended_at` TEXT, `end_trigger` TEXT, `summary` TEXT,
    `is_exclusive` INTEGER NOT NULL DEFAULT 0, `thread` TEXT NOT NULL DEFAULT '', `active_at` TEXT,
    `summarized_until` TEXT);
INSERT INTO `sessions` (`id`, `scope`, `started_at`, `ended_at`, `end_trigger`, `summary`)
    SELECT `id`, `scope`, `started_at`, `ended_at`, `end_trigger`, `summary`
    FROM `sessions_before`{which};
DROP TABLE `sessions_before`;
UPDATE `memory_entries` SET `session_id` = `learnt_in`.`session_id` FROM `learnt_in`
    WHERE `learnt_in`.`id` = `memory_entries`.`id`;
DROP TABLE `learnt_in`;
CREATE TABLE `dangling` (`n` INTEGER CHECK (`n` = 0));
INSERT INTO `dangling` SELECT count(*) FROM pragma_foreign_key_check('daily_logs');
DROP TABLE `dangling`;
"""


@pytest.mark.asyncio
async def test_migrate_rebuilding_a_table(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table that others refer to can be rebuilt as schema/README.md says, and keeps its children."""
    path = tmp_path / "agent.db"
    await _fill(path, clock)
    async with memrepo.connect(path, clock=clock) as store:
        (session,) = await store.sessions.find_many()
        await store.memories.remember("Learnt in a session", session_id=session.id)
    _use(monkeypatch, one_more(_REBUILD.format(which="")))
    async with memrepo.connect(path, clock=clock) as store:
        (session,) = await store.sessions.find_many()
        where = memrepo.DailyLogFilter(session_id=session.id)
        assert len(await store.daily_logs.find_many(where)) == 1
        (fact,) = await store.memories.find_many(memrepo.MemoryFilter(session_id=session.id))
        assert fact.content == "Learnt in a session"


@pytest.mark.asyncio
async def test_migrate_rebuild_that_loses_rows(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rebuild that leaves children without their parent is rolled back."""
    path = tmp_path / "agent.db"
    await _fill(path, clock)
    _use(monkeypatch, one_more(_REBUILD.format(which=" WHERE 0")))
    with pytest.raises(memrepo.MigrationError, match="try_something"):
        await _open(path)
    assert assert_whole(path) == LATEST


# --- interruptions -----------------------------------------------------------------------------


class Interrupted:
    """A connection whose caller is cancelled at its n-th call: ``before``, ``in`` or ``after`` it."""

    def __init__(self, inner: Connection, countdown: int, moment: str) -> None:
        self.inner = inner
        self.countdown = countdown
        self.moment = moment

    async def write(self, unit: Unit) -> Sequence[Result]:
        """Run a unit."""
        return await self._run(self.inner.write(unit))

    async def read(self, statement: BoundStatement) -> list[Row]:
        """Run a SELECT."""
        return await self._run(self.inner.read(statement))

    async def give_way(self) -> bool:
        """Let others run."""
        return await self.inner.give_way()

    async def _run(self, call: Awaitable[T]) -> T:
        self.countdown -= 1
        task = asyncio.current_task()
        assert task is not None
        if self.countdown == 0:
            if self.moment == "before":
                task.cancel()
            elif self.moment == "in":
                asyncio.get_running_loop().call_soon(task.cancel)
        result = await call
        if self.countdown == 0:
            task.cancel()
            await asyncio.sleep(0)
        return result


@pytest.mark.asyncio
@pytest.mark.parametrize("moment", ["before", "in", "after"])
@pytest.mark.parametrize("is_new", [True, False], ids=["new", "old"])
@pytest.mark.slow
async def test_migrate_cancelled(moment: str, is_new: bool, tmp_path: Path, clock: Clock) -> None:
    """Cancelled at any await, migrating leaves the schema of one version, and can go on at once."""
    seen = set()
    for countdown in range(1, 50):
        path = tmp_path / f"{countdown}.db"
        async with memrepo.connect(path, migrate=False, clock=clock) as store:
            if not is_new:
                await migrate(store.connection, KNOWN[:1], clock())
            interrupted = cast(Connection, Interrupted(store.connection, countdown, moment))
            task = asyncio.create_task(migrate(interrupted, KNOWN, clock()))
            await asyncio.wait([task])
            seen.add(assert_whole(path))
            if not task.cancelled():
                break
            assert await store.migrate() == LATEST
            assert (await store.memories.remember("Tea, no milk")).outcome == "created"
    assert task.result() == LATEST
    assert seen == ({0, LATEST} if is_new else set(range(1, LATEST + 1)))


@pytest.mark.asyncio
async def test_connect_cancelled(tmp_path: Path, clock: Clock) -> None:
    """Cancelled after any number of the event loop's turns, opening leaves one version and no thread."""
    threads = leaks.threads()
    for n_turns in range(0, 120, 4):
        path = tmp_path / f"{n_turns}.db"
        task = asyncio.create_task(_open(path))
        for _ in range(n_turns):
            await asyncio.sleep(0.0002)
        task.cancel()
        await asyncio.wait([task])
        if path.exists():
            assert_whole(path)
        async with memrepo.connect(path, clock=clock) as store:
            assert store.schema_version == LATEST
        assert assert_whole(path) == LATEST
    await leaks.settled(threads)


_OPENER = """
    import asyncio, pathlib, sys, time
    import memrepo

    async def main(folder, begin_at, each_s, number):
        time.sleep(max(0, begin_at - time.time()))
        for index in range(number):
            time.sleep(max(0, begin_at + index * each_s - time.time()))
            print(index, flush=True)
            async with memrepo.connect(folder / f"{index}.db", lock_timeout_s=90) as store:
                await store.memories.remember("Tea, no milk")

    folder, begin_at, each_s, number = sys.argv[1:]
    asyncio.run(main(pathlib.Path(folder), float(begin_at), float(each_s), int(number)))
"""


def _opener(folder: Path, begin_at: float, each_s: float, number: int) -> subprocess.Popen[bytes]:
    """Start a process that opens one database after the other, each at its time."""
    return subprocess.Popen(
        [
            *(sys.executable, "-W", "error", "-c", textwrap.dedent(_OPENER)),
            *(folder, str(begin_at), str(each_s), str(number)),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


@pytest.mark.slow
def test_migrate_in_many_processes(tmp_path: Path) -> None:
    """Of six processes that open a file at once, new or of the original, each step is done by one."""
    number = 30
    for index in range(0, number, 2):
        make(tmp_path / f"{index}.db", _ORIGINAL)
    openers = [_opener(tmp_path, time.time() + 1.5, 0.05, number) for _ in range(6)]
    outcomes = [
        (process.communicate(timeout=PATIENCE_S)[1], process.returncode) for process in openers
    ]
    said = [(complaints(stderr.decode()), code) for stderr, code in outcomes]
    # On a busy machine, one may find a file that another is still making.
    is_fine = re.compile(r"(.*\.db was empty, and is opened as a new database\n)*").fullmatch
    assert [(text, code) for text, code in said if code or not is_fine(text)] == []
    for index in range(number):
        path = tmp_path / f"{index}.db"
        assert [row[0] for row in versions_of(path)] == list(range(1, LATEST + 1))
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("SELECT count(*) FROM memory_entries").fetchone() == (1,)


@pytest.mark.asyncio
@pytest.mark.slow
async def test_migrate_killed(tmp_path: Path) -> None:
    """A process that is killed while it migrates leaves the schema of one version, that opens."""
    seen: list[int] = []
    round_number = 0
    # Until some were killed after a whole migration, too, however slow the machine is.
    while round_number < 12 or LATEST not in seen:
        round_number += 1
        folder = tmp_path / str(round_number)
        folder.mkdir()
        process = _opener(folder, 0, 0, 10_000)
        assert process.stdout is not None
        process.stdout.readline()
        # Anywhere in a few openings, of some milliseconds each; of more on a machine that is busy.
        await asyncio.sleep(0.02 + 0.0013 * round_number + 0.02 * max(0, round_number - 12))
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=PATIENCE_S)
        for path in folder.glob("*.db"):
            seen.append(assert_whole(path))
            async with memrepo.connect(path) as store:
                assert (await store.memories.remember("Tea, no milk")).outcome != "restored"
            assert assert_whole(path) == LATEST


# --- helpers -----------------------------------------------------------------------------------


async def _open(url: str | Path, *, migrate: bool = True, lock_timeout_s: float = 10) -> None:
    """Open a database and close it."""
    async with memrepo.connect(url, migrate=migrate, lock_timeout_s=lock_timeout_s):
        pass


async def _make_version(path: Path, version: int, clock: Clock) -> None:
    """Make a database as an earlier version of memrepo left it."""
    async with memrepo.connect(path, migrate=False, clock=clock) as store:
        await migrate(store.connection, KNOWN[:version], clock())


async def _fill(path: Path, clock: Clock) -> None:
    """Make a database with two facts of one category, a session and an event in it."""
    async with memrepo.connect(path, clock=clock) as store:
        await store.memories.remember("Tea, no milk")
        await store.memories.remember("Therapy on Thursdays")
        session = await store.sessions.start()
        await store.daily_logs.append(session.id, "user_state", "calm")
        await store.sessions.end(session.id)


def _use(monkeypatch: pytest.MonkeyPatch, known: tuple[Migration, ...]) -> None:
    """Have `memrepo.connect` apply other migrations than those of schema/."""
    monkeypatch.setattr("memrepo.store.load_migrations", lambda: known)
    monkeypatch.setattr(sys.modules["memrepo.connect"], "load_migrations", lambda: known)


if __name__ == "__main__":
    GOLDEN.write_text(golden_text(), encoding="utf-8")
