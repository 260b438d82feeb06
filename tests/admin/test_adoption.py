"""A database of the original program (Drizzle ORM): it opens here, and goes on working there."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import subprocess
import textwrap
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, Self, cast

import pytest

import memrepo
from memrepo.admin import adoption
from memrepo.connection.contract import Connection
from memrepo.domain.codec import Row
from tests.admin.interruption import Cancelled
from tests.admin.original import DRIZZLE
from tests.admin.test_migrations import LATEST, versions_of
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio

#: Drizzle's statements, as its query builder prints them.
INSERT_FACT = (
    'insert into "memory_entries" ("id", "content", "content_hash", "category", "source",'
    ' "created_at", "last_accessed") values (null, ?, ?, ?, ?, ?, null)'
)
INSERT_FACT_ONCE = f'{INSERT_FACT} on conflict ("memory_entries"."content_hash") do nothing'
SELECT_FACTS = (
    'select "id", "content", "content_hash", "category", "source", "created_at", "last_accessed"'
    ' from "memory_entries"'
)
START_SESSION = (
    'insert into "sessions" ("id", "started_at", "ended_at", "end_trigger", "summary")'
    ' values (null, ?, null, null, null) returning "id", "started_at", "ended_at", "end_trigger",'
    ' "summary"'
)
END_SESSION = 'update "sessions" set "ended_at" = ?, "end_trigger" = ? where "sessions"."id" = ?'
INSERT_EVENT = (
    'insert into "daily_logs" ("id", "session_id", "event_type", "event_data", "timestamp")'
    " values (null, ?, ?, ?, ?)"
)
THEN = "2026-01-31T08:00:00.000Z"
#: What the fixture's clock shows.
NOW = "2026-02-02T14:16:24.123Z"


class Original:
    """The original program, in Python: the same statements on the same file."""

    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.run("PRAGMA synchronous = off")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.connection.close()

    def run(self, sql: str, *values: object) -> list[Row]:
        """Run a statement."""
        return self.connection.execute(sql, values).fetchall()

    def create(self, *, is_recorded: bool = True) -> None:
        """Migrate, as drizzle-orm's migrator does."""
        self.run(
            'CREATE TABLE IF NOT EXISTS "__drizzle_migrations"'
            " (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at numeric)"
        )
        for statement in DRIZZLE.split("--> statement-breakpoint"):
            self.run(statement)
        if is_recorded:
            digest = sha256(DRIZZLE.encode()).hexdigest()
            insert = 'INSERT INTO "__drizzle_migrations" ("hash", "created_at") VALUES (?, ?)'
            self.run(insert, digest, 1767000000000)

    def add_fact(self, content: str | bytes, content_hash: str | None) -> int:
        """Store a fact with whatever hash; return its id."""
        self.run(INSERT_FACT, content, content_hash, "fact", "jarvis_inferred", THEN)
        ((number,),) = self.run("select last_insert_rowid()")
        return int(number)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with the original's tables and nothing in them."""
    path = tmp_path / "jarvis.db"
    with Original(path) as original:
        original.create()
    return path


def hashed(text: str) -> str:
    """Return the SHA-256 of a text that is normalized already."""
    return sha256(text.encode()).hexdigest()


def shape_of(path: Path) -> dict[str, object]:
    """Return the tables as SQLite understands them: columns, keys and indexes, however written."""
    with closing(sqlite3.connect(path)) as connection:
        return {
            table: (
                sorted(
                    (name, kind.upper(), not_null, default, key)
                    for _, name, kind, not_null, default, key in connection.execute(
                        f"PRAGMA table_info({table})"
                    )
                ),
                connection.execute(f"PRAGMA foreign_key_list({table})").fetchall(),
                sorted(row[1:] for row in connection.execute(f"PRAGMA index_list({table})")),
            )
            for table in ("memory_entries", "sessions", "daily_logs")
        }


# --- the schema --------------------------------------------------------------------------------


@pytest.mark.parametrize("journal", ["delete", "wal"])
@pytest.mark.parametrize("is_recorded", [False, True], ids=["unrecorded", "recorded"])
async def test_adopt_empty(is_recorded: bool, journal: str, tmp_path: Path, clock: Clock) -> None:
    """Tables of the original become the same schema as a new file's, and its own record stays."""
    path = tmp_path / "jarvis.db"
    with Original(path) as original:
        original.run(f"PRAGMA journal_mode = {journal}")
        original.create(is_recorded=is_recorded)
        record = original.run('SELECT * FROM "__drizzle_migrations"')
    async with memrepo.connect(path, clock=clock) as store:
        assert store.schema_version == LATEST
        assert (await store.memories.remember("Tea, no milk")).outcome == "created"
    async with memrepo.connect(tmp_path / "new.db") as store:
        pass
    assert shape_of(path) == shape_of(tmp_path / "new.db")
    assert [row[0] for row in versions_of(path)] == list(range(1, LATEST + 1))
    with Original(path) as original:
        assert original.run('SELECT * FROM "__drizzle_migrations"') == record


async def test_adopt_column_of_its_own(path: Path) -> None:
    """A column that the original has added meanwhile does not matter, and keeps its values."""
    with Original(path) as original:
        original.run("ALTER TABLE `memory_entries` ADD `importance` integer")
        number = original.add_fact("Tea, no milk", None)
        original.run("UPDATE memory_entries SET importance = 7")
    async with memrepo.connect(path) as store:
        assert (await store.memories.remember("tea, no milk")).id == number
        await store.memories.remember("Therapy on Thursdays")
    with Original(path) as original:
        assert original.run("SELECT importance FROM memory_entries") == [(7,), (None,)]


# --- the facts ---------------------------------------------------------------------------------

_FACTS: dict[str, list[tuple[str, str | None]]] = {
    "hash of ours": [("Tea, no milk.", hashed("tea, no milk"))],
    "no hash": [("Tea, no milk.", None)],
    "hash of another rule": [("Tea, no milk.", hashed("TEA NO MILK"))],
    "hash of another kind": [("Tea, no milk.", "md5:0cc175b9")],
    "hash in capitals": [("Tea, no milk.", hashed("tea, no milk").upper())],
    "decomposed letters": [("Cafe\u0301 at nine", hashed("cafe\u0301 at nine"))],
    "an empty hash": [("Tea, no milk.", "")],
    # The first has the hash of the second: the other rule drops "++".
    "hash of another fact": [("Uses C++", hashed("uses c")), ("Uses C", None)],
    "hash of another fact, later": [("Uses C", None), ("Uses C++", hashed("uses c"))],
    "hashes in a ring": [
        ("one", hashed("two")),
        ("two", hashed("three")),
        ("three", hashed("one")),
    ],
    "many without a hash": [(f"Fact {number}", None) for number in range(1_200)],
    "hash of a fact far away": [
        *((f"Fact {number}", None) for number in range(700)),
        ("Fact #0", hashed("fact 0")),
    ],
}


@pytest.mark.parametrize("case", _FACTS)
async def test_adopt_facts(case: str, path: Path, clock: Clock) -> None:
    """Each fact of the original is current, untouched, and known: under its id, whatever its hash."""
    facts = _FACTS[case]
    with Original(path) as original:
        ids = [original.add_fact(*fact) for fact in facts]
    async with memrepo.connect(path, clock=clock) as store:
        for number, (content, _) in zip(ids, facts, strict=True):
            fact = await store.memories.get(number)
            assert (fact.content, fact.source) == (content, "jarvis_inferred")
            assert (fact.content_hash, fact.superseded_by) == (memrepo.content_hash(content), None)
        again = await store.memories.remember_many(
            memrepo.MemoryNew(content=f" {content.upper()}!") for content, _ in facts
        )
        assert [(fact.outcome, fact.id) for fact in again] == [("duplicate", n) for n in ids]
        assert await store.memories.count() == len(facts)


_DUPLICATES: dict[str, list[str | None]] = {
    "without a hash": [None, None, None],
    "the second has it": [None, hashed("tea, no milk"), None],
    "by another rule": [hashed("Tea"), hashed("TEA"), hashed("tea")],
    "one of another rule": [None, hashed("TEA"), hashed("tea, no milk")],
}


@pytest.mark.parametrize("case", _DUPLICATES)
async def test_adopt_duplicates(case: str, path: Path, clock: Clock) -> None:
    """Of a fact that is there more than once one stays current, and the others are its history."""
    hashes = _DUPLICATES[case]
    texts = ["Tea, no milk", "tea, no milk.", " TEA,  NO MILK"]
    with Original(path) as original:
        ids = [original.add_fact(*fact) for fact in zip(texts, hashes, strict=True)]
        other = original.add_fact("Therapy on Thursdays", None)
    keeper = (
        ids[hashes.index(hashed("tea, no milk"))] if hashed("tea, no milk") in hashes else ids[0]
    )
    async with memrepo.connect(path, clock=clock) as store:
        assert {fact.id async for fact in store.memories.iterate()} == {keeper, other}
        for text in texts:
            fact = await store.memories.remember(text)
            assert (fact.outcome, fact.id) == ("duplicate", keeper)
        history = await store.memories.history(keeper)
        assert {fact.id for fact in history} == set(ids) - {keeper}
    with Original(path) as original:
        assert len(original.run(SELECT_FACTS)) == len(texts) + 1


async def test_adopt_duplicates_far_apart(path: Path) -> None:
    """Duplicates find each other across the batches in which facts are adopted."""
    with Original(path) as original:
        first = original.add_fact("Tea, no milk", None)
        for number in range(1_100):
            original.add_fact(f"Fact {number}", None)
        last = original.add_fact("tea, no milk!", None)
    async with memrepo.connect(path) as store:
        assert (await store.memories.get(last)).superseded_by == first
        assert await store.memories.count() == 1_101


@pytest.mark.parametrize("content", ["", "  ", "?!", "a\0b", b"\x00\xff", "x" * 5_000_000])
async def test_adopt_odd_content(content: str | bytes, path: Path) -> None:
    """A fact that we would not have taken does not keep the database from opening."""
    with Original(path) as original:
        original.add_fact(content, None)
        number = original.add_fact("Tea, no milk", None)
    async with memrepo.connect(path) as store:
        assert (await store.memories.remember("tea, no milk")).id == number


async def test_adopt_broken_text(path: Path) -> None:
    """A fact that is not UTF-8 does not keep the database from opening."""
    with Original(path) as original:
        number = original.add_fact("Tea, no milk", None)
        original.add_fact("broken", None)
        original.run("UPDATE memory_entries SET content = CAST(x'ff61' AS TEXT) WHERE id > 1")
    async with memrepo.connect(path) as store:
        assert (await store.memories.remember("tea, no milk")).id == number


@pytest.mark.parametrize("countdown", range(1, 4))
async def test_adopt_resumed(countdown: int, path: Path, clock: Clock) -> None:
    """After a new rule for hashes, facts are hashed anew in batches; an interruption costs nothing."""
    async with memrepo.connect(path, clock=clock) as store:
        facts = await store.memories.remember_many(
            memrepo.MemoryNew(content=f"Fact {number}") for number in range(1_200)
        )
        ids = [fact.id for fact in facts]
    with Original(path) as original:
        # As a migration does it that changes the rule. Some have the new hash of others already.
        original.run(
            "UPDATE memory_entries SET hash_version = 0, content_hash ="
            " iif(id % 2, 'old' || id, NULL)"
        )
        original.run("UPDATE memory_entries SET content_hash = ? WHERE id = 1", hashed("fact 999"))
    async with memrepo.connect(path, clock=clock, migrate=False) as store:
        interrupted = cast(Connection, Cancelled(store.connection, countdown))
        with pytest.raises(asyncio.CancelledError):
            await adoption.adopt_facts(interrupted, "folded")
    async with memrepo.connect(path, clock=clock) as store:
        again = await store.memories.remember_many(
            memrepo.MemoryNew(content=f"fact {number}") for number in range(1_200)
        )
        assert [(fact.outcome, fact.id) for fact in again] == [("duplicate", n) for n in ids]


# --- living together ---------------------------------------------------------------------------


async def test_adopt_sessions_and_events(path: Path, clock: Clock) -> None:
    """Sessions and events of the original are read as they are, broken JSON and all."""
    with Original(path) as original:
        ((old, *_),) = original.run(START_SESSION, THEN)
        original.run(END_SESSION, "2026-01-31T09:00:00.000Z", "browser_close", old)
        ((still_open, *_),) = original.run(START_SESSION, "2026-02-02T14:10:00.000Z")
        original.run(INSERT_EVENT, old, "session_start", '{"mood":"calm"}', THEN)
        original.run(INSERT_EVENT, old, "topic_change", '{"mood":', THEN)
        original.run(INSERT_EVENT, None, "user_state", None, THEN)
    async with memrepo.connect(path, clock=clock) as store:
        ended = await store.sessions.get(old)
        assert (ended.status, ended.end_trigger) == ("ended", "browser_close")
        active = await store.sessions.active()
        assert active is not None
        assert active.id == still_open
        assert (await store.sessions.get_or_start()).id == still_open
        events = await store.daily_logs.find_many()
        assert [(event.event_data, event.is_broken) for event in events] == [
            ({"mood": "calm"}, False),
            (None, True),
            (None, False),
        ]
        clock.advance(hours=1)
        assert (await store.sessions.get_or_start()).id not in {old, still_open}
        assert (await store.sessions.get(still_open)).end_trigger == "timeout"


async def test_original_goes_on(path: Path, clock: Clock) -> None:
    """All statements of the original work on an adopted file, while it is open here, too."""
    async with memrepo.connect(path, clock=clock) as store:
        session = await store.sessions.start()
        tea = await store.memories.remember("Tea, no milk")
        with Original(path) as original:
            once = ("tea, no milk", hashed("tea, no milk"), "fact", "user_explicit", THEN)
            original.run(INSERT_FACT_ONCE, *once)
            assert original.run(SELECT_FACTS) == [
                (tea.id, "Tea, no milk", hashed("tea, no milk"), "fact", "user_explicit", NOW, NOW)
            ]
            second = original.run(START_SESSION, "2026-02-02T14:16:30.000Z")[0][0]
            third = original.run(START_SESSION, "2026-02-02T14:16:31.000Z")[0][0]
            original.run(INSERT_EVENT, second, "user_state", "{}", "2026-02-02T14:16:32.000Z")
            original.run(END_SESSION, "2026-02-02T14:16:33.000Z", "timeout", third)
            assert len(original.run("SELECT * FROM sessions")) == 3
            new = original.add_fact("Therapy on Thursdays", hashed("therapy on thursdays"))
            known = await store.memories.remember("therapy on thursdays!")
            assert (known.outcome, known.id) == ("duplicate", new)
            original.run('delete from "memory_entries" where "memory_entries"."id" = ?', new)
        assert await store.memories.find(new) is None
        assert {one.id async for one in store.sessions.iterate()} == {session.id, second, third}
        assert [event.session_id for event in await store.daily_logs.find_many()] == [second]


async def test_rows_of_later(path: Path, clock: Clock) -> None:
    """What the original adds without a hash after the file was adopted is adopted the next time."""
    async with memrepo.connect(path, clock=clock) as store:
        tea = await store.memories.remember("Tea, no milk")
    with Original(path) as original:
        again = original.add_fact("tea, no milk", None)
        new = original.add_fact("Therapy on Thursdays", "by another rule")
    async with memrepo.connect(path, clock=clock) as store:
        assert (await store.memories.get(again)).superseded_by == tea.id
        known = await store.memories.remember("therapy on thursdays")
        assert (known.outcome, known.id) == ("duplicate", new)
        assert await store.memories.count() == 2


@pytest.mark.parametrize("is_surfaced", [True, False])
async def test_pins_and_dates_of_duplicates(is_surfaced: bool, path: Path, clock: Clock) -> None:
    """A fact takes over the first pin and the first date of what is superseded by it, and whether that was brought up."""
    soon, later = (clock.now + timedelta(hours=hours) for hours in (1, 2))
    async with memrepo.connect(path, clock=clock) as store:
        tea = await store.memories.remember("Tea, no milk")
        call = await store.memories.remember("Call Bob", due_at=soon)
        with Original(path) as original:
            again = [original.add_fact("tea, no milk", None) for _ in range(2)]
            bob = original.add_fact("call bob", None)
        for number, due_at in zip(again, (later, soon), strict=True):
            await store.memories.pin(number)
            await store.memories.update(number, due_at=due_at)
            clock.advance(minutes=1)
        await store.memories.update(bob, due_at=later)
        await store.memories.surfaced(bob, *again[: 2 if is_surfaced else 1])
    async with memrepo.connect(path, clock=clock) as store:
        fact = await store.memories.get(tea.id)
        assert (fact.pinned_at, fact.due_at) == (clock.now - timedelta(minutes=2), soon)
        assert fact.surfaced_at == (clock.now if is_surfaced else None)
        fact = await store.memories.get(call.id)
        assert (fact.pinned_at, fact.due_at, fact.surfaced_at) == (None, soon, None)
        assert await store.memories.count() == 2


async def test_what_was_brought_up_before(path: Path, clock: Clock) -> None:
    """A duplicate's date is brought up if it was not before; and what has no date is not brought up again."""
    soon = clock.now + timedelta(hours=1)
    async with memrepo.connect(path, clock=clock) as store:
        pinned = await store.memories.remember("Remember to buy tea")
        dated = await store.memories.remember("Call Bob")
        dated_anew = await store.memories.remember("Pay the rent", due_at=clock.now)
        with Original(path) as original:
            tea, bob, again, rent = (
                original.add_fact(text, None)
                for text in ("remember to buy tea", "call bob", "call  bob", "pay the rent")
            )
        await store.memories.pin(tea)
        await store.memories.update(bob, due_at=soon)
        await store.memories.update(rent, due_at=soon)
        await store.memories.surfaced(pinned.id, again, dated_anew.id)
    async with memrepo.connect(path, clock=clock) as store:
        fact = await store.memories.get(pinned.id)
        assert (fact.pinned_at, fact.due_at, fact.surfaced_at) == (clock.now, None, clock.now)
        for other in (dated, dated_anew):
            fact = await store.memories.get(other.id)
            assert (fact.due_at, fact.surfaced_at) == (soon, None)


async def test_forgotten_stays_forgotten(path: Path, clock: Clock) -> None:
    """A fact that was forgotten here is not brought back by adopting its duplicates."""
    async with memrepo.connect(path, clock=clock) as store:
        tea = await store.memories.remember("Tea, no milk")
        await store.memories.forget(tea.id)
    with Original(path) as original:
        original.add_fact("tea, no milk", None)
    async with memrepo.connect(path, clock=clock) as store:
        restored = await store.memories.remember("Tea, no milk")
        assert (restored.outcome, restored.id) == ("restored", tea.id)
        assert await store.memories.count() == 1


async def test_a_proposal_that_another_program_states(path: Path, clock: Clock) -> None:
    """What waits here is a fact once another program states it: it stays visible, and takes nothing's slot."""
    async with memrepo.connect(path, clock=clock) as store:
        soon = clock.now + timedelta(hours=1)
        tea = await store.memories.remember(
            "Tea, no milk", slot="drink", proposed=True, expires_at=soon
        )
        coffee = await store.memories.remember("Coffee", slot="drink")
        rum = await store.memories.remember("Rum", proposed=True)
    with Original(path) as original:
        original.add_fact("tea, no milk", None)
        forgotten = original.add_fact("rum", None)
        original.run("update memory_entries set deleted_at = ? where id = ?", NOW, forgotten)
    clock.advance(hours=2)
    async with memrepo.connect(path, clock=clock) as store:
        memories = store.memories
        assert {fact.id async for fact in memories.iterate()} == {tea.id, coffee.id}
        assert await memories.in_slot("drink") == coffee.entry
        assert [offer.id for offer in await memories.proposals()] == [rum.id]
        assert await memories.purge(clock.now) == 1
        assert await store.verify() == []


# --- the real thing ----------------------------------------------------------------------------

_PACKAGE = {
    "private": True,
    "type": "module",
    "dependencies": {"@libsql/client": "0.18.0", "drizzle-orm": "0.45.4"},
}
_JOURNAL = {
    "version": "7",
    "dialect": "sqlite",
    "entries": [
        {
            "idx": 0,
            "version": "6",
            "when": 1767000000000,
            "tag": "0000_drizzle",
            "breakpoints": True,
        }
    ],
}
_PROGRAM = """
    import { createHash } from "node:crypto";
    import { createClient } from "@libsql/client";
    import { eq } from "drizzle-orm";
    import { drizzle } from "drizzle-orm/libsql";
    import { migrate } from "drizzle-orm/libsql/migrator";
    import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

    const facts = sqliteTable("memory_entries", {
      id: integer("id").primaryKey({ autoIncrement: true }),
      content: text("content").notNull(),
      contentHash: text("content_hash").unique(),
      category: text("category").notNull(),
      source: text("source").notNull(),
      createdAt: text("created_at").notNull(),
      lastAccessed: text("last_accessed"),
    });
    const sessions = sqliteTable("sessions", {
      id: integer("id").primaryKey({ autoIncrement: true }),
      startedAt: text("started_at").notNull(),
      endedAt: text("ended_at"),
      endTrigger: text("end_trigger"),
      summary: text("summary"),
    });
    const logs = sqliteTable("daily_logs", {
      id: integer("id").primaryKey({ autoIncrement: true }),
      sessionId: integer("session_id").references(() => sessions.id),
      eventType: text("event_type").notNull(),
      eventData: text("event_data"),
      timestamp: text("timestamp").notNull(),
    });

    const normalize = (text) =>
      text.trim().toLowerCase().replace(/\\s+/g, " ").replace(/[.,;:!?]+$/, "");
    const hash = (text) => createHash("sha256").update(normalize(text)).digest("hex");

    const [url, contents] = process.argv.slice(2);
    const client = createClient({ url });
    const db = drizzle(client);
    await migrate(db, { migrationsFolder: "drizzle" });
    const now = () => new Date().toISOString();
    const [session] = await db.insert(sessions).values({ startedAt: now() }).returning();
    const added = [];
    for (const content of JSON.parse(contents)) {
      added.push(
        await db
          .insert(facts)
          .values({
            content, contentHash: hash(content), category: "fact", source: "user_explicit",
            createdAt: now(),
          })
          .onConflictDoNothing({ target: facts.contentHash })
          .returning(),
      );
      await db.insert(logs).values({
        sessionId: session.id, eventType: "user_state", eventData: JSON.stringify({ content }),
        timestamp: now(),
      });
    }
    await db.update(sessions).set({ endedAt: now(), endTrigger: "explicit" })
      .where(eq(sessions.id, session.id));
    console.log(JSON.stringify({
      added: added.flat().map((row) => row.id),
      facts: await db.select().from(facts),
      sessions: await db.select().from(sessions),
      logs: await db.select().from(logs),
    }));
    client.close();
"""


@pytest.mark.campaign
async def test_real_drizzle_program(tmp_path: Path) -> None:
    """
    Drizzle itself and memrepo take turns on one file, and neither stores a fact of the other twice.

    But the original does not find a text whose marks end in white space, as memrepo goes on where it stops
    folding: it adds a row, which memrepo marks as superseded.
    """
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    _install(tmp_path)
    path = tmp_path / "jarvis.db"
    texts = [
        "Tea, no milk.",
        "Therapy on Thursdays\u00a0at 3pm",
        "  Ähnlich   42!",
        "ΟΔΟΣ 7",
        "Ready !",
    ]
    first = _drizzle(tmp_path, path, texts)
    assert len(first["added"]) == len(texts)
    async with memrepo.connect(path) as store:
        again = await store.memories.remember_many(
            memrepo.MemoryNew(content=f" {text.swapcase()}!") for text in texts
        )
        assert [(fact.outcome, fact.id) for fact in again] == [
            ("duplicate", n) for n in first["added"]
        ]
        new = await store.memories.remember("The bike is blue")
        async with store.sessions.session() as session:
            await store.daily_logs.append(session.id, "user_state", {"content": "blue"})
    second = _drizzle(tmp_path, path, [*texts, "the bike is BLUE!", "The cat is grey"])
    ready, cat = second["added"]
    assert [row["id"] for row in second["facts"]] == [*first["added"], new.id, ready, cat]
    assert len(second["sessions"]) == 3
    assert len(second["logs"]) == len(texts) + 1 + len(texts) + 2
    async with memrepo.connect(path) as store:
        assert (await store.memories.remember("the cat is grey")).id == cat
        assert await store.memories.count() == len(texts) + 2
        assert (await store.memories.get(ready)).superseded_by == first["added"][-1]
        assert len([event async for event in store.daily_logs.iterate()]) == len(second["logs"])


def _install(folder: Path) -> None:
    (folder / "package.json").write_text(json.dumps(_PACKAGE))
    (folder / "program.mjs").write_text(textwrap.dedent(_PROGRAM))
    (folder / "drizzle" / "meta").mkdir(parents=True)
    (folder / "drizzle" / "0000_drizzle.sql").write_text(DRIZZLE)
    (folder / "drizzle" / "meta" / "_journal.json").write_text(json.dumps(_JOURNAL))
    subprocess.run(
        ["npm", "install", "--silent", "--no-audit", "--no-fund"],
        cwd=folder,
        check=True,
        timeout=300,
        capture_output=True,
    )


def _drizzle(folder: Path, path: Path, contents: Sequence[str]) -> dict[str, list[Any]]:
    done = subprocess.run(
        ["node", "program.mjs", f"file:{path}", json.dumps(contents)],
        cwd=folder,
        check=False,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return cast(dict[str, list[Any]], json.loads(done.stdout))
