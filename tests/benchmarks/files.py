"""The files the contenders run on: fresh ones with memrepo's schema, and big ones that are kept."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from tests.benchmarks.data import (
    EVENT_TYPE,
    SESSION_ID,
    SOURCE,
    Fact,
    content_hash,
    encode,
    event,
    fact,
    instants,
)

ROOT: Final = Path(__file__).resolve().parents[2]
#: The environment variable that names another folder for what is built here: two checkouts share one.
BENCH_VARIABLE: Final = "MEMREPO_BENCH"
BENCH: Final = Path(os.environ.get(BENCH_VARIABLE) or ROOT / ".bench")
_SCHEMA: Final = ROOT / "schema"

_INSERT_FACT: Final = (
    "INSERT INTO memory_entries (scope, content, content_hash, category, source, created_at,"
    " hash_version) VALUES ('', ?, ?, ?, ?, ?, 1)"
)
_INSERT_EVENT: Final = (
    "INSERT INTO daily_logs (scope, session_id, event_type, event_data, timestamp)"
    " VALUES ('', ?, ?, ?, ?)"
)
_INSERT_SESSION: Final = (
    "INSERT INTO sessions (id, started_at, ended_at, end_trigger) VALUES (?, ?, ?, 'explicit')"
)
#: To be raised when the rows of the big files are made in another way.
_REVISION: Final = b"1"
#: The most sessions that a big file's events are spread over, 1,000 events or more each.
_MAX_SESSIONS: Final = 1_000


class BigFile(NamedTuple):
    """A file with as many facts as events, and what it weighs."""

    path: Path
    n_rows: int
    fact_bytes: float
    event_bytes: float


def prepare_folder() -> None:
    """Make the git-ignored folder that everything is built in."""
    (BENCH / "tmp").mkdir(parents=True, exist_ok=True)
    (BENCH / "cache").mkdir(exist_ok=True)
    (BENCH / ".gitignore").write_text("*\n")


def fresh(name: str, template: Path | None) -> Path:
    """Return the path for a new file: a copy of *template*, or nothing there yet."""
    path = BENCH / "tmp" / f"{name}.db"
    remove(path)
    if template is not None:
        shutil.copyfile(template, path)
    return path


def remove(path: Path) -> None:
    """Delete a database with its WAL."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def make_template() -> Path:
    """Make a file with memrepo's schema and one session, for every contender on its tables."""
    path = fresh("template", None)
    asyncio.run(_migrate(path))
    with closing(sqlite3.connect(path)) as db, db:
        _insert_sessions(db, 1)
    return path


async def _migrate(path: Path) -> None:
    # memrepo applies schema/*.sql itself, so that its version table is right and it opens the file.
    import memrepo  # noqa: PLC0415 - the folder must exist, and the runner's help must not need it

    async with memrepo.connect(path):
        pass


def load_facts(db: sqlite3.Connection, facts: Sequence[Fact]) -> range:
    """Insert facts in one transaction; return their ids."""
    rows = (
        (f.content, content_hash(f.content), f.category, SOURCE, instant)
        for f, instant in zip(facts, instants(len(facts)), strict=True)
    )
    (first,) = db.execute("SELECT coalesce(max(id), 0) + 1 FROM memory_entries").fetchone()
    with db:
        db.execute("BEGIN IMMEDIATE")
        db.executemany(_INSERT_FACT, rows)
    return range(first, first + len(facts))


# --- big files ---------------------------------------------------------------------------------


def big(n_rows: int) -> BigFile:
    """Return a file of *n_rows* facts and *n_rows* events, built by the first run that needs it."""
    path = BENCH / "cache" / f"rows-{n_rows}-{schema_key()}.db"
    weights = path.with_suffix(".json")
    if not weights.exists():
        started = time.perf_counter()
        print(f"building {n_rows:,} facts and events ...", end=" ", flush=True, file=sys.stderr)
        _forget_older(n_rows)
        weights.write_text(json.dumps(_build(path, n_rows)))
        print(f"{time.perf_counter() - started:.0f} s", file=sys.stderr)
    fact_bytes, event_bytes = json.loads(weights.read_text())
    return BigFile(path, n_rows, fact_bytes, event_bytes)


def schema_key() -> str:
    """Name the schema and the data, so that a change of either builds the files anew."""
    parts = [part.read_bytes() for part in sorted(_SCHEMA.glob("*.sql"))]
    return sha256(b"".join([*parts, _REVISION])).hexdigest()[:12]


def _forget_older(n_rows: int) -> None:
    for path in (BENCH / "cache").glob(f"rows-{n_rows}-*"):
        path.unlink()


def n_sessions(n_rows: int) -> int:
    """Return over how many sessions the events of a big file are spread."""
    return max(1, min(_MAX_SESSIONS, n_rows // 1_000))


def _build(path: Path, n_rows: int) -> tuple[float, float]:
    """Fill a new file; return the bytes that a fact and an event take, with their indexes."""
    asyncio.run(_migrate(path))
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA synchronous = OFF")
        db.execute("PRAGMA cache_size = -400000")
        with db:
            _insert_sessions(db, n_sessions(n_rows))
        sizes = [_used_bytes(db)]
        for table, statement, rows in (
            ("memory_entries", _INSERT_FACT, _fact_rows(n_rows)),
            ("daily_logs", _INSERT_EVENT, _event_rows(n_rows)),
        ):
            _bulk_insert(db, table, statement, rows)
            sizes.append(_used_bytes(db))
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return (sizes[1] - sizes[0]) / n_rows, (sizes[2] - sizes[1]) / n_rows


def _insert_sessions(db: sqlite3.Connection, count: int) -> None:
    for number, instant in zip(range(SESSION_ID, SESSION_ID + count), instants(count), strict=True):
        db.execute(_INSERT_SESSION, (number, instant, instant))


def _fact_rows(n_rows: int) -> Iterator[tuple[object, ...]]:
    for number, instant in zip(range(n_rows), instants(n_rows), strict=True):
        content, category = fact(number)
        yield content, content_hash(content), category, SOURCE, instant


def _event_rows(n_rows: int) -> Iterator[tuple[object, ...]]:
    last = n_sessions(n_rows) - 1
    per_session = n_rows // (last + 1)
    for number, instant in zip(range(n_rows), instants(n_rows), strict=True):
        session_id = SESSION_ID + min(number // per_session, last)
        yield session_id, EVENT_TYPE, encode(event(number).data), instant


def _bulk_insert(
    db: sqlite3.Connection, table: str, statement: str, rows: Iterator[tuple[object, ...]]
) -> None:
    """Insert with the indexes off and build them afterwards: minutes instead of an hour."""
    made = db.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql NOTNULL",
        (table,),
    ).fetchall()
    with db:
        db.execute("BEGIN IMMEDIATE")
        for name, _ in made:
            db.execute(f"DROP INDEX `{name}`")
        db.executemany(statement, rows)
        for _, create in made:
            db.execute(create)


def _used_bytes(db: sqlite3.Connection) -> int:
    size, count, free = (
        db.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_size", "page_count", "freelist_count")
    )
    return int(size * (count - free))


def delete_above(path: Path, n_rows: int) -> None:
    """Take out what was inserted into a kept file, so that the next round finds it as it was."""
    with closing(sqlite3.connect(path)) as db, db:
        for table in ("memory_entries", "daily_logs"):
            db.execute(f"DELETE FROM {table} WHERE id > ?", (n_rows,))  # constants
