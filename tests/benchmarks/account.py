"""Where the microseconds of one append and of one get go: the layers, one on top of the other."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Final

import aiosqlite
import attrs

import memrepo
from memrepo.domain.arguments import encode_event
from memrepo.domain.clock import utc_now
from memrepo.domain.codec import to_daily_log, to_memory
from memrepo.domain.instants import encode_instant
from memrepo.domain.jsontext import JsonValue, encode_json
from memrepo.queries import daily_logs, memories
from memrepo.queries.statement import BoundStatement

_ROUNDS: Final = 15
_CALLS: Final = 200
_DATA: Final[dict[str, JsonValue]] = {"tool": "calendar", "ok": True, "n": 5, "text": "x" * 60}

Step = Callable[[], Awaitable[object]]


def main() -> None:
    """Measure and print two Markdown tables."""
    with TemporaryDirectory() as folder:
        asyncio.run(_measure(Path(folder) / "agent.db"))


async def _measure(path: Path) -> None:
    async with memrepo.connect(path, durability="normal") as store:
        await store.sessions.start()
        await store.memories.remember("The user likes tea")
        append = daily_logs.APPEND.bind(
            session_id=1,
            event_type="tool_invocation",
            event_data=encode_json("event_data", _DATA),
            key=None,
            scope="",
            now=encode_instant(utc_now()),
        )
        get = memories.GET.bind(id=1, scope="", now=encode_instant(utc_now()))
        async with aiosqlite.connect(path, isolation_level=None) as one_hop:
            await one_hop.execute("PRAGMA synchronous = NORMAL")
            with closing(sqlite3.connect(path, isolation_level=None)) as raw:
                raw.execute("PRAGMA synchronous = NORMAL")
                connection = store.connection
                await _print(
                    {
                        "nothing: `await` of a coroutine": _nothing,
                        "one trip to aiosqlite's thread: `SELECT 1`": lambda: (
                            one_hop.execute_fetchall("SELECT 1")
                        ),
                        "the INSERT and its commit, in sqlite3, no thread": _Sync(raw, append),
                        "the INSERT through aiosqlite": lambda: one_hop.execute_fetchall(
                            append.statement.sql, append.parameters
                        ),
                        "`connection.write`: queue, group, file check": lambda: connection.write(
                            (append,)
                        ),
                        "`daily_logs.append`: checks, JSON, clock, model": lambda: (
                            store.daily_logs.append(1, "tool_invocation", _DATA)
                        ),
                        "the SELECT of one fact, in sqlite3, no thread": _Sync(raw, get),
                        "the SELECT through aiosqlite": lambda: one_hop.execute_fetchall(
                            get.statement.sql, get.parameters
                        ),
                        "`connection.read`: queue": lambda: connection.read(get),
                        "`memories.get`: checks, clock, model": lambda: store.memories.get(1),
                    }
                )
        _print_parts(await connection.read(get))


@attrs.frozen
class _Sync:
    """A statement in a synchronous call, awaited like the others."""

    raw: sqlite3.Connection
    bound: BoundStatement

    async def __call__(self) -> object:
        return self.raw.execute(self.bound.statement.sql, self.bound.parameters).fetchall()


async def _nothing() -> None:
    pass


async def _print(steps: dict[str, Step]) -> None:
    times: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(_ROUNDS):
        for name, step in steps.items():
            began = perf_counter()
            for _ in range(_CALLS):
                await step()
            times[name].append((perf_counter() - began) / _CALLS)
    print("| what is awaited | microseconds, median | least |\n|---|---|---|")
    for name, found in times.items():
        print(f"| {name} | {median(found) * 1e6:.1f} | {min(found) * 1e6:.1f} |")


def _print_parts(facts: list[tuple[object, ...]]) -> None:
    now = utc_now()
    event = (1, 1, "tool_invocation", "{}", encode_instant(now), "", None)
    parts: dict[str, Callable[[], object]] = {
        "check and encode the event": lambda: encode_event(1, "tool_invocation", _DATA, None),
        "the clock, and the instant as text": lambda: encode_instant(utc_now()),
        "an event's row to its model": lambda: to_daily_log(event),
        "a fact's row to its model": lambda: to_memory(facts[0]),
    }
    print("\n| in a tight loop | microseconds, least |\n|---|---|")
    for name, part in parts.items():
        print(f"| {name} | {min(_time(part) for _ in range(_ROUNDS)) * 1e6:.2f} |")


def _time(part: Callable[[], object]) -> float:
    began = perf_counter()
    for _ in range(_CALLS):
        part()
    return (perf_counter() - began) / _CALLS


if __name__ == "__main__":
    main()
