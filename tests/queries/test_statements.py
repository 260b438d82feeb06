"""
Every statement: its SQL pinned, compiled against the real schema, looked up by its index.

After a wanted change of a statement, write the golden file anew, and read the difference::

    .venv/bin/python -m tests.queries.test_statements
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import sqlite3
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, date, timedelta
from functools import _lru_cache_wrapper
from pathlib import Path
from types import ModuleType
from typing import Any

import attrs
import pytest

import memrepo
from memrepo import InvalidInputError, queries
from memrepo.admin.migrations import load_migrations
from memrepo.connection.contract import Result
from memrepo.domain.codec import DAILY_LOG_COLUMNS, MEMORY_COLUMNS, SESSION_COLUMNS, Row
from memrepo.domain.conditions import CONTAINS
from memrepo.domain.indexing import TOKENIZERS
from memrepo.domain.rules import FactRules
from memrepo.queries import (
    amounts,
    browsing,
    builder,
    chains,
    copying,
    daily_logs,
    digests,
    drift,
    erasing,
    following,
    index_tables,
    indexing,
    memories,
    merging,
    near_duplicates,
    proposals,
    recalling,
    repair,
    scopes,
    search,
    sessions,
    slots,
    spelling,
    terms,
    thread_items,
    threads,
    versions,
)
from memrepo.queries.builder import Query
from memrepo.queries.coalescing import CoalescibleStatement
from memrepo.queries.statement import BoundStatement, Statement, Unit
from tests.conftest import Clock

GOLDEN = Path(__file__).parents[1] / "golden" / "statements.sql"
HEADER = """\
-- The SQL of every statement, as tests/queries/test_statements.py pins it. Each clause is on a line of its own.
-- Write it anew: .venv/bin/python -m tests.queries.test_statements
"""
#: The statements that are about a database as a whole, not about the rows of one scope.
WHOLE_DATABASE = (
    *(
        "adoption.",
        # Windows of an index without a scope; what is read of them is of one.
        "browsing.edge () superseded",
        "amounts.rows_of",
        "amounts.scopes",
        "copying.",
        "drift.",
        "examining.",
        "following.newest",
        "index_tables.",
        "indexing.",
        "maintenance.",
        "references.",
        "repair.",
        "scopes.",
        "settings.",
        "spelling.",
        "terms.",
    ),
    "versions.",
)

MODULES: list[ModuleType] = [
    importlib.import_module(f"memrepo.queries.{module.name}")
    for module in pkgutil.iter_modules(queries.__path__)
]

_UPDATABLE = ("category", "due_at", "expires_at", "metadata")


def _sets(names: Sequence[str]) -> list[frozenset[str]]:
    return [frozenset(), *(frozenset([name]) for name in names), frozenset(names)]


def _label(name: str, conditions: frozenset[str], **flags: bool) -> str:
    flagged = [flag for flag, is_set in flags.items() if is_set]
    return " ".join([name, f"({', '.join(sorted(conditions))})", *flagged])


def _memory_shapes() -> Iterator[tuple[str, Statement]]:
    current = frozenset({"now", "not_forgotten", "not_superseded"})
    # A filter has one condition for a text that it contains.
    conditions = [name for name in memories.CONDITIONS if name not in CONTAINS[1:]]
    one_each = [frozenset([name]) for name in CONTAINS[1:]]
    *single, every = _sets(conditions)
    # With one condition more, SQLite expects so few rows that it takes any order and sorts them.
    together = every - {"source", "slot", "not_proposed", "due_from", "due_before"}
    with_one = [current | {name} for name in ("category", "session_id")]
    for names in [*single, together, *one_each, current, *with_one]:
        yield _label("memories.count", names), memories.count(names)
        for after in (False, True):
            yield (
                _label("memories.find_many", names, after=after),
                memories.find_many(names, after=after),
            )
    filled = current | {"slot"}
    yield _label("memories.count", filled), memories.count(filled)
    for column in ("category", "source"):
        for names in (current, frozenset(conditions)):
            name = _label("memories.count_by", names, **{column: True})
            yield name, memories.count_by(column, names)
    for after in (False, True):
        name = _label("memories.forgotten", frozenset(), after=after)
        yield name, memories.forgotten(after=after)
        yield _label("slots.page", frozenset(), after=after), slots.page(after=after)
        yield _label("proposals.page", frozenset(), after=after), proposals.page(after=after)
    for is_accessed in (True, False):
        for after in (False, True):
            flags = {"is_accessed": is_accessed, "after": after}
            yield _label("recalling.faded", frozenset(), **flags), recalling.faded(**flags)
    yield _label("memories.get_many", frozenset()), memories.get_many()
    texts = frozenset({"content", "content_hash"})
    for names in [*_sets(_UPDATABLE)[1:], texts, texts.union(_UPDATABLE)]:
        yield _label("memories.update", names), memories.update(names)
    yield from _near_duplicate_shapes()


def _near_duplicate_shapes() -> Iterator[tuple[str, Statement]]:
    for content in (False, True):
        for build in (merging.keep, merging.link):
            name = f"merging.{build.__name__}"
            yield _label(name, frozenset(), content=content), build(content=content)
    for after in (False, True):
        name = _label("near_duplicates.page", frozenset(), after=after)
        yield name, near_duplicates.page(after=after)


def _session_shapes() -> Iterator[tuple[str, Statement]]:
    yield _label("sessions.get_many", frozenset()), sessions.get_many()
    for after in (False, True):
        yield _label("threads.page", frozenset(), after=after), threads.page(after=after)
    over = frozenset({"not_summarized", "over", "min_events"})
    of_threads = [frozenset({"thread", "not_ended", its}) for its in ("active", "abandoned")]
    *single, every = _sets([*sessions.CONDITIONS])
    # The opposites of conditions that are in it.
    together = every - {"ended", "abandoned", "summarized"}
    for names in [*single, together, *of_threads, over]:
        yield _label("sessions.count", names), sessions.count(names)
        for after in (False, True):
            name = _label("sessions.find_many", names, after=after)
            yield name, sessions.find_many(names, after=after)


def _daily_log_shapes() -> Iterator[tuple[str, Statement]]:
    yield _label("daily_logs.get_many", frozenset()), daily_logs.get_many()
    for after in (False, True):
        name = _label("thread_items.latest", frozenset(), after=after)
        yield name, thread_items.latest(after=after, is_large=False)
    for names in (frozenset[str](), frozenset(daily_logs.CONDITIONS)):
        yield _label("daily_logs.count", names), daily_logs.count(names)
        yield _label("daily_logs.count_by_type", names), daily_logs.count_by_type(names)
        yield _label("daily_logs.pop_last", names), daily_logs.pop_last(names)
        yield _label("daily_logs.keep_before_pop", names), daily_logs.keep_before_pop(names)
        name = _label("daily_logs.keep_before_delete_many", names)
        yield name, daily_logs.keep_before_delete_many(names)
    of_thread = frozenset({"thread", "event_type"})
    yield _label("daily_logs.pop_last", of_thread), daily_logs.pop_last(of_thread)
    name = _label("daily_logs.keep_before_delete_many", of_thread)
    yield name, daily_logs.keep_before_delete_many(of_thread)
    for names in [*_sets([*daily_logs.CONDITIONS]), of_thread]:
        for after in (False, True):
            for newest_first in (False, True):
                flags = {"after": after, "newest_first": newest_first}
                name = _label("daily_logs.find_many", names, **flags)
                yield name, daily_logs.find_many(names, **flags)
        for build in (daily_logs.delete_many, daily_logs.count_deletable):
            yield _label(f"daily_logs.{build.__name__}", names), build(names)
    for of in (digests.day, digests.session):
        yield _label(f"digests.{of.__name__}", frozenset()), of()
    followed = frozenset({"session_id", "event_types", "timestamp_from", "timestamp_before"})
    for names in (frozenset[str](), followed):
        yield _label("following.stored", names), following.stored(names)


def _copying_shapes() -> Iterator[tuple[str, Statement]]:
    for table in copying.TABLES:
        for build in (copying.count, copying.insert_many, copying.insert_one, copying.read):
            yield f"copying.{build.__name__} ({table})", build(table)


def _spelling_shapes() -> Iterator[tuple[str, Statement]]:
    for table, columns in spelling.INSTANTS.items():
        yield f"spelling.other ({table})", spelling.other(table)
        for column in columns:
            yield f"spelling.respell ({table}.{column})", spelling.respell(table, column)


def _scope_shapes() -> Iterator[tuple[str, Statement]]:
    for table in erasing.TABLES:
        for build in (erasing.some, erasing.delete):
            yield f"erasing.{build.__name__} ({table})", build(table)
    for after in (False, True):
        yield _label("scopes.page", frozenset(), after=after), scopes.page(after=after)


def _index_shapes() -> Iterator[tuple[str, Statement]]:
    for table in indexing.PARTS:
        for event in index_tables.EVENTS:
            for watching in (index_tables.watch, index_tables.unwatch):
                its = watching(table, event)
                yield f"index_tables.{watching.__name__} ({table}, {event})", its
    for tokenizer in TOKENIZERS:
        create = index_tables.create("sessions", tokenizer)
        yield f"index_tables.create (sessions, {tokenizer})", create
    builders = (
        *(indexing.next_rows, indexing.take_rows),
        *(indexing.next_notes, indexing.remove, indexing.take_noted, indexing.merge),
        *(indexing.segments, indexing.optimize),
    )
    for table in indexing.PARTS:
        for build in builders:
            yield f"indexing.{build.__name__} ({table})", build(table)
        for build in (index_tables.set_up, index_tables.drop):
            yield f"index_tables.{build.__name__} ({table})", build(table)
        for build in (index_tables.create_terms, index_tables.drop_terms):
            yield f"index_tables.{build.__name__} ({table})", build(table)
        yield f"terms.beginning_with ({table})", terms.beginning_with(table)
        for build in (drift.check_words, drift.drop_orphans):
            yield f"drift.{build.__name__} ({table})", build(table)


def _search_shapes() -> Iterator[tuple[str, Statement]]:
    for source, names in (
        (search.FACTS, {"now", "not_forgotten", "not_superseded", "category"}),
        (search.EVENTS, {"event_type"}),
        (search.SUMMARIES, {"thread"}),
    ):
        conditions = frozenset(names)
        yield f"search.postings ({source.name})", search.postings(source, None)
        yield f"search.postings ({source.name}) filtered", search.postings(source, conditions)
        for build in (search.latest, search.around, search.newest):
            yield f"search.{build.__name__} ({source.name})", build(source, conditions)


def _repair_shapes() -> Iterator[tuple[str, Statement]]:
    for table, spare in repair.SPARE.items():
        yield f"repair.reindex ({table})", repair.reindex(table)
        yield spare.name, spare


def _browsing_shapes() -> Iterator[tuple[str, Statement]]:
    nothing, filters = frozenset[str](), frozenset({"category", "source"})
    for state in browsing.STATES:
        for is_on in (False, True):
            name = _label("browsing.edge", nothing, **{state: True}, after=is_on)
            yield name, browsing.edge(state, nothing, after=is_on)
            name = _label("browsing.page", nothing, **{state: True}, after=is_on)
            yield name, browsing.page(state, nothing, after=is_on, until=False)
        name = _label("browsing.page", filters, **{state: True}, until=True, after=True)
        yield name, browsing.page(state, filters, after=True, until=True)
    name = _label("browsing.edge", filters, current=True, after=True)
    yield name, browsing.edge("current", filters, after=True)
    yield _label("browsing.few", frozenset()), browsing.few()
    for after in (False, True):
        yield _label("amounts.scopes", frozenset(), after=after), amounts.scopes(after=after)


def _constants(module: ModuleType) -> list[Statement]:
    values = [*vars(module).values()]
    if module is versions:
        values += [
            getattr(versions.OURS, field.name) for field in attrs.fields(type(versions.OURS))
        ]
    return [value for value in values if isinstance(value, Statement)]


def all_statements() -> dict[str, Statement]:
    """Return every statement there is, and every pinned shape of those that are built."""
    found = {its.name: its for module in MODULES for its in _constants(module)}
    found.update(_memory_shapes())
    found.update(_session_shapes())
    found.update(_daily_log_shapes())
    found.update(_copying_shapes())
    found.update(_spelling_shapes())
    found.update(_repair_shapes())
    found.update(_index_shapes())
    found.update(_search_shapes())
    found.update(_scope_shapes())
    found.update(_browsing_shapes())
    return found


def coalesced_statements() -> dict[str, Statement]:
    """Return what runs for two calls at once, of every statement that can."""
    return {
        f"{name}*2": its.for_many(2)
        for name, its in ALL.items()
        if isinstance(its, CoalescibleStatement)
    }


ALL = all_statements()
COALESCED = coalesced_statements()
EVERY = ALL | COALESCED
REPOSITORY = {name: its for name, its in ALL.items() if not name.startswith(WHOLE_DATABASE)}
#: Pages of events of a thread, whose sessions are sorted together.
OF_THREAD = ("daily_logs.find_many (thread)", "daily_logs.find_many (event_type, thread)")
PAGES = {
    name: its
    for name, its in ALL.items()
    if not name.startswith(OF_THREAD)
    and re.match(
        r"(\w+\.(find_many|forgotten)|(threads|near_duplicates|slots|proposals|browsing)\.page) ",
        name,
    )
}

_break = re.compile(r" (?=(?:FROM|WHERE|SET|VALUES|RETURNING|ORDER BY|LIMIT|SELECT) )")
_placeholders = re.compile(r":([a-z_0-9]+)").findall


def golden_text() -> str:
    """Return what the golden file should hold."""
    entries = [f"-- {name}\n{_break.sub(chr(10), EVERY[name].sql)};\n" for name in sorted(EVERY)]
    return "\n".join([HEADER, *entries])


@pytest.fixture(scope="module")
def database() -> Iterator[sqlite3.Connection]:
    """An empty database with the real schema, in which text in double quotes is never a value."""
    with closing(sqlite3.connect(":memory:")) as database:
        for migration in load_migrations():
            database.executescript(migration.sql)
        database.executescript(versions.OURS.create.sql)
        for table in indexing.PARTS:
            database.executescript(index_tables.create(table, "english").sql)
            database.executescript(index_tables.create_terms(table).sql)
        database.executescript(index_tables.CREATE_NOTES.sql)
        database.executescript(index_tables.CREATE_TAKEN.sql)
        if sys.version_info >= (3, 12):
            database.setconfig(sqlite3.SQLITE_DBCONFIG_DQS_DML, False)
            database.setconfig(sqlite3.SQLITE_DBCONFIG_DQS_DDL, False)
        yield database


def explain(database: sqlite3.Connection, sql: str, how: str = "EXPLAIN") -> list[Row]:
    nothing: dict[str, None] | list[None] = dict.fromkeys(_placeholders(sql))
    return database.execute(f"{how} {sql}", nothing or [None] * sql.count("?")).fetchall()


def plan(database: sqlite3.Connection, statement: Statement) -> str:
    rows = explain(database, statement.sql, "EXPLAIN QUERY PLAN")
    return "\n".join(row[3] for row in rows)


# --- the text ----------------------------------------------------------------------------------


def test_golden() -> None:
    """The SQL of every statement is the pinned one; the module's docstring tells how to write it anew."""
    assert golden_text() == GOLDEN.read_text(encoding="utf-8")


def test_every_builder_is_pinned() -> None:
    """A statement that is built on demand cannot be left out of the golden file."""
    built = {
        f"{module.__name__.rpartition('.')[2]}.{name}"
        for module in MODULES
        for name, value in vars(module).items()
        if isinstance(value, _lru_cache_wrapper) and value.__module__ == module.__name__
    }
    assert built == {name.partition(" ")[0] for name in ALL if " " in name}


def test_names_are_unique() -> None:
    """Two constants never share a name, so that a name in a log says which SQL ran."""
    names = [its.name for module in MODULES for its in _constants(module)]
    assert sorted(names) == sorted(set(names))


def test_statements_are_built_once() -> None:
    """The same filter gives the same object, however often it is asked for."""
    for name, its in all_statements().items():
        assert its is ALL[name]


@pytest.mark.parametrize("name", EVERY)
def test_no_double_quote(name: str) -> None:
    """SQLite may take a double-quoted name for a text; none is in any statement."""
    assert '"' not in EVERY[name].sql
    assert "\n" not in EVERY[name].sql


def test_literals_are_known_constants() -> None:
    """Beside placeholders, SQL holds these few constants of ours, so that no value is ever in it."""
    texts: set[str] = set()
    numbers: set[str] = set()
    for its in EVERY.values():
        bare = re.sub(r"`[^`]*`", "``", its.sql)
        texts |= set(re.findall(r"'([^']*)'", bare))
        numbers |= set(re.findall(r"-?\b\d+(?:\.\d+)?\b", re.sub(r"'[^']*'", "''", bare)))
    assert texts == {
        *("", " ", " AND "),
        *("inferred", "jarvis_inferred", "timeout", "explicit"),
        *("table", "memrepo_migrations"),
        *("blob", "sqlite_sequence", "sqlite_*", "column", "index", "name", "user_version"),
        *("integer", "real", "null"),
        *("memory_entries", "sessions", "daily_logs", "CASCADE", "SET NULL"),
        *(
            "import.*",
            "lost+found",
            "pushed_at",
            "same_fact",
            "never",
            "????-??-??T??:??:??.???Z",
            "+0 days",
            "%Y-%m-%dT%H:%M:%fZ",
            "now",
            "0001",
        ),
        *(f"$[{n}]" for n in range(20)),
        *("n_events", "n_sessions", "n_facts", "n_forgotten", "type", "tool", "session", "fact"),
        *("topic", "user_state", "failure", "text"),
        *("topic_change", "tool_invocation", "error"),
        *(f"$.{name}" for name in ("toolName", "tool", "success", "ok", "error")),
        *("pattern_observed", "pattern_inferred", "{}"),
        *(f"$.{name}" for name in ("pattern", "evidence", "events", "memory_id", "n")),
        *(f"_cf_memrepo_fts_{table}" for table in ("memory_entries", "sessions", "daily_logs")),
        *(f"_cf_memrepo_terms_{table}" for table in ("memory_entries", "sessions", "daily_logs")),
        "row",
        *("fts5", "search", "search_format", "ss", "q", "text"),
        *("porter unicode61", "unicode61", "trigram"),
        *(
            "trigger",
            "tr_*__index_*",
            "automerge",
            "crisismerge",
            "merge",
            "optimize",
            "integrity-check",
        ),
    }
    assert numbers == {"0", "1", "-1", "2", "3", "10", "64", "100", "1048575", str(versions.MARK)}


def test_an_empty_statement_is_refused() -> None:
    """pypika prints nothing where a part is missing; that is an error when the module is imported."""
    with pytest.raises(ValueError, match=r"test\.empty is empty"):
        builder.statement("test.empty", Query.into("sessions"))


# --- against the real schema -------------------------------------------------------------------


@pytest.mark.parametrize("name", [its for its in EVERY if "index_tables.create" not in its])
def test_compiles(database: sqlite3.Connection, name: str) -> None:
    """Every statement compiles against the empty schema, with double-quoted texts off where Python can."""
    assert explain(database, EVERY[name].sql)


@pytest.mark.parametrize("name", EVERY)
def test_a_misspelled_column_would_fail(database: sqlite3.Connection, name: str) -> None:
    """Each column of each statement, misspelled, is an error: the test above cannot be fooled."""
    known = {*MEMORY_COLUMNS, *SESSION_COLUMNS, *DAILY_LOG_COLUMNS, "hash_version", "is_exclusive"}
    sql = EVERY[name].sql
    for column in known & set(re.findall(r"`(\w+)`", sql)):
        if name == "versions.create" or name.startswith(
            ("index_tables.create", "index_tables.watch")
        ):
            continue
        with pytest.raises(sqlite3.OperationalError, match=r"no (such )?column"):
            explain(database, sql.replace(f"`{column}`", f"`{column}x`"))


def test_a_misspelled_column_in_double_quotes_might_not_fail() -> None:
    """Why backticks: in SQLite as it is built by default, the same in double quotes compiles."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript("CREATE TABLE `t` (`archived` TEXT)")
        options = {row[0] for row in database.execute("PRAGMA compile_options")}
        if any(option.startswith("DQS=") for option in options):
            pytest.skip("this SQLite was built with its own rule for double quotes")
        explain(database, """DELETE FROM `t` WHERE "archivedx" <> 'yes'""")
        with pytest.raises(sqlite3.OperationalError, match="no such column"):
            explain(database, "DELETE FROM `t` WHERE `archivedx` <> 'yes'")


@pytest.mark.parametrize("name", COALESCED)
def test_coalesced_statements_name_the_scope(name: str) -> None:
    """A statement for several calls keeps each to the scope that it came with."""
    sql = COALESCED[name].sql
    assert re.search(r"INTO `\w+` \(`scope`|`scope`=`item`", sql)


@pytest.mark.parametrize("name", REPOSITORY)
def test_names_the_scope(name: str) -> None:
    """No statement of a repository can leave its scope: each binds it."""
    sql = ALL[name].sql
    assert ":scope" in sql
    if not sql.startswith("INSERT"):
        assert re.search(r"`scope`=:scope", sql)


# --- how it is looked up -----------------------------------------------------------------------


@pytest.mark.parametrize("name", REPOSITORY | COALESCED)
def test_no_statement_scans_a_table(database: sqlite3.Connection, name: str) -> None:
    """Every table is searched by an index; only the values of a batch or an object, and what FTS5 finds, are gone through."""
    found = plan(database, EVERY[name])
    json = r"(TABLE )?json_each|(wanted|pair|f|word|match|near|text) VIRTUAL TABLE"
    assert not re.search(
        rf"SCAN (?!chain\b|pair\b|contested\b|stated\b|taken\b|part\b|side\b|item\b|found\b|newest\b|beginning\b|counted\b|CONSTANT|{json}|\d)",
        found,
    ), found


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_read_in_the_order_of_its_index(database: sqlite3.Connection, name: str) -> None:
    """A page costs its own length: its index has the order, nothing is sorted."""
    found = plan(database, PAGES[name])
    index = {
        "memories.find_many": "ix_memory_entries__s(cope|ession_id)_",
        "browsing.page": "ix_memory_entries__",
        "near_duplicates.page": "ix_memory_entries__scope_created_at",
        "memories.forgotten": "ix_memory_entries__deleted_at",
        "slots.page": "ix_memory_entries__scope_slot",
        "proposals.page": "ix_memory_entries__scope_proposed_at",
        "sessions.find_many": "ix_sessions__",
        "threads.page": "ix_sessions__scope_started_at",
        "daily_logs.find_many": "ix_daily_logs__",
    }[name.partition(" ")[0]]
    assert "TEMP B-TREE" not in found, found
    assert re.search(rf"SEARCH (TABLE )?\w+ USING INDEX {index}", found), found
    instant = r"(created_at|deleted_at|proposed_at|slot|started_at|timestamp)"
    instant = rf"{instant}|(expires_at|pinned_at|due_at|superseded_by)"
    assert not name.endswith(("after", "newest_first after")) or re.search(f"{instant}[<>]", found)


@pytest.mark.parametrize("name", [its for its in ALL if its.startswith(OF_THREAD)])
def test_a_page_of_a_thread_costs_its_own_length(name: str) -> None:
    """However many events a thread has, and its scope, SQLite takes about as many steps for a page of them."""

    def n_steps(n_events: int) -> int:
        with closing(sqlite3.connect(":memory:")) as database:
            for migration in load_migrations():
                database.executescript(migration.sql)
            database.executemany("INSERT INTO sessions (started_at, thread) VALUES ('', ?)", "aab")
            database.executemany(
                "INSERT INTO daily_logs (session_id, event_type, timestamp) VALUES (?, 'x', ?)",
                [(n % 3 + 1, f"{n:06}") for n in range(n_events)],
            )
            steps: list[None] = []
            database.set_progress_handler(lambda: steps.append(None), 1)
            bound = {"scope": "", "thread": "a", "event_type": "x", "limit": 11}
            bound |= {"after_instant": "000100", "after_id": 100}
            assert len(database.execute(ALL[name].sql, bound).fetchall()) == 11
            return len(steps)

    assert n_steps(6_000) < 1.2 * n_steps(300)


@pytest.mark.parametrize(
    ("name", "index"),
    [
        (
            "digests.day ()",
            "ix_daily_logs__scope_timestamp (scope=? AND timestamp>? AND timestamp<?)",
        ),
        (
            "digests.day ()",
            "ix_sessions__scope_started_at (scope=? AND started_at>? AND started_at<?)",
        ),
        (
            "digests.day ()",
            "ix_memory_entries__deleted_at (scope=? AND deleted_at>? AND deleted_at<?)",
        ),
        ("digests.session ()", "ix_daily_logs__session_id_timestamp (session_id=?)"),
        (
            "digests.session ()",
            "ix_memory_entries__scope_created_at (scope=? AND created_at>? AND created_at<?)",
        ),
        ("memories.revive", "memory_entries_content_hash_unique (content_hash=?)"),
        ("memories.revive_many", "memory_entries_content_hash_unique (content_hash=?)"),
        ("memories.refresh_many", "memory_entries_content_hash_unique (content_hash=?)"),
        ("memories.supersede_revive", "memory_entries_content_hash_unique (content_hash=?)"),
        ("memories.supersede_refresh", "memory_entries_content_hash_unique (content_hash=?)"),
        ("memories.get_by_hash", "memory_entries_content_hash_unique (content_hash=?)"),
        ("memories.get", "INTEGER PRIMARY KEY (rowid=?)"),
        ("memories.get*2", "INTEGER PRIMARY KEY (rowid=?)"),
        ("daily_logs.append*2", "INTEGER PRIMARY KEY (rowid=?)"),
        ("memories.get_many ()", "INTEGER PRIMARY KEY (rowid=?)"),
        ("sessions.get_many ()", "INTEGER PRIMARY KEY (rowid=?)"),
        ("daily_logs.get_many ()", "INTEGER PRIMARY KEY (rowid=?)"),
        ("following.stored ()", "INTEGER PRIMARY KEY (rowid>? AND rowid<?)"),
        (
            "following.stored (event_types, session_id, timestamp_before, timestamp_from)",
            "INTEGER PRIMARY KEY (rowid>? AND rowid<?)",
        ),
        ("memories.forget", "ix_memory_entries__superseded_by (superseded_by=?)"),
        ("memories.restore", "ix_memory_entries__superseded_by (superseded_by=?)"),
        ("memories.history", "ix_memory_entries__superseded_by (superseded_by=?)"),
        ("memories.purge", "ix_memory_entries__superseded_by (superseded_by=?)"),
        ("memories.purge", "ix_memory_entries__superseded_by (superseded_by>?)"),
        ("memories.purge", "ix_memory_entries__deleted_at (scope=? AND deleted_at<?)"),
        ("memories.purge", "ix_memory_entries__expires_at (scope=? AND expires_at<?)"),
        ("erasing.some (daily_logs)", "ix_daily_logs__scope_timestamp (scope=?)"),
        ("erasing.some (sessions)", "ix_sessions__scope_started_at (scope=?)"),
        ("erasing.some (memory_entries)", "ix_memory_entries__scope_created_at (scope=?)"),
        ("erasing.delete (daily_logs)", "INTEGER PRIMARY KEY (rowid=?)"),
        ("erasing.delete (sessions)", "INTEGER PRIMARY KEY (rowid=?)"),
        ("erasing.delete (memory_entries)", "INTEGER PRIMARY KEY (rowid=?)"),
        ("erasing.events_of_sessions", "ix_daily_logs__session_id_timestamp (session_id=?)"),
        ("sessions.delete_events", "ix_daily_logs__session_id_timestamp (session_id=?)"),
        ("sessions.release_events", "ix_daily_logs__session_id_timestamp (session_id=?)"),
        ("scopes.page ()", "COVERING INDEX ix_memory_entries__scope_created_at (scope>?)"),
        ("scopes.page ()", "COVERING INDEX ix_sessions__scope_started_at (scope>?)"),
        ("scopes.page ()", "COVERING INDEX ix_daily_logs__scope_timestamp (scope>?)"),
        ("adoption.unchecked", "ix_memory_entries__hash_version"),
        ("adoption.unchecked_visible", "ix_memory_entries__hash_version"),
        ("adoption.hand_over", "ix_memory_entries__superseded_by (superseded_by=?)"),
        ("adoption.hand_over", "INTEGER PRIMARY KEY (rowid=?)"),
        ("adoption.extend", "content_hash_unique (content_hash=?)"),
        ("adoption.hand_on", "content_hash_unique (content_hash=?)"),
        ("adoption.approve", "content_hash_unique (content_hash=?)"),
        ("copying.known", "content_hash_unique (content_hash=?)"),
        ("copying.link_known", "ix_memory_entries__superseded_by (superseded_by=?)"),
        ("copying.link_known", "INTEGER PRIMARY KEY (rowid=?)"),
        ("spelling.other (memory_entries)", "ix_memory_entries__other_spelling (id>?)"),
        ("spelling.other (sessions)", "ix_sessions__other_spelling (id>?)"),
        ("spelling.other (daily_logs)", "ix_daily_logs__other_spelling (id>?)"),
        ("spelling.respell (daily_logs.timestamp)", "INTEGER PRIMARY KEY (rowid=?)"),
        ("adoption.set_hash", "INTEGER PRIMARY KEY (rowid=?)"),
        ("adoption.mark_checked", "INTEGER PRIMARY KEY (rowid=?)"),
        ("sessions.newest_open", "ix_sessions__open_thread (scope=? AND thread=?)"),
        ("sessions.active", "ix_sessions__open_thread (scope=? AND thread=?)"),
        ("sessions.time_out", "ix_sessions__open_thread (scope=? AND thread=?)"),
        ("sessions.start", "ix_sessions__open_thread (scope=? AND thread=?)"),
        ("sessions.open_beside", "ix_sessions__open_thread (scope=? AND thread=?)"),
        ("sessions.time_out_beside", "ix_sessions__open_thread (scope=? AND thread=?)"),
        ("sessions.end_abandoned", "ix_sessions__open (scope=?)"),
        ("sessions.last", "ix_sessions__active_at (scope=? AND thread=?"),
        ("sessions.last", "ix_sessions__scope_thread_started_at (scope=? AND thread=?"),
        (
            "sessions.find_many (thread)",
            "ix_sessions__scope_thread_started_at (scope=? AND thread=?)",
        ),
        (
            "sessions.find_many (active, not_ended, thread)",
            "ix_sessions__open_thread (scope=? AND thread=?)",
        ),
        ("sessions.find_many (not_ended)", "ix_sessions__open (scope=?)"),
        ("sessions.find_many (not_summarized)", "ix_sessions__unsummarized (scope=?)"),
        (
            "sessions.find_many (min_events, not_summarized, over)",
            "ix_sessions__unsummarized (scope=?)",
        ),
        ("daily_logs.keep_before_delete", "sessions USING INTEGER PRIMARY KEY (rowid=?)"),
        ("daily_logs.keep_before_pop ()", "sessions USING INTEGER PRIMARY KEY (rowid=?)"),
        (
            _label("daily_logs.keep_before_delete_many", frozenset(daily_logs.CONDITIONS)),
            "sessions USING INTEGER PRIMARY KEY (rowid=?)",
        ),
        (
            "daily_logs.keep_before_delete_many (event_type, thread)",
            "ix_sessions__open_thread (scope=? AND thread=?)",
        ),
        (
            "daily_logs.delete_many (thread)",
            "ix_daily_logs__session_id_timestamp (session_id=?)",
        ),
        ("daily_logs.keep_before_purge", "ix_sessions__open_thread (scope=?)"),
        (
            "daily_logs.keep_before_purge",
            "ix_daily_logs__session_id_timestamp (session_id=? AND timestamp>",
        ),
        ("sessions.get", "ix_daily_logs__session_id_timestamp (session_id=? AND timestamp<?)"),
        ("daily_logs.get_by_key", "ux_daily_logs__idempotency_key (scope=? AND idempotency_key=?)"),
        (
            "daily_logs.get_by_keys",
            "ux_daily_logs__idempotency_key (scope=? AND idempotency_key=?)",
        ),
        ("daily_logs.purge", "ix_daily_logs__scope_timestamp (scope=? AND timestamp<?)"),
        (
            "daily_logs.count_by_day",
            "ix_daily_logs__scope_timestamp (scope=? AND timestamp>? AND timestamp<?)",
        ),
        (
            "memories.find_many (category, not_forgotten, not_superseded, now)",
            "ix_memory_entries__scope_category_created_at (scope=? AND category=?)",
        ),
        (
            "memories.find_many (category, not_forgotten, not_superseded, now) after",
            "ix_memory_entries__scope_category_created_at (scope=? AND category=? AND created_at<?)",
        ),
        (
            "memories.count (not_forgotten, not_superseded, now, slot)",
            "ix_memory_entries__scope_slot (scope=? AND slot=?)",
        ),
        ("memories.fill_inferred", "ix_memory_entries__scope_slot (scope=? AND slot=?)"),
        ("memories.state", "ix_memory_entries__scope_slot (scope=? AND slot=?)"),
        ("memories.take", "memory_entries_content_hash_unique (content_hash=?)"),
        ("memories.take", "ix_memory_entries__scope_slot (scope=? AND slot=?)"),
        ("memories.take_by_hash", "memory_entries_content_hash_unique (content_hash=?)"),
        ("memories.take_by_hash", "ix_memory_entries__scope_slot (scope=? AND slot=?)"),
        ("memories.take_by_id", "INTEGER PRIMARY KEY (rowid=?)"),
        ("memories.take_by_id", "ix_memory_entries__scope_slot (scope=? AND slot=?)"),
        ("memories.take_many", "ix_memory_entries__scope_slot (scope=? AND slot=?)"),
        ("memories.take_many", "INTEGER PRIMARY KEY (rowid=?)"),
        ("memories.in_slot", "ix_memory_entries__scope_slot (scope=? AND slot=?)"),
        ("memories.revert", "ix_memory_entries__superseded_by (superseded_by=?)"),
        ("memories.approve_many", "ix_memory_entries__scope_proposed_at (scope=?"),
        ("memories.candidates", "ix_memory_entries__scope_last_accessed (scope=?)"),
        ("memories.touch_many", "INTEGER PRIMARY KEY (rowid=?)"),
        ("memories.pinned", "ix_memory_entries__scope_pinned_at (scope=?"),
        ("memories.due", "ix_memory_entries__scope_due_at (scope=? AND due_at<?)"),
        ("memories.surfaced", "INTEGER PRIMARY KEY (rowid=?)"),
        ("memories.set_due", "memory_entries_content_hash_unique (content_hash=?)"),
        ("memories.set_due_many", "memory_entries_content_hash_unique (content_hash=?)"),
        ("memories.observe", "ix_daily_logs__scope_timestamp (scope=? AND timestamp>?)"),
        ("memories.count_observed", "ix_daily_logs__scope_timestamp (scope=? AND timestamp>?)"),
        ("memories.observations", "ix_daily_logs__scope_timestamp (scope=? AND timestamp>?)"),
        ("memories.infer_insert", "this USING INTEGER PRIMARY KEY (rowid=?)"),
        ("memories.infer_insert", "ix_daily_logs__scope_timestamp (scope=? AND timestamp>?)"),
        ("memories.infer_tell", "this USING INTEGER PRIMARY KEY (rowid=?)"),
        ("memories.infer_revive", "memory_entries_content_hash_unique (content_hash=?)"),
        ("memories.infer_refresh", "memory_entries_content_hash_unique (content_hash=?)"),
        (
            "recalling.faded () is_accessed",
            "ix_memory_entries__scope_last_accessed (scope=? AND last_accessed<?)",
        ),
        (
            "recalling.faded () is_accessed after",
            "ix_memory_entries__scope_last_accessed (scope=? AND last_accessed>? AND last_accessed<?)",
        ),
        (
            "recalling.faded ()",
            "ix_memory_entries__scope_last_accessed (scope=? AND last_accessed=?)",
        ),
        ("memories.count_faded", "ix_memory_entries__scope_last_accessed (scope=?"),
        ("memories.forget_faded", "INTEGER PRIMARY KEY (rowid=?)"),
        ("memories.forget_faded", "ix_memory_entries__superseded_by (superseded_by=?)"),
        (
            "memories.find_many (session_id)",
            "ix_memory_entries__session_id_created_at (session_id=?)",
        ),
        (
            "daily_logs.find_many (session_id)",
            "ix_daily_logs__session_id_timestamp (session_id=?)",
        ),
    ],
)
def test_lookups_use_their_index(database: sqlite3.Connection, name: str, index: str) -> None:
    """What a statement is looked up by: a batch by hash, fact by fact, never by walking the scope."""
    assert index in plan(database, EVERY[name])


@pytest.mark.parametrize(
    "name",
    [
        "memories.candidates",
        "memories.pinned",
        "memories.due",
        "recalling.faded () is_accessed",
        "recalling.faded () is_accessed after",
    ],
)
def test_the_order_of_access_is_that_of_an_index(database: sqlite3.Connection, name: str) -> None:
    """What was accessed last, or the longest ago, is read without sorting or passing over what is hidden."""
    assert "TEMP B-TREE" not in plan(database, ALL[name])


# --- what is bound -----------------------------------------------------------------------------


class Recorder:
    """A connection that writes down what it is given, and passes it on."""

    def __init__(self, connection: memrepo.Connection) -> None:
        self._connection = connection
        self.bound: list[BoundStatement] = []

    async def write(self, unit: Unit) -> Sequence[Result]:
        self.bound += unit
        return await self._connection.write(unit)

    async def read(self, statement: BoundStatement) -> list[Row]:
        self.bound.append(statement)
        return await self._connection.read(statement)

    async def give_way(self) -> None:
        await self._connection.give_way()


async def use_attention(repo: memrepo.MemoryRepo, clock: Clock, session_id: int) -> None:
    due = await repo.remember("due", due_at=clock.now)
    await repo.remember_many([memrepo.MemoryNew(content="due, too", due_at=clock.now)])
    await repo.pin(due.id)
    await repo.unpin(due.id)
    await repo.surfaced(*(await repo.surface()).ids)
    await repo.observe("short answers", "asked for them", session_id=session_id, times=1)
    rules = FactRules(propose=frozenset({"inferred"}))
    cautious = memrepo.MemoryRepo(repo.connection, scope=repo.scope, clock=clock, rules=rules)
    await cautious.observe("long answers", times=1)
    await repo.would_infer("short answers")
    await repo.pending_inferences()


async def use_near_duplicates(repo: memrepo.MemoryRepo, clock: Clock) -> None:
    cats: list[int] = []
    for text in ("The cat sleeps", "A cat sleeps now", "Sleeps, my cat"):
        clock.advance(seconds=1)
        cats.append((await repo.remember(text)).id)
    near = await repo.near_duplicates(limit=1)
    await repo.near_duplicates(after=near.next_cursor)
    [pair async for pair in repo.iterate_near_duplicates()]
    await repo.merge(cats[0], cats[1])
    await repo.merge(cats[0], cats[2], "The cat is asleep")


async def use_memories(repo: memrepo.MemoryRepo, clock: Clock) -> None:
    later = clock.now + timedelta(days=1)
    await use_slots(repo)
    await repo.remember("tea", metadata={"a": 1}, expires_at=later)
    await repo.search("tea")
    await repo.recall("tea")
    await repo.search_as_you_type("te")
    await repo.find_to_forget("tea")
    session = await memrepo.SessionRepo(repo.connection, scope=repo.scope, clock=clock).start()
    many = await repo.remember_many(
        [memrepo.MemoryNew(content=f"fact {n}", session_id=session.id) for n in range(3)]
    )
    first, second = many[0].id, many[1].id
    await repo.find_by_content("tea")
    await repo.get(first)
    await repo.find(first)
    await repo.get_many([first, second])
    await repo.touch(first)
    await repo.update(first, category="a", metadata={}, expires_at=later, due_at=later)
    await use_attention(repo, clock, session.id)
    await repo.update(first, content="corrected")
    await repo.remember("inferred", source="inferred")
    await repo.remember_many([memrepo.MemoryNew(content="inferred", source="inferred")])
    replaced = await repo.supersede(first, "fact 0, in other words")
    await repo.history(replaced.id)
    await use_near_duplicates(repo, clock)
    await repo.recall(touch=True)
    await repo.fading()
    await repo.forget_faded(dry_run=True)
    await repo.forget(second)
    await repo.forgotten(limit=1)
    await repo.restore(second)
    where = memrepo.MemoryFilter(
        category="fact",
        source="user_explicit",
        session_id=session.id,
        created_from=clock.now,
        created_before=later,
        accessed_from=clock.now,
        accessed_before=later,
        due_from=clock.now,
        due_before=later,
        contains="f",
        metadata={"a": 1},
    )
    everything = memrepo.MemoryFilter(
        include_expired=True, include_forgotten=True, include_superseded=True
    )
    for its in (where, everything, memrepo.MemoryFilter()):
        await repo.count(its)
        await repo.count_by("category", its)
        await repo.count_by("source", its)
        [entry async for entry in repo.iterate(its)]
        page = await repo.find_many(its, limit=1)
        await repo.find_many(its, after=page.next_cursor or f"{first}~2026")
    clock.advance(days=101)
    await repo.forget_faded()
    await repo.forget_all(confirm=True)
    await repo.remember("fact 2")
    page = await repo.forgotten(limit=1)
    await repo.forgotten(after=page.next_cursor)
    await repo.purge(later, dry_run=True)
    await repo.purge(later)


async def use_slots(repo: memrepo.MemoryRepo) -> None:
    await repo.remember("Lives in Bonn", slot="home")
    await repo.remember("Lives in Rome", slot="home")
    await repo.remember("Lives in Oslo", source="inferred", slot="home")
    await repo.remember_many([memrepo.MemoryNew(content="Owns a cat", slot="pet")])
    await repo.in_slot("home")
    page = await repo.slots(limit=1)
    await repo.slots(after=page.next_cursor)
    held = await repo.revert("home")
    await repo.update(held.id, slot="town")
    await repo.update(held.id, content="Lives in Bonn, Germany", slot=None)
    first = await repo.remember("Lives in Kiel", proposed=True, slot="home")
    second = await repo.remember("Lives in Graz", proposed=True)
    page = await repo.proposals(limit=1)
    await repo.proposals(after=page.next_cursor)
    [entry async for entry in repo.iterate_proposals()]
    await repo.approve(first.id)
    await repo.reject(second.id)
    rules = FactRules(propose=frozenset({"inferred"}))
    proposing = memrepo.MemoryRepo(repo.connection, scope=repo.scope, rules=rules)
    await proposing.supersede(first.id, "Lives in Linz", source="inferred")


async def use_sessions(repo: memrepo.SessionRepo, clock: Clock) -> None:
    session = await repo.start()
    await repo.start(end_active=True)
    await repo.end(session.id, trigger="a", summary="b")
    await repo.search("b")
    await repo.get_or_start(day_boundary=UTC)
    await repo.get(session.id)
    await repo.find(session.id)
    await repo.get_many([session.id])
    await repo.active()
    await repo.summarize(session.id, "c")
    await repo.end(session.id, trigger="timeout")
    await repo.end_abandoned()
    ended = await repo.start("a thread")
    await repo.end(ended.id)
    await repo.resume(ended.id)
    await repo.carry_over()
    found = await repo.threads(limit=1)
    await repo.threads(after=found.next_cursor)
    [its async for its in repo.iterate_threads()]
    await repo.digest(ended.id)
    page = await repo.unsummarized(limit=1)
    await repo.unsummarized(1, after=page.next_cursor or "1~2026")
    for its in (True, False):
        of_thread = memrepo.SessionFilter(thread="", status="active", has_summary=its)
        await repo.count(of_thread)
        await repo.find_many(of_thread)
    await repo.count(memrepo.SessionFilter(status="abandoned"))
    await repo.delete(session.id, events="keep")
    await repo.delete((await repo.start(end_active=True)).id)
    async with repo.session(end_active=True):
        clock.advance(seconds=1)
    for is_ended in (None, True, False):
        where = memrepo.SessionFilter(
            started_from=clock.now - timedelta(days=1),
            started_before=clock.now,
            end_trigger="a",
            is_ended=is_ended,
        )
        await repo.find_many(where, limit=1)
        await repo.find_many(where, after="1~2026")
        [its async for its in repo.iterate(where)]


async def use_daily_logs(repo: memrepo.DailyLogRepo, clock: Clock) -> None:
    event = await repo.append(None, "a", {"b": 1})
    await repo.search("b")
    await repo.append(None, "a", {"b": 1}, key="c")
    await repo.append_many([memrepo.DailyLogNew(event_type="a", key=key) for key in ("d", None)])
    await repo.get(event.id)
    await repo.find(event.id)
    await repo.get_many([event.id])
    where = memrepo.DailyLogFilter(
        event_type="a",
        timestamp_from=clock.now,
        timestamp_before=clock.now + timedelta(days=1),
        session_id=1,
        event_types=("a", "b"),
        data={"b": 1},
    )
    await repo.find_by_key("c")
    await repo.recent_tool_invocations()
    await repo.count(where)
    await repo.count_by_type(where)
    await repo.pop_last(where)
    for newest_first in (False, True):
        await repo.find_many(where, limit=1, newest_first=newest_first)
        await repo.find_many(where, after="1~2026", newest_first=newest_first)
        [its async for its in repo.iterate(where, newest_first=newest_first)]
    await repo.for_day(date(2026, 2, 2))
    await repo.digest(date(2026, 2, 2))
    await repo.delete(event.id)
    await repo.delete_many(where, dry_run=True)
    await repo.delete_many(where)
    await repo.count_by_day()
    await repo.purge(clock.now, dry_run=True)
    await repo.purge(clock.now)


USES: Mapping[str, tuple[type, Callable[..., Any], tuple[ModuleType, ...]]] = {
    "memories": (
        memrepo.MemoryRepo,
        use_memories,
        (
            memories,
            chains,
            recalling,
            *(
                importlib.import_module(f"memrepo.queries.{name}")
                for name in ("due", "observing", "pinning", "remembering", "remembering_many")
            ),
            importlib.import_module("memrepo.queries.superseding"),
            slots,
            proposals,
        ),
    ),
    "sessions": (memrepo.SessionRepo, use_sessions, (sessions,)),
    "daily_logs": (memrepo.DailyLogRepo, use_daily_logs, (daily_logs,)),
}


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", USES)
async def test_what_is_bound_is_what_the_statement_asks_for(
    store: memrepo.Store, clock: Clock, kind: str
) -> None:
    """Through every public method, each placeholder gets a value and no value is without one."""
    repository, use, modules = USES[kind]
    recorder = Recorder(store.connection)
    called: set[str] = set()

    class Spy(repository):  # type: ignore[misc, valid-type]
        def __getattribute__(self, name: str) -> Any:
            called.add(name)
            return super().__getattribute__(name)

    await use(Spy(recorder, clock=clock, scope="user:42"), clock)
    public = {name for name in dir(repository) if not name.startswith("_")}
    assert public - called == set()
    for statement, parameters in recorder.bound:
        assert set(_placeholders(statement.sql)) == set(parameters), statement.name
        assert all(type(its) in (str, int, type(None)) for its in parameters.values())
        if not statement.name.startswith(WHOLE_DATABASE):
            assert parameters["scope"] == "user:42"
    ran = {statement.name for statement, _ in recorder.bound}
    assert {its.name for module in modules for its in _constants(module)} - ran == set()


def test_positional_placeholders() -> None:
    """A file's driver binds by position: at each place of a name, at none of what only looks like one."""
    statement = Statement(
        "a", """SELECT :b, ':a', :a, '12:30', "x:y", `x:y`, :b /* :z */ -- :c\n"""
    )
    text = """SELECT ?, ':a', ?, '12:30', "x:y", `x:y`, ? /* :z */ -- :c\n"""
    assert statement.positional_sql == text
    assert statement.values({"a": 1, "b": 2, "c": 3}) == (2, 1, 2)


@pytest.mark.parametrize(
    "placeholder", ["?", "?1", "@a", "$a", "#a", ":a, ?"], ids=lambda placeholder: placeholder
)
def test_placeholders_that_nothing_is_bound_to(placeholder: str) -> None:
    """SQLite has other kinds of placeholders, which `bind` could not fill: they are refused at once."""
    with pytest.raises(InvalidInputError, match=r"^sql: has the placeholder .*: write :name$"):
        Statement("a", f"SELECT {placeholder}")


def test_text_that_looks_like_placeholders() -> None:
    """In strings, names and comments they are what they are."""
    sql = "SELECT '?', \"@a\", `$a`, [a?b], x$y, ':n', :self -- ?\n/* @a */"
    assert Statement("a", sql).bind(self=1).parameters == {"self": 1}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"a": 1}, "b: has no value in its"),
        ({"a": 1, "b": 2, "c": 3}, "c: is no placeholder of its"),
        ({"a": 1, "c": 3}, "b: has no value in its"),
        ({}, "a: has no value in its"),
    ],
)
def test_names_that_do_not_fit(given: dict[str, int], message: str) -> None:
    """A misspelled name is refused, and is not left out."""
    with pytest.raises(InvalidInputError, match=f"^{message}$"):
        Statement("its", "SELECT :a, :b").bind(**given)


@pytest.mark.parametrize("sql", ["PRAGMA foreign_keys=0", " ;-- x\n/* y */ pragma user_version"])
def test_pragma(sql: str) -> None:
    """A program's own statement cannot change, or read, the connection's settings."""
    with pytest.raises(InvalidInputError, match=r"^sql: must not begin with PRAGMA"):
        Statement("its", sql)
    assert Statement("ours", sql, is_pragma=True).sql == sql
    assert Statement("its", "SELECT * FROM pragma_user_version").bind().parameters == {}


def test_one_placeholder_and_none() -> None:
    """One value, or none, is bound as a tuple, too."""
    assert Statement("a", "SELECT :a").values({"a": "text"}) == ("text",)
    assert Statement("a", "SELECT 1").values({}) == ()


if __name__ == "__main__":
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text(golden_text(), encoding="utf-8")
