"""What the tests of copying have in common: rows of every kind, and how to read them without the library."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from memrepo import DailyLogNew, MemoryNew, Store
from memrepo.queries.statement import BoundStatement, Statement
from tests.conftest import Clock

__all__ = ["ODD", "TABLES", "dump", "fill", "run", "sql"]

#: Every column of the three tables, spelled out: what a copy must keep.
TABLES = {
    "sessions": "id scope thread started_at ended_at end_trigger summary is_exclusive active_at "
    "summarized_until",
    "memory_entries": "id scope content content_hash category source created_at last_accessed "
    "expires_at deleted_at superseded_by metadata hash_version n_restated session_id "
    "slot proposed_at pinned_at due_at surfaced_at",
    "daily_logs": "id scope session_id event_type event_data timestamp idempotency_key",
}


def sql(text: str, **parameters: Any) -> BoundStatement:
    """A statement of the test's own."""
    return Statement("test", text).bind(**parameters)


async def run(store: Store, *texts: str) -> None:
    """Change a store as another program does."""
    for text in texts:
        await store.connection.write((sql(text),))


async def dump(store: Store, *, limit: int = 500) -> dict[str, list[Any]]:
    """Every row of a store: the type and the bytes of each value; and the last number of each table."""
    found: dict[str, list[Any]] = {}
    for table, columns in TABLES.items():
        shown = ",".join(f"typeof({c}),CAST({c} AS BLOB)" for c in columns.split())
        found[table] = []
        last: int | None = None
        while rows := await store.connection.read(
            sql(
                f"SELECT id,{shown} FROM {table} WHERE :last IS NULL OR id>:last "
                "ORDER BY id LIMIT :limit",
                last=last,
                limit=limit,
            )
        ):
            found[table] += rows
            last = rows[-1][0]
    found["numbers"] = await store.connection.read(
        sql("SELECT name,seq FROM sqlite_sequence ORDER BY name")
    )
    return found


async def fill(store: Store, clock: Clock, *, n_facts: int = 2_500, n_events: int = 5_500) -> None:
    """Store rows of every kind, of several scopes, by the library."""
    for scope in ("", "user:1", "\u4e8b"):
        mine = store.scoped(scope)
        n = n_facts // 3
        facts = await mine.memories.remember_many(
            MemoryNew(content=f"fact {i} \U0001f600 'x' \"y\" \\ \n \x01", metadata={"n": i})
            for i in range(n)
        )
        clock.advance(seconds=1)
        first, second, third, fourth = (fact.id for fact in facts[:4])
        await mine.memories.supersede(first, "fact 0, in other words")
        await mine.memories.forget(second)
        await mine.memories.touch(third)
        await mine.memories.update(fourth, expires_at=clock.now + timedelta(days=1))
        if scope == "user:1":
            await mine.memories.forget_all(confirm=True)
        async with mine.sessions.session() as session:
            await mine.daily_logs.append_many(
                DailyLogNew(session_id=session.id, event_type="e", event_data={"n": i}, key=f"{i}")
                for i in range(n_events // 3)
            )
        await mine.sessions.start()
        await mine.sessions.start("phone \u4e8b")
        await mine.sessions.resume((await mine.sessions.start("laptop")).id)
    await asyncio.gather(*(store.daily_logs.append(None, "free") for _ in range(20)))
    # The last fact is gone, and its number is not to be given again.
    gone = await store.memories.remember("gone")
    await store.memories.forget(gone.id)
    clock.advance(days=1)
    await store.memories.purge(clock.now - timedelta(hours=1))


#: What only another program writes: no hash, the same fact twice, broken JSON, odd instants, text that
#: is not UTF-8, a NUL, blobs, numbers of other types, and ids below one.
ODD = (
    (
        "INSERT INTO memory_entries (id,content,category,source,created_at) VALUES "
        "(-5,'no hash','a','b','yesterday'),(0,'no hash','a','b',''),"
        "(900001,CAST(x'61ff62' AS TEXT),'a',x'6162','2026-01-01'),"
        "(900004,CAST(x'610062' AS TEXT),'a','b',''),(900005,'x','a',CAST(x'ff' AS TEXT),'')"
    ),
    (
        "INSERT INTO memory_entries (id,content,content_hash,category,source,created_at,metadata,"
        "superseded_by,hash_version) VALUES (900002,'other','not a hash','a','b','x','{broken',0.1,"
        "9007199254740993),(900003,'',NULL,'','','','','not a number',x'01')"
    ),
    (
        "INSERT INTO sessions (id,started_at,ended_at,summary) VALUES (900001,'2026-01-01 10:00:00',"
        "'never',x''),(900002,'','','\u2028\ufeff')"
    ),
    (
        "INSERT INTO daily_logs (id,session_id,event_type,event_data,timestamp) VALUES "
        "(900001,900001,'a','{\"a\":','x'),(900002,NULL,'',CAST(x'c0af' AS TEXT),'y')"
    ),
)
