"""The big files that are searched: a million facts in one scope, or in a thousand; kept like `files.big`."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Final

import memrepo
from tests.benchmarks import files, talk

__all__ = ["scope_name", "told"]

#: To be raised when the rows are made in another way.
_REVISION: Final = 1
#: When the last is told; hours lie between sessions.
_LAST: Final = datetime(2026, 1, 1, tzinfo=UTC)
_BETWEEN: Final = timedelta(hours=3)
#: Facts of a scope that are told one after another: this many sessions, of this many facts.
_SESSION: Final = 20
_N_TOGETHER: Final = 5
_PACE: Final = timedelta(seconds=20)
_CATEGORIES: Final = ("fact", "preference", "pattern", "contact")
_SOURCES: Final = ("user_explicit", "inferred", "conversation")


def scope_name(number: int) -> str:
    """Name the scope *number*; the first is the default."""
    return f"user-{number}" if number else ""


def told(n_rows: int, n_scopes: int) -> Path:
    """Return a file of *n_rows* facts with their search index, built by the first run that needs it."""
    kind = "talk" if talk.from_conversations() else "words"
    name = f"told-{n_rows}-{n_scopes}"
    path = files.BENCH / "cache" / f"{name}-{kind}-{_REVISION}-{files.schema_key()}.db"
    if not path.exists():
        started = time.perf_counter()
        print(f"building {n_rows:,} facts to search in {n_scopes:,} scopes ...", file=sys.stderr)
        for older in (files.BENCH / "cache").glob(f"{name}-{kind}-*"):
            older.unlink()
        made = path.with_name(f"{path.name}.part")
        files.remove(made)
        asyncio.run(_build(made, n_rows, n_scopes))
        made.rename(path)
        print(f"... {time.perf_counter() - started:.0f} s", file=sys.stderr)
    return path


async def _build(path: Path, n_rows: int, n_scopes: int) -> None:
    n_told = _SESSION * _N_TOGETHER
    texts = talk.texts()
    async with memrepo.connect(path, durability="normal", search="english") as store:
        for n_left in range(n_rows // n_scopes // n_told, 0, -1):
            for number in range(n_scopes):
                facts = [*_facts(_LAST - n_left * _N_TOGETHER * _BETWEEN, islice(texts, n_told))]
                await store.scoped(scope_name(number)).memories.remember_many(facts)
        await store.catch_up()


def _facts(first: datetime, texts: Iterator[str]) -> Iterator[memrepo.MemoryNew]:
    for place, text in enumerate(texts):
        session, place_in_session = divmod(place, _SESSION)
        yield memrepo.MemoryNew(
            content=text,
            category=_CATEGORIES[place % len(_CATEGORIES)],
            source=_SOURCES[place % len(_SOURCES)],
            created_at=first + session * _BETWEEN + place_in_session * _PACE,
        )
