"""
Read everything in a small database of which one bit was flipped.

usage: python -m workloads.flipped FOLDER

Makes the database, prints its length in bytes, and then, for each line ``OFFSET BIT``, reads a copy
with that bit flipped and prints what came of it as one line of JSON; see `Verdict`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs

import memrepo

NOW = datetime(2026, 2, 2, 14, 16, 24, 123_000, tzinfo=UTC)
FACTS = 200
SCOPES = ("", "user:42")
EVERYTHING = memrepo.MemoryFilter(
    include_forgotten=True, include_expired=True, include_superseded=True
)


@attrs.define
class Verdict:
    """What came of reading a damaged database."""

    #: memrepo's errors: the read that raised it, and its class.
    errors: dict[str, str] = attrs.field(factory=dict)
    #: Errors of any other kind: the read, and the error with its message. There must be none.
    untyped: dict[str, str] = attrs.field(factory=dict)
    #: Reads that gave something else than from the sound file.
    changed: list[str] = attrs.field(factory=list)
    #: How many things `verify` found.
    problems: int = 0
    #: Whether a fact came out whose text is not the one that its own hash was made of.
    has_wrong_content: bool = False
    #: Whether a text differs by what two statements of one fact may differ by, as its case.
    has_same_fact: bool = False
    #: Whether an attribute came out that has not its declared type.
    has_wrong_type: bool = False


@attrs.define
class Seen:
    """What the reads of one database gave: text to compare, and the facts."""

    texts: dict[str, str] = attrs.field(factory=dict)
    facts: dict[int, memrepo.MemoryEntry] = attrs.field(factory=dict)
    rows: list[Any] = attrs.field(factory=list)


async def make(path: Path) -> None:
    """Write a database with something of everything."""
    async with memrepo.connect(path, clock=lambda: NOW) as store:
        for scope in SCOPES:
            repositories = store.scoped(scope) if scope else store
            memories = repositories.memories
            facts = await memories.remember_many(
                memrepo.MemoryNew(
                    content=f"Fact {n} is about {['tea', 'coffee', 'naïveté'][n % 3]}, {'and so on ' * (n % 20)}",
                    category=("fact", "preference", "pattern")[n % 3],
                    source=("user_explicit", "inferred")[n % 2],
                    metadata={"n": n, "tags": ["a", "b"]} if n % 4 == 0 else None,
                    expires_at=NOW + timedelta(days=n) if n % 7 == 0 else None,
                )
                for n in range(1, FACTS // len(SCOPES))
            )
            await memories.remember("A long one. " * 1_000)
            for fact in facts[:10]:
                await memories.forget(fact.id)
            for fact in facts[10:15]:
                await memories.supersede(fact.id, f"Not {fact.entry.content}")
            for number in range(5):
                async with repositories.sessions.session() as session:
                    await repositories.daily_logs.append_many(
                        memrepo.DailyLogNew(
                            session_id=session.id,
                            event_type="tool_invocation",
                            event_data={"n": n, "tool": "calendar"},
                            key=f"key {number} {n}" if n % 2 else None,
                        )
                        for n in range(20)
                    )
                await repositories.sessions.summarize(session.id, "What was said, in short.")
            await repositories.sessions.start()


async def all_of(rows: AsyncIterator[Any]) -> list[Any]:
    """Read to the end."""
    return [row async for row in rows]


def reads(store: memrepo.ScopedStore) -> dict[str, Callable[[], Awaitable[Any]]]:
    """Every way to read what one scope holds, by its name."""
    memories, sessions, logs = store.memories, store.sessions, store.daily_logs
    pattern, coffee = (
        memrepo.MemoryFilter(category="pattern"),
        memrepo.MemoryFilter(contains="COFFEE"),
    )
    return {
        "iterate": lambda: all_of(memories.iterate(EVERYTHING)),
        "find_many": lambda: memories.find_many(limit=1_000),
        "category": lambda: memories.find_many(pattern),
        "contains": lambda: memories.find_many(coffee),
        "forgotten": memories.forgotten,
        "count": memories.count,
        "find": lambda: each(memories.find, range(1, FACTS + 20)),
        "history": lambda: each(memories.history, range(FACTS - 10, FACTS + 20)),
        "by_content": lambda: memories.find_by_content("a LONG one. " * 1_000),
        "sessions": lambda: all_of(sessions.iterate()),
        "session": lambda: each(sessions.find, range(1, 15)),
        "active": sessions.active,
        "events": lambda: all_of(logs.iterate()),
        "event": lambda: each(logs.find, range(1, 210)),
        "day": lambda: logs.for_day(NOW.date()),
        "days": logs.count_by_day,
    }


async def each(read: Callable[[int], Awaitable[Any]], ids: range) -> list[Any]:
    """Read many rows at once; one that is not there is a result, too."""
    results = await asyncio.gather(*map(read, ids), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, memrepo.NotFoundError):
            raise result
    return [None if isinstance(result, BaseException) else result for result in results]


def rows_of(result: Any) -> list[Any]:
    """Return the models in what a read gave."""
    items = result if isinstance(result, list | memrepo.Page) else [result]
    flat = [row for item in items for row in (item if isinstance(item, list) else [item])]
    return [row for row in flat if attrs.has(type(row))]


def text_of(result: Any) -> str:
    """Return what a read gave, and what is decoded only when it is asked for."""
    more = [
        (row.metadata if isinstance(row, memrepo.MemoryEntry) else row.event_data)
        for row in rows_of(result)
        if isinstance(row, memrepo.MemoryEntry | memrepo.DailyLog)
    ]
    return repr((result, more))


async def read(path: Path, verdict: Verdict) -> Seen:
    """Read everything, noting what goes wrong."""
    seen = Seen()

    async def attempt(name: str, way: Callable[[], Awaitable[Any]]) -> Any:
        try:
            result = await way()
            seen.texts[name] = text_of(result)
        except memrepo.MemrepoError as error:
            verdict.errors[name] = type(error).__name__
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            verdict.untyped[name] = f"{type(error).__name__}: {error}"
        else:
            seen.rows += rows_of(result)
            return result
        return None

    store = await attempt("open", lambda: memrepo.connect(path, clock=lambda: NOW))
    if store is None:
        return seen
    seen.rows.clear()
    del seen.texts["open"]
    try:
        for scope in SCOPES:
            for name, way in reads(store.scoped(scope) if scope else store).items():
                await attempt(f"{scope or 'default'} {name}", way)
        verdict.problems = len(await attempt("verify", store.verify) or ())
        seen.facts = {row.id: row for row in seen.rows if isinstance(row, memrepo.MemoryEntry)}
    finally:
        await attempt("close", store.close)
    return seen


def compare(sound: Seen, seen: Seen, verdict: Verdict) -> None:
    """Note how what was read differs from what is in the sound file."""
    verdict.changed = [
        name for name, text in seen.texts.items() if text != sound.texts[name] and name != "verify"
    ]
    for row in seen.rows:
        verdict.has_wrong_type |= any(
            not isinstance(value, type_of(field)) for field, value in fields_of(row)
        )
    for number, fact in seen.facts.items():
        original = sound.facts.get(number)
        if original is None or fact.content == original.content:
            continue
        try:
            is_same = memrepo.content_hash(fact.content, scope=fact.scope) == original.content_hash
        except Exception:  # noqa: BLE001 - it is not even text
            is_same = False
        verdict.has_same_fact |= is_same
        verdict.has_wrong_content |= not is_same


def fields_of(row: Any) -> list[tuple[Any, Any]]:
    """Return a model's attributes with their values."""
    return [(field, getattr(row, field.name)) for field in attrs.fields(type(row))]


def type_of(field: Any) -> tuple[type, ...]:
    """Return the types that an attribute may have."""
    names = {"int": int, "bool": bool, "str": str, "datetime": datetime, "None": type(None)}
    return tuple(names.get(name, str) for name in str(field.type).split(" | "))


def main() -> None:
    """Make the database, and read as many damaged copies as are asked for."""
    folder = Path(sys.argv[1])
    original, copy = folder / "sound.db", folder / "flipped.db"
    asyncio.run(make(original))
    content = original.read_bytes()
    reference = Verdict()
    sound = asyncio.run(read(original, reference))
    assert reference == Verdict(), reference
    assert len(sound.facts) > FACTS
    compare(sound, sound, reference)
    assert reference == Verdict(), reference
    print(len(content), flush=True)
    for line in sys.stdin:
        offset, bit = map(int, line.split())
        for suffix in ("-wal", "-shm"):
            Path(f"{copy}{suffix}").unlink(missing_ok=True)
        damaged = bytearray(content)
        damaged[offset] ^= 1 << bit
        copy.write_bytes(damaged)
        verdict = Verdict()
        seen = asyncio.run(read(copy, verdict))
        compare(sound, seen, verdict)
        print(json.dumps(attrs.asdict(verdict)), flush=True)


if __name__ == "__main__":
    main()
