"""memrepo as its users have it: the rows in a store, as facts or as events, found by its methods."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import memrepo
from tests.benchmarks.retrieval.data import Corpus
from tests.benchmarks.retrieval.search import Found, Search

__all__ = ["real_events", "real_recall", "real_store"]

_ENOUGH_TOKENS: Final = 1_000_000


@contextmanager
def real_store(corpus: Corpus) -> Iterator[Search]:
    """Remember each row of *corpus* at its time, in a store in memory, and search it."""
    with _running() as (runner, store):
        rows = runner.run(_remember(store, corpus))

        def search(question: str, limit: int) -> list[Found]:
            hits = runner.run(store.memories.search(question, limit=limit))
            return [Found(row, hit.relevance) for hit in hits for row in rows[hit.entry.id]][:limit]

        yield search


@contextmanager
def real_events(corpus: Corpus) -> Iterator[Search]:
    """Do the same with an event for each row."""
    with _running() as (runner, store):
        events = [
            memrepo.DailyLogNew(event_type="told", event_data=row.text, timestamp=row.told_at)
            for row in corpus.rows
        ]
        stored = runner.run(store.daily_logs.append_many(events))
        rows = {event.id: row.id for event, row in zip(stored, corpus.rows, strict=True)}

        def search(question: str, limit: int) -> list[Found]:
            hits = runner.run(store.daily_logs.search(question, limit=limit))
            return [Found(rows[hit.entry.id], hit.relevance) for hit in hits]

        yield search


@contextmanager
def real_recall(corpus: Corpus) -> Iterator[Search]:
    """Ask ``memories.recall``, with its weights as they are: it leaves out what is not relevant enough."""
    with _running() as (runner, store):
        rows = runner.run(_remember(store, corpus))
        now = corpus.rows[-1].told_at

        def search(question: str, limit: int) -> list[Found]:
            recalling = store.memories.recall(
                question, max_entries=limit, max_tokens=_ENOUGH_TOKENS, now=now
            )
            found: list[Found] = []
            for shown in runner.run(recalling).entries:
                relevance = shown.score.relevance or 0.0
                for fact in (shown.entry.id, *shown.joined):
                    found += (Found(row, relevance) for row in rows[fact])
            return found[:limit]

        yield search


@contextmanager
def _running() -> Iterator[tuple[asyncio.Runner, memrepo.Store]]:
    with asyncio.Runner() as runner:
        store = runner.run(_open())
        try:
            yield runner, store
        finally:
            runner.run(store.close())


async def _open() -> memrepo.Store:
    return await memrepo.connect(":memory:", same_fact="exact", search="english")


async def _remember(store: memrepo.Store, corpus: Corpus) -> dict[int, list[int]]:
    facts = [memrepo.MemoryNew(content=row.text, created_at=row.told_at) for row in corpus.rows]
    stored = await store.memories.remember_many(facts)
    # Of rows with the same text one is stored; it is evidence wherever one of them is.
    rows: dict[int, list[int]] = {}
    for row, fact in zip(corpus.rows, stored, strict=True):
        rows.setdefault(fact.id, []).append(row.id)
    return rows
