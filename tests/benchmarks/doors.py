"""W12: memrepo inside an agent framework, beside what the framework itself keeps in SQLite."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any, Final, TypeAlias

import memrepo
from tests.benchmarks import files
from tests.benchmarks.contender import Durability

#: Items of a conversation, and events that are remembered.
_N_STORED: Final = 1_000
_N_LATEST: Final = 20
#: How often what takes microseconds is done in a round, and what takes milliseconds.
_OFTEN: Final = 200
_SELDOM: Final = 20

Times: TypeAlias = dict[str, float]
Work: TypeAlias = Callable[[Path, Durability], Awaitable[Times]]


@dataclass
class Door:
    """One operation: the seconds that it took us and the framework's own class, in each round."""

    framework: str
    operation: str
    durability: Durability
    ours: list[float] = field(default_factory=list)
    theirs: list[float] = field(default_factory=list)


def measure(n_rounds: int, say: Callable[[str], None], *, is_quick: bool) -> list[Door]:
    """Measure each framework that is installed, ours and theirs by turns in each round."""
    found: dict[tuple[str, str, Durability], Door] = {}
    for framework, package, ours, theirs, durabilities in _doors(is_quick=is_quick):
        try:
            title = f"{framework} {version(package)}"
        except PackageNotFoundError:
            say(f"WITHOUT {framework}: {package} is not installed")
            continue
        for number in range(n_rounds):
            for durability in durabilities:
                say(f"W12 {title}, {durability}, round {number + 1} of {n_rounds}")
                mine, its = (_round(work, durability) for work in (ours, theirs))
                for operation, seconds in mine.items():
                    key = title, operation, durability
                    door = found.setdefault(key, Door(*key))
                    door.ours.append(seconds)
                    door.theirs.append(its[operation])
    return [*found.values()]


def _doors(*, is_quick: bool) -> Iterator[tuple[str, str, Work, Work, tuple[Durability, ...]]]:
    share = 10 if is_quick else 1

    async def our_session(path: Path, durability: Durability) -> Times:
        sessions = import_module("memrepo.contrib.openai")
        async with memrepo.connect(path, durability=durability) as store:
            return await _talk(sessions.MemrepoSession("chat", store), share)

    async def their_session(path: Path, durability: Durability) -> Times:
        session = import_module("agents.extensions.memory").AsyncSQLiteSession("chat", path)
        try:
            # It has no public setting; by default it is what Python's SQLite was built with.
            connection = await session._get_connection()
            await connection.execute(f"PRAGMA synchronous = {durability}")
            return await _talk(session, share)
        finally:
            await session.close()

    async def our_memory(path: Path, durability: Durability) -> Times:
        services = import_module("memrepo.contrib.adk")
        async with memrepo.connect(path, durability=durability, search="english") as store:
            return await _remember(services.MemrepoMemoryService(store), share)

    async def their_memory(path: Path, _: Durability) -> Times:
        # It sets synchronous=NORMAL itself.
        service = import_module("google.adk.memory").SqliteMemoryService(path, max_results=10)
        return await _remember(service, share)

    yield "OpenAI", "openai-agents", our_session, their_session, ("normal", "full")
    yield "Google ADK", "google-adk", our_memory, their_memory, ("normal",)


def _round(work: Work, durability: Durability) -> Times:
    path = files.fresh("door", None)
    gc.collect()
    try:
        return asyncio.run(work(path, durability))  # type: ignore[arg-type]
    finally:
        files.remove(path)


async def _each(count: int, call: Callable[[], Awaitable[object]]) -> float:
    """Return the median of the seconds of some calls, one after another."""
    took = []
    for _ in range(count):
        started = time.perf_counter()
        await call()
        took.append(time.perf_counter() - started)
    return median(took)


async def _talk(session: Any, share: int) -> Times:
    """Time a conversation of the OpenAI Agents SDK."""
    items = [_item(number) for number in range(_N_STORED)]
    often, seldom = _OFTEN // share, _SELDOM // share
    times: Times = {}
    adding, clearing = [], []
    for _ in range(seldom):
        adding.append(await _each(1, lambda: session.add_items(items)))
        clearing.append(await _each(1, session.clear_session))
    times[f"add_items, {_N_STORED:,}"] = median(adding)
    times[f"clear_session of {_N_STORED:,}"] = median(clearing)
    await session.add_items(items)
    times[f"get_items, {_N_LATEST} of {_N_STORED:,}"] = await _each(
        often, lambda: session.get_items(_N_LATEST)
    )
    times[f"get_items, all {_N_STORED:,}"] = await _each(seldom, session.get_items)
    times["add_items, 2"] = await _each(often, lambda: session.add_items(items[:2]))
    times["pop_item"] = await _each(often, session.pop_item)
    return times


def _item(number: int) -> dict[str, object]:
    role = "assistant" if number % 2 else "user"
    return {"role": role, "content": f"Message {number} of a conversation. " + "word " * 30}


async def _remember(service: Any, share: int) -> Times:
    """Time a memory of Google's Agent Development Kit."""
    whose = {"app_name": "app", "user_id": "ada"}
    events = [_event(number) for number in range(_N_STORED)]
    times: Times = {}

    async def add(number: int, n_events: int) -> None:
        its = events[number : number + n_events]
        await service.add_events_to_memory(**whose, events=its, session_id="s")

    started = time.perf_counter()
    await add(0, _N_STORED)
    times[f"add_events, {_N_STORED:,} new"] = time.perf_counter() - started
    times[f"add_events, {_N_LATEST} known"] = await _each(
        _SELDOM // share, lambda: add(0, _N_LATEST)
    )
    numbers = iter(range(10**9))
    times[f"search_memory among {_N_STORED:,}"] = await _each(
        _OFTEN // share,
        lambda: service.search_memory(**whose, query=f"What about place{next(numbers) % 97}?"),
    )
    return times


def _event(number: int) -> Any:
    types = import_module("google.genai.types")
    text = f"Note {number}: we talked of place{number % 97} and of thing{number % 13}, for a while."
    content = types.Content(role="user", parts=[types.Part(text=text)])
    event = import_module("google.adk.events").Event
    return event(id=f"e{number}", author="user", timestamp=1.77e9 + number, content=content)
