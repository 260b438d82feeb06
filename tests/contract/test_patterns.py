"""Patterns that are observed, and what is inferred from them: on every driver."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from memrepo import (
    DailyLogFilter,
    DailyLogNew,
    InvalidInputError,
    NotFoundError,
    Observed,
    PendingInference,
    Statement,
    Store,
)
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio

SHORT = "short_answers"
TEXT = "Prefers short answers"


async def observe(store: Store, n: int, **others: Any) -> list[Observed]:
    return [await store.memories.observe(SHORT, content=TEXT, **others) for _ in range(n)]


def outcomes(observed: list[Observed]) -> list[str | None]:
    return [None if its.inferred is None else its.inferred.outcome for its in observed]


async def test_the_third_observation_infers(store: Store, clock: Clock) -> None:
    """Three observations become a fact that knows what it was inferred from, and the log tells all of it."""
    session = await store.sessions.start()
    observed: list[Observed] = []
    for n, evidence in enumerate(["said 'shorter'", None, "cut an answer off"]):
        clock.advance(days=1)
        assert await store.memories.would_infer(SHORT) == (n == 2)
        pending = [PendingInference(pattern=SHORT, n=n)] if n else []
        assert await store.memories.pending_inferences() == pending
        observed.append(
            await store.memories.observe(
                SHORT, evidence, content=TEXT, session_id=session.id, metadata={"by": 1.5}
            )
        )
    assert [its.n for its in observed] == [1, 2, 3]
    assert outcomes(observed) == [None, None, "created"]
    assert observed[2].inferred is not None
    fact = observed[2].inferred.entry
    assert (fact.content, fact.category, fact.source) == (TEXT, "preference", "inferred")
    assert (fact.created_at, fact.session_id) == (clock.now, session.id)
    assert fact.metadata == {
        "by": 1.5,
        "pattern": SHORT,
        "evidence": ["said 'shorter'", "cut an answer off"],
        "events": [its.event.id for its in observed],
    }
    assert await store.memories.get(fact.id) == fact
    events = list(await store.daily_logs.find_many())
    assert events[:3] == [its.event for its in observed]
    assert [(event.event_type, event.event_data, event.session_id) for event in events] == [
        (
            "pattern_observed",
            {"pattern": SHORT, "evidence": "said 'shorter'", "n": 1},
            session.id,
        ),
        ("pattern_observed", {"pattern": SHORT, "n": 2}, session.id),
        (
            "pattern_observed",
            {"pattern": SHORT, "evidence": "cut an answer off", "n": 3},
            session.id,
        ),
        ("pattern_inferred", {"pattern": SHORT, "memory_id": fact.id}, session.id),
    ]
    assert await store.memories.pending_inferences() == []
    assert not await store.memories.would_infer(SHORT)


async def test_the_count_starts_anew(store: Store) -> None:
    """After it was inferred, it takes as many observations again, which refresh the fact."""
    observed = await observe(store, 7)
    assert [its.n for its in observed] == [1, 2, 3, 1, 2, 3, 1]
    assert outcomes(observed) == [None, None, "created", None, None, "duplicate", None]
    assert await store.memories.count() == 1


async def test_what_is_too_long_ago(store: Store, clock: Clock) -> None:
    """An observation counts for seven days, to the millisecond, or for as long as is said."""
    await observe(store, 2)
    clock.advance(days=7)
    assert await store.memories.would_infer(SHORT)
    clock.advance(milliseconds=1)
    assert not await store.memories.would_infer(SHORT)
    assert await store.memories.would_infer(SHORT, within=timedelta(days=8))
    assert await store.memories.pending_inferences() == []
    assert await store.memories.pending_inferences(within=timedelta(days=8)) == [
        PendingInference(pattern=SHORT, n=2)
    ]
    (first,) = await observe(store, 1)
    assert (first.n, first.inferred) == (1, None)
    (fourth,) = await observe(store, 1, within=timedelta(days=8), times=4)
    assert (fourth.n, outcomes([fourth])) == (4, ["created"])


async def test_each_pattern_counts_for_itself(store: Store) -> None:
    """Other patterns, scopes and events do not count, whatever is in their data; the pattern is the text."""
    memories = store.memories
    odd = Statement(
        "test.odd", "UPDATE daily_logs SET event_data='{\"pattern\"' WHERE event_type='broken'"
    )
    await store.daily_logs.append_many(
        [
            DailyLogNew(event_type="pattern_observed", event_data={"pattern": 5}),
            DailyLogNew(event_type="pattern_observed"),
            DailyLogNew(event_type="tool_invocation", event_data={"pattern": SHORT, "n": 9}),
            DailyLogNew(event_type="broken"),
        ]
    )
    await store.connection.write((odd.bind(),))
    for _ in range(2):
        await memories.observe("likes\tjazz")
        await store.scoped("ada").memories.observe("likes\tjazz")
    await memories.observe("Likes 'jazz' \\ \"x\"")
    assert await memories.pending_inferences() == [
        PendingInference(pattern="likes\tjazz", n=2),
        PendingInference(pattern="Likes 'jazz' \\ \"x\"", n=1),
    ]
    third = await memories.observe("likes\tjazz")
    assert third.inferred is not None
    assert third.inferred.entry.content == "likes\tjazz"
    assert await store.scoped("ada").memories.count() == 0
    assert await store.scoped("ada").memories.would_infer("likes\tjazz")


async def test_what_was_imported_counts(store: Store, clock: Clock) -> None:
    """Observations are events like others: those that were appended count, deleted ones do not."""
    await store.daily_logs.append_many(
        [
            DailyLogNew(
                event_type="pattern_observed",
                event_data={"pattern": SHORT, "evidence": "before"},
                timestamp=clock.now - timedelta(days=days),
            )
            for days in (8, 2, 1)
        ]
    )
    (third,) = await observe(store, 1)
    assert third.n == 3
    assert third.inferred is not None
    assert third.inferred.entry.metadata == {
        "pattern": SHORT,
        "evidence": ["before", "before"],
        "events": [2, 3, 4],
    }
    await observe(store, 2)
    assert await store.daily_logs.delete_many(DailyLogFilter(event_type="pattern_observed")) == 6
    assert await store.memories.pending_inferences() == []


async def test_what_the_user_has_forgotten(store: Store) -> None:
    """A fact that was forgotten or superseded stays so; the count starts anew all the same."""
    known = await store.memories.remember(TEXT)
    await store.memories.forget(known.id)
    observed = await observe(store, 4)
    assert outcomes(observed) == [None, None, "forgotten", None]
    assert observed[2].inferred is not None
    assert observed[2].inferred.id == known.id
    (told,) = await store.daily_logs.find_many(DailyLogFilter(event_type="pattern_inferred"))
    assert told.event_data == {"pattern": SHORT, "memory_id": known.id}
    await store.memories.restore(known.id)
    await store.memories.supersede(known.id, "Prefers long answers")
    assert outcomes(await observe(store, 2)) == [None, "superseded"]


async def test_what_is_known(store: Store, clock: Clock) -> None:
    """What the user said stays the user's; an expired fact comes back; what was given in vain is told."""
    await store.memories.remember(
        "prefers SHORT answers", category="style", expires_at=clock.now + timedelta(days=1)
    )
    (known,) = await observe(store, 1, times=1, metadata={"a": 1})
    assert known.inferred is not None
    assert known.inferred.outcome == "duplicate"
    assert known.inferred.ignored == ("content", "metadata", "category")
    assert (known.inferred.entry.source, known.inferred.entry.expires_at) == ("user_explicit", None)
    await store.memories.update(known.inferred.id, expires_at=clock.now)
    (again,) = await observe(store, 1, times=1)
    assert outcomes([again]) == ["restored"]


async def test_a_hundred_tasks(store: Store) -> None:
    """Of tasks that observe at once, every third infers, and each is one of the count."""
    observed = await asyncio.gather(
        *(store.memories.observe(SHORT, f"task {n}", content=TEXT) for n in range(100))
    )
    assert sorted(its.n for its in observed) == sorted([1, 2, 3] * 33 + [1])
    inferred = [its for its in observed if its.inferred]
    assert [its.n for its in inferred] == [3] * 33
    assert Counter(outcomes(inferred)) == {"created": 1, "duplicate": 32}
    counts = await store.daily_logs.count_by_type()
    assert counts == {"pattern_observed": 100, "pattern_inferred": 33}
    assert await store.memories.count() == 1


async def test_in_a_transaction(store: Store) -> None:
    """A transaction that is rolled back has observed and inferred nothing."""
    await observe(store, 2)
    with suppress(ZeroDivisionError):
        async with store.transaction() as tx:
            third = await tx.memories.observe(SHORT)
            assert outcomes([third]) == ["created"]
            raise ZeroDivisionError
    assert await store.memories.count() == 0
    async with store.transaction() as tx:
        assert (await tx.memories.observe(SHORT)).n == 3
        assert (await tx.memories.observe(SHORT)).n == 1
    assert await store.memories.count() == 1


async def test_no_such_session(store: Store) -> None:
    """A session of another scope, or none, is not found, and nothing is observed."""
    other = await store.scoped("ada").sessions.start()
    for number in (other.id, 1_000):
        with pytest.raises(NotFoundError, match=rf"^no session with id {number} in this scope"):
            await store.memories.observe(SHORT, session_id=number, times=1)
    assert await store.memories.pending_inferences() == []
    assert await store.memories.count() == 0


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"pattern": ""}, "pattern"),
        ({"pattern": "x" * 256}, "pattern"),
        ({"pattern": "!"}, "content"),
        ({"evidence": ""}, "evidence"),
        ({"evidence": "x" * 10_001}, "evidence"),
        ({"evidence": {"a": 1}}, "evidence"),
        ({"content": " "}, "content"),
        ({"category": ""}, "category"),
        ({"times": 0}, "times"),
        ({"times": 101}, "times"),
        ({"within": timedelta(0)}, "within"),
        ({"within": timedelta(days=999_999)}, "within"),
        ({"session_id": 0}, "session_id"),
        ({"metadata": []}, "metadata"),
    ],
)
async def test_arguments(store: Store, arguments: dict[str, Any], field: str) -> None:
    """What is not accepted is refused before anything is stored."""
    with pytest.raises(InvalidInputError, match=rf"^{field}: "):
        await store.memories.observe(**{"pattern": SHORT, **arguments})
    assert await store.daily_logs.count_by_type() == {}


async def test_arguments_of_what_is_pending(store: Store) -> None:
    """The same holds for the questions about it."""
    with pytest.raises(InvalidInputError, match=r"^pattern: "):
        await store.memories.would_infer("")
    with pytest.raises(InvalidInputError, match=r"^times: "):
        await store.memories.would_infer(SHORT, times=0)
    with pytest.raises(InvalidInputError, match=r"^within: "):
        await store.memories.pending_inferences(within=timedelta(0))


async def test_a_lot_of_evidence(store: Store) -> None:
    """As much as is accepted can be stored, on every driver."""
    for n in range(100):
        last = await store.memories.observe(SHORT, f"{n:03}" + "é" * 4_998, times=100)
    assert last.inferred is not None
    metadata = last.inferred.entry.metadata
    assert metadata is not None
    evidence = metadata["evidence"]
    assert isinstance(evidence, list)
    assert [text[:3] for text in evidence if isinstance(text, str)] == [
        f"{n:03}" for n in range(100)
    ]


async def test_what_comes_back_takes_its_slot(store: Store, clock: Clock) -> None:
    """A fact that an observation brings back takes its slot and the pin there, and the outcome says so."""
    await store.memories.remember(
        TEXT, source="inferred", slot="style", expires_at=clock.now + timedelta(hours=1)
    )
    clock.advance(hours=2)
    other = await store.memories.remember("Prefers long answers", source="inferred", slot="style")
    await store.memories.pin(other.id)
    (observed,) = await observe(store, 1, times=1)
    inferred = observed.inferred
    assert inferred is not None
    assert inferred.outcome == "replaced"
    assert inferred.replaced is not None
    assert inferred.replaced.id == other.id
    assert inferred.entry == await store.memories.get(inferred.id)
    assert inferred.entry.pinned_at is not None
