"""The arc of a day and of a session, on every driver."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from memrepo import (
    DailyLogNew,
    Digest,
    DigestEvent,
    DigestFact,
    DigestSession,
    InvalidInputError,
    JsonValue,
    MemoryNew,
    NotFoundError,
    Statement,
    Store,
    ToolUse,
)
from tests.conftest import Clock

pytestmark = pytest.mark.asyncio

DAY = date(2026, 2, 2)
BERLIN = ZoneInfo("Europe/Berlin")


async def run(store: Store, sql: str) -> None:
    """Change rows as another program would."""
    await store.connection.write((Statement("another.program", sql).bind(),))


async def live(store: Store, clock: Clock) -> int:
    """Live a day with one of everything, and return the id of its session."""
    session = await store.sessions.start("phone")
    events: list[tuple[str, JsonValue]] = [
        ("topic_change", {"topic": "York", "previousTopic": "Leeds"}),
        ("tool_invocation", {"tool": "calendar", "ok": True}),
        ("tool_invocation", {"toolName": "calendar", "success": False, "error": "timeout"}),
        ("tool_invocation", {"toolName": "mail", "success": True, "context": "sent"}),
        ("user_state", {"sentiment": "tired", "context": "it is late"}),
        ("error", {"error": {"message": "no model"}}),
    ]
    await store.daily_logs.append_many(
        DailyLogNew(session_id=session.id, event_type=event_type, event_data=data)
        for event_type, data in events
    )
    leeds = await store.memories.remember("Lives in Leeds")
    clock.advance(minutes=65)
    await store.memories.supersede(leeds.id, "Lives in York", source="inferred")
    secret = await store.memories.remember("A secret")
    await store.memories.forget(secret.id)
    await store.sessions.end(session.id, summary="Ada moves to York.")
    return session.id


TEXT = """\
# 2026-02-02 (Europe/Berlin)

15:16 to 16:21: 1 session, 6 events, 1 new fact, 2 outdated facts, 1 forgotten fact.

## Sessions

- 15:16 to 16:21 (1 h 5 min, explicit), thread phone, 6 events: Ada moves to York.

## New facts

- Fact: Lives in York (instead of: Lives in Leeds) (inferred)

## Topics

- 15:16 York

## Failures

- 15:16 calendar: timeout
- 15:16 no model

## Tools

- calendar: 2 calls, 1 failed
- mail: 1 call

## User states

- 15:16 tired: it is late

## Events by type

- tool_invocation: 3
- error: 1
- topic_change: 1
- user_state: 1
"""


async def test_digest_of_a_day(store: Store, clock: Clock) -> None:
    """A day is told as data and as text, both kinds of tool events as one, and nothing of what was forgotten."""
    started_at = clock.now
    session_id = await live(store, clock)
    digest = await store.daily_logs.digest(DAY, BERLIN)

    def event(id: int, subject: str, detail: str = "") -> DigestEvent:
        return DigestEvent(
            id=id, session_id=session_id, timestamp=started_at, subject=subject, detail=detail
        )

    assert digest == Digest(
        scope="",
        day=DAY,
        tz=BERLIN,
        sessions=(
            DigestSession(
                id=session_id,
                thread="phone",
                started_at=started_at,
                ended_at=clock.now,
                end_trigger="explicit",
                last_activity_at=started_at,
                summary="Ada moves to York.",
                n_events=6,
            ),
        ),
        n_sessions=1,
        facts=(
            DigestFact(
                id=2,
                content="Lives in York",
                category="fact",
                source="inferred",
                created_at=clock.now,
                replaced="Lives in Leeds",
            ),
        ),
        n_facts=1,
        n_outdated=2,
        n_forgotten=1,
        topics=(event(1, "York"),),
        n_topics=1,
        failures=(event(3, "calendar", "timeout"), event(6, "no model")),
        n_failures=2,
        tools=(
            ToolUse(name="calendar", n_calls=2, n_failed=1),
            ToolUse(name="mail", n_calls=1, n_failed=0),
        ),
        n_tools=2,
        user_states=(event(5, "tired", "it is late"),),
        n_user_states=1,
        n_by_type={"tool_invocation": 3, "error": 1, "topic_change": 1, "user_state": 1},
        n_types=4,
        n_events=6,
        n_unreadable=0,
        first_activity_at=started_at,
        last_activity_at=clock.now,
    )
    assert list(digest.n_by_type) == ["tool_invocation", "error", "topic_change", "user_state"]
    assert digest.to_markdown() == TEXT
    assert digest.sessions[0].duration == timedelta(minutes=65)
    plain = digest.to_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert (plain["day"], plain["tz"]) == ("2026-02-02", "Europe/Berlin")


async def test_digest_of_a_session(store: Store, clock: Clock) -> None:
    """A session's digest has its own events only, and the facts that were remembered while it went on."""
    await store.memories.remember("Before")
    await store.daily_logs.append(None, "topic_change", {"topic": "none of it"})
    clock.advance(days=1)
    session_id = await live(store, clock)
    clock.advance(days=1)
    await store.memories.remember("After")
    digest = await store.sessions.digest(session_id, BERLIN)
    assert digest.day is None
    assert [fact.content for fact in digest.facts] == ["Lives in York"]
    assert (digest.n_events, digest.n_sessions, digest.n_forgotten) == (6, 1, 1)
    text = digest.to_markdown()
    assert text.startswith(f"# Session {session_id}\n\n2026-02-03 15:16 to 2026-02-03 16:21: ")
    assert "- 2026-02-03 15:16 York\n" in text
    with pytest.raises(NotFoundError, match="no session with id 99 in this scope"):
        await store.sessions.digest(99)


async def test_what_is_gone_is_only_counted(store: Store, clock: Clock) -> None:
    """A fact does not tell what it replaced once that has expired; what is forgotten by itself counts, replaced or not."""
    memories = store.memories
    leeds = await memories.remember("Lives in Leeds", expires_at=clock.now + timedelta(hours=1))
    await memories.supersede(leeds.id, "Lives in York")
    jazz = await memories.remember("Likes jazz")
    blues = await memories.supersede(jazz.id, "Likes blues")
    assert "(instead of: Lives in Leeds)" in (await store.daily_logs.digest(DAY)).to_markdown()
    clock.advance(hours=2)
    assert "Leeds" not in (await store.daily_logs.digest(DAY)).to_markdown()
    assert (await store.daily_logs.digest(DAY)).n_forgotten == 0
    await memories.forget(jazz.id)
    assert (await store.daily_logs.digest(DAY)).n_forgotten == 1
    await memories.restore(jazz.id)
    await memories.forget(blues.id)
    assert (await store.daily_logs.digest(DAY)).n_forgotten == 1


async def test_digest_of_a_session_without_an_end(store: Store, clock: Clock) -> None:
    """Its facts are those until now; once it is abandoned, those until its last activity."""
    session = await store.sessions.start()
    clock.advance(minutes=5)
    await store.memories.remember("While it is active")
    digest = await store.sessions.digest(session.id)
    assert (digest.n_facts, digest.sessions[0].ended_at) == (1, None)
    assert "not ended, last active 2026-02-02 14:16, 0 events" in digest.to_markdown()
    clock.advance(hours=1)
    await store.memories.remember("Long after it")
    assert (await store.sessions.digest(session.id)).n_facts == 0


async def test_nothing_happened(store: Store) -> None:
    """An empty day says so."""
    digest = await store.daily_logs.digest(DAY)
    assert digest.is_empty
    assert (digest.first_activity_at, digest.last_activity_at) == (None, None)
    assert digest.to_markdown() == "# 2026-02-02 (UTC)\n\nNothing happened.\n"


async def test_nothing_of_another_scope(store: Store, clock: Clock) -> None:
    """A digest knows nothing of other owners, and does not find their sessions."""
    session_id = await live(store, clock)
    other = store.scoped("ada")
    assert (await other.daily_logs.digest(DAY)).is_empty
    with pytest.raises(NotFoundError):
        await other.sessions.digest(session_id)


@pytest.mark.parametrize(
    ("day", "hours", "times"),
    [
        (date(2026, 3, 29), 23, ["00:00+01:00", "01:30+01:00", "03:30+02:00", "23:59+02:00"]),
        (date(2026, 10, 25), 25, ["00:00+02:00", "01:30+02:00", "02:30+02:00", "23:59+01:00"]),
    ],
)
async def test_days_on_which_clocks_change(
    store: Store, clock: Clock, day: date, hours: int, times: list[str]
) -> None:
    """A day has all of its 23 or 25 hours and nothing of its neighbours; its times tell their offset."""
    start = datetime(day.year, day.month, day.day, tzinfo=BERLIN).astimezone(UTC)
    clock.now = start + timedelta(days=3)
    await store.daily_logs.append_many(
        DailyLogNew(
            event_type="topic_change",
            event_data={"topic": f"minute {minute}"},
            timestamp=start + timedelta(minutes=minute),
        )
        for minute in (-1, 0, 90, 150, hours * 60 - 1, hours * 60)
    )
    digest = await store.daily_logs.digest(day, BERLIN)
    minutes = (0, 90, 150, hours * 60 - 1)
    lines = [f"- {time} minute {minute}\n" for time, minute in zip(times, minutes, strict=True)]
    assert "".join(["## Topics\n\n", *lines]) in digest.to_markdown()
    assert digest.n_events == 4


async def test_a_session_goes_on_after_midnight(store: Store, clock: Clock) -> None:
    """It is told on each day on which it started or had an event, with the date of what is of another day."""
    clock.now = datetime(2026, 2, 2, 23, 50, tzinfo=UTC)
    session = await store.sessions.start()
    await store.daily_logs.append(session.id, "said")
    clock.advance(minutes=20)
    await store.daily_logs.append(session.id, "said")
    await store.daily_logs.append(session.id, "said")
    await store.sessions.end(session.id)
    first, second, third = [
        await store.daily_logs.digest(DAY + timedelta(days=n)) for n in range(3)
    ]
    assert [its.sessions[0].n_events for its in (first, second)] == [1, 2]
    assert "- 23:50 to 2026-02-03 00:10 (20 min, explicit), 1 event\n" in first.to_markdown()
    assert "- 2026-02-02 23:50 to 00:10 (20 min, explicit), 2 events\n" in second.to_markdown()
    assert third.is_empty


async def test_more_than_the_limit(store: Store, clock: Clock) -> None:
    """The latest of each kind are taken, all are counted, and the text says how many are left out."""
    await store.daily_logs.append_many(
        DailyLogNew(
            event_type=event_type,
            event_data={"topic": str(n), "sentiment": str(n), "tool": f"tool {n}", "ok": False},
        )
        for n in range(7)
        for event_type in ("topic_change", "user_state", "tool_invocation", f"type {n}")
    )
    await store.memories.remember_many(MemoryNew(content=f"Fact {n}") for n in range(6))
    for _ in range(4):
        clock.advance(minutes=1)
        await store.sessions.start(end_active=True)
    digest = await store.daily_logs.digest(DAY, limit=3)
    assert [topic.subject for topic in digest.topics] == ["4", "5", "6"]
    assert [fact.content for fact in digest.facts] == ["Fact 3", "Fact 4", "Fact 5"]
    assert [session.id for session in digest.sessions] == [2, 3, 4]
    assert [tool.name for tool in digest.tools] == ["tool 0", "tool 1", "tool 2"]
    assert list(digest.n_by_type) == ["tool_invocation", "topic_change", "user_state"]
    assert (digest.n_topics, digest.n_user_states, digest.n_failures) == (7, 7, 7)
    assert (digest.n_facts, digest.n_sessions, digest.n_tools, digest.n_types) == (6, 4, 7, 10)
    assert digest.to_markdown(max_tokens=None).endswith(
        "\nLeft out: 1 session, 3 new facts, 4 topics, 4 failures, 4 tools, 4 user states, "
        "7 types of events.\n"
    )


async def test_tools_without_a_name(store: Store, clock: Clock) -> None:
    """A tool that is told of in several ways is one tool, also where only the most frequent one is wanted."""
    unnamed: list[JsonValue] = [None, 7, {}, {"tool": None}, {"toolName": "", "ok": True}, [1]]
    named: list[JsonValue] = [
        {"tool": "mail"},
        {"toolName": "mail"},
        {"toolName": 1, "tool": "mail"},
    ]
    await store.daily_logs.append_many(
        DailyLogNew(event_type="tool_invocation", event_data=data) for data in unnamed + named
    )
    digest = await store.daily_logs.digest(DAY, limit=1)
    assert digest.tools == (ToolUse(name="", n_calls=6, n_failed=0),)
    assert digest.n_tools == 2
    (_, mail) = (await store.daily_logs.digest(DAY)).tools
    assert mail == ToolUse(name="mail", n_calls=3, n_failed=0)


async def test_rows_of_other_programs(store: Store, clock: Clock) -> None:
    """What cannot be read is counted, and told as far as it can be; nothing fails."""
    await live(store, clock)
    await store.daily_logs.append(None, "topic_change", ["no object"])
    await store.daily_logs.append(None, "topic_change", "its text")
    await store.daily_logs.append(None, "tool_invocation", {"tool": "x" * 3_000, "ok": False})
    await store.daily_logs.append(None, "tool_invocation")
    await run(store, "UPDATE `daily_logs` SET `event_data` = '{broken' WHERE `id` = 1")
    await run(store, "UPDATE `daily_logs` SET `event_data` = x'c3a4' WHERE `id` = 5")
    # The half of a pair: valid JSON, but no text.
    half = """'{"toolName":"half \\ud83d","success":false}'"""
    await run(store, f"UPDATE `daily_logs` SET `event_data` = {half} WHERE `id` = 4")
    await run(store, "UPDATE `sessions` SET `summary` = x'c3a4', `ended_at` = 'never'")
    await run(store, "UPDATE `memory_entries` SET `content` = x'c3a4', `category` = 7")
    digest = await store.daily_logs.digest(DAY)
    assert (digest.n_events, digest.n_unreadable) == (10, 2)
    assert [topic.subject for topic in digest.topics] == ["", "", "its text"]
    assert [tool.name for tool in digest.tools] == ["", "calendar", "half \ud83d"]
    assert [tool.n_failed for tool in digest.tools] == [1, 1, 1]
    assert [its.subject for its in digest.failures] == ["calendar", "half \ud83d", "no model", ""]
    assert (digest.sessions[0].summary, digest.facts[0].content) == ("ä", "ä")
    text = digest.to_markdown()
    assert "2 events that cannot be read" in text
    assert "- half \ufffd: 1 call, 1 failed\n" in text
    assert text.encode()


async def test_long_texts(store: Store, clock: Clock) -> None:
    """Texts are cut: a digest is small, however large a summary or a fact is."""
    session = await store.sessions.start()
    await store.sessions.end(session.id, summary="s" * 100_000)
    await store.memories.remember("ä" * 50_000)
    digest = await store.daily_logs.digest(DAY)
    assert digest.sessions[0].summary == "s" * 1_999 + "…"
    assert digest.facts[0].content == "ä" * 1_999 + "…"
    assert len(digest.to_markdown(max_tokens=None)) < 1_600


async def test_in_a_transaction(store: Store, clock: Clock) -> None:
    """It sees what its own transaction has written."""
    async with store.transaction() as tx:
        await tx.daily_logs.append(None, "topic_change", {"topic": "new"})
        assert (await tx.daily_logs.digest(DAY)).n_topics == 1


async def test_arguments(store: Store) -> None:
    """What is not accepted is refused before anything is read."""
    with pytest.raises(InvalidInputError, match=r"^day: "):
        await store.daily_logs.digest(datetime(2026, 2, 2, tzinfo=UTC))
    with pytest.raises(InvalidInputError, match=r"^tz: "):
        await store.daily_logs.digest(DAY, "Europe/Berlin")  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match=r"^limit: "):
        await store.sessions.digest(1, limit=0)
    with pytest.raises(InvalidInputError, match=r"^id: "):
        await store.sessions.digest(0)
    digest = await store.daily_logs.digest(DAY)
    with pytest.raises(InvalidInputError, match=r"^max_tokens: "):
        digest.to_markdown(max_tokens=0)
    with pytest.raises(InvalidInputError, match=r"^count_tokens: "):
        digest.to_markdown(count_tokens=lambda _: 1.5)  # type: ignore[arg-type, return-value]
